"""Redaction against texts nobody thought of: it never raises, and a planted secret never survives."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from guestlab.log import Log, Redactor
from guestlab.log.json_spans import replace_values

KEY = b"key"
UNHURRIED = settings(deadline=None, max_examples=150)
MASK = re.compile(r"\[masked:[0-9a-f]{8}\]")

FRAGMENTS = st.sampled_from(
    [
        '{"token":"', '"', "\\", '\\"', "{", "}", "[", "]", ":", ",", "token", "=", "&", "?", "://", "@", "Bearer ",
        "Authorization: ", "Cookie: ", "Basic ", "\r\n", "\n", " ", "eyJhbGciOi.", "eyJ", ".", "\\u0041", "%41", "%",
        '"data":{"code":"', "code=", "client_secret=", "GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "[masked:0123abcd]",
        "[masked:", "8b6c1d1e-0000-4000-8000-000000000001", "'", "password: ", "grant_type", "\ud800", "İ", "K", "ž", "\x00",
        "null", "1e9", "a@b.cz", "+420 123 456 789", "secret", '{"name":"token","value":"x"}',
    ]
)  # fmt: skip
HOSTILE = st.lists(FRAGMENTS | st.text(max_size=5), max_size=25).map("".join)

SECRETS = st.text(
    st.characters(codec="utf-8", exclude_characters="[]", exclude_categories=("Cc", "Cs")),
    min_size=6,
    max_size=40,
).filter(
    lambda secret: (
        secret.strip() == secret
        and secret.lower() != "undefined"
        and not secret.isdigit()
        and secret not in "[masked:"
    )
)
TOKENS = st.text(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=12, max_size=60
).map("Zq9x-".__add__)
NAMES = st.sampled_from(
    [
        "token",
        "access_token",
        "refreshToken",
        "ID_TOKEN",
        "client_secret",
        "jwt",
        "password",
        "resumeToken",
        "codeVerifier",
    ]
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
SPELLINGS = st.sampled_from(
    [
        json.dumps,
        lambda document: json.dumps(document, ensure_ascii=False),
        lambda document: json.dumps(document, indent=2),
        lambda document: json.dumps(document, separators=(",", ":")),
        lambda document: json.dumps(document, ensure_ascii=False).replace("/", "\\/"),
        lambda document: " \n" + json.dumps(document) + "\r\n",
    ]
)


def planted(document: Any, path: list[int], name: str, secret: Any) -> Any:
    """Put a named secret somewhere into a JSON document."""
    if path and isinstance(document, list) and document:
        place = path[0] % len(document)
        return [*document[:place], planted(document[place], path[1:], name, secret), *document[place + 1 :]]
    if path and isinstance(document, dict) and document:
        key = sorted(document)[path[0] % len(document)]
        return {**document, key: planted(document[key], path[1:], name, secret)}
    return {"before": document, name: secret, "after": document}


def texts_of(document: Any) -> list[str]:
    """Every text and name in a JSON document."""
    if isinstance(document, dict):
        return [text for pair in document.items() for part in pair for text in texts_of(part)]
    if isinstance(document, list):
        return [text for part in document for text in texts_of(part)]
    return [document] if isinstance(document, str) else []


@UNHURRIED
@given(HOSTILE, st.booleans(), st.lists(SECRETS, max_size=3))
def test_no_text_raises_and_redacting_is_not_undone_by_redacting(
    text: str, personal: bool, known: list[str]
) -> None:
    """Any text, any knowledge: an answer, and `is_clean` never calls clean what is changed."""
    redactor = Redactor(KEY, personal=personal, secret_keys=["order"])
    for secret in known:
        redactor.learn(secret)
    clean = redactor.is_clean(text)
    redacted = redactor.redact(text)
    assert not clean or redacted == text
    assert isinstance(redactor.redact(redacted), str)


@UNHURRIED
@given(HOSTILE, HOSTILE, SECRETS, st.data())
def test_a_known_secret_survives_in_no_text(
    before: str, after: str, secret: str, data: st.DataObject
) -> None:
    """Plain or encoded, whatever stands around it."""
    form = data.draw(
        st.sampled_from(
            [
                secret,
                quote(secret, safe=""),
                quote_plus(secret),
                json.dumps(secret)[1:-1],
                json.dumps(secret, ensure_ascii=False)[1:-1],
                base64.b64encode(secret.encode()).decode(),
            ]
        )
    )
    redactor = Redactor(KEY)
    redactor.learn(secret)
    redacted = redactor.redact(f"{before} {form} {after}")
    rest = MASK.sub("\x00", redacted)
    assert form not in rest
    assert secret not in rest


@UNHURRIED
@given(DOCUMENTS, st.lists(st.integers(0, 5), max_size=3), NAMES, SECRETS, SPELLINGS)
def test_a_named_secret_survives_in_no_json(
    document: Any, path: list[int], name: str, secret: str, spelling: Any
) -> None:
    """Neither in the text nor in what the text means; and it stays JSON."""
    assume(not re.fullmatch(r"[\d.eE+-]+", secret))  # may be a number elsewhere, and a mask is none
    assume(secret not in spelling(planted(document, path, name, "")))  # nor part of the punctuation
    whole = planted(document, path, name, secret)
    redactor = Redactor(KEY)
    redacted = redactor.redact(spelling(whole))
    meant = json.loads(redacted)
    assert not any(secret in MASK.sub("\x00", text) for text in texts_of(meant))
    assert secret not in MASK.sub("\x00", redacted)
    assert redactor.mask(secret) in texts_of(meant)


@UNHURRIED
@given(DOCUMENTS, st.lists(st.integers(0, 5), max_size=3), NAMES, TOKENS, SPELLINGS)
def test_in_json_nothing_but_the_secret_changes(
    document: Any, path: list[int], name: str, token: str, spelling: Any
) -> None:
    """The redacted text is the text with the secret replaced, byte for byte."""
    assume(Redactor(KEY).is_clean(json.dumps(document)))
    text = spelling(planted(document, path, name, token))
    redactor = Redactor(KEY)
    assert redactor.redact(text) == text.replace(token, redactor.mask(token))


@UNHURRIED
@given(DOCUMENTS, SPELLINGS)
def test_json_without_any_secret_stays_as_it_is(document: Any, spelling: Any) -> None:
    """Reading it token by token loses nothing, even when every text is looked into."""
    text = spelling(document)
    untouched = replace_values(text, lambda *_: False, lambda _, value: value, str, lambda value: value)
    assert untouched == text


@UNHURRIED
@given(DOCUMENTS, NAMES, TOKENS, SPELLINGS, st.data())
def test_a_named_secret_survives_no_cut(
    document: Any, name: str, token: str, spelling: Any, data: st.DataObject
) -> None:
    """A frame torn after the secret, or within it, shows no part of it but what is too short to be one."""
    text = spelling({"a": document, name: token, "b": document})
    cut = text[: data.draw(st.integers(0, len(text)))]
    redacted = Redactor(KEY).redact(cut)
    assert token[:6] not in MASK.sub("\x00", redacted)


@UNHURRIED
@given(
    st.dictionaries(st.text("abcdefgh", min_size=1, max_size=5), st.text(max_size=10), max_size=3),
    NAMES,
    SECRETS,
)
def test_a_named_secret_survives_in_no_form_query_or_header(
    fields: dict[str, str], name: str, secret: str
) -> None:
    """And is found again in prose, as it is and encoded."""
    redactor = Redactor(KEY)
    form = urlencode({**fields, name: secret, "z": "z"})
    head = f"POST /p?{form} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
    for text in (
        form,
        f"https://host/path?{form}#top",
        head,
        head + form,
        f"failed: {secret}!",
        quote(secret, safe=""),
    ):
        redacted = MASK.sub("\x00", redactor.redact(text))
        assert secret not in redacted
        assert quote_plus(secret) not in redacted


@UNHURRIED
@given(TOKENS, st.sampled_from(["Authorization: Bearer %s", "Proxy-Authorization: %s", "Cookie: sid=%s", "Set-Cookie: s=%s; Path=/", "X-Api-Key: %s", "x-amz-security-token:%s", "My-Guest-Token: %s"]))  # fmt: skip
def test_a_secret_header_is_masked_in_every_kind_of_line(token: str, line: str) -> None:
    """Its name, scheme and attributes stay."""
    redactor = Redactor(KEY)
    head = f"GET / HTTP/1.1\r\nHost: x\r\n{line}\r\nAccept: */*\r\n\r\n"
    assert redactor.redact(head % token) == head % redactor.mask(token)


@UNHURRIED
@given(HOSTILE, SECRETS)
def test_a_log_takes_any_text_in_any_column(text: str, secret: str) -> None:
    """Recording, reading back, tabling: no error, no secret."""
    log = Log(redactor=Redactor(KEY))
    log.learn(secret)
    row = log.record(
        "frame",
        direction="sent",
        raw=text,
        text=text + secret,
        note=text,
        url=text,
        message_time=text,
        session=text,
    )
    assert secret not in MASK.sub("\x00", str(row.text))
    assert log.table().loc[0, "text"] == row.text
    assert log.entries[0] == row
