"""What the guest can choose just now, as buttons: quick replies, cards, carousels, time slots, lists, forms.

Built anew for each offer, from what the log holds of it. A click returns at once: `do` is given a function
that makes the coroutine. Where the log masked a payload the button says so instead of sending the mask.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from guestlab.protocol import content as c
from guestlab.widgets.contents import when_shown
from guestlab.widgets.forms import form_box, list_picker_box
from guestlab.widgets.theme import escape, link
from guestlab.widgets.view import button, markup, row, stack
from guestlab.widgets.wire_text import is_masked, plain, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.protocol.messages import Message

__all__ = ["Do", "choices_box"]


class Do(Protocol):
    """Does something in the background."""

    def __call__(
        self,
        what: str,
        make: Callable[[Any], Coroutine[Any, Any, Any]],
        *,
        done: Callable[[Any, Exception | None], object] | None = None,
        quiet: bool = False,
    ) -> None:
        """Return at once.

        Args:
            what: What is being done, in words.
            make: From the async session to a coroutine.
            done: Told of the outcome, or of the error, on the bridge's thread.
            quiet: Whoever asks shows errors by itself.
        """


_LONGEST = 60
"""Characters of a button's label."""

_MOST = 40
"""Buttons at most; an offer of more is answered by words."""


def choices_box(message: Message, do: Do) -> Any:
    """Make the box with everything a message offers."""
    parts = list(_parts(message, do))
    title = markup('<div class="gl-kind">Your answer</div>')
    return stack(title, *parts, classes=("gl-choices",)) if parts else None


def _parts(message: Message, do: Do) -> Iterator[Any]:
    replies = message.quick_replies[:_MOST]
    if replies:
        yield row(*(_choice(reply, message.id, do) for reply in replies))
    for value in message.content[:_MOST]:
        if isinstance(value, c.Card):
            yield _card(value, message.id, do)
        elif isinstance(value, c.Carousel):
            yield row(*(_card(card, message.id, do) for card in value.cards[:_MOST]), classes=("gl-cards",))
        elif isinstance(value, c.DatePicker):
            slots = [_slot(slot, message.id, do) for slot in value.available_times[:_MOST]]
            yield stack(_titled(value.title, value.subtitle), row(*slots))
        elif isinstance(value, c.ListPicker):
            yield list_picker_box(value, message.id, do)
        elif isinstance(value, c.Form) and value.pages:
            yield form_box(value, message.id, do)


def _choice(choice: c.QuickReply | c.CardAction, to: str, do: Do) -> Any:
    text = plain(choice.text, _LONGEST, one_line=True) or "(no words)"
    # The session itself knows the offer as it came: by its text it finds what the log has masked.
    by_text = is_masked(choice.payload) and isinstance(choice, c.QuickReply)
    wanted: Any = choice.text if by_text else choice
    made = button(
        text,
        lambda: do(f"answering {text}", lambda core: core.reply(wanted, to=to)),
        tooltip=_tooltip(choice),
    )
    if is_masked(choice.text) or (is_masked(choice.payload) and not by_text) or not choice.text:
        made.disabled = True
        made.tooltip = "It holds a secret, which the log masked: answer by session.reply(...)."
    made.add_class("gl-choice")
    return made


def _tooltip(choice: c.QuickReply | c.CardAction) -> str:
    payload = plain(choice.payload, 200, one_line=True)
    return f"{plain(choice.text, 200, one_line=True)} (payload {payload})"


def _card(card: c.Card, to: str, do: Do) -> Any:
    buttons = [_choice(action, to, do) for action in card.actions[:_MOST] if not action.is_link]
    links = [
        link(action.url, plain(action.text or action.url, _LONGEST))
        for action in card.actions
        if action.is_link
    ]
    shown_links = " · ".join(f"<bdi>{made}</bdi>" for made in links)
    return stack(
        _titled(card.title, card.description),
        *([markup(shown_links)] if links else []),
        row(*buttons),
        classes=("gl-card-offer",),
    )


def _slot(slot: c.AvailableTime, to: str, do: Do) -> Any:
    text = plain(when_shown(slot), _LONGEST, one_line=True) or "(no time)"
    if slot.duration is not None:
        text += f" · {slot.duration / 60:g} min"
    made = button(text, lambda: do(f"choosing {text}", lambda core: core.reply(slot, to=to)))
    made.disabled = not slot.date_time
    made.add_class("gl-choice")
    return made


def _titled(title: str, detail: str) -> Any:
    words = f"<b>{shown(title, 200)}</b>" if title else ""
    rest = f'<div class="gl-quiet">{shown(detail, 400)}</div>' if detail else ""
    return markup(words + rest or escape(" "))
