"""Secrets planted everywhere turn up nowhere: repr, log, table, exception, HTML, printed line."""

from __future__ import annotations

import base64
import contextlib
from urllib.parse import quote

import pytest

from guestlab import errors
from guestlab.lab import Lab
from guestlab.sandbox import Sandbox


def _shapes(secret: str) -> set[str]:
    """A secret in the forms in which it might slip out."""
    return {
        secret,
        quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    }


def _outputs(lab: Lab, *objects: object) -> str:
    """Everything a person or a file could get to see of a lab's work."""
    texts = [repr(lab), *(repr(entry) for entry in lab.log.entries), repr(lab.log)]
    for frame in (
        lab.log.table(),
        lab.log.http,
        lab.log.frames,
        lab.log.messages,
        lab.log.attempts,
        lab.log.sessions,
    ):
        texts += [frame.to_csv(), frame.to_json(date_format="iso") or "", repr(frame)]
    for thing in objects:
        texts += [repr(thing), str(thing)]
        bundle = getattr(thing, "_repr_mimebundle_", dict)()
        texts += bundle.values()
    return "\n".join(texts)


def test_no_secret_of_a_whole_tour_turns_up_anywhere() -> None:
    """Client secret, access token and guest tokens, in every usual encoding."""
    with (
        Sandbox() as sandbox,
        Lab(
            sandbox.region,
            deployment_id=sandbox.deployment_id,
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
        ) as lab,
    ):
        token = lab.token(scope="x")
        conversation = lab.conversation()
        refusal = lab.conversation_as_asked()
        attempts = [
            lab.attempt(credential=credential, placement=placement, deployment_id=deployment_id)
            for credential in ("client_credentials", "guest", "garbage")
            for placement in ("query", "header", "cookie", "subprotocol", "first_frame")
            for deployment_id in (None, sandbox.deployment_id)
        ]
        with lab.session() as session:
            session.send(f"my token is {session.guest_token}, and {token.value}")
            events = session.messages(quiet=0.3)
            guest_token = session.guest_token
        text = _outputs(lab, token, conversation, refusal, session, *attempts, *events)
        basic = base64.b64encode(f"{sandbox.client_id}:{sandbox.client_secret}".encode()).decode()
        for secret in (sandbox.client_secret, token.value, guest_token, basic):
            for shape in _shapes(secret):
                assert shape not in text
        assert "[masked:" in text, "masked values stay joinable by their tag"


def test_a_refused_secret_is_not_in_the_error() -> None:
    """Wrong secrets are secrets too."""
    planted = "planted-wrong-secret-8c1f"
    with (
        Sandbox() as sandbox,
        Lab(
            sandbox.region,
            deployment_id=sandbox.deployment_id,
            client_id=sandbox.client_id,
            client_secret=planted,
        ) as lab,
    ):
        with pytest.raises(errors.TokenError) as caught:
            lab.token()
        text = _outputs(lab, caught.value) + repr(caught.value.__dict__)
        assert not any(shape in text for shape in _shapes(planted))


def test_a_secret_in_a_pasted_url_is_not_in_the_error() -> None:
    """A URL that is none is quoted masked."""
    planted = "planted-in-a-url-77aa"
    with Sandbox() as sandbox, Lab(sandbox.region, deployment_id=sandbox.deployment_id) as lab:
        with contextlib.suppress(errors.GuestlabError):
            lab.attempt(url=f"https://example.invalid/?access_token={planted}")
        with pytest.raises(errors.InputError) as caught:
            lab.attempt(url=f"gopher://x/?access_token={planted}")
        assert planted not in str(caught.value) + _outputs(lab)


def test_urls_that_open_files_are_not_in_the_log() -> None:
    """Whoever knows such a URL may fetch the file, so its opaque part is masked."""
    with Lab() as lab, lab.session() as session:
        message = session.send("file", attachment=b"secret content", attachment_name="a.txt")
        (attachment,) = message.content
        opaque = attachment.url.rpartition("/")[2].partition("?")[0]
        assert len(opaque) >= 24
        session.messages(quiet=0.3)
        assert session.download(attachment) == b"secret content"
        text = _outputs(lab, message, session)
    assert opaque not in text
    uploads = [entry for entry in lab.log.entries if entry.method == "PUT"]
    assert uploads
    assert all("[masked:" in (entry.url or "") for entry in uploads)
