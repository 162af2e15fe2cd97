"""The verdicts, measured over collected and invented cases, and their form."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from guestlab.errors import InputError
from guestlab.handshake.described import diagnose_text
from guestlab.handshake.diagnosis import Diagnosis, diagnose
from guestlab.handshake.evidence import Evidence
from guestlab.handshake.har import diagnose_har
from guestlab.handshake.rules import RULES, UNEXPLAINED

DATA = Path(__file__).parents[1] / "data"
ID = "4efaaeed-d0c4-4a72-8db1-3e479b6b532f"
TOKEN = "f187426e-7f90-4f99-81dd-1fa5b65a7ea2"
SECRET = "kR9sT1vX3zB5dF7hJ9lN1pR3tV5xZ7bD"


def _cases(name: str) -> list[dict[str, Any]]:
    document = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    assert document["source"]
    return document["cases"]


COLLECTED = _cases("diagnosis-cases")
INVENTED = _cases("diagnosis-cases-invented")
CODE = _cases("diagnosis-cases-code")
PASTED = _cases("diagnosis-cases-pasted")
ALL = {"collected": COLLECTED, "invented": INVENTED, "code": CODE, "pasted": PASTED}


def _diagnosed(case: dict[str, Any]) -> Diagnosis:
    """A case is facts by name, something pasted, or a HAR with one handshake."""
    if "paste" in case:
        return diagnose_text(case["paste"])
    return diagnose_har(case["har"])[0] if "har" in case else diagnose(**case["input"])


def _fired(case: dict[str, Any]) -> tuple[str, ...]:
    return _diagnosed(case).rules or ("ok",)


@pytest.mark.parametrize("cases", ALL.values(), ids=ALL)
def test_the_top_finding_is_an_expected_one(cases: list[dict[str, Any]]) -> None:
    """The first thing a person reads is right."""
    wrong = [case["id"] for case in cases if _fired(case)[0] not in case["expect_any"]]
    assert wrong == []


@pytest.mark.parametrize("cases", ALL.values(), ids=ALL)
def test_all_expected_findings_are_there(cases: list[dict[str, Any]]) -> None:
    """Nothing that matters is left out."""
    wrong = [case["id"] for case in cases if not set(case["expect_all"]) <= set(_fired(case))]
    assert wrong == []


@pytest.mark.parametrize("case", COLLECTED + INVENTED + CODE + PASTED, ids=lambda case: str(case["id"]))
def test_no_case_gets_a_forbidden_finding(case: dict[str, Any]) -> None:
    """Confident wrong advice is the competitor's trade, in no case ours."""
    assert not set(_fired(case)) & set(case["must_not"])


def test_the_cases_name_known_rules_and_speak_of_many() -> None:
    """A typing slip in a case file would make it pass by itself; and every rule is wanted somewhere."""
    known = {rule.name for rule in RULES} | {UNEXPLAINED, "ok"}
    wanted = set()
    for case in COLLECTED + INVENTED + CODE + PASTED:
        assert set(case["expect_any"]) | set(case["expect_all"]) | set(case["must_not"]) <= known, case["id"]
        wanted |= set(case["expect_any"])
    unwanted = {name for name in known - wanted if not name.startswith("network.")}
    assert unwanted == set(), "rules about the network take a performed attempt, not a description"


@pytest.mark.parametrize("token", ["eyJhbGciOi.EXAMPLE", "[masked:3f9a1c2e]"], ids=["real", "masked"])
@pytest.mark.parametrize(
    "kind", ["client_credentials", "authorization_code", "pkce", "expired", "other_region"]
)
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_the_seed_attempt_on_loopback_gets_both_findings(token: str, kind: str, scheme: str) -> None:
    """A performed attempt against one's own server: the id is missing, and no token would help."""
    url = f"{scheme}://127.0.0.1:41873/v1?access_token={token}"
    diagnosis = diagnose(
        url=url, method="GET", headers={"Host": "127.0.0.1:41873"}, token_kind=kind, placement="query",
        http_status=401, body="", session_ready=False,
    )  # fmt: skip
    assert diagnosis.rules == ("upgrade.deployment-missing", "credential.oauth-on-guest-socket")
    assert not diagnosis.ok
    assert diagnosis.top is not None
    assert "not the token that is refused" in diagnosis.top.why
    assert diagnosis.top.level == "inferred"


@pytest.mark.parametrize(
    ("placement", "request_parts"),
    [
        ("query", {"url": f"wss://127.0.0.1:1/v1?deploymentId={ID}&access_token=[masked:ab12]"}),
        ("header", {"headers": {"Authorization": "Bearer [masked:ab12]"}}),
        ("cookie", {"headers": {"Cookie": "access_token=[masked:ab12]"}}),
        ("subprotocol", {"subprotocols": ["bearer", "[masked:ab12]"]}),
        (
            "first_frame",
            {"first_frame": {"action": "configureSession", "deploymentId": ID, "token": "[masked:ab12]"}},
        ),
    ],
)
def test_a_token_is_found_wherever_a_performed_attempt_put_it(
    placement: str, request_parts: dict[str, Any]
) -> None:
    """Masks hide the value, not the place."""
    facts = {
        "url": f"wss://127.0.0.1:1/v1?deploymentId={ID}",
        "token_kind": "client_credentials",
        "http_status": 401,
    }
    diagnosis = diagnose(**{**facts, **request_parts}, placement=placement, session_ready=False)
    assert "credential.oauth-on-guest-socket" in diagnosis.rules


RIGHT: dict[str, dict[str, Any]] = {
    "stopped after the upgrade": {"url": f"ws://[::1]:8443/v1?deploymentId={ID}", "http_status": 101, "session_ready": False},
    "with an access token kept aside": {"url": f"wss://webmessaging.cac1.pure.cloud/v1?deploymentId={ID}",
                                        "token_kind": "client_credentials", "placement": "nowhere", "http_status": 101,
                                        "first_frame": {"action": "configureSession", "deploymentId": ID, "token": TOKEN},
                                        "session_ready": True},
    "named loopback services": {"url": f"wss://webmessaging.localhost:8443/v1?deploymentId={ID}", "http_status": 101},
    "authorization page": {"url": "https://login.mypurecloud.com/oauth/authorize?client_id=i&response_type=code&redirect_uri=u"
                           "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
                           "token_kind": "pkce", "http_status": 302},
    "typing acknowledged": {"url": f"wss://webmessaging.mypurecloud.com/v1?deploymentId={ID}", "http_status": 101,
                            "frame": {"type": "message", "class": "StructuredMessage", "code": 200,
                                      "body": {"type": "Event", "events": [{"eventType": "Typing"}]}}},
    "service token on its own call": {"url": "https://api.mypurecloud.jp/api/v2/organizations/me", "method": "GET",
                                      "token_kind": "client_credentials", "http_status": 200},
    "contented note": {"url": f"wss://webmessaging.mypurecloud.com/v1?deploymentId={ID}", "http_status": 101,
                       "note": "Works fine, without any error."},
}  # fmt: skip


@pytest.mark.parametrize("facts", RIGHT.values(), ids=RIGHT.keys())
def test_a_correct_set_up_is_ok(facts: dict[str, Any]) -> None:
    """What is right is never blamed."""
    diagnosis = diagnose(**facts)
    assert diagnosis.ok, diagnosis
    assert diagnosis.findings == ()
    assert diagnosis.top is None
    assert str(diagnosis).startswith("ok")


FAILURES: dict[str, dict[str, Any]] = {
    "nothing given": {},
    "a status alone": {"http_status": 401},
    "a frame nobody explains": {
        "frame": {"type": "response", "class": "string", "code": 5000, "body": "Request failed."}
    },
    "an abnormal close": {"close_code": 1011},
    "a complaint alone": {"note": "It is broken."},
    "a performed attempt without an answer": {
        "url": f"wss://127.0.0.1:9/v1?deploymentId={ID}",
        "session_ready": False,
    },
    "a body that is no upgrade": {
        "url": f"wss://webmessaging.mypurecloud.com/v1?deploymentId={ID}",
        "http_status": 200,
    },
}


@pytest.mark.parametrize("facts", FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_no_rule_explains_is_unexplained(facts: dict[str, Any]) -> None:
    """Raw evidence instead of a guess."""
    diagnosis = diagnose(**facts)
    assert diagnosis.rules == (UNEXPLAINED,)
    assert diagnosis.findings[0].next_step
    assert bool(diagnosis.findings[0].evidence) == bool(facts)


def test_a_finding_on_the_note_alone_is_never_confirmed() -> None:
    """A person's words are a hint."""
    notes = {case["input"]["note"] for case in COLLECTED + INVENTED if case["input"].get("note")}
    findings = [finding for note in notes for finding in diagnose(note=note).findings]
    assert len({finding.rule for finding in findings}) > 15
    assert {finding.confidence for finding in findings} == {"likely"}


def test_confirmed_findings_come_before_likely_ones_and_the_table_orders_the_rest() -> None:
    """The best first, by a rule that can be stated."""
    order = [rule.name for rule in RULES]
    for case in COLLECTED + INVENTED:
        findings = _diagnosed(case).findings
        keys = [(f.confidence != "confirmed", order.index(f.rule)) for f in findings if f.rule != UNEXPLAINED]
        assert keys == sorted(keys), case["id"]


def test_no_secret_of_the_input_is_repeated() -> None:
    """Secrets planted in every field stand in no text, and in no repr."""
    planted = {
        "url": f"wss://user:{SECRET}@api.mypurecloud.com/v1?access_token={SECRET}&x={SECRET}#{SECRET}",
        "headers": {"Authorization": f"Bearer {SECRET}", "Cookie": f"sid={SECRET}", "X-Api-Key": SECRET},
        "subprotocols": ["bearer", SECRET],
        "token_kind": "authorization_code",
        "first_frame": {"type": "auth", "token": SECRET, "nested": {"jwt": f"eyJ{SECRET}"}},
        "sent_frame": f'{{"type":"x","password":"{SECRET}"}}',
        "request_body": f"client_secret={SECRET}&code={SECRET}",
        "http_status": 401,
        "response_headers": {"Set-Cookie": f"sid={SECRET}"},
        "body": f'{{"access_token":"{SECRET}","refresh_token":"{SECRET}"}}',
        "frame": {"type": "response", "class": "JwtResponse", "code": 500, "body": {"jwt": f"eyJ{SECRET}"}},
        "note": f"my token is {SECRET} and Bearer {SECRET} or token={SECRET}",
    }
    for names in (planted, *({name: planted[name]} for name in planted)):
        diagnosis = diagnose(**names)
        for text in (str(diagnosis), repr(diagnosis), repr(diagnosis.findings), repr(diagnosis.evidence)):
            assert SECRET not in text, names


def test_names_that_belong_to_nothing_are_remarked_and_blamed_for_nothing() -> None:
    """A useless header beside a right request leaves it ok."""
    diagnosis = diagnose(
        url=f"wss://webmessaging.mypurecloud.com/v1?deploymentId={ID}",
        headers={"X-Genesys-Platform-Id": "1", "User-Agent": "x"},
        http_status=101,
        note="pip install genesyscloud, works fine",
    )
    assert diagnosis.ok
    assert [remark.split(":")[0] for remark in diagnosis.remarks] == [
        "header X-Genesys-Platform-Id",
        "pip install genesyscloud",
    ]
    assert "Beside: header X-Genesys-Platform-Id" in str(diagnosis)
    scoped = diagnose(token_kind="client_credentials", note="I asked for webmessaging:guest:write")
    assert scoped.remarks == ("scope webmessaging:guest:write: no such scope exists",)
    offered = diagnose(url="wss://webmessaging.mypurecloud.com/v1", subprotocols=["guest-protocol-v1"])
    assert offered.remarks == ("subprotocol guest-protocol-v1: there is none of this name",)


def test_an_unknown_action_later_on_gets_the_converted_frame() -> None:
    """The gateway's Forbidden has no code, and is a refusal all the same."""
    diagnosis = diagnose(
        url=f"wss://webmessaging.mypurecloud.com/v1?deploymentId={ID}",
        http_status=101,
        first_frame={"action": "configureSession", "deploymentId": ID, "token": TOKEN},
        sent_frame={"type": "message", "text": "hi"},
        frame={"message": "Forbidden", "connectionId": "a=", "requestId": "b="},
    )
    (finding,) = diagnosis.findings
    assert (finding.rule, finding.confidence) == ("frame.wrong-first-frame", "likely")
    assert '"action": "onMessage"' in finding.next_step


def test_the_unexplained_finding_carries_the_remarks_of_the_frame_check() -> None:
    """Raw evidence, and what can be said for certain about a frame."""
    diagnosis = diagnose(
        http_status=101, frame={"type": "response", "class": "string", "code": 500, "body": "Request failed."},
        sent_frame={"action": "onMessage", "token": "short", "message": {"type": "Text", "text": "hi"}},
    )  # fmt: skip
    (finding,) = diagnosis.findings
    assert finding.rule == UNEXPLAINED
    assert any(fact.startswith("frame check: token") for fact in finding.evidence)


def test_an_object_with_evidence_is_diagnosed_and_facts_may_be_added() -> None:
    """Performed and described attempts go the same way."""
    evidence = Evidence.of(url=f"wss://webmessaging.mypurecloud.com/v1?deploymentId={ID}", http_status=403)
    assert diagnose(SimpleNamespace(evidence=evidence)) == diagnose(evidence)
    added = diagnose(evidence, deployment_status="Inactive")
    assert added.rules == ("upgrade.deployment-unknown",)
    assert added.findings[0].confidence == "confirmed"


@pytest.mark.parametrize("given", [42, "curl https://x", object(), SimpleNamespace(evidence="no")], ids=str)
def test_what_has_no_evidence_is_an_input_error(given: object) -> None:
    """With what, why and next."""
    with pytest.raises(InputError, match="cannot be diagnosed") as caught:
        diagnose(given)
    assert "diagnose_text" in caught.value.next_step


def test_a_diagnosis_reads_well_in_a_terminal() -> None:
    """What, why, next, level and evidence, numbered."""
    diagnosis = diagnose(url="wss://webmessaging.mypurecloud.com/v1", http_status=401, body="")
    assert isinstance(diagnosis, Diagnosis)
    assert repr(diagnosis) == "<Diagnosis upgrade.deployment-missing>"
    lines = str(diagnosis).splitlines()
    assert lines[0] == "1. upgrade.deployment-missing  (how well known: inferred; fits this case: confirmed)"
    assert [line.split(":")[0].strip() for line in lines[2:4]] == ["Why", "Next"]
    assert "  Evidence: body: empty (0 bytes)" in lines


def test_the_symptom_in_words_alone_is_likely_a_missing_deployment_id() -> None:
    """The question as it is asked, before anybody looked at the URL."""
    words = "The websocket handshake answers 401 with an empty body, nothing in any log."
    (finding,) = (f for f in diagnose(note=words).findings if f.rule == "upgrade.deployment-missing")
    assert finding.confidence == "likely"


@pytest.mark.parametrize("url", ["hello", "42", "   ", "/v1"])
def test_what_is_no_address_is_not_called_right(url: str) -> None:
    """`ok` needs something that was tried."""
    assert not diagnose(url=url).ok


def test_headers_may_be_given_as_lines() -> None:
    """As they are copied from a terminal."""
    url = "wss://webmessaging.mypurecloud.de/v1?deploymentId=3d2f0c1e-0000-4000-8000-000000000001"
    lines = diagnose(url=url, headers=["Authorization: Bearer abcdef123456", "Host: x"])
    pairs = diagnose(url=url, headers={"Authorization": "Bearer abcdef123456", "Host": "x"})
    assert lines.rules == pairs.rules


QUERY_IN_CODE = [
    'async with session.ws_connect("wss://webmessaging.mypurecloud.de/v1", params={"deploymentId": D}) as ws:',
    'qs = urlencode({"deploymentId": D})\nws = await websockets.connect(f"wss://webmessaging.mypurecloud.de/v1?{qs}")',
    (
        'const u = new URL("wss://webmessaging.mypurecloud.de/v1");\n'
        'u.searchParams.set("deploymentId", id); const ws = new WebSocket(u);'
    ),
    "const ws = new WebSocket(`wss://webmessaging.mypurecloud.de/v1?${new URLSearchParams({deploymentId})}`);",
]


@pytest.mark.parametrize("code", QUERY_IN_CODE)
def test_a_query_put_together_in_code_is_not_called_missing(code: str) -> None:
    """What cannot be seen is not blamed."""
    assert "upgrade.deployment-missing" not in diagnose_text(code).rules


def test_a_line_that_is_commented_out_was_not_done() -> None:
    """Only what runs is judged."""
    good = f'const ws = new WebSocket("wss://webmessaging.mypurecloud.de/v1?deploymentId={ID}");'
    bad = '// const ws = new WebSocket("wss://webmessaging.mypurecloud.de/v1?access_token=abc"); // no luck'
    assert diagnose_text(f"{bad}\n{good}").rules == diagnose_text(good).rules


def test_basic_authentication_by_an_object_counts() -> None:
    """httpx.BasicAuth and HTTPBasicAuth are HTTP Basic too."""
    code = (
        'httpx.post("https://login.mypurecloud.de/oauth/token", auth=httpx.BasicAuth(cid, secret), '
        'data={"grant_type": "client_credentials"})'
    )
    assert "oauth.client-authentication" not in diagnose_text(code).rules


def test_a_socket_of_which_the_browser_kept_nothing_is_not_called_right() -> None:
    """Status 0 and no frame is what a refused handshake leaves in a HAR."""
    request = {
        "method": "GET",
        "url": f"wss://webmessaging.mypurecloud.de/v1?deploymentId={ID}",
        "headers": [],
    }
    entry = {"_resourceType": "websocket", "request": request, "response": {"status": 0, "headers": []}}
    (diagnosis,) = diagnose_har({"log": {"entries": [entry]}})
    assert not diagnosis.ok


@pytest.mark.parametrize(
    "text",
    [
        "requests.post(url, auth=('abc', 'mysupersecret99'))",
        "my client secret is mysupersecret99 and it fails",
        "the secret mysupersecret99 was refused",
        "my pass is mysupersecret99",
        "cookie SESS=mysupersecret99",
        '{"log":{"entries":[{"headers":[{"name":"Cookie","value":"sid=mysupersecret99"},{"na',
    ],
)
def test_secrets_in_words_are_not_repeated(text: str) -> None:
    """Whatever was pasted, torn or told."""
    assert "mysupersecret99" not in str(diagnose_text(text)) + repr(diagnose_text(text).evidence)


@pytest.mark.parametrize("status", [414, 431, 500, 502])
@pytest.mark.parametrize("query", ["deploymentId=3d2f0c1e-0000-4000-8000-000000000001&", ""])
def test_a_status_no_token_brings_about_is_not_laid_on_the_token(status: int, query: str) -> None:
    """It stays unexplained, first; that a token stands there is told beside it."""
    url = f"wss://webmessaging.mypurecloud.de/v1?{query}access_token=x"
    rules = diagnose(url=url, http_status=status, body="").rules
    assert rules[0] == "unexplained"
    assert "credential.oauth-on-guest-socket" in rules


def test_an_address_too_long_is_said_to_be_too_long() -> None:
    """414 is about the length."""
    (finding,) = diagnose(
        url=f"wss://webmessaging.mypurecloud.de/v1?deploymentId={'a' * 20_000}", http_status=414
    ).findings
    assert finding.rule == "unexplained"
    assert "longer" in finding.why
    assert "36 characters" in finding.next_step


@pytest.mark.parametrize("scope", ["webmessaging:guest", "webchat:guest:join", "guest:connect"])
def test_a_scope_for_the_guest_socket_is_not_replaced_by_a_role(scope: str) -> None:
    """No role opens it either; for a call of the Platform API the role is the thing to change."""
    url = "https://login.mypurecloud.de/oauth/token"
    guest = diagnose(url=url, request_body=f"grant_type=client_credentials&scope={scope}").top
    call = diagnose(url=url, request_body="grant_type=client_credentials&scope=conversations").top
    assert guest is not None
    assert call is not None
    assert "deploymentId" in guest.next_step
    assert "Integrations" not in guest.next_step
    assert "role with the missing permission" in call.next_step
