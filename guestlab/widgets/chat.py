"""A session as a chat: bubbles, what may be answered, a send box; beside it the frames and a composer.

The chat is a view of the log (`chat_lines.py`) and calls the session's own verbs. The log's subscriber only
pokes; at most ten times a second what is new is read and painted. The last 200 lines are on the page: those
that are settled in one piece that rarely changes, the newest in another.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guestlab.bridge import bridge
from guestlab.errors import GuestlabError
from guestlab.protocol.states import WHY_NOT, State
from guestlab.style import look
from guestlab.widgets.announcing import LineAnnouncer
from guestlab.widgets.bubbles import bubble, bubbles_table, bubbles_text
from guestlab.widgets.chat_lines import ChatLines, Line
from guestlab.widgets.choices import choices_box
from guestlab.widgets.composer import Composer
from guestlab.widgets.inspector import Inspector
from guestlab.widgets.refresh import Ticker
from guestlab.widgets.sending import SendBox
from guestlab.widgets.sequence_view import SequenceBox, of_session
from guestlab.widgets.theme import advice, code, escape, heading, pill
from guestlab.widgets.view import LiveView, button, markup, row, stack
from guestlab.widgets.wire_text import plain, shown

if TYPE_CHECKING:
    from guestlab.blocking import Session
    from guestlab.log.entry import Entry

__all__ = ["SHOWN", "Chat"]

_STYLE = f"<style>{Path(__file__).with_name('chat.css').read_text(encoding='utf-8')}</style>"

SHOWN = 200
"""Lines on the page."""

_NEWEST, _TAIL = 20, 60
"""Lines that stay in the piece that changes often, and how many make it hand some over."""

_AT_ONCE = 5_000
"""Entries read in one paint."""

_LOOK_BACK = 50_000
"""Entries read back when a chat is opened on a long log."""

_OVER = frozenset({State.CLOSED, State.FAILED})

# State → state of `guestlab.style`, words.
_STATES = {
    State.IDLE: ("ready", "not connected"),
    State.CONNECTED: ("stale", "connected, no session"),
    State.CONFIGURING: ("running", "configuring"),
    State.CONFIGURED: ("done", "ready to talk"),
    State.READ_ONLY: ("stale", "read-only"),
    State.RECONNECTING: ("running", "link lost, coming back"),
    State.CLOSING: ("skipped", "closing"),
    State.CLOSED: ("skipped", "over"),
    State.FAILED: ("failed", "failed"),
}


class Chat(LiveView):
    """The chat of one guest session; `session.chat()` makes it.

    Args:
        session: The session, its blocking face.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._core = session.core
        self._log = session.core.log
        self._lines = ChatLines(session.name)
        self._next = max(0, len(self._log) - _LOOK_BACK)
        self._reading = threading.Lock()
        self._notice = ""
        self._doing: list[str] = []
        self._split = 0
        self._drawn: dict[int, tuple[int, str]] = {}
        self._painted_at = -1
        self._offered: Line | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._ticker = Ticker(self.refresh.poke, 0.5)

    # -- the widget -----------------------------------------------------------------------------------

    def build(self) -> Any:
        """Make the widget, and follow the log from now on."""
        import ipywidgets as w

        poke = self.refresh.poke
        self._state, self._notes, self._typing = markup(), markup(), markup()
        self._settled, self._newest = markup(), markup()
        self._start_new = button("Start new", self.start_new, style="primary", tooltip="Begin a new session")
        self._send = SendBox(self.do, poke, lambda: self._core.configured)
        self._inspector = Inspector(self._look_up, poke)
        self._composer = Composer(self.do, lambda: self._lines.url, poke)
        self._choices = stack()
        self._aloud = LineAnnouncer()
        self._sequence = SequenceBox(poke, "Sequence diagram of this session")
        self._sequence.about(of_session(self._log, self._session.name))
        scroll = stack(
            stack(self._settled, self._newest, self._typing, classes=("gl-lines",)), classes=("gl-scroll",)
        )
        talk = stack(
            row(self._state, self._start_new, classes=("gl-bar",)),
            scroll,
            self._choices,
            self._notes,
            self._send.widget,
            classes=("gl-talk",),
        )
        beside = w.Tab([self._inspector.widget, self._composer.widget], titles=["Frames", "Compose a frame"])
        beside.add_class("gl-beside")
        both = w.HBox([talk, beside])
        both.add_class("gl-chat")
        self._unsubscribe = self._log.subscribe(lambda _: poke())
        self._ticker.start()
        return stack(markup(_STYLE, "gl-style"), both, self._sequence.widget, self._aloud.widget)

    def close(self) -> None:
        """Stop moving. What is on the page stays as it is."""
        self._unsubscribe()
        self._ticker.stop()
        super().close()

    # -- doing things ---------------------------------------------------------------------------------

    def do(
        self,
        what: str,
        make: Callable[[Any], Coroutine[Any, Any, Any]],
        *,
        done: Callable[[Any, Exception | None], object] | None = None,
        quiet: bool = False,
    ) -> None:
        """Do something with the session in the background; returns at once.

        Args:
            what: What is being done, in words.
            make: From the async session to a coroutine.
            done: Told of the outcome, or of the error.
            quiet: Whoever asks shows errors by itself.
        """

        def finished(future: Any) -> None:
            outcome: Any = None
            error: Exception | None = None
            try:
                outcome = future.result()
            except Exception as raised:  # noqa: BLE001 - shown; nobody else would
                error = raised
            self._doing.remove(what)
            if not quiet:
                self._notice = "" if error is None else self._trouble(what, error)
            if done is not None:
                done(outcome, error)
            self.refresh.poke()

        self._doing.append(what)
        self.refresh.poke()
        bridge.spawn(make(self._core)).add_done_callback(finished)

    def start_new(self) -> None:
        """Leave the session, read-only or not, and begin a new one; returns at once."""
        self.do("starting a new session", lambda core: core.start_new())

    def _trouble(self, what: str, error: Exception) -> str:
        if isinstance(error, GuestlabError):
            body = advice(what=error.what, why=error.why, next_step=error.next_step)
        else:
            said = plain(self._log.redact(str(error)), 400)
            body = f"<p>{escape(type(error).__name__)}: {escape(said)}</p>"
        title = escape(f"{what[:1].upper()}{what[1:]} failed")
        return f'<div class="gl-note gl-note-failed"><b>✗ {title}</b>{body}</div>'

    # -- reading --------------------------------------------------------------------------------------

    def _read(self) -> bool:
        """Read what is new in the log, so much at once; whether that was all."""
        with self._reading:
            end = min(len(self._log), self._next + _AT_ONCE)
            for entry in self._log.entries[self._next : end]:
                self._lines.take(entry)
            self._next = end
            return end >= len(self._log)

    def _read_all(self) -> list[Line]:
        end = len(self._log)
        while self._next < end:
            self._read()
        return list(self._lines.lines)

    def _look_up(self, seqs: Sequence[int]) -> list[Entry]:
        return [self._log.entries[seq - 1] for seq in seqs if 0 < seq <= len(self._log)]

    # -- painting -------------------------------------------------------------------------------------

    def paint(self) -> None:
        """Bring the page up to date."""
        if self._widget is None:
            return
        whole = self._read()
        state = self._core.state
        with self._reading:
            lines = list(self._lines.lines)
            moved = self._lines.version != self._painted_at
            self._painted_at = self._lines.version
        if moved:
            self._paint_lines(lines)
        here = state is State.CLOSED and not self._lines.ended
        why_not = _CLOSED_HERE if here else _why_not(state)
        self._paint_bar(state, here=here)
        self._paint_choices(why_not)
        self._send.paint(why_not, takes_files=self._takes_files)
        self._inspector.paint(lines[-SHOWN:])
        self._aloud.paint(lines[-SHOWN:])
        self._sequence.paint()
        self._composer.paint("" if state not in _OVER else why_not)
        if not whole:
            self.refresh.poke()
        elif state in _OVER and not self._doing:
            self._unsubscribe()
            self._ticker.stop()

    @property
    def _takes_files(self) -> bool:
        configured = self._core.configured
        return configured is not None and bool(configured.allowed_media)

    def _paint_lines(self, lines: list[Line]) -> None:
        newest = [line for line in lines[-_TAIL - 1 :] if line.number > self._split]
        settled = [line for line in lines[-SHOWN:] if line.number <= self._split]
        if len(newest) > _TAIL:
            settled, newest = lines[-SHOWN:-_NEWEST], lines[-_NEWEST:]
            self._split = settled[-1].number
        elif self._settled.value and not any(line.number in self._stale(settled) for line in settled):
            settled = []
        if settled:
            earlier = self._lines.earlier + sum(
                line.who != "system" for line in lines if line.number < settled[0].number
            )
            self._settled.value = _earlier(earlier) + "".join(map(self._html, settled))
        self._newest.value = "".join(map(self._html, newest)) or _nothing_yet(settled or self._split)
        kept = lines[-SHOWN - _TAIL].number if len(lines) > SHOWN + _TAIL else 0
        self._drawn = {number: drawn for number, drawn in self._drawn.items() if number >= kept}

    def _stale(self, settled: list[Line]) -> set[int]:
        """Which settled lines have changed since they were drawn."""
        return {line.number for line in settled if self._drawn.get(line.number, (-1, ""))[0] != line.version}

    def _html(self, line: Line) -> str:
        drawn = self._drawn.get(line.number)
        if drawn is None or drawn[0] != line.version:
            drawn = self._drawn[line.number] = (line.version, bubble(line))
        return drawn[1]

    def _paint_bar(self, state: State, *, here: bool) -> None:
        seen, word = _STATES[state]
        word = "closed here" if here else word
        now = time.time_ns()
        waits = (self._lines.retry_at_ns - now) / 1e9
        doing = f'<span class="gl-quiet">{escape(self._doing[-1])} …</span>' if self._doing else ""
        throttled = ""
        if waits > 0 and state not in _OVER:
            throttled = pill("stale", f"too many requests (frame code 429): may send again in {waits:.0f} s")
        self._state.value = heading(f"Session {self._session.name}", pill(seen, word), throttled, doing)
        self._start_new.layout.display = "" if state is State.READ_ONLY else "none"
        if state in _OVER:
            self._notice = ""  # what could not be sent then is of no use now
        self._notes.value = _again(here=here) if state in _OVER else self._notice
        typing = self._lines.typing
        who = "" if typing is None or typing[1] < now else shown(typing[0], 100) or "The other side"
        self._typing.value = f'<div class="gl-typing">{f"✎ {who} is typing …" if who else "&nbsp;"}</div>'

    def _paint_choices(self, why_not: str) -> None:
        offer = None if why_not else self._lines.offer
        if offer is self._offered:
            return
        self._offered = offer
        old = self._choices.children
        box = choices_box(offer.message, self.do) if offer is not None and offer.message is not None else None
        self._choices.children = () if box is None else (box,)
        for child in old:
            _close(child)

    # -- static ---------------------------------------------------------------------------------------

    def html(self) -> str:
        """Show the chat as a table: no script, no style sheet."""
        lines = self._read_all()
        word = _STATES[self._core.state][1]
        head = f"<p><b>Chat of session {escape(self._session.name)}</b>: {escape(word)}</p>"
        return head + _earlier(self._lines.earlier) + bubbles_table(lines)

    def text(self) -> str:
        """Show the chat for a terminal."""
        lines = self._read_all()
        earlier = self._lines.earlier
        rest = f"\n({earlier:,} earlier messages are in log.messages)" if earlier else ""
        return f"{self._session!r}{rest}\n{bubbles_text(lines)}"


def _why_not(state: State) -> str:
    if state in {State.CONFIGURED, State.RECONNECTING}:
        return ""
    if state is State.READ_ONLY:
        return f"{WHY_NOT[state][0]} “Start new” begins another with the same guest token."
    return " ".join(WHY_NOT[state])


_CLOSED_HERE = "This connection was closed here. The conversation stays: the same guest token resumes it."


def _again(*, here: bool) -> str:
    """The code for another session, and for the same one where it goes on."""
    resume = "session = lab.session(guest_token=session.guest_token)  # resumes the conversation\n"
    return code(f"{resume if here else ''}session = lab.session()  # a new guest", label="code for a session")


def _earlier(count: int) -> str:
    words = "1 earlier message is" if count == 1 else f"{count:,} earlier messages are"
    return f'<div class="gl-earlier">{words} in <code>log.messages</code></div>' if count else ""


def _nothing_yet(before: object) -> str:
    return "" if before else f'<div class="gl-sys gl-ready">{look("ready").icon} Nothing was said yet.</div>'


def _close(widget: Any) -> None:
    """End a widget and all in it: the page forgets them."""
    for child in getattr(widget, "children", ()):
        _close(child)
    widget.close()
