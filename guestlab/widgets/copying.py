"""Copying: a button beside code and bytes that puts them on the clipboard, in a live view only.

The button is inert HTML; `front.js` hears its click and copies the text of the `<pre>` or field beside it, as
text. Without a clipboard, as on plain http, it selects the text and says which keys copy it. Static HTML has
no button: nobody would hear it.
"""

from __future__ import annotations

import re
from typing import Any

from guestlab.widgets import theme
from guestlab.widgets.view import markup

__all__ = ["COPYABLE", "HOW_TO_COPY", "copy_button", "with_copying"]

COPYABLE = "gl-copyable"
"""Class of what holds a text and its button."""

HOW_TO_COPY = (
    '<div class="gl-quiet gl-small">By keys: click into the code, Ctrl+A, Ctrl+C. '
    "Secrets are taken from the environment.</div>"
)

_SAID = '<span class="gl-copied gl-small" aria-live="polite"></span>'
_CODE = re.compile(r'<pre class="gl-code"[^>]*?(?: aria-label="([^">]*)")?>.*?</pre>', re.DOTALL)


def copy_button(what: str) -> Any:
    """Make the widget that copies the field beside it, in a box of class `COPYABLE`."""
    return markup(_line(theme.escape(what, quote=True)))


def with_copying(html: str) -> str:
    """Put a button at each piece of code in HTML that `theme` made, which escapes texts: none is faked."""
    return _CODE.sub(lambda code: f'<div class="{COPYABLE}">{_line(code[1] or "")}{code[0]}</div>', html)


def _line(what: str) -> str:
    """A button and what became of it; `what` is escaped."""
    label = f"Copy {what}".strip()
    button = f'<button type="button" class="gl-copy" aria-label="{label}">Copy</button>'
    return f'<div class="gl-copy-line">{_SAID}{button}</div>'
