"""A whole life of a guest in one transcript: what is sent, and the least that must come back, in order.

Auto-start, a bot with quick replies, one upload, the agent hangs up read-only, a new chat. Shapes: official
models and captured frames; the values are invented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from guestlab.sandbox import Sandbox

from .conftest import Guest

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
lines:
  - event: join
    reply:
      - quick_replies: {text: Pick a colour, options: [{text: Red, payload: RED}]}
"""

# Who: ">>" the guest sends (action, fields), "<<" what comes back must contain this, "agent" does something.
TRANSCRIPT: tuple[tuple[str, Any], ...] = (
    (">>", ("configureSession", {"startNew": False, "deploymentId": "{deployment}"}, "c1")),
    (
        "<<",
        {
            "type": "response",
            "class": "SessionResponse",
            "code": 200,
            "tracingId": "c1",
            "body": {"connected": True, "newSession": True, "readOnly": False},
        },
    ),
    (
        ">>",
        (
            "onMessage",
            {
                "message": {
                    "type": "Event",
                    "events": [{"eventType": "Presence", "presence": {"type": "Join"}}],
                    "channel": {"metadata": {"customAttributes": {"plan": "gold"}}},
                }
            },
            "j1",
        ),
    ),
    (
        "<<",
        {
            "type": "message",
            "class": "StructuredMessage",
            "code": 200,
            "tracingId": "j1",
            "body": {
                "type": "Event",
                "direction": "Inbound",
                "events": [{"eventType": "Presence", "presence": {"type": "Join"}}],
            },
        },
    ),
    (
        "<<",
        {
            "type": "message",
            "body": {
                "type": "Structured",
                "direction": "Outbound",
                "text": "Pick a colour",
                "originatingEntity": "Bot",
                "channel": {"type": "Private", "from": {}, "to": {}},
                "content": [
                    {
                        "contentType": "QuickReply",
                        "quickReply": {"text": "Red", "payload": "RED", "action": "Message"},
                    }
                ],
            },
        },
    ),
    (
        ">>",
        (
            "onMessage",
            {
                "message": {
                    "type": "Structured",
                    "text": "Red",
                    "content": [
                        {
                            "contentType": "ButtonResponse",
                            "buttonResponse": {"type": "QuickReply", "text": "Red", "payload": "RED"},
                        }
                    ],
                    "metadata": {"id": "q1"},
                }
            },
            "q1",
        ),
    ),
    ("<<", {"tracingId": "q1", "body": {"type": "Structured", "text": "Red", "metadata": {"id": "q1"}}}),
    (
        ">>",
        (
            "onAttachment",
            {
                "attachmentId": "88888888-8888-4888-8888-888888888888",
                "fileName": "a.png",
                "fileType": "image/png",
                "fileSize": 3,
                "errorsAsJson": True,
            },
            "u1",
        ),
    ),
    (
        "<<",
        {
            "class": "PresignedUrlResponse",
            "tracingId": "u1",
            "body": {"attachmentId": "88888888-8888-4888-8888-888888888888"},
        },
    ),
    ("upload", b"abc"),
    (
        "<<",
        {
            "type": "message",
            "class": "UploadSuccessEvent",
            "code": 200,
            "body": {"attachmentId": "88888888-8888-4888-8888-888888888888"},
        },
    ),
    (
        ">>",
        (
            "onMessage",
            {
                "message": {
                    "type": "Text",
                    "text": "see photo",
                    "content": [
                        {
                            "contentType": "Attachment",
                            "attachment": {"id": "88888888-8888-4888-8888-888888888888"},
                        }
                    ],
                }
            },
            "m3",
        ),
    ),
    ("<<", {"tracingId": "m3", "body": {"type": "Text", "text": "see photo"}}),
    ("agent", "disconnect"),
    (
        "<<",
        {
            "type": "message",
            "class": "StructuredMessage",
            "body": {
                "type": "Event",
                "direction": "Outbound",
                "events": [{"eventType": "Presence", "presence": {"type": "Disconnect"}}],
                "metadata": {"readOnly": "true"},
            },
        },
    ),
    (">>", ("onMessage", {"message": {"type": "Text", "text": "hello?"}}, "m4")),
    ("<<", {"type": "response", "class": "string", "code": 409, "tracingId": "m4"}),
    (">>", ("closeSession", {"closeAllConnections": True}, "x1")),
    (
        "<<",
        {
            "class": "SessionResponse",
            "tracingId": "x1",
            "body": {"connected": False, "newSession": False, "readOnly": True},
        },
    ),
    (">>", ("configureSession", {"startNew": True, "deploymentId": "{deployment}"}, "c2")),
    (
        "<<",
        {
            "class": "SessionResponse",
            "tracingId": "c2",
            "body": {"connected": True, "newSession": True, "readOnly": False},
        },
    ),
)


def _contains(whole: Any, part: Any, place: str = "frame") -> None:
    """Every key of the part is in the whole with the same value, at every depth."""
    if isinstance(part, dict):
        for key, value in part.items():
            assert key in whole, f"{place} has no {key}: {whole}"
            _contains(whole[key], value, f"{place}.{key}")
    else:
        assert whole == part, place


def test_the_golden_transcript(tmp_path: Path) -> None:
    """Line by line."""
    path = tmp_path / "bot.yaml"
    path.write_text(SCRIPT, encoding="utf-8")
    with Sandbox(bot=path) as sandbox:
        deployment = sandbox.deployments.add(auto_start=True, disconnect="ReadOnly")
        guest = Guest(sandbox, deployment_id=deployment.id, configure=False)
        frame: dict[str, Any] = {}
        for who, line in TRANSCRIPT:
            if who == ">>":
                action, fields, tracing_id = line
                fields = {k: deployment.id if v == "{deployment}" else v for k, v in fields.items()}
                guest.send(action, tracingId=tracing_id, **fields)
            elif who == "<<":
                frame = guest.receive()
                _contains(frame, line)
            elif who == "upload":
                place = frame["body"]
                reply = httpx.put(place["url"], content=line, headers=place["headers"], trust_env=False)
                assert reply.status_code == 200
            else:
                sandbox.agent.disconnect()
        assert guest.is_silent()
        guest.close()
