"""What can be checked before a frame is sent, so that the server need not refuse it.

Lives here: each check as a function that raises `InputError` and names the frame code the server would
have answered with. Which command needs which check stands in `commands.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from guestlab.errors import InputError

if TYPE_CHECKING:
    from guestlab.limits import Limits

__all__ = ["check_attributes", "check_file", "check_length", "need_strings", "need_text", "need_type"]

LONGEST_FILE_NAME = 1023
"""At 1024 characters the server answers 4005 (documented)."""


def need_type(value: object, name: str) -> None:
    """Refuse what is no string."""
    if not isinstance(value, str):
        raise InputError(
            f"{name} must be a string, not {type(value).__name__}.",
            why="The wire has strings there.",
            next_step=f"Pass {name} as a string.",
        )


def need_text(value: object, name: str) -> None:
    """Refuse what is no string or an empty one."""
    need_type(value, name)
    if not value:
        raise InputError(
            f"{name} is empty.",
            why="The server refuses the frame without it.",
            next_step=f"Pass {name}.",
        )


def need_strings(values: Mapping[str, str], name: str) -> None:
    """Refuse what is no mapping, or holds anything but strings."""
    if not isinstance(values, Mapping):
        raise InputError(
            f"{name} must be a mapping, not {type(values).__name__}.",
            why="The official model has a map of strings there.",
            next_step=f"Pass {name} as a dictionary, or leave it out.",
        )
    for key, value in values.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise InputError(
                f"{name} must map strings to strings; {key!r} holds {type(value).__name__}.",
                why="The official model has a map of strings there.",
                next_step="Convert names and values with str() first.",
            )


def check_length(text: str, limits: Limits) -> None:
    """Refuse a text that the server would answer with 4011."""
    need_type(text, "text")
    if _bytes(text) > limits.text_length:
        raise InputError(
            f"The text has {_bytes(text)} bytes in UTF-8; {limits.text_length} are allowed.",
            why="The server would answer with frame code 4011, message too long.",
            next_step="Shorten it or send it in parts.",
        )


def check_attributes(attributes: Mapping[str, str], allowed: int) -> None:
    """Refuse attributes that the server would answer with 4013; names count too (official)."""
    size = sum(_bytes(key) + _bytes(value) for key, value in attributes.items())
    if size > allowed:
        raise InputError(
            f"The custom attributes have {size} bytes in UTF-8, names and values; {allowed} are allowed.",
            why="The server would answer with frame code 4013, custom attributes too large.",
            next_step="Send fewer or shorter attributes.",
        )


def check_file(name: str, size: int) -> None:
    """Refuse a file that the server would answer with 4004, 4005 or 4102."""
    problems = (
        (
            len(name) > LONGEST_FILE_NAME,
            f"The file name has {len(name)} characters; {LONGEST_FILE_NAME} are allowed.",
            "4005, file name too long",
        ),
        ("." not in name.strip("."), f"The file name {name!r} has no extension.", "4004, file name invalid"),
        (size < 1, f"The file {name!r} is empty.", "4102, file empty"),
    )
    for wrong, what, code in problems:
        if wrong:
            raise InputError(
                what,
                why=f"The server would answer with frame code {code}.",
                next_step="Rename the file or choose another one.",
            )


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
