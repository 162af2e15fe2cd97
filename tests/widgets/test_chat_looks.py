"""What lines look like: nothing from the wire becomes markup, a foreign link or an endless word."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from guestlab.protocol.decoding import decode
from guestlab.protocol.events import MessageReceived
from guestlab.widgets.bubbles import bubble, bubbles_table, bubbles_text, label
from guestlab.widgets.chat_lines import Line
from guestlab.widgets.contents import groups_of
from guestlab.widgets.inspector import pretty
from guestlab.widgets.wire_text import plain, shown
from tests.widgets import chat_frames as frames

ALLOWED = {
    "a", "b", "bdi", "blockquote", "br", "code", "div", "i", "li", "span", "table", "tbody", "td", "th",
    "thead", "time", "tr", "ul", "wbr",
}  # fmt: skip


class Judge(HTMLParser):
    """Reads HTML as a browser would, and objects."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Only our own elements, no handlers, no styles, links only to http and https."""
        assert tag in ALLOWED, tag
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name not in {"src", "srcdoc", "style"}
            if name == "href":
                assert re.match("https?://", value or "")
                assert dict(attrs)["rel"] == "noopener noreferrer"


def judged(html: str) -> str:
    """Let it be judged; return it."""
    judge = Judge()
    judge.feed(html)
    judge.close()
    return html


def line_of(text: str, number: int = 1) -> Line:
    """The line of a message's frame."""
    (event,) = decode(text)
    assert isinstance(event, MessageReceived)
    message = event.message
    return Line(
        number=number, who="bot", at_ns=0, text=message.text, name=message.from_.name, message=message
    )


@pytest.mark.parametrize("hostile", frames.HOSTILE.values(), ids=frames.HOSTILE)
def test_nothing_of_a_message_becomes_markup(hostile: str) -> None:
    """In the widget's HTML, in the static one, and in the text no control character."""
    line = line_of(frames.said(hostile, name=hostile, content=frames.everything(hostile)))
    live, static = judged(bubble(line)), judged(bubbles_table([line]))
    text = bubbles_text([line])
    assert len(live) < 200_000
    assert len(static) < 200_000
    for seen in (live, static, text):
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", seen)
    assert len(label(line)) < 120


@pytest.mark.parametrize("fate", ["sending", "waiting", "acknowledged", "refused", "in doubt"])
def test_what_became_of_words_is_a_word_and_an_icon(fate: str) -> None:
    """Not only a colour."""
    line = Line(number=1, who="guest", at_ns=0, text="Hi", fate=fate)
    words = "waiting for a budget" if fate == "waiting" else fate
    assert re.search(rf">[^\w\s] {words}", judged(bubble(line)))


def test_marks_are_words() -> None:
    """Late, and come more than once."""
    line = Line(number=1, who="bot", at_ns=0, text="Hi", late=True, copies=3)
    for seen in (bubble(line), bubbles_table([line]), bubbles_text([line])):
        assert "late" in seen
        assert "came 3 times" in seen


def test_every_content_type_is_shown_in_every_form() -> None:
    """Its words stand in the widget, the table and the text."""
    line = line_of(frames.said("prompt", content=frames.everything("word")))
    kinds = {group.kind for group in groups_of(line.message)} if line.message else set()
    assert kinds >= {
        "Quick replies", "Card", "List picker", "Date picker", "Form", "Form page", "Attachment",
        "Generic template", "Text", "word",
    }  # fmt: skip
    for kind in kinds - {"Quick replies"}:
        assert kind in bubble(line)
        assert kind in bubbles_table([line])


def test_http_is_linked_and_nothing_else() -> None:
    """Pictures and files are links, never loaded."""
    good = "https://a.example/a.png?x=1&y=2"
    file = {"id": "1", "filename": "a.png", "url": good}
    card = {"title": "t", "image": "ftp://a.example/", "actions": []}
    content = [frames.item("Attachment", "attachment", file), frames.item("Card", "card", card)]
    seen = judged(bubble(line_of(frames.said("", content=content))))
    assert 'href="https://a.example/a.png?x=1&amp;y=2"' in seen
    assert "no link, it is not http" in seen
    assert "<img" not in seen


def test_a_masked_address_is_no_link() -> None:
    """It would lead nowhere."""
    file = {"id": "1", "filename": "a.png", "url": "https://a.example/[masked:01234567]"}
    seen = bubble(line_of(frames.said("", content=[frames.item("Attachment", "attachment", file)])))
    assert "href" not in seen
    assert "masked" in seen


def test_offers_without_end_are_cut() -> None:
    """With a word about the rest."""
    reply = frames.item("QuickReply", "quickReply", {"text": "x", "payload": "x"})
    cards = [frames.item("Card", "card", {"title": f"card {n}", "actions": []}) for n in range(5_000)]
    seen = bubble(line_of(frames.said("", content=[reply] * 5_000 + cards)))
    assert len(seen) < 50_000
    assert "more of these stand in the log" in seen


def test_hidden_characters_are_shown_and_scripts_marks_kept() -> None:
    """Overrides are seen; what Arabic and emoji need stays."""
    assert plain("a\u202eb\u0000") == "a[U+202E]b[U+0000]"
    assert plain("\u200f\u0633\u0644\u0645 👩\u200d🔬") == "\u200f\u0633\u0644\u0645 👩\u200d🔬"
    assert plain("e\u0301 Z" + "\u0310" * 99) == "e\u0301 Z" + "\u0310" * 4
    assert shown("<b>") == '<bdi dir="auto">&lt;b&gt;</bdi>'


def test_frames_are_laid_out_or_left_alone() -> None:
    """JSON in lines; what is none as it came."""
    assert pretty('{"a":{"b":1}}') == '{\n  "a": {\n    "b": 1\n  }\n}'
    assert pretty("{torn") == "{torn"
    assert pretty("[" * 100_000).startswith("[[")
    assert len(pretty(json.dumps(["x" * 100_000]))) < 21_000


def test_a_long_word_may_break_and_shows_no_sign_of_it() -> None:
    """An id of 36 signs, a word of a hundred: places to break, nothing else."""
    for word in ("4c44344e-56ba-4b5c-8228-5473978ffe37", "x" * 100):
        html = shown(word)
        assert "<wbr>" in html
        assert "U+" not in html
        assert re.sub("<[^>]*>", "", html) == word
