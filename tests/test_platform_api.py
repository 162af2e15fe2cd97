"""The Platform API client: verbs and their operations, the guard before writes, waiting, refusals, paging."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from guestlab.errors import DeadlineError, InputError, NetworkError, PlatformError
from guestlab.handshake.platform_paths import read_path
from guestlab.http import Auth, Client, Request, Response
from guestlab.log import Log
from guestlab.platform_api import PlatformApi
from guestlab.platform_operations import LABS_OWN_WRITES, OPERATIONS, WRITES, operation_of
from guestlab.regions import Region
from guestlab.sandbox import Sandbox
from guestlab.tokens import ClientCredentials
from tests.scenario import run

if TYPE_CHECKING:
    from collections.abc import Callable

CLOUD = Region("mypurecloud.de")
SANDBOX = Region("localhost:1", tls=False)
ID = "00000000-0000-4000-8000-000000000001"
WHEN = "2026-10-01T00:00:00.000Z/2026-10-08T00:00:00.000Z"


class Desk:
    """Stands where the HTTP client stands: answers from a list and keeps what it was asked."""

    def __init__(self, region: Region = CLOUD, *answers: Any) -> None:
        self.region, self.log = region, Log()
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.queries: list[Any] = []

    async def send(self, method: str, url: str, **content: Any) -> Response:
        """Keep the request, give the next answer; with none left, an empty object."""
        self.asked.append((method, url.removeprefix(self.region.api_url)))
        self.bodies.append(content.get("json"))
        self.queries.append(content.get("params"))
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Response):
            return answer
        return Response(200, json=answer, request=Request(method, url))


def _api(desk: Desk, **options: Any) -> PlatformApi:
    async def at_once(seconds: float) -> None:
        desk.log.record("note", note=f"slept {seconds:g}")

    return PlatformApi(desk, Auth(), sleep=at_once, **options)  # type: ignore[arg-type]


def _refused(status: int, code: str = "", message: str = "", **headers: str) -> Response:
    envelope = {"message": message, "code": code, "status": status, "contextId": "c-1"}
    return Response(status, json=envelope, headers={"ININ-Correlation-Id": "c-1", **headers})


def _slept(desk: Desk) -> list[float]:
    notes = [entry.note or "" for entry in desk.log.entries]
    return [float(note.removeprefix("slept ")) for note in notes if note.startswith("slept ")]


async def _all(items: Any) -> list[Any]:
    return [item async for item in items]


# -- verbs and operations ----------------------------------------------------------------------------------

_USAGE = ({"executionId": "e-1"}, {"queryStatus": "Complete", "results": []})
# verb → how it is called, and answers it needs
VERBS: dict[str, tuple[Callable[[PlatformApi], Any], tuple[Any, ...]]] = {
    "token_info": (lambda api: api.token_info(), ()),
    "revoke_token": (lambda api: api.revoke_token(), ()),
    "user_me": (lambda api: api.user_me(), ()),
    "open_integrations": (lambda api: _all(api.open_integrations()), ()),
    "create_open_integration": (
        lambda api: api.create_open_integration("n", "https://hooks.example/x"),
        ({"id": ID},),
    ),
    "integration": (lambda api: api.integration(ID), ()),
    "send_open_message": (lambda api: api.send_open_message(ID, "hi", guest="g"), ()),
    "send_open_event": (lambda api: api.send_open_event(ID, guest="g"), ()),
    "send_open_receipt": (lambda api: api.send_open_receipt(ID, "m", guest="g"), ()),
    "conversations": (lambda api: api.conversations(), ()),
    "conversation": (lambda api: api.conversation(ID), ()),
    "message_conversation": (lambda api: api.message_conversation(ID), ()),
    "messages": (lambda api: _all(api.messages(ID, ["m"])), ()),
    "message_details": (lambda api: api.message_details(ID), ()),
    "say": (lambda api: api.say(ID, ID, "hi"), ()),
    "typing": (lambda api: api.typing(ID, ID), ()),
    "disconnect": (lambda api: api.disconnect(ID), ()),
    "update_participant": (lambda api: api.update_participant(ID, ID, state="disconnected"), ()),
    "set_attributes": (lambda api: api.set_attributes(ID, ID, {"a": "b"}), ()),
    "send_agentless": (lambda api: api.send_agentless(ID, "webmessaging", "hi", externalContactId=ID), ()),
    "details": (lambda api: api.details(ID), ()),
    "details_query": (lambda api: _all(api.details_query(WHEN)), ()),
    "transcript": (lambda api: api.transcript(ID), ([],)),
    "recording": (lambda api: api.recording(ID, ID), ()),
    "usage": (lambda api: api.usage(WHEN), _USAGE),
    "deployments": (lambda api: _all(api.deployments()), ()),
    "deployment": (lambda api: api.deployment(ID), ()),
    "configurations": (lambda api: _all(api.configurations()), ()),
    "configuration": (lambda api: api.configuration(ID), ()),
    "channels": (lambda api: api.channels(), ()),
    "create_channel": (lambda api: api.create_channel(), ()),
    "subscriptions": (lambda api: api.subscriptions("streaming-0-x"), ()),
    "subscribe": (lambda api: api.subscribe("streaming-0-x", ["v2.x"]), ()),
    "replace_subscriptions": (lambda api: api.replace_subscriptions("streaming-0-x", ["v2.x"]), ()),
    "unsubscribe": (lambda api: api.unsubscribe("streaming-0-x"), ()),
    "available_topics": (lambda api: api.available_topics("description"), ()),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_calls_the_operation_of_its_name(verb: str) -> None:
    """So the guard, the permission in a refusal and the verb speak of the same call."""
    desk = Desk(CLOUD, *VERBS[verb][1])
    run(VERBS[verb][0](_api(desk, writes=WRITES)))
    assert operation_of(*desk.asked[0]).name == verb


@pytest.mark.parametrize("verb", sorted(WRITES))
def test_a_write_away_from_loopback_needs_its_name_allowed(verb: str) -> None:
    """Without it nothing is sent; with it, and on loopback, it is."""
    call, answers = VERBS[verb]
    desk = Desk(CLOUD, *answers)
    with pytest.raises(InputError, match=verb) as refused:
        run(call(_api(desk, writes=())))
    assert desk.asked == []
    assert f'writes=["{verb}"]' in refused.value.next_step
    run(call(_api(desk, writes=[verb])))
    assert len(desk.asked) == 1
    local = Desk(SANDBOX, *answers)
    run(call(_api(local, writes=())))
    assert len(local.asked) == 1


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - WRITES))
def test_what_only_reads_needs_no_permission_of_ours(verb: str) -> None:
    """Some of them are POSTs: bulk, details query, usage query."""
    desk = Desk(CLOUD, *VERBS[verb][1])
    run(VERBS[verb][0](_api(desk, writes=())))
    assert desk.asked


def test_unless_told_otherwise_only_the_labs_own_writes_are_allowed() -> None:
    """What lab.conversation(), lab.channel() and the end of a token need; never somebody else's objects."""
    assert {"say", "disconnect", "send_agentless", "set_attributes"}.isdisjoint(LABS_OWN_WRITES)
    desk = Desk(CLOUD)
    with pytest.raises(InputError):
        run(_api(desk).disconnect(ID))
    run(_api(desk).send_open_message(ID, "hi", guest="g"))
    assert [method for method, _ in desk.asked] == ["POST"]


def test_the_generic_request_is_guarded_too() -> None:
    """By the name of a known operation, or by method and path; `writes=True` says it for one call."""
    desk = Desk(CLOUD, {}, {})
    api = _api(desk, writes=["PUT /api/v2/tokens/timeout"])
    for method, path in (
        ("POST", f"/api/v2/conversations/{ID}/disconnect"),
        ("DELETE", "/api/v2/users/7"),
        ("delete", "/api/v2/users/7"),
        ("PATCH", "/api/v2/users/7?x=/api/v2/tokens/me"),
    ):
        with pytest.raises(InputError, match="nobody allowed it"):
            run(api.request(method, path))
    run(api.request("PUT", "/api/v2/tokens/timeout", json={}))
    run(api.request("DELETE", "/api/v2/users/7", writes=True))
    assert [method for method, _ in desk.asked] == ["PUT", "DELETE"]


@pytest.mark.parametrize(
    "path", ["/v1/x", "api/v2/x", "/api/v2/../v3/x", "/api/v2/a/%2E%2e/b", "/api/v2/./x"]
)
def test_a_path_that_is_none_is_refused_before_anything_is_sent(path: str) -> None:
    """A dotted path would name another operation than the guard saw."""
    desk = Desk()
    with pytest.raises(InputError):
        run(_api(desk).request("GET", path))
    assert desk.asked == []


@pytest.mark.parametrize("identifier", ["", " ", ".", ".."])
def test_an_id_that_would_change_the_path_is_refused(identifier: str) -> None:
    """An empty id would list everything instead."""
    with pytest.raises(InputError, match="is no id"):
        run(_api(Desk()).conversation(identifier))


def test_an_id_stays_one_part_of_the_path() -> None:
    """Whatever is in it."""
    desk = Desk()
    run(_api(desk).conversation("a/../b?c#d"))
    assert desk.asked == [("GET", "/api/v2/conversations/a%2F..%2Fb%3Fc%23d")]


def test_a_misspelt_write_is_corrected() -> None:
    """At once, not when it is needed."""
    with pytest.raises(InputError, match="disconect") as refused:
        _api(Desk(), writes=["disconect"])
    assert "'disconnect'" in refused.value.next_step


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.name != "conversation_as_asked"])
def test_every_operation_is_published(operation: Any) -> None:
    """In the official SDK's list of paths and methods."""
    path = "/api/v2" + re.sub(r"\{\w+\}", ID, operation.path)
    assert read_path(path, operation.method).exists, operation


SCHEMA = json.loads((Path(__file__).parent / "data" / "transcripts-schema.json").read_text("utf-8"))
# verb → official model of its body
BODIES = {
    "create_open_integration": "OpenIntegrationRequest",
    "send_open_message": "OpenInboundNormalizedMessage",
    "send_open_event": "OpenInboundNormalizedEvent",
    "send_open_receipt": "OpenInboundNormalizedReceipt",
    "say": "AdditionalMessage",
    "typing": "MessageTypingEventRequest",
    "set_attributes": "ParticipantAttributes",
    "send_agentless": "SendAgentlessOutboundMessageRequest",
    "details_query": "ConversationQuery",
    "usage": "ApiUsageOrganizationQuery",
}


@pytest.mark.parametrize("verb", BODIES)
def test_a_body_fits_the_official_model(verb: str) -> None:
    """And has no key the model does not know."""
    desk = Desk(CLOUD, *VERBS[verb][1])
    run(VERBS[verb][0](_api(desk, writes=WRITES)))
    definitions = {
        name: {**definition, "additionalProperties": False} if name == BODIES[verb] else definition
        for name, definition in SCHEMA["definitions"].items()
    }
    schema = {"$ref": f"#/definitions/{BODIES[verb]}", "definitions": definitions}
    problems = jsonschema.Draft4Validator(schema).iter_errors(desk.bodies[0])
    assert [(problem.json_path, problem.message) for problem in problems] == []


# -- refusals ----------------------------------------------------------------------------------------------

_NAMED = "You are missing the following permission(s): {}"
# status, code, message → in the next step
REFUSED = (
    (401, "bad.credentials", "Invalid login credentials.", "lab.token()"),
    (401, "", "", "lab.token()"),
    (403, "missing.permissions", _NAMED.format("messaging:integration:add"), "messaging:integration:add"),
    (403, "missing.any.permissions", _NAMED.format("a:b:view, a:c:view"), "a:b:view or a:c:view"),
    (403, "missing.division.permission", _NAMED.format("a:b:view"), "a:b:view"),
    (403, "not.authorized", "You are not authorized.", "conversation:communication:view"),
    (403, "app.not.authorized.for.scope", "App not authorized to use scope x", "Add the scope"),
    (403, "feature.toggle.disabled", "No.", "Compare the roles"),
    (404, "not.found", "The requested resource was not found.", "Check the id"),
    (409, "request.conflict", "The request conflicts.", "Read the object again"),
    (413, "request.entity.too.large", "Over the size limit.", "Ask for less"),
    (500, "internal.server.error", "Oh.", "correlation id"),
    (418, "teapot", "Short and stout.", "Read the platform's message"),
)


@pytest.mark.parametrize(("status", "code", "message", "advice"), REFUSED)
def test_a_refusal_says_what_to_change(status: int, code: str, message: str, advice: str) -> None:
    """With the platform's code and the correlation id to quote."""
    desk = Desk(CLOUD, _refused(status, code, message))
    with pytest.raises(PlatformError) as refused:
        run(_api(desk).conversation(ID))
    error = refused.value
    assert advice in error.next_step
    assert (error.http_status, error.code, error.correlation_id) == (status, code, "c-1")
    assert "correlation id c-1" in error.evidence
    assert not message or message in error.evidence


def test_a_participant_is_no_communication() -> None:
    """Each has an id; the wrong one is met with a bare 404."""
    desk = Desk(CLOUD, _refused(404, "not.found", "The requested resource was not found."))
    with pytest.raises(PlatformError) as refused:
        run(_api(desk, writes=WRITES).say(ID, "a-participant", "hello"))
    assert "messages[].id" in refused.value.next_step


def test_a_secret_in_a_refusal_is_masked() -> None:
    """The platform may repeat what was sent."""
    desk = Desk(CLOUD, _refused(400, "bad.request", "cannot read top-secret-value"))
    desk.log.learn("top-secret-value")
    with pytest.raises(PlatformError) as refused:
        run(_api(desk).conversation(ID))
    assert "top-secret-value" not in str(refused.value)


@pytest.mark.parametrize("content", [b"<html>proxy</html>", b"\xff\xfe", b"[1]", b'"text"', b""])
def test_an_answer_that_is_no_object_is_no_answer(content: bytes) -> None:
    """A proxy's page, or another server's JSON."""
    with pytest.raises(NetworkError):
        run(_api(Desk(CLOUD, Response(200, content=content))).conversation(ID))


# -- waiting -----------------------------------------------------------------------------------------------


def test_a_read_waits_as_long_as_it_is_told() -> None:
    """429 with Retry-After, 503 without: seconds as told, then 1, 2, 4 …; every wait is in the log."""
    busy = (_refused(429, "too.many.requests", **{"Retry-After": "7"}), _refused(503), _refused(504))
    desk = Desk(CLOUD, *busy, {"id": ID})
    run(_api(desk).conversation(ID))
    assert _slept(desk) == [7, 2, 4]
    assert len(desk.asked) == 4


@pytest.mark.parametrize("told", ["9999", "99999999999999999999"])
def test_a_wait_beyond_patience_becomes_the_error(told: str) -> None:
    """At once, and it says why."""
    desk = Desk(CLOUD, _refused(429, "too.many.requests", **{"Retry-After": told}))
    with pytest.raises(PlatformError) as refused:
        run(_api(desk).conversation(ID))
    assert refused.value.http_status == 429
    assert _slept(desk) == []


def test_patience_is_for_all_waits_together() -> None:
    """A platform that is always busy is given up."""
    desk = Desk(CLOUD, *[_refused(503) for _ in range(20)])
    with pytest.raises(PlatformError):
        run(_api(desk, patience=10.0).conversation(ID))
    assert _slept(desk) == [1, 2, 4]


@pytest.mark.parametrize("retry_after", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "٣", ""])
def test_a_retry_after_that_is_no_number_is_not_followed(retry_after: str) -> None:
    """The wait is our own then."""
    headers = {"Retry-After": retry_after} if retry_after.isascii() else {}
    desk = Desk(CLOUD, _refused(429, "too.many.requests", **headers), {})
    run(_api(desk).conversation(ID))
    assert _slept(desk) == [1]


@pytest.mark.parametrize("status", [429, 503])
def test_a_write_is_never_sent_twice(status: int) -> None:
    """Whether the first one was done is unknown."""
    desk = Desk(CLOUD, _refused(status, **{"Retry-After": "1"}), {})
    with pytest.raises(PlatformError):
        run(_api(desk, writes=["disconnect"]).disconnect(ID))
    assert len(desk.asked) == 1


def test_a_recording_is_asked_for_again_while_it_is_prepared() -> None:
    """202 without a body, or with an estimate of how long; without media, so that no address comes."""
    desk = Desk(CLOUD, Response(202), Response(202, json={"estimatedTranscodeTimeMs": 3000}), [{"id": "r"}])
    found: list[Any] = []

    async def scenario() -> None:
        found.extend(await _api(desk).transcript(ID))

    run(scenario())
    assert found == [{"id": "r"}]
    assert _slept(desk) == [1, 3]
    assert desk.queries[0]["formatId"] == "NONE"


def test_a_recording_never_ready_is_given_up() -> None:
    """After the time the caller allowed."""
    desk = Desk(CLOUD, *[Response(202) for _ in range(50)])
    with pytest.raises(DeadlineError, match="not ready"):
        run(_api(desk).transcript(ID, timeout=20))
    assert len(desk.asked) < 6


def test_a_usage_query_is_waited_for() -> None:
    """Running, then complete; failed is an error."""
    row = {"requests": 11}
    desk = Desk(
        CLOUD,
        {"executionId": "e-1"},
        {"queryStatus": "Running"},
        {"queryStatus": "Running"},
        {"queryStatus": "Complete", "results": [row]},
    )
    found: list[Any] = []

    async def scenario() -> None:
        found.extend(await _api(desk).usage(WHEN))

    run(scenario())
    assert found == [row]
    assert _slept(desk) == [1, 2]
    with pytest.raises(PlatformError, match="usage query failed"):
        run(_api(Desk(CLOUD, {"executionId": "e"}, {"queryStatus": "Failed"})).usage(WHEN))


# -- paging ------------------------------------------------------------------------------------------------


def test_numbered_and_cursor_listings_are_followed_to_their_end() -> None:
    """By pageCount, or by the address of the next page; entities that are no objects are left out."""
    numbered = [{"entities": [{"id": n}, None], "pageCount": 3} for n in range(3)]
    path = "/api/v2/webdeployments/deployments"
    cursors = [
        {"entities": [{"id": 7}], "nextUri": f"{path}?after=x%2Fy&pageSize=1"},
        {"entities": [{"id": 8}]},
    ]
    desk = Desk(CLOUD, *numbered, *cursors)
    found: list[Any] = []

    async def scenario() -> None:
        found.extend([one["id"] async for one in _api(desk).open_integrations()])
        found.extend([one["id"] async for one in _api(desk).deployments()])

    run(scenario())
    assert found == [0, 1, 2, 7, 8]
    assert desk.queries == [{}, {"pageNumber": 2}, {"pageNumber": 3}, {}, {"after": "x/y", "pageSize": "1"}]


@pytest.mark.parametrize(
    "page",
    [
        {"entities": [{"id": 1}], "nextUri": "https://elsewhere.example/api/v2/x?after=1"},
        {"entities": [{"id": 1}], "nextUri": 7},
        {"entities": [], "pageCount": 9},
        {"entities": "x", "pageCount": 9},
    ],
)
def test_a_listing_that_leads_elsewhere_or_nowhere_ends(page: dict[str, Any]) -> None:
    """Neither another host's address nor an empty page is followed."""
    desk = Desk(CLOUD, page)
    run(_all(_api(desk).open_integrations()))
    assert len(desk.asked) == 1


def test_messages_are_fetched_in_slices_of_a_thousand() -> None:
    """The most one bulk call takes."""
    desk = Desk()
    run(_all(_api(desk).messages(ID, [str(number) for number in range(2001)])))
    assert [len(body) for body in desk.bodies] == [1000, 1000, 1]


def test_a_details_query_is_followed_by_its_total() -> None:
    """And ends where the keys are missing, which is how nothing is said."""
    pages = [{"conversations": [{"conversationId": str(n)}], "totalHits": 2} for n in range(2)]
    desk = Desk(CLOUD, *pages)
    run(_all(_api(desk).details_query(WHEN, page_size=1)))
    assert [body["paging"]["pageNumber"] for body in desk.bodies] == [1, 2]
    nothing = Desk(CLOUD, {})
    run(_all(_api(nothing).details_query(WHEN)))
    assert len(nothing.asked) == 1


# -- against the sandbox -----------------------------------------------------------------------------------


def test_a_server_holds_a_whole_conversation_by_rest() -> None:
    """Customer by Open Messaging, agent by the communication; attributes, messages, details, the end."""

    async def scenario() -> None:
        with Sandbox(bot=False) as sandbox:
            log = Log()
            async with Client(sandbox.region, log) as client:
                flow = ClientCredentials(sandbox.region, sandbox.client_id, sandbox.client_secret, log=log)
                await flow.issue(client)
                await _converse(sandbox, PlatformApi(client, flow))
                await _watch(sandbox, PlatformApi(client, flow))
            assert json.dumps(sandbox.client_secret) not in "".join(entry.raw or "" for entry in log.entries)

    run(scenario())


async def _converse(sandbox: Sandbox, api: PlatformApi) -> None:
    assert (await api.token_info())["OAuthClient"]["id"] == sandbox.client_id
    with pytest.raises(PlatformError) as refused:
        await api.user_me()
    assert refused.value.code == "not.a.user"
    assert [one["id"] async for one in api.deployments()] == [sandbox.deployment_id]
    integration = (await _all(api.open_integrations()))[0]
    begun = await api.start_conversation(integration["id"], "Where is my parcel?", guest="guest-42")
    await api.send_open_message(integration["id"], "Hello?", guest="guest-42")
    document = await api.conversation(begun.id)
    flow = next(party for party in document["participants"] if party["purpose"] == "workflow")
    customer = next(party for party in document["participants"] if party["purpose"] == "customer")
    communication = flow["messages"][0]["id"]
    said = await api.say(begun.id, communication, "In Kiel.")
    assert said is not None
    assert said["conversationId"] == begun.id
    await api.typing(begun.id, communication)
    await api.set_attributes(begun.id, customer["id"], {"tier": "gold"})
    texts = [message["normalizedMessage"]["text"] async for message in api.messages(begun.id)]
    assert texts == ["Where is my parcel?", "Hello?", "In Kiel."]
    assert (await api.message_details(said["id"]))["conversationId"] == begun.id
    await api.disconnect(begun.id)
    details = await api.details(begun.id)
    assert "conversationEnd" in details
    hour = f"{details['conversationStart'][:13]}:00:00.000Z/2099-01-01T00:00:00.000Z"
    assert [one["conversationId"] async for one in api.details_query(hour)] == [begun.id]
    sandbox.clock.advance(5)
    recordings = await api.transcript(begun.id)
    assert len(recordings[0]["messagingTranscript"]) == 3
    assert (await api.recording(begun.id, recordings[0]["id"]))["id"] == recordings[0]["id"]


async def _watch(sandbox: Sandbox, api: PlatformApi) -> None:
    """A notification channel, its topics, configurations and usage."""
    channel = await api.create_channel()
    assert [one["id"] for one in await api.channels()] == [channel["id"]]
    topic = f"v2.routing.queues.{sandbox.queue_id}.conversations"
    assert [one["id"] for one in await api.subscribe(channel["id"], [topic])] == [topic]
    other = f"{topic}.messages"
    await api.replace_subscriptions(channel["id"], [other])
    assert [one["id"] for one in await api.subscriptions(channel["id"])] == [other]
    await api.unsubscribe(channel["id"])
    assert await api.subscriptions(channel["id"]) == []
    assert topic.replace(sandbox.queue_id, "{id}") in {one["id"] for one in await api.available_topics()}
    configurations = [one async for one in api.configurations()]
    assert (await api.configuration(configurations[0]["id"]))["id"] == configurations[0]["id"]
    rows = await api.usage("2020-01-01T00:00:00.000Z/2099-01-01T00:00:00.000Z")
    assert "api/v2/notifications/channels" in {row["templateUri"] for row in rows}
