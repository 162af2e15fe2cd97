"""Every REST reply of a sandbox, held against the Platform API's published document.

`watched(application)` wraps the ASGI application; what does not fit is collected, and the autouse fixture in
`conftest.py` fails the test with it. Stricter than the document in two ways: a property its models do not name
is a fault, and so is a time that is not ISO 8601 in UTC. The document is kept small: models no reply of the
sandbox had are `LeftOut`, which nothing fits; a new reply that needs one brings its definition along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

__all__ = ["Replies"]

DOCUMENT = Path(__file__).parent.parent / "data" / "platform-openapi.json"

# Properties sent although the models of October 2026 have none, and why.
BEYOND = {
    "MessageData": {
        "textBody": {"type": "string"},  # required until the summer of 2026, and read by clients of that time
        "media": {"type": "array"},  # likewise
    },
}
# Models whose required properties real replies leave out: a reference to a user is its id and address only.
REFERENCES = ("User",)
# Paths the document does not have: retired, or an address handed out whole.
ELSEWHERE = ("/api/v2/webchat/guest/", "/api/v2/downloads/")

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
_FORMATS = jsonschema.FormatChecker(formats=())
_FORMATS.checks("date-time")(lambda value: not isinstance(value, str) or bool(_TIME.fullmatch(value)))


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))
    for name, model in document["definitions"].items():
        if "properties" in model:
            model["properties"] |= BEYOND.get(name, {})
            model.setdefault("additionalProperties", False)
        if name in REFERENCES:
            del model["required"]
    return document


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Patterns of paths, those with fewer parts left open first."""
    rows = sorted(_document()["paths"].items(), key=lambda row: row[0].count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), methods) for path, methods in rows]


@cache
def _validator(schema: str) -> jsonschema.Draft4Validator:
    held = {**json.loads(schema), "definitions": _document()["definitions"]}
    return jsonschema.Draft4Validator(held, format_checker=_FORMATS)


def _fits(document: Any, schema: dict[str, Any]) -> list[str]:
    found = _validator(json.dumps(schema)).iter_errors(document)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in found]


def complaints(method: str, path: str, status: int, headers: dict[str, str], body: bytes) -> list[str]:
    """What about one reply does not fit."""
    if "inin-correlation-id" not in headers:
        return ["no ININ-Correlation-Id"]
    if not path.startswith("/api/v2/") or method == "HEAD":
        return []
    if status >= 400:
        return _error(status, headers, body)
    methods = next((found for pattern, found in _paths() if pattern.fullmatch(path)), None)
    if methods is None:
        return [] if path.startswith(ELSEWHERE) else ["the document has no such path"]
    responses = methods.get(method.lower(), {}).get("responses", {})
    response = responses.get(str(status), responses.get("default"))
    if response is None:
        return [f"the document has {', '.join(responses) or 'no such operation'}"]
    if "schema" not in response:
        return ["a body where the document has none"] if body else []
    if not headers.get("content-type", "").startswith("application/json"):
        return [f"content type {headers.get('content-type')}"]
    return _fits(json.loads(body), response["schema"])


def _error(status: int, headers: dict[str, str], body: bytes) -> list[str]:
    if not body:
        return []  # a fault set by hand answers with a status and nothing else
    document = json.loads(body)
    wrong = _fits(document, {"$ref": "#/definitions/ErrorBody"})
    if document.get("status") != status:
        wrong.append(f"status {document.get('status')}")
    if document.get("contextId") != headers["inin-correlation-id"]:
        wrong.append("contextId is not the correlation id")
    if not document.get("code") or not document.get("message"):
        wrong.append("no code or no message")
    return wrong


class Replies:
    """Collects what does not fit; `seen` are the operations that answered."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.seen: set[tuple[str, str, int]] = set()

    def watched(self, application: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap what makes the sandbox's application."""

        def make(*arguments: Any, **options: Any) -> Any:
            inner = application(*arguments, **options)

            async def app(scope: Any, receive: Any, send: Any) -> None:
                if scope["type"] == "http" and not scope["path"].startswith("/sandbox/"):
                    send = self._listening(scope, send)
                await inner(scope, receive, send)

            return app

        return make

    def _listening(self, scope: Any, send: Any) -> Any:
        start: dict[str, Any] = {}
        body: list[bytes] = []

        async def heard(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.append(message.get("body", b""))
                if not message.get("more_body"):
                    self._judge(scope, start, b"".join(body))
            await send(message)

        return heard

    def _judge(self, scope: Any, start: dict[str, Any], body: bytes) -> None:
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        method, path, status = scope["method"], scope["path"], start["status"]
        if method == "OPTIONS":
            return
        self.seen.add((method, path, status))
        found = complaints(method, path, status, headers, body)
        self.wrong += [f"{method} {path} → {status}: {what}" for what in found]
