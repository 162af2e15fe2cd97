"""List pickers and forms as inputs with labels, and the commands that answer them.

`Question` is one question of a form: its widget, and the entries it answers with. What is not known is said,
not left out silently.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from guestlab.protocol.commands import FormEntry, SendForm, SendListPicker
from guestlab.widgets.theme import escape, note
from guestlab.widgets.view import button, markup, row, stack
from guestlab.widgets.wire_text import is_masked, labelled, plain, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guestlab.protocol import content as c
    from guestlab.widgets.choices import Do

__all__ = ["Question", "Rows", "form_box", "list_picker_box"]

_LONGEST = 120
_MOST = 60


class Rows:
    """The rows of one section to choose from: a radio button each, or a box to tick each."""

    def __init__(self, section: c.ListPickerSection, *, multiple: bool | None = None) -> None:
        import ipywidgets as w

        self.items = tuple(section.items[:_MOST])
        self.multiple = section.multiple_selection if multiple is None else multiple
        labels = [_row_label(item, number) for number, item in enumerate(self.items)]
        if self.multiple:
            self._boxes = [w.Checkbox(description=text, indent=False) for text in labels]
            inputs: list[Any] = self._boxes
        else:
            options = [(text, number) for number, text in enumerate(labels)]
            self._radio = w.RadioButtons(options=options, value=None, layout={"width": "auto"})
            inputs = [self._radio]
        how = "one or more" if self.multiple else "one"
        title = f"<b>{shown(section.title, 200)}</b> " if section.title else ""
        self.widget = stack(markup(f'{title}<span class="gl-quiet">choose {how}</span>'), *inputs)

    @property
    def chosen(self) -> tuple[c.ListPickerItem, ...]:
        """The rows chosen."""
        if self.multiple:
            return tuple(item for item, box in zip(self.items, self._boxes, strict=True) if box.value)
        return () if self._radio.value is None else (self.items[self._radio.value],)


def _row_label(item: c.ListPickerItem, number: int) -> str:
    subtitle = f" ({item.subtitle[:_LONGEST]})" if item.subtitle else ""
    return labelled(f"{item.title or item.id or f'row {number + 1}'}"[:_LONGEST] + subtitle, 3 * _LONGEST)


def list_picker_box(picker: c.ListPicker, to: str, do: Do) -> Any:
    """Make a list picker: its sections, and a button that sends what was chosen."""
    sections = [Rows(section) for section in picker.sections[:_MOST]]
    said = markup()

    def send() -> None:
        items = tuple(item for section in sections for item in section.chosen)
        if not items:
            said.value = note("Choose at least one row first.", "stale")
            return
        if any(is_masked(item.id) or is_masked(item.title) for item in items):
            said.value = note(_masked([]), "stale")
            return
        said.value = ""
        reply = picker.reply_message
        text = (reply.subtitle or reply.title) if reply is not None else ""
        text = "" if is_masked(text) else text
        command = SendListPicker(items=items, text=text, originating_message_id=to)
        do("sending your choice", lambda core: core.say(command))

    return stack(
        *(section.widget for section in sections), row(button("Send choice", send, style="primary")), said
    )


class Question:
    """One question of a form."""

    def __init__(self, component: c.FormComponent) -> None:
        self.required = False
        self.title = "a question"
        self.answer: Callable[[], list[FormEntry]] = list
        self.forget: Callable[[], object] = lambda: None
        """Empties the field, so that it is asked anew."""
        made = self._made(component)
        self.widget = (
            made
            if made is not None
            else markup(
                note(
                    f"A question of kind {plain(component.type, 60) or 'unknown'} cannot be shown here.",
                    "stale",
                )
            )
        )

    @property
    def is_masked(self) -> bool:
        """Whether its answer, or the id that it answers to, is a mask of the log: no mask is ever sent."""
        parts = (part for entry in self.answer() for part in (entry.id, entry.text, entry.payload))
        return any(is_masked(part) for part in parts)

    def _made(self, component: c.FormComponent) -> Any:
        if component.input is not None:
            return self._input(component.input)
        if component.date_picker is not None:
            return self._date(component.date_picker)
        if component.list_picker is not None:
            return self._list(component.list_picker)
        if component.wheel_picker is not None:
            return self._wheel(component.wheel_picker)
        return None

    def _label(self, title: str, subtitle: str = "") -> Any:
        self.title = plain(title, _LONGEST, one_line=True)
        needed = ' <span class="gl-quiet">(required)</span>' if self.required else ""
        rest = f'<div class="gl-quiet">{shown(subtitle, 300)}</div>' if subtitle else ""
        return markup(f"<b>{escape(self.title)}</b>{needed}{rest}")

    def _input(self, asked: c.FormInput) -> Any:
        import ipywidgets as w

        self.required = asked.is_required
        label = self._label(asked.title or asked.id, asked.subtitle)
        kind = w.Textarea if asked.is_multiple_line else w.Text
        field = kind(
            placeholder=plain(asked.placeholder_text, _LONGEST, one_line=True),
            tooltip=self.title,
            layout={"width": "min(100%, 420px)"},
        )
        self.forget = lambda: setattr(field, "value", "")
        self.answer = lambda: (
            [FormEntry(id=asked.id, text=field.value, payload=field.value)] if field.value else []
        )
        return stack(label, field)

    def _date(self, asked: c.DatePicker) -> Any:
        import ipywidgets as w

        label = self._label(asked.title or asked.id, asked.subtitle)
        field = w.DatePicker(tooltip=self.title)

        def entries() -> list[FormEntry]:
            day: date | None = field.value
            if day is None:
                return []
            payload = f"{day.isoformat()}T00:00:00.000Z"
            return [FormEntry(id=asked.id, text=_displayed(day, asked.date_display_format), payload=payload)]

        self.answer = entries
        return stack(label, field)

    def _list(self, asked: c.ListPicker) -> Any:
        sections = [Rows(section) for section in asked.sections[:_MOST]]
        self.title = plain(" ".join(s.title for s in asked.sections), _LONGEST, one_line=True) or asked.id
        self.answer = lambda: [
            FormEntry(id=asked.id, text=item.title, payload=item.id)
            for section in sections
            for item in section.chosen
        ]
        return stack(*(section.widget for section in sections))

    def _wheel(self, asked: c.WheelPicker) -> Any:
        import ipywidgets as w

        label = self._label(asked.id)
        items = asked.items[:_MOST]
        titles = [labelled(item.title or item.id, _LONGEST) for item in items]
        field = w.Dropdown(
            options=[("(choose)", None), *((title, number) for number, title in enumerate(titles))],
            tooltip=self.title,
        )

        def entries() -> list[FormEntry]:
            if field.value is None:
                return []
            item = items[field.value]
            return [FormEntry(id=asked.id, text=item.title, payload=item.value or item.id)]

        self.answer = entries
        return stack(label, field)


_DISPLAYS = {"dayMonthYear": "%d/%m/%Y", "monthDayYear": "%m/%d/%Y", "yearMonthDay": "%Y/%m/%d"}


def _displayed(day: date, display: str) -> str:
    return day.strftime(_DISPLAYS.get(display, "%Y-%m-%d"))


def form_box(form: c.Form, to: str, do: Do) -> Any:
    """Make a form: its pages below one another, and a button that sends it."""
    questions: list[Question] = []
    parts: list[Any] = []
    if form.introduction is not None:
        parts.append(_page_title(form.introduction.title, form.introduction.subtitle))
    for page in form.pages[:_MOST]:
        parts.append(_page_title(page.title, page.subtitle))
        made = [Question(component) for component in page.components[:_MOST]]
        questions += made
        parts += [question.widget for question in made]
    said = markup()

    def send() -> None:
        entries = tuple(entry for question in questions for entry in question.answer())
        missing = _missing(questions)
        if missing:
            said.value = note(f"Still needed: {', '.join(missing)}.", "stale")
            return
        hidden = [question for question in questions if question.is_masked]
        if hidden or is_masked(form.canned_response_id):
            for question in hidden:
                question.forget()
            said.value = note(_masked([question.title for question in hidden]), "stale")
            return
        said.value = ""
        text = form.reply_message.title if form.reply_message is not None else ""
        command = SendForm(
            canned_response_id=form.canned_response_id,
            entries=entries,
            text="" if is_masked(text) else text,
            originating_message_id=to,
        )
        do("sending the form", lambda core: core.say(command))

    return stack(*parts, row(button("Send form", send, style="primary")), said, classes=("gl-form",))


def _masked(titles: list[str]) -> str:
    what = f"“{', '.join(titles)}”" if titles else "What was chosen"
    return (
        f"Not sent: {what} holds a secret, which the log masked, and a mask is no answer. Type the value "
        "itself anew, or answer by session.say(...)."
    )


def _missing(questions: Iterable[Question]) -> list[str]:
    return [question.title for question in questions if question.required and not question.answer()]


def _page_title(title: str, subtitle: str) -> Any:
    rest = f' <span class="gl-quiet">{shown(subtitle, 300)}</span>' if subtitle else ""
    return markup(f'<div class="gl-page"><b>{shown(title, 200)}</b>{rest}</div>')
