"""Attachments: ask for an address, upload to it, hear of it, send it, fetch it, drop it.

The addresses are real: `PUT` to the upload address with the headers given, `GET` from the download
address. Both live ten minutes. Checks and codes as published (type 4001, size 4002, content 4003, name 4004
and 4005, zero 4102, off 4000, expired 4008, unknown 4009, not uploaded 4010); what the content check looks
for is the sandbox's own.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from guestlab.sandbox.calls import Call, Reply
from guestlab.sandbox.clock import iso
from guestlab.sandbox.frames import FrameRefusal, envelope, error_body
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.frames import Asked
    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.origins import Origin
    from guestlab.sandbox.sessions import Connection, Session

__all__ = [
    "FileOwner",
    "Upload",
    "Uploads",
    "delete_attachment",
    "download",
    "get_attachment",
    "on_attachment",
    "upload",
]

LINK_SECONDS = 600
KEPT_SECONDS = 15 * 24 * 3600
"""How long an upload that was never sent is kept (documented)."""
NAME_LENGTH = 1024
SCAN_SECONDS = 0.01
_EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


class FileOwner(Protocol):
    """Whose a file is: a guest session, or an Open Messaging customer."""

    @property
    def id(self) -> str:
        """What tells owners apart."""

    @property
    def largest_file(self) -> int:
        """Bytes of a file."""


@dataclass(slots=True, eq=False)
class Upload:
    """One file on its way."""

    id: str
    owner: FileOwner
    name: str
    mime: str
    size: int
    asked_at: float
    connection: Connection | None
    data: bytes | None = field(default=None, repr=False)
    state: str = "asked"
    """asked, uploaded, refused or sent."""


class Uploads:
    """All files of all sessions, and the links that lead to them."""

    def __init__(self, messaging: Messaging) -> None:
        self._messaging = messaging
        self._by_id: dict[tuple[str, str], Upload] = {}
        self._links: dict[str, tuple[Upload, float]] = {}

    def headers(self) -> dict[str, str]:
        """The headers an upload must carry."""
        return _tags(self._messaging.world)

    def clear(self) -> None:
        """Forget all files and links."""
        self._by_id.clear()
        self._links.clear()

    def find(self, owner: FileOwner, attachment_id: Any) -> Upload | None:
        """An owner's file."""
        return self._by_id.get((owner.id, attachment_id)) if isinstance(attachment_id, str) else None

    def add(self, upload: Upload) -> None:
        """Keep a file."""
        self._by_id[upload.owner.id, upload.id] = upload

    def remove(self, upload: Upload) -> None:
        """Drop a file."""
        self._by_id.pop((upload.owner.id, upload.id), None)

    def link(self, upload: Upload) -> str:
        """A new secret that leads to a file for ten minutes."""
        now = self._messaging.world.now()
        if len(self._links) > 10_000:
            self._links = {key: held for key, held in self._links.items() if held[1] > now}
        key = self._messaging.world.new_hex()
        self._links[key] = (upload, now + LINK_SECONDS)
        return key

    def follow(self, key: str) -> Upload | None:
        """The file a living link leads to."""
        held = self._links.get(key)
        return held[0] if held is not None and held[1] > self._messaging.world.now() else None

    def expire_links(self) -> None:
        """Let every upload and download address be over now."""
        self._links.clear()

    def download_url(self, upload: Upload, origin: Origin) -> str:
        """A fresh address to fetch a file from."""
        return f"{origin.url('api')}/api/v2/downloads/{self.link(upload)}"

    def attach(self, session: Session, content: list[dict[str, Any]], origin: Origin) -> list[dict[str, Any]]:
        """Complete the attachments of a guest's message, or refuse it."""
        return [self._attached(session, item, origin) for item in content]

    def _attached(self, session: Session, item: dict[str, Any], origin: Origin) -> dict[str, Any]:
        if item.get("contentType") != "Attachment":
            return item
        given = item.get("attachment")
        upload = self.find(session, given.get("id") if isinstance(given, dict) else None)
        if upload is None:
            raise FrameRefusal(4009, "Attachment not found")
        if upload.state == "uploaded" and self._messaging.world.now() - upload.asked_at > KEPT_SECONDS:
            raise FrameRefusal(4008, "Attachment has expired")
        if upload.state not in {"uploaded", "sent"}:
            raise FrameRefusal(4010, "Attachment was not successfully uploaded")
        upload.state = "sent"
        return {"contentType": "Attachment", "attachment": self.document(upload, origin)}

    def document(self, upload: Upload, origin: Origin) -> dict[str, Any]:
        """The attachment object of a message."""
        return {
            "id": upload.id,
            "filename": upload.name,
            "fileSize": upload.size,
            "mediaType": _media_type(upload.mime),
            "mime": upload.mime,
            "sha256": hashlib.sha256(upload.data or b"").hexdigest(),
            "url": self.download_url(upload, origin),
        }

    def refresh(self, owner: FileOwner, document: Any, origin: Origin) -> None:
        """Give an attachment object of history a download address that lives."""
        upload = self.find(owner, document.get("id")) if isinstance(document, dict) else None
        if upload is not None:
            document["url"] = self.download_url(upload, origin)

    def from_agent(self, owner: FileOwner, name: str, data: bytes, mime: str | None) -> Upload:
        """A file the other side sends."""
        upload = Upload(
            id=self._messaging.world.new_id(),
            owner=owner,
            name=name,
            mime=mime or mimetypes.guess_type(name)[0] or "application/octet-stream",
            size=len(data),
            asked_at=self._messaging.world.now(),
            connection=None,
            data=data,
            state="sent",
        )
        self.add(upload)
        return upload

    def arrived(self, upload: Upload, data: bytes) -> None:
        """The bytes are here: look at them and tell the connection that asked."""
        now = self._messaging.world.now()
        problem = _content_problem(upload, data)
        if problem is None:
            upload.data, upload.state = data, "uploaded"
        else:
            upload.state = "refused"
        connection = upload.connection
        if connection is None or connection not in self._messaging.connections:
            return
        body: dict[str, Any] = {"attachmentId": upload.id, "timestamp": iso(now)}
        if problem is None:
            body["downloadUrl"] = self.download_url(upload, connection.origin)
            connection.push(envelope("UploadSuccessEvent", body, pushed=True))
        else:
            body["errorCode"], body["errorMessage"] = problem
            connection.push(envelope("UploadFailureEvent", body, pushed=True))


# -- the guest's actions --------------------------------------------------------------------------------


def on_attachment(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`onAttachment`: ask for an upload address."""
    session = connection.session
    assert session is not None
    if session.read_only:
        raise FrameRefusal(409, "Session is read-only")
    world = messaging.world
    given = asked.fields.get("attachmentId")
    attachment_id = given if isinstance(given, str) and given else world.new_id()
    name, mime = asked.fields.get("fileName"), asked.fields.get("fileType")
    size = asked.fields.get("fileSize")
    problem = _request_problem(session, name, mime, size)
    if problem is not None:
        return _refuse(connection, asked, attachment_id, *problem)
    upload = Upload(
        id=attachment_id,
        owner=session,
        name=str(name),
        mime=str(mime),
        size=int(size or 0),
        asked_at=world.now(),
        connection=connection,
    )
    messaging.uploads.add(upload)
    url = f"{connection.origin.url('api')}/upload/{messaging.uploads.link(upload)}"
    body = {"attachmentId": upload.id, "url": f"{url}?X-Amz-Expires={LINK_SECONDS}", "headers": _tags(world)}
    connection.push(envelope("PresignedUrlResponse", body, tracing_id=asked.tracing_id))
    return 200


def get_attachment(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`getAttachment`: a fresh download address; its headers are empty, which tells it from an upload's."""
    assert connection.session is not None
    upload = messaging.uploads.find(connection.session, asked.fields.get("attachmentId"))
    if upload is None or upload.data is None:
        code, text = (4009, "Attachment not found") if upload is None else (4010, _NOT_UPLOADED)
        return _refuse(connection, asked, str(asked.fields.get("attachmentId", "")), code, text)
    body = {
        "attachmentId": upload.id,
        "url": messaging.uploads.download_url(upload, connection.origin),
        "headers": {},
        "fileName": upload.name,
        "fileSize": upload.size,
        "fileType": upload.mime,
    }
    connection.push(envelope("PresignedUrlResponse", body, tracing_id=asked.tracing_id))
    return 200


def delete_attachment(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`deleteAttachment`: drop an upload that was not sent."""
    assert connection.session is not None
    upload = messaging.uploads.find(connection.session, asked.fields.get("attachmentId"))
    if upload is None:
        raise FrameRefusal(4009, "Attachment not found")
    if upload.state == "sent":
        raise FrameRefusal(400, "Request failed: the attachment was sent already")
    messaging.uploads.remove(upload)
    # Type `message` as in the official fixture, though it answers a request.
    frame = envelope(
        "AttachmentDeletedResponse", {"attachmentId": upload.id}, pushed=True, tracing_id=asked.tracing_id
    )
    connection.push(frame)
    return 200


# -- the addresses -----------------------------------------------------------------------------------------


async def upload(call: Call) -> Reply:
    """`PUT /upload/{key}`: the presigned address."""
    found = call.messaging.uploads.follow(call.part("key"))
    tags = _tags(call.world)
    if found is None or any(call.request.headers.get(name) != value for name, value in tags.items()):
        call.detail = "AccessDenied"
        return _storage_error("AccessDenied")
    if found.data is not None or found.state == "refused":
        return _storage_error("AccessDenied")
    limit = found.owner.largest_file
    try:
        data = await call.body(max(limit, found.size) + 1)
    except Refusal:
        return _storage_error("EntityTooLarge", 400)
    # After the scan, so after this answer; not on the sandbox's clock, which may stand still.
    asyncio.get_running_loop().call_later(SCAN_SECONDS, call.messaging.uploads.arrived, found, data)
    return Reply(raw=b"", headers={"ETag": f'"{hashlib.sha256(data).hexdigest()[:32]}"'})


async def download(call: Call) -> Reply:
    """`GET /api/v2/downloads/{key}`."""
    found = call.messaging.uploads.follow(call.part("key"))
    if found is None or found.data is None:
        raise Refusal("not.found")
    # Never shown by a browser on our origin, whatever it claims to be.
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, errors='replace')}",
        "X-Content-Type-Options": "nosniff",
    }
    return Reply(raw=found.data, media_type=_header_safe(found.mime), headers=headers)


def _storage_error(code: str, status: int = 403) -> Reply:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Reply(status=status, raw=body.encode(), media_type="application/xml")


# -- within ------------------------------------------------------------------------------------------------

_NOT_UPLOADED = "Attachment was not successfully uploaded"


def _tags(world: Any) -> dict[str, str]:
    return {"x-amz-tagging": f"organizationId={world.organization_id}&originPlatform=PureCloud&role=guest"}


def _refuse(connection: Connection, asked: Asked, attachment_id: str, code: int, text: str) -> int:
    """As an object if `errorsAsJson` was asked for, else as a `string` frame."""
    if asked.fields.get("errorsAsJson") is not True:
        raise FrameRefusal(code, text)
    body = error_body(code, text, attachmentId=attachment_id)
    connection.push(envelope("GenerateUrlError", body, pushed=True, tracing_id=asked.tracing_id))
    return code


def _request_problem(session: Session, name: Any, mime: Any, size: Any) -> tuple[int, str] | None:
    deployment = session.deployment
    if not deployment.attachments:
        return 4000, "File upload is not available"
    if not isinstance(name, str) or not PurePosixPath(name).suffix:
        return 4004, "File name is missing or has no extension"
    if len(name) >= NAME_LENGTH:
        return 4005, f"File name is longer than {NAME_LENGTH - 1} characters"
    allowed = any(fnmatch(str(mime).lower(), pattern.lower()) for pattern in deployment.file_types)
    blocked = PurePosixPath(name).suffix.lower() in deployment.blocked_extensions
    if not isinstance(mime, str) or not mime or not allowed or blocked:
        return 4001, f"File type {mime if not blocked else PurePosixPath(name).suffix} not supported"
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return 4002, "File size is missing or not a number"
    if size == 0:
        return 4102, "File size is zero"
    if size > deployment.max_file_kb * 1024:
        return 4002, f"File size {size} is larger than {deployment.max_file_kb} KB"
    return None


def _content_problem(upload: Upload, data: bytes) -> tuple[int, str] | None:
    if not data:
        return 4102, "File size is zero"
    if len(data) > upload.owner.largest_file:
        return 4002, f"File size {len(data)} is larger than {upload.owner.largest_file // 1024} KB"
    if len(data) != upload.size:
        return 4003, f"File has {len(data)} bytes, {upload.size} were announced"
    if _EICAR in data or data.startswith(b"MZ"):
        return 4003, "File content is not allowed"
    return None


def _media_type(mime: str) -> str:
    kind = mime.partition("/")[0].lower()
    return {"image": "Image", "video": "Video", "audio": "Audio"}.get(kind, "File")


def _header_safe(mime: str) -> str:
    return mime if mime.isascii() and mime.isprintable() else "application/octet-stream"
