"""The tour: the forum question's story, performed for real on the embedded sandbox.

`perform_tour` does the things and returns what happened as a `Story`; `Story.lines()` tells it to a person,
`Story.document()` to a machine. Nothing is told that was not done: every figure comes from the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guestlab.lab import Lab
from guestlab.protocol.events import MessageReceived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.errors import PlatformError
    from guestlab.handshake.attempt import Attempt
    from guestlab.platform_api import Conversation
    from guestlab.protocol.messages import Message
    from guestlab.tokens import AccessToken

__all__ = ["Story", "perform_tour"]

ANSWER = "No: no OAuth token of any kind opens the guest socket."
CURE = (
    "It takes a deploymentId in the URL, an Origin if the deployment restricts its domains, "
    "and a UUID you make yourself in the first frame."
)
TABLE = (
    "seq",
    "kind",
    "direction",
    "http_status",
    "frame_code",
    "close_code",
    "action",
    "class_name",
    "text",
)
"""The columns of the log that the tour prints."""

QUIET = 2.0
"""Seconds without a further message after which the bot counts as finished."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """What the tour did."""

    lab: Lab
    token: AccessToken
    asked_path: PlatformError
    conversation: Conversation
    as_asked: tuple[Attempt, ...]
    """The question's handshake, the token in the query and in the header."""
    handshake: Attempt
    messages: tuple[Message, ...]

    @property
    def held(self) -> bool:
        """Whether everything went as the story says."""
        refused = all(attempt.http_status == 401 and not attempt.body_size for attempt in self.as_asked)
        answered = any(message.direction == "Outbound" for message in self.messages)
        return refused and self.handshake.ok and answered

    def document(self) -> dict[str, Any]:
        """The story as one JSON object."""
        return {
            "answer": ANSWER,
            "cure": CURE,
            "region": self.lab.region.name,
            "token": {
                "masked": self.token.masked,
                "grant": self.token.grant,
                "expires_at": self.token.expires_at.isoformat() if self.token.expires_at else None,
                "owner": self.token.owner,
                "good_for": [str(door) for door in self.token.good_for],
            },
            "asked_path": {"http_status": self.asked_path.http_status, "meant": self.asked_path.next_step},
            "conversation": {"id": self.conversation.id, "note": self.conversation.note},
            "as_asked": [_attempt_document(attempt) for attempt in self.as_asked],
            "handshake": _attempt_document(self.handshake),
            "messages": [_message_document(message) for message in self.messages],
            "backend_log": self._backend_lines(),
            "log_entries": len(self.lab.log),
            "held": self.held,
        }

    def lines(self) -> Iterator[str]:
        """The story for a terminal, line by line; a line that begins with "#" is a heading."""
        yield ANSWER
        yield CURE
        yield f"See for yourself, on the embedded sandbox at {self.lab.region.api_url}. The sandbox plays the"
        yield "cloud as far as it is known; every finding names its level, from official down to inferred."
        yield from self._token_lines()
        yield from self._conversation_lines()
        yield from self._refusal_lines()
        yield from self._handshake_lines()
        yield from self._chat_lines()
        yield from self._log_lines()
        yield "# The way on"
        yield "In a notebook: notebooks/01_first_session.ipynb. In Python: import guestlab as gl; gl.Lab()."
        yield "Your own region: gl.Lab('mypurecloud.de', deployment_id='...'), then the same calls."

    def _token_lines(self) -> Iterator[str]:
        yield "# 1 Token: a client-credentials token is issued, and it is good"
        yield f"  {self.token!r}"
        yield f"  proved live by GET /api/v2/tokens/me: it belongs to {self.token.owner}"
        yield from (f"  {'✓' if door.opens else '✗'} {door}" for door in self.token.good_for)

    def _conversation_lines(self) -> Iterator[str]:
        yield "# 2 Conversation: what the token can do over REST"
        yield f"  as asked: {self.asked_path.what}"
        yield f"    {self.asked_path.next_step}"
        participants = ", ".join(self.conversation.participants)
        yield f"  conversation {self.conversation.id}, participants {participants}"
        yield f"    {self.conversation.note}"

    def _refusal_lines(self) -> Iterator[str]:
        yield "# 3 Handshake, as asked: refused"
        for attempt in self.as_asked:
            yield f"  token in the {attempt.placement}: {attempt.verdict}"
            yield from (f"    {step}" for step in attempt.steps)
            yield from (f"    > {line}" for line in attempt.request.strip().splitlines())
            yield from (f"    < {line}" for line in attempt.response.strip().splitlines())
            for finding in attempt.diagnosis.findings:
                yield f"    finding {finding.rule} ({finding.known})"
                yield f"      what: {finding.what}"
                yield f"      why:  {finding.why}"
                yield f"      next: {finding.next_step}"

    def _handshake_lines(self) -> Iterator[str]:
        yield "# 3 Handshake, as it works"
        yield f"  {self.handshake.verdict}"
        yield from (f"    {step}" for step in self.handshake.steps)
        yield from (f"    > {line}" for line in self.handshake.request.strip().splitlines())
        yield f"    > {self.handshake.first_frame}"
        yield from (f"    < {line}" for line in self.handshake.response.strip().splitlines())
        yield from (f"    < {answer}" for answer in self.handshake.answers)

    def _chat_lines(self) -> Iterator[str]:
        yield "# The guest says hello, the bot answers"
        for message in self.messages:
            who = "guest" if message.direction == "Inbound" else "bot"
            yield f"  {who:>5}  {message.text}"

    def _log_lines(self) -> Iterator[str]:
        frame = self.lab.log.table()
        shown = frame[frame["session"].notna()]
        frame = shown[list(TABLE)]
        yield f"# The log: {len(self.lab.log)} entries as a DataFrame, lab.log.table(); those of the chat:"
        text = frame.to_string(index=False, na_rep="", max_colwidth=40)
        yield from (f"  {line}" for line in text.splitlines())
        yield "# What the sandbox's services logged, as the cloud's would: REST calls, no refused upgrade"
        yield from (f"  {line}" for line in self._backend_lines())

    def _backend_lines(self) -> list[str]:
        sandbox = self.lab.sandbox
        return [str(record) for record in sandbox.backend_log] if sandbox else []


def perform_tour() -> Story:
    """Run the three stages on a fresh sandbox and return what happened.

    Raises:
        GuestlabError: Something did not even start; what was logged until then is in the lab's log.
    """
    with Lab() as lab:
        token = lab.token()
        asked_path = lab.conversation_as_asked()
        conversation = lab.conversation()
        as_asked = (lab.handshake_as_asked("query"), lab.handshake_as_asked("header"))
        handshake = lab.handshake()
        with lab.session() as session:
            session.send("hello")
            event = session.next(MessageReceived, where=lambda e: e.message.direction == "Outbound")
            assert event.message.direction == "Outbound"
            messages = tuple(session.messages(quiet=QUIET))
        return Story(
            lab=lab,
            token=token,
            asked_path=asked_path,
            conversation=conversation,
            as_asked=as_asked,
            handshake=handshake,
            messages=messages,
        )


def _attempt_document(attempt: Attempt) -> dict[str, Any]:
    return {
        "verdict": attempt.verdict,
        "ok": attempt.ok,
        "step": attempt.step,
        "credential": attempt.credential,
        "placement": attempt.placement,
        "http_status": attempt.http_status,
        "body_size": attempt.body_size,
        "frame_code": attempt.frame_code,
        "steps": {step.name: round(step.duration_ms, 3) for step in attempt.steps},
        "findings": [finding.rule for finding in attempt.diagnosis.findings],
        "request": attempt.request,
        "response": attempt.response,
    }


def _message_document(message: Message) -> dict[str, Any]:
    return {"direction": message.direction, "type": message.type, "text": message.text}
