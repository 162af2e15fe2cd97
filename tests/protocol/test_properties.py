"""Whatever bytes come, receiving never raises and loses nothing: generated and mutated frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playbook import Playbook

from guestlab.errors import GuestlabError
from guestlab.protocol import commands as say
from guestlab.protocol.content import CONTENT_TYPES, read_content
from guestlab.protocol.decoding import READERS, decode, decode_entity
from guestlab.protocol.messages import Message
from guestlab.protocol.states import TRANSITIONS, State

if TYPE_CHECKING:
    from guestlab.protocol.guest import GuestProtocol

SAMPLES = [
    json.loads(line)["payload"]
    for line in (Path(__file__).parent.parent / "data/frames/server.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**18, max_value=10**60)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["\ud800", "true", "2026-10-01T12:00:00.123Z", "Inbound", "Outbound", "Event", "Disconnect"]
    )
)
words_of = str.split
WIRE_NAMES = sorted(
    {
        *[
            "type",
            "class",
            "code",
            "body",
            "tracingId",
            "id",
            "text",
            "direction",
            "channel",
            "time",
            "messageId",
            "metadata",
            "customAttributes",
        ],
        *[
            "content",
            "contentType",
            "events",
            "eventType",
            "presence",
            "typing",
            "duration",
            "readOnly",
            "connected",
            "newSession",
            "jwt",
            "exp",
        ],
        *[
            "allowedMedia",
            "inbound",
            "fileTypes",
            "maxFileSizeKB",
            "blockedExtensions",
            "expirationDate",
            "durationSeconds",
            "url",
        ],
        *[
            "headers",
            "attachmentId",
            "errorCode",
            "errorMessage",
            "retryAfter",
            "reason",
            "from",
            "to",
            "coBrowse",
            "video",
            "reasons",
        ],
        *(name for name, _ in CONTENT_TYPES.values()),
    }
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WIRE_NAMES) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
classes = st.sampled_from([*READERS, "Unknown", "NotKnown"])
frames = st.fixed_dictionaries(
    {"class": classes | values},
    optional={
        "type": st.sampled_from(["message", "response"]) | values,
        "code": values,
        "body": values,
        "tracingId": values,
    },
)
messages = st.fixed_dictionaries(
    {"type": st.sampled_from(["Text", "Structured", "Event", "Receipt"]) | values},
    optional={
        "events": st.lists(
            st.fixed_dictionaries(
                {"eventType": st.sampled_from(["Typing", "Presence", "CoBrowse", "Video"]) | values},
                optional=dict.fromkeys(("typing", "presence", "coBrowse", "video"), values),
            ),
            max_size=3,
        )
        | values,
        "content": st.lists(
            st.sampled_from(sorted(CONTENT_TYPES)).flatmap(
                lambda name: st.fixed_dictionaries(
                    {"contentType": st.just(name), CONTENT_TYPES[name][0]: values}
                )
            ),
            max_size=3,
        )
        | values,
        **dict.fromkeys(("id", "text", "direction", "channel", "metadata", "originatingEntity"), values),
    },
)
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read_everything(text: str | bytes) -> None:
    """Decode, and touch every attribute that is read on demand."""
    events = decode(text)
    assert events
    for event in events:
        public = [name for name in dir(event) if not name.startswith("_")]
        for name in public:
            getattr(event, name)
        assert repr(event).encode()
        hash(event)
        message = getattr(event, "message", None)
        if isinstance(message, Message):
            for name in dir(Message):
                if not name.startswith("_"):
                    getattr(message, name)
            assert repr(message.content).encode("utf-8", "backslashreplace")
            hash(message)


@quick
@given(st.text() | st.binary())
def test_any_text_and_any_bytes_can_be_received(text: str | bytes) -> None:
    """Mostly malformed, never an exception."""
    read_everything(text)


@quick
@given(frames)
def test_any_json_under_any_class_can_be_received(value: dict[str, Any]) -> None:
    """And reads back as it came."""
    text = json.dumps(value)
    read_everything(text)
    assert all(repr(event.raw) for event in decode(text))
    assert json.dumps(decode(text)[0].raw) == text


@quick
@given(messages)
def test_any_structured_message_can_be_received(body: dict[str, Any]) -> None:
    """Live and as a history entity, unknown fields included."""
    text = json.dumps({"type": "message", "class": "StructuredMessage", "code": 200, "body": body})
    read_everything(text)
    assert json.dumps(decode(text)[0].raw["body"]) == json.dumps(body)
    assert json.dumps(Message.from_body(body).raw) == json.dumps(body)
    assert decode_entity(body)


@quick
@given(st.data())
def test_a_mutated_sample_can_be_received(data: st.DataObject) -> None:
    """Bytes deleted, doubled, changed or cut off."""
    raw = bytearray(json.dumps(data.draw(st.sampled_from(SAMPLES))).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, max(len(raw) - 1, 0)))
        match data.draw(st.sampled_from(["cut", "flip", "double", "drop"])):
            case "cut":
                del raw[where:]
            case "flip":
                raw[where : where + 1] = bytes([data.draw(st.integers(0, 255))])
            case "double":
                raw[where:where] = raw[where : where + 8]
            case "drop":
                del raw[where : where + 1]
    read_everything(bytes(raw))


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """All objects of a JSON value, except upload headers, whose every name counts."""
    if isinstance(value, dict):
        yield value
        value = [item for key, item in value.items() if key != "headers"]
    if isinstance(value, list):
        for item in value:
            yield from objects_in(item)


@quick
@given(
    st.sampled_from(SAMPLES),
    st.dictionaries(st.text(min_size=1).map("new-{}".format), values, min_size=1, max_size=3),
    st.data(),
)
def test_unknown_fields_survive_anywhere(
    sample: dict[str, Any], new: dict[str, Any], data: st.DataObject
) -> None:
    """Added to any object of any sample, they do not change what is understood and are still there."""
    changed = json.loads(json.dumps(sample))
    data.draw(st.sampled_from(list(objects_in(changed)))).update(new)
    before, after = decode(json.dumps(sample)), decode(json.dumps(changed))
    assert json.dumps(after[0].raw) == json.dumps(changed)
    assert [type(event) for event in before] == [type(event) for event in after]


@quick
@given(st.sampled_from(sorted(CONTENT_TYPES)), values)
def test_any_content_can_be_read_and_loses_no_field(name: str, value: Any) -> None:
    """Each field of the wire is in an attribute or in `extra`."""
    prop, kind = CONTENT_TYPES[name]
    read = read_content({"contentType": name, prop: value})
    if isinstance(value, dict):
        assert type(read) is kind
        assert set(read.extra) <= set(value)
    else:
        assert read.extra == {"contentType": name, prop: value} or value != value  # NaN


steps = st.one_of(
    frames.map(json.dumps),
    messages.map(lambda body: json.dumps({"class": "StructuredMessage", "body": body, "tracingId": "t2"})),
    st.sampled_from(SAMPLES).map(json.dumps),
    st.binary(max_size=20),
    st.sampled_from(
        [
            say.ConfigureSession(),
            say.ConfigureAuthenticatedSession(jwt="j"),
            say.SendText(text="hi"),
            say.SendText(text=""),
            say.SendTyping(),
            say.SendClear(),
            say.Echo(),
            say.RequestJwt(),
            say.RequestDownload(attachment_id="a"),
            say.CloseSession(),
            say.DisconnectCustomer(),
        ]
    ),
    st.sampled_from(["made", "lost", "refused", "close"]),
)


def take(protocol: GuestProtocol, step: Any) -> None:
    """One step of a random life; only our own doing may be refused, and by our own errors."""
    before = protocol.state
    if isinstance(step, say.Command) or step in ("made", "close"):
        try:
            if isinstance(step, say.Command):
                protocol.send(step)
            else:
                (protocol.connection_made if step == "made" else protocol.close)()
        except GuestlabError:
            assert protocol.state is before
    elif step == "lost":
        protocol.connection_lost(1006)
    elif step == "refused":
        protocol.connection_refused(403)
    else:
        received = protocol.receive(step)
        assert received.before is before
        assert received.after is protocol.state
        assert not set(received.settled) & set(protocol.pending)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["", "++ made", "++ made\n>> ConfigureSession()"]), st.lists(steps, max_size=15))
def test_no_life_of_a_session_raises_or_leaves_the_table(start: str, life: list[Any]) -> None:
    """Every move is a cell of the table or several, and what is over stays over."""
    protocol = Playbook().play(start).protocol
    for step in life:
        was_over = protocol.state is State.CLOSED
        take(protocol, step)
        assert not was_over or protocol.state is State.CLOSED
        assert protocol.state in TRANSITIONS
        assert not (protocol.state in (State.CLOSING, State.CLOSED) and protocol.may_reconnect)
