"""Files of a guest session: checked, uploaded by presigned URL, downloaded, deleted.

The way of a file (level: official): `onAttachment` → presigned URL → HTTP PUT → `UploadSuccessEvent` →
a message that names it. A good PUT alone means nothing; only the event does. Limits come from the
`SessionResponse`.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from guestlab.errors import InputError, MessageRefused, NetworkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.http import Client
    from guestlab.protocol.events import SessionConfigured, UploadUrlIssued

__all__ = ["File", "check_file", "fetch", "put", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Bytes with a name and a media type."""

    name: str
    content_type: str
    content: bytes

    def __repr__(self) -> str:
        return f"File({self.name!r}, {self.content_type}, {len(self.content)} bytes)"

    @classmethod
    def of(cls, source: str | Path | bytes, *, name: str | None = None) -> File:
        """Read a file, or take bytes.

        Args:
            source: A path, or the bytes themselves.
            name: The name to send it under; needed for bytes.

        Raises:
            InputError: The file cannot be read, or bytes came without a name.
        """
        if isinstance(source, bytes):
            if not name:
                raise InputError(
                    "The attachment has no name.",
                    why="Bytes carry none, and the server wants one with an extension.",
                    next_step='Pass send(attachment_name="picture.png"), or upload(name="picture.png").',
                )
            content = source
        else:
            try:
                content = Path(source).read_bytes()
            except OSError as error:
                raise InputError(
                    f"{source} cannot be read.",
                    why=f"{error.strerror or error}.",
                    next_step="Give the path of a readable file, or bytes; a file that upload() took goes "
                    "by its id: send(attachment_id=…).",
                ) from None
        name = name or PurePath(str(source)).name
        return cls(name=name, content_type=_media_type(name), content=content)


def _media_type(name: str) -> str:
    """Guess from the extension, as the official SDK does; it maps .opus to audio/ogg."""
    if name.lower().endswith(".opus"):
        return "audio/ogg"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def check_file(file: File, configured: SessionConfigured | None) -> None:
    """Refuse early what the session's own limits rule out.

    Raises:
        InputError: Empty, too large, of a type or with an extension that is not allowed.
    """
    if not file.content:
        raise _unfit(file, "it is empty (the server would answer 4102)", "Choose a file with content.")
    extension = PurePath(file.name).suffix.lower()
    if not extension:
        raise _unfit(file, "its name has no extension", 'Pass name= with one, such as "picture.png".')
    if configured is None:
        return
    if extension in configured.blocked_extensions:
        raise _unfit(file, f"the deployment blocks {extension}", "Send it under another form.")
    if not configured.allowed_media:
        raise _unfit(file, "this deployment takes no attachments", "Switch them on in Admin > Messenger.")
    if not any(fnmatch(file.content_type, pattern) for pattern in configured.allowed_media):
        allowed = ", ".join(configured.allowed_media)
        raise _unfit(file, f"{file.content_type} is not among {allowed}", "Choose another type.")
    most = configured.max_file_size_kb
    if most is not None and len(file.content) // 1000 > most:
        raise _unfit(file, f"it is larger than {most} kB", "Send a smaller file, or a link.")


def _unfit(file: File, why: str, next_step: str) -> InputError:
    return InputError(f"{file.name} cannot be attached.", why=f"As announced: {why}.", next_step=next_step)


async def put(
    client: Client, issued: UploadUrlIssued, file: File, progress: Callable[[int, int], object] | None = None
) -> None:
    """PUT the bytes where the server said, with the headers it gave.

    Args:
        client: Where it is sent and recorded.
        issued: The presigned URL and its headers.
        file: What to send.
        progress: Called with (bytes sent, bytes in all) as it goes.

    Raises:
        NetworkError: The storage did not take it.
    """
    response = await client.send(
        "PUT",
        issued.url,
        stage="session",
        headers={**issued.headers, "Content-Type": file.content_type},
        content=file.content,
        progress=progress,
    )
    if not response.is_success:
        raise NetworkError(
            f"The upload of {file.name} was refused: HTTP {response.status_code} (lane http).",
            why="The storage behind the presigned URL did not take it; such URLs expire soon.",
            next_step="Send it again: a new URL is asked for each time.",
        )


async def fetch(client: Client, url: str) -> bytes | None:
    """GET a download URL; None when it has expired or gone."""
    response = await client.send("GET", url, stage="session")
    if response.is_success:
        return response.content
    if response.status_code in {401, 403, 404, 410}:
        return None
    raise NetworkError(
        f"The download failed: HTTP {response.status_code} (lane http).",
        why="The storage did not hand it out.",
        next_step="Try again later.",
    )


def refused(file: File, code: int | None, reason: str, advice: str) -> MessageRefused:
    """Make the error for a file the server refused after its bytes had arrived."""
    return MessageRefused(
        f"The server refused {file.name}: code {code} (lane frame).",
        why=reason or "It gave no reason.",
        next_step=advice,
        frame_code=code or 0,
    )
