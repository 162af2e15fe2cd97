"""Content a guest can be shown: quick replies, cards, carousels, pickers, forms.

Each function takes plain values, as a script file or a caller gives them, and returns the message's text
and its content list. What the official mobile parser insists on (a card's description, a text on every
action, a date picker's title) is always filled. Shapes: official models of web-messaging-sdk-java 18.1.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = [
    "CONTENT",
    "Built",
    "card",
    "carousel",
    "date_picker",
    "form",
    "list_picker",
    "quick_replies",
    "quick_replies_v2",
]

Built = tuple[str, list[dict[str, Any]]]
"""Text and content of a message."""


def _need(values: Mapping[str, Any], *names: str) -> None:
    missing = [name for name in names if not values.get(name)]
    if missing:
        raise ValueError(f"{', '.join(missing)} missing")


def _option(value: Any) -> dict[str, Any]:
    """A choice given as a word, or as text and payload."""
    if isinstance(value, Mapping):
        _need(value, "text")
        option = {"text": str(value["text"]), "payload": str(value.get("payload") or value["text"])}
        return option | ({"image": str(value["image"])} if value.get("image") else {})
    return {"text": str(value), "payload": str(value)}


def quick_replies(values: Mapping[str, Any]) -> Built:
    """`text` and `options`: words, or {text, payload, image}."""
    _need(values, "options")
    content = [
        {"contentType": "QuickReply", "quickReply": {**_option(option), "action": "Message"}}
        for option in values["options"]
    ]
    return str(values.get("text") or "Please choose"), content


def quick_replies_v2(values: Mapping[str, Any]) -> Built:
    """The newer form: one item with a title and its actions."""
    _need(values, "options")
    text = str(values.get("text") or "Please choose")
    actions = [{**_option(option), "action": "Message"} for option in values["options"]]
    return text, [{"contentType": "QuickReplyV2", "quickReplyV2": {"title": text, "actions": actions}}]


def _action(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {"type": "Postback", "text": str(value), "payload": str(value)}
    text = str(value.get("text") or value.get("url") or value.get("payload"))
    if value.get("url"):
        return {"type": "Link", "text": text, "url": str(value["url"])}
    return {"type": "Postback", "text": text, "payload": str(value.get("payload") or text)}


def _card(values: Mapping[str, Any]) -> dict[str, Any]:
    _need(values, "title")
    card: dict[str, Any] = {
        "title": str(values["title"]),
        "description": str(values.get("description") or values["title"]),
    }
    card |= {name: str(values[name]) for name in ("image", "video") if values.get(name)}
    if values.get("default"):
        card["defaultAction"] = _action(values["default"])
    card["actions"] = [_action(action) for action in values.get("actions") or ["Choose"]]
    return card


def card(values: Mapping[str, Any]) -> Built:
    """`title`, `description`, `image`, `video`, `default`, `actions`: words, {text, payload}, {text, url}."""
    shown = _card(values)
    return str(values.get("text") or shown["title"]), [{"contentType": "Card", "card": shown}]


def carousel(values: Mapping[str, Any]) -> Built:
    """`cards`, and an optional `text`."""
    _need(values, "cards")
    cards = [_card(one) for one in values["cards"]]
    text = str(values.get("text") or "Please choose")
    return text, [{"contentType": "Carousel", "carousel": {"cards": cards}}]


def _item(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {"id": str(value).lower().replace(" ", "-"), "title": str(value)}
    _need(value, "title")
    item = {"id": str(value.get("id") or value["title"]), "title": str(value["title"])}
    names = {"subtitle": "subtitle", "image": "imageUrl"}
    return item | {wire: str(value[name]) for name, wire in names.items() if value.get(name)}


def _sections(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    sections: Sequence[Any] = values.get("sections") or ()
    if not sections:
        _need(values, "items")
        sections = [{"title": values.get("title") or "Choose", **values}]
    return [
        {
            "title": str(section.get("title") or "Choose"),
            "multipleSelection": bool(section.get("multiple")),
            "items": [_item(item) for item in section["items"]],
        }
        for section in sections
    ]


def _around(values: Mapping[str, Any], title: str) -> dict[str, Any]:
    reply = str(values.get("reply") or "Thank you")
    return {
        "receivedMessage": {"title": title, "subtitle": "Tap to choose", "buttonLabel": "Open"},
        "replyMessage": {"title": reply, "subtitle": reply},
    }


def list_picker(values: Mapping[str, Any]) -> Built:
    """`text`, `title`, `items` (words, or {id, title, subtitle, image}) or `sections`, `multiple`."""
    title = str(values.get("title") or values.get("text") or "Please choose")
    picker = {"id": str(values.get("id") or "list"), "sections": _sections(values), **_around(values, title)}
    return str(values.get("text") or title), [{"contentType": "ListPicker", "listPicker": picker}]


def _slot(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        _need(value, "time")
        return {"dateTime": str(value["time"]), "duration": int(value.get("minutes", 30)) * 60}
    return {"dateTime": str(value), "duration": 1800}


def date_picker(values: Mapping[str, Any]) -> Built:
    """`title`, `subtitle`, `image`, `times`: ISO 8601 instants, or {time, minutes}."""
    _need(values, "times")
    title = str(values.get("title") or values.get("text") or "Please choose a time")
    picker: dict[str, Any] = {"title": title, "subtitle": str(values.get("subtitle") or title)}
    if values.get("image"):
        picker["imageUrl"] = str(values["image"])
    slots = [_slot(slot) for slot in values["times"]]
    moments = sorted(slot["dateTime"] for slot in slots)
    picker |= {"dateMinimum": moments[0], "dateMaximum": moments[-1], "availableTimes": slots}
    return str(values.get("text") or title), [{"contentType": "DatePicker", "datePicker": picker}]


def _input(question: Mapping[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "id": str(question["id"]),
        "title": str(question.get("title") or question["id"]),
        "placeholderText": str(question.get("placeholder") or ""),
        "isRequired": bool(question.get("required")),
        "isMultipleLine": bool(question.get("long")),
        "keyboardType": str(question.get("keyboard") or "Default"),
    }
    return {"formComponentType": "Input", "input": asked}


def _date(question: Mapping[str, Any]) -> dict[str, Any]:
    asked = {
        "id": str(question["id"]),
        "title": str(question.get("title") or question["id"]),
        "subtitle": str(question.get("subtitle") or ""),
        "availableTimes": [],
        "dateMinimum": str(question.get("from") or "1900-01-01T00:00:00.000Z"),
        "dateMaximum": str(question.get("to") or "2100-01-01T00:00:00.000Z"),
        "dateDisplayFormat": str(question.get("format") or "dayMonthYear"),
    }
    return {"formComponentType": "DatePicker", "datePicker": asked}


def _list(question: Mapping[str, Any]) -> dict[str, Any]:
    title = str(question.get("title") or question["id"])
    asked = {"id": str(question["id"]), "sections": _sections(question), **_around(question, title)}
    return {"formComponentType": "ListPicker", "listPicker": asked}


def _wheel(question: Mapping[str, Any]) -> dict[str, Any]:
    items = [{**_item(item), "value": _item(item)["id"]} for item in question["items"]]
    return {"formComponentType": "WheelPicker", "wheelPicker": {"id": str(question["id"]), "items": items}}


_QUESTIONS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "input": _input,
    "date": _date,
    "list": _list,
    "wheel": _wheel,
}


def form(values: Mapping[str, Any]) -> Built:
    """`title`, `id`, `pages` of {title, questions}; a question: `id`, `kind` (input, date, list, wheel)."""
    _need(values, "title", "pages")
    title = str(values["title"])
    pages = []
    for page in values["pages"]:
        _need(page, "questions")
        for question in page["questions"]:
            _need(question, "id")
            if question.get("kind", "input") not in _QUESTIONS:
                raise ValueError(f"a question's kind is one of {', '.join(_QUESTIONS)}")
        pages.append(
            {
                "title": str(page.get("title") or title),
                "subtitle": str(page.get("subtitle") or ""),
                "pageComponents": [_QUESTIONS[q.get("kind", "input")](q) for q in page["questions"]],
            }
        )
    shown = {
        "cannedResponseId": str(values.get("id") or "form"),
        "showSummary": bool(values.get("summary", True)),
        "introduction": {
            "title": title,
            "subtitle": str(values.get("subtitle") or title),
            "buttonText": str(values.get("button") or "Start"),
        },
        "formPages": pages,
        "receivedMessage": {"title": title},
        "replyMessage": {"title": str(values.get("reply") or "Thank you")},
    }
    return str(values.get("text") or title), [{"contentType": "Form", "form": shown}]


CONTENT: dict[str, Callable[[Mapping[str, Any]], Built]] = {
    "quick_replies": quick_replies,
    "quick_replies_v2": quick_replies_v2,
    "card": card,
    "carousel": carousel,
    "list_picker": list_picker,
    "date_picker": date_picker,
    "form": form,
}
"""Kind of content → its builder."""
