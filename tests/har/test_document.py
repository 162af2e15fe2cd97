"""The entries of a HAR are found, whole or torn, and nothing but an InputError comes of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guestlab.errors import InputError
from guestlab.har.document import read_document
from guestlab.har.entry import read_entry

ENTRIES: list[dict[str, Any]] = [
    {"startedDateTime": "2026-11-22T10:00:00Z", "request": {"method": "GET", "url": 'https://a.example/ü"[{'}},
    {
        "request": {"method": "GET", "url": "wss://b.example/v1"},
        "_webSocketMessages": [
            {"type": "send", "time": 1.0, "opcode": 1, "data": '{"action":"echo"}'},
            {"type": "receive", "time": 2.0, "opcode": 1, "data": '{"class":"string"}'},
        ],
    },
]  # fmt: skip
HAR = {"log": {"version": "1.2", "creator": {"name": "A tool", "version": "1"}, "entries": ENTRIES}}


def urls(data: bytes) -> list[str]:
    """The URLs of the entries that are found."""
    return [read_entry(raw).url for raw in read_document(data).entries]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_whole_file_is_read_in_every_encoding(encoding: str, indent: int | None) -> None:
    """With a byte order mark or without, pretty-printed or not."""
    data = json.dumps(HAR, ensure_ascii=False, indent=indent).encode(encoding)
    document = read_document(data)
    assert urls(data) == [entry["request"]["url"] for entry in ENTRIES]
    assert (document.creator, document.torn, document.skipped) == ("A tool", "", [])


def test_the_outer_object_may_be_missing() -> None:
    """Some tools save the log alone."""
    assert urls(json.dumps(HAR["log"]).encode()) == [entry["request"]["url"] for entry in ENTRIES]


@pytest.mark.parametrize("indent", [None, 1])
def test_a_file_torn_anywhere_gives_its_whole_entries(indent: int | None) -> None:
    """At every character: the first entries, the last perhaps with fewer frames, or an InputError."""
    text = json.dumps(HAR, indent=indent)
    found = set()
    for end in range(len(text)):
        try:
            document = read_document(text[:end].encode())
        except InputError as error:
            found.add(error.what)
            continue
        assert document.torn, end
        entries = [read_entry(raw) for raw in document.entries]
        frames = sum(len(entry.messages or ()) for entry in entries)
        found.add((len(entries), frames))
        assert entries[0].url == ENTRIES[0]["request"]["url"]
    assert found >= {"This is not a readable HAR: it ends in the middle.", (1, 0), (2, 1), (2, 2)}


def test_a_damaged_entry_is_left_out_and_told() -> None:
    """The entries around it are read."""
    text = json.dumps({"log": {"entries": [ENTRIES[0], {"request": "HERE"}, ENTRIES[1]]}})
    document = read_document(text.replace('"HERE"', "{not json}").encode())
    assert [read_entry(raw).url for raw in document.entries] == [e["request"]["url"] for e in ENTRIES]
    assert (document.skipped, document.torn) == ([("entry 2", "it is no valid JSON")], "")


def test_bytes_that_are_no_utf8_do_not_stop_the_reading() -> None:
    """The entry that holds them is read with a mark in their place."""
    data = json.dumps(HAR).encode().replace(b"b.example", b"b\xff.example")
    assert urls(data)[1] == "wss://b�.example/v1"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "no HAR"),
        (b"[1]", "no HAR"),
        (b"{}", "no HAR"),
        (b'{"log": 1}', "no HAR"),
        (b'{"log": {"entries": {}}}', "no HAR"),
        (b"[" * 100_000, "no HAR"),
        (b'{"log": {"entries": [' + b"[" * 100_000, "ends in the middle"),
        (b"<html>", "no HAR"),
        (b'{"log": {"version": "1.2", "cre', "ends in the middle"),
        (b'{"log": {"entries": [{"request": {', "ends in the middle"),
        (b'{"log": {"entries": [{"a": nonsense}]}}', "no HAR"),
        (b"\xff\xfe{\x00", "no HAR"),
        (b"\x00\x01\x02", "no HAR"),
    ],
)  # fmt: skip
def test_what_is_no_har_is_an_input_error(data: bytes, what: str) -> None:
    """With what, why and next."""
    with pytest.raises(InputError, match=what) as caught:
        read_document(data)
    assert caught.value.why.endswith(".")
    assert caught.value.next_step.endswith(".")
