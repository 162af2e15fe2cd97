"""Before stage one: which of the three doors is meant? Three questions, one answer, and why.

The questions are those that tell a guest socket, a notification channel and Open Messaging apart; the answer
is a row of a table. Static, it is the table itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.widgets import theme
from guestlab.widgets.view import LiveView, markup, stack

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DOORS", "QUESTIONS", "Chooser", "Door", "Question", "choose"]


class Door(NamedTuple):
    """One way in."""

    name: str
    takes: str
    """Which credential it takes."""
    verb: str
    """What to call in the lab."""
    level: str


class Question(NamedTuple):
    """One question and its answers: word → sentence."""

    name: str
    text: str
    answers: dict[str, str]


DOORS = {
    "guest socket": Door(
        "Guest socket",
        "no OAuth token: a deploymentId in the URL and a UUID of your own in the first frame",
        "lab.session()",
        "documented",
    ),
    "notification channel": Door(
        "Notification channel",
        "an OAuth access token, of a user or of a client with the topic's permission",
        'lab.channel(["v2.…"])',
        "official",
    ),
    "Open Messaging": Door(
        "Open Messaging",
        "an OAuth access token without a user, an integration, and a webhook that the cloud can reach",
        "lab.customer()",
        "official",
    ),
}

QUESTIONS = (
    Question(
        "side",
        "On whose side is your program?",
        {
            "guest": "the guest's: it says what a customer says",
            "organisation": "the organisation's: it watches agents, queues, conversations",
        },
    ),
    Question(
        "place",
        "Where does it speak from?",
        {
            "device": "a page, an app or a test that is one guest",
            "server": "a server of ours that speaks for many customers",
        },
    ),
    Question(
        "answers",
        "How shall answers come?",
        {
            "socket": "at once, over a socket that we open",
            "webhook": "by HTTPS to a webhook of ours",
        },
    ),
)

# (side, place, answers) → (door, why). An answer that does not matter is "".
_CHOICES: tuple[tuple[tuple[str, str, str], str, str], ...] = (
    (
        ("organisation", "", "webhook"),
        "notification channel",
        (
            "Watching is what notification topics are for. They come over a socket only; for HTTPS the "
            "platform has an event bridge, which this lab does not play."
        ),
    ),
    (
        ("organisation", "", ""),
        "notification channel",
        (
            "Watching is what notification topics are for: the access token of stage one opens this "
            "socket, and not the guest's."
        ),
    ),
    (
        ("guest", "device", "socket"),
        "guest socket",
        (
            "One guest, one socket, like the messenger on a web page. It knows no users of the "
            "organisation, so no OAuth token opens it."
        ),
    ),
    (
        ("guest", "device", "webhook"),
        "guest socket",
        "A device has no webhook that the cloud could reach; the guest's answers come over its own socket.",
    ),
    (
        ("guest", "server", "webhook"),
        "Open Messaging",
        "A channel of your own: your server posts what customers say and receives what agents answer.",
    ),
    (
        ("guest", "server", "socket"),
        "guest socket",
        (
            "Without a webhook, a server plays each guest over a socket of its own; the limits per "
            "deployment count. With a webhook, Open Messaging would be the better fit."
        ),
    ),
)


def choose(side: str, place: str, answers: str) -> tuple[Door, str]:
    """Return the door for three answers, and why.

    >>> choose("guest", "device", "socket")[0].verb
    'lab.session()'
    """
    given = (side, place, answers)
    for wanted, door, why in _CHOICES:
        if all(want in {"", have} for want, have in zip(wanted, given, strict=True)):
            return DOORS[door], why
    raise KeyError(given)


class Chooser(LiveView):
    """The three questions, as radio buttons.

    Args:
        changed: Called when an answer changes.
    """

    def __init__(self, changed: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._changed = changed
        self._asked: dict[str, Any] = {}
        self._answer: Any = None

    @property
    def answers(self) -> dict[str, str]:
        """What is chosen; the first answer of each question before anything was."""
        return {
            question.name: self._asked[question.name].value
            if question.name in self._asked
            else next(iter(question.answers))
            for question in QUESTIONS
        }

    @property
    def door(self) -> Door:
        """The door for what is chosen."""
        return choose(**self.answers)[0]

    def build(self) -> Any:
        """Make the questions and the answer."""
        import ipywidgets as w

        children = []
        for question in QUESTIONS:
            asked = w.RadioButtons(
                options=[(text, word) for word, text in question.answers.items()],
                description=question.text,
                layout={"width": "max-content"},
                style={"description_width": "230px"},
            )
            asked.observe(lambda _: self._poked(), "value")
            self._asked[question.name] = asked
            children.append(asked)
        self._answer = markup(self._answer_html())
        return stack(*children, self._answer)

    def paint(self) -> None:
        """Show the answer."""
        if self._answer is not None:
            self._answer.value = self._answer_html()

    def html(self) -> str:
        """All answers as a table."""
        rows = [
            (" · ".join(QUESTIONS[n].answers[word] for n, word in enumerate(wanted) if word),
             DOORS[door].name, why, DOORS[door].takes, DOORS[door].verb)
            for wanted, door, why in _CHOICES
        ]  # fmt: skip
        return "<h4>Which door?</h4>" + theme.table(
            ("If it is", "take the", "because", "it takes", "call"), rows
        )

    def text(self) -> str:
        """The answer in one line."""
        door, why = choose(**self.answers)
        return f"{door.name}: {why}"

    def _poked(self) -> None:
        self.refresh.poke()
        self._changed()

    def _answer_html(self) -> str:
        door, why = choose(**self.answers)
        rows = (
            (theme.Markup("<b>Take the</b>"), theme.Markup(f"<b>{theme.escape(door.name)}</b>")),
            ("because", why),
            ("it takes", f"{door.takes} (level: {door.level})"),
            ("call", theme.Markup(f"<code>{theme.escape(door.verb)}</code>")),
        )
        return f'<div class="gl-note">{theme.table((), rows)}</div>'
