"""Judges what stands as `deploymentId` in a query by its shape alone.

Every deployment id is a UUID (platform API model `WebDeployment`). What a program fills in only when it runs,
`{deploymentId}` or `$ID`, is not seen and not judged; neither is a mask. Whether the server forgives a blank
is not documented, so nothing here is more than a fault of form. Pure.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from guestlab.handshake.credentials import is_uuid
from guestlab.handshake.quoting import is_masked

__all__ = ["IdFault", "id_fault", "is_unseen"]

_VARIABLE = re.compile(
    r"\{\{?[^{}]*\}?\}|\$\{?[\w.:\[\]()'\"-]*\}?|\$\([^)]*\)|%\(?\w*\)?[sd]|%\w+%|:[A-Za-z]\w*|['\"]\s+\S.*|['\"]\s*[+.].*",
    re.ASCII,
)
"""How languages write what is known only when they run, `'+ id +'` included."""
_UNFILLED = re.compile(
    r"<.*|\[.*|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[xX](?:[xX-])+"
    r"|\.{3}|…|(?:[Dd]eployment[ _-]?)?(?:[Ii][Dd]|UUID|GUID|uuid|guid)"
)
_FILL_IN = re.compile(
    r"(?i:your|insert|enter|replace|put)[_\s-]|(?:[Yy]our|[Ii]nsert|[Ee]nter|[Rr]eplace|[Pp]ut)(?=[A-Z])"
)
_MARKS = "{}\"'<>[]()`\u201c\u201d\u2018\u2019"
_NO_VALUE = frozenset({"undefined", "null", "none", "nan", "nil", "[object object]", "true", "false", "0"})


class IdFault(NamedTuple):
    """What is wrong with the form of a deployment id."""

    kind: str
    """blank, wrapped, unfilled, empty value, no uuid."""
    cause: str
    """The same in half a sentence, after "it …"."""


def is_unseen(value: str) -> bool:
    """Tell whether a value is a mask or a variable: what really went out is not known."""
    text = value.strip()
    inner = text.strip(_MARKS + "$")
    if is_masked(value):
        return True
    return _VARIABLE.fullmatch(text) is not None and not is_uuid(inner) and not _says_fill_in(inner)


def _says_fill_in(text: str) -> bool:
    return _FILL_IN.match(text) is not None


def id_fault(value: str) -> IdFault | None:
    """Say what is wrong with a deployment id's form; None when nothing is, or when it is not seen.

    >>> id_fault("{3d2f0c1e-0000-4000-8000-000000000001}").kind
    'wrapped'

    Args:
        value: As it stands in the query, percent-decoded, blanks kept.
    """
    text = value.strip()
    if not text or is_unseen(value):
        return None
    if is_uuid(text):
        return IdFault("blank", "it has a blank or a line break at an end") if value != text else None
    if is_uuid(text.strip(_MARKS).strip()):
        return IdFault("wrapped", "it stands in quotes or brackets, which are no part of it")
    if text.lower() in _NO_VALUE:
        return IdFault("empty value", "that is what a program writes for a value it does not have")
    if _UNFILLED.fullmatch(text) or _says_fill_in(text.strip(_MARKS + "$")):
        return IdFault("unfilled", "it is a placeholder in which nothing was filled")
    return IdFault("no uuid", "it is no UUID, as every deployment id is")
