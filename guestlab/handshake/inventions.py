"""Names that circulate in forums and assistants and belong to nothing: headers, packages, scopes. Pure.

They are harmless in themselves and never the cause of a failure; a diagnosis mentions them so that nobody
builds on them. Source: collected from public forum questions; none occurs in an official SDK or model.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guestlab.handshake.quoting import quote_text

if TYPE_CHECKING:
    from guestlab.handshake.reading import Reading

__all__ = ["find_inventions"]

_HEADERS = re.compile(
    r"x-genesys-(?:platform-id|application|client-id|guest-\w+|deployment\w*|org\w*|session\w*|token)|x-purecloud-\w+",
    re.IGNORECASE,
)
_PACKAGES = {
    "@genesyscloud/web-messaging-sdk": "no such package; the guest protocol needs none",
    "@genesys/web-messaging-sdk": "no such package; the guest protocol needs none",
    "@genesys/cloud-web-messaging-client-sdk": "no such package; the guest protocol needs none",
    "@genesyscloud/messenger": "no such package; the Messenger script is loaded from the region's CDN",
    "pip install genesyscloud": "the official Python SDK is PureCloudPlatformClientV2",
    "import genesyscloud": "the official Python SDK is PureCloudPlatformClientV2",
    "from genesyscloud": "the official Python SDK is PureCloudPlatformClientV2",
}
_SUBPROTOCOLS = re.compile(
    r"guest-protocol-v\d|genesys-cloud-web(?:chat|messaging)|visitor-id=", re.IGNORECASE
)
_SCOPES = re.compile(
    r"web-?(?:chat|messaging):[\w:*]+|conversations?:messaging:[\w:*]+|messaging:(?:\*|guest[\w:]*)|"
    r"notifications:subscribe|websocket:read|urn:genesys:cloud:oauth:client",
    re.IGNORECASE,
)


def find_inventions(reading: Reading) -> tuple[str, ...]:
    """Say which names of an attempt belong to nothing, one line each."""
    found = [
        f"header {quote_text(name, 60)}: nobody reads it"
        for name, _ in reading.evidence.headers
        if _HEADERS.fullmatch(name)
    ]
    if (reading.header("Authorization") or "").lower().startswith("guest "):
        found.append("header Authorization with the scheme Guest: there is no such scheme")
    found += [
        f"subprotocol {quote_text(name, 60)}: there is none of this name"
        for name in reading.subprotocols
        if _SUBPROTOCOLS.match(name)
    ]
    asked = reading.fields.get("scope", "") + " " + dict(reading.address.query).get("scope", "")
    text = f"{reading.note.text} {asked}"
    found += [f"scope {quote_text(scope, 60)}: no such scope exists" for scope in _SCOPES.findall(text)]
    lowered = reading.note.text.lower()
    found += [f"{name}: {remark}" for name, remark in _PACKAGES.items() if name in lowered]
    return tuple(dict.fromkeys(found))[:10]
