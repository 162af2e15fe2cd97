"""Reads who issued a certificate that is not trusted, from its DER form. Pure.

Python's `ssl` describes a peer's certificate only when it was verified; the one that was not is where a
TLS-intercepting box shows its name. X.509 (RFC 5280 section 4.1) is read as far as the issuer, no further;
the input is hostile, so whatever does not fit is "".
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["issuer_of"]

_SEQUENCE, _SET, _INTEGER, _OID, _VERSION = 0x30, 0x31, 0x02, 0x06, 0xA0
_TEXTS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1E: "utf-16-be"}
_COMMON_NAME, _ORGANISATION = bytes((0x55, 0x04, 0x03)), bytes((0x55, 0x04, 0x0A))


def issuer_of(der: bytes) -> str:
    """Name a certificate's issuer: organisation and common name, or "" when it cannot be read."""
    try:
        certificate = _inside(der, _SEQUENCE)
        parts = [part for part in _parts(_inside(certificate, _SEQUENCE)) if part[0] != _VERSION]
        # serialNumber, signature, issuer
        if [tag for tag, _ in parts[:3]] != [_INTEGER, _SEQUENCE, _SEQUENCE]:
            return ""
        names = dict(_names(parts[2][1]))
    except (ValueError, IndexError, UnicodeDecodeError):
        return ""
    found = [names[key] for key in (_ORGANISATION, _COMMON_NAME) if names.get(key)]
    return ", ".join(dict.fromkeys(found))[:120]


def _names(issuer: bytes) -> Iterator[tuple[bytes, str]]:
    """Attribute type → text, of a Name."""
    for tag, content in _parts(issuer):
        if tag != _SET:
            continue
        (kind, oid), (form, text) = _parts(_inside(content, _SEQUENCE))
        if kind == _OID and form in _TEXTS:
            yield oid, text.decode(_TEXTS[form])


def _inside(data: bytes, tag: int) -> bytes:
    found, content = next(_parts(data), (0, b""))
    if found != tag:
        raise ValueError(tag)
    return content


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a DER value, one after the other: tag and content."""
    position = 0
    while position < len(data):
        tag, length, start = data[position], data[position + 1], position + 2
        if length & 0x80:
            size = length & 0x7F
            if size > 4:
                raise ValueError(size)
            length = int.from_bytes(data[start : start + size], "big")
            start += size
        if start + length > len(data):
            raise ValueError(length)
        yield tag, data[start : start + length]
        position = start + length
