"""Rules about the upgrade request: deployment id, Origin, subprotocol."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guestlab.handshake.address import Address
from guestlab.handshake.answerers import answered_by
from guestlab.handshake.curl_text import SHELL_CUT
from guestlab.handshake.deployment_id import id_fault, is_unseen
from guestlab.handshake.quoting import is_masked, quote_text
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.targets import Target

if TYPE_CHECKING:
    from guestlab.handshake.reading import Reading

__all__ = ["UPGRADE_RULES"]

_LOCAL_ORIGIN = re.compile(
    r"null|file:|(?:https?://)?(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?", re.IGNORECASE
)


def _told_of_missing(reading: Reading) -> Match | None:
    """No URL at hand, but the symptom in words: 401 at the handshake, with nothing in the body or any log."""
    note = reading.note
    status = reading.evidence.http_status
    if reading.evidence.url is not None or status not in {None, 401}:
        return None
    if status is None and not note.has(r"\b401\b"):
        return None
    if not note.says("socket") or note.says("notifications") or not note.has(_NOTHING_BACK):
        return None
    return likely(
        *reading.lines("http_status", "token_kind", "note"),
        what="A guest socket refused like this is most likely opened without deploymentId in the query.",
        shown="",
    )


_NOTHING_BACK = (
    r"empty body|no body|body is empty|without a body|nothing in (?:any|our|the) logs?|not in any log"
)


def _deployment_missing(reading: Reading) -> Match | None:
    if told := _told_of_missing(reading):
        return told
    if not reading.at_guest_socket or reading.deployment_id or reading.is_open:
        return None
    if reading.query_is_unseen and reading.deployment_id is None:
        return None  # what a variable or a call puts there is unknown, not missing
    misspelled = reading.misspelled_deployment
    if slip := _slip(reading):
        shown = slip
    elif misspelled:
        shown = f"query parameter {quote_text(misspelled, 60)!r} instead of deploymentId"
    elif reading.deployment_id == "":
        shown = "query parameter deploymentId is empty"
    else:
        shown = "no query parameter deploymentId"
    lines = (*reading.lines("url"), shown, *reading.lines("http_status", "body"))
    status, body = reading.evidence.http_status, reading.evidence.body
    explains = status is None or (status == 401 and not body)
    cut = SHELL_CUT in reading.note.text and status in {None, 401}
    if cut and status == 401:
        return confirmed(*lines, *reading.lines("note"), why=_CUT_WHY, shown=_CUT)
    if cut:  # quotes may have been lost on the way here
        return likely(*lines, *reading.lines("note"), why=_CUT_WHY, shown=_CUT)
    why = _MISSING_WHY if explains else _MISSING_BUT
    if any(place.is_oauth for place in reading.credentials):
        why = "It is not the token that is refused: the guest socket never looks at one. " + why
    verdict = confirmed if explains else likely
    return verdict(*lines, why=why, shown=shown[0].upper() + shown[1:])


def _slip(reading: Reading) -> str:
    """The visible reason why a deploymentId that stands in the URL is not read, or ""."""
    url = reading.evidence.url or ""
    if re.search(r"&amp;deploymentid=", url, re.IGNORECASE):
        return "the & before deploymentId is written &amp;, as in HTML, so that its name is another"
    if re.search(r"#[^?]*deploymentid=", url, re.IGNORECASE):
        return "deploymentId stands behind a #, and what follows # is never sent"
    if re.search(r"\?[^?]*\?deploymentid=", url, re.IGNORECASE):
        return "a second ? stands before deploymentId where & belongs, so it is part of another value"
    return ""


_CUT = "an unquoted & ends the command, so deploymentId never went out"
_CUT_WHY = (
    "A shell takes an & outside quotes as the end of the command; what follows it is no part of the URL. "
    "(If the quotes were only lost in showing the command, this is not the fault.)"
)

_MISSING_WHY = (
    "The gateway in front of the guest socket needs deploymentId in the query; without it it answers 401 "
    "with an empty body by itself, and no log behind it shows the attempt."
)

_MISSING_BUT = (
    "That it is missing is certain. That this answer comes from it is not: without it a bare 401 "
    "with an empty "
    "body is expected, so somebody else (a proxy, another server) may have answered."
)


def _deployment_unknown(reading: Reading) -> Match | None:
    if reading.target is Target.GUEST and "deployment not found" in reading.answer_text:
        return confirmed(
            *reading.lines("url", "frame", "body"), id=_shown_id(reading), cause="The server says so."
        )
    if not reading.at_guest_socket or not reading.deployment_id or reading.is_open:
        return None
    status, refused = reading.evidence.deployment_status, reading.evidence.http_status
    lines = reading.lines("url", "http_status", "body", "deployment_status")
    if status is not None and status.lower() not in {"active", ""}:
        known = f"Its status is {quote_text(status, 40)}."
        verdict = confirmed if reading.has_failed else likely
        return verdict(*lines, id=_shown_id(reading), cause=known, level="inferred")
    if match := _misshapen(reading, lines):
        return match
    if refused != 403 or answered_by(reading) or _origin_is_the_cause(reading):
        return None
    if is_unseen(reading.deployment_ids[0]) and not is_masked(reading.deployment_ids[0]):
        return likely(*lines, _origin_line(reading), what=_UNSEEN, why=_UNSEEN_WHY, next_step=_UNSEEN_NEXT,
                      id=_shown_id(reading))  # fmt: skip
    return _refused_id(reading, lines)


def _misshapen(reading: Reading, lines: tuple[str, ...]) -> Match | None:
    """The id is no UUID, wears quotes or blanks, is a placeholder, or stands there twice."""
    status, ids = reading.evidence.http_status, reading.deployment_ids
    if status not in {None, 400, 401, 403, 404}:
        return None
    if len({value.strip().lower() for value in ids}) > 1:
        return likely(
            *lines, what=_TWICE, why=_ONE, next_step="Leave one, your deployment's.", level="inferred"
        )
    fault = id_fault(ids[0])
    if fault is None or (reading.is_loopback and fault.kind == "no uuid" and not reading.has_failed):
        return None  # on one's own machine an id may be anything, as long as it works
    if fault.kind == "unfilled" and status == 403 and ids[0].lstrip()[:1] in {"<", "["}:
        return None  # hidden for showing it: the refusal was of another
    sure = status == 403 and fault.kind in {"no uuid", "wrapped", "empty value"}
    doubt = _PERHAPS_HIDDEN if fault.kind == "unfilled" else ""
    return (confirmed if sure else likely)(
        *lines,
        f"deploymentId: {fault.cause}",
        what="{id} is not a deployment id as it stands there: {cause}.",
        why="An id that does not exist is refused at the upgrade, before any frame, for good.{doubt}",
        next_step=_CLEAN_ID if fault.kind in {"wrapped", "blank"} else _REAL_ID,
        id=_shown_id(reading),
        cause=fault.cause,
        doubt=doubt,
        level="inferred" if fault.kind == "blank" else None,
    )


_UNSEEN = (
    "What went out as deploymentId is not seen here: {id} is a variable, or it was sent just as it stands."
)
_UNSEEN_WHY = (
    "An unknown id is refused at the upgrade with 403. A variable that is empty or not filled in (single "
    "quotes around $NAME, an f-string without its f) gives such an id; a wrong region, an inactive "
    "deployment and an Origin that is not allowed look the same."
)
_UNSEEN_NEXT = (
    "Print the URL as it goes out; if the id is right there, compare it with Admin > Message > Messenger "
    "Deployments of the same region, and the Origin with its allowed domains."
)
_TWICE = (
    "deploymentId stands in the query more than once, with different values; which one counts is not known."
)
_ONE = "A socket belongs to one deployment, and each part in between may take another of the two."
_PERHAPS_HIDDEN = " (If you only hid the id for showing it, this is not the fault.)"
_CLEAN_ID = (
    "Send the bare UUID: nothing around it, nothing after it; trim what comes from a file or variable."
)
_REAL_ID = (
    "Put in the id from Admin > Message > Messenger Deployments, a UUID; the deployment's name or another "
    "product's id does not do."
)


def _refused_id(reading: Reading, lines: tuple[str, ...]) -> Match | None:
    """A 403, and an id of the right form: what is known of the deployment leaves this or that."""
    if reading.note.says("inactive") and not _is_active(reading):
        said = "By your words it is not active."
        return likely(*lines, *reading.lines("note"), id=_shown_id(reading), cause=said, level="inferred")
    origin_is_fine = _origin_is_fine(reading)
    if _is_active(reading) and origin_is_fine:
        return None  # whatever it is, it is neither: the hints of `unexplained` say what remains
    facts = (*lines, *reading.lines("allowed_domains", "allow_all_domains"), _origin_line(reading))
    if _is_active(reading):
        place = (
            "another region than this socket's, or its Origin rule"
            if not _same_region(reading)
            else ("its Origin rule")
        )
        return likely(
            *facts,
            what="Deployment {id} is Active where it was looked up, and this socket refuses it all the same.",
            why="An inactive or mistyped id is excluded by that. What remains first: {place}; then an answer "
            "of something in between (a proxy, a firewall), or a change that has not arrived everywhere.",
            next_step="Compare the region of the socket with the one it was looked up in, and its allowed "
            "domains with the Origin that is sent.",
            id=_shown_id(reading),
            place=place,
            level="inferred",
        )
    if origin_is_fine:
        return likely(
            *facts,
            why="An unknown id is refused at the upgrade, before any frame, for good. Origin is "
            "excluded: the "
            "deployment lets this one in. (That an inactive id looks the same is inferred.)",
            next_step="Compare the id with Admin > Message > Messenger Deployments of the same "
            "region, and see "
            "that it is Active.",
            id=_shown_id(reading),
        )
    cause = "The id may be mistyped, of another region, or inactive."
    if _origin_may_be_listed(reading):
        cause += (
            " The Origin is on the list by its host name; whether scheme, port or slash count is not known."
        )
    return likely(*facts, id=_shown_id(reading), cause=cause, what=_REFUSED, origin=_origin_word(reading))


_REFUSED = (
    "Deployment {id} is not accepted here: unknown in this region, not active, or not open to {origin}."
)


def _origin_word(reading: Reading) -> str:
    origin = reading.header("Origin")
    if origin is not None:
        return f"Origin {quote_text(origin, 80)}"
    return "a request without an Origin" if reading.knows_headers else "the Origin that was sent (or none)"


def _is_active(reading: Reading) -> bool:
    return (reading.evidence.deployment_status or "").lower() == "active"


def _same_region(reading: Reading) -> bool:
    found, host = reading.evidence.region_of_deployment, reading.host
    return bool(found) and host is not None and host.region is not None and found == host.region.name


def _origin_is_fine(reading: Reading) -> bool:
    """Whether what was looked up says that this Origin, in the form browsers send, is let in."""
    if reading.evidence.allow_all_domains:
        return True
    origin = reading.header("Origin") or ""
    return _origin_may_be_listed(reading) and _BROWSERS_FORM.fullmatch(origin.strip()) is not None


_BROWSERS_FORM = re.compile(r"https?://[^/:?#]+(?::(?:443|80))?", re.IGNORECASE)
"""An Origin with scheme and host only (RFC 6454); with anything else how it is compared is not known."""


def _origin_may_be_listed(reading: Reading) -> bool:
    """Whether the Origin's host name is on the list."""
    origin, domains = reading.header("Origin"), reading.evidence.allowed_domains
    return bool(domains and origin is not None and _is_listed(origin, domains))


def _shown_id(reading: Reading) -> str:
    shown = reading.deployment_id or "of the first frame"
    closes = (
        ">" if shown.startswith("<") and ">" not in shown else ""
    )  # a mark at a URL's very end is trimmed
    return quote_text(shown + closes, 60)


def _origin_is_the_cause(reading: Reading) -> bool:
    """Tell whether the Origin explains the refusal, so that the id needs no blame."""
    match = _origin(reading)
    return match is not None and (match.confidence == "confirmed" or reading.note.says("works in the page"))


def _origin(reading: Reading) -> Match | None:
    if not reading.at_guest_socket or not reading.deployment_id or reading.is_open:
        return None
    if reading.evidence.allow_all_domains or reading.evidence.http_status not in {None, 403}:
        return None
    origin, domains = reading.header("Origin"), reading.evidence.allowed_domains
    if not domains and answered_by(reading):
        return None
    if (match := _other_form(reading, origin)) and (not domains or _is_listed(origin or "", domains)):
        return match
    if not reading.has_failed and not domains:
        return None
    lines = (*reading.lines("url", "http_status"), _origin_line(reading))
    shown = _origin_text(origin)
    if domains:
        if origin is not None and _is_listed(origin, domains):
            return None
        if (origin is None and not reading.knows_headers) or not reading.has_failed:
            untold = origin is None and not reading.knows_headers
            return likely(
                *lines,
                *reading.lines("allowed_domains"),
                what=_UNTOLD if untold else "",
                domains=", ".join(domains)[:200],
                origin=shown,
            )
        return confirmed(
            *lines, *reading.lines("allowed_domains"), domains=", ".join(domains)[:200], origin=shown
        )
    if re.search(r"origin.{0,80}not (?:allowed|permitted|listed)", reading.answer_text):
        return confirmed(*lines, *reading.lines("body"), domains="a list of its own", origin=shown)
    return _origin_by_note(reading, origin, lines)


_FORM = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://[^/?#\s]+(?P<rest>.*)", re.IGNORECASE | re.DOTALL)


def _other_form(reading: Reading, origin: str | None) -> Match | None:
    """An Origin with a path or a slash, or without a scheme: no browser sends one."""
    plain = (origin or "").strip()
    if not plain or plain.lower().startswith(("null", "file:")) or is_unseen(plain) or is_masked(plain):
        return None
    form = _FORM.fullmatch(plain)
    if form is not None and not form["rest"]:
        return None
    fault = ("ends in a slash" if form["rest"] == "/" else "has a path") if form else "has no scheme"
    right = plain[: form.start("rest")] if form else f"https://{plain.partition('/')[0]}"
    lines = (*reading.lines("url", "http_status"), _origin_line(reading))
    texts = {"what": _FORM_WHAT, "why": _FORM_WHY, "next_step": "Send the header Origin: {right}."}
    values = {"origin": _origin_text(plain), "fault": fault, "right": quote_text(right, 80)}
    return likely(*lines, level="inferred", **texts, **values)


_FORM_WHAT = "{origin} {fault}: an Origin is scheme://host[:port] and nothing else."
_FORM_WHY = (
    "Browsers send it in that form only (RFC 6454 section 6.1). Whether a deployment that restricts its "
    "domains "
    "takes another is not known; if it does not, it refuses the upgrade."
)
_UNTOLD = "The deployment lets in {domains} only, and no Origin of this request is told."


def _origin_by_note(reading: Reading, origin: str | None, lines: tuple[str, ...]) -> Match | None:
    note = reading.note
    if origin is not None and _is_listed_by_words(reading, origin):
        return None
    local = origin is not None and _LOCAL_ORIGIN.match(origin) is not None
    restricted = note.says("allowed domains")
    asks = origin is None and note.says("origin") and not note.says("cors")  # one that was sent is no gap
    speaks = restricted or note.says("works in the page") or asks
    if not (speaks or (local and reading.evidence.http_status == 403)):
        return None
    return likely(*lines, *reading.lines("note"), domains="a list of its own", origin=_origin_text(origin))


_IS_LISTED = re.compile(
    r"\b(?:which|that|it|and|origin|domain|this) (?:is|are) (?:also |already )?(?:listed|allowed|permitted"
    r"|(?:on|in|among) (?:the|our|its|this))",
    re.IGNORECASE,
)


def _is_listed_by_words(reading: Reading, origin: str) -> bool:
    """Whether by the person's own words this one is listed, beside being the Origin that was sent."""
    host = _host_of(origin)
    before, sent, after = reading.note.text.lower().partition(origin.lower())
    rest = f"{before} {after}" if sent and "origin" in before[-60:] else before + sent + after
    rest = rest.replace((reading.evidence.url or " ").lower(), " ")
    named = bool(host) and host in rest and _LOCAL_ORIGIN.match(origin) is None
    return named or _IS_LISTED.search(rest) is not None


def _origin_line(reading: Reading) -> str:
    origin = reading.header("Origin")
    if origin is not None:
        return f"Origin {quote_text(origin, 80)}"
    return "no Origin header" if reading.knows_headers else ""


def _origin_text(origin: str | None) -> str:
    return "no Origin" if origin is None else f"Origin {quote_text(origin, 80)}"


def _host_of(origin: str) -> str:
    return Address.of(origin if "//" in origin else f"//{origin}").host


def _is_listed(origin: str, domains: tuple[str, ...]) -> bool:
    """Compare as Messenger does: host name only, the same or below an entry, case ignored."""
    host = _host_of(origin)
    entries = [_host_of(domain) for domain in domains]
    return any(
        entry and (host == entry or host.endswith("." + entry.removeprefix("*."))) for entry in entries
    )


def _subprotocol(reading: Reading) -> Match | None:
    if reading.target is not Target.GUEST or not reading.subprotocols:
        return None
    count = len(reading.subprotocols)
    offered = f"{count} subprotocol{'s' * (count > 1)} offered in Sec-WebSocket-Protocol"
    return confirmed(offered, *reading.lines("http_status", "close_code"), offered=offered)


UPGRADE_RULES = (
    Rule(
        name="upgrade.deployment-missing",
        level="inferred",
        sources=(SOURCES["java sdk"], SOURCES["mobile sdk"], SOURCES["gateway"]),
        what="{shown}: the guest socket cannot tell which deployment is meant.",
        why=_MISSING_WHY,
        next_step=(
            "Append ?deploymentId=<your Messenger deployment's id> to the URL, spelled exactly so, and "
            "no token."
        ),
        judge=_deployment_missing,
    ),
    Rule(
        name="upgrade.origin-not-allowed",
        level="documented",
        sources=(SOURCES["deployments"], SOURCES["java sdk"], SOURCES["platform sdk"]),
        what="The deployment lets in {domains}, and this request came with {origin}.",
        why=(
            "A deployment may restrict its domains; then the upgrade needs an Origin of one of them "
            "(that the refusal is a 403 is inferred)."
        ),
        next_step=(
            "Send the header Origin: https://<an allowed domain>, or add yours to the deployment in Admin."
        ),
        judge=_origin,
    ),
    Rule(
        name="upgrade.deployment-unknown",
        level="documented",
        sources=(SOURCES["mobile sdk"], SOURCES["mobile sdk 129"]),
        what="Deployment {id} is not accepted here: unknown in this region, or not active.",
        why=(
            "An unknown id is refused at the upgrade, before any frame, for good. {cause} (That an "
            "inactive one or a domain that is not allowed looks the same is inferred.)"
        ),
        next_step=(
            "Compare the id with Admin > Message > Messenger Deployments of the same region, see that it is "
            "Active, and send the Origin it lists, if it restricts its domains."
        ),
        judge=_deployment_unknown,
    ),
    Rule(
        name="upgrade.subprotocol-not-used",
        level="documented",
        sources=(SOURCES["java sdk"], SOURCES["mobile sdk"], SOURCES["rfc 6455"]),
        what="A subprotocol was offered; the guest socket has none.",
        why=(
            "No official client sends Sec-WebSocket-Protocol. A browser even gives up by itself when the "
            "server does not choose what it offered."
        ),
        next_step="Open the socket without a subprotocol, and without anything smuggled in its place.",
        judge=_subprotocol,
    ),
)
