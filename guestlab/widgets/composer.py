"""A client frame written by hand: a template, a checker that names the wrong key as one types, and sending.

What is sent is either the command that says the same or, on this machine only, the frame as it stands: the
sandbox shows what it answers. Away from loopback a frame that no command says is checked, not sent. The
session's guest token is filled in on sending and is in no widget.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from guestlab.handshake.frame_check import FrameCheck, check_frame
from guestlab.handshake.url_check import check_url
from guestlab.regions import is_loopback_host
from guestlab.widgets.copying import with_copying
from guestlab.widgets.frame_templates import TEMPLATES, TOKEN, TypedFrame, command_of, template
from guestlab.widgets.theme import code, details, escape, note, table
from guestlab.widgets.view import button, markup, row, stack
from guestlab.widgets.wire_text import is_masked, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.protocol.commands import Command
    from guestlab.widgets.choices import Do

__all__ = ["Composer", "check_html"]

_LONGEST = 20_000


class Composer:
    """Write a frame, see what is wrong with it, send it.

    Args:
        do: Does something with the session in the background.
        url: Gives the address of the session's socket, "" before the first.
        poke: Asks for a paint.
    """

    def __init__(self, do: Do, url: Callable[[], str], poke: Callable[[], None]) -> None:
        import ipywidgets as w

        self._do, self._url, self._poke = do, url, poke
        self._converted: dict[str, Any] | None = None
        self._answer = ""
        self._readable, self._why_not = False, ""
        names = list(TEMPLATES)
        self.template = w.Dropdown(options=names, value=names[0], description="Template")
        self.template.observe(lambda change: self._fill(change["new"]), "value")
        self.frame = w.Textarea(description="Frame (JSON)", rows=11, layout={"height": "auto"})
        self.frame.observe(lambda _: self._check(), "value")
        self.make_uuid = button(
            "Make UUID", self._make_uuid, tooltip="Put a new UUID at the frame's tracingId and show it"
        )
        self.repair = button(
            "Take the converted frame", self._repair, tooltip="Replace the frame by what it meant"
        )
        self.send = button(
            "Send frame", self._send, style="primary", tooltip="Send the frame on this session"
        )
        self._verdict = markup("", "gl-check")
        self._said = markup()
        self.address = w.Text(
            description="Address", continuous_update=True, placeholder="wss://…/v1?deploymentId=…"
        )
        self.address.observe(lambda change: self._check_address(change["new"]), "value")
        self._address_verdict = markup("", "gl-address")
        self.widget = stack(
            self.template,
            self.frame,
            row(self.send, self.make_uuid, self.repair),
            self._said,
            self._verdict,
            markup('<div class="gl-page"><b>Check an address</b></div>'),
            self.address,
            self._address_verdict,
            classes=("gl-compose",),
        )
        self._fill(names[0])

    @property
    def on_loopback(self) -> bool:
        """Whether the session talks to this machine, where anything may be sent."""
        host = urlsplit(self._url()).hostname
        return host is not None and is_loopback_host(host)

    @property
    def deployment_id(self) -> str:
        """The deployment id in the session's address."""
        return next(iter(parse_qs(urlsplit(self._url()).query).get("deploymentId", [])), "")

    # -- writing --------------------------------------------------------------------------------------

    def _fill(self, name: str) -> None:
        self.frame.value = template(name, str(uuid4()))

    def _make_uuid(self) -> None:
        made = str(uuid4())
        frame = self._parsed()
        if frame is not None:
            frame["tracingId"] = made
            self.frame.value = _laid_out(frame)
        self._answer = note(f"New UUID: {made}", "done")
        self._poke()

    def _repair(self) -> None:
        if self._converted is not None:
            self.frame.value = _laid_out(self._converted)

    def _parsed(self) -> dict[str, Any] | None:
        try:
            parsed = json.loads(self.frame.value)
        except (ValueError, RecursionError):
            return None
        return parsed if isinstance(parsed, dict) else None

    # -- checking -------------------------------------------------------------------------------------

    def _check(self) -> None:
        frame = self._parsed()
        check = check_frame(self.frame.value if frame is None else _without_placeholders(frame))
        self._converted = check.converted
        self.repair.disabled = check.converted is None
        self._readable = frame is not None
        self.send.disabled = not self._readable or bool(self._why_not)
        told = check_html(check, _torn(self.frame.value) if frame is None else "")
        self._verdict.value = with_copying(told)

    def _check_address(self, url: str) -> None:
        if not url.strip():
            self._address_verdict.value = ""
            return
        heads = ("", "part", "as it is", "as it should be", "")
        rows = [
            (
                "✓" if part.ok else "✗",
                part.name,
                plain(part.value, 200),
                "" if part.ok else plain(part.right, 200),
                part.remark,
            )
            for part in check_url(url[:2000]).parts
        ]
        filled = [column for column in range(len(heads)) if any(row[column] for row in rows)]
        self._address_verdict.value = table(
            (heads[column] for column in filled), ((row[column] for column in filled) for row in rows)
        )

    # -- sending --------------------------------------------------------------------------------------

    def _send(self) -> None:
        frame = self._parsed()
        if frame is None:
            return
        if is_masked(json.dumps(TypedFrame.of(frame).rest)):  # its token and tracing id are filled in anyway
            self._answer = note(
                "Not sent: the frame holds [masked…], which stands for a secret in the log and is no value. "
                "Put the value itself in its place.",
                "stale",
            )
            self._poke()
            return
        command = command_of(frame, self.deployment_id)
        if command is None and not self.on_loopback:
            self._answer = note(
                "Not sent: no command says this frame, and away from the sandbox only commands are sent. "
                "The check below says what a server would object to.",
                "stale",
            )
            self._poke()
            return
        wanted: Command = command if command is not None else TypedFrame.of(frame)
        how = f"as {type(command).__name__}" if command is not None else "as it stands, to the sandbox"
        self._answer = note(f"Sending {how} …", "running")
        self._poke()

        def done(outcome: Any, error: Exception | None) -> None:
            self._answer = _outcome(how, outcome, error)
            self._poke()

        waits = type(wanted).__name__ != "SendTyping"
        self._do(
            "sending a frame",
            (lambda core: core.say(wanted, timeout=5.0)) if waits else (lambda core: core.typing()),
            done=done,
            quiet=True,
        )

    def paint(self, why_not: str) -> None:
        """Bring it up to date.

        Args:
            why_not: Why nothing can be sent now; "" when it can.
        """
        self._why_not = why_not
        self.send.disabled = bool(why_not) or not self._readable
        self._said.value = note(why_not, "stale") if why_not else self._answer
        if not self.address.value and self._url():
            self.address.value = self._url()


def _without_placeholders(frame: dict[str, Any]) -> dict[str, Any]:
    """Leave what is filled in on sending out of the judgement of its form."""
    return {key: "<filled in>" if value == TOKEN else value for key, value in frame.items()}


def _laid_out(frame: dict[str, Any]) -> str:
    """Write a frame as JSON over several lines; halves of surrogate pairs cannot go to a page."""
    return json.dumps(frame, indent=2, ensure_ascii=False).encode("utf-8", "replace").decode()


def _torn(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        where = (
            f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        )
        return f"It is no JSON: {error.args[0].partition(':')[0]}{f' at {where}' if where else ''}."
    except RecursionError:
        return "It is nested too deeply."
    return ""


def check_html(check: FrameCheck, torn: str = "") -> str:
    """Show what a check found: each wrong key, and the frame that was meant."""
    if check.ok and not torn:
        return note("The frame is right.", "done")
    rows = [(remark.key or "the frame", remark.what) for remark in check.remarks]
    found = table(("✗ key", "what is wrong"), ((plain(k, 120), plain(what, 400)) for k, what in rows))
    meant = ""
    if check.converted is not None:
        text = plain(_laid_out(check.converted), _LONGEST)
        meant = details("what it meant, as a frame", code(text, label="the converted frame"), shown=True)
    return f"{note(torn, 'failed') if torn else ''}{found}{meant}"


def _outcome(how: str, outcome: Any, error: Exception | None) -> str:
    if error is not None:
        parts = [getattr(error, name, "") for name in ("what", "why", "next_step")]
        text = " ".join(part for part in parts if part) or type(error).__name__
        return note(f"Sent {how}. {plain(text, 600)}", "failed")
    if outcome is None:
        return note(f"Sent {how}; nothing answers it.", "done")
    kind = escape(type(outcome).__name__)
    return note(f"Sent {how}; answered by {kind}. Its frames stand under Frames.", "done")
