"""The sandbox's own certificate authority and the certificate of its TLS port.

Every name is listed one by one: clients refuse a wildcard directly under a single label such as
`*.localhost`. HTTP/1.1 only, because a WebSocket upgrade is HTTP/1.1. Nothing here outlives the sandbox.
"""

from __future__ import annotations

import shutil
import ssl
import tempfile
from pathlib import Path

import trustme

__all__ = ["NAMES", "Authority"]

NAMES = (
    "localhost",
    "api.localhost",
    "login.localhost",
    "webmessaging.localhost",
    "streaming.localhost",
    "api-cdn.localhost",
    "apps.localhost",
    "127.0.0.1",
    "::1",
)
"""What the certificate is valid for."""


class Authority:
    """A throwaway certificate authority, its PEM in a folder that `remove()` deletes."""

    def __init__(self) -> None:
        authority = trustme.CA(organization_name="guestlab sandbox")
        self._folder = Path(tempfile.mkdtemp(prefix="guestlab-sandbox-"))
        self.ca_file = self._folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        authority.issue_cert(*NAMES).configure_cert(self.context)

    def remove(self) -> None:
        """Delete the PEM."""
        shutil.rmtree(self._folder, ignore_errors=True)
