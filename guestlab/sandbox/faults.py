"""Faults: named ways to misbehave, on purpose, seeded and so repeatable.

Faults of the link (cut at a byte, close with a code), of the stream of frames (late, out of order, twice,
lost, corrupt), of answers (an upgrade, a frame or a REST call refused) and of time (something expires now).
All are off until switched on; `clear()` switches them off. They act below the services, which know nothing
of them.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guestlab.errors import InputError
from guestlab.sandbox import fault_checks as check
from guestlab.sandbox.corruption import CORRUPTIONS
from guestlab.sandbox.frames import FrameRefusal, TooFast
from guestlab.sandbox.outbox import Due

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.sandbox.frames import Asked
    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.sessions import Connection

__all__ = [
    "Chance",
    "Faults",
    "Refused",
]

HELD_SECONDS = 0.05
"""A frame held back for reordering goes out after this time at the latest."""


@dataclass(slots=True)
class Chance:
    """A fault that strikes with a probability, perhaps a limited number of times."""

    probability: float
    times: int | None
    value: Any = None

    def strikes(self, source: random.Random) -> bool:
        """Whether it strikes now."""
        if self.times == 0 or source.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(slots=True)
class Refused:
    """An answer given instead of the real one, so many times."""

    times: int | None
    status: int
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    path: str = "/"
    action: str | None = None
    wait: float | None = None

    def take(self) -> bool:
        """Use it once, if there is any use left."""
        if self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The faults of one sandbox; every verb may be called from any thread."""

    def __init__(self, messaging: Messaging) -> None:
        self._messaging = messaging
        self._held: dict[Connection, list[list[Any]]] = {}
        self.clear()

    def __repr__(self) -> str:
        on = [*self._chances, *(["drop"] if self._cuts else [])]
        on += [name for name, row in self._refusals.items() if row.times != 0]
        return f"Faults({', '.join(on) or 'none'})"

    # -- the link --------------------------------------------------------------------------------------

    def drop(self, after_bytes: int | tuple[int, int] = 0, *, times: int = 1) -> None:
        """Cut guest sockets without a close frame, each after so many more sent bytes.

        Args:
            after_bytes: A count, or a range from which each cut is drawn.
            times: How many links are cut: the open ones first, then those that follow.
        """
        after, often = check.after_bytes(after_bytes), check.count("times", times)

        def there() -> None:
            for _ in range(often):
                self._cuts.append(self._random.randint(*after) if isinstance(after, tuple) else after)
            for connection in tuple(self._messaging.connections):
                self.on_open(connection)

        self._there(there)

    def close(self, code: int = 1001, reason: str = "") -> None:
        """Close every open guest socket with a code (lane: close)."""
        check.text("reason", reason)
        check.count("code", code)
        if not (1000 <= code <= 1014 and code not in {1004, 1005, 1006}) and not 3000 <= code <= 4999:
            raise InputError(
                f"{code} cannot be sent as a close code.",
                why="RFC 6455 keeps it for what has no close frame, or does not define it.",
                next_step="Use 1000, 1001, 1011, 3000-4999…; for a lost link use faults.drop().",
            )

        def there() -> None:
            for connection in tuple(self._messaging.connections):
                connection.close(code, reason)

        self._there(there)

    # -- the stream of frames ----------------------------------------------------------------------------

    def delay(self, seconds: float, *, jitter: float = 0.0, times: int | None = None) -> None:
        """Send every frame so much later, their order kept; jitter adds up to so much more."""
        self._switch(
            "delay",
            Chance(
                1.0,
                check.how_often(times),
                (check.number("seconds", seconds), check.number("jitter", jitter)),
            ),
        )

    def reorder(self, *, window: int = 3, probability: float = 0.3, times: int | None = None) -> None:
        """Hold pushed frames back behind up to `window` later ones."""
        often = check.how_often(times)
        self._switch(
            "reorder", Chance(check.probability(probability), often, check.count("window", window, least=1))
        )

    def duplicate(self, *, probability: float = 1.0, times: int | None = None) -> None:
        """Send pushed frames twice."""
        self._switch("duplicate", Chance(check.probability(probability), check.how_often(times)))

    def lose(self, *, probability: float = 1.0, times: int | None = None) -> None:
        """Never send pushed frames; history has them all the same."""
        self._switch("lose", Chance(check.probability(probability), check.how_often(times)))

    def corrupt(self, how: str | None = None, *, probability: float = 1.0, times: int | None = None) -> None:
        """Damage frames; `how` is one of `CORRUPTIONS`, None draws one each time."""
        if how is not None:
            check.one_of("how", how, CORRUPTIONS)
        self._switch("corrupt", Chance(check.probability(probability), check.how_often(times), how))

    # -- answers -----------------------------------------------------------------------------------------

    def refuse(
        self,
        status: int,
        body: str = "",
        *,
        headers: tuple[tuple[str, str], ...] = (),
        times: int | None = 1,
    ) -> None:
        """Refuse upgrades with an HTTP status; no backend sees them."""
        answer = (check.status(status), check.text("body", body), check.pairs(headers))
        self._refuse("upgrade", Refused(check.how_often(times), *answer))

    def rate_limit(self, retry_after: float = 3.0, *, times: int | None = 1) -> None:
        """Answer the guest's next messages with 429 (class TooManyRequestsErrorMessage)."""
        wait = check.number("retry_after", retry_after)
        self._refuse("rate limit", Refused(check.how_often(times), 429, wait=wait, action="onMessage"))

    def refuse_frame(self, code: int, text: str, *, action: str | None = None, times: int | None = 1) -> None:
        """Answer the guest's next frames with a `string` error (lane: frame)."""
        if action is not None:
            check.text("action", action)
        answer = (check.count("code", code, least=100), check.text("text", text))
        self._refuse("frame", Refused(check.how_often(times), *answer, action=action))

    def fail(
        self, status: int, *, path: str = "/", retry_after: int | None = None, times: int | None = 1
    ) -> None:
        """Answer REST calls below a path with a bare HTTP status, as a broken gateway in front would."""
        headers: tuple[tuple[str, str], ...] = ()
        if retry_after is not None:
            headers = (("Retry-After", str(check.count("retry_after", retry_after))),)
        often, below = check.how_often(times), check.text("path", path)
        self._refuse("REST", Refused(often, check.status(status), headers=headers, path=below))

    def slow(self, seconds: float, *, path: str = "/", times: int | None = None) -> None:
        """Answer REST calls below a path so much later, each on its own."""
        wait, below = check.number("seconds", seconds), check.text("path", path)
        self._switch("slow", Chance(1.0, check.how_often(times), (below, wait)))

    def configure_slowly(self, seconds: float = 0.1, *, times: int | None = None) -> None:
        """Let a session be configured so much later; what is sent before its SessionResponse gets 4007.

        For clients that say something without waiting for the SessionResponse. That an action before it is
        answered with 4007 is known of the official SDKs; how long the cloud takes is not documented (level:
        inferred), so that the sandbox answers at once unless told otherwise.
        """
        wait = check.number("seconds", seconds)
        self._switch("slow configure", Chance(1.0, check.how_often(times), wait))

    # -- time --------------------------------------------------------------------------------------------

    def expire(self, what: str = "session") -> None:
        """Let something be over now: session, history, sign-in, access-token or links."""
        check.one_of("what", what, EXPIRIES)
        self._there(lambda: EXPIRIES[what](self._messaging))

    # -- all of them -------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Switch every fault off, and begin the seeded choices anew."""
        self._there(self._clear)

    def _clear(self) -> None:
        self._random = random.Random(f"{self._messaging.world.seed}/faults")  # noqa: S311 - repeatable
        self._cuts: deque[int] = deque()
        self._chances: dict[str, Chance] = {}
        self._refusals: dict[str, Refused] = {}
        self.bends = False
        for connection in tuple(self._held):
            self._flush(connection)

    def _there(self, function: Callable[[], Any]) -> None:
        self._messaging.world.call(function)

    def _switch(self, name: str, chance: Chance) -> None:
        def there() -> None:
            self._chances[name] = chance
            self.bends = True

        self._there(there)

    def _refuse(self, name: str, refused: Refused) -> None:
        self._there(lambda: self._refusals.update({name: refused}))

    # -- where the services meet them ------------------------------------------------------------------------

    def on_upgrade(self) -> Refused | None:
        """The answer to give instead of the gateway's."""
        row = self._refusals.get("upgrade")
        return row if row is not None and row.take() else None

    def on_call(self, path: str) -> Refused | None:
        """The answer to give instead of a REST service's."""
        row = self._refusals.get("REST")
        if path.startswith("/sandbox/"):  # the control plane must be able to switch it off
            return None
        return row if row is not None and path.startswith(row.path) and row.take() else None

    def on_wait(self, path: str) -> float:
        """How many seconds a REST call is to wait."""
        below, wait = self._chances["slow"].value if "slow" in self._chances else ("/", 0.0)
        struck = (
            wait and path.startswith(below) and not path.startswith("/sandbox/") and self._strikes("slow")
        )
        return float(wait) if struck else 0.0

    def on_open(self, connection: Connection) -> None:
        """A socket is open: it may be one that is to be cut."""
        if self._cuts and connection.wire is not None and not connection.wire.will_be_cut:
            connection.wire.cut_after(self._cuts.popleft())

    def on_configure(self) -> float:
        """How many seconds a configuration is to take."""
        return self._chances["slow configure"].value if self._strikes("slow configure") else 0.0

    def on_frame(self, asked: Asked) -> None:
        """A client frame: it may be one that is to be refused."""
        row = self._refusals.get("rate limit")
        if row is not None and row.action == asked.action and row.take():
            raise TooFast(row.wait or 1.0, "Message rate too high for this session")
        row = self._refusals.get("frame")
        if row is not None and row.action in {None, asked.action} and row.take():
            raise FrameRefusal(row.status, row.body)

    def bend(self, connection: Connection, frame: dict[str, Any], text: str) -> None:
        """Send a frame the way the faults want it."""
        pushed = frame.get("type") == "message"
        item: str | bytes = text
        if pushed and self._strikes("lose"):
            return
        corrupt = self._chances.get("corrupt")
        if corrupt is not None and corrupt.strikes(self._random):
            how = corrupt.value or self._random.choice(tuple(CORRUPTIONS))
            item = CORRUPTIONS[how](text, self._random)
        copies = 2 if pushed and self._strikes("duplicate") else 1
        for _ in range(copies):
            if pushed and self._strikes("reorder"):
                self._hold(connection, item)
            else:
                self._emit(connection, item)
                self._release(connection)

    def _strikes(self, name: str) -> bool:
        chance = self._chances.get(name)
        return chance is not None and chance.strikes(self._random)

    def _emit(self, connection: Connection, item: str | bytes) -> None:
        delay = self._chances.get("delay")
        if delay is None or not delay.strikes(self._random):
            connection.put(item)
            return
        seconds, jitter = delay.value
        due = asyncio.get_running_loop().time() + seconds + self._random.random() * jitter
        connection.last_due = max(due, connection.last_due)
        connection.put(Due(connection.last_due, item))

    def _hold(self, connection: Connection, item: str | bytes) -> None:
        window = self._chances["reorder"].value
        held = self._held.setdefault(connection, [])
        held.append([self._random.randint(1, window), item])
        if len(held) == 1:
            asyncio.get_running_loop().call_later(HELD_SECONDS, self._flush, connection)

    def _release(self, connection: Connection) -> None:
        held = self._held.get(connection)
        if not held:
            return
        for row in held:
            row[0] -= 1
        for row in [row for row in held if row[0] <= 0]:
            held.remove(row)
            self._emit(connection, row[1])

    def _flush(self, connection: Connection) -> None:
        for _, item in self._held.pop(connection, ()):
            connection.put(item)


def _expire_sessions(messaging: Messaging) -> None:
    for session in messaging.sessions:
        messaging.expire(session)


def _expire_history(messaging: Messaging) -> None:
    messaging.history_tokens.expire()


def _expire_sign_ins(messaging: Messaging) -> None:
    messaging.sign_ins.expire()


def _expire_links(messaging: Messaging) -> None:
    messaging.uploads.expire_links()


def _expire_access_tokens(messaging: Messaging) -> None:
    messaging.world.tokens.clear()


EXPIRIES: dict[str, Callable[[Messaging], None]] = {
    "session": _expire_sessions,
    "history": _expire_history,
    "sign-in": _expire_sign_ins,
    "access-token": _expire_access_tokens,
    "links": _expire_links,
}
"""What can be made to expire."""
