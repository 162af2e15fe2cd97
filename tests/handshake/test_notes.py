"""A person's words are read for subjects and regions; phrases of many kinds reach the right rule."""

from __future__ import annotations

import time
from typing import Any

import pytest

from guestlab.handshake.diagnosis import diagnose
from guestlab.handshake.notes import Note
from guestlab.handshake.subjects import SUBJECTS

ID = "3b0c7d52-6d0c-4f3e-9a40-7a6f0a51c111"
OPEN: dict[str, Any] = {"url": f"wss://webmessaging.mypurecloud.com/v1?deploymentId={ID}", "http_status": 101}
TRIED: dict[str, Any] = {"url": OPEN["url"]}
REFUSED: dict[str, Any] = {**TRIED, "http_status": 403}
CHANNEL: dict[str, Any] = {"url": "wss://streaming.mypurecloud.com/channels/streaming-1-EX"}
SERVICE: dict[str, Any] = {"token_kind": "client_credentials"}

PHRASES: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "session.resume",
        OPEN,
        [
            "Messages get lost whenever the connection comes back.",
            "After switching from wifi to mobile data the customer sees some messages two times.",
            "When the user refreshes the page the conversation starts from scratch.",
            "The transcript has holes after each reconnection.",
            "Reopening the socket creates a new conversation for the agent.",
            "The order of the messages is wrong when the bot answers quickly.",
            "Message ids in the history are not the same as live.",
            "How do I resume without losing messages?",
            "After a network outage we miss what the agent wrote.",
            "History and live messages overlap, we show doubles.",
        ],
    ),
    (
        "session.keepalive",
        OPEN,
        [
            "The socket is closed after 10 minutes without traffic.",
            "We lose the connection when the visitor is inactive for a while.",
            "Disconnects happen exactly every 5 minutes if no message is sent.",
            "How do I keep the connection alive from a browser? There is no ping in JavaScript.",
            "Idle connections are terminated.",
            "After a period of inactivity the socket closes with 1006.",
            "Should I send a ping every 30 seconds?",
        ],
    ),
    (
        "channel.lifetime",
        CHANNEL,
        [
            "Every day at the same time the events stop.",
            "The channel stops delivering after about one day.",
            "It runs fine overnight, next morning nothing arrives.",
            "My notifications end after 24h.",
            "The subscription expires and nobody tells us.",
        ],
    ),
    (
        "channel.resubscribe",
        CHANNEL,
        [
            "After reconnecting no notifications are delivered.",
            "We recreate the channel on error, but no events come afterwards.",
            "Connected, heartbeats come, but no queue events.",
            "The socket reconnects fine and stays quiet: topics seem to be gone.",
            "Since the network hiccup we receive nothing.",
        ],
    ),
    (
        "channel.not-guest-socket",
        {},
        [
            "Which header carries the token for the notification WebSocket?",
            "The notifications websocket answers 401 although my bearer token is good.",
            "I open wss://api.mypurecloud.com/api/v2/notifications/stream with my token and get 403.",
        ],
    ),
    (
        "credential.no-guest-token-endpoint",
        {},
        [
            "Which API do I call to get a guest token?",
            "My backend creates a guest session by REST and hands the session token to the page, which is refused.",
            "How can I generate the guest JWT with the Platform API?",
            "There is no documented endpoint that returns the websocket URL.",
            "The POST that creates the guest returns 404.",
            "Where do I get the guestId from?",
        ],
    ),
    (
        "credential.oauth-on-guest-socket",
        {},
        [
            "Does the guest websocket accept a bearer token in the query string?",
            "I pass my client credentials access token to the web messaging socket and get 401.",
            "The OAuth token works for REST but not for the guest WebSocket handshake.",
        ],
    ),
    (
        "product.open-messaging",
        SERVICE,
        [
            "We want our server to send messages on behalf of customers.",
            "Our bot must act as the customer and talk to agents, server to server.",
            "Is there a way to let our backend chat as the customer with client credentials, without a browser?",
            "We built a custom channel with open messaging and the inbound message is refused.",
            "Our own mobile backend relays the customer's messages; which API is meant for that?",
        ],
    ),
    (
        "cors.not-for-websockets",
        REFUSED,
        [
            "The browser console shows a CORS error when opening the WebSocket.",
            "I added our domain to CORS settings, the handshake still fails.",
            "Access-Control-Allow-Origin is missing in the handshake response.",
            "Is it a cross-origin problem?",
        ],
    ),
    (
        "upgrade.origin-not-allowed",
        REFUSED,
        [
            "Our domain is on the allowlist, but a Node script gets 403.",
            "It works in the browser but not from Python.",
            "The deployment restricts domains.",
            "From curl it is forbidden, on the website it works.",
            "Do I need to send an Origin?",
            "We limited the deployment to shop.example.",
        ],
    ),
    (
        "client.hides-response",
        TRIED,
        [
            "The browser only reports code 1006.",
            "Chrome says: WebSocket connection to 'wss://webmessaging.mypurecloud.com/v1' failed:",
            "wscat: error: Unexpected server response: 403",
            "python: websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 403",
            "onerror fires without any details.",
            "I get no status code, just 'error'.",
            "The onclose event has code 1006 and an empty reason.",
        ],
    ),
    (
        "message.attributes-location",
        OPEN,
        [
            "Custom attributes never reach the flow.",
            "The participant data is not set.",
            "Attributes I send are dropped.",
            "customAttributes are empty in Architect.",
            "Our trace id is stripped from the message metadata.",
        ],
    ),
    (
        "message.typing",
        OPEN,
        [
            "The agent does not see that the customer is typing.",
            "Typing indicator is not shown.",
            "Sending typing events gives an error.",
        ],
    ),
    (
        "message.attachment-flow",
        OPEN,
        [
            "Uploading an image fails.",
            "The customer's PDF never arrives at the agent.",
            "How do I send a file as the guest?",
        ],
    ),
    (
        "message.too-long",
        OPEN,
        [
            "Long messages are rejected.",
            "A message with 6000 characters is not delivered.",
            "The text is too long and vanishes.",
        ],
    ),
    (
        "session.end",
        OPEN,
        [
            "How can the customer end the chat?",
            "We need to close the conversation from the guest side when the visitor leaves the page.",
            "The conversation stays open for the agent after the customer has left.",
        ],
    ),
    (
        "session.read-only",
        OPEN,
        [
            "After the agent ended the conversation the customer cannot send any more.",
            "Once the agent disconnects, messages are rejected.",
            "When the conversation is over, the input is refused.",
        ],
    ),
    (
        "session.taken-over",
        OPEN,
        [
            "Opening a second tab disconnects the first one.",
            "The chat on the laptop stops when the customer opens it on the phone.",
            "With four browser windows the oldest is kicked out.",
        ],
    ),
    (
        "session.expired",
        OPEN,
        [
            "The session expired after the weekend.",
            "We get a session expired message.",
        ],
    ),
    (
        "session.routing-not-on-socket",
        OPEN,
        [
            "How do I route the chat to a specific queue from the client?",
            "The queue I pass is ignored.",
            "Chats land in the wrong queue.",
            "Can I choose the skill on the socket?",
        ],
    ),
    (
        "limit.rate",
        OPEN,
        [
            "We get 429 after a few messages.",
            "Too many requests although we send one message a second.",
        ],
    ),
    (
        "oauth.scope-is-not-the-fix",
        SERVICE,
        [
            "What scope is needed for web messaging?",
            "I added the scope webmessaging:guest and still 401.",
        ],
    ),
    (
        "oauth.pkce",
        {
            "url": "https://login.mypurecloud.com/oauth/token",
            "method": "POST",
            "token_kind": "pkce",
            "request_body": "grant_type=authorization_code&code=c&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&client_id=i",
            "http_status": 400,
        },
        [
            "The exchange says the verifier does not match.",
            "invalid_grant",
        ],
    ),
    (
        "oauth.oidc-exchange",
        OPEN,
        [
            "Authenticated messaging: our OIDC token is valid but the session is unauthorized.",
            "The id_token of Auth0 is not accepted.",
        ],
    ),
    (
        "product.legacy-webchat",
        {},
        [
            "We follow the web chat guide with eventStreamUri and memberInfo.",
            "The purecloud-guest-chat-client returns 404.",
            "Our legacy webchat stopped working.",
        ],
    ),
    (
        "region.mismatch",
        REFUSED,
        [
            "Our org lives in mypurecloud.ie.",
            "The deployment was created in the Sydney region.",
            "We log in at apps.usw2.pure.cloud.",
        ],
    ),
    (
        "number.status-vs-close-code",
        TRIED,
        [
            "The socket closes with code 403.",
            "We receive close code 4007.",
            "Close event: 401.",
            "HTTP status 1006 is what I get.",
            "The connection is closed with status 4001.",
        ],
    ),
    (
        "frame.wrong-first-frame",
        OPEN,
        [
            "What do I send first after the socket opens?",
            "I send an auth message with my token and nothing comes back.",
            "What is the exact format of the first message?",
            'After open I send {"type":"init"} and the server is silent.',
        ],
    ),
]


@pytest.mark.parametrize(
    ("rule", "facts", "words"),
    [(rule, facts, words) for rule, facts, notes in PHRASES for words in notes],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_symptom_in_plain_words_reaches_its_rule(rule: str, facts: dict[str, Any], words: str) -> None:
    """As people write it, many ways of saying the same."""
    findings = {finding.rule: finding for finding in diagnose(**facts, note=words).findings}
    assert rule in findings
    assert findings[rule].confidence == "likely"


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("We sign in at login.mypurecloud.de.", ["mypurecloud.de"]),
        ("Our org is in eu-west-2, the socket is not.", ["euw2.pure.cloud"]),
        ("Everything lives in usw2.", ["usw2.pure.cloud"]),
        ("The org is in Sydney; we also tried mypurecloud.ie.", ["mypurecloud.com.au"]),
        ("The .ie org and the German org.", ["mypurecloud.ie", "mypurecloud.de"]),
        ("Our agents speak German.", []),
        ("See www.example.com", []),
    ],
)
def test_the_regions_a_note_names_are_found(text: str, regions: list[str]) -> None:
    """By domain, AWS name, short name or place; what was merely tried as well does not count."""
    assert [region.name for region in Note(text).regions] == regions


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("Our users in Germany cannot connect.", []),
        ("Our deployment is in Germany.", ["mypurecloud.de"]),
        ("The client comes from mypurecloud.ie.", ["mypurecloud.ie"]),
        ("We sit in Tokyo. The org is fine.", []),
    ],
)
def test_where_people_live_is_not_where_their_organisation_is(text: str, regions: list[str]) -> None:
    """Only the latter can be a mismatch."""
    assert [region.name for region in Note(text).home_regions] == regions


@pytest.mark.parametrize(
    "text", ["Works fine.", "No errors at all.", "It is as it should be, 101 and 200.", "", "Just a test."]
)
def test_contentment_is_no_complaint(text: str) -> None:
    """So that a correct set-up stays ok."""
    assert not Note(text).complains


@pytest.mark.parametrize(
    "text", ["It fails.", "Why?", "The transcript has holes.", "Events stop.", "I get 403."]
)
def test_a_complaint_is_recognised(text: str) -> None:
    """So that a failure is never called ok."""
    assert Note(text).complains


def test_calls_written_in_a_note_are_found() -> None:
    """Method and path, with or without a host."""
    note = Note("POST https://api.mypurecloud.com/api/v2/webmessaging/guests and then /api/v2/users/me.")
    assert note.paths == [("POST", "/api/v2/webmessaging/guests"), ("", "/api/v2/users/me")]


def test_a_hostile_note_is_read_in_reasonable_time() -> None:
    """No phrase has room for catastrophic backtracking: a thousandfold longer note costs no more than its cap."""
    bait = "guest token created returned post rest call server session customer agent not queue " * 5_000
    started = time.perf_counter()
    assert Note(bait).subjects
    assert time.perf_counter() - started < 5.0
    assert set(Note(bait).subjects) <= set(SUBJECTS)
