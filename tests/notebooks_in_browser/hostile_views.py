"""Every view there is, filled with one hostile text: in a kernel, for a browser to look at.

`VIEWS` names each class that a notebook shows and what makes one. What a server, a person or a file could have put
into a field is the text; states, numbers and enumerations stay what they must be.
"""

from __future__ import annotations

import enum
from dataclasses import fields, is_dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import guestlab as gl
from guestlab import display as static
from guestlab import drills
from guestlab.authorization_code import AuthorizationCode
from guestlab.errors import GuestlabError
from guestlab.handshake.comparison import compare
from guestlab.handshake.matrix import vary
from guestlab.handshake.rules import RuleTable
from guestlab.platform_api import Conversation
from guestlab.widgets.attempt_view import AttemptView
from guestlab.widgets.budget_view import BudgetView
from guestlab.widgets.channel_view import ChannelView
from guestlab.widgets.chooser import Chooser
from guestlab.widgets.exchanges import Exchange
from guestlab.widgets.log_view import LogView
from guestlab.widgets.matrix_run_view import MatrixRun
from guestlab.widgets.matrix_view import MatrixView
from guestlab.widgets.panels import error_html
from guestlab.widgets.sequence_view import SequenceView, of_attempt, of_session
from guestlab.widgets.stage_token import TokenView
from guestlab.widgets.stages import Told
from guestlab.widgets.stepper import Stepper
from tests.widgets.chat_frames import HOSTILE, hostile_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.handshake.attempt import Attempt
    from guestlab.lab import Lab
    from guestlab.tokens import AccessToken

__all__ = ["ELSEWHERE", "TEXTS", "VIEWS", "show"]

_MARKUP = ("script", "image", "svg", "attribute", "double", "style", "frame", "link", "formula", "data")
TEXTS = {
    "markup": " ".join(HOSTILE[name] for name in _MARKUP),
    "address": HOSTILE["javascript"],
    "long and turned": HOSTILE["bidi"] + HOSTILE["many lines"][:500] + HOSTILE["long word"][:3_000],
}
"""Name → a text for every field; what must stand first in a field to do harm has one of its own."""

_KEPT = {"name", "state", "credential", "placement", "level", "confidence", "kind", "grant", "language"}
"""Fields whose values are words of ours."""


def poisoned(thing: Any, h: str) -> Any:
    """The same with the text in every field that holds text."""
    if isinstance(thing, enum.Enum) or thing is None:
        return thing
    if isinstance(thing, str):
        return h
    if isinstance(thing, tuple):
        made = [poisoned(one, h) for one in thing]
        return type(thing)(*made) if hasattr(thing, "_fields") else tuple(made)
    if isinstance(thing, dict):
        return {key: poisoned(value, h) for key, value in thing.items()} | {h: h}
    if is_dataclass(thing):
        changed = {
            part.name: poisoned(getattr(thing, part.name), h)
            for part in fields(thing)
            if part.init and part.name not in _KEPT
        }
        return replace(thing, **changed)
    return thing


def _filled(lab: Lab, h: str) -> None:
    """Rows of the log with the text in every column that takes one."""
    texts = ("method", "url", "action", "class_name", "message_id", "tracing_id", "correlation_id", "note")
    texts = (*texts, "conversation_id", "message_type", "originating_entity", "content_types", "event_types")
    texts = (*texts, "text", "raw", "credential", "placement", "session")
    for kind in ("frame", "request", "response", "note"):
        lab.log.record(kind, **dict.fromkeys(texts, h))


def _attempts(lab: Lab, h: str) -> tuple[Attempt, Attempt]:
    """One that was refused and one that opened."""
    refused, opened = lab.handshake_as_asked(), lab.handshake()
    return poisoned(refused, h), replace(poisoned(opened, h), ok=True)


def _matrix(lab: Lab, h: str) -> Any:
    made = lab.matrix(credentials=["none", "garbage"], placements=["query"], deployments=["missing", "right"])
    plan = vary(["none", "garbage"], ["query"], [h, "missing"], [h, "own"], crossed=True)
    cells = tuple(
        replace(poisoned(replace(cell, setting=setting), h), setting=setting)
        for cell, setting in zip(made.cells, plan.settings, strict=False)
    )
    return replace(made, plan=plan, where=h, cells=cells)


def _token(lab: Lab, h: str) -> AccessToken:
    return replace(lab.token(), scope=h, masked=h, region=h, owner=h)


def _conversation(h: str) -> Conversation:
    return Conversation(id=h, message_id=h, integration_id=h, participants=(h, h), note=h)


def _error(h: str) -> GuestlabError:
    return GuestlabError(h, why=h, next_step=h, evidence=(h, h))


def _stepper(lab: Lab, h: str) -> Stepper:
    """Every stage both told and wrong, as if the server had said so."""
    stepper = Stepper(lab, text=h, scope=h, endpoint=h)
    exchange = Exchange(title=h, request=h, reply=h, http_status=500, duration_ms=1.0, level=h)
    refused, opened = _attempts(lab, h)
    told = {"runs": 1, "exchanges": (exchange, exchange), "why_stale": h, "state": "stale", "was": "failed"}
    stepper.stages._told = {
        "token": Told(token=_token(lab, h), **told),
        "conversation": Told(conversation=_conversation(h), error=_error(h), **told),
        "handshake": Told(refused=refused, opened=opened, error=_error(h), **told),
    }
    return stepper


def _channel(lab: Lab, h: str) -> Any:
    channel = lab.channel([f"v2.routing.queues.{lab.sandbox.queue_id}.conversations.messages"])
    channel.core.rejected[h] = h
    for _ in range(3):
        lab.log.record(
            "frame", stage="channel", session=channel.name, class_name=h, conversation_id=h, text=h, raw=h,
            direction="received",
        )  # fmt: skip
    return channel


def _chat(lab: Lab, h: str) -> Any:
    from guestlab.bridge import bridge

    session = lab.session()
    for frame in hostile_frames(h):
        bridge.loop().call_soon_threadsafe(session.core._exchange._receive, frame)
    return session


def _log_view(lab: Lab, h: str) -> LogView:
    _filled(lab, h)
    view = LogView(lab.log)
    view.choose(len(lab.log))
    return view


def _matrix_view(lab: Lab, h: str) -> MatrixView:
    matrix = _matrix(lab, h)
    view = MatrixView(matrix)
    view.choose(matrix.cells[0].setting.row, matrix.cells[0].setting.column)
    return view


def _matrix_run(lab: Lab, h: str) -> MatrixRun:
    matrix = _matrix(lab, h)
    run = MatrixRun(lab, matrix.plan)
    run._made, run._trouble = list(matrix.cells), error_html(_error(h))
    run._view.take(matrix)
    return run


def _drill(lab: Lab, h: str) -> drills.Drill:
    drill = lab.drill("stranger")
    drill._exhibit = poisoned(drill._exhibit, h)
    drill._exercise = drill._exercise._replace(title=h, story=h)
    return drill


def _sequences(lab: Lab, h: str) -> SequenceView:
    return SequenceView(of_session(lab.log, _chat(lab, h).name))


def _customer(h: str) -> static.View:
    stand_in = SimpleNamespace(id=h, integration_id=h, conversation_id=h, webhook_url=h)
    return static.View(h, static.customer_html(stand_in))


def _sign_in(lab: Lab, h: str) -> AuthorizationCode:
    made = AuthorizationCode(lab.region, h.encode("utf-8", "replace").decode(), log=lab.log)  # it is typed in
    made.unheard = _error(h)
    return made


def _plot(lab: Lab, h: str) -> Any:
    return gl.analysis.plot_attempt(_attempts(lab, h)[0])


VIEWS: dict[str, Callable[[Lab, str], Any]] = {
    "Attempt": lambda lab, h: _attempts(lab, h)[0],
    "AttemptView": lambda lab, h: AttemptView(*_attempts(lab, h), lab=lab),
    "AuthorizationCode": _sign_in,
    "BudgetView": lambda lab, h: (_filled(lab, h), BudgetView(lab.log))[1],
    "ChannelView": lambda lab, h: ChannelView(_channel(lab, h)),
    "Chat": lambda lab, h: _chat(lab, h).chat(),
    "Chooser": lambda lab, h: Chooser(),
    "Comparison": lambda lab, h: compare(*_attempts(lab, h)),
    "Conversation": lambda lab, h: _conversation(h),
    "Customer": lambda lab, h: _customer(h),
    "Diagnosis": lambda lab, h: _attempts(lab, h)[0].diagnosis,
    "Drill": _drill,
    "LogView": _log_view,
    "MatrixRun": _matrix_run,
    "MatrixView": _matrix_view,
    "Plot": _plot,
    "Preflight": lambda lab, h: poisoned(lab.preflight(), h),
    "RuleTable": lambda _, h: RuleTable((replace(gl.RULES[0], name=h, what=h),)),
    "SequenceView": _sequences,
    "SequenceView of an attempt": lambda lab, h: SequenceView(of_attempt(_attempts(lab, h)[0])),
    "Stepper": _stepper,
    "TokenView": lambda lab, h: TokenView(_token(lab, h)),
    "View": lambda lab, h: _drill(lab, h).solution(),
}
"""Class that a notebook shows → one of it with the text in its fields."""

ELSEWHERE = {
    "AccessToken": "TokenView",
    "Channel": "ChannelView",
    "Lab": "Stepper",
    "LiveView": "each of its kinds",
    "Log": "LogView",
    "Matrix": "MatrixView",
    "Session": "Chat",
}
"""Class that shows itself by another view → that one."""


def show(lab: Lab, name: str) -> None:
    """Display every view with the named text: the static form, trusted, and the widget where there is one."""
    from IPython.display import HTML, clear_output, display

    clear_output()
    for view, build in VIEWS.items():
        made = build(lab, TEXTS[name])
        bundle = made._repr_mimebundle_()
        if isinstance(bundle, tuple):  # data and metadata, of a picture
            display(HTML(f'<p class="hostile">{view}</p>'), made)
            continue
        display(HTML(f'<div class="hostile" data-view="{view}">{bundle["text/html"]}</div>'))
        if hasattr(made, "widget"):
            display(made.widget)
            made.refresh.flush()
    display(HTML(f'<p class="hostile-end">{name}</p>'))
