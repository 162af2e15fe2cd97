"""Frames for the tests of the chat: as the server would send them, and with something hostile in every field."""

from __future__ import annotations

import itertools
import json
from typing import Any

_ids = itertools.count(1)


def frame(body: Any, *, class_name: str = "StructuredMessage", code: int = 200, **top: Any) -> str:
    """Wrap a body."""
    return json.dumps({"type": "message", "class": class_name, "code": code, "body": body, **top})


def said(text: str = "", *, name: str = "", entity: str = "Bot", content: Any = (), **body: Any) -> str:
    """Something said to the guest."""
    return frame(
        {
            "type": "Structured" if content else "Text",
            "direction": "Outbound",
            "id": f"{next(_ids):032x}",
            "text": text,
            "channel": {
                "time": "2026-11-22T12:00:00.000Z",
                "type": "Private",
                "from": {"nickname": name} if name else {},
            },
            "originatingEntity": entity,
            "content": list(content),
            **body,
        }
    )


def happened(*events: dict[str, Any], **body: Any) -> str:
    """Events in a message."""
    return frame(
        {
            "type": "Event",
            "direction": "Outbound",
            "id": f"{next(_ids):032x}",
            "channel": {"time": "2026-11-22T12:00:00.000Z", **body.pop("channel", {})},
            "events": list(events),
            **body,
        }
    )


def item(content_type: str, key: str, value: Any) -> dict[str, Any]:
    """One content item."""
    return {"contentType": content_type, key: value}


def everything(h: str) -> list[dict[str, Any]]:
    """Every content type a web guest can meet, with the same text in every field."""
    action = {"type": "Postback", "text": h, "payload": h}
    linked = {"type": "Link", "text": h, "url": h}
    card = {
        "title": h, "description": h, "image": h, "video": h,
        "defaultAction": linked, "actions": [action, linked],
    }  # fmt: skip
    rows = [{"id": h, "title": h, "subtitle": h, "imageUrl": h}, {"id": "2", "title": f"2{h}"}]
    note = {"header": h, "title": h, "subtitle": h, "buttonLabel": h, "imageUrl": h}
    picker = {
        "id": h, "receivedMessage": note, "replyMessage": note,
        "sections": [
            {"title": h, "multipleSelection": True, "items": rows},
            {"title": h, "multipleSelection": False, "items": rows},
        ],
    }  # fmt: skip
    dates = {
        "id": h, "title": h, "subtitle": h, "imageUrl": h,
        "availableTimes": [{"dateTime": h, "duration": 1800}, {"dateTime": "2030-06-26T09:00:00.000Z"}],
    }  # fmt: skip
    asked = {"id": h, "title": h, "subtitle": h, "placeholderText": h, "isRequired": True}
    components = [
        {"formComponentType": "Input", "input": asked},
        {"formComponentType": "Input", "input": {**asked, "isMultipleLine": True}},
        {"formComponentType": "DatePicker", "datePicker": {"id": h, "title": h, "dateDisplayFormat": h}},
        {"formComponentType": "ListPicker", "listPicker": picker},
        {
            "formComponentType": "WheelPicker",
            "wheelPicker": {"id": h, "items": [{"id": h, "title": h, "value": h}]},
        },
        {"formComponentType": h},
    ]
    form = {
        "cannedResponseId": h,
        "introduction": {"title": h, "subtitle": h, "imageUrl": h, "buttonText": h},
        "formPages": [{"title": h, "subtitle": h, "pageComponents": components}],
        "receivedMessage": note,
        "replyMessage": note,
    }
    reply = {"text": h, "payload": h, "action": h, "image": h, "summaryText": h}
    button = {"type": h, "text": h, "payload": h, "originatingMessageId": h}
    file = {"id": h, "filename": h, "fileSize": 3, "mediaType": h, "mime": h, "url": h, "text": h}
    template = {"id": h, "title": h, "description": h, "image": h, "video": h, "components": [{"title": h}]}
    return [
        item("QuickReply", "quickReply", reply),
        item("QuickReplyV2", "quickReplyV2", {"title": h, "actions": [reply]}),
        item("Card", "card", card),
        item("Carousel", "carousel", {"cards": [card, card]}),
        item("ListPicker", "listPicker", picker),
        item("DatePicker", "datePicker", dates),
        item("Form", "form", form),
        item("Attachment", "attachment", file),
        item("ButtonResponse", "buttonResponse", button),
        item("GenericTemplate", "generic", template),
        item("Text", "text", {"type": h, "body": h}),
        item(h, "whatever", {"title": h}),
    ]


def hostile_frames(h: str) -> list[str]:
    """Frames with the same text in every field a chat shows."""
    answered = {
        "id": h,
        "component": item("ButtonResponse", "buttonResponse", {"type": h, "text": h, "payload": h}),
    }
    named = {"from": {"nickname": h, "firstName": h, "lastName": h, "image": h}}
    return [
        said(h, name=h, entity=h),
        said(h, name=h, entity="Human"),
        said(
            h,
            direction="Inbound",
            content=[item("Form", "form", {"cannedResponseId": h, "response": [answered]})],
        ),
        happened({"eventType": "Presence", "presence": {"type": h}}, channel=named),
        happened({"eventType": "Presence", "presence": {"type": "Join"}}, channel=named),
        happened({"eventType": h}),
        happened({"eventType": "CoBrowse", "coBrowse": {"type": h}}),
        happened({"eventType": "Video", "video": {"type": h}}),
        frame({"type": "Receipt", "direction": "Outbound", "id": h, "status": h}),
        frame(h, class_name=h),
        frame(h, class_name="string", code=4011),
        frame({"errorCode": 4011, "errorMessage": h}, class_name="Error", code=400),
        frame({"attachmentId": h, "errorCode": 4001, "errorMessage": h}, class_name="UploadFailureEvent"),
        h,  # no JSON at all
        happened({"eventType": "Typing", "typing": {"type": "On", "duration": 60000}}, channel=named),
        said(h, name=h, content=everything(h)),  # last: it is on offer then
    ]


PWN = "window.__pwned=(window.__pwned||0)+1"
HOSTILE: dict[str, str] = {
    "script": f"<script>{PWN}</script>",
    "image": f'<img src=x onerror="{PWN}">',
    "svg": f'"><svg onload="{PWN}"><animate onbegin="{PWN}" attributeName=x dur=1s>',
    "attribute": f"' onmouseover='{PWN}' onfocus='{PWN}' autofocus tabindex='0' x='",
    "double": f'" onmouseover="{PWN}" onfocus="{PWN}" autofocus style="position:fixed;inset:0" x="',
    "javascript": f"javascript:{PWN}",
    "javascript in disguise": f"  JaVa\tScRiPt:{PWN}//http://a.example",
    "data": f"data:text/html,<script>{PWN}</script>",
    "style": "</style></textarea></select></pre></table><style>body{display:none !important}</style>",
    "frame": f'<iframe srcdoc="<script>parent.{PWN}</script>"></iframe><object data="javascript:{PWN}">',
    "formula": f"$\\href{{javascript:{PWN}}}{{click}}$ \\(\\unicode{{x41}}\\) {{{{7*7}}}}",
    "link": f'https://a.example/"onmouseover="{PWN}"x=',
    "bidi": "\u202egnp.exe\u202d \u2066abc\u2067 \u200f\u061c \u0000\u0007\u001b[2J\u2028end",
    "combining": "Z" + "\u0310\u0351\u0489" * 400,
    "long word": "W" * 100_000,
    "many lines": "line\n" * 3_000,
    "half a pair": "\ud83d and \udc00",
}
"""Name → a text nobody should trust."""
