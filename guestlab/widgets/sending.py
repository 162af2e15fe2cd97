"""The send box of a chat: words, a file with its progress, and the reason where nothing can be said.

Enter sends. The front end tells of Enter before it tells of the words (ipywidgets 8: `keypress`, then
`change`), and later words may still be on their way while a cell runs; so Enter and the button only ask for
sending, and what is sent is what stands in the box once it has come.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from guestlab.attachments import File, check_file
from guestlab.errors import InputError
from guestlab.widgets.theme import escape, note
from guestlab.widgets.view import button, markup, row, stack
from guestlab.widgets.wire_text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.protocol.events import SessionConfigured
    from guestlab.widgets.choices import Do

__all__ = ["SendBox"]

_GRACE = 0.25
"""Seconds to wait for words that are on their way, where some stand in the box already."""

_PATIENCE = 1.0
"""Seconds after which Enter in an empty box is forgotten: later words wait for an Enter of their own."""


class SendBox:
    """Where the guest types.

    Args:
        do: Does something with the session in the background.
        poke: Asks for a paint.
        configured: Gives what the server announced of the session, with the limits of files.
    """

    def __init__(
        self,
        do: Do,
        poke: Callable[[], None],
        configured: Callable[[], SessionConfigured | None] = lambda: None,
    ) -> None:
        import ipywidgets as w

        self._do, self._poke, self._configured = do, poke, configured
        self._about_file = ""
        self._lock = threading.Lock()
        self._asked_until = 0.0
        self._file: tuple[str, bytes] | None = None
        self._moved: tuple[int, int] | None = None
        self._busy = False
        self.field = w.Text(
            placeholder="Type a message, Enter sends it",
            description="Say",
            tooltip="Your message; Enter sends it",
            continuous_update=False,  # the words come whole, after Enter or when the field is left
        )
        self.field.add_class("gl-say")
        self.field.on_msg(self._told)
        self.field.observe(self._typed, "value")
        self.send = button("Send", self.ask, style="primary", tooltip="Send the message")
        self.upload = w.FileUpload(
            description="Attach", multiple=False, tooltip="Attach a file to the message"
        )
        self.upload.observe(self._chosen, "value")
        self._drop = button("Remove the file", self._dropped)
        self._drop.layout.display = "none"
        self._file_line = markup()
        self._progress = w.IntProgress(value=0, max=1, description="Upload", layout={"display": "none"})
        self._why = markup()
        line = row(self.field, self.send, self.upload, classes=("gl-send",))
        self.widget = stack(line, row(self._file_line, self._drop, self._progress), self._why)

    # -- what comes from the front end ----------------------------------------------------------------

    def _told(self, _: Any, content: Any, __: Any) -> None:
        if isinstance(content, dict) and content.get("event") == "submit":
            self.ask()

    def _typed(self, change: Any) -> None:
        if change["new"]:
            self._send()  # if Enter asked for it

    def ask(self) -> None:
        """Send what stands in the box, or what is on its way into it."""
        self._asked_until = time.monotonic() + _PATIENCE
        if self.field.value or self._file is not None:
            timer = threading.Timer(_GRACE, self._send)
            timer.daemon = True
            timer.start()

    def _chosen(self, change: Any) -> None:
        chosen = change["new"]
        if not chosen:
            return
        name, content = str(chosen[0]["name"]), bytes(chosen[0]["content"])
        before = self._file
        try:
            check_file(File.of(content, name=name), self._configured())
        except InputError as error:
            self._dropped()
            self._about_file = note(plain(f"{error.what} {error.why}", 400), "failed")
        else:
            self._file = (name, content)
            took = f"It takes the place of {plain(before[0], 120, one_line=True)}." if before else ""
            self._about_file = note(f"{took} One message carries one file.", "stale") if took else ""
        self._poke()

    def _dropped(self) -> None:
        self._file, self._about_file = None, ""
        self.upload.value = ()
        self._poke()

    # -- sending --------------------------------------------------------------------------------------

    def _send(self) -> None:
        with self._lock:
            text, file = self.field.value, self._file
            asked = time.monotonic() < self._asked_until
            if not asked or self._busy or (not text.strip() and file is None):
                return
            self._asked_until, self._busy, self._about_file = 0.0, True, ""
        self.field.value = ""
        self._moved = (0, len(file[1])) if file is not None else None
        self._poke()

        def make(core: Any) -> Any:
            if file is None:
                return core.send(text, timeout=30.0)
            return core.send(
                text, attachment=file[1], attachment_name=file[0], progress=self._moving, timeout=30.0
            )

        def done(_: Any, error: Exception | None) -> None:
            self._busy, self._moved = False, None
            if error is None and file is not None:
                self._dropped()
            elif error is not None and not self.field.value:
                self.field.value = text  # nothing typed is lost
            self._poke()

        self._do("sending", make, done=done)

    def _moving(self, sent: int, total: int) -> None:
        self._moved = (sent, total)
        self._poke()

    # -- painting -------------------------------------------------------------------------------------

    def paint(self, why_not: str, *, takes_files: bool) -> None:
        """Bring it up to date.

        Args:
            why_not: Why nothing can be said; "" when it can.
            takes_files: Whether the deployment takes attachments.
        """
        self.field.disabled = self.send.disabled = bool(why_not)
        self.upload.disabled = bool(why_not) or not takes_files
        if not takes_files and not why_not:
            self.upload.tooltip = "This deployment takes no attachments"
        self.field.placeholder = "Nothing can be said now" if why_not else "Type a message, Enter sends it"
        self._why.value = note(why_not, "stale") if why_not else self._about_file
        file, moved = self._file, self._moved
        name = plain(file[0], 120, one_line=True) if file is not None else ""
        size = f"{len(file[1]):,} bytes" if file is not None else ""
        self._file_line.value = f"📎 <bdi>{escape(name)}</bdi> ({size})" if file is not None else ""
        self._drop.layout.display = "none" if file is None or moved is not None else ""
        self._progress.layout.display = "none" if moved is None else ""
        if moved is not None:
            self._progress.max, self._progress.value = max(moved[1], 1), moved[0]
