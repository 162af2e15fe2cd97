"""The inputs of the panels: each with its label, none that can hold a secret for long.

A choice comes from a closed set. A free text is swept when the person leaves it: what looks like a secret is
taken out again, and `on_secret` is told, so that neither the widget's state nor a saved notebook keeps it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.widgets.saved_inputs import swept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Choice", "FreeText", "WordOrText"]

_OTHER = "other, as entered"


class Choice:
    """One of a few words.

    Args:
        label: What it is called, to eyes and to screen readers.
        words: What there is to choose.
        value: What is chosen at first.
        changed: Called after a change.
    """

    def __init__(self, label: str, words: Sequence[str], value: str, changed: Callable[[], object]) -> None:
        import ipywidgets as w

        self.widget = w.Dropdown(
            options=[(word.replace("_", " "), word) for word in words],
            value=value,
            description=label,
            style={"description_width": "initial"},
            layout={"width": "auto"},
        )
        self.widget.add_class("gl-field")
        self.widget.observe(lambda _: changed(), "value")

    @property
    def value(self) -> str:
        """The word chosen."""
        return str(self.widget.value)

    @value.setter
    def value(self, word: str) -> None:
        self.widget.value = word


class FreeText:
    """A line of text.

    Args:
        label: What it is called.
        value: What stands there at first.
        changed: Called after a change.
        redact: The lab's own redaction.
        on_secret: Told the label when something was taken out.
        placeholder: What an empty one says.
        width: In CSS.
        sweep: What takes secrets out of it.
    """

    def __init__(
        self,
        label: str,
        value: str,
        changed: Callable[[], object],
        *,
        redact: Callable[[str], str],
        on_secret: Callable[[str], object],
        placeholder: str = "",
        width: str = "320px",
        sweep: Callable[[str, Callable[[str], str]], str] = swept,
    ) -> None:
        import ipywidgets as w

        self._label, self._on_secret, self._changed = label, on_secret, changed
        self._sweep: Callable[[str], str] = lambda text: sweep(text, redact)
        self.widget = w.Text(
            value=self._sweep(value),
            description=label,
            placeholder=placeholder,
            continuous_update=False,
            style={"description_width": "initial"},
            layout={"width": width},
        )
        self.widget.add_class("gl-field")
        self.widget.observe(self._entered, "value")

    @property
    def value(self) -> str:
        """What stands there, swept."""
        return self._sweep(str(self.widget.value)).strip()

    @value.setter
    def value(self, text: str) -> None:
        self.widget.value = self._sweep(text)

    def _entered(self, change: dict[str, Any]) -> None:
        clean = self._sweep(change["new"])
        if clean != change["new"]:
            self.widget.value = clean  # calls this again, with the clean text
            self._on_secret(self._label)
            return
        self._changed()


class WordOrText:
    """One of a few words, or a text of one's own, whose field appears when that is chosen.

    Args:
        label: What the choice is called.
        text_label: What the field is called.
        words: The words.
        value: A word or a text.
        changed: Called after a change.
        named: The rest of `FreeText`.
    """

    def __init__(
        self,
        label: str,
        text_label: str,
        words: Sequence[str],
        value: str,
        changed: Callable[[], object],
        **named: Any,
    ) -> None:
        self._words = tuple(words)
        own = value not in self._words
        self.choice = Choice(label, (*self._words, _OTHER), _OTHER if own else value, self._chosen)
        self.text = FreeText(text_label, value if own else "", changed, **named)
        self._changed = changed
        self._show()

    @property
    def widgets(self) -> tuple[Any, ...]:
        """Both widgets, in tab order."""
        return self.choice.widget, self.text.widget

    @property
    def value(self) -> str:
        """The word, or the text."""
        return self.text.value if self.choice.value == _OTHER else self.choice.value

    @value.setter
    def value(self, value: str) -> None:
        if value in self._words:
            self.choice.value = value
        else:
            self.text.value = value
            self.choice.value = _OTHER

    def _chosen(self) -> None:
        self._show()
        self._changed()

    def _show(self) -> None:
        self.text.widget.layout.display = None if self.choice.value == _OTHER else "none"
