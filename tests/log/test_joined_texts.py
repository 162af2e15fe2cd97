"""Searching many texts as one finds whatever reading each of them would, and redacts no differently."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from guestlab.log import Redactor, joined_texts, redaction
from guestlab.log import secret_keys as names
from guestlab.log.joined_texts import Words, first_groups, joined

TOKEN = "8b6c1d1e-0000-4000-8000-000000000001"
SECRET = "Zq9x-žluťoučký"
FRAGMENTS = st.sampled_from(
    [
        '{"token":"', '"', "\\", "{", "}", ":", ",", "=", "&", "?", "://", "@", "Bearer abcdefgh1", "\r\n", " ",
        "Authorization: ", "Cookie: a=", "eyJhbGciOi.abcdef.ghi", "\\u0041", "\\u006b", "\\u00fc", "\\\\u0041", "%41",
        '"data":{"code":"', '"code":200', 'code" : "', 'code\\":\\"', "code=", "client_secret=", "authcode: ",
        "saml_response: ", "auth-code", "GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n", "X-Api-Key: ", "Age: 1\r\n",
        "Proxy-Authorization: abcdefg ", "set-cookie = 'a", "authorİzation: q", "cooK\u0131e: hijklmnop", "proxy-", "'", "\\'",
        "token", "my.token=a1b2c3d", "&sig=", "code[]=x", "%74oken=abcdef", "pwds: ", "api-key=", "Passphrase = ", "-",
        "Sec-WebSocket-Protocol: abcdefghijklmnopqrstuvw1\r\n", "Samlresponse: x\r\n", "Set-Cookie: a=bcdefgh\r\n",
        "\r\n\r\n", "\n", "[masked:0123abcd]", '"token":"[masked:0123abcd]"', '"pwd":"[masked:0123abcd]"', TOKEN,
        TOKEN.upper(), "password: ", "İ", "\u212a", "to\u212aen", "\u017fecret", SECRET, SECRET[3:], json.dumps(SECRET),
        json.dumps(SECRET).upper(), "to_ken: hunter22", "ToKeN", "cookie", "jwt", "pass", "plain words", "class", "ü", "😀",
    ]
)  # fmt: skip
HOSTILE = st.lists(FRAGMENTS | st.text(max_size=4), max_size=12).map("".join)
PATIENT = settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Careful(Redactor):
    """Takes no short way."""

    def _has_only_escapes(self, lower: str) -> bool:
        return False

    def redact_all(self, texts: Any, block: Any = None) -> list[str]:
        """Search by text, and read every head as a whole."""
        return self._redact_few(texts)

    def _head(self, head: str) -> str:
        return self._lines(head)

    def _credential_lines(self, text: str) -> str:
        return redaction._CREDENTIAL_LINE.sub(self._credential_line, text)

    def _names_in(self, text: str) -> Any:
        return redaction._NAME.finditer(text)

    def _may_have_pairs(self, text: str) -> bool:
        return True


@pytest.fixture(autouse=True)
def _join_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise only long texts are."""
    monkeypatch.setattr(joined_texts, "_ENOUGH", 0)
    monkeypatch.setattr(redaction, "_LONG", 0)


@PATIENT
@given(st.lists(st.lists(HOSTILE, min_size=1, max_size=9), min_size=1, max_size=3), st.booleans())
@example(batches=[['authorİzation: q"Zq9x-\\u017elu"']], known=False)
def test_the_short_way_gives_what_the_long_way_gives(batches: list[list[str]], known: bool) -> None:
    """Text by text, batch by batch, with the same secrets learnt on the way."""
    short, long = Redactor(b"key"), Careful(b"key")
    for redactor in (short, long):
        if known:
            redactor.learn(TOKEN)
            redactor.learn(SECRET)
    for texts in batches:
        assert short.redact_all(texts) == long.redact_all(texts)
        assert short.version == long.version


@PATIENT
@given(st.lists(HOSTILE, min_size=1, max_size=9))
def test_no_hint_is_overlooked(texts: list[str]) -> None:
    """A text that is left out has no hint when it is read alone."""
    block = joined(texts)
    if block is None:
        return  # a text with a seam in it
    redactor = Redactor(b"key")
    found = set(block.with_names())
    assert {place for place, text in enumerate(texts) if redactor._hints(text.lower())} <= found


@pytest.mark.parametrize("stem", [*names.STEMS, 'code":"', 'code" : "', 'code"\u00a0:\u2003"'])
@pytest.mark.parametrize("shift", range(4))
def test_every_piece_of_a_name_is_found_wherever_it_begins(stem: str, shift: int) -> None:
    """At even and odd places, first and last, in capitals too."""
    for spelt in {stem, stem.upper(), stem.title(), stem.replace("k", "\u212a")}:
        for texts in (
            ["." * shift + spelt, "-"],
            ["-", "é" + "." * shift + spelt + "."],
            ["-" * shift, spelt, "-"],
        ):
            block = joined(texts)
            assert block is not None
            assert block.with_names() == [place for place, text in enumerate(texts) if spelt in text]


def test_no_other_character_becomes_a_letter_of_a_name_when_made_small() -> None:
    """The search folds ASCII alone; `str.lower` knows more."""
    others = [
        char
        for char in map(chr, range(128, sys.maxunicode + 1))
        if any(small.isascii() for small in char.lower())
    ]
    assert others == ["İ", "\u212a"]  # the first becomes i and a dot above, which no name has inside


def test_known_values_are_found_wherever_they_begin() -> None:
    """UUIDs in any case, other words as they are."""
    for shift in range(9):
        texts = ["." * shift + TOKEN.upper(), TOKEN[1:], "." * shift + "Zq9x-abc", "zq9x-abc", ""]
        block = joined(texts)
        assert block is not None
        assert block.with_uuids(first_groups([TOKEN])) == [0]
        assert block.with_words(Words(["Zq9x-a", "ž" * 6])) == [2]
        assert block.with_pair(b"9x") == [2, 3]


def test_plain_frames_are_left_alone() -> None:
    """What is found too much costs time: ordinary frames have nothing that looks like a name."""
    frame = '{"type":"message","class":"StructuredMessage","code":200,"body":{"text":"Where is my parcel?"}}'
    block = joined([frame, "{}"] * 50)
    assert block is not None
    assert block.with_names() == []
