"""Where a secret may come from, other than from the code: the environment, the keyring, a masked prompt.

A lab takes such a source in place of the secret itself and asks it when the secret is first needed, so that
it never stands in a cell, and so in no saved notebook.

    lab = gl.Lab("mypurecloud.de", client_id=..., client_secret=from_keyring("guestlab", client_id))
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable

from guestlab.errors import InputError

__all__ = ["Secret", "asks_nobody", "from_environment", "from_keyring", "from_prompt", "resolved"]

Secret = str | Callable[[], str]
"""A secret, or what gives it when it is first needed."""


def from_environment(variable: str) -> Callable[[], str]:
    """Take a secret from an environment variable.

    >>> from_environment("GUESTLAB_CLIENT_SECRET").__name__
    'GUESTLAB_CLIENT_SECRET'
    """

    def ask() -> str:
        if not os.environ.get(variable):
            raise InputError(
                f"{variable} is not set.",
                why="The secret was to come from this environment variable.",
                next_step=f"Set {variable}, or take the secret from the keyring or a prompt.",
            )
        return os.environ[variable]

    return _named(ask, variable)


def from_keyring(service: str = "guestlab", username: str = "") -> Callable[[], str]:
    """Take a secret from the system's keyring (the package `keyring`, extra `guestlab[keyring]`).

    Put it there once with `keyring set guestlab CLIENT_ID`.

    Args:
        service: The service it is kept under.
        username: The user name it is kept under: the client id, by habit.
    """

    def ask() -> str:
        try:
            import keyring
            from keyring.errors import KeyringError
        except ImportError:
            raise InputError(
                "The keyring cannot be asked.",
                why="The package keyring is not installed.",
                next_step="Run pip install 'guestlab[keyring]', or use from_prompt().",
            ) from None
        try:
            secret = keyring.get_password(service, username)
        except KeyringError as error:
            raise InputError(
                "The keyring did not answer.",
                why=f"{type(error).__name__}: this machine may have no keyring, or it is locked.",
                next_step="Unlock it, or use from_prompt().",
            ) from None
        if not secret:
            raise InputError(
                f"The keyring holds nothing for {username!r} under {service!r}.",
                why="It was never put there, or under another name.",
                next_step=f"Run: keyring set {service} {username or 'CLIENT_ID'}",
            )
        return secret

    return _named(ask, "keyring")


def from_prompt(label: str = "client secret") -> Callable[[], str]:
    """Ask the person, with what is typed hidden; in a notebook below the cell. Asked once."""

    def ask() -> str:
        try:
            return getpass.getpass(f"{label}: ")
        except EOFError:
            raise InputError(
                f"Nobody could be asked for the {label}.",
                why="There is no terminal and no notebook to ask in.",
                next_step="Give it by an environment variable or the keyring.",
            ) from None

    return _named(ask, "prompt")


def resolved(secret: Secret | None) -> str:
    """Return the secret itself, asking for it where need be; "" for none.

    Raises:
        InputError: The source did not give a text.
    """
    value = secret() if callable(secret) else secret
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(
            "The secret is no text.",
            why=f"Its source gave a {type(value).__name__}.",
            next_step="Pass a str, or a callable without arguments that returns one.",
        )
    return value.strip()


def asks_nobody(source: Callable[[], str]) -> bool:
    """Whether a source answers by itself: the environment and the keyring do; of any other nothing is known.

    >>> asks_nobody(from_environment("GUESTLAB_CLIENT_SECRET")), asks_nobody(from_prompt())
    (True, False)
    """
    return getattr(source, "asks_nobody", False) is True


def _named(ask: Callable[[], str], name: str) -> Callable[[], str]:
    ask.__name__ = ask.__qualname__ = name
    ask.asks_nobody = name != "prompt"  # type: ignore[attr-defined]
    return ask
