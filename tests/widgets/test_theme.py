"""The look: states by icon and word, numbers with their lane, links that lead nowhere dangerous, text that stays text."""

from __future__ import annotations

import re

import pytest

from guestlab.style import LOOKS
from guestlab.widgets import theme


@pytest.mark.parametrize("state", LOOKS)
def test_a_state_is_an_icon_and_a_word_and_has_a_colour(state: str) -> None:
    """Never a colour alone; and each has its class in the style sheet."""
    shown = theme.pill(state)
    assert LOOKS[state].icon in shown
    assert LOOKS[state].word in shown
    assert re.search(rf"\.gl-{state}\b", theme.STYLE)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//h.example",
        "http://[",
        "",
    ],
)
def test_only_http_and_https_are_linked(url: str) -> None:
    """Anything else is shown as text."""
    assert "<a" not in theme.link(url, "x")


def test_a_link_opens_elsewhere_and_tells_nobody() -> None:
    """With rel, and its address escaped."""
    shown = theme.link('https://h.example/"onmouseover="alert(1)', "<b>")
    assert 'rel="noopener noreferrer"' in shown
    assert 'target="_blank"' in shown
    assert '"onmouseover' not in shown
    assert "<b>" not in shown


def test_every_text_is_escaped() -> None:
    """In every function that takes text."""
    hostile = '"><script>alert(1)</script>'
    shown = [
        theme.pill(hostile, hostile),
        theme.heading(hostile),
        theme.level(hostile),
        theme.number(hostile, hostile),
        theme.note(hostile, hostile),
        theme.code(hostile, label=hostile),
        theme.details(hostile, ""),
        theme.table((hostile,), ((hostile,),)),
        theme.facts(x=hostile),
        theme.advice(what=hostile, why=hostile, next_step=hostile),
    ]
    for html in shown:
        assert "<script>" not in html


def test_the_style_sheet_reaches_nothing_but_the_views() -> None:
    """Every rule begins with a class of ours, and nothing is fetched."""
    css = re.sub(
        r"/\*.*?\*/", "", theme.STYLE.removeprefix("<style>").removesuffix("</style>"), flags=re.DOTALL
    )
    selectors = [one.strip() for rule in re.findall(r"([^{}]+)\{", css) for one in rule.split(",")]
    assert len(selectors) > 50
    assert not [
        one for one in selectors if not one.startswith((".gl-", "@media", "@supports")) and "%" not in one
    ]
    assert "url(" not in css
    assert "@import" not in css
    assert css.count("{") == css.count("}")
