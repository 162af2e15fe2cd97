r"""A notation for protocol tests: who says what, and what it did.

One line each:

    ++ made | refused 403 | lost 1006 | hang up     what happens to the link
    >> SendText(text="hi")                          a command goes out
    >! SendText(text="hi")                          a command that is not allowed now, and changes nothing
    << string 4011 "message too long" @t1           a frame comes in: class, code (200), body, tracing id
    <- Inbound "hi" @t1                             shorthand for a text message
    <= Inbound "ping" @t1                           the same as a response, as echo answers come
    ?? ErrorReceived configured settled=t1          what the last line did: events, state, settled ids
    ## anything                                     a remark

Tracing ids are t1, t2 and so on, one for each `>>` line.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from guestlab.errors import LocalProtocolError
from guestlab.protocol import commands
from guestlab.protocol.commands import Command
from guestlab.protocol.guest import GuestProtocol, Outgoing, Received

__all__ = ["Playbook", "frame"]

COMMANDS = {name: getattr(commands, name) for name in commands.__all__}


def frame(name: str, body: Any = None, *, code: int = 200, tracing_id: str = "", kind: str = "") -> str:
    """Write a server frame; `kind` is its type, by default what the class mostly has."""
    kind = kind or ("message" if name.endswith(("Message", "Event")) else "response")
    written = {"type": kind, "class": name, "code": code}
    if body is not None:
        written["body"] = body
    if tracing_id:
        written["tracingId"] = tracing_id
    return json.dumps(written)


class Playbook:
    """Plays lines against one protocol and checks the lines that start with `??`."""

    def __init__(self, **options: Any) -> None:
        ids = count(1)
        self.protocol = GuestProtocol("deployment", "guest-token", new_id=lambda: f"t{next(ids)}", **options)
        self.sent: list[Outgoing] = []
        self.received: list[Received] = []

    def play(self, script: str) -> Playbook:
        """Play the lines; returns itself."""
        for line in filter(None, map(str.strip, script.splitlines())):
            mark, _, rest = line.partition(" ")
            getattr(self, _MARKS[mark])(rest.strip())
        return self

    @property
    def last(self) -> Received:
        """What the last frame did."""
        return self.received[-1]

    def _link(self, rest: str) -> None:
        match rest.split():
            case ["made"]:
                self.protocol.connection_made()
            case ["refused", status]:
                self.protocol.connection_refused(int(status))
            case ["lost", code]:
                self.protocol.connection_lost(int(code))
            case ["hang", "up"]:
                self.protocol.close()
            case _:
                raise AssertionError(f"unknown: ++ {rest}")

    def _out(self, rest: str) -> None:
        self.sent.append(self.protocol.send(_command(rest)))

    def _out_refused(self, rest: str) -> None:
        before = _snapshot(self.protocol)
        try:
            self.protocol.send(_command(rest))
        except LocalProtocolError:
            assert _snapshot(self.protocol) == before, "a refused command changed something"
        else:
            raise AssertionError(f"{rest} was allowed while {self.protocol.state}")

    def _in(self, rest: str) -> None:
        rest, _, tracing_id = rest.partition(" @")
        name, _, rest = rest.partition(" ")
        code = "200"
        if rest[:1].isdigit():
            code, _, rest = rest.partition(" ")
        body = json.loads(rest) if rest else None
        self._receive(frame(name, body, code=int(code), tracing_id=tracing_id))

    def _in_response(self, rest: str) -> None:
        self._in_text(rest, "response")

    def _in_text(self, rest: str, kind: str = "message") -> None:
        rest, _, tracing_id = rest.partition(" @")
        direction, _, text = rest.partition(" ")
        body = {
            "type": "Text",
            "text": json.loads(text),
            "direction": direction,
            "id": f"m{len(self.received)}",
        }
        self._receive(frame("StructuredMessage", body, tracing_id=tracing_id, kind=kind))

    def _receive(self, text: str) -> None:
        self.received.append(self.protocol.receive(text))

    def _check(self, rest: str) -> None:
        for expected in rest.split():
            if expected.startswith("settled="):
                assert list(self.last.settled) == [i for i in expected[8:].split(",") if i]
            elif expected.startswith("pending="):
                assert list(self.protocol.pending) == [i for i in expected[8:].split(",") if i]
            elif expected[0].isupper():
                assert "+".join(type(event).__name__ for event in self.last.events) == expected
            else:
                assert self.protocol.state == expected

    def _remark(self, rest: str) -> None:
        """Nothing to do."""


_MARKS = {
    "++": "_link",
    ">>": "_out",
    ">!": "_out_refused",
    "<<": "_in",
    "<-": "_in_text",
    "<=": "_in_response",
    "??": "_check",
    "##": "_remark",
}


def _command(text: str) -> Command:
    command = eval(text, {"__builtins__": {}}, COMMANDS)  # the script is the test's own
    assert isinstance(command, Command)
    return command


def _snapshot(protocol: GuestProtocol) -> tuple[Any, ...]:
    return (
        protocol.state,
        dict(protocol.pending),
        protocol.session,
        protocol.ended,
        protocol.may_reconnect,
        dict(protocol._spoken),
    )
