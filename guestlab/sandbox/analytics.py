"""Analytics of conversations: who took part when, in sessions and segments. It holds no words.

`GET /api/v2/analytics/conversations[/{id}]/details` and the details query with filters and paging. The
cloud lags minutes behind, the sandbox does not. Nothing found is `{}`: the keys are missing, not empty
(level: inferred). Shapes: the Platform API's OpenAPI document (level: official).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from guestlab.sandbox.clock import iso
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.sandbox.calls import Call
    from guestlab.sandbox.conversations import Conversation, Participant
    from guestlab.sandbox.world import World

__all__ = ["analytics_document", "details", "many_details", "query", "read_interval"]

PAGE_SIZE = 25
"""Conversations of a page that names no size (level: official)."""
LARGEST_PAGE = 100
"""More are refused (level: inferred)."""

# Ours → analytics' own words. A transfer's kind is not known here, so none is claimed.
_DISCONNECTS = {
    "client": "client",
    "peer": "peer",
    "system": "system",
    "session.expired": "sessionExpired",
    "inactivity": "inactivity",
    "endpoint": "endpoint",
}


# -- operations --------------------------------------------------------------------------------------------


async def details(call: Call) -> dict[str, Any]:
    """`GET /api/v2/analytics/conversations/{conversationId}/details`."""
    found = call.world.conversations.find(call.part("conversation_id"))
    if found is None:
        raise Refusal("not.found")
    return analytics_document(call.world, found)


async def many_details(call: Call) -> dict[str, Any]:
    """`GET /api/v2/analytics/conversations/details?id=…`: those that are known."""
    wanted = [part for text in call.request.query_params.getlist("id") for part in text.split(",")]
    found = [call.world.conversations.find(identifier.strip()) for identifier in wanted]
    held = [analytics_document(call.world, one) for one in found if one is not None]
    return {"conversations": held} if held else {}


async def query(call: Call) -> dict[str, Any]:
    """`POST /api/v2/analytics/conversations/details/query`."""
    body = await call.object()
    begin, end = read_interval(body.get("interval"))
    size, number = _paging(body.get("paging"))
    filters = [(name, _filters(body.get(name))) for name in ("conversationFilters", "segmentFilters")]
    now = call.world.now()
    held = [
        analytics_document(call.world, one)
        for one in sorted(call.world.conversations, key=lambda one: one.started_at)
        if one.started_at < end and (one.ended_at or now) >= begin
    ]
    fitting = [one for one in held if all(_fits(name, wanted, one) for name, wanted in filters)]
    if body.get("order") == "desc":
        fitting.reverse()
    page = fitting[(number - 1) * size : number * size]
    return {"conversations": page, "totalHits": len(fitting)} if page else {}


# -- documents ---------------------------------------------------------------------------------------------


def analytics_document(world: World, conversation: Conversation) -> dict[str, Any]:
    """One conversation as analytics tells it."""
    document: dict[str, Any] = {
        "conversationId": conversation.id,
        "conversationStart": iso(conversation.started_at),
        "originatingDirection": "inbound",
        "conversationInitiator": "customer",
        "customerParticipation": any(message.inbound for message in conversation.messages),
        "divisionIds": [world.named_id("division")],
        "participants": [_participant(conversation, party) for party in conversation.participants],
    }
    if conversation.ended_at is not None:
        document["conversationEnd"] = iso(conversation.ended_at)
    return document


def _participant(conversation: Conversation, party: Participant) -> dict[str, Any]:
    document: dict[str, Any] = {
        "participantId": party.id,
        "participantName": party.name,
        "purpose": party.purpose,
        "sessions": [_session(conversation, party)],
    }
    if party.user_id:
        document["userId"] = party.user_id
    return document


def _session(conversation: Conversation, party: Participant) -> dict[str, Any]:
    said = [message for message in conversation.messages if message.participant is party]
    session: dict[str, Any] = {
        "sessionId": party.communication_id,
        "mediaType": "message",
        "messageType": conversation.messenger_type,
        "direction": "inbound",
        "provider": "PureCloud Messaging",
        "addressFrom": conversation.guest_address,
        "addressTo": conversation.own_address,
        "mediaCount": sum(
            "attachment" in item for message in said for item in message.normalized.get("content") or ()
        ),
        "metrics": [{"name": "nConnected", "value": 1, "emitDate": iso(party.connected_at)}],
        "segments": [_segment(party)],
    }
    if party.purpose == "customer":
        session["authenticated"] = party.authenticated
    if party.purpose == "workflow":
        session["flow"] = {"flowName": party.name, "flowType": "INBOUNDSHORTMESSAGE"}
        if party.disconnect_type:
            ended = "TRANSFER" if party.disconnect_type == "transfer" else "DISCONNECT"
            session["flow"]["exitReason"] = ended
    return session


def _segment(party: Participant) -> dict[str, Any]:
    segment: dict[str, Any] = {
        "segmentStart": iso(party.connected_at),
        "segmentType": "alert" if party.state == "alerting" else "interact",
        "conference": False,
    }
    if party.queue_id:
        segment["queueId"] = party.queue_id
    if party.ended_at is not None:
        segment["segmentEnd"] = iso(party.ended_at)
        if party.disconnect_type in _DISCONNECTS:
            segment["disconnectType"] = _DISCONNECTS[party.disconnect_type]
    return segment


# -- what a query asks -------------------------------------------------------------------------------------


def read_interval(value: Any) -> tuple[float, float]:
    """The two instants of an interval: ISO 8601, joined by a slash; the second is not in it."""
    parts = value.split("/") if isinstance(value, str) else []
    if len(parts) != 2:
        raise Refusal("constraint.validation", reason="interval: two instants joined by a slash are wanted")
    try:
        begin, end = (datetime.fromisoformat(part).timestamp() for part in parts)
    except (ValueError, OverflowError, OSError):
        raise Refusal("invalid.date") from None
    if begin >= end:
        raise Refusal("constraint.validation", reason="interval: its end is not after its beginning")
    return begin, end


def _paging(value: Any) -> tuple[int, int]:
    paging = value if isinstance(value, dict) else {}
    size, number = paging.get("pageSize", PAGE_SIZE), paging.get("pageNumber", 1)
    for name, given, most in (("pageSize", size, LARGEST_PAGE), ("pageNumber", number, 1_000_000)):
        if not isinstance(given, int) or not 0 < given <= most:
            raise Refusal("constraint.validation", reason=f"paging.{name}: 1 to {most} is wanted")
    return size, number


def _filters(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Refusal("bad.request")
    return value


def _fits(level: str, filters: list[dict[str, Any]], document: dict[str, Any]) -> bool:
    """Whether every filter fits: on the conversation, or on one of its segments."""
    views = [_scalars(document)] if level == "conversationFilters" else list(_segments(document))
    return all(any(_filter_fits(one, view) for view in views) for one in filters)


def _segments(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each segment with what its session, participant and conversation say of it."""
    for participant in document["participants"]:
        for session in participant["sessions"]:
            for segment in session["segments"]:
                parts = (document, participant, session, segment)
                yield {name: value for part in parts for name, value in _scalars(part).items()}


def _scalars(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if not isinstance(value, dict | list)}


def _filter_fits(wanted: dict[str, Any], view: dict[str, Any]) -> bool:
    predicates, clauses = wanted.get("predicates") or [], wanted.get("clauses") or []
    if not isinstance(predicates, list) or not isinstance(clauses, list):
        raise Refusal("bad.request")
    outcomes = [_predicate_fits(one, view) for one in predicates if isinstance(one, dict)]
    outcomes += [
        all(_predicate_fits(one, view) for one in clause.get("predicates") or () if isinstance(one, dict))
        if clause.get("type") != "or"
        else any(
            _predicate_fits(one, view) for one in clause.get("predicates") or () if isinstance(one, dict)
        )
        for clause in clauses
        if isinstance(clause, dict)
    ]
    return any(outcomes) if wanted.get("type") == "or" else all(outcomes)


def _predicate_fits(predicate: dict[str, Any], view: dict[str, Any]) -> bool:
    """Only dimensions are served; metrics and properties fit nothing here."""
    held = view.get(str(predicate.get("dimension")))
    operator = predicate.get("operator", "matches")
    if operator in {"exists", "notExists"}:
        return bool((held is not None) == (operator == "exists"))
    return held is not None and str(held).lower() == str(predicate.get("value")).lower()
