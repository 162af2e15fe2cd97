"""Performs one attempt on real sockets, step by step: dns, tcp, tls, upgrade, configure.

The WebSocket opening handshake (RFC 6455 section 4) is driven by hand with the Sans-I/O client of
`websockets`, so that each step is timed by itself and a refusal's status, headers and body are kept byte
for byte. Every attempt closes its socket; none sends a Join or a message. The pure side is `attempt.py`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from guestlab.errors import InputError
from guestlab.handshake.attempt import Attempt, Step
from guestlab.handshake.diagnosis import diagnose
from guestlab.handshake.dialling import Dial, StepFailed, find_proxy, run_step
from guestlab.handshake.evidence import Evidence
from guestlab.http import QUIET, json_object
from guestlab.protocol.frames import describe_close

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from websockets.typing import Origin, Subprotocol
    from websockets.uri import WebSocketURI

    from guestlab.handshake.attempt import Plan
    from guestlab.log import Log

__all__ = ["perform"]

MAX_ANSWER = 2**20
"""Bytes read from a server that does not stop; more is cut."""

MAX_TALK = 2**24
"""Bytes of frames an attempt listens to until one says whether the session is configured."""


async def perform(
    plan: Plan,
    log: Log,
    *,
    number: int,
    ca_file: Path | None = None,
    proxy: str | None = None,
    facts: dict[str, Any] | None = None,
) -> Attempt:
    """Carry out one attempt and diagnose it.

    Args:
        plan: What to send.
        log: Where every step, byte and frame is recorded.
        number: The attempt's number in this log.
        ca_file: PEM file of certificate authorities to trust beside the system's.
        proxy: `http://host:port` or `https://host:port` to go through; None reads the environment, "" goes
            straight.
        facts: What is known beforehand about the deployment, passed on to the diagnosis.

    Raises:
        InputError: The URL is no WebSocket URL, or the proxy's address none. Whatever the network does is an
            outcome, not an error.
    """
    wire = _Wire(plan, log, number, ca_file, proxy)
    started = time.monotonic_ns()
    try:
        for name, step in wire.steps():
            if not await wire.timed(name, step):
                break
    finally:
        await wire.close()
    attempt = _outcome(wire, facts or {})
    log.record(
        "attempt",
        stage="handshake",
        attempt=number,
        step=attempt.step,
        url=plan.url,
        http_status=attempt.http_status,
        frame_code=attempt.frame_code,
        close_code=attempt.close_code,
        latency_ms=(time.monotonic_ns() - started) / 1e6,
        credential=plan.credential,
        placement=plan.placement,
        rule=",".join(finding.rule for finding in attempt.diagnosis.findings) or None,
        ok=attempt.ok,
        note=attempt.verdict,
    )
    return attempt


class _Wire:
    """The socket of one attempt, and what crossed it."""

    def __init__(self, plan: Plan, log: Log, number: int, ca_file: Path | None, proxy: str | None) -> None:
        self.plan, self.log, self.number = plan, log, number
        self.uri = _parsed(plan.url, log)
        way = find_proxy(self.uri.host, secure=self.uri.secure, named=proxy, log=log, port=self.uri.port)
        self.dial = Dial(self.uri.host, self.uri.port, log=log, ca_file=ca_file, proxy=way)
        self.protocol = ClientProtocol(
            self.uri,
            origin=_origin(plan),
            subprotocols=_subprotocols(plan),
            max_size=MAX_ANSWER,
            logger=QUIET,
        )
        self.performed: list[Step] = []
        self.request = self.received = b""
        self.response: Response | None = None
        self.first_frame: str | None = None
        self.answers: list[str] = []
        self.frame_code: int | None = None
        self.close_code: int | None = None
        self.ok = False
        self._eof = False
        self._said: bytearray | None = None  # the fragments of a text so far
        self._talked = 0

    @property
    def _over(self) -> bool:
        """Whether the server ended it, by a close frame or by cutting the connection."""
        return self._eof or self.protocol.close_rcvd is not None

    def steps(self) -> list[tuple[str, Callable[[], Any]]]:
        """The steps this URL and plan call for."""
        steps: list[tuple[str, Callable[[], Any]]] = [("dns", self.dial.dns), ("tcp", self.dial.tcp)]
        if self.uri.secure:
            steps.append(("tls", self.dial.tls))
        steps.append(("upgrade", self.upgrade))
        if self.plan.first_frame is not None:
            steps.append(("configure", self.configure))
        return steps

    async def timed(self, name: str, step: Callable[[], Any]) -> bool:
        """Run one step, time it, record it; tell whether to go on."""
        performed = await run_step(name, step, log=self.log)
        self.performed.append(performed)
        self._record(
            "step", step=name, latency_ms=performed.duration_ms, ok=performed.ok, note=performed.note
        )
        return performed.ok

    async def upgrade(self) -> str:
        """Send the opening handshake and read the whole answer to it."""
        request = self.protocol.connect()
        for name, value in self.plan.headers:
            request.headers[name] = value
        self.protocol.send_request(request)
        self.request = b"".join(self.protocol.data_to_send())
        sent = self._record(
            "request", step="upgrade", lane="http", direction="sent", method="GET", raw=_text(self.request)
        )
        started = time.monotonic_ns()
        await self._write(self.request)
        while self.response is None and self.protocol.handshake_exc is None:
            await self._read()
            self.response = next(
                (event for event in self.protocol.events_received() if isinstance(event, Response)), None
            )
        self._record_response(sent.seq, started)
        return self._upgrade_note()

    def _record_response(self, exchange: int, started: int) -> None:
        self._record(
            "response",
            step="upgrade",
            lane="http",
            direction="received",
            method="GET",
            exchange=exchange,
            http_status=self.response.status_code if self.response else None,
            latency_ms=(time.monotonic_ns() - started) / 1e6,
            size=len(self.response.body) if self.response else len(self.received),
            ok=self.protocol.handshake_exc is None,
            raw=_text(self.received),
        )

    def _upgrade_note(self) -> str:
        error = self.protocol.handshake_exc
        if error is None:
            return "HTTP 101 (lane http)"
        if self.response is None:
            raise StepFailed(f"the answer is not HTTP: {_text(self.received[:60])!r}")
        size = len(self.response.body)
        detail = f"HTTP {self.response.status_code} {self.response.reason_phrase}".rstrip()
        if self.response.status_code == 101:
            raise StepFailed(f"{detail}, but no valid WebSocket handshake: {error}")
        raise StepFailed(f"{detail} (lane http), {f'{size} bytes of body' if size else 'empty body'}")

    async def configure(self) -> str:
        """Send the first frame and read until the session is configured or refused."""
        assert self.plan.first_frame is not None
        if self.protocol.state is not State.OPEN:  # closed, or broken, in one packet with the 101
            raise StepFailed(self._closed_note())
        self.protocol.send_text(self.plan.first_frame.encode())
        self.first_frame = self.plan.first_frame
        self._record_frame("sent", self.plan.first_frame)
        await self._flush()
        while True:
            for event in self.protocol.events_received():
                if isinstance(event, Frame) and (note := self._answered(event)):
                    return note
            if self._over:
                raise StepFailed(self._closed_note())
            await self._read()

    def _answered(self, frame: Frame) -> str | None:
        """Look at one received frame; return the note once it is the answer."""
        self._talked += len(frame.data)
        if self._talked > MAX_TALK:
            raise StepFailed(f"more than {MAX_TALK:,} bytes of frames came, and none said yes or no")
        if frame.opcode in {Opcode.TEXT, Opcode.BINARY}:
            self._said = bytearray() if frame.opcode is Opcode.TEXT else None
        if self._said is None or frame.opcode not in {Opcode.TEXT, Opcode.CONT}:
            return None
        self._said += frame.data
        if not frame.fin:
            return None
        text = self._said.decode("utf-8", "backslashreplace")
        self.answers.append(text)
        answer = json_object(text)
        self._record_frame("received", text, answer)
        code, name = answer.get("code"), answer.get("class")
        self.frame_code = code if isinstance(code, int) else None
        if name == "SessionResponse" and code == 200:
            self.ok = True
            return "SessionResponse 200 (lane frame)"
        if isinstance(code, int) and code != 200:
            raise StepFailed(f"{name} {code} (lane frame): {str(answer.get('body', ''))[:200]}")
        return None  # such as a SignIn presence that precedes the SessionResponse on a step-up

    def _closed_note(self) -> str:
        received = self.protocol.close_rcvd
        self.close_code = received.code if received else 1006
        self._record(
            "close", step="configure", lane="close", direction="received", close_code=self.close_code
        )
        return f"closed by the server: {describe_close(self.close_code)} (lane close)"

    async def close(self) -> None:
        """Close the socket, politely if it is open; never raise."""
        if self.dial.writer is None:
            return
        try:
            async with asyncio.timeout(1.0):
                if self.protocol.state.name == "OPEN":
                    self.protocol.send_close(1000)
                    await self._flush()
                    while not self._over:
                        await self._read()
                self.dial.writer.close()
                await self.dial.writer.wait_closed()
        except (OSError, EOFError, TimeoutError):
            self.dial.writer.transport.abort()
        except asyncio.CancelledError:
            self.dial.writer.transport.abort()
            raise

    async def _read(self) -> None:
        assert self.dial.reader is not None
        data = await self.dial.reader.read(65536)
        if self.response is None:
            self.received += data
        if data and len(self.received) <= MAX_ANSWER:
            self.protocol.receive_data(data)
        elif self._eof:
            raise EOFError("the connection was cut")
        else:
            self._eof = True
            self.protocol.receive_eof()
        if self.response is not None and not self._eof:
            await self._flush()  # pongs, and the answer to a close frame

    async def _flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                await self._write(data)

    async def _write(self, data: bytes) -> None:
        assert self.dial.writer is not None
        self.dial.writer.write(data)
        await self.dial.writer.drain()

    def _record(self, kind: str, **fields: Any) -> Any:
        return self.log.record(
            kind,
            stage="handshake",
            attempt=self.number,
            url=self.plan.url,
            credential=self.plan.credential,
            placement=self.plan.placement,
            **fields,
        )

    def _record_frame(self, direction: str, text: str, parsed: dict[str, Any] | None = None) -> None:
        frame = json_object(text) if parsed is None else parsed
        code = frame.get("code")
        self._record(
            "frame",
            step="configure",
            lane="frame",
            direction=direction,
            raw=text,
            parsed=frame,
            size=len(text.encode()),
            action=_string(frame.get("action")),
            class_name=_string(frame.get("class")),
            frame_code=code if isinstance(code, int) else None,
            tracing_id=_string(frame.get("tracingId")),
        )


def _outcome(wire: _Wire, facts: dict[str, Any]) -> Attempt:
    redact, plan, response = wire.log.redact, wire.plan, wire.response
    status = response.status_code if response else None
    body = "" if response is None or status == 101 else redact(_text(bytes(response.body)))
    headers = _redacted(response.headers.raw_items(), redact) if response else ()
    sent_headers = [*plan.headers, *([("Origin", plan.origin)] if plan.origin is not None else [])]
    first_frame = redact(wire.first_frame) if wire.first_frame is not None else None
    answers = tuple(redact(answer) for answer in wire.answers)
    failed = next((step for step in wire.performed if not step.ok), None)
    evidence = Evidence.of(
        url=redact(plan.url),
        method="GET",
        headers=_redacted(sent_headers, redact),
        subprotocols=tuple(redact(name) for name in plan.subprotocols),
        token_kind=plan.credential.value,
        placement=plan.placement.value,
        first_frame=first_frame,
        http_status=status,
        response_headers=headers,
        body=body if response is not None and status != 101 else None,
        frame=answers[-1] if answers else None,
        close_code=wire.close_code,
        session_ready=wire.ok,
        failed_step=failed.name if failed else None,
        failed_note=failed.note if failed else None,
        **facts,
    )
    return Attempt(
        number=wire.number,
        url=redact(plan.url),
        credential=plan.credential.value,
        placement=plan.placement.value,
        origin=plan.origin,
        steps=tuple(wire.performed),
        request=redact(_text(wire.request)),
        response=redact(_text(wire.received)),
        http_status=status,
        response_headers=headers,
        body=body,
        body_size=len(response.body) if response is not None else 0,
        first_frame=first_frame,
        answers=answers,
        frame_code=wire.frame_code,
        close_code=wire.close_code,
        ok=wire.ok,
        evidence=evidence,
        diagnosis=diagnose(evidence),
        proxy=redact(wire.dial.proxy.url) if wire.dial.proxy else None,
        ca_file=str(wire.dial.ca_file) if wire.dial.ca_file else None,
    )


def _redacted(
    headers: Iterable[tuple[str, str]], redact: Callable[[str], str]
) -> tuple[tuple[str, str], ...]:
    """Mask header values; the redactor judges a line by its name."""
    lines = (redact(f"{name}: {value}").partition(": ") for name, value in headers)
    return tuple((name, value) for name, _, value in lines)


def _parsed(url: str, log: Log) -> WebSocketURI:
    try:
        return parse_uri(url)
    except (InvalidURI, ValueError, InvalidHandshake) as error:
        raise InputError(
            log.redact(f"{url!r} cannot be opened as a WebSocket."),
            why=log.redact(f"It is no ws:// or wss:// URL: {error}."),
            next_step="Use the form wss://webmessaging.{region}/v1?deploymentId={deployment id}.",
        ) from None


def _origin(plan: Plan) -> Origin | None:
    return plan.origin  # type: ignore[return-value] # a NewType of str


def _subprotocols(plan: Plan) -> list[Subprotocol] | None:
    return list(plan.subprotocols) or None  # type: ignore[arg-type] # a NewType of str


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
