"""Code that works, or that shows the refusal again: one attempt, in the language of one's choice.

`FORMATS` is the table. Every snippet is complete and runs as it is. Secrets never stand in one: they come
from environment variables that its head names, and a guest token is made afresh where none is given. Pure
text: nothing here opens anything. An attempt holds redacted data only; where a mask stood, a variable stands.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from guestlab.errors import InputError
from guestlab.snippets.javascript import browser, node
from guestlab.snippets.python import guestlab, python
from guestlab.snippets.raw import http
from guestlab.snippets.recipe import Recipe
from guestlab.snippets.shell import curl, websocat, wscat

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.handshake.attempt import Attempt

__all__ = ["FORMATS", "snippet"]

FORMATS: dict[str, Callable[[Recipe], str]] = {
    "python": python,
    "guestlab": guestlab,
    "browser": browser,
    "node": node,
    "curl": curl,
    "wscat": wscat,
    "websocat": websocat,
    "http": http,
}
"""Name → what writes it. All but curl and http speak frames, and end in a `SessionResponse`."""


def snippet(attempt: Attempt, format: str = "python") -> str:  # noqa: A002 - the word people use
    """Write an attempt as code that runs.

    >>> import guestlab as gl
    >>> with gl.Lab() as lab:
    ...     print("deploymentId=" in snippet(lab.handshake(), "wscat"))
    True

    Args:
        attempt: Any attempt, open or refused.
        format: A name in `FORMATS`.

    Raises:
        InputError: No such format.
    """
    write = FORMATS.get(format)
    if write is None:
        close = difflib.get_close_matches(str(format).lower(), [*FORMATS, *_MEANT], n=1)
        meant = _MEANT.get(close[0], close[0]) if close else ""
        raise InputError(
            f"format={format!r} is unknown.",
            why=f"Snippets are written as: {', '.join(FORMATS)}.",
            next_step=f"Did you mean {meant!r}?" if meant else "Use one of these names.",
        )
    return write(Recipe.of(attempt))


_MEANT = {
    "websockets": "python",
    "py": "python",
    "javascript": "browser",
    "js": "browser",
    "console": "browser",
    "nodejs": "node",
    "ws": "node",
    "bash": "curl",
    "shell": "curl",
    "raw": "http",
    "openssl": "http",
    "netcat": "http",
}
"""Other words for the formats."""
