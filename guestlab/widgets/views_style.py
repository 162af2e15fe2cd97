"""What matrix, log, budgets and channel add to the style sheet of all views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guestlab.widgets.view import markup

__all__ = ["style"]

_STYLE = f"<style>{Path(__file__).with_name('views.css').read_text(encoding='utf-8')}</style>"


def style() -> Any:
    """Make the widget that holds `views.css`; one stands in each of these views."""
    return markup(_STYLE, "gl-style")
