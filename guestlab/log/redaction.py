"""Redaction at the door: secrets are masked before an entry exists.

First by name: values of secret names in JSON, forms, queries and headers, wherever they stand in a text,
and what has the shape of a credential. Each of them is learnt. Then by value: whatever was learnt is
swept from every text, in every form it may take. The bytes around a secret stay as they were.

A secret becomes `[masked:3f9a1c2e]`. The eight hexadecimal digits are the beginning of HMAC-SHA256 over
the secret with the lab's own key: the same secret has the same tag throughout a lab, so masked values can
be joined, and nobody without the key can test a guess against a tag.

Pure: the key is an argument. The names are in `secret_keys.py`, the search by value in `known_secrets.py`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

from guestlab.errors import InputError
from guestlab.log import secret_keys as names
from guestlab.log.joined_texts import SEAM, joined
from guestlab.log.json_spans import places_beside, replace_values
from guestlab.log.known_secrets import JWT, MASK, SHORTEST, UUID, KnownSecrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guestlab.log.joined_texts import JoinedTexts

__all__ = ["Redactor"]

_CODE_TEXT = re.compile(r'code"\s*+:\s*+"')
_has_code_text = _CODE_TEXT.search
_HTTP = re.compile(r"(?:HTTP/\d|[A-Z]{3,10} [^\s\"]++ HTTP/\d)[^\n]*+\n(?:[^\r\n]++\r?\n)*+")
_HEADER = re.compile(r"^([^\s:\"]++)([ \t]*+:[ \t]*+)([^\r\n]*+(?:\r?\n[ \t]++[^\r\n]++)*+)", re.MULTILINE)
_PAIR = re.compile(r"(?<![\w.%\[\]+-])([\w.%\[\]+-]++)=((?:[^&#\s\"'<>\\;,]|[,;](?=[^\s,;]))++)")
_USERINFO = re.compile(r"(?<=://)[^/?#\s\"'\\<>]+(?=@)")
_USER = re.compile(r"((?:\[masked:[0-9a-f]{8}\]|[^:])*+)(:?)")
_CURL_USER = re.compile(r"(?<!\S)((?:-[uU]|--(?:proxy-)?user)[ =]?[\"']?[^\s\"':]++:)([^\s\"'\\]{6,}+)")
_FORM_PART = re.compile(
    r"(form-data; *+name=\"([^\r\n\"]{1,99})\"[^\r\n]*+\r?\n(?:[^\r\n]++\r?\n)*+\r?\n)([^\r\n]++)"
)
_BEARER = re.compile(r"\bbearer[ \t+]++([\w.~+/=-]{8,}+)", re.IGNORECASE)
_CREDENTIAL_LINE = re.compile(
    r"(?<![\w-])((?:proxy-)?authorization|(?:set-)?cookie)((?:\\*+[\"'])?\s*+"
    r"(?::|=(?=[\s\"'\\]))\s*+(?:\\*+[\"'])?)([^\r\n\"'\\]++)",
    re.IGNORECASE | re.ASCII,  # header names are ASCII: no foreign letter folds into one
)
_NAME = re.compile(r"(?<![\w.-])([\w.-]++)(?:\\*+[\"'])?\s*+[:=]>?\s*+")
_VALUE = re.compile(
    r"\\++[\"']([^\"'\\]*+)"  # within JSON within a text
    r'|"([^"\\]*+(?:\\.[^"\\]*+)*+)'
    r"|'([^'\\]*+(?:\\.[^'\\]*+)*+)"
    r"|([^\s,;&\"'<>{}()\[\]\\]++)",
    re.DOTALL,
)
_UNQUOTED = 4
_STEMS = tuple(re.compile(re.escape(stem)) for stem in names.STEMS)
"""One by one: `re` finds a fixed text faster than an alternative, and than `str.find`."""
_MASKED_TOKEN = re.compile(r'"token"\s*+:\s*+"\[masked:[0-9a-f]{8}\]"')
_MASKED_PAIR = re.compile(r'"\w++"\s*+:\s*+"\[masked:[0-9a-f]{8}\]"')
_SCHEME = re.compile(r"([\w-]++)((?:[ \t+]|%20)++)(\S.*+)", re.DOTALL)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++")
_PHONE = re.compile(r"(?<![\w+])\+\d(?:[ ()/.-]{0,3}\d){6,14}(?!\d)")
_DOTTED = re.compile(r"(?<![\w.-])[\w-]++(?:\.[\w-]++)++", re.ASCII)
_NONCE = re.compile(r"Sec-WebSocket-(?:Key: [\w+/]{22}==|Accept: [\w+/]{27}=)", re.ASCII)
"""Another one each time, and no secret."""
_FOLDED = re.compile(r"(?<!\r)\n|\n[ \t]")
"""Lines of a head that cannot be taken one by one."""
_FOREIGN = re.compile(r"\\u(?!00[0-7]|212a)[0-9a-f]{4}")
"""An escaped letter that is not of ASCII, nor small of ASCII, as the sign for Kelvin is."""
_QUOTED = re.compile(r"%[0-9A-Fa-f]{2}")
_QUERY_ENDS = tuple(f"{name}{end}" for name in names.QUERY_KEYS for end in ("=", "["))
_LONG = 2048
"""Characters from which it is worth to look for single names first."""
_DEEPEST = 4
"""JSON within a text within JSON … is read so deep, and by pattern below."""
_NAMES_REMEMBERED = 4096
_SHORT = 512
_TEXTS_REMEMBERED = 1024
"""Of so many short texts it is remembered that no name in them gives anything away: a URL, above all."""
_FEW_MASKS = 8
_NOWHERE: frozenset[int] = frozenset()


class Redactor:
    """Masks secrets, and remembers them so as to find them anywhere.

    >>> redactor = Redactor(b"the lab's key")
    >>> redactor.redact('{"token":"8b6c1d1e-0000-4000-8000-000000000001","action":"echo"}')
    '{"token":"[masked:9da95dc9]","action":"echo"}'
    >>> redactor.redact("the token was 8B6C1D1E-0000-4000-8000-000000000001")
    'the token was [masked:9da95dc9]'

    Threads may share one.

    Args:
        key: The key of the tags. Two redactors with the same key give a secret the same tag.
        secret_keys: More names with secret values, such as the custom attributes that hold names. They
            are added to the built-in ones, of which none can be taken away.
        personal: Also mask e-mail addresses, phone numbers written with a `+`, and names of persons: under
            firstName, lastName, fullName, displayName, customerName and the like, with a prefix
            (`context.firstName`) or without, and the `name` of a customer. What people write about
            themselves in a message stays, unless it was seen under such a name before.

    Raises:
        InputError: `key` is no bytes or empty, or `secret_keys` is something else than several texts.
    """

    def __init__(self, key: bytes, *, secret_keys: Iterable[str] = (), personal: bool = False) -> None:
        if not isinstance(key, bytes | bytearray) or not key:
            raise InputError(
                "A redactor needs a key of bytes, and not an empty one.",
                why="Without one, anybody could test a guess against the tags that stand for secrets.",
                next_step="Give secrets.token_bytes(32), or bytes that only you and your other logs know.",
            )
        secret_keys = _several(secret_keys)
        self._key = bytes(key)
        self._personal = personal
        own = frozenset(filter(None, map(names.normalized, secret_keys)))
        self._own = re.compile("|".join("[_-]*".join(map(re.escape, name)) for name in own)) if own else None
        self._names = names.SECRET_KEYS | own | (names.PERSONAL_KEYS if personal else frozenset())
        self._judged: dict[str, bool] = {}
        self._tags: dict[str, str] = {}
        self._clean_lines: set[str] = set()
        self._innocent: set[str] = set()
        self._known = KnownSecrets(self.mask)

    def __repr__(self) -> str:
        return f"<Redactor{' personal' if self._personal else ''}>"

    def mask(self, secret: str) -> str:
        """Return what stands for a secret, without learning it."""
        tag = self._tags.get(secret)
        if tag is None:
            if UUID.fullmatch(secret):
                secret = secret.lower()
            digest = hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256")
            if len(self._tags) >= _NAMES_REMEMBERED:
                self._tags = {}
            tag = self._tags[secret] = f"[masked:{digest.hex()[:8]}]"
        return tag

    def learn(self, secret: str) -> str:
        """Remember a secret, so that it is masked wherever it turns up; return its mask.

        A value shorter than six characters is masked where a name gives it away, but not searched for:
        it would be found in every other word.
        """
        if not secret or MASK.fullmatch(secret):
            return secret
        self._known.learn(secret)
        return self.mask(secret)

    def is_clean(self, text: str) -> bool:
        """Tell quickly whether a text certainly has nothing to mask. False means: perhaps it has."""
        lower = text.lower()
        return not (
            names.has_stem(lower)
            or self._personal
            or _has_code_text(lower) is not None
            or (self._own is not None and self._own.search(lower) is not None)
            or self._known.in_text(text, lower)
        )

    def redact(self, text: str) -> str:
        """Mask every secret in a text: an HTTP message, a frame, a URL, a header's value, prose."""
        # What is known goes first: a secret may look like a name and a value.
        swept = self._known.sweep(text)
        if swept in self._innocent:
            return swept
        if swept != text and not self._hints(_MASKED_PAIR.sub("", swept).lower()):
            return swept  # as in most client frames: the one secret was known
        named = self._by_name(swept, 0)
        if named == swept and len(swept) <= _SHORT and "\\" not in swept:
            if len(self._innocent) >= _TEXTS_REMEMBERED:
                self._innocent = set()
            self._innocent.add(swept)
        return self._known.sweep(named)

    def redact_all(self, texts: Sequence[str], block: JoinedTexts | None = None) -> list[str]:
        """Mask every secret in many texts, as `redact` would one after the other, but far cheaper.

        They are searched as one text; only those in which something was found are read. What a later one
        gives away is masked in the earlier ones too.

        Args:
            texts: The texts.
            block: What `joined` made of them, if it was asked before.
        """
        if self._personal or self._own is not None:
            return self._redact_few(texts)
        block = block or joined(texts)
        if block is None:
            return self._redact_few(texts)
        before = self._known.version
        cleaned = list(texts)
        self._known.sweep_all(cleaned, block)
        changed = []
        for place in self._suspects_among(block.with_names(), cleaned):
            text = self._by_name(cleaned[place], 0)
            if text is not cleaned[place] and text != cleaned[place]:
                cleaned[place] = text
                changed.append(place)
        if self._known.version != before:
            return self.sweep_all(cleaned)
        for place, text in zip(changed, self.sweep_all([cleaned[place] for place in changed]), strict=True):
            cleaned[place] = text
        return cleaned

    def sweep_all(self, texts: Sequence[str]) -> list[str]:
        """Mask what is known by now in texts that were redacted before."""
        block = joined(texts)
        if block is None:
            return list(map(self._known.sweep, texts))
        swept = list(texts)
        self._known.sweep_all(swept, block)
        return swept

    def _suspects_among(self, places: list[int], texts: Sequence[str]) -> list[int]:
        """Leave out the texts in which nothing but a masked token is a name: what most clients send."""
        if not places:
            return places
        rest = _MASKED_TOKEN.sub("", SEAM.join([texts[place] for place in places])).split(SEAM)
        block = joined(rest)
        return [
            places[index]
            for index in (range(len(rest)) if block is None else block.with_names())
            if len(rest[index]) == len(texts[places[index]]) or self._hints(rest[index].lower())
        ]

    def _redact_few(self, texts: Sequence[str]) -> list[str]:
        before = self._known.version
        whole = SEAM.join(texts)
        swept = self._known.sweep(whole)
        cleaned = swept.split(SEAM) if swept is not whole else list(texts)
        if len(cleaned) != len(texts):  # a text, or a secret, with a seam in it
            return list(map(self.redact, texts))
        for place in sorted(self._suspects(_without_masked_tokens(swept).lower(), len(texts))):
            cleaned[place] = self._known.sweep(self._by_name(cleaned[place], 0))
        if self._known.version == before:
            return cleaned
        again = self._known.sweep(SEAM.join(cleaned)).split(SEAM)
        return again if len(again) == len(texts) else list(map(self._known.sweep, cleaned))

    @property
    def version(self) -> int:
        """Goes up with everything learnt: what was clean before may not be so now."""
        return self._known.version

    def _suspects(self, lower: str, count: int) -> set[int]:
        """Find the texts with `_hints`, by their places, among texts joined by seams, in lower case."""
        if lower.count(SEAM) != count - 1 or self._personal:
            return set(range(count))
        ends = list(accumulate(map((1).__add__, map(len, lower.split(SEAM)))))
        found: set[int] = set()
        for pattern in (*_STEMS, _CODE_TEXT, self._own):
            match = None if pattern is None else pattern.search(lower)
            while match is not None:
                place = bisect_right(ends, match.start())
                found.add(place)
                match = match.re.search(lower, ends[place])
        return found

    def _hints(self, lower: str) -> bool:
        """Tell whether a text in lower case may hold a secret that a name or its shape gives away."""
        if names.has_stem(lower) or self._personal or _has_code_text(lower) is not None:
            return True
        return self._own is not None and self._own.search(lower) is not None

    def _is_secret(self, key: str) -> bool:
        """Tell by its name whether a value is secret."""
        judged = self._judged.get(key)
        if judged is None:
            name = names.normalized(key)
            if len(self._judged) >= _NAMES_REMEMBERED:
                self._judged = {}
            ending = name.removesuffix("s").endswith(names.ENDINGS)
            judged = self._judged[key] = ending or name in self._names or self._has_secret_end(key)
        return judged

    def _has_secret_end(self, key: str) -> bool:
        """Tell it by the last part of a name. `document.cookie` is part of a script, and no header's name."""
        end = names.normalized(names.last_part(key))
        return end in self._names and end not in names.AUTHORIZATIONS | names.COOKIES

    # -- by name ----------------------------------------------------------------------------------------

    def _by_name(self, text: str, depth: int) -> str:
        head = _HTTP.match(text)
        if head is not None and not self._unknown_lines(head[0]):
            return head[0] + self._by_name(text[head.end() :], depth)
        lower = text.lower()
        if not self._hints(lower) or ("\\u" in lower and self._has_only_escapes(lower)):
            return text
        if head is not None:
            body = text[head.end() :]
            return self._head(head[0]) + self._by_name(body, depth)
        if depth < _DEEPEST and text.lstrip()[:1] in {"{", "[", '"'}:
            return self._shapes(self._json(text, depth))
        return self._shapes(self._prose(text))

    def _head(self, head: str) -> str:
        """Redact the first line and the headers of an HTTP message, most of which say the same each time."""
        if _FOLDED.search(head) is not None:
            return self._lines(head)
        unknown = self._unknown_lines(head)
        text = "\r\n".join(unknown)
        if self._lines(text) != text:
            return self._lines(head)
        if len(self._clean_lines) > _NAMES_REMEMBERED:
            self._clean_lines = set()
        self._clean_lines.update(unknown)
        return head

    def _unknown_lines(self, head: str) -> list[str]:
        lines = self._clean_lines
        return [line for line in head.split("\r\n") if line not in lines and not _NONCE.fullmatch(line)]

    def _lines(self, head: str) -> str:
        return self._shapes(_HEADER.sub(self._header, head))

    def _has_only_escapes(self, lower: str) -> bool:
        r"""Tell whether all hints of a text in lower case are letters like \u00fc, and no name is spelt so.

        A name has letters of ASCII alone, so no such letter belongs to one, nor to a secret of ASCII alone.
        """
        if self._personal or self._own is not None or not self._known.is_ascii:
            return False
        if lower.count("\\") != len(_FOREIGN.findall(lower)):
            return False
        rest = lower.replace("\\u", "")
        if self._hints(rest):
            return False
        # Beside a hint, also those names count that no piece gives away.
        squeezed = _squeezed(rest)
        return not names.has_stem(squeezed) and not any(name in squeezed for name in names.STEMLESS)

    def _json(self, text: str, depth: int) -> str:
        codes = '"grant_type"' in text

        def is_secret(key: str, parent: str, first: str) -> bool:
            name = names.normalized(key)
            if name == "code":
                return first == '"' and (codes or names.normalized(parent) in names.CODE_HOLDERS)
            if first == "{" and name in names.AUTHORIZATIONS | names.COOKIES:
                return False  # roles and permissions
            if self._personal and name == "name" and names.normalized(parent) in names.PERSONS:
                return True
            return self._is_secret(key)

        def reread(value: str) -> str:
            return self._known.sweep(self._by_name(value, depth + 1))

        # Numbers are masked, but not remembered: they would be swept from other numbers.
        persons = (
            places_beside(text, _is_name, _is_person) if self._personal and "urpose" in text else _NOWHERE
        )
        redacted = replace_values(text, is_secret, self._hidden, self.mask, reread, places=persons)
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return self._prose(redacted)  # torn or no JSON at all: what the tokens missed, a pattern finds
        return redacted

    def _prose(self, text: str) -> str:
        text = self._credential_lines(text)
        kept: list[str] = []
        position = 0
        for match in self._names_in(text):
            if match.start() < position or not self._is_loosely_secret(match[1]):
                continue
            end = match.end()
            if match[0].endswith(f"{match[1]}=") and text[end : end + 1] not in {'"', "'", "\\"}:
                continue  # as in a form, where the value may be encoded: see _pair
            value = _VALUE.match(text, end)
            if value is None or value.lastindex is None:
                continue
            kept += (text[position : value.start(value.lastindex)], self._loose(match[1], value))
            position = value.end()
        return "".join((*kept, text[position:]))

    def _credential_lines(self, text: str) -> str:
        """Do what `_CREDENTIAL_LINE.sub` does, but try it only where one of its words stands."""
        plain = _without_case(text)
        if len(plain) != len(text):
            return _CREDENTIAL_LINE.sub(self._credential_line, text)
        starts: set[int] = set()
        for word, prefix in (("authorization", "proxy-"), ("cookie", "set-")):
            place = plain.find(word)
            while place >= 0:
                starts |= {max(place - len(prefix), 0), place}
                place = plain.find(word, place + 1)
        kept: list[str] = []
        position = 0
        for start in sorted(starts):
            match = _CREDENTIAL_LINE.match(text, start) if start >= position else None
            if match is not None:
                kept += (text[position:start], self._credential_line(match))
                position = match.end()
        return "".join((*kept, text[position:])) if kept else text

    def _names_in(self, text: str) -> Iterable[re.Match[str]]:
        """Find what `_NAME` finds; in a long text, as a script, only the names that may be secret."""
        lower = text.lower()
        if len(text) < _LONG or len(lower) != len(text) or self._personal or self._own is not None:
            return _NAME.finditer(text)
        squeezed = _squeezed(lower)
        starts: set[int] = set()
        for piece in names.PIECES:
            count = squeezed.count(piece)
            if lower.count(piece) != count:
                return _NAME.finditer(text)  # written with _ or - in between
            if count:
                starts.update(_word_starts(text, lower, piece))
        return filter(None, [_NAME.match(text, start) for start in sorted(starts)])

    def _may_have_pairs(self, text: str) -> bool:
        """Tell whether a text may have a secret name before an equals sign; few long ones have."""
        if len(text) < _LONG or self._personal or self._own is not None or _QUOTED.search(text):
            return True
        squeezed = _squeezed(text.lower())
        return any(map(squeezed.__contains__, _QUERY_ENDS)) or any(
            f"{piece}{end}=" in squeezed
            for piece in (*names.PIECES, *names.AUTHORIZATIONS, *names.COOKIES)
            if piece in squeezed
            for end in ("", "s", "[]", "s[]")
        )

    def _is_loosely_secret(self, key: str) -> bool:
        return self._is_secret(key) and names.normalized(key) not in names.AUTHORIZATIONS | names.COOKIES

    def _loose(self, key: str, match: re.Match[str]) -> str:
        value = match[match.lastindex or 0]
        if MASK.search(value) or value.lower() in names.HARMLESS:
            return value
        # Prose is full of words after colons: only what is quoted or looks like a secret is remembered.
        remembered = match[_UNQUOTED] is None or _looks_secret(value)
        return self._hidden(key, value) if remembered else self.mask(value)

    def _shapes(self, text: str) -> str:
        """Mask what a query, a form, a URL or its own shape gives away."""
        if "=" in text and self._may_have_pairs(text):
            text = _PAIR.sub(self._pair, text)
        if "@" in text:
            text = _USERINFO.sub(self._userinfo, text)
            if self._personal:
                text = _EMAIL.sub(self._learnt, text)
        if "curl" in text:
            text = _CURL_USER.sub(lambda match: match[1] + self.learn(match[2]), text)
        if "form-data" in text:
            text = _FORM_PART.sub(self._form_part, text)
        if "+" in text and self._personal:
            text = _PHONE.sub(self._learnt, text)
        if "eyJ" in text:
            text = _DOTTED.sub(self._web_token, text)
        return _BEARER.sub(self._bearer, text) if "bearer" in _without_case(text) else text

    def _form_part(self, match: re.Match[str]) -> str:
        """Mask the value of a part of a form by its name (RFC 7578 section 4.2)."""
        return match[1] + self.learn(match[3]) if self._is_secret(match[2]) else match[0]

    def _web_token(self, match: re.Match[str]) -> str:
        """Mask a JSON Web Token. Searched for from its front, "eyJeyJeyJ…" would take forever."""
        text = match[0]
        start, last = text.find("eyJ"), text.rfind(".")
        while 0 <= start < last:
            if JWT.match(text, start):
                return text[:start] + self.learn(text[start:])
            start = text.find("eyJ", start + 3)
        return text

    def _learnt(self, match: re.Match[str]) -> str:
        return self.learn(match[0])

    def _header(self, match: re.Match[str]) -> str:
        name, colon, value = match.groups()
        if names.normalized(name) == "secwebsocketprotocol":
            return name + colon + ", ".join(map(self._subprotocol, value.split(", ")))
        return name + colon + self._hidden(name, value) if self._is_secret(name) else match[0]

    def _subprotocol(self, name: str) -> str:
        """Subprotocols are short words; whoever puts a credential there puts a long one."""
        is_long = len(name) >= 24 and any(map(str.isdigit, name))
        return self.learn(name) if is_long else name

    def _credential_line(self, match: re.Match[str]) -> str:
        name, between, value = match.groups()
        return name + between + self._hidden(name, value)

    def _pair(self, match: re.Match[str]) -> str:
        key, value = match.groups()
        name = names.normalized(unquote(key).removesuffix("[]"))
        text, start = match.string, match.start()
        in_query = start == 0 or text[start - 1] in "?&#\n"
        if self._is_secret(name) or (in_query and name in names.QUERY_KEYS):
            for part in re.split("[,;]", value):  # either may be a separator
                self._known.learn(unquote_plus(part))
            return f"{key}={self._hidden(name, unquote_plus(value), value)}"
        return match[0]

    def _userinfo(self, match: re.Match[str]) -> str:
        user = _USER.match(match[0])
        assert user is not None  # it matches nothing, too
        password = match[0][user.end() :]
        if not user[2]:
            return self._hidden("password", unquote(match[0]), match[0])
        return user[0] + self._hidden("password", unquote(password), password)

    def _bearer(self, match: re.Match[str]) -> str:
        value = match[1]
        if not _looks_secret(value):
            return match[0]
        return match[0].removesuffix(value) + self.learn(value)

    # -- hiding -----------------------------------------------------------------------------------------

    def _hidden(self, key: str, value: str, written: str | None = None) -> str:
        """Return what stands for the value of a secret name; learn the secret in it.

        Args:
            key: The name.
            value: The value, decoded.
            written: The value as it stands in the text, where that differs.
        """
        written = value if written is None else written
        if value.lower() in names.HARMLESS or MASK.fullmatch(written):
            return written
        name = names.normalized(key)
        if name in names.COOKIES:
            return self._cookies(value, only_first=name == "setcookie")
        scheme = _SCHEME.fullmatch(written) if name.endswith(names.SCHEME_ENDINGS) else None
        if scheme is not None and scheme[1].lower() in names.SCHEMES:
            credential = scheme[3] if written == value else unquote_plus(scheme[3])
            return scheme[1] + scheme[2] + self._credential(scheme[1], credential)
        if self._personal and name in names.WHOLE_NAMES:
            # A customer may be called "Customer", a queue's button "Support".
            return self.learn(value) if " " in value.strip() else self.mask(value)
        # Within {"token": {…}} stand harmless words too: masked, but not swept from every text.
        own_name = name in names.QUERY_KEYS or self._is_secret(key)
        return self.learn(value) if own_name or _looks_secret(value) else self.mask(value)

    def _credential(self, scheme: str, value: str) -> str:
        """Hide what follows an authentication scheme; of Basic, learn the secret inside."""
        if MASK.fullmatch(value):
            return value
        if scheme.lower() != "basic":
            return self.learn(value)
        try:
            pair = base64.b64decode(value.strip() + "==").decode()
        except (binascii.Error, ValueError):
            return self.learn(value)
        secret = pair.partition(":")[2]
        if not secret:
            return self.learn(value)
        if (plain := unquote_plus(secret)) != secret:  # RFC 6749 section 2.3.1 asks for form encoding
            self.learn(plain)
        if len(secret) < SHORTEST:
            self.learn(value)
        return self.learn(secret)

    def _cookies(self, value: str, *, only_first: bool) -> str:
        cookies = value.split(";")
        shown = []
        for place, cookie in enumerate(cookies):
            name, equals, secret = cookie.partition("=")
            if place and only_first:
                shown.append(cookie)
            elif equals:
                shown.append(f"{name}={self._unless_masked(secret)}")
            else:
                shown.append(self._unless_masked(cookie))
        return ";".join(shown)

    def _unless_masked(self, value: str) -> str:
        bare = value.strip()
        if not bare:
            return value
        # Cookies also say things like "accepted", which must not be swept from every text.
        remembered = len(bare) >= 12 or _looks_secret(bare)
        return value.replace(bare, self.learn(bare) if remembered else self.mask(bare))


def _squeezed(lower: str) -> str:
    """Leave out of a text in lower case what does not count in names."""
    return lower.replace("_", "").replace("-", "")


def _word_starts(text: str, lower: str, piece: str) -> Iterator[int]:
    """Find the words with a piece in them, as `_NAME` takes words: where each begins."""
    before, start, place = 0, 0, lower.find(piece)
    while place >= 0:
        begin = place
        while begin > before and (text[begin - 1].isalnum() or text[begin - 1] in "_.-"):
            begin -= 1
        if begin > before or before == 0:
            start = begin  # otherwise it is the word of the piece before
            yield start
        before = place
        place = lower.find(piece, place + 1)


def _without_case(text: str) -> str:
    """Make small whatever `re.IGNORECASE` takes for small ASCII; it knows more than `str.lower`."""
    if text.isascii():
        return text.lower()
    return text.replace("\u0130", "i").lower().replace("\u0131", "i").replace("\u017f", "s")


def _several(secret_keys: object) -> list[str]:
    """Take names out of what was given for some.

    Raises:
        InputError: It is something else.
    """
    if isinstance(secret_keys, str | bytes):
        what, why = "secret_keys is one text.", "Every letter of it would be taken for a name."
    elif not isinstance(secret_keys, Iterable):
        what, why = f"secret_keys is a {type(secret_keys).__name__}.", "It holds no names."
    else:
        given: list[Any] = list(secret_keys)
        wrong = [name for name in given if not isinstance(name, str)]
        if not wrong:
            return given
        what, why = f"secret_keys holds a {type(wrong[0]).__name__}.", "A name is a text."
    next_step = "Give a list of names, even of one: secret_keys=['customerName']."
    raise InputError(what, why=why, next_step=next_step)


def _is_name(key: str) -> bool:
    return names.normalized(key) in names.WHOLE_NAMES


def _is_person(key: str, value: str) -> bool:
    return names.normalized(key) == "purpose" and value.lower() in names.PURPOSES


def _without_masked_tokens(text: str) -> str:
    """Leave out what is masked together with its name; of many texts, what client frames say is enough."""
    masks = set(MASK.findall(text))
    if len(masks) > _FEW_MASKS:
        return _MASKED_PAIR.sub("", text)
    for mask in masks:
        text = text.replace(f'"token":"{mask}"', "").replace(f'"token": "{mask}"', "")
    return text


def _looks_secret(value: str) -> bool:
    """Tell a credential from a word of prose."""
    has_digit = any(map(str.isdigit, value))
    is_mixed = not value.islower() and not value.isupper() and not value[:1].isupper()
    return len(value) >= 20 or (len(value) >= SHORTEST and (has_digit or is_mixed))
