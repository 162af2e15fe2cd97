"""Side by side: what differs is marked and listed, what is made afresh is not, and nothing leaks.

What other clients show of a refusal is compared with what the real clients show of the sandbox's.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

import guestlab
from guestlab.errors import InputError
from guestlab.handshake.comparison import ClientView, Comparison, client_views, compare
from guestlab.handshake.evidence import Evidence
from guestlab.lab import Lab
from guestlab.sandbox import Sandbox

from ..clients.conftest import tool  # noqa: TID252 - the tests are no package
from ..clients.test_chromium import FLAGS  # noqa: TID252

if TYPE_CHECKING:
    from guestlab.handshake.attempt import Attempt

SECRET = "s3cretSecret0fTheClient"
HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J</code>"

FORM = (
    "form",
    (
        "POST /oauth/token HTTP/1.1\r\nHost: login.mypurecloud.de\r\nAuthorization: Basic aWQ6czNjcmV0\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant_type=client_credentials"
    ),
)
JSON = (
    "json",
    (
        "POST /oauth/token HTTP/1.1\r\ncontent-type: application/json\r\nHost: login.mypurecloud.de\r\n\r\n"
        f'{{"grant_type": "client_credentials", "client_secret": "{SECRET}"}}'
    ),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def attempts(sandbox: Sandbox) -> dict[str, Attempt]:
    """Open and refused attempts."""
    known = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    with Lab(f"127.0.0.1:{sandbox.http_port}", deployment_id=sandbox.deployment_id, **known) as lab:
        return {
            "open": lab.handshake(),
            "open again": lab.handshake(),
            "query": lab.handshake_as_asked(),
            "header": lab.handshake_as_asked("header"),
            "empty": lab.attempt(deployment_id=""),
            "unknown": lab.attempt(deployment_id="unknown", origin="https://shop.example"),
            "first frame": lab.attempt(first_frame={"action": "configureSession", "token": ""}),
            "access token in frame": lab.attempt(credential="garbage", placement="first_frame"),
            "hostile": lab.attempt(headers={"X-H": "<b>é</b>"}, first_frame={"action": HOSTILE, HOSTILE: 1}),
        }


CASES = [
    ("query", "open", ["query parameter deploymentId", "query parameter access_token"]),
    ("header", "open", ["query parameter deploymentId", "header Authorization"]),
    ("empty", "open", ["query parameter deploymentId"]),
    ("unknown", "open", ["query parameter deploymentId", "header Origin"]),
    ("first frame", "open", ["first frame token", "first frame deploymentId", "first frame tracingId"]),
    ("access token in frame", "open", ["first frame token"]),
    ("open again", "open", []),
]


@pytest.mark.parametrize(("left", "right", "whats"), CASES)
def test_what_differs_is_listed_and_nothing_else(
    attempts: dict[str, Attempt], left: str, right: str, whats: list[str]
) -> None:
    """Keys, guest tokens and tracing ids made afresh are no difference; what was never sent is none either."""
    comparison = compare(attempts[left], attempts[right])
    assert sorted(difference.what for difference in comparison.differences) == sorted(whats)
    mirrored = compare(attempts[right], attempts[left])
    assert {(what, b, a) for what, a, b in mirrored.differences} == set(comparison.differences)
    assert comparison.summary.startswith("No difference") is (not whats)


def test_a_side_that_lacks_something_has_none(attempts: dict[str, Attempt]) -> None:
    """None means absent; otherwise the text as it was sent."""
    found = {
        what: (left, right) for what, left, right in compare(attempts["header"], attempts["open"]).differences
    }
    left, right = found["header Authorization"]
    assert left is not None
    assert left.startswith("Authorization: Bearer [masked:")
    assert right is None
    assert found["query parameter deploymentId"][0] is None


def test_token_requests_are_compared_key_by_key() -> None:
    """Whatever the order and case of headers, and whether form or JSON; secrets become numbers."""
    comparison = compare(JSON, FORM)
    assert [difference.what for difference in comparison.differences] == [
        "header content-type",
        "header Authorization",
        "body grant_type",
        "body client_secret",
    ]
    for text in (comparison.text, str(comparison.differences), repr(comparison), _html(comparison)):
        assert SECRET not in text
        assert "aWQ6czNjcmV0" not in text
    assert "[masked:1]" in comparison.text


def test_equal_requests_differ_in_nothing() -> None:
    """The same secret has the same number on both sides."""
    assert compare(FORM, FORM).differences == ()
    other = (FORM[0], FORM[1].replace("aWQ6czNjcmV0", "aWQ6b3RoZXIxMg=="))
    assert [difference.what for difference in compare(FORM, other).differences] == ["header Authorization"]


def test_texts_that_are_no_request_are_compared_by_line() -> None:
    """An additional line moves nothing out of step."""
    comparison = compare(("a", "curl x\n-H one\n-H two"), ("b", "curl x\n-H new\n-H one\n-H two"))
    assert [tuple(difference)[1:] for difference in comparison.differences] == [(None, "-H new")]


def test_the_text_marks_where_lines_differ(attempts: dict[str, Attempt]) -> None:
    """Left only in [- -], right only in {+ +}, in two columns, the verdicts above."""
    text = compare(attempts["empty"], attempts["open"]).text
    row = next(line for line in text.splitlines() if "deploymentId=" in line and "≠" in line)
    assert "{+" in row
    assert "refused at upgrade: HTTP 401" in text.splitlines()[1]
    assert "(not sent: it ended before)" in text
    assert "1 difference:" in text


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.marked: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag != "br":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in {"del", "ins"}:
            self.marked.append(data)


def _html(comparison: Comparison) -> str:
    return comparison._repr_mimebundle_()["text/html"]


def test_the_html_marks_by_element_and_word(attempts: dict[str, Attempt]) -> None:
    """`<del>` and `<ins>` and a word in each row that differs: never colour alone."""
    html = _html(compare(attempts["header"], attempts["open"]))
    elements = _Elements()
    elements.feed(html)
    assert any("Authorization" in text for text in elements.marked)
    assert ">only left<" in html
    assert ">only right<" in html
    assert "not sent" in html


def test_hostile_text_stays_text(attempts: dict[str, Attempt]) -> None:
    """Neither markup nor escape sequences get through, from attempts, texts or names."""
    for comparison in (
        compare(attempts["hostile"], attempts["open"]),
        compare((HOSTILE, f"GET /{HOSTILE} HTTP/1.1\n{HOSTILE}: x"), (HOSTILE, HOSTILE)),
    ):
        elements = _Elements()
        elements.feed(_html(comparison))
        assert elements.tags <= {
            *("div", "h4", "p", "table", "thead", "tbody", "tr", "th", "td", "br", "code", "del", "ins", "i")
        }
        assert all(c.isprintable() or c == "\n" for c in comparison.text + repr(comparison))


def test_only_attempts_evidence_and_texts_can_be_compared(attempts: dict[str, Attempt]) -> None:
    """Anything else is said so."""
    for other in (42, "  ", ("one",), None):
        with pytest.raises(InputError, match="Only attempts, evidence and texts"):
            compare(attempts["open"], other)  # type: ignore[arg-type]


ID = "3b0c7d52-6d0c-4f3e-9a40-7a6f0a51c008"
RAW = f"GET /v1?deploymentId={ID} HTTP/1.1\r\nHost: webmessaging.mypurecloud.de\r\nUpgrade: websocket\r\n\r\n"
CURL = (
    "curl -i 'https://webmessaging.mypurecloud.de/v1?access_token=abcdef12345' -H 'Upgrade: websocket' -A x"
)


def test_pasted_texts_and_evidence_are_compared_in_any_mix(attempts: dict[str, Attempt]) -> None:
    """As the requests they make, whatever was pasted."""
    evidence = Evidence.of(url=f"wss://webmessaging.mypurecloud.de/v1?deploymentId={ID}", http_status=403)
    whats = [difference.what for difference in compare(CURL, RAW).differences]
    assert whats == ["query parameter access_token", "query parameter deploymentId", "header User-Agent"]
    assert "abcdef12345" not in compare(CURL, RAW).text
    code = 'const ws = new WebSocket("wss://webmessaging.mypurecloud.de/v1");'
    assert [d.what for d in compare(code, evidence).differences] == ["query parameter deploymentId"]
    assert compare(evidence, RAW).outcomes == ("HTTP 403 (lane http)", "")
    assert compare(evidence, ("right", RAW)).names == ("as described", "right")
    assert "query parameter deploymentId" in [d.what for d in compare(attempts["open"], evidence).differences]
    assert [d.what for d in compare("a\nb", "a\nc").differences] == ["line 2"]


def test_a_described_first_frame_and_body_are_compared_too() -> None:
    """Key by key; a guest's token is made afresh each time."""
    url = f"wss://webmessaging.mypurecloud.de/v1?deploymentId={ID}"
    one, other = ({"action": action, "token": f"{action}-1"} for action in ("connect", "configureSession"))
    found = compare(Evidence.of(url=url, first_frame=one), Evidence.of(url=url, first_frame=other))
    assert [d.what for d in found.differences] == ["first frame action"]
    login = "https://login.mypurecloud.de/oauth/token"
    left = Evidence.of(url=login, method="POST", request_body={"grant_type": "client_credentials"})
    right = f"curl {login} -d grant_type=client_credentials"
    assert "body grant_type" in [d.what for d in compare(left, right).differences]


def test_compare_is_public() -> None:
    """As gl.compare."""
    assert guestlab.compare is compare


# -- what your client would show ---------------------------------------------------------------------------

REFUSED = ["query", "unknown"]
PYTHON = {
    "websockets": "from websockets.sync.client import connect; connect(sys.argv[1])",
    "websocket-client": "import websocket; websocket.create_connection(sys.argv[1])",
    "aiohttp": (
        "import asyncio, aiohttp\n"
        "async def main():\n"
        "    async with aiohttp.ClientSession() as session: await session.ws_connect(sys.argv[1])\n"
        "asyncio.run(main())"
    ),
}


def _real(attempt: Attempt) -> str:
    """The attempt's URL with something in the mask's place: the real client needs no real secret."""
    return attempt.url.partition("[masked")[0]


@pytest.mark.parametrize("client", PYTHON)
@pytest.mark.parametrize("name", REFUSED)
def test_python_clients_show_what_the_table_says(
    attempts: dict[str, Attempt], client: str, name: str
) -> None:
    """The last line of the traceback, word for word."""
    attempt = attempts[name]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{PYTHON[client]}", _real(attempt)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    shown = done.stderr.strip().splitlines()[-1].rpartition("exceptions.")[2]
    assert client_views(attempt)[client].shows.replace(attempt.url, _real(attempt)) == shown


@pytest.mark.parametrize("name", REFUSED)
def test_wscat_shows_what_the_table_says(attempts: dict[str, Attempt], name: str) -> None:
    """The number, and nothing else."""
    attempt = attempts[name]
    program = subprocess.Popen(
        [tool("wscat"), "-c", _real(attempt)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert program.stdout is not None
        shown = program.stdout.read()  # until it ends; its input stays open
    finally:
        program.kill()
        program.communicate()
    assert shown.strip() == client_views(attempt)["wscat"].shows


@pytest.mark.parametrize("name", REFUSED)
def test_a_browser_shows_what_the_table_says(
    sandbox: Sandbox, attempts: dict[str, Attempt], name: str
) -> None:
    """To the page 1006 and nothing else; to the console a sentence."""
    from playwright.sync_api import sync_playwright

    attempt = attempts[name]
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tool("chromium"), args=FLAGS)
        page = browser.new_page()
        page.goto(
            f"http://127.0.0.1:{sandbox.http_port}/webdeployments/v1/deployments/"
            f"{sandbox.deployment_id}/config.json"
        )
        page.on("console", lambda message: "WebSocket" in message.text and said.append(message.text))
        code, reason, clean = page.evaluate(
            "url => new Promise((resolve) => { const socket = new WebSocket(url);"
            " socket.onclose = (event) => resolve([event.code, event.reason, event.wasClean]); })",
            _real(attempt),
        )
        browser.close()
    expected = (
        f"close event: code {code}, reason {reason!r}, wasClean {str(clean).lower()}. Console: {said[0]}"
    )
    assert client_views(attempt)["browser"].shows.replace(attempt.url, _real(attempt)) == expected


def test_what_is_hidden_is_what_is_not_shown(attempts: dict[str, Attempt]) -> None:
    """Status, headers and body: each is either in the text or named as hidden."""
    for name in REFUSED:
        attempt = attempts[name]
        for view in client_views(attempt).values():
            text = view.shows.replace(attempt.url, "").partition(" Console: ")[0]  # what a program can see
            assert (str(attempt.http_status) in text) is ("the status" not in view.hides), view
            if attempt.body:
                assert (attempt.body in text) is ("the body" not in view.hides), view
            assert view.why
            assert view.level in {"measured", "documented", "inferred"}
    assert client_views(attempts["query"])["websocat"].level == "documented"


def test_behind_an_open_socket_nothing_is_hidden(attempts: dict[str, Attempt]) -> None:
    """A refusal in a frame is seen by everybody."""
    views = client_views(attempts["first frame"])
    assert list(views) == ["browser", "wscat", "websocat", "websockets", "websocket-client", "aiohttp"]
    for view in views.values():
        assert isinstance(view, ClientView)
        assert "token" in view.shows
        assert view.hides == ""


def test_without_any_answer_the_browser_hides_the_step() -> None:
    """To a page a refused port and a refused handshake are the same."""
    with Lab("127.0.0.1:1", deployment_id="d") as lab:
        views = client_views(lab.attempt())
    assert views["browser"].hides
    assert views["browser"].shows.startswith("close event: code 1006")
    assert {view.level for view in views.values()} == {"inferred"}
