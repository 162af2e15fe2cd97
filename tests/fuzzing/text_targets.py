"""Targets of text: addresses, evidence, comparisons, settings, and the redaction every text goes through.

`long-paste` and `long-text` repeat a short piece up to tens of thousands of characters: a pattern that looks
at every place from every other would take minutes there.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from guestlab.handshake.comparison import compare
from guestlab.handshake.deployment_id import id_fault
from guestlab.handshake.described import diagnose_text
from guestlab.handshake.diagnosis import diagnose
from guestlab.handshake.frame_check import check_frame
from guestlab.handshake.url_check import check_url
from guestlab.lab import Lab
from guestlab.log import Redactor
from guestlab.regions import Region
from tests.fuzzing.file_targets import CODE, _pastes
from tests.fuzzing.target import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TARGETS"]

LENGTH = 30_000
"""Characters of a repeated piece."""
OPENINGS = (
    "",
    "curl ",
    "new WebSocket('wss://h/v1');",
    "GET / HTTP/1.1\r\n",
    'websockets.connect("wss://h/v1")\n',
    "wscat -c ",
)
TEXTS = ("", '{"a":"', "GET / HTTP/1.1\r\n", "Authorization: ", "token=", "Cookie: a=b; ")
PLANTED = "Zq9x-4711abcdefghijklmnop"
"""A secret that is known."""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _repeated(data: bytes, openings: Sequence[str]) -> str:
    """A beginning, then the same piece again and again."""
    piece = _text(data[1:65]) or "a"
    return openings[data[0] % len(openings) if data else 0] + piece * (LENGTH // len(piece))


def read_long_paste(data: bytes) -> None:
    """A very long paste is read in a time that grows with its length."""
    str(diagnose_text(_repeated(data, OPENINGS)))


def redact_long_text(data: bytes) -> None:
    """So is a very long text redacted."""
    redactor = Redactor(b"fuzzing", personal=True)
    redactor.learn(PLANTED)
    redactor.redact(_repeated(data, TEXTS))


def redact_text(data: bytes) -> None:
    """What is known never comes through, whatever stands around it; a frame of bytes is a text too."""
    text = data.decode("utf-8", "backslashreplace")
    redactor = Redactor(b"fuzzing", personal=bool(len(data) % 2))
    redactor.learn(PLANTED)
    middle = len(text) // 2
    whole = f"{text[:middle]} {PLANTED} {text[middle:]}"
    redacted = redactor.redact(whole)
    assert PLANTED not in redacted
    another = Redactor(b"fuzzing", personal=bool(len(data) % 2))
    another.learn(PLANTED)
    assert another.redact_all([whole])[0] == redacted, "many are redacted as one is"


def read_address(data: bytes) -> None:
    """A URL, a header, an id and a symptom, in somebody's own words."""
    text = _text(data)
    str(check_url(text))
    id_fault(text)
    str(check_frame(text, first=True))
    pieces = text.split("\n")
    piece = dict(enumerate(pieces))
    found = diagnose(
        url=pieces[0], headers={"Authorization": piece.get(1, ""), "Origin": piece.get(2, "")}, note=piece.get(3),
        body=piece.get(4), http_status=(401, 403, 101, None)[len(data) % 4], first_frame=piece.get(5),
        response_headers={piece.get(6, "x"): piece.get(7, "")}, subprotocols=(piece.get(8, ""),),
    )  # fmt: skip
    assert str(found)
    Region(pieces[0])


def compare_texts(data: bytes) -> None:
    """Two pasted requests."""
    left, _, right = _text(data).partition("\0")
    found = compare(left, right)
    assert str(found)
    found._repr_mimebundle_()


def read_settings(data: bytes) -> None:
    """The environment a lab is made from. Paths are left out: they name files of this machine."""
    pairs = (line.partition("=") for line in _text(data).split("\n"))
    names = {"REGION", "DEPLOYMENT_ID", "CLIENT_ID", "CLIENT_SECRET", "ACCESS_TOKEN", "ORIGIN"}
    environ = {f"GUESTLAB_{name}": value for name, _, value in pairs if name in names}
    with Lab.from_env(environ) as lab:
        repr(lab)
        lab._repr_html_() if hasattr(lab, "_repr_html_") else None


def _addresses() -> Sequence[bytes]:
    return [
        b"wss://webmessaging.mypurecloud.de/v1?deploymentId=3d2f0c1e-0000-4000-8000-000000000001\nBearer x\nhttps://a.example\nsilent\n{}\n{}\nx-amzn-ErrorType\njwt",
        b"https://login.mypurecloud.ie/oauth/token\nBasic eDp5\nnull\n401 with an empty body\n\n\nWww-Authenticate\nBearer", b"eu-central-1",
        b"localhost:8443", b"wss://[::1]:99999/v1", b"http://apps.usw2.pure.cloud/directory/#/admin",
    ]  # fmt: skip


def _pairs() -> Sequence[bytes]:
    pastes = [*_pastes()[-4:], *_pastes()[:8]]
    return [left + b"\0" + right for left, right in pairwise(pastes)]


def _texts() -> Sequence[bytes]:
    return [
        b"POST /oauth/token HTTP/1.1\r\nAuthorization: Basic eDp5eDp5eDp5\r\nCookie: a=b; sid=0123456789ab\r\n\r\nclient_secret=Ab0123456789&x=y",
        b'{"token":"8b6c1d1e-0000-4000-8000-000000000001","data":{"code":"x0123456789"},"text":"{\\"jwt\\":\\"eyJhbGciOi.eyJ.sig\\"}"}',
        b"wss://h/v1?access_token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJndWVzdCJ9.c2lnbmF0dXJl#x", b"Bearer 0123456789abcdef write to a@b.example +420 123 456 789",
        b"curl -u id:secret4711 https://u:p4ssword@h/ -H 'Cookie: a=b'", b"{'access_token': 'x0123456789', 'password': \"y0123456789\"}",
    ]  # fmt: skip


SECRETS = (b'"token":"', b"access_token=", b"Bearer ", b"Basic ", b"Authorization: ", b"Cookie: ", b"Set-Cookie: ", b"client_secret", b"password", b"://u:p@", b"[masked:0123abcd]",
           b"eyJhbGciOi.", b"\\u0074oken", b"%74oken", b'\\"', b"\r\n", b"=", b"&", b"code_verifier", b"X-Amz-Signature=", b"jwt")  # fmt: skip
ADDRESS = (
    b"wss://",
    b"https://",
    b"webmessaging.",
    b"login.",
    b"api.",
    b".mypurecloud.de",
    b"/v1",
    b"?deploymentId=",
    b"access_token=",
    b"@",
    b"[",
    b"]",
    b":",
    b"%",
    b"#",
    b"\n",
    b"xn--",
    b"\xe2\x80\xae",
)
SETTINGS = (
    b"REGION=",
    b"DEPLOYMENT_ID=",
    b"CLIENT_ID=",
    b"CLIENT_SECRET=",
    b"ACCESS_TOKEN=",
    b"ORIGIN=",
    b"mypurecloud.de",
    b"127.0.0.1:9",
    b"\n",
)

TARGETS = (
    Target(name="address", read=read_address, seeds=_addresses, words=ADDRESS),
    Target(name="compare", read=compare_texts, seeds=_pairs, words=CODE),
    Target(name="settings", read=read_settings, seeds=lambda: [b"REGION=mypurecloud.de\nDEPLOYMENT_ID=x\nCLIENT_ID=a\nCLIENT_SECRET=b", b"REGION=127.0.0.1:9\nORIGIN=https://a\nACCESS_TOKEN=x"], words=SETTINGS, longest=512),
    Target(name="redaction", read=redact_text, seeds=_texts, words=SECRETS),
    Target(name="long-paste", read=read_long_paste, seeds=lambda: [b"\0" + word for word in CODE] + [b"\x01-H 'a'", b"\2x=y;", b"\3a: b\n"], words=CODE, longest=65),
    Target(name="long-text", read=redact_long_text, seeds=lambda: [b"\0" + word for word in SECRETS] + [b'\1\\"', b"\2a: b\r\n", b"\4a=b&"], words=SECRETS, longest=65),
)  # fmt: skip
