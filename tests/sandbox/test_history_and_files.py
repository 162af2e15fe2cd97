"""History by REST, and files both ways on real addresses."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from guestlab.sandbox import Sandbox

from .conftest import Guest

HISTORY = "/api/v2/webmessaging/messages"


@pytest.fixture
def quiet() -> Iterator[Sandbox]:
    """A sandbox without a bot, its time standing still."""
    with Sandbox(bot=False) as sandbox:
        sandbox.clock.freeze()
        yield sandbox


@pytest.fixture
def guest(quiet: Sandbox) -> Iterator[Guest]:
    """A configured guest on it."""
    guest = Guest(quiet)
    yield guest
    guest.close()


@pytest.fixture
def web(quiet: Sandbox) -> Iterator[httpx.Client]:
    """An HTTP client without any credential."""
    with httpx.Client(base_url=f"http://127.0.0.1:{quiet.http_port}", trust_env=False) as client:
        yield client


def _history(web: httpx.Client, guest: Guest, **params: Any) -> httpx.Response:
    jwt = guest.ask("getJwt")["body"]["jwt"]
    return web.get(HISTORY, params=params, headers={"Authorization": f"bearer {jwt}"})


# -- history ----------------------------------------------------------------------------------------------


def test_the_guest_jwt_looks_real_and_lives_a_minute(quiet: Sandbox, guest: Guest, web: httpx.Client) -> None:
    """Exp in seconds; afterwards bad.credentials."""
    body = guest.ask("getJwt")["body"]
    assert body["exp"] == int(quiet.clock.time()) + 60
    header, claims, _ = body["jwt"].split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["exp"] == body["exp"]
    assert guest.token not in base64.urlsafe_b64decode(claims + "==").decode()
    authorization = {"Authorization": f"Bearer {body['jwt']}"}
    assert web.get(HISTORY, headers=authorization).status_code == 200
    quiet.clock.advance(61)
    refused = web.get(HISTORY, headers=authorization)
    assert (refused.status_code, refused.json()["code"]) == (401, "bad.credentials")


def test_nothing_but_the_guest_jwt_opens_history(quiet: Sandbox, web: httpx.Client) -> None:
    """No header; a platform token; rubbish."""
    reply = web.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(quiet.client_id, quiet.client_secret),
    ).json()
    assert web.get(HISTORY).json()["code"] == "authentication.required"
    for value in (reply["access_token"], "rubbish"):
        refused = web.get(HISTORY, headers={"Authorization": f"Bearer {value}"})
        assert (refused.status_code, refused.json()["code"]) == (401, "bad.credentials")


def test_an_empty_history_is_shaped_as_captured(guest: Guest, web: httpx.Client) -> None:
    """All zeros, page one."""
    expected = {"entities": [], "pageSize": 0, "pageNumber": 1, "total": 0, "pageCount": 0}
    assert _history(web, guest).json() == expected


def test_history_is_newest_first_and_paged_from_the_newest_end(
    quiet: Sandbox, guest: Guest, web: httpx.Client
) -> None:
    """Both sides, presence too, typing not; past the end it is empty; every entity is complete."""
    guest.event("Presence", "Join")
    guest.event("Typing", "On")
    live = [guest.say("one", metadata={"id": "mine"})["body"]]
    quiet.agent.say("two", nickname="Ada")
    quiet.agent.typing()
    quiet.agent.quick_replies("three", "Red", "Green")
    live += [guest.until_text(text)["body"] for text in ("two", "three")]
    page = _history(web, guest, pageSize=3).json()
    assert (page["total"], page["pageCount"], page["pageSize"], page["pageNumber"]) == (4, 2, 3, 1)
    assert [entity["id"] for entity in page["entities"]] == [body["id"] for body in reversed(live)]
    newest, middle, oldest = page["entities"]
    assert newest["content"][0]["quickReply"]["payload"] == "Red"
    assert middle["channel"]["from"] == {"nickname": "Ada"}
    assert oldest["metadata"]["id"] == "mine"
    assert [e["originatingEntity"] for e in page["entities"]] == ["Human"] * 3
    for entity in page["entities"]:
        assert {"id", "channel", "type", "direction"} <= set(entity)
        assert {"from", "to", "time"} <= set(entity["channel"])
        assert "type" not in entity["channel"]
    second = _history(web, guest, pageSize=3, pageNumber=2).json()["entities"]
    assert [entity["events"][0]["presence"]["type"] for entity in second] == ["Join"]
    assert _history(web, guest, pageSize=3, pageNumber=3).json()["entities"] == []
    assert _history(web, guest, pageSize=0).json()["code"] == "invalid.value"


def test_history_may_be_read_ten_times_a_minute(quiet: Sandbox, guest: Guest, web: httpx.Client) -> None:
    """Then 429 with Retry-After."""
    jwt = guest.ask("getJwt")["body"]["jwt"]
    authorization = {"Authorization": f"Bearer {jwt}"}
    assert {web.get(HISTORY, headers=authorization).status_code for _ in range(10)} == {200}
    refused = web.get(HISTORY, headers=authorization)
    assert (refused.status_code, refused.json()["code"]) == (429, "too.many.requests")
    quiet.clock.advance(int(refused.headers["Retry-After"]))
    assert _history(web, guest).status_code == 200


def test_history_of_a_session_that_is_over_is_gone(quiet: Sandbox, guest: Guest, web: httpx.Client) -> None:
    """session.expired, session.not.found; after start-new only the new words are there."""
    guest.say("old")
    jwt = guest.ask("getJwt")["body"]["jwt"]
    guest.configure(startNew=True)
    gone = web.get(HISTORY, headers={"Authorization": f"Bearer {jwt}"})
    assert (gone.status_code, gone.json()["code"]) == (404, "session.not.found")
    guest.say("new")
    assert [entity["text"] for entity in _history(web, guest).json()["entities"]] == ["new"]
    jwt = guest.ask("getJwt")["body"]["jwt"]
    quiet.faults.expire("session")
    gone = web.get(HISTORY, headers={"Authorization": f"Bearer {jwt}"})
    assert (gone.status_code, gone.json()["code"]) == (404, "session.expired")


def test_history_asks_for_the_origin_where_domains_are_listed(quiet: Sandbox, web: httpx.Client) -> None:
    """As the mobile SDK sends it."""
    deployment = quiet.deployments.add()
    guest = Guest(quiet, deployment_id=deployment.id)
    deployment.allow_all_domains, deployment.allowed_domains = False, ("shop.example",)
    assert _history(web, guest).json()["code"] == "not.authorized"
    web.headers["Origin"] = "https://shop.example"
    assert _history(web, guest).status_code == 200
    guest.close()


# -- files ------------------------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n not really"


def _ask(guest: Guest, **fields: Any) -> dict[str, Any]:
    wish = {"fileName": "a.png", "fileType": "image/png", "fileSize": len(PNG), "errorsAsJson": True}
    return guest.ask("onAttachment", **{**wish, **fields})


def _upload(web: httpx.Client, guest: Guest, data: bytes = PNG, **fields: Any) -> dict[str, Any]:
    place = _ask(guest, **{"fileSize": len(data), **fields})["body"]
    reply = web.put(place["url"], content=data, headers={**place["headers"], "Content-Type": "image/png"})
    assert reply.status_code == 200
    event = guest.receive()
    assert event["body"]["attachmentId"] == place["attachmentId"]
    return event


def test_a_file_goes_up_is_sent_and_comes_down(quiet: Sandbox, guest: Guest, web: httpx.Client) -> None:
    """The whole flow; the echo has the complete attachment, on every connection."""
    second = Guest(quiet, token=guest.token)
    chosen = str(uuid4())
    event = _upload(web, guest, attachmentId=chosen)
    assert (event["type"], event["class"], event["code"]) == ("message", "UploadSuccessEvent", 200)
    assert event["body"]["timestamp"].endswith("Z")
    assert web.get(event["body"]["downloadUrl"]).content == PNG
    content = [{"contentType": "Attachment", "attachment": {"id": chosen}}]
    body = guest.ask("onMessage", message={"content": content})["body"]
    assert body["type"] == "Text"
    attachment = body["content"][0]["attachment"]
    assert {k: attachment[k] for k in ("id", "filename", "fileSize", "mediaType", "mime")} == {
        "id": chosen,
        "filename": "a.png",
        "fileSize": len(PNG),
        "mediaType": "Image",
        "mime": "image/png",
    }
    assert len(attachment["sha256"]) == 64
    reply = web.get(attachment["url"])
    assert (reply.content, reply.headers["Content-Type"]) == (PNG, "image/png")
    assert reply.headers["Content-Disposition"].startswith("attachment")
    assert second.receive()["body"]["content"] == body["content"]
    shown = " ".join(str(record) for record in quiet.backend_log)
    assert "PUT /upload/…" in shown
    assert attachment["url"].rpartition("/")[2] not in shown
    second.close()


def test_addresses_follow_the_request_and_die_after_ten_minutes(
    quiet: Sandbox, guest: Guest, web: httpx.Client
) -> None:
    """A fresh one comes by getAttachment, whose headers are empty; history mends its own."""
    event = _upload(web, guest)
    url = event["body"]["downloadUrl"]
    assert url.startswith(f"http://127.0.0.1:{quiet.http_port}/api/v2/downloads/")
    guest.ask(
        "onMessage",
        message={
            "type": "Text",
            "text": "look",
            "content": [{"contentType": "Attachment", "attachment": {"id": event["body"]["attachmentId"]}}],
        },
    )
    late = _ask(guest)["body"]
    quiet.clock.advance(601)
    assert web.get(url).status_code == 404
    assert web.put(late["url"], content=PNG, headers=late["headers"]).status_code == 403
    again = guest.ask("getAttachment", attachmentId=event["body"]["attachmentId"])["body"]
    assert again["headers"] == {}
    assert (again["fileName"], again["fileSize"], again["fileType"]) == ("a.png", len(PNG), "image/png")
    assert web.get(again["url"]).content == PNG
    entity = _history(web, guest).json()["entities"][0]
    assert web.get(entity["content"][0]["attachment"]["url"]).content == PNG


def test_an_upload_address_wants_its_headers_and_takes_one_file(guest: Guest, web: httpx.Client) -> None:
    """403 as a storage service says it."""
    place = _ask(guest)["body"]
    assert set(place["headers"]) == {"x-amz-tagging"}
    refused = web.put(place["url"], content=PNG)
    assert (refused.status_code, b"AccessDenied" in refused.content) == (403, True)
    assert web.put(place["url"], content=PNG, headers=place["headers"]).status_code == 200
    assert guest.receive()["class"] == "UploadSuccessEvent"
    assert web.put(place["url"], content=PNG, headers=place["headers"]).status_code == 403
    assert web.put("/upload/nonsense", content=PNG, headers=place["headers"]).status_code == 403


# fields, code
NOT_WANTED = (
    ({"fileType": "image/tiff"}, 4001),
    ({"fileName": "virus.EXE"}, 4001),
    ({"fileType": None}, 4001),
    ({"fileSize": 10240 * 1024 + 1}, 4002),
    ({"fileSize": "many"}, 4002),
    ({"fileSize": -1}, 4002),
    ({"fileName": "noextension"}, 4004),
    ({"fileName": ""}, 4004),
    ({"fileName": "a" * 1020 + ".png"}, 4005),
    ({"fileSize": 0}, 4102),
)


@pytest.mark.parametrize(("fields", "code"), NOT_WANTED)
@pytest.mark.parametrize("as_json", [True, False])
def test_a_file_that_is_not_wanted_is_refused_with_its_code(
    quiet: Sandbox, fields: dict[str, Any], code: int, as_json: bool
) -> None:
    """As a GenerateUrlError, or as a string frame if that was not asked for."""
    guest = Guest(quiet, deployment_id=quiet.deployments.add(file_types=("image/png", "text/*")).id)
    frame = _ask(guest, **fields, errorsAsJson=as_json)
    if as_json:
        assert (frame["class"], frame["body"]["errorCode"]) == ("GenerateUrlError", code)
        assert frame["body"]["attachmentId"]
        assert frame["body"]["errorMessage"]
    else:
        assert (frame["class"], frame["code"]) == ("string", code)
    guest.close()


def test_the_official_text_for_a_wrong_type(quiet: Sandbox) -> None:
    """Word for word."""
    guest = Guest(quiet, deployment_id=quiet.deployments.add(file_types=("image/png",)).id)
    body = _ask(guest, fileType="image/tiff")["body"]
    assert body["errorMessage"] == "File type image/tiff not supported"
    guest.close()


def test_attachments_switched_off_are_4000(quiet: Sandbox) -> None:
    """The feature is not there."""
    guest = Guest(quiet, deployment_id=quiet.deployments.add(attachments=False).id)
    assert _ask(guest)["body"]["errorCode"] == 4000
    guest.close()


@pytest.mark.parametrize(
    ("data", "size", "code"),
    [
        (b"", 3, 4102),
        (b"four", 3, 4003),
        (b"MZ\x90 a program", 14, 4003),
        (b"X5O!P%@AP-EICAR-STANDARD-ANTIVIRUS-TEST-FILE!", 45, 4003),
    ],
)
def test_what_arrives_is_looked_at(
    guest: Guest, web: httpx.Client, data: bytes, size: int, code: int
) -> None:
    """UploadFailureEvent, code 200 on the envelope; the file cannot be sent."""
    event = _upload(web, guest, data, fileSize=size)
    assert (event["class"], event["code"], event["body"]["errorCode"]) == ("UploadFailureEvent", 200, code)
    content = [{"contentType": "Attachment", "attachment": {"id": event["body"]["attachmentId"]}}]
    assert guest.ask("onMessage", message={"content": content})["code"] == 4010


def test_a_file_is_sent_after_it_arrived_and_deleted_before_it_is_sent(
    quiet: Sandbox, guest: Guest, web: httpx.Client
) -> None:
    """4010 too early, 4009 unknown or deleted, 4008 after fifteen days, 400 once sent."""

    def send(attachment_id: str) -> dict[str, Any]:
        content = [{"contentType": "Attachment", "attachment": {"id": attachment_id}}]
        return guest.ask("onMessage", message={"content": content})

    early = _ask(guest)["body"]["attachmentId"]
    assert send(early)["code"] == 4010
    assert guest.ask("getAttachment", attachmentId=early, errorsAsJson=True)["body"]["errorCode"] == 4010
    ready = _upload(web, guest)["body"]["attachmentId"]
    deleted = guest.ask("deleteAttachment", attachmentId=ready)
    assert (deleted["class"], deleted["body"]) == ("AttachmentDeletedResponse", {"attachmentId": ready})
    assert send(ready)["code"] == 4009
    sent = _upload(web, guest)["body"]["attachmentId"]
    assert send(sent)["code"] == 200
    assert guest.ask("deleteAttachment", attachmentId=sent)["code"] == 400
    kept = _upload(web, guest)["body"]["attachmentId"]
    for _ in range(6):
        quiet.clock.advance(250_000)
        quiet.agent.say("still here")
        guest.receive()
    assert send(kept)["code"] == 4008


def test_files_of_others_are_not_found(quiet: Sandbox, guest: Guest, web: httpx.Client) -> None:
    """Knowing the id is not enough."""
    stranger = Guest(quiet)
    mine = _upload(web, guest)["body"]["attachmentId"]
    assert stranger.ask("getAttachment", attachmentId=mine)["code"] == 4009
    stranger.close()


def test_the_agent_sends_a_file(quiet: Sandbox, guest: Guest, web: httpx.Client, tmp_path: Any) -> None:
    """From a path or bytes; the guest fetches it."""
    path = tmp_path / "bill.pdf"
    path.write_bytes(b"%PDF")
    guest.say("hello")
    quiet.agent.attachment(path)
    quiet.agent.attachment(b"raw", name="b.bin")
    for data, name, kind in (
        (b"%PDF", "bill.pdf", "application/pdf"),
        (b"raw", "b.bin", "application/octet-stream"),
    ):
        body = guest.receive()["body"]
        attachment = body["content"][0]["attachment"]
        assert (body["type"], attachment["filename"], attachment["mime"]) == ("Text", name, kind)
        assert web.get(attachment["url"]).content == data
