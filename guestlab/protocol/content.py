"""What a message can hold beside its text: quick replies, cards, pickers, forms, attachments.

Lives here: one value class per content type a web guest meets, and the table that reads them. Each class
lists its wire names beside its own. Fields it does not know, or whose type is wrong, survive in `extra`;
a content type it does not know becomes `UnrecognizedContent`, whole. Reading never raises.
"""

# ruff: noqa: RUF009 - `_one` and its like are `dataclasses.field`, which the rule does not see
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from guestlab.protocol.reading import Raw, instant, mapping, switch, whole, word

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "CONTENT_TYPES",
    "Attachment",
    "AvailableTime",
    "ButtonResponse",
    "Card",
    "CardAction",
    "Carousel",
    "Content",
    "DatePicker",
    "Form",
    "FormAnswer",
    "FormAnswerComponent",
    "FormComponent",
    "FormInput",
    "FormIntroduction",
    "FormPage",
    "GenericTemplate",
    "ListPicker",
    "ListPickerItem",
    "ListPickerSection",
    "Participant",
    "PickerNote",
    "QuickReply",
    "QuickReplyV2",
    "TemplateButton",
    "TextContent",
    "UnrecognizedContent",
    "WheelPicker",
    "WheelPickerItem",
    "read_content",
]

_WRONG: Any = object()  # "this value has the wrong type": it goes to `extra`


# -- how a field says what it is on the wire ----------------------------------------------------------


def _wire(read: Callable[[Any], Any], default: Any, names: tuple[str, ...], *, show: bool = True) -> Any:
    return field(default=default, repr=show, metadata={"names": names, "read": read})


def _text(*names: str, show: bool = True) -> Any:
    return _wire(lambda value: word(value) if type(value) is str else _WRONG, "", names, show=show)


def _count(*names: str) -> Any:
    def read(value: Any) -> Any:
        found = None if type(value) is bool else whole(value)
        return _WRONG if found is None else found

    return _wire(read, None, names)


def _flag(*names: str) -> Any:
    def read(value: Any) -> Any:
        found = switch(value)
        return _WRONG if found is None else found

    return _wire(read, False, names)


def _one(kind: type[Content], *names: str) -> Any:
    return _wire(lambda value: kind.read(value) if type(value) is dict else _WRONG, None, names)


def _many(kind: type[Content], *names: str) -> Any:
    def read(value: Any) -> Any:
        if type(value) is not list or not all(type(item) is dict for item in value):
            return _WRONG
        return tuple(kind.read(item) for item in value)

    return _wire(read, (), names)


def _object(*names: str) -> Any:
    read = {"names": names, "read": lambda value: Raw.of(value) if type(value) is dict else _WRONG}
    return field(default_factory=Raw, repr=False, hash=False, metadata=read)


_PLANS: dict[type[Content], dict[str, tuple[str, Callable[[Any], Any]]]] = {}


def _plan(kind: type[Content]) -> dict[str, tuple[str, Callable[[Any], Any]]]:
    """Wire name -> (attribute, reader), made once per class."""
    if kind not in _PLANS:
        _PLANS[kind] = {
            wire: (entry.name, entry.metadata["read"])
            for entry in fields(kind)
            for wire in entry.metadata.get("names", ())
        }
    return _PLANS[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What all content values share.

    Attributes:
        extra: The fields of the wire object that this class does not know, as they came.
    """

    extra: Mapping[str, Any] = field(default_factory=Raw, repr=False, hash=False)

    @property
    def content_type(self) -> str:
        """The content type by its wire name; "" for the parts of one."""
        return _TYPE_NAMES.get(type(self), "")

    @classmethod
    def read(cls, value: Any) -> Self:
        """Read a wire object; never raises."""
        plan, known, extra = _plan(cls), {}, {}
        for wire, item in mapping(value).items():
            name, reader = plan.get(wire, ("", None))
            read = reader(item) if reader is not None else _WRONG
            if read is _WRONG or name in known:
                extra[wire] = item
            else:
                known[name] = read
        return cls(**known, extra=Raw.of(extra))


# -- the values ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant(Content):
    """Who wrote a message, as far as the guest is told: an agent's alias and picture."""

    first_name: str = _text("firstName")
    last_name: str = _text("lastName")
    nickname: str = _text("nickname")
    image: str = _text("image")

    @property
    def name(self) -> str:
        """The name to show: the nickname, else first and last name, else ""."""
        return self.nickname or f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment(Content):
    """A file in a message; its URL lives for about ten minutes (documented), then ask for a new one."""

    id: str = _text("id")
    filename: str = _text("filename", "fileName")
    file_size: int | None = _count("fileSize", "contentSizeBytes")
    media_type: str = _text("mediaType")
    mime: str = _text("mime")
    url: str = _text("url", show=False)
    sha256: str = _text("sha256")
    text: str = _text("text")


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonResponse(Content):
    """The answer to an offer. `type` is Button, DatePicker, Form, ListPicker or QuickReply."""

    type: str = _text("type")
    text: str = _text("text")
    payload: str = _text("payload")
    originating_message_id: str = _text("originatingMessageId")
    id: str = _text("id")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickReply(Content):
    """One answer the guest may click; options are gone after an answer or a newer message."""

    text: str = _text("text")
    payload: str = _text("payload")
    action: str = _text("action")
    image: str = _text("image")
    summary_text: str = _text("summaryText")
    id: str = _text("id")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickReplyV2(Content):
    """Quick replies under a title of their own (in the official model since 2025)."""

    title: str = _text("title")
    actions: tuple[QuickReply, ...] = _many(QuickReply, "actions")


@dataclass(frozen=True, slots=True, kw_only=True)
class CardAction(Content):
    """A button of a card: `Link` opens a URL and sends nothing, `Postback` sends its payload."""

    type: str = _text("type")
    text: str = _text("text")
    payload: str = _text("payload")
    url: str = _text("url")

    @property
    def is_link(self) -> bool:
        """Whether the button only opens a URL."""
        return self.type.lower() == "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(Content):
    """A card with a picture and buttons."""

    title: str = _text("title")
    description: str = _text("description")
    image: str = _text("image")
    video: str = _text("video")
    default_action: CardAction | None = _one(CardAction, "defaultAction")
    actions: tuple[CardAction, ...] = _many(CardAction, "actions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carousel(Content):
    """Cards side by side."""

    cards: tuple[Card, ...] = _many(Card, "cards")


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailableTime(Content):
    """One slot of a date picker; `duration` is in seconds."""

    date_time: str = _text("dateTime")
    duration: int | None = _count("duration")

    @property
    def time(self) -> datetime | None:
        """The slot's start in UTC, or None when it is no time."""
        return instant(self.date_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatePicker(Content):
    """A choice of time slots, or of a date when it stands in a form."""

    id: str = _text("id")
    title: str = _text("title")
    subtitle: str = _text("subtitle", "subTitle")
    image_url: str = _text("imageUrl")
    date_minimum: str = _text("dateMinimum")
    date_maximum: str = _text("dateMaximum")
    date_display_format: str = _text("dateDisplayFormat")
    available_times: tuple[AvailableTime, ...] = _many(AvailableTime, "availableTimes")
    location: Mapping[str, Any] = _object("location")


@dataclass(frozen=True, slots=True, kw_only=True)
class PickerNote(Content):
    """The bubble shown before (`received_message`) or after (`reply_message`) a picker is answered."""

    header: str = _text("header")
    title: str = _text("title")
    subtitle: str = _text("subtitle")
    button_label: str = _text("buttonLabel")
    image_url: str = _text("imageUrl")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPickerItem(Content):
    """One row of a list picker."""

    id: str = _text("id")
    title: str = _text("title")
    subtitle: str = _text("subtitle")
    image_url: str = _text("imageUrl")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPickerSection(Content):
    """Rows under one heading, with one choice or several."""

    title: str = _text("title")
    multiple_selection: bool = _flag("multipleSelection")
    items: tuple[ListPickerItem, ...] = _many(ListPickerItem, "items")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPicker(Content):
    """A list to choose from."""

    id: str = _text("id")
    sections: tuple[ListPickerSection, ...] = _many(ListPickerSection, "sections")
    received_message: PickerNote | None = _one(PickerNote, "receivedMessage")
    reply_message: PickerNote | None = _one(PickerNote, "replyMessage")


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelPickerItem(Content):
    """One position of a wheel."""

    id: str = _text("id")
    title: str = _text("title")
    value: str = _text("value")


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelPicker(Content):
    """A wheel to turn, in a form."""

    id: str = _text("id")
    items: tuple[WheelPickerItem, ...] = _many(WheelPickerItem, "items")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormInput(Content):
    """A line or box to type into, in a form."""

    id: str = _text("id")
    title: str = _text("title")
    subtitle: str = _text("subtitle")
    placeholder_text: str = _text("placeholderText")
    is_required: bool = _flag("isRequired")
    is_multiple_line: bool = _flag("isMultipleLine")
    keyboard_type: str = _text("keyboardType")
    auto_complete_type: str = _text("autoCompleteType")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormComponent(Content):
    """One question of a form: exactly one of the four is set, `type` says which."""

    type: str = _text("formComponentType")
    input: FormInput | None = _one(FormInput, "input")
    date_picker: DatePicker | None = _one(DatePicker, "datePicker")
    list_picker: ListPicker | None = _one(ListPicker, "listPicker")
    wheel_picker: WheelPicker | None = _one(WheelPicker, "wheelPicker")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage(Content):
    """One page of a form."""

    title: str = _text("title")
    subtitle: str = _text("subtitle")
    components: tuple[FormComponent, ...] = _many(FormComponent, "pageComponents")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormIntroduction(Content):
    """The page before the first."""

    title: str = _text("title")
    subtitle: str = _text("subtitle")
    image_url: str = _text("imageUrl")
    button_text: str = _text("buttonText")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormAnswerComponent(Content):
    """What one answer in a returned form holds: always a button response."""

    type: str = _text("contentType")
    button_response: ButtonResponse | None = _one(ButtonResponse, "buttonResponse")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormAnswer(Content):
    """One answer in a returned form: the component's id and what the guest chose."""

    id: str = _text("id")
    component: FormAnswerComponent | None = _one(FormAnswerComponent, "component")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Content):
    """A form to fill in, or the filled-in form coming back in the guest's own echo (`response`)."""

    canned_response_id: str = _text("cannedResponseId")
    show_summary: bool = _flag("showSummary")
    introduction: FormIntroduction | None = _one(FormIntroduction, "introduction")
    pages: tuple[FormPage, ...] = _many(FormPage, "formPages")
    received_message: PickerNote | None = _one(PickerNote, "receivedMessage")
    reply_message: PickerNote | None = _one(PickerNote, "replyMessage")
    response: tuple[FormAnswer, ...] = _many(FormAnswer, "response")
    originating_message_id: str = _text("originatingMessageId")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextContent(Content):
    """Text as a content item (rare; the message's own text is the usual place)."""

    type: str = _text("type")
    body: str = _text("body")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateButton(Content):
    """A button of a generic template."""

    id: str = _text("id")
    title: str = _text("title")
    text: str = _text("text")
    actions: Mapping[str, Any] = _object("actions")


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericTemplate(Content):
    """The deprecated predecessor of the card."""

    id: str = _text("id")
    title: str = _text("title")
    description: str = _text("description")
    image: str = _text("image")
    video: str = _text("video")
    actions: Mapping[str, Any] = _object("actions")
    components: tuple[TemplateButton, ...] = _many(TemplateButton, "components")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnrecognizedContent(Content):
    """A content item nobody here knows; `extra` is the whole item as it came."""

    name: str = ""

    @property
    def content_type(self) -> str:
        """The content type by its wire name, "" when it has none."""
        return self.name


# contentType -> (property that holds the value, class). Official model: 24 types, of which the web
# guest's own subset is these eleven; the rest belongs to other channels.
CONTENT_TYPES: dict[str, tuple[str, type[Content]]] = {
    "Attachment": ("attachment", Attachment),
    "ButtonResponse": ("buttonResponse", ButtonResponse),
    "Card": ("card", Card),
    "Carousel": ("carousel", Carousel),
    "DatePicker": ("datePicker", DatePicker),
    "Form": ("form", Form),
    "GenericTemplate": ("generic", GenericTemplate),  # the property is not the type in lower case
    "ListPicker": ("listPicker", ListPicker),
    "QuickReply": ("quickReply", QuickReply),
    "QuickReplyV2": ("quickReplyV2", QuickReplyV2),
    "Text": ("text", TextContent),
}
_TYPE_NAMES: dict[type[Content], str] = {kind: name for name, (_, kind) in CONTENT_TYPES.items()}


def read_content(item: Any) -> Content:
    """Read one item of a message's `content`; never raises."""
    held = mapping(item)
    content_type = word(held.get("contentType"))
    name, kind = CONTENT_TYPES.get(content_type, ("", None))
    value = held.get(name)
    if kind is None or type(value) is not dict:
        whole_item = held if held or item == {} else {"item": item}
        return UnrecognizedContent(name=content_type, extra=Raw.of(whole_item))
    return kind.read(value)
