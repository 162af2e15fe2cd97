"""The log to look through: filters, pages, the chosen entry; fast on a long log, still under the pointer."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import ipywidgets
import pytest

from guestlab.errors import InputError
from guestlab.log import Log
from guestlab.widgets.log_files import WRITERS
from guestlab.widgets.log_rows import line, time_of
from guestlab.widgets.log_sieve import Sieve, Wanted, is_refusal
from guestlab.widgets.log_view import PAGE, LogView
from guestlab.widgets.view import WIDGET_MIME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from guestlab.lab import Lab

HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>\u202e\x1b[31m'


def _filled(count: int) -> Log:
    """A log of frames both ways, of two sessions; every tenth is a refusal."""
    log = Log()
    for number in range(count):
        log.record(
            "frame",
            stage="session",
            lane="frame",
            direction="received" if number % 2 else "sent",
            session=f"s{number % 2}",
            frame_code=4011 if number % 10 == 9 else 200,
            text=f"word{number}",
            raw=json.dumps({"text": f"word{number}"}),
        )
    return log


def _until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def _listed(view: LogView, wire: Any) -> list[int]:
    """Numbers of the entries on the page in the browser."""
    assert view.widget is not None
    assert view.refresh.flush()
    return [seq for _, seq in wire.named(view, "Rows of the log").options]


# -- which rows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"kind": "frame"}, [3, 4, 5]),
        ({"kind": "frame", "direction": "sent"}, [3]),
        ({"lane": "close"}, [6]),
        ({"session": "s1"}, [3, 4]),
        ({"text": "HELLO"}, [3, 4]),
        ({"text": "t-99"}, [5]),
        ({"text": "a.c("}, []),
        ({"only_refusals": True}, [2, 5, 6, 7]),
        ({"only_refusals": True, "kind": "close"}, [6]),
        ({"kind": "history"}, []),
    ],
)
def test_filters_leave_the_wanted_rows(wanted: dict[str, Any], expected: list[int]) -> None:
    """Each alone and together; a search is words, not a pattern."""
    log = Log()
    log.record("request", method="GET", url="https://x.example/a", lane="http", direction="sent")
    log.record("response", http_status=401, lane="http", direction="received")
    log.record("frame", direction="sent", session="s1", raw='{"text":"Hello"}', lane="frame")
    log.record("frame", direction="received", session="s1", text="hello", frame_code=200, lane="frame")
    log.record("frame", direction="received", session="s2", frame_code=4011, lane="frame", tracing_id="t-99")
    log.record("close", close_code=1001, lane="close")
    log.record("attempt", ok=False, credential="none")
    log.record("close", close_code=1000)
    places = list(Sieve(log).places(Wanted.of(**wanted)))
    assert [place + 1 for place in places] == expected


def test_a_row_and_an_entry_agree_on_what_a_refusal_is() -> None:
    """The rule is written twice, for one and for many."""
    log = Log()
    for status in (None, 101, 200, 399, 400, 503):
        log.record("response", http_status=status)
    for code in (None, 200, 201, 300, 429, 4011):
        log.record("frame", frame_code=code)
    for code in (None, 1000, 1001, 1006):
        log.record("close", close_code=code)
    for ok in (None, True, False):
        log.record("step", ok=ok)
    places = {int(place) for place in Sieve(log).places(Wanted(only_refusals=True))}
    assert places == {place for place, entry in enumerate(log.entries) if is_refusal(entry)}
    assert len(places) == 8


def test_a_sieve_looks_at_new_rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """And forgets nothing; another filter begins anew."""
    from guestlab.widgets import log_sieve

    looked: list[int] = []
    mask = log_sieve._mask

    def counting(rows: Any, wanted: Wanted) -> Any:
        looked.append(len(rows))
        return mask(rows, wanted)

    monkeypatch.setattr(log_sieve, "_mask", counting)
    log = _filled(100)
    sieve, wanted = Sieve(log), Wanted(only_refusals=True)
    assert len(sieve.places(wanted)) == 10
    log.record("frame", frame_code=500)
    log.record("frame", frame_code=200)
    assert list(sieve.places(wanted))[-1] == 100
    assert len(sieve.places(wanted)) == 11
    assert looked == [100, 2]
    assert len(sieve.places(Wanted(session="s0"))) == 50
    assert looked == [100, 2, 102]


def test_names_and_values_are_checked() -> None:
    """With what there is instead."""
    with pytest.raises(InputError, match="no filter"):
        Log().view(colour="red")
    with pytest.raises(InputError, match="kind='frames'"):
        Log().view(kind="frames")


# -- what is shown ------------------------------------------------------------------------------------


def test_only_one_page_of_rows_reaches_the_browser(wire: Any) -> None:
    """The newest first; 2,000 entries are 100 rows."""
    log = _filled(2_000)
    view = log.view()
    assert _listed(view, wire) == list(range(2_000, 1_900, -1))
    assert "word1899" not in wire.texts
    assert "<b>100</b> of <b>2,000</b> rows" in wire.shown(view)
    assert wire.named(view, "Page").max == 20


def test_pages_are_turned_by_buttons_and_slider(wire: Any) -> None:
    """Each place once; the ends cannot be passed."""
    view = _filled(250).view()
    assert _listed(view, wire)[0] == 250
    wire.click(view, "Next page")
    assert _listed(view, wire) == list(range(150, 50, -1))
    wire.enter(view, "Page", 3)
    assert _listed(view, wire) == list(range(50, 0, -1))
    assert wire.named(view, "Next page").disabled
    wire.click(view, "Previous page")
    assert _listed(view, wire)[0] == 150
    wire.enter(view, "Newest first", value=False)
    assert _listed(view, wire) == list(range(1, PAGE + 1))


def test_filters_work_as_entered(wire: Any) -> None:
    """Kind, session, search, refusals; and clearing them."""
    view = _filled(400).view()
    assert len(_listed(view, wire)) == PAGE
    wire.enter(view, "Only refusals", value=True)
    assert len(_listed(view, wire)) == 40
    assert "filtered out of 400" in wire.shown(view)
    wire.enter(view, "Search", "WORD39")
    assert _listed(view, wire) == [400, 40]
    wire.click(view, "Clear filters")
    assert len(_listed(view, wire)) == PAGE
    assert wire.named(view, "Search").value == ""
    sessions = [name for name, _ in wire.named(view, "Session").options]
    assert sessions == ["any", "s1", "s0"]
    wire.enter(view, "Session", 2, "index")
    assert _listed(view, wire)[0] == 399
    wire.enter(view, "Direction", 2, "index")
    assert _listed(view, wire) == []
    assert "<b>0</b> of <b>0</b>" in wire.shown(view)


def test_a_chosen_row_shows_the_entry_as_recorded(wire: Any) -> None:
    """With every filled column; and the list stands still from then on."""
    log = _filled(20)
    view = log.view()
    assert _listed(view, wire)
    wire.enter(view, "Rows of the log", 10, "index")  # the eleventh of the page
    assert view.refresh.flush()
    shown = wire.shown(view)
    assert "entry 10" in shown
    assert "4011" in shown
    assert "&quot;text&quot;: &quot;word9&quot;" in shown
    assert "filled columns" in shown
    assert not view.follows
    log.record("note", note="later")
    view.refresh.poke()
    assert _listed(view, wire)[0] == 20
    assert "1 new since it stands still" in wire.shown(view)
    wire.enter(view, "Follow", value=True)
    assert _listed(view, wire)[0] == 21
    assert wire.named(view, "Rows of the log").value == 10


def test_new_entries_appear_by_themselves(wire: Any) -> None:
    """Without a filter and with one; a chosen filter stays."""
    log = _filled(10)
    view = log.view(only_refusals=True)
    assert _listed(view, wire) == [10]
    log.record("frame", frame_code=200)
    log.record("frame", frame_code=429, session="s9")
    _until(lambda: [seq for _, seq in wire.named(view, "Rows of the log").options] == [12, 10])
    assert wire.named(view, "Only refusals").value
    _until(lambda: "s9" in [name for name, _ in wire.named(view, "Session").options])
    view.close()
    log.record("frame", frame_code=500)
    time.sleep(0.7)
    assert [seq for _, seq in wire.named(view, "Rows of the log").options] == [12, 10]


def test_recording_is_never_held_up_by_a_view(wire: Any) -> None:
    """Four threads record 8,000 entries while the view follows; what is seen in the end is the end."""
    log = Log()
    view = log.view()
    assert _listed(view, wire) == []

    def record() -> None:
        for number in range(2_000):
            log.record("note", note=f"n{number}")

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _until(lambda: [row[1] for row in wire.named(view, "Rows of the log").options[:1]] == [8_000])
    assert len(_listed(view, wire)) == PAGE
    view.close()


def test_hostile_text_is_shown_and_does_nothing(wire: Any) -> None:
    """In rows, in the entry, in names of sessions, in the static form."""
    log = Log()
    log.record(
        "frame", text=HOSTILE, raw=HOSTILE, note=HOSTILE, session=HOSTILE, action=HOSTILE, url=HOSTILE,
        stage="session", direction="sent",
    )  # fmt: skip
    log.record("request", url="http://[", method=HOSTILE)
    view = log.view()
    assert _listed(view, wire) == [2, 1]
    view.choose(1)
    assert view.refresh.flush()
    for html in (wire.shown(view), view.html()):
        assert "&lt;img src=x" in html
        assert "<img" not in html
        assert "<script" not in html
        assert "\u202e" not in html
    assert "\x1b" not in view.text()
    assert "\u202e" not in view.text()
    labels = [label for label, _ in wire.named(view, "Rows of the log").options]
    assert not any("\u202e" in label or "\n" in label for label in labels)


def test_a_secret_pasted_into_the_search_becomes_its_tag(lab: Lab, wire: Any) -> None:
    """It finds where the secret crossed the wire, and is nowhere in the widget's state."""
    secret = lab.token().value
    view = lab.log.view()
    assert _listed(view, wire)
    wire.enter(view, "Search", secret)
    found = _listed(view, wire)
    assert found
    assert all("masked" in (lab.log.entries[seq - 1].raw or "") for seq in found)
    assert secret not in wire.state(view)
    assert "masked" in wire.named(view, "Search").value
    again = lab.log.view(text=secret)
    assert _listed(again, wire) == found
    assert secret not in again.wanted.text


def test_the_sequence_of_the_chosen_entrys_attempt_or_session_is_drawn(lab: Lab, wire: Any) -> None:
    """By a button below the entry; an entry of neither has none."""
    lab.handshake_as_asked()
    lab.log.record("note", note="of nothing")
    view = lab.log.view()
    _listed(view, wire)
    box = wire.named(view, "Sequence diagram")
    holder = next(part for part in wire.parts(view) if box in getattr(part, "children", ()))
    assert holder.layout.display == "none"
    attempt = next(entry for entry in lab.log.entries if entry.kind == "attempt")
    view.choose(attempt.seq)
    assert view.refresh.flush()
    assert holder.layout.display is None
    wire.click(view, "Sequence diagram")
    assert view.refresh.flush()
    assert "gateway" in wire.shown(view)
    view.choose(len(lab.log))
    assert view.refresh.flush()
    assert holder.layout.display == "none"


def test_files_are_written_by_calls_that_are_shown(
    wire: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the notebook, under a name that is free; a failure says what, why and what next."""
    monkeypatch.chdir(tmp_path)
    log = _filled(5)
    view = log.view()
    assert _listed(view, wire)
    for name, *_ in WRITERS:
        if name != "Parquet":
            wire.click(view, name)
    wire.click(view, "CSV")
    _until(lambda: len(list(tmp_path.iterdir())) == 5 and not list(tmp_path.glob("*.tmp*")))
    _until(lambda: view.refresh.flush() and wire.shown(view).count("written: ") == 5)
    assert "log.to_har(&quot;guestlab-" in wire.shown(view)

    def refusing(_: Path) -> Path:
        raise InputError("The disk is full.", why="Nothing fits.", next_step="Make room.")

    monkeypatch.setattr(log, "to_csv", refusing)
    wire.click(view, "CSV")
    _until(lambda: view.refresh.flush() and "Make room." in wire.shown(view))


def test_budgets_unfold_inside(lab: Lab, wire: Any) -> None:
    """Built when they are looked at."""
    with lab.session() as session:
        session.send("hello")
        view = lab.log.view()
        _listed(view, wire)
        assert "frames of a connection" not in wire.shown(view)
        folds = next(part for part in wire.parts(view) if isinstance(part, ipywidgets.Accordion))
        folds.selected_index = 0
        _until(lambda: "frames of a connection" in wire.shown(view))
        view.close()


# -- everywhere else ----------------------------------------------------------------------------------


def test_the_last_line_of_a_cell_shows_one_view(lab: Lab, wire: Any) -> None:
    """`lab.log` twice is one view twice; `view()` is one of its own."""
    del wire
    first, again = lab.log._repr_mimebundle_(), lab.log._repr_mimebundle_()
    assert first[WIDGET_MIME] == again[WIDGET_MIME]
    assert lab.log.view() is not lab.log.view()


def test_the_static_form_is_a_table(lab: Lab) -> None:
    """The newest rows, and the calls for the rest; without a kernel that is all."""
    lab.handshake_as_asked()
    bundle = lab.log._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "<table" in bundle["text/html"]
    assert "log.to_har(" in bundle["text/html"]
    assert "401" in bundle["text/html"]
    assert repr(lab.log) in bundle["text/plain"]
    assert Log()._repr_mimebundle_()["text/plain"] == "<Log: 0 entries>"


def test_a_line_has_fixed_columns() -> None:
    """Whatever stands in them."""
    log = Log()
    entries = [
        log.record("frame", direction="sent", action="onMessage", raw='{"a":1}', at_ns=0),
        log.record("response", direction="received", http_status=401, url="https://x/y", method="GET"),
        log.record("close", close_code=1006, note="cut"),
        log.record("attempt", credential="client_credentials", placement="query", ok=False),
    ]
    lines = [line(entry).replace("\u00a0", " ") for entry in entries]
    assert (
        lines[0]
        == f"  #1      00:00:00.000  → sent      frame                  {'onMessage':<30}" + '{"a":1}'
    )
    assert [text[0] for text in lines] == [" ", "✗", "✗", "✗"]
    assert all(text[2] == "#" for text in lines)
    assert "http 401" in lines[1]
    assert "client credentials in query" in lines[3]
    assert time_of(10**30) == "?"
