"""Ways to damage a frame, each with a name: what a client must survive without falling over.

Text in, text or bytes out; the source of chance is an argument.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

__all__ = ["CORRUPTIONS"]


def _cut(text: str, source: random.Random) -> str:
    return text[: source.randrange(len(text))]


def _noise(text: str, source: random.Random) -> str:
    place = source.randrange(len(text))
    return text[:place] + chr(source.choice((0, 34, 92, 123, 0x1F600, 0x202E))) + text[place + 1 :]


def _html(_text: str, _source: random.Random) -> str:
    return "<html><body>502 Bad Gateway</body></html>"


def _list(text: str, _source: random.Random) -> str:
    return f"[{text}]"


def _unknown_class(text: str, _source: random.Random) -> str:
    return json.dumps({**json.loads(text), "class": "SomethingNew"})


def _no_body(text: str, _source: random.Random) -> str:
    return json.dumps({key: value for key, value in json.loads(text).items() if key != "body"})


def _wrong_types(text: str, _source: random.Random) -> str:
    return json.dumps({**json.loads(text), "code": "200", "body": [1, None], "tracingId": 7})


def _binary(text: str, _source: random.Random) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _empty(_text: str, _source: random.Random) -> str:
    return ""


CORRUPTIONS: dict[str, Callable[[str, random.Random], str | bytes]] = {
    "cut": _cut,
    "noise": _noise,
    "html": _html,
    "list": _list,
    "unknown-class": _unknown_class,
    "no-body": _no_body,
    "wrong-types": _wrong_types,
    "binary": _binary,
    "empty": _empty,
}
"""Name → how."""
