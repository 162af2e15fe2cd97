"""Plot, what every drawing of this room comes as, and what all of them share: colours, style, safe text.

matplotlib (`pip install 'guestlab[plot]'`) is imported inside functions, and its pyplot never: no global
figure, no backend chosen. A drawing stands on opaque white, so that it reads in light and dark notebooks and
in print. Text from the wire is hostile: `shown` escapes what could reorder or hide a line, cuts it, and
replaces what no font can draw; mathematics and TeX are off while anything is drawn.
"""

from __future__ import annotations

import contextlib
import functools
import io
import re
import unicodedata
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.analysis.intake import is_dask
from guestlab.errors import InputError
from guestlab.style import look
from guestlab.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "GRID",
    "INK",
    "MUTED",
    "OTHERS",
    "PAPER",
    "SPEAKERS",
    "Plot",
    "Speaker",
    "blank",
    "colour",
    "counted",
    "drawing",
    "in_memory",
    "lasting",
    "nothing",
    "number",
    "shown",
    "tint",
    "unit_for",
]

INK = "#1f2328"
MUTED = "#57606a"
GRID = "#d8dee4"
PAPER = "#ffffff"


class Speaker(NamedTuple):
    """How one side of a conversation looks: never by its colour alone."""

    colour: str
    marker: str
    hatch: str


# Dark enough on white for text (WCAG 2.2, 1.4.3: at least 4.5 to 1), after Okabe and Ito's palette, whose
# blue, green and vermilion stay apart for colour-blind eyes.
SPEAKERS = {
    "guest": Speaker("#0b63a5", "o", ""),
    "bot": Speaker("#00735c", "s", "////"),
    "agent": Speaker("#b34700", "^", "...."),
}
OTHERS = Speaker("#6a4c93", "D", "xxxx")

_DPI = 150
_STYLE: dict[str, Any] = {
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "savefig.transparent": False,
    "axes.facecolor": PAPER,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": False,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "hatch.linewidth": 0.6,
    "figure.constrained_layout.h_pad": 0.11,
    "figure.constrained_layout.w_pad": 0.11,
    "font.size": 9,
    "svg.hashsalt": "guestlab",
}
_FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "WenQuanYi Zen Hei", "Droid Sans Fallback",
    "Hiragino Sans", "PingFang SC", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Noto Sans Arabic",
    "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Thai", "Segoe UI Symbol",
)  # fmt: skip
"""Families tried after DejaVu Sans, which matplotlib brings along."""

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories shown as escapes: controls, bidi and other format characters, surrogates, unassigned."""
_MARKS = {"Mn", "Me"}
_PILED = 2
"""Combining marks allowed on one letter; more pile up over the neighbouring lines."""
_NO_GLYPH = "□"
_FORMATS = (".png", ".svg", ".pdf")


class Plot:
    """One drawing: shown by a notebook as PNG beside its description, or saved as a file.

    Attributes:
        figure: The matplotlib Figure, to change before it is shown.
        description: What it shows, in words: the alternative text.
    """

    def __init__(self, figure: Figure, description: str) -> None:
        self.figure = figure
        self.description = description

    def __repr__(self) -> str:
        return self.description

    def png(self) -> bytes:
        """Return it as the bytes of a PNG file."""
        return self._drawn("png")

    def save(self, path: str | Path) -> Path:
        """Write it to a file, by its ending PNG, SVG or PDF; return the path.

        Raises:
            InputError: Another ending.
        """
        path = Path(path)
        if path.suffix.lower() not in _FORMATS:
            raise InputError(
                f"A plot cannot be saved as {path.suffix or 'a file without ending'!r}.",
                why=f"The ending names the format: {', '.join(_FORMATS)}.",
                next_step="Pass a path such as 'timeline.png'.",
            )
        path.write_bytes(self._drawn(path.suffix.lower()[1:]))
        return path

    def _drawn(self, form: str) -> bytes:
        file = io.BytesIO()
        metadata = {
            "png": {"Description": self.description},
            "svg": {"Date": None},
            "pdf": {"CreationDate": None},
        }
        with drawing():
            self.figure.savefig(file, format=form, dpi=_DPI, facecolor=PAPER, metadata=metadata[form])
        return file.getvalue()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        width = round(self.figure.get_figwidth() * 100)
        return (
            {"text/plain": visible(self.description), "image/png": b64encode(self.png()).decode("ascii")},
            {"image/png": {"width": width, "alt": self.description}},
        )


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """Draw in our style, whatever the notebook's; needs matplotlib.

    Raises:
        InputError: matplotlib is not installed.
    """
    try:
        from matplotlib import style
    except ImportError:
        raise InputError(
            "A plot needs matplotlib, which is not installed.",
            why="It is an extra: the analysis itself does without.",
            next_step="Run pip install 'guestlab[plot]'.",
        ) from None
    with style.context(["default", {**_STYLE, "font.family": list(_fonts()[0])}]):
        yield


def blank(width: float, height: float, *, axes: bool = True) -> tuple[Figure, Axes]:
    """Make an empty figure of so many inches, with one set of axes; no pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    if not axes:
        ax.set_axis_off()
    return figure, ax


def nothing(title: str, things: str) -> Plot:
    """A drawing that says there is nothing to draw."""
    figure, ax = blank(9.0, 1.6, axes=False)
    ax.set_title(title)
    ax.text(0.5, 0.5, f"no {things}", transform=ax.transAxes, ha="center", va="center", color=MUTED)
    return Plot(figure, f"{title}: no {things}.")


def colour(state: str) -> str:
    """Return the colour of a state of `guestlab.style` as matplotlib takes it."""
    found = re.search(r"#[0-9a-fA-F]{6}", look(state).colour)
    return found[0] if found else MUTED


def tint(hexadecimal: str, share: float = 0.3) -> str:
    """Mix a colour with white: a ground for hatching in the same colour."""
    parts = (int(hexadecimal[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * share):02x}" for part in parts)


def in_memory(frame: Any, function: str) -> None:
    """Insist on a pandas DataFrame: what is drawn must fit on a page.

    Raises:
        InputError: It is one of Dask.
    """
    if is_dask(frame):
        raise InputError(
            f"{function}() draws a pandas DataFrame, not one of Dask.",
            why="A drawing holds a few thousand points at most; an archive holds millions.",
            next_step="Choose sessions and call .compute(), then draw that.",
        )


# -- numbers ------------------------------------------------------------------------------------------

_UNITS = ((172_800, 86_400, "days"), (7_200, 3_600, "hours"), (300, 60, "minutes"), (0, 1, "seconds"))
"""Seconds an axis must span for a unit · seconds of the unit · its name."""
_LASTING = ((172_800, 86_400, "days"), (7_200, 3_600, "h"), (300, 60, "min"), (1, 1, "s"), (0, 0.001, "ms"))
"""The same for a single length of time."""


def unit_for(seconds: float) -> tuple[float, str]:
    """Choose the unit for an axis of so many seconds: how long it is, and its name."""
    return next((unit, name) for least, unit, name in _UNITS if seconds >= least)


def number(value: float) -> str:
    """Write a number for people: three digits that count, no exponent.

    >>> number(1000.0), number(0.674), number(28_100_000), number(-12.34)
    ('1,000', '0.674', '28,100,000', '-12.3')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 or not value else f"{value:.3f}"


def counted(count: int, things: str) -> str:
    """Say how many there are; `things` in the plural, regular ones.

    >>> counted(1, "messages"), counted(2, "messages")
    ('1 message', '2 messages')
    """
    return f"{count} {things[:-1] if count == 1 else things}"


def lasting(seconds: float) -> str:
    """Write a length of time in the unit people would use.

    >>> lasting(0.000674), lasting(1.0), lasting(41), lasting(28_100_000)
    ('0.674 ms', '1 s', '41 s', '325 days')
    """
    unit, name = next((unit, name) for least, unit, name in _LASTING if abs(seconds) >= least)
    return f"{number(seconds / unit)} {name}"


# -- text ---------------------------------------------------------------------------------------------


def shown(text: object, most: int = 60) -> str:
    r"""Make a text from the wire safe to draw: nothing hidden, nothing reordered, one short line.

    >>> shown("pay $5 to \u202eeve\u202c\n")
    'pay $5 to \\u202eeve\\u202c\\n'
    >>> shown("x" * 100, 5)
    'xxxx…'
    """
    line = "".join(_characters(str(text)[: most + 1]))
    return line if len(line) <= most else line[: max(0, most - 1)] + "…"


def _characters(text: str) -> Iterator[str]:
    piled = 0
    for one in unicodedata.normalize("NFC", text):
        category = unicodedata.category(one)
        piled = piled + 1 if category in _MARKS else 0
        if category in _HIDDEN or piled > _PILED:
            yield one.encode("unicode_escape").decode("ascii")
        else:
            yield one if ord(one) in _fonts()[1] else _NO_GLYPH


@functools.cache
def _fonts() -> tuple[tuple[str, ...], frozenset[int]]:
    """The families to draw with, and every character one of them has."""
    from matplotlib import font_manager

    there = set(font_manager.get_font_names())
    families = ("DejaVu Sans", *(family for family in _FALLBACKS if family in there))
    covered: set[int] = set()
    for family in families:
        path = font_manager.findfont(family)
        covered |= set(font_manager.get_font(path).get_charmap())
    return families, frozenset(covered)
