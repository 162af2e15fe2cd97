"""A laboratory for headless Genesys Cloud messaging clients: token, conversation, handshake, evidence.

    import guestlab as gl

    lab = gl.Lab()              # no account needed: an embedded sandbox plays Genesys Cloud
    lab.token()                 # an OAuth token, good for REST
    lab.handshake_as_asked()    # the guest socket refuses it, and says why
    lab.handshake()             # the handshake that works

Importing is free: names load on first use, so neither pandas nor ipywidgets nor any I/O comes with it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guestlab import analysis
    from guestlab.blocking import Session
    from guestlab.blocking_channel import Channel
    from guestlab.errors import GuestlabError
    from guestlab.handshake.attempt import Attempt
    from guestlab.handshake.comparison import compare
    from guestlab.handshake.described import diagnose_text
    from guestlab.handshake.diagnosis import Diagnosis, Finding, diagnose
    from guestlab.handshake.har import diagnose_har
    from guestlab.handshake.matrix import Matrix
    from guestlab.handshake.rules import RULES
    from guestlab.lab import Lab
    from guestlab.limits import PUBLISHED, Limits
    from guestlab.log import COLUMNS, Entry, Log
    from guestlab.log.reading import read
    from guestlab.platform_api import Conversation
    from guestlab.protocol import events
    from guestlab.protocol.messages import Message
    from guestlab.regions import REGIONS, Region
    from guestlab.sandbox import Sandbox
    from guestlab.session import GuestSession
    from guestlab.tokens import AccessToken

__version__ = "0.1.0"

# name → module, grouped by source file. A module's own name stands for the module itself.
_NAMES = {
    "analysis": "guestlab.analysis",
    "Session": "guestlab.blocking",
    "Channel": "guestlab.blocking_channel",
    "GuestlabError": "guestlab.errors",
    "Attempt": "guestlab.handshake.attempt",
    "compare": "guestlab.handshake.comparison",
    "diagnose_har": "guestlab.handshake.har",
    "diagnose_text": "guestlab.handshake.described",
    "Diagnosis": "guestlab.handshake.diagnosis",
    "Finding": "guestlab.handshake.diagnosis",
    "diagnose": "guestlab.handshake.diagnosis",
    "Matrix": "guestlab.handshake.matrix",
    "RULES": "guestlab.handshake.rules",
    "Lab": "guestlab.lab",
    "Limits": "guestlab.limits",
    "PUBLISHED": "guestlab.limits",
    "COLUMNS": "guestlab.log",
    "Entry": "guestlab.log",
    "Log": "guestlab.log",
    "read": "guestlab.log.reading",
    "Conversation": "guestlab.platform_api",
    "Message": "guestlab.protocol.messages",
    "events": "guestlab.protocol.events",
    "REGIONS": "guestlab.regions",
    "Region": "guestlab.regions",
    "Sandbox": "guestlab.sandbox",
    "GuestSession": "guestlab.session",
    "AccessToken": "guestlab.tokens",
}

__all__ = [
    "COLUMNS",
    "PUBLISHED",
    "REGIONS",
    "RULES",
    "AccessToken",
    "Attempt",
    "Channel",
    "Conversation",
    "Diagnosis",
    "Entry",
    "Finding",
    "GuestSession",
    "GuestlabError",
    "Lab",
    "Limits",
    "Log",
    "Matrix",
    "Message",
    "Region",
    "Sandbox",
    "Session",
    "analysis",
    "compare",
    "diagnose",
    "diagnose_har",
    "diagnose_text",
    "events",
    "read",
]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'guestlab' has no attribute {name!r}")
    module = import_module(_NAMES[name])
    value = module if module.__name__.endswith(f".{name}") else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
