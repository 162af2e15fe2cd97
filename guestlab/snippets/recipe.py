"""What every snippet is written from: one attempt's request in pieces, a variable for each masked secret.

The masks are tags, the same for the same secret, so a secret that stood in two places becomes one variable.
Which variable follows from where the tag stands: the guest token of a configure frame, the credential in its
place, or another secret.
"""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.handshake.attempt import Attempt

__all__ = ["ACCESS_TOKEN", "GUEST_TOKEN", "Pieces", "Recipe", "Secret", "plain_line"]


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that a snippet takes from the environment."""

    name: str
    """The environment variable."""
    what: str
    """What belongs into it."""
    is_fresh: bool = False
    """Whether the snippet makes one itself when none is given."""

    @property
    def variable(self) -> str:
        """The name in the style of constants: GUEST_TOKEN."""
        return self.name.removeprefix("GUESTLAB_")

    @property
    def camel(self) -> str:
        """The name in the style of JavaScript: guestToken."""
        first, *rest = self.variable.lower().split("_")
        return first + "".join(part.capitalize() for part in rest)


GUEST_TOKEN = Secret("GUESTLAB_GUEST_TOKEN", "the guest token to resume with; a fresh UUID without it", True)
ACCESS_TOKEN = Secret("GUESTLAB_ACCESS_TOKEN", "the credential of this attempt")

Pieces = tuple[str | Secret, ...]
"""A text with variables in it."""

_PROXY = "Environment: HTTPS_PROXY, the proxy with its user and password, if it wants them; {} without it."
_MASK = re.compile(r"\[masked(?::[0-9A-Za-z]*)?\]")
_CREDENTIAL_NAME = re.compile(r"token|authorization|bearer|oauth|jwt", re.IGNORECASE)
_CREDENTIALS = {"none": None, "guest": GUEST_TOKEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One attempt's request, ready to be written in any language."""

    attempt: Attempt
    url: Pieces
    dialled: Pieces
    """The URL for clients that cannot resolve `*.localhost` themselves."""
    origin: Pieces | None
    headers: tuple[tuple[str, Pieces], ...]
    """Extra request headers, `Origin` apart."""
    subprotocols: tuple[Pieces, ...]
    frame: Pieces | None
    """The first frame's text; None when the attempt did not get that far."""
    document: Any
    """The first frame as an object with `Secret`s in it, where writing it so loses nothing; else None."""
    request: tuple[Pieces, ...]
    """The upgrade request, line by line, without the empty line at its end."""
    secrets: tuple[Secret, ...]

    @classmethod
    def of(cls, attempt: Attempt) -> Recipe:
        """Take an attempt apart; one of the form that works is completed where it ended before its frame."""
        attempt = _completed(attempt)
        evidence = attempt.evidence
        named = _named(attempt)
        origins = [value for name, value in evidence.headers if name.lower() == "origin"]
        frame = attempt.first_frame
        document = None if frame is None else _faithful(frame)
        return cls(
            attempt=attempt,
            url=_pieces(attempt.url, named),
            dialled=_pieces(_dialled(attempt.url), named),
            origin=_pieces(origins[-1], named) if origins else None,
            headers=tuple(
                (name, _pieces(value, named)) for name, value in evidence.headers if name.lower() != "origin"
            ),
            subprotocols=tuple(_pieces(name, named) for name in evidence.subprotocols),
            frame=None if frame is None else _pieces(frame, named),
            document=None if document is None else _filled(document, named),
            request=tuple(_pieces(line, named) for line in _request(attempt)),
            secrets=tuple(dict.fromkeys(named.values())),
        )

    @property
    def secure(self) -> bool:
        """Whether it goes over TLS."""
        return self.attempt.url.lower().startswith("wss:")

    @property
    def is_rewritten(self) -> bool:
        """Whether the URL dialled differs from the attempt's own."""
        return self.url != self.dialled

    @property
    def authority(self) -> tuple[str, int]:
        """Host and port to connect to."""
        parts = urlsplit(_dialled(self.attempt.url))
        return parts.hostname or "", parts.port or (443 if self.secure else 80)

    @property
    def proxy(self) -> str:
        """The proxy the attempt went through, without credentials; "" for none."""
        return self.attempt.proxy or ""

    @property
    def authorities(self) -> str:
        """The PEM file the attempt trusted beside the system's authorities; "" for none, and without TLS."""
        return self.attempt.ca_file or "" if self.secure or self.proxy.startswith("https:") else ""

    def used(self, *texts: Pieces | None) -> tuple[Secret, ...]:
        """The secrets that these texts need."""
        return tuple(secret for secret in self.secrets if any(secret in text for text in texts if text))

    def commented(
        self,
        mark: str,
        *how: str,
        secrets: tuple[Secret, ...] | None = None,
        ca: str = "SSL_CERT_FILE",
        proxy: str = _PROXY,
    ) -> str:
        """The comment every snippet begins with: what it is, how to run it, what it needs.

        Args:
            mark: What begins a comment.
            how: How to run it, and what is special.
            secrets: Those it takes from the environment; all of them by default.
            ca: The environment variable for a certificate authority of one's own; "" where it takes none.
            proxy: What to say where the attempt went through a proxy, `{}` standing for its address.
        """
        attempt = self.attempt
        lines = [
            f"Guest handshake: {attempt.credential} in {attempt.placement}"
            + (f", attempt {attempt.number}." if attempt.number else "."),
            f"{'When tried' if attempt.was_answered else 'Not tried, nothing answered'}: {attempt.verdict}.",
        ]
        if not attempt.ok and attempt.diagnosis.findings:
            finding = attempt.diagnosis.findings[0]
            lines += [f"Finding {finding.rule}: {finding.what}", f"Next: {finding.next_step}"]
        lines += how
        if self.secure and ca:
            used = f" This attempt used {self.authorities}." if self.authorities else ""
            lines.append(
                f"Environment: {ca}, a PEM file: your own certificate authority, or the sandbox's.{used}"
            )
        if self.proxy:
            lines.append(proxy.format(self.proxy))
        needed = self.secrets if secrets is None else secrets
        lines += [f"Environment: {secret.name}, {secret.what}." for secret in needed]
        return "\n".join(
            f"{mark} {part}"
            for line in lines
            for part in textwrap.wrap(plain_line(line), 100, subsequent_indent="  ", break_on_hyphens=False)
        )


def plain_line(text: str) -> str:
    """Make a text safe to stand in a comment of one line: nothing that ends it, nothing that hides."""
    shown = "".join(c if c.isprintable() else " " for c in text[:1000])
    return shown.replace("</", "< /").replace("*/", "* /")


def _completed(attempt: Attempt) -> Attempt:
    """Give a guest's handshake the first frame it did not come to send: its code shall work elsewhere."""
    deployment_ids = parse_qs(urlsplit(attempt.url).query).get("deploymentId")
    meant = (attempt.credential, attempt.placement) == ("guest", "first_frame")
    if attempt.first_frame is not None or not meant or not deployment_ids:
        return attempt
    frame = {"action": "configureSession", "deploymentId": deployment_ids[0], "token": "[masked]"}
    return replace(attempt, first_frame=json.dumps(frame))


def _pieces(text: str, named: dict[str, Secret]) -> Pieces:
    """Cut a text at its masks."""
    parts: list[str | Secret] = []
    position = 0
    for match in _MASK.finditer(text):
        parts += [text[position : match.start()], named[match[0]]]
        position = match.end()
    return tuple(part for part in (*parts, text[position:]) if part != "")


def _named(attempt: Attempt) -> dict[str, Secret]:
    """Give every mask its variable."""
    named: dict[str, Secret] = {}
    credential = _CREDENTIALS.get(attempt.credential, ACCESS_TOKEN)
    for place, name, text in _places(attempt):
        for tag in _MASK.findall(text):
            if tag in named:
                continue
            if place == attempt.placement and credential and credential not in named.values():
                named[tag] = credential
            elif place == "first_frame" and name == "token":
                named[tag] = GUEST_TOKEN
            elif ACCESS_TOKEN not in named.values() and _CREDENTIAL_NAME.search(name):
                named[tag] = ACCESS_TOKEN
            else:
                number = sum(secret.name.startswith("GUESTLAB_SECRET") for secret in named.values()) + 1
                what = f"the secret that stood in {place.replace('_', ' ')} {plain_line(name)[:40]}".rstrip()
                named[tag] = Secret(f"GUESTLAB_SECRET_{number}", what)
    return named


def _places(attempt: Attempt) -> Iterator[tuple[str, str, str]]:
    """Every text a mask may stand in: (place, name, text). The guest token's own place comes first."""
    frame = _loaded(attempt.first_frame)
    if isinstance(frame, dict):
        yield "first_frame", "token", json.dumps(frame.get("token"))
    for part in re.split(r"[?&]", attempt.url):
        yield "query", part.partition("=")[0], part
    for name, value in attempt.evidence.headers:
        if name.lower() == "cookie":
            for cookie in value.split(";"):
                yield "cookie", cookie.partition("=")[0].strip(), cookie
        else:
            yield "header", name, value
    for offered in attempt.evidence.subprotocols:
        yield "subprotocol", "", offered
    if isinstance(frame, dict):
        for name, value in frame.items():
            yield "frame", str(name), json.dumps(value)
    yield "frame", "", attempt.first_frame or ""
    yield "request", "", attempt.request


def _dialled(url: str) -> str:
    """Most resolvers know `localhost`, but no name below it."""
    return re.sub(r"^(\w+://)[\w.-]+\.localhost(?=[:/?#]|$)", r"\g<1>127.0.0.1", url, flags=re.IGNORECASE)


def _request(attempt: Attempt) -> list[str]:
    """The request as sent; for an attempt that never sent one, as it would have been."""
    lines = attempt.request.split("\r\n\r\n", 1)[0].splitlines()
    if lines:
        return lines
    parts = urlsplit(attempt.url)
    evidence = attempt.evidence
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    offered = [f"Sec-WebSocket-Protocol: {', '.join(evidence.subprotocols)}"] if evidence.subprotocols else []
    return [
        f"GET {target} HTTP/1.1",
        f"Host: {parts.netloc.rpartition('@')[2]}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",  # the example of RFC 6455 section 1.2
        "Sec-WebSocket-Version: 13",
        *offered,
        *(f"{name}: {value}" for name, value in evidence.headers),
    ]


def _loaded(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return None


def _faithful(text: str) -> dict[str, Any] | None:
    """The frame as an object, where writing it out again gives the same text but for its spaces."""
    frame = _loaded(text)
    if not isinstance(frame, dict) or not _is_plain(frame):
        return None
    dense = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
    same = (
        json.dumps(frame),
        json.dumps(frame, ensure_ascii=False),
        dense,
        json.dumps(frame, separators=(",", ":")),
    )
    return frame if text in same else None


def _is_plain(value: Any, depth: int = 12) -> bool:
    """Tell whether every language here reads the value the same."""
    if not depth or isinstance(value, float):
        return False
    if isinstance(value, dict):
        # JavaScript sorts keys that are numbers, and takes __proto__ for something else.
        named = all(key != "__proto__" and not key.isdigit() and not _MASK.search(key) for key in value)
        return named and all(_is_plain(item, depth - 1) for item in value.values())
    if isinstance(value, list):
        return all(_is_plain(item, depth - 1) for item in value)
    return not isinstance(value, int) or abs(value) < 2**53


def _filled(value: Any, named: dict[str, Secret]) -> Any:
    """The object with its masked texts as pieces."""
    if isinstance(value, dict):
        return {key: _filled(item, named) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, named) for item in value]
    if isinstance(value, str) and _MASK.search(value):
        return _pieces(value, named)
    return value
