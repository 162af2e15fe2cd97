"""One secret in every shape it travels in, as a generator makes them: none comes through the redaction."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestlab.log import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

JWT_HEAD = base64.urlsafe_b64encode(b'{"alg":"RS256"}').decode().rstrip("=")
SECRETS = st.text(
    "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789_-", min_size=20, max_size=60
).map("Zq9x".__add__)


def _jwt(secret: str) -> str:
    return f"{JWT_HEAD}.{base64.urlsafe_b64encode(secret.encode()).decode().rstrip('=')}.{secret}"


def _basic(secret: str) -> str:
    return base64.b64encode(f"client-id:{secret}".encode()).decode()


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(one):04x}" for one in text)


SHAPES: dict[str, Callable[[str], str]] = {
    "fragment of a redirect": lambda s: (
        f"https://app.example/callback#access_token={s}&token_type=bearer&state=x"
    ),
    "query": lambda s: f"GET /v1?deploymentId=d&access_token={s} HTTP/1.1\r\nHost: h\r\n\r\n",
    "query, percent-encoded name": lambda s: f"wss://h/v1?access%5Ftoken={s}&x=y",
    "query, percent-encoded value": lambda s: f"https://h/?access_token={quote(s + '=/+', safe='')}",
    "cookie": lambda s: f"GET / HTTP/1.1\r\nHost: h\r\nCookie: theme=dark; session={s}; x=y\r\n\r\n",
    "set cookie": lambda s: f"HTTP/1.1 200 OK\r\nSet-Cookie: sid={s}; Path=/; Secure\r\n\r\n",
    "bearer": lambda s: f"GET / HTTP/1.1\r\nAuthorization: Bearer {s}\r\n\r\n",
    "bearer in prose": lambda s: f"I sent Authorization: Bearer {s} and it said 401",
    "basic": lambda s: f"POST / HTTP/1.1\r\nAuthorization: Basic {_basic(s)}\r\n\r\n",
    "proxy": lambda s: f"CONNECT h:443 HTTP/1.1\r\nProxy-Authorization: Basic {_basic(s)}\r\n\r\n",
    "header over two lines": lambda s: f"GET / HTTP/1.1\r\nAuthorization: Bearer\r\n {s}\r\n\r\n",
    "jwt in JSON": lambda s: json.dumps({"body": {"jwt": _jwt(s), "exp": 1}}),
    "jwt in JSON in a text of JSON": lambda s: json.dumps({"text": json.dumps({"jwt": _jwt(s)})}),
    "jwt in prose": lambda s: f"see {_jwt(s)} there",
    "unicode-escaped JSON value": lambda s: f'{{"token":"{_escaped(s)}"}}',
    "unicode-escaped JSON name": lambda s: f'{{"{_escaped("access_token")}":"{s}"}}',
    "subprotocol": lambda s: f"GET /v1 HTTP/1.1\r\nSec-WebSocket-Protocol: bearer, {_jwt(s)}\r\n\r\n",
    "curl -u": lambda s: (
        f"curl -u client-id:{s} -d grant_type=client_credentials https://login.mypurecloud.de/oauth/token"
    ),
    "curl --user, quoted": lambda s: f"curl --user 'client-id:{s}' https://login.mypurecloud.de/oauth/token",
    "curl -H": lambda s: f"curl -H 'Authorization: Bearer {s}' https://api.mypurecloud.de/api/v2/tokens/me",
    "Python repr": lambda s: repr({"access_token": s, "expires_in": 1}),
    "Python keyword": lambda s: f'Client(client_id="x", client_secret="{s}")',
    "shell": lambda s: f"export GUESTLAB_CLIENT_SECRET={s}",
    "YAML": lambda s: f"client_id: x\nclient_secret: {s}\n",
    "form": lambda s: f"grant_type=refresh_token&refresh_token={s}&client_id=x",
    "multipart": lambda s: (
        f'--b\r\nContent-Disposition: form-data; name="client_secret"\r\n\r\n{s}\r\n--b--\r\n'
    ),
    "password in a URL": lambda s: f"https://user:{s}@proxy.example:8080/",
    "HAR pair": lambda s: json.dumps({"headers": [{"name": "Authorization", "value": f"Bearer {s}"}]}),
    "presigned": lambda s: f"https://h/x?X-Amz-Signature={s}&X-Amz-Expires=60",
}


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(SECRETS)
def test_a_secret_that_nobody_told_of_is_masked_in_every_shape(shape: str, secret: str) -> None:
    """By its name or by its form; and once seen, it is found by value as well."""
    redactor = Redactor(b"key")
    redacted = redactor.redact(SHAPES[shape](secret))
    for form in (secret, _escaped(secret), _basic(secret), secret[4:]):
        assert form not in redacted


@pytest.mark.parametrize("shape", SHAPES)
def test_a_secret_that_is_known_is_masked_in_every_shape(shape: str) -> None:
    """Also where no name gives it away."""
    secret = "Zq9xKnown-0123456789abcdefXYZ"
    redactor = Redactor(b"key")
    redactor.learn(secret)
    redacted = redactor.redact(f"{SHAPES[shape](secret)} and {secret}, {_basic(secret)}")
    for form in (secret, _escaped(secret), _basic(secret)):
        assert form not in redacted


@settings(max_examples=50, deadline=None, derandomize=True)
@given(SECRETS, st.data())
def test_a_known_secret_cut_by_a_frame_leaves_at_most_a_half_behind(secret: str, data: st.DataObject) -> None:
    """Of a JSON value torn between two frames each half is masked by its name or as the beginning of a text."""
    text = json.dumps({"token": secret})
    cut = data.draw(st.integers(len('{"token": "') + 6, len(text)))
    redacted = Redactor(b"key").redact(text[:cut])
    assert secret[:6] not in redacted
