"""Stage one in the stepper: grant, scope, body format; and the life of the token, counting down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.widgets import theme
from guestlab.widgets.fields import Choice, FreeText
from guestlab.widgets.panels import LIVE, life_text, token_panel
from guestlab.widgets.refresh import Ticker
from guestlab.widgets.saved_inputs import GRANTS
from guestlab.widgets.view import LiveView, markup, row, stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.tokens import AccessToken
    from guestlab.widgets.saved_inputs import Inputs

__all__ = ["TokenFields", "TokenView"]


class TokenFields:
    """The inputs of the token stage.

    Args:
        inputs: What stands there at first.
        changed: Called after a change.
        named: Of `FreeText`.
    """

    def __init__(self, inputs: Inputs, changed: Callable[[], object], **named: Any) -> None:
        self.grant = Choice("Grant", GRANTS, inputs.grant, changed)
        self.scope = FreeText(
            "Scope", inputs.scope, changed, placeholder="none; it changes nothing", width="250px", **named
        )
        self.body_format = Choice("Body", ("form", "json"), inputs.body_format, changed)
        why = "Roles decide what a client may do; a scope is accepted and changes nothing. JSON is refused."
        self.widget = stack(
            row(self.grant.widget, self.scope.widget, self.body_format.widget),
            markup(f'<div class="gl-quiet gl-small">{theme.escape(why)}</div>'),
        )

    def read(self) -> dict[str, str]:
        """What is entered."""
        return {
            "grant": self.grant.value,
            "scope": self.scope.value,
            "body_format": self.body_format.value,
        }

    def write(self, inputs: Inputs) -> None:
        """Enter something else."""
        self.grant.value, self.scope.value = inputs.grant, inputs.scope
        self.body_format.value = inputs.body_format


class TokenView(LiveView):
    """One access token: what it opens, and how long it lives. The life counts down by itself.

    Args:
        token: What to show.
    """

    def __init__(self, token: AccessToken) -> None:
        super().__init__()
        self.token = token
        self._life: Any = None
        self._ticker = Ticker(self._tick)

    def build(self) -> Any:
        """Make the panel, and start the countdown."""
        expired = self.token.expires_in == 0
        state = theme.pill("failed", "expired") if expired else theme.pill("done", "live")
        head = theme.heading("Token", state, "" if expired else theme.escape(LIVE))
        self._life = markup(self._life_html())
        self._ticker.start()
        return stack(markup(head + token_panel(self.token)), self._life)

    def paint(self) -> None:
        """Count down."""
        if self._life is not None:
            self._life.value = self._life_html()

    def html(self) -> str:
        """What it opens."""
        from guestlab.display import token_html

        return token_html(self.token)

    def text(self) -> str:
        """The token's masked repr."""
        return repr(self.token)

    def close(self) -> None:
        """Stop counting."""
        self._ticker.stop()
        super().close()

    def _tick(self) -> None:
        self.refresh.poke()
        if self.token.expires_in in {None, 0.0}:
            self._ticker.stop()

    def _life_html(self) -> str:
        return f'<div role="timer" class="gl-small">The token {theme.escape(life_text(self.token))}.</div>'
