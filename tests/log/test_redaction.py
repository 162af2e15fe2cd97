"""Redaction: what is masked, what is left, and how it looks. Secrets here are invented."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
import uuid
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from guestlab.errors import InputError
from guestlab.log import Redactor

UUID = "8b6c1d1e-0000-4000-8000-000000000001"
SECRET = "Zx9/client+secret=of,forty~characters"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJndWVzdCJ9.c2lnbmF0dXJl"
KEY = b"the lab's key"


def redact(text: str, **options: object) -> str:
    """Redact with a fresh redactor, every mask as <M>, and check that a second time changes nothing."""
    redactor = Redactor(KEY, **options)  # type: ignore[arg-type]
    redacted = redactor.redact(text)
    assert redactor.redact(redacted) == redacted
    assert redactor.is_clean(text) <= (redacted == text)
    return re.sub(r"\[masked:[0-9a-f]{8}\]", "<M>", redacted)


# -- by name: exactly the secret goes, every other byte stays ---------------------------------------------

BY_NAME = {
    # JSON
    "guest token": ('{"action":"echo", "token":"%s"}', '{"action":"echo", "token":"<M>"}'),
    "spacing kept": ('{ "token"\t:\n "abc",\r\n"x" : 1 }', '{ "token"\t:\n "<M>",\r\n"x" : 1 }'),
    "escapes kept": (r'{"a":"\u00e9\/\n","jwt":"x\"y\u0041"}', r'{"a":"\u00e9\/\n","jwt":"<M>"}'),
    "escaped name": (r'{"\u0074oken":"abc"}', r'{"\u0074oken":"<M>"}'),
    "twice the same name": ('{"token":"abc","token":"def"}', '{"token":"<M>","token":"<M>"}'),
    "number": ('{"password":123456,"n":123456}', '{"password":"<M>","n":123456}'),
    "no secret there": ('{"token":null,"jwt":"","secret":true}', '{"token":null,"jwt":"","secret":true}'),
    "list": ('{"tokens":["abc",["def"]],"a":["x"]}', '{"tokens":["<M>",["<M>"]],"a":["x"]}'),
    "object": ('{"token":{"value":"abc","n":1},"a":"x"}', '{"token":{"value":"<M>","n":"<M>"},"a":"x"}'),
    "roles are no secret": ('{"authorization":{"roles":["admin"]}}', '{"authorization":{"roles":["admin"]}}'),
    "any name that ends so": (
        '{"outboundNotificationWebhookSignatureSecretToken":"abc","refreshToken":"def"}',
        '{"outboundNotificationWebhookSignatureSecretToken":"<M>","refreshToken":"<M>"}',
    ),
    "header list": (
        '[{"name":"Authorization","value":"Bearer abc"},{"name":"Host","value":"x"}]',
        '[{"name":"Authorization","value":"Bearer <M>"},{"name":"Host","value":"x"}]',
    ),
    "jwt as code": (
        '{"action":"configureAuthenticatedSession","data":{"code":"abc"}}',
        '{"action":"configureAuthenticatedSession","data":{"code":"<M>"}}',
    ),
    "code exchange": (
        '{"oauth":{"code":"abc","redirectUri":"https://x/","codeVerifier":"def"}}',
        '{"oauth":{"code":"<M>","redirectUri":"https://x/","codeVerifier":"<M>"}}',
    ),
    "grant as JSON": (
        '{"grant_type":"authorization_code","code":"abc"}', '{"grant_type":"authorization_code","code":"<M>"}'
    ),
    "codes that are none": (
        '{"code":200,"body":{"code":"bad.credentials"},"data":{"code":404}}',
        '{"code":200,"body":{"code":"bad.credentials"},"data":{"code":404}}',
    ),
    "JSON in JSON": (r'{"body":"{\"token\":\"abc\"}"}', r'{"body":"{\"token\":\"<M>\"}"}'),
    "URL in JSON": ('{"url":"https://x/?token=abc&a=b"}', '{"url":"https://x/?token=<M>&a=b"}'),
    "JSON lines": ('{"token":"abc"}\n{"token":"def"}\n', '{"token":"<M>"}\n{"token":"<M>"}\n'),
    # torn and hostile
    "torn in the value": ('{"action":"echo","token":"abc', '{"action":"echo","token":"<M>'),
    "torn after an escape": ('{"token":"abc\\', '{"token":"<M>'),
    "torn in the head": ('oken":"x","token":"abc"}', 'oken":"x","token":"<M>"}'),
    "unbalanced quote": ('{"a"b":"x","token":"abc"}', '{"a"b":"x","token":"<M>"}'),
    "single quotes": ("{'token': 'abc', 'a': 'b'}", "{'token': '<M>', 'a': 'b'}"),
    "bare words": ("{token: abc, a: b}", "{token: <M>, a: b}"),
    "name in a name": ("error: token: abc", "error: token: <M>"),
    # forms, queries, URLs
    "form": (
        "grant_type=client_credentials&client_id=c&client_secret=abc",
        "grant_type=client_credentials&client_id=c&client_secret=<M>",
    ),
    "code in a form": ("grant_type=authorization_code&code=abc", "grant_type=authorization_code&code=<M>"),
    "encoded name": ("access%5Ftoken=abc&x=1", "access%5Ftoken=<M>&x=1"),
    "guest URL": ("wss://h/v1?deploymentId=d&access_token=abc", "wss://h/v1?deploymentId=d&access_token=<M>"),
    "callback": ("http://localhost/cb?code=abc&state=s", "http://localhost/cb?code=<M>&state=s"),
    "fragment": ("https://x/#access_token=abc&token_type=bearer", "https://x/#access_token=<M>&token_type=bearer"),
    "presigned": (
        "https://b.s3.amazonaws.com/f?X-Amz-Algorithm=A&X-Amz-Credential=AK%2Fx&X-Amz-Expires=9&X-Amz-Signature=ff0&X-Amz-Security-Token=tt",
        "https://b.s3.amazonaws.com/f?X-Amz-Algorithm=A&X-Amz-Credential=<M>&X-Amz-Expires=9&X-Amz-Signature=<M>&X-Amz-Security-Token=<M>",
    ),
    "userinfo": ("https://user:pw@host/p?a=b@c", "https://user:<M>@host/p?a=b@c"),
    "userinfo without a colon": ("https://tok3n-abc@host/", "https://<M>@host/"),
    "code in prose": ("closed with code=1006; HTTP code: 401", "closed with code=1006; HTTP code: 401"),
    # headers
    "bearer": (
        "GET / HTTP/1.1\r\nAuthorization: Bearer abc\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nAuthorization: Bearer <M>\r\nHost: x\r\n\r\n",
    ),
    "unknown scheme": (
        "GET / HTTP/1.1\r\nauthorization:  My abc\r\n\r\n", "GET / HTTP/1.1\r\nauthorization:  <M>\r\n\r\n"
    ),
    "cookies": (
        "GET / HTTP/1.1\r\nCookie: a=bcd; e=\r\n\r\n", "GET / HTTP/1.1\r\nCookie: a=<M>; e=\r\n\r\n"
    ),
    "set-cookie": (
        "HTTP/1.1 200 OK\r\nSet-Cookie: sid=abc; Path=/; Secure\r\n\r\n",
        "HTTP/1.1 200 OK\r\nSet-Cookie: sid=<M>; Path=/; Secure\r\n\r\n",
    ),
    "folded": ("GET / HTTP/1.1\r\nX-Api-Key: abc\r\n def\r\nA: b\r\n\r\n", "GET / HTTP/1.1\r\nX-Api-Key: <M>\r\nA: b\r\n\r\n"),
    "more headers": (
        "GET / HTTP/1.1\nProxy-Authorization: Basic abc\nX-Amz-Security-Token: t\nX-Auth-Token: u\nA: b\n\n",
        "GET / HTTP/1.1\nProxy-Authorization: Basic <M>\nX-Amz-Security-Token: <M>\nX-Auth-Token: <M>\nA: b\n\n",
    ),
    "challenge": (
        'HTTP/1.1 401 U\r\nWWW-Authenticate: Bearer error_description="the token expired"\r\n\r\n',
        'HTTP/1.1 401 U\r\nWWW-Authenticate: Bearer error_description="the token expired"\r\n\r\n',
    ),
    "subprotocol": (
        "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: bearer, Abcdefghijklmnopqrstuvw123\r\n\r\n",
        "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: bearer, <M>\r\n\r\n",
    ),
    "request line": ("GET /v1?token=abc HTTP/1.1\r\nHost: x\r\n\r\n", "GET /v1?token=<M> HTTP/1.1\r\nHost: x\r\n\r\n"),
    "head and body": (
        'HTTP/1.1 200 OK\r\nETag: W/"x\r\n\r\n{"access_token":"abc","token_type":"bearer"}',
        'HTTP/1.1 200 OK\r\nETag: W/"x\r\n\r\n{"access_token":"<M>","token_type":"bearer"}',
    ),
    # prose
    "curl": ("curl -H 'Authorization: Bearer abc' -u id:x", "curl -H 'Authorization: Bearer <M>' -u id:x"),
    "option": ("--client-secret=abc --region x", "--client-secret=<M> --region x"),
    "password": ("my password: hunter2, thanks", "my password: <M>, thanks"),
    "bearer in prose": ("sent Bearer abc123DEF to it", "sent Bearer <M> to it"),
    "the word bearer": ("a Bearer token in the Authorization header", "a Bearer token in the Authorization header"),
    "no token": ("guest token: none", "guest token: none"),
    "jwt anywhere": (f"<{JWT}>", "<<M>>"),
    "jwt within": ("x.eyJ.eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0,", "x.eyJ.<M>,"),
    "scheme in a query": ("wss://h/?Authorization=Bearer%20abc&x=y", "wss://h/?Authorization=Bearer%20<M>&x=y"),
    "two-part jwt": ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0", "<M>"),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_NAME)
def test_a_secret_is_masked_by_its_name_and_nothing_else_changes(name: str) -> None:
    """Byte for byte, and a second redaction changes nothing."""
    text, expected = BY_NAME[name]
    assert redact(text.replace("%s", UUID)) == expected


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"deploymentId": UUID, "tracingId": UUID, "client_id": UUID, "id": UUID, "messageId": UUID}),
        f"wss://webmessaging.mypurecloud.de/v1?deploymentId={UUID}&application=guestlab",
        '{"type":"response","class":"SessionResponse","code":200,"body":{"connected":true,"newSession":true}}',
        '{"token_type":"bearer","expires_in":86399,"error":"invalid_token","scope":"conversations"}',
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "The server closed with 4001: token expired. See https://example.org/a?b=c&d=e",
        "", "   ", "{", '"', "[]", "\\", "null", "=", "@", "://", "Bearer ", "Authorization:", "token:", '"token":',
    ],
)  # fmt: skip
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    """Ids are for joining and quoting; words about tokens are words."""
    assert redact(text) == text


# -- learnt: by value, in every form ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret", [SECRET, "pässwörd-ž", 'with space & "quotes" \\ <tag>', "a/b/c/d/e/f", "123456789"]
)
@pytest.mark.parametrize(
    "form",
    [
        str,
        quote_plus,
        quote,
        lambda s: quote(s, safe=""),
        lambda s: re.sub("%..", lambda m: m[0].lower(), quote(s, safe="")),
        lambda s: json.dumps(s)[1:-1],
        lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
        lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
        lambda s: base64.b64encode(s.encode()).decode(),
        lambda s: base64.b64encode(b"x" + s.encode() + b"yz").decode(),
        lambda s: base64.b64encode(b"xy" + s.encode() + b"z").decode(),
        lambda s: base64.urlsafe_b64encode(b"id:" + s.encode()).decode(),
    ],
)  # fmt: skip
def test_a_learnt_secret_is_found_in_every_form(secret: str, form) -> None:
    """As it is, URL-encoded, JSON-escaped, inside Base64 at any offset; the text around it stays."""
    redactor = Redactor(KEY)
    mask = redactor.learn(secret)
    assert redactor.redact(f"before <{form(secret)}> after") == f"before <{mask}> after"
    assert not redactor.is_clean(form(secret))


def test_a_learnt_secret_is_found_behind_other_escapes_than_ours() -> None:
    r"""JSON may write any character as \\u…, in either case."""
    redactor = Redactor(KEY)
    mask = redactor.learn("žlutý-kůň")
    raw = '{"text":"I am \\u017Dlutý-k\\u016F\\u0148","text2":"\\u017elut\\u00FD-k\\u016fň!","n":1}'
    assert redactor.redact(raw) == raw.replace("\\u017elut\\u00FD-k\\u016fň", mask)


def test_what_a_name_gives_away_is_learnt() -> None:
    """An access token seen in a reply is masked wherever it turns up later."""
    redactor = Redactor(KEY)
    redactor.redact('HTTP/1.1 200 OK\r\n\r\n{"access_token":"AT_4711_abc"}')
    redactor.redact("GET / HTTP/1.1\r\nX-Api-Key: key-4712\r\n\r\n")
    redactor.redact("a=b&refresh_token=rt%2F4713")
    assert redactor.redact("AT_4711_abc key-4712 rt/4713").count("[masked:") == 3


def test_basic_credentials_teach_the_client_secret_and_not_the_client_id() -> None:
    """Decoded; its tag is that of the secret, so that header and form can be joined."""
    redactor = Redactor(KEY)
    blob = base64.b64encode(f"{UUID}:{SECRET}".encode()).decode()
    head = redactor.redact(f"POST /oauth/token HTTP/1.1\r\nAuthorization: Basic {blob}\r\n\r\n")
    assert f"Basic {redactor.mask(SECRET)}\r\n" in head
    assert redactor.redact(f"{SECRET} {UUID}") == f"{redactor.mask(SECRET)} {UUID}"


def test_basic_credentials_may_be_form_encoded_inside() -> None:
    """RFC 6749 section 2.3.1 says so; programs differ."""
    redactor = Redactor(KEY)
    blob = base64.b64encode(f"id:{quote_plus(SECRET)}".encode()).decode()
    redactor.redact(f"GET / HTTP/1.1\r\nAuthorization: Basic {blob}\r\n\r\n")
    assert SECRET not in redactor.redact(f"it is {SECRET}")


def test_short_values_are_masked_by_name_only() -> None:
    """Sweeping them would spoil every other word."""
    redactor = Redactor(KEY)
    assert (
        redactor.redact('{"token":"ab","text":"abab"}')
        == f'{{"token":"{redactor.mask("ab")}","text":"abab"}}'
    )


def test_digits_are_not_swept_from_longer_numbers() -> None:
    """A PIN that was learnt spoils no time stamp."""
    redactor = Redactor(KEY)
    pin = redactor.learn("123456")
    assert redactor.redact("pin 123456 at 1712345678, 4123456") == f"pin {pin} at 1712345678, 4123456"


def test_words_after_colons_in_prose_are_masked_but_not_remembered() -> None:
    """One sentence must not make a common word disappear from the log."""
    redactor = Redactor(KEY)
    redactor.redact("the token: expired")
    assert redactor.redact("it has expired") == "it has expired"


def test_values_of_cookies_that_are_words_are_not_remembered() -> None:
    """consent=accepted is no credential; a session id is."""
    redactor = Redactor(KEY)
    redactor.redact("GET / HTTP/1.1\r\nCookie: consent=accepted; sid=a1b2c3d4\r\n\r\n")
    assert redactor.redact("accepted a1b2c3d4") == f"accepted {redactor.mask('a1b2c3d4')}"


# -- tags -------------------------------------------------------------------------------------------------


def test_the_same_secret_has_the_same_tag_everywhere() -> None:
    """In a frame, a URL, a form, a header, prose: masked values can be joined."""
    redactor = Redactor(KEY)
    texts = [
        f'{{"token":"{UUID}"}}', f"wss://h/?token={UUID.upper()}", f"token={UUID}", f"see {UUID}",
        f"GET / HTTP/1.1\r\nX-Guest-Token: {UUID}\r\n\r\n",
    ]  # fmt: skip
    tags = {re.search(r"\[masked:[0-9a-f]{8}\]", redactor.redact(text))[0] for text in texts}  # type: ignore[index]
    assert tags == {redactor.learn(UUID)}


def test_tags_depend_on_the_key() -> None:
    """Who does not have it cannot test a guess."""
    assert Redactor(b"a").mask(SECRET) != Redactor(b"b").mask(SECRET)
    assert Redactor(b"a").mask(SECRET) == Redactor(b"a").mask(SECRET)
    assert re.fullmatch(r"\[masked:[0-9a-f]{8}\]", Redactor(b"a").mask(SECRET))


def test_a_tag_is_never_learnt_nor_masked_again() -> None:
    """Redacted text may be redacted, recorded and read back."""
    redactor = Redactor(KEY)
    tag = redactor.learn(SECRET)
    assert redactor.learn(tag) == tag
    assert redactor.redact(f'{{"token":"{tag}"}} token={tag}') == f'{{"token":"{tag}"}} token={tag}'


def test_a_secret_that_looks_like_part_of_a_tag_spoils_no_tag() -> None:
    """Neither the word in it nor its digits."""
    redactor = Redactor(KEY)
    tag = redactor.learn(SECRET)
    redactor.learn("masked")
    redactor.learn(tag[8:14])
    assert redactor.redact(f"{SECRET} masked {tag[8:14]}!") == (
        f"{tag} {redactor.mask('masked')} {redactor.mask(tag[8:14])}!"
    )


@pytest.mark.parametrize("key", [b"", "text", 32, None, bytearray()])
def test_a_key_that_is_none_is_refused(key: object) -> None:
    """An empty key, or the zeros that bytes(32) are, would mask nothing from anybody."""
    with pytest.raises(InputError, match="needs a key"):
        Redactor(key)  # type: ignore[arg-type]


def test_one_name_instead_of_a_list_of_names_is_refused() -> None:
    """Its letters are no names."""
    with pytest.raises(InputError, match="secret_keys"):
        Redactor(KEY, secret_keys="customerName")


def test_neither_key_nor_secrets_are_in_the_repr() -> None:
    """A redactor may be printed."""
    redactor = Redactor(b"the-key", personal=True)
    redactor.learn(SECRET)
    assert repr(redactor) == "<Redactor personal>"


# -- choices ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["orderNo", "order_no", "ORDER-NO", "orderno"])
def test_more_names_can_be_made_secret(written: str) -> None:
    """In any spelling, in JSON and in a form; the built-in ones stay secret."""
    text = f'{{"customAttributes":{{"{written}":"4711"}},"token":"abc"}}'
    assert (
        redact(text, secret_keys=["orderNo"]) == f'{{"customAttributes":{{"{written}":"<M>"}},"token":"<M>"}}'
    )
    assert redact(f"{written}=4711&a=b", secret_keys={"orderNo"}) == f"{written}=<M>&a=b"
    assert redact(f"{written}=4711&a=b") == f"{written}=4711&a=b"


PERSONAL = '{"from":{"nickname":"Anna","firstName":"Anna"},"text":"I am anna.b@example.org, call +49 (170) 123-4567"}'


def test_personal_data_stays_unless_asked() -> None:
    """Off by default: a lab's guests are invented."""
    assert redact(PERSONAL) == PERSONAL


def test_personal_data_is_masked_when_asked() -> None:
    """By name, and e-mail addresses and phone numbers wherever they stand; numbers that are none stay."""
    assert redact(PERSONAL, personal=True) == (
        '{"from":{"nickname":"<M>","firstName":"<M>"},"text":"I am <M>, call <M>"}'
    )
    assert redact('{"time":"2026-10-01T12:00:00.000+02:00","n":1790856000123}', personal=True) == (
        '{"time":"2026-10-01T12:00:00.000+02:00","n":1790856000123}'
    )


# -- many, long, hostile, together ------------------------------------------------------------------------


def test_thousands_of_guest_tokens_cost_a_frame_no_more_than_one() -> None:
    """They are found by their shape, together. Compared with themselves: the ratio, not the seconds."""
    frame = json.dumps(
        {"body": {"text": "hello " * 20, "id": str(uuid.uuid4()), "messageId": str(uuid.uuid4())}}
    )

    def cost(count: int) -> float:
        redactor = Redactor(KEY)
        for number in range(count):
            redactor.learn(str(uuid.UUID(int=number + 2**80)))
        best = float("inf")
        for _ in range(15):
            started = time.process_time_ns()
            for _ in range(300):
                redactor.is_clean(frame)
            best = min(best, time.process_time_ns() - started)
        return best

    assert cost(4000) < 4 * cost(10)


def test_many_other_secrets_are_found_too() -> None:
    """Past the number for which each is searched by itself."""
    redactor = Redactor(KEY)
    known = [f"opaque-{number:05}-{'x' * (number % 7)}é" for number in range(300)]
    for secret in known:
        redactor.learn(secret)
    for secret in known:
        encoded = base64.b64encode(f"a{secret}".encode()).decode()
        assert redactor.redact(f"{secret}|{encoded}|{quote(secret)}") == "|".join([redactor.mask(secret)] * 3)
        assert not redactor.is_clean(f"x{secret}")
    assert redactor.is_clean("opaque-99999 is nobody's")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 300_000, "=" * 300_000, '"' * 300_000, "\\" * 300_000, "[" * 300_000, '{"a":' * 60_000, "token:" * 50_000,
        "token=" * 50_000, "Bearer " * 50_000, "eyJ" * 100_000, "-" * 300_000, "://" * 100_000, "a@" * 150_000,
        '"token":"' * 40_000, '\\"' * 150_000, "Authorization: " * 20_000, "k " * 150_000, "+1 " * 100_000,
        "GET / HTTP/1.1\r\n" + "A: b\r\n" * 50_000, "GET / HTTP/1.1\r\n" + " \r\n" * 100_000, "a" * 150_000 + "@" + "a" * 150_000,
    ],
    ids=lambda text: text[:16],
)  # fmt: skip
def test_long_hostile_texts_are_read_in_linear_time(text: str) -> None:
    """Twice as long may take a few times as long; a quadratic pattern would take minutes here."""
    redactor = Redactor(KEY, personal=True)
    redactor.learn(SECRET)
    started = time.process_time()
    redactor.redact(text + " kjwzv=@ secret")
    assert time.process_time() - started < 10


def test_threads_may_learn_and_redact_at_once() -> None:
    """No lost secret, no error from changing what another thread is searching."""
    redactor = Redactor(KEY)
    failures: list[str] = []

    def work(name: int) -> None:
        for number in range(150):
            secret = f"secret-of-{name}-{number}"
            redactor.learn(secret)
            if secret in redactor.redact(f"it is {secret}"):
                failures.append(secret)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize(
    "text",
    [
        '{"attributes":{"context.loyaltyCard":"LC-1"}}',
        '{"x.y.loyalty_card":"LC-1"}',
        '{"custom:loyaltyCard":"LC-1"}',
        '{"a":"{\\"context.loyaltyCard\\":\\"LC-1\\"}"}',
        '{"attributes":[{"name":"context.loyaltyCard","value":"LC-1"}]}',
        '{"context.loyalty\\u0043ard":["LC-1"]}',
        '{"context.loyaltyCard":{"no":"LC-1"}}',
        "GET /x?context.loyaltyCard=LC-1&attributes[loyaltyCard]=LC-1 HTTP/1.1\r\n\r\n",
        "context.loyaltyCard: LC-1",
    ],
)
def test_a_name_with_a_prefix_is_the_name(text: str) -> None:
    """The platform's REST gives custom attributes back so; short values, which are never searched for, too."""
    redactor = Redactor(b"key", secret_keys=["loyaltyCard"])
    assert "LC-1" not in redactor.redact(text)
    assert "LC-1" not in "".join(redactor.redact_all([text, "another", text]))
    assert not redactor.is_clean(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"context.firstName":"Max M"}',
        '{"fullName":"Max M"}',
        '{"display_name":"Max M"}',
        '{"customerName":"Max M"}',
        '{"name":"Max M","purpose":"customer","address":"x"}',
        '{"participants":[{"purpose":"external","sessions":[{"id":"1"}],"name":"Max M"}]}',
        '{"participantName":"Max M","purpose":"customer"}',
        '{"from":{"name":"Max M"}}',
        '{"channel":{"to":[{"id":"1","name":"Max M"}]}}',
        '{"customer":{"name":"Max M"}}',
        '{"participants":[{"name":"Max M","purpose":"customer","calls":[',
    ],
)
def test_the_name_of_a_customer_is_personal(text: str) -> None:
    """Wherever the platform's documents write one; only when asked."""
    assert "Max M" not in Redactor(b"key", personal=True).redact(text)
    assert Redactor(b"key").redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"name":"Main queue","purpose":"acd"}',
        '{"participants":[{"purpose":"customer"},{"purpose":"agent","name":"Ann Gent"}]}',
        '{"name":"Main queue","members":[{"purpose":"customer"}]}',
        '{"purpose":"customer","queue":{"name":"Main queue"}}',
    ],
)
def test_the_name_of_a_queue_or_an_agent_is_not(text: str) -> None:
    """A name counts by what stands in the same object."""
    assert Redactor(b"key", personal=True).redact(text) == text


def test_a_customer_s_name_of_one_word_is_no_word_to_search_for() -> None:
    """One called Support would mask every support; a name of two words is a person's everywhere."""
    redactor = Redactor(b"key", personal=True)
    redactor.redact('{"name":"Support","purpose":"customer"}')
    redactor.redact('{"displayName":"Max Mustermann"}')
    assert redactor.redact("Support says: I am Max Mustermann") == (
        f"Support says: I am {redactor.mask('Max Mustermann')}"
    )


@pytest.mark.parametrize("wrong", [[None], [b"x"], None, 5, "name", ["ok", 1]])
def test_names_that_are_none_are_an_input_error(wrong: Any) -> None:
    """Not whatever a method of str says of them."""
    with pytest.raises(InputError, match="secret_keys"):
        Redactor(b"key", secret_keys=wrong)


def test_a_part_of_a_script_is_no_header() -> None:
    """What a page does with document.cookie is code, and its words must not be swept from every text."""
    redactor = Redactor(b"key", secret_keys=["loyaltyCard"])
    redactor.redact("document.cookie = encodeURIComponent(x)")
    assert redactor.redact("call encodeURIComponent") == "call encodeURIComponent"


def test_a_text_remembered_as_innocent_is_still_swept_of_what_is_learnt_later() -> None:
    """What is remembered is that no name in it gives anything away, not that it is clean for ever."""
    redactor = Redactor(b"key")
    url = "wss://host.example/v1?deploymentId=0c7a3f4e-aaaa-4bbb-8ccc-1234567890ab"
    assert redactor.redact(url) == redactor.redact(url) == url
    masked = redactor.learn("0c7a3f4e-aaaa-4bbb-8ccc-1234567890ab")
    assert redactor.redact(url) == f"wss://host.example/v1?deploymentId={masked}"


def test_the_nonce_of_an_upgrade_is_no_secret_and_what_stands_beside_it_is() -> None:
    """Another key each time; the header after it is read all the same."""
    redactor = Redactor(b"key")
    head = "GET /v1 HTTP/1.1\r\nSec-WebSocket-Key: {}\r\nAuthorization: Bearer {}\r\n\r\n"
    for key, secret in (
        ("dGhlIHNhbXBsZSBub25jZQ==", "s3cretOne1"),
        ("aGhlIHNhbXBsZSBub25jZQ==", "s3cretTwo2"),
    ):
        redacted = redactor.redact(head.format(key, secret))
        assert key in redacted
        assert secret not in redacted
