"""Where a command connects: options, then the environment, then the embedded sandbox."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from guestlab.lab import Lab

__all__ = ["add_where", "lab_of"]


def add_where(command: argparse.ArgumentParser) -> None:
    """Add the options that say where."""
    where = command.add_argument_group(
        "where (default: GUESTLAB_REGION and so on, else the embedded sandbox)"
    )
    where.add_argument("--region", help="domain, AWS name or URL, such as mypurecloud.de")
    where.add_argument("--deployment-id", help="the messenger deployment's UUID")
    where.add_argument("--origin", help="the Origin header, for a deployment that restricts its domains")
    where.add_argument("--ca-file", help="PEM file of CA certificates to trust beside the system's")


def lab_of(options: argparse.Namespace) -> Lab:
    """Make the lab the options and the environment ask for."""
    from guestlab.lab import Lab

    given: dict[str, Any] = {
        "region": options.region or os.environ.get("GUESTLAB_REGION"),
        "deployment_id": options.deployment_id or os.environ.get("GUESTLAB_DEPLOYMENT_ID"),
        "client_id": os.environ.get("GUESTLAB_CLIENT_ID"),
        "client_secret": os.environ.get("GUESTLAB_CLIENT_SECRET"),
        "origin": options.origin or os.environ.get("GUESTLAB_ORIGIN"),
        "ca_file": options.ca_file or os.environ.get("GUESTLAB_CA_FILE"),
    }
    lab = Lab(**given)
    where = "the embedded sandbox" if lab.sandbox else lab.region.name
    print(f"Talking to {where}.", file=sys.stderr)
    return lab
