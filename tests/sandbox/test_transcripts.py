"""What the sandbox tells of a conversation afterwards; Open Messaging's events and receipts.

Every answer fits the official models.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import jsonschema
import pytest

from guestlab.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

SCHEMA = json.loads((Path(__file__).parent.parent / "data" / "transcripts-schema.json").read_text("utf-8"))
UNKNOWN = str(UUID(int=1, version=4))
QUERY = "/api/v2/analytics/conversations/details/query"
ALWAYS = "2020-01-01T00:00:00.000Z/2099-01-01T00:00:00.000Z"
WHEN = "2026-10-08T09:00:00.000Z"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Without limits."""
    with Sandbox(limits=None) as sandbox:
        yield sandbox


def _fits(value: Any, definition: str) -> Any:
    schema = {"$ref": f"#/definitions/{definition}", "definitions": SCHEMA["definitions"]}
    problems = jsonschema.Draft4Validator(schema).iter_errors(value)
    assert [(problem.json_path, problem.message) for problem in problems] == []
    return value


def _open_conversation(sandbox: Sandbox, api: httpx.Client, guest: str = "guest-42") -> str:
    body = {"channel": {"from": {"id": guest, "idType": "Opaque"}, "time": WHEN}, "text": "Hello"}
    path = f"/api/v2/conversations/messages/{sandbox.integration_id}/inbound/open/message"
    return str(api.post(path, json=body, params={"prefetchConversationId": "true"}).json()["conversationId"])


def _talk(sandbox: Sandbox, api: httpx.Client, guests: Callable[..., Any]) -> str:
    """A guest hears everything the bot has, and an agent; returns the conversation's id."""
    guest = guests()
    for text in ("hello", "menu", "card", "carousel", "list", "dates", "form", "file", "quick replies v2"):
        echo = guest.say(text)
    sandbox.agent.say("I am here")
    details = api.get(f"/api/v2/conversations/messages/{echo['body']['id']}/details").json()
    return str(details["conversationId"])


# -- messages in bulk --------------------------------------------------------------------------------------


def test_every_message_a_conversation_lists_is_given_out_in_bulk(
    sandbox: Sandbox, api: httpx.Client, guests: Callable[..., Any]
) -> None:
    """In the official shape, both sides, whatever they hold; of another conversation none."""
    conversation_id = _talk(sandbox, api, guests)
    path = f"/api/v2/conversations/messages/{conversation_id}"
    flat = _fits(api.get(path).json(), "MessageConversation")
    ids = [one["messageId"] for party in flat["participants"] for one in party["messages"]]
    listing = _fits(api.post(f"{path}/messages/bulk", json=ids).json(), "TextMessageListing")
    assert [one["id"] for one in listing["entities"]] == ids
    assert {one["direction"] for one in listing["entities"]} == {"inbound", "outbound"}
    other = _open_conversation(sandbox, api)
    elsewhere = api.post(f"/api/v2/conversations/messages/{other}/messages/bulk", json=ids)
    assert elsewhere.json() == {"entities": []}


# -- analytics ---------------------------------------------------------------------------------------------


def test_analytics_tells_sessions_and_segments_and_no_words(
    sandbox: Sandbox, api: httpx.Client, guests: Callable[..., Any]
) -> None:
    """While it runs nothing has ended; afterwards everything has, with how."""
    conversation_id = _talk(sandbox, api, guests)
    path = f"/api/v2/analytics/conversations/{conversation_id}/details"
    running = _fits(api.get(path).json(), "AnalyticsConversationWithoutAttributes")
    assert "conversationEnd" not in running
    purposes = [party["purpose"] for party in running["participants"]]
    assert purposes == ["customer", "workflow", "acd", "agent"]
    assert "I am here" not in json.dumps(running)
    api.post(f"/api/v2/conversations/{conversation_id}/disconnect")
    over = _fits(api.get(path).json(), "AnalyticsConversationWithoutAttributes")
    sessions = [session for party in over["participants"] for session in party["sessions"]]
    assert {session["messageType"] for session in sessions} == {"webmessaging"}
    segments = [segment for session in sessions for segment in session["segments"]]
    assert all(segment["segmentStart"] <= segment["segmentEnd"] for segment in segments)
    assert segments[0]["disconnectType"] == "peer"
    several = api.get("/api/v2/analytics/conversations/details", params={"id": [conversation_id, UNKNOWN]})
    found = _fits(several.json(), "AnalyticsConversationWithoutAttributesMultiGetResponse")
    assert [one["conversationId"] for one in found["conversations"]] == [conversation_id]


def _predicate(dimension: str, value: str | None = None, operator: str = "matches") -> dict[str, Any]:
    predicate = {"type": "dimension", "dimension": dimension, "operator": operator}
    return {"type": "and", "predicates": [predicate | ({"value": value} if value else {})]}


# filters → how many of one web messaging and two open conversations, of which one has ended
FILTERS: tuple[tuple[dict[str, Any], int], ...] = (
    ({}, 3),
    ({"segmentFilters": [_predicate("mediaType", "message")]}, 3),
    ({"segmentFilters": [_predicate("messageType", "webmessaging")]}, 1),
    ({"segmentFilters": [_predicate("messageType", "open"), _predicate("purpose", "customer")]}, 2),
    ({"segmentFilters": [_predicate("purpose", "agent")]}, 0),
    ({"segmentFilters": [_predicate("segmentEnd", operator="exists")]}, 1),
    ({"conversationFilters": [_predicate("conversationEnd", operator="exists")]}, 1),
    ({"conversationFilters": [_predicate("conversationEnd", operator="notExists")]}, 2),
    ({"conversationFilters": [_predicate("originatingDirection", "OUTBOUND")]}, 0),
    ({"segmentFilters": [{"type": "or", "clauses": [_predicate("messageType", "open")]}]}, 2),
    ({"interval": "2020-01-01T00:00:00Z/2020-01-02T00:00:00Z"}, 0),
)


def test_a_details_query_filters_and_pages(
    sandbox: Sandbox, api: httpx.Client, guests: Callable[..., Any]
) -> None:
    """By dimension, by time, page by page, in either order; nothing is an empty object."""
    guests().say("hello")
    ids = [_open_conversation(sandbox, api, name) for name in ("a", "b")]
    api.post(f"/api/v2/conversations/{ids[0]}/disconnect")
    for filters, count in FILTERS:
        reply = api.post(QUERY, json={"interval": ALWAYS, **filters})
        page = _fits(reply.json(), "AnalyticsConversationQueryResponse")
        assert (page == {}) == (count == 0), filters
        assert page.get("totalHits", 0) == len(page.get("conversations", [])) == count, filters
    seen = []
    for number in (1, 2, 3, 4):
        paging = {"pageSize": 1, "pageNumber": number}
        page = api.post(QUERY, json={"interval": ALWAYS, "paging": paging}).json()
        seen += [one["conversationId"] for one in page.get("conversations", ())]
    assert len(set(seen)) == 3
    backwards = api.post(QUERY, json={"interval": ALWAYS, "order": "desc"}).json()["conversations"]
    assert [one["conversationId"] for one in backwards] == seen[::-1]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"interval": "yesterday"},
        {"interval": "2026-01-01/x"},
        {"interval": "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z"},
        {"interval": ALWAYS, "paging": {"pageSize": 0, "pageNumber": 1}},
        {"interval": ALWAYS, "paging": {"pageSize": 101, "pageNumber": 1}},
        {"interval": ALWAYS, "paging": {"pageSize": "x", "pageNumber": 1}},
        {"interval": ALWAYS, "segmentFilters": "x"},
        {"interval": ALWAYS, "segmentFilters": [1]},
        {"interval": ALWAYS, "segmentFilters": [{"predicates": 1}]},
        [],
    ],
)
def test_a_details_query_that_makes_no_sense_is_refused(
    sandbox: Sandbox, api: httpx.Client, body: Any
) -> None:
    """With 400 and the platform's envelope."""
    _open_conversation(sandbox, api)
    reply = api.post(QUERY, json=body)
    assert reply.status_code == 400
    assert reply.json()["code"] in {"constraint.validation", "invalid.date", "bad.request"}


# -- recordings --------------------------------------------------------------------------------------------


def test_a_recording_appears_after_the_end_and_takes_a_moment(
    sandbox: Sandbox, api: httpx.Client, guests: Callable[..., Any]
) -> None:
    """None while it runs, 202 without a body while it is prepared, then every message."""
    conversation_id = _talk(sandbox, api, guests)
    path = f"/api/v2/conversations/{conversation_id}/recordings"
    assert api.get(path).json() == []
    sandbox.clock.freeze()
    api.post(f"/api/v2/conversations/{conversation_id}/disconnect")
    early = api.get(path, params={"maxWaitMs": 1})
    assert (early.status_code, early.content) == (202, b"")
    sandbox.clock.advance(2)
    recordings = api.get(path).json()
    assert len(recordings) == 1
    recording = _fits(recordings[0], "Recording")
    assert recording["fileState"] == "AVAILABLE"
    said = recording["messagingTranscript"]
    assert {"customer", "workflow", "agent"} == {message["purpose"] for message in said}
    keys = {key for message in said for key in message}
    assert {"quickReplies", "cards", "messageMediaAttachments", "fromUser", "contentType"} <= keys
    alone = api.get(f"{path}/{recording['id']}").json()
    assert alone["messagingTranscript"][0] == said[0]
    about = api.get(f"/api/v2/conversations/{conversation_id}/recordingmetadata").json()
    assert "messagingTranscript" not in _fits(about[0], "RecordingMetadata")


def test_one_recording_says_how_long_it_will_take(sandbox: Sandbox, api: httpx.Client) -> None:
    """202 with an estimate; the id is known from its metadata."""
    conversation_id = _open_conversation(sandbox, api)
    sandbox.clock.freeze()
    api.post(f"/api/v2/conversations/{conversation_id}/disconnect")
    about = api.get(f"/api/v2/conversations/{conversation_id}/recordingmetadata").json()
    path = f"/api/v2/conversations/{conversation_id}/recordings/{about[0]['id']}"
    early = api.get(path)
    assert early.status_code == 202
    assert 0 < early.json()["estimatedTranscodeTimeMs"] <= 2000
    sandbox.clock.advance(2)
    assert api.get(path).status_code == 200


def test_the_platform_waits_as_long_as_asked_for_a_recording(sandbox: Sandbox, api: httpx.Client) -> None:
    """So that most callers never see the 202."""
    conversation_id = _open_conversation(sandbox, api)
    api.post(f"/api/v2/conversations/{conversation_id}/disconnect")
    reply = api.get(f"/api/v2/conversations/{conversation_id}/recordings", timeout=10)
    assert reply.status_code == 200
    assert len(reply.json()) == 1


# path → status, code
LOST = (
    (f"/api/v2/analytics/conversations/{UNKNOWN}/details", 404, "not.found"),
    (f"/api/v2/conversations/{UNKNOWN}/recordings", 404, "conversation.not.found"),
    (f"/api/v2/conversations/{UNKNOWN}/recordings/{UNKNOWN}", 404, "not.found"),
    (f"/api/v2/conversations/{UNKNOWN}/recordingmetadata", 404, "conversation.not.found"),
    (f"/api/v2/conversations/{UNKNOWN}/recordings?maxWaitMs=0", 404, "conversation.not.found"),
)


@pytest.mark.parametrize(("path", "status", "code"), LOST)
def test_what_is_not_there_has_the_operations_own_code(
    api: httpx.Client, path: str, status: int, code: str
) -> None:
    """Recordings say conversation.not.found, analytics not.found."""
    reply = api.get(path)
    assert (reply.status_code, reply.json()["code"]) == (status, code)


@pytest.mark.parametrize("wait", ["0", "-1", "x", "1e3", "9" * 10])
def test_a_wait_that_is_no_positive_number_is_refused(sandbox: Sandbox, api: httpx.Client, wait: str) -> None:
    """`maxWaitMs` must be a positive value (official)."""
    conversation_id = _open_conversation(sandbox, api)
    reply = api.get(f"/api/v2/conversations/{conversation_id}/recordings", params={"maxWaitMs": wait})
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid.value")


# -- Open Messaging: events and receipts -------------------------------------------------------------------


def test_a_customers_typing_is_told_and_not_kept(sandbox: Sandbox, api: httpx.Client) -> None:
    """It begins no conversation and stands in none."""
    path = f"/api/v2/conversations/messages/{sandbox.integration_id}/inbound/open/event"
    channel = {"from": {"id": "guest-42", "idType": "Opaque"}, "time": WHEN}
    body = {"channel": channel, "events": [{"eventType": "Typing"}]}
    _fits(api.post(path, json=body).json(), "OpenEventNormalizedMessage")
    conversation_id = _open_conversation(sandbox, api)
    event = _fits(api.post(path, json=body).json(), "OpenEventNormalizedMessage")
    flat = api.get(f"/api/v2/conversations/messages/{conversation_id}").json()
    customer = next(party for party in flat["participants"] if party["purpose"] == "customer")
    ids = [one["messageId"] for one in customer["messages"]]
    assert len(ids) == 1
    assert event["id"] not in ids
    for wrong in ({"channel": channel}, {"channel": channel, "events": [{"eventType": "Presence"}]}, {}):
        assert api.post(path, json=wrong).status_code == 400


def test_a_receipt_changes_what_became_of_a_message(sandbox: Sandbox, api: httpx.Client) -> None:
    """Only of one that was sent to this integration's customer."""
    conversation_id = _open_conversation(sandbox, api)
    parties = api.get(f"/api/v2/conversations/{conversation_id}").json()["participants"]
    communication = next(party["messages"][0]["id"] for party in parties if party["purpose"] == "workflow")
    said = api.post(
        f"/api/v2/conversations/messages/{conversation_id}/communications/{communication}/messages",
        json={"textBody": "Hi"},
    ).json()
    path = f"/api/v2/conversations/messages/{sandbox.integration_id}/inbound/open/receipt"
    body = {"id": said["id"], "channel": {"to": {"id": "guest-42"}, "time": WHEN}, "status": "Delivered"}
    receipt = _fits(api.post(path, json=body).json(), "OpenReceiptNormalizedMessage")
    assert receipt["id"] == said["id"]
    details = api.get(f"/api/v2/conversations/messages/{said['id']}/details").json()
    assert details["status"] == "delivery-success"
    assert api.post(path, json={**body, "id": "nobody's"}).status_code == 404
    for wrong in (
        {**body, "status": "Read"},
        {**body, "channel": {}},
        {**body, "channel": {"to": {"id": "g"}}},
    ):
        assert api.post(path, json=wrong).status_code == 400


# -- configurations and usage ------------------------------------------------------------------------------


def test_configurations_show_what_the_messenger_is_set_to(sandbox: Sandbox, api: httpx.Client) -> None:
    """The draft in the listing, the published version by its number; the deployment names it."""
    path = "/api/v2/webdeployments/configurations"
    listing = _fits(api.get(path).json(), "WebDeploymentConfigurationVersionEntityListing")
    named = api.get(f"/api/v2/webdeployments/deployments/{sandbox.deployment_id}").json()["configuration"]
    assert [one["id"] for one in listing["entities"]] == [named["id"]]
    versions = f"{path}/{named['id']}/versions"
    published = _fits(api.get(f"{versions}/{named['version']}").json(), "WebDeploymentConfigurationVersion")
    assert published["messenger"]["apps"]["conversations"]["enabled"] is True
    assert api.get(versions).json()["entities"] == [published]
    assert api.get(f"{versions}/draft").json()["version"] == "draft"
    for lost in (f"{versions}/99", f"{path}/{UNKNOWN}/versions", f"{path}/{UNKNOWN}/versions/draft"):
        assert api.get(lost).status_code == 404


def test_usage_counts_the_calls_made(sandbox: Sandbox, api: httpx.Client) -> None:
    """By template and method; what failed counts where it belongs."""
    for _ in range(3):
        api.get("/api/v2/tokens/me")
    api.get(f"/api/v2/conversations/{UNKNOWN}")
    query = {"interval": ALWAYS, "groupBy": ["TemplateUri", "HttpMethod"]}
    begun = _fits(api.post("/api/v2/usage/query", json=query).json(), "UsageExecutionResult")
    answer = _fits(api.get(begun["resultsUri"]).json(), "ApiUsageQueryResult")
    assert answer["queryStatus"] == "Complete"
    rows = {(row["httpMethod"], row["templateUri"]): row for row in answer["results"]}
    assert rows["GET", "api/v2/tokens/me"]["status200"] == 3
    lost = rows["GET", "api/v2/conversations/{conversationId}"]
    assert (lost["status400"], lost["requests"]) == (1, 1)
    for wrong in ({}, {"interval": ALWAYS, "groupBy": ["Moon"]}, {"interval": ALWAYS, "groupBy": [{}]}):
        assert api.post("/api/v2/usage/query", json=wrong).status_code == 400
    assert api.get(f"/api/v2/usage/query/{UNKNOWN}/results").status_code == 404
