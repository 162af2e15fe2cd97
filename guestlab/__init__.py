"""A laboratory for headless Genesys Cloud messaging clients: token, conversation, handshake, evidence."""

from __future__ import annotations

__version__ = "0.1.0"
