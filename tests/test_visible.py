"""What hides in a text is shown, in the plain forms that a kernel sends as well."""

from __future__ import annotations

from typing import Any

import pytest

import guestlab as gl
from guestlab.display import View
from guestlab.platform_api import Conversation
from guestlab.visible import escape, visible

HALF = "\ud83d"  # of a surrogate pair: JSON may hold one, UTF-8 none


@pytest.mark.parametrize("hidden", [HALF, "\u202e", "\u2066", "\x1b", "\x00", "\u2028", "\r"])
def test_what_hides_is_shown_as_its_code_point(hidden: str) -> None:
    """In text and in HTML; ends of lines, tabs and letters of any script stay."""
    assert visible(f"a{hidden}b") == f"a[U+{ord(hidden):04X}]b" == escape(f"a{hidden}b")
    assert visible("a\r\n\tž\u200f🙂") == "a\r\n\tž\u200f🙂"


def shown() -> dict[str, Any]:
    """Things that a cell may end with, each with such a text in it."""
    diagnosis = gl.diagnose(body=f"refused {HALF}", http_status=403, headers={"Origin": f"https://{HALF}"})
    return {
        "Diagnosis": diagnosis,
        "Comparison": gl.compare(f"GET /v1?a={HALF} HTTP/1.1\nHost: x\n", "GET /v1 HTTP/1.1\nHost: x\n"),
        "Conversation": Conversation(
            id=HALF, message_id=HALF, integration_id=HALF, participants=(HALF,), note=HALF
        ),
        "View": View(HALF, "<p></p>"),
    }


@pytest.mark.parametrize("name", sorted(shown()))
def test_a_kernel_can_send_what_is_shown(name: str) -> None:
    """Jupyter's messages are UTF-8, which has no half of a surrogate pair."""
    for text in shown()[name]._repr_mimebundle_().values():
        assert text.encode("utf-8")
