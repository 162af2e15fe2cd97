"""Content of messages: every type a web guest meets, and what it does not know."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from guestlab.protocol import content as c
from guestlab.protocol.content import CONTENT_TYPES, read_content

NOTE = {"header": "h", "title": "t", "subtitle": "s", "buttonLabel": "b", "imageUrl": "i"}
PICKER_NOTE = c.PickerNote(header="h", title="t", subtitle="s", button_label="b", image_url="i")
LIST_PICKER = {
    "id": "lp1",
    "sections": [
        {
            "title": "Drinks",
            "multipleSelection": True,
            "items": [{"id": "tea", "title": "Tea", "subtitle": "hot", "imageUrl": "u"}],
        }
    ],
    "receivedMessage": NOTE,
    "replyMessage": {"title": "Done"},
}
READ_LIST_PICKER = c.ListPicker(
    id="lp1",
    sections=(
        c.ListPickerSection(
            title="Drinks",
            multiple_selection=True,
            items=(c.ListPickerItem(id="tea", title="Tea", subtitle="hot", image_url="u"),),
        ),
    ),
    received_message=PICKER_NOTE,
    reply_message=c.PickerNote(title="Done"),
)
DATE_PICKER = {
    "id": "dp",
    "title": "Appointment",
    "subtitle": "30 min",
    "imageUrl": "https://i",
    "dateMinimum": "2026-06-01T00:00:00.000Z",
    "dateMaximum": "2026-06-30T00:00:00.000Z",
    "dateDisplayFormat": "dayMonthYear",
    "availableTimes": [{"dateTime": "2026-06-26T17:30:00.000Z", "duration": "1800"}],
    "location": {"text": "here"},
}
READ_DATE_PICKER = c.DatePicker(
    id="dp",
    title="Appointment",
    subtitle="30 min",
    image_url="https://i",
    date_minimum="2026-06-01T00:00:00.000Z",
    date_maximum="2026-06-30T00:00:00.000Z",
    date_display_format="dayMonthYear",
    available_times=(c.AvailableTime(date_time="2026-06-26T17:30:00.000Z", duration=1800),),
    location={"text": "here"},
)
CARD = {
    "title": "50% off",
    "description": "Until November",
    "image": "https://1.jpg",
    "video": "https://1.mp4",
    "defaultAction": {"type": "Link", "url": "https://x"},
    "actions": [
        {"type": "lInK", "text": "View", "url": "https://y"},
        {"type": "Postback", "text": "Book", "payload": "p"},
    ],
}
READ_CARD = c.Card(
    title="50% off",
    description="Until November",
    image="https://1.jpg",
    video="https://1.mp4",
    default_action=c.CardAction(type="Link", url="https://x"),
    actions=(
        c.CardAction(type="lInK", text="View", url="https://y"),
        c.CardAction(type="Postback", text="Book", payload="p"),
    ),
)
FORM = {
    "cannedResponseId": "cr1",
    "showSummary": True,
    "introduction": {"title": "Hi", "subtitle": "s", "imageUrl": "i", "buttonText": "Start"},
    "formPages": [
        {
            "title": "P1",
            "subtitle": "s",
            "pageComponents": [
                {
                    "formComponentType": "Input",
                    "input": {
                        "id": "name",
                        "title": "Name",
                        "subtitle": "s",
                        "placeholderText": "p",
                        "isRequired": True,
                        "isMultipleLine": False,
                        "keyboardType": "Default",
                        "autoCompleteType": "Name",
                    },
                },
                {"formComponentType": "DatePicker", "datePicker": DATE_PICKER},
                {"formComponentType": "ListPicker", "listPicker": LIST_PICKER},
                {
                    "formComponentType": "WheelPicker",
                    "wheelPicker": {"id": "wp", "items": [{"id": "1", "title": "One", "value": "1"}]},
                },
            ],
        }
    ],
    "receivedMessage": NOTE,
    "replyMessage": {"title": "Thanks"},
    "originatingMessageId": "o",
    "response": [
        {
            "id": "name",
            "component": {
                "contentType": "ButtonResponse",
                "buttonResponse": {"type": "Form", "text": "Jane"},
            },
        }
    ],
}

# contentType, property, wire value, what it reads as
TYPES: list[tuple[str, str, dict[str, Any], c.Content]] = [
    (
        "Attachment",
        "attachment",
        {
            "id": "a",
            "url": "https://d",
            "filename": "a.pdf",
            "fileSize": 1234,
            "mediaType": "File",
            "mime": "x/y",
            "sha256": "0",
            "text": "t",
        },
        c.Attachment(
            id="a",
            url="https://d",
            filename="a.pdf",
            file_size=1234,
            media_type="File",
            mime="x/y",
            sha256="0",
            text="t",
        ),
    ),
    (
        "Attachment",
        "attachment",
        {"fileName": "b", "contentSizeBytes": 5.0},
        c.Attachment(filename="b", file_size=5),
    ),
    (
        "ButtonResponse",
        "buttonResponse",
        {"type": "QuickReply", "text": "Red", "payload": "RED", "originatingMessageId": "o", "id": "i"},
        c.ButtonResponse(type="QuickReply", text="Red", payload="RED", originating_message_id="o", id="i"),
    ),
    (
        "QuickReply",
        "quickReply",
        {"text": "Red", "payload": "RED", "action": "Message", "image": "u", "summaryText": "s", "id": "i"},
        c.QuickReply(text="Red", payload="RED", action="Message", image="u", summary_text="s", id="i"),
    ),
    (
        "QuickReplyV2",
        "quickReplyV2",
        {"title": "Pick", "actions": [{"text": "Red", "payload": "RED"}]},
        c.QuickReplyV2(title="Pick", actions=(c.QuickReply(text="Red", payload="RED"),)),
    ),
    ("Card", "card", CARD, READ_CARD),
    (
        "Carousel",
        "carousel",
        {"cards": [CARD, {"title": "B"}]},
        c.Carousel(cards=(READ_CARD, c.Card(title="B"))),
    ),
    ("DatePicker", "datePicker", DATE_PICKER, READ_DATE_PICKER),
    ("DatePicker", "datePicker", {"subTitle": "s"}, c.DatePicker(subtitle="s")),
    ("ListPicker", "listPicker", LIST_PICKER, READ_LIST_PICKER),
    ("Text", "text", {"type": "Text", "body": "Hello"}, c.TextContent(type="Text", body="Hello")),
    (
        "GenericTemplate",
        "generic",
        {
            "id": "g",
            "title": "T",
            "actions": {"url": "u"},
            "components": [{"title": "Buy", "actions": {"textback": "buy"}}],
        },
        c.GenericTemplate(
            id="g",
            title="T",
            actions={"url": "u"},
            components=(c.TemplateButton(title="Buy", actions={"textback": "buy"}),),
        ),
    ),
    (
        "Form",
        "form",
        FORM,
        c.Form(
            canned_response_id="cr1",
            show_summary=True,
            introduction=c.FormIntroduction(title="Hi", subtitle="s", image_url="i", button_text="Start"),
            pages=(
                c.FormPage(
                    title="P1",
                    subtitle="s",
                    components=(
                        c.FormComponent(
                            type="Input",
                            input=c.FormInput(
                                id="name",
                                title="Name",
                                subtitle="s",
                                placeholder_text="p",
                                is_required=True,
                                keyboard_type="Default",
                                auto_complete_type="Name",
                            ),
                        ),
                        c.FormComponent(type="DatePicker", date_picker=READ_DATE_PICKER),
                        c.FormComponent(type="ListPicker", list_picker=READ_LIST_PICKER),
                        c.FormComponent(
                            type="WheelPicker",
                            wheel_picker=c.WheelPicker(
                                id="wp", items=(c.WheelPickerItem(id="1", title="One", value="1"),)
                            ),
                        ),
                    ),
                ),
            ),
            received_message=PICKER_NOTE,
            reply_message=c.PickerNote(title="Thanks"),
            originating_message_id="o",
            response=(
                c.FormAnswer(
                    id="name",
                    component=c.FormAnswerComponent(
                        type="ButtonResponse", button_response=c.ButtonResponse(type="Form", text="Jane")
                    ),
                ),
            ),
        ),
    ),
]


@pytest.mark.parametrize(("name", "prop", "wire", "read"), TYPES, ids=lambda value: str(value)[:20])
def test_a_content_type_is_read_whole(name: str, prop: str, wire: dict[str, Any], read: c.Content) -> None:
    """Every field of the wire has its attribute, and none is left over."""
    value = read_content({"contentType": name, prop: wire})
    assert value == read
    assert value.content_type == name
    assert value.extra == {}
    assert hash(value) == hash(read)


def test_every_content_type_of_a_web_guest_is_covered() -> None:
    """By the table above."""
    assert {name for name, *_ in TYPES} == set(CONTENT_TYPES)


@pytest.mark.parametrize("name", CONTENT_TYPES)
def test_unknown_fields_survive(name: str) -> None:
    """In `extra`, as they came, inside parts of a value too."""
    prop, kind = CONTENT_TYPES[name]
    value = read_content({"contentType": name, prop: {"brandNew": {"deep": [1]}}})
    assert type(value) is kind
    assert value.extra == {"brandNew": {"deep": [1]}}
    (action,) = c.Card.read({"actions": [{"type": "Link", "brandNew": 1}]}).actions
    assert action.extra == {"brandNew": 1}


WRONG: list[tuple[type[c.Content], dict[str, Any], dict[str, Any]]] = [
    (c.Card, {"title": 7}, {"title": ""}),
    (c.Card, {"actions": {}}, {"actions": ()}),
    (c.Card, {"actions": [{"text": "ok"}, "not"]}, {"actions": ()}),
    (c.Card, {"defaultAction": "x"}, {"default_action": None}),
    (c.Attachment, {"fileSize": True}, {"file_size": None}),
    (c.Attachment, {"fileSize": "big"}, {"file_size": None}),
    (c.ListPickerSection, {"multipleSelection": 1}, {"multiple_selection": False}),
    (c.DatePicker, {"location": 7}, {"location": {}}),
]


@pytest.mark.parametrize(("kind", "wire", "read"), WRONG, ids=lambda value: str(value)[:40])
def test_a_value_of_the_wrong_type_reads_as_absent_and_survives(
    kind: type[c.Content], wire: dict[str, Any], read: dict[str, Any]
) -> None:
    """In `extra`, too."""
    value = kind.read(wire)
    assert {name: getattr(value, name) for name in read} == read
    assert value.extra == wire


def test_of_two_names_for_one_field_the_first_wins() -> None:
    """The other one survives."""
    value = c.Attachment.read({"filename": "a", "fileName": "b"})
    assert value.filename == "a"
    assert value.extra == {"fileName": "b"}


@pytest.mark.parametrize(
    "item",
    [
        {"contentType": "Story", "story": {"url": "u"}},
        {"contentType": "Card"},
        {"contentType": "Card", "card": "no object"},
        {"contentType": ["Card"], "card": {}},
        {"card": {"title": "T"}},
        {},
    ],
    ids=str,
)
def test_unknown_content_is_kept_whole(item: dict[str, Any]) -> None:
    """A content type of another channel, or one that is broken."""
    value = read_content(item)
    assert isinstance(value, c.UnrecognizedContent)
    assert value.extra == item
    assert value.content_type == (item.get("contentType") if isinstance(item.get("contentType"), str) else "")


@pytest.mark.parametrize("item", [None, 7, "text", []])
def test_content_that_is_no_object_is_kept_too(item: Any) -> None:
    """Under a name of our own."""
    assert read_content(item).extra == {"item": item}


def test_a_slot_knows_its_time() -> None:
    """In UTC, or None."""
    assert c.AvailableTime(date_time="2026-06-26T19:30:00+02:00").time == datetime(
        2026, 6, 26, 17, 30, tzinfo=UTC
    )
    assert c.AvailableTime(date_time="soon").time is None


def test_a_participant_has_one_name_to_show() -> None:
    """The nickname beats the rest."""
    assert c.Participant.read({"firstName": "Tony", "lastName": "Stark"}).name == "Tony Stark"
    assert c.Participant.read({"firstName": "Tony", "nickname": "Iron Man"}).name == "Iron Man"
    assert c.Participant.read(None).name == ""


@pytest.mark.parametrize("name", sorted(set(c.__all__) - {"CONTENT_TYPES", "read_content"}))
def test_values_are_frozen_and_slotted(name: str) -> None:
    """And keyword-only, and made without arguments."""
    value = getattr(c, name)()
    assert not hasattr(value, "__dict__")
    assert value.__dataclass_params__.frozen
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.extra = {}
