"""What a message holds beside its words, as groups of pieces: one reading for widget, static HTML and text.

Pictures and files are links, never loaded by themselves: an address in a message is somebody else's, and
opening it tells them. Nothing is escaped here; `bubbles.py` does it. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.protocol import content as c

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from guestlab.protocol.messages import Message

__all__ = ["Group", "Piece", "groups_of", "when_shown"]


class Piece(NamedTuple):
    """One thing in a group.

    Attributes:
        kind: "choice" can be chosen, "link" opens an address, "file" is an attachment, "answer" is the
            guest's, "question" is asked, "" is only said.
        text: Its words.
        detail: More about it.
        url: The address, whatever it may be.
    """

    kind: str
    text: str
    detail: str = ""
    url: str = ""


class Group(NamedTuple):
    """Pieces that belong together, such as a card."""

    kind: str
    title: str = ""
    detail: str = ""
    pieces: tuple[Piece, ...] = ()


def groups_of(message: Message) -> list[Group]:
    """Read everything a message holds, in its order; quick replies become one group."""
    found: list[Group] = []
    if message.quick_replies:
        titles = [
            v.title for v in message.content if isinstance(v, c.QuickReplyV2) and v.title != message.text
        ]
        pieces = [_choice(reply) for reply in message.quick_replies]
        found.append(Group("Quick replies", title=" ".join(titles), pieces=tuple(pieces)))
    outbound = message.direction != "Inbound"
    for value in message.content:
        if isinstance(value, c.QuickReply | c.QuickReplyV2):
            continue
        if isinstance(value, c.ButtonResponse) and outbound and value.type.lower() == "quickreply":
            continue
        read = next((_READERS[kind] for kind in type(value).__mro__ if kind in _READERS), None)
        found += read(value) if read is not None else [_unknown(value)]
    return found


def _choice(reply: c.QuickReply) -> Piece:
    picture = reply.image or ""
    return Piece("choice", reply.text or reply.summary_text, _payload(reply.text, reply.payload), picture)


def _payload(text: str, payload: str) -> str:
    return f"payload {payload}" if payload and payload != text else ""


def _links(**addresses: str) -> Iterator[Piece]:
    return (Piece("link", name.replace("_", " "), url=url) for name, url in addresses.items() if url)


def _action(action: c.CardAction) -> Piece:
    if action.is_link or (action.url and not action.payload):
        return Piece("link", action.text or action.url, url=action.url)
    return Piece("choice", action.text, _payload(action.text, action.payload))


def _card(card: c.Card) -> list[Group]:
    pieces = [*_links(picture=card.image, video=card.video)]
    if card.default_action is not None and card.default_action.url:
        pieces.append(Piece("link", card.default_action.text or "opens", url=card.default_action.url))
    pieces += [_action(action) for action in card.actions]
    return [Group("Card", card.title, card.description, tuple(dict.fromkeys(pieces)))]


def _rows(items: Iterable[c.ListPickerItem]) -> tuple[Piece, ...]:
    return tuple(Piece("choice", item.title, item.subtitle, item.image_url) for item in items)


def _list_picker(picker: c.ListPicker) -> list[Group]:
    return [
        Group(
            "List picker",
            section.title,
            "choose one or more" if section.multiple_selection else "choose one",
            _rows(section.items),
        )
        for section in picker.sections
    ]


def _date_picker(picker: c.DatePicker) -> list[Group]:
    pieces = [*_links(picture=picker.image_url)]
    for slot in picker.available_times:
        minutes = "" if slot.duration is None else f"{slot.duration / 60:g} minutes"
        pieces.append(Piece("choice", when_shown(slot), minutes))
    return [Group("Date picker", picker.title, picker.subtitle, tuple(pieces))]


def when_shown(slot: c.AvailableTime) -> str:
    """Show a slot's start as people read it, or as it came when it is no time."""
    return f"{slot.time:%a %d %b %Y, %H:%M} UTC" if slot.time is not None else slot.date_time


def _form(form: c.Form) -> list[Group]:
    if form.response:
        answers = [
            Piece("answer", answer.component.button_response.text, f"to {answer.id}")
            for answer in form.response
            if answer.component is not None and answer.component.button_response is not None
        ]
        return [Group("Form, filled in", pieces=tuple(answers))]
    found = []
    if form.introduction is not None:
        pieces = tuple(_links(picture=form.introduction.image_url))
        found.append(Group("Form", form.introduction.title, form.introduction.subtitle, pieces))
    for page in form.pages:
        pieces = tuple(_question(component) for component in page.components)
        found.append(Group("Form page", page.title, page.subtitle, pieces))
    return found


def _question(component: c.FormComponent) -> Piece:
    if component.input is not None:
        needed = "required" if component.input.is_required else ""
        return Piece("question", component.input.title or component.input.id, needed)
    if component.date_picker is not None:
        return Piece("question", component.date_picker.title or component.date_picker.id, "a date")
    if component.list_picker is not None:
        titles = [item.title for section in component.list_picker.sections for item in section.items]
        heads = [section.title for section in component.list_picker.sections]
        return Piece("question", " ".join(heads) or component.list_picker.id, ", ".join(titles))
    if component.wheel_picker is not None:
        titles = [item.title for item in component.wheel_picker.items]
        return Piece("question", component.wheel_picker.id, ", ".join(titles))
    return Piece("question", component.type or "unknown", "this client does not know such a question")


def _attachment(file: c.Attachment) -> list[Group]:
    size = "" if file.file_size is None else f"{file.file_size:,} bytes"
    facts = ", ".join(fact for fact in (file.mime or file.media_type, size) if fact)
    pieces = [Piece("file", file.filename or file.id or "a file", facts, file.url)]
    return [Group("Attachment", detail=file.text, pieces=tuple(pieces))]


def _answer(button: c.ButtonResponse) -> list[Group]:
    piece = Piece("answer", button.text, _payload(button.text, button.payload))
    return [Group(f"Answer to {button.type}" if button.type else "Answer", pieces=(piece,))]


def _template(template: c.GenericTemplate) -> list[Group]:
    pieces = [*_links(picture=template.image, video=template.video)]
    pieces += [Piece("", button.title or button.text) for button in template.components]
    return [Group("Generic template", template.title, template.description, tuple(pieces))]


def _unknown(value: c.Content) -> Group:
    return Group(
        value.content_type or "Content", detail="this client does not know such content; it is in the log"
    )


_READERS: dict[type[Any], Callable[[Any], list[Group]]] = {
    c.Card: _card,
    c.Carousel: lambda carousel: [group for card in carousel.cards for group in _card(card)],
    c.ListPicker: _list_picker,
    c.DatePicker: _date_picker,
    c.Form: _form,
    c.Attachment: _attachment,
    c.ButtonResponse: _answer,
    c.GenericTemplate: _template,
    c.TextContent: lambda text: [Group("Text", detail=text.body)],
}
