"""Every notebook runs from top to bottom, on the sandbox and again with a region of one's own.

And keeps its promises: short, clean as stored, no secret in it, and readable where nothing runs.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbconvert import HTMLExporter

from guestlab.sandbox import Sandbox

from .store_notebooks import FOLDER, WIDGET_MIME, clean, execute_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTEBOOKS = {path.stem: path for path in sorted(FOLDER.glob("*.ipynb"))}

# notebook → what its outputs must show, in order.
PROMISES = {
    "01_first_session": [
        r"<Lab at ",
        r"AccessToken\(\[masked:",
        r"inbound/open/message",
        r"Conversation\(",
        r"HTTP 401 \(lane http\), empty body",
        r"upgrade\.deployment-missing",
        r"open: HTTP 101, SessionResponse 200",
        r"\(6 of 6 did not\); the deployment id alone opens it",
        r"garbage in header +✗ refused 401 +✓ open",
        r"guest +hello",
        r"bot +\S",
        r"Outbound +\S",
        r"<Log: \d+ entries",
        r"✗ #\d+ .* http 401 ",
    ],
    "02_why_does_it_not_connect": [
        r"refused at upgrade: HTTP 401",
        r"credential\.oauth-on-guest-socket",
        r"\(15 of 15 did not\); the deployment id alone opens it",
        r"only on the right: \?deploymentId=",
        r"close event: code 1006",
        r'"action": "configureSession"',
        r"Preflight at",
    ],
    "03_tokens_and_what_they_open": [
        r"AccessToken\(\[masked:\w+\], client_credentials",
        r"HTTP 400 not\.a\.user",
        r"refused at upgrade: HTTP 401",
        r"AccessToken\(\[masked:\w+\], pkce",
        r"Outbound +\S",
        r"in the queue: conversation [0-9a-f]{8}-",
        r"HTTP 401 bad\.credentials",
    ],
    "04_both_sides": [
        r"Channel channel-1: connected, 1 topic",
        r"guest +Talk to a human",
        r"Outbound +\S",
        r"open-guestlab-",
        r"guest socket \d+, notification channel \d+, Open Messaging \d+",
        r"messages: found; \d+ rows",
    ],
    "05_reading_the_log": [
        r"finding upgrade\.deployment-missing",
        r"<Log",
        r"StructuredMessage +200",
        r"response_ms",
        r"Session \w+: \d+ frames",
        r"(\d+ entries, 7 messages, 2 attempts\n){3}",
        r"upgrade\.deployment-missing, credential\.oauth-on-guest-socket\nnothing to find fault with",
    ],
    "06_authenticated_messaging": [
        r"signed in: no",
        r"signed in: true",
        r"POST /api/v2/webdeployments/token/oauthcodegrantjwtexchange",
        r'"jwt":"\[masked:',
        r"signed in: true",
        r"The sign-in was refused",
        r"LoggedOut",
    ],
    "07_drills": [
        r"nothing-in-any-log",
        r"HTTP/1\.1 401 Unauthorized",
        r"✗ Not the cause",
        r"✓ Right: upgrade\.deployment-missing",
        r"Drill next-door",
        r"Anna +next-door +1 +0",
    ],
    "08_popular_answers": [
        r"credential\.oauth-on-guest-socket",
        r"credential\.no-guest-token-endpoint",
        r"upgrade\.subprotocol-not-used",
        r"frame\.wrong-first-frame",
        r"oauth\.scope-is-not-the-fix",
        r"session\.routing-not-on-socket",
        r"cors\.not-for-websockets",
        r"garbage in first frame +✗ refused 401 +✓ open",
    ],
    "09_your_own_organisation": [
        r"/v1\?deploymentId=",
        r"Preflight at",
        r"open: HTTP 101",
        r"AccessToken\(\[masked:",
        r"Message\(Outbound",
        r"deployment\.unknown +False +403",
    ],
}

PLOTS = {"04_both_sides": 1, "05_reading_the_log": 1}

ON_THE_SANDBOX_ALONE = {"07_drills"}

# The identity provider's part, which no notebook can play. (A login on loopback needs nobody's click.)
_CODE = """
import httpx
from urllib.parse import parse_qs, urlsplit

def new_code():
    fields = {"response_type": "code", "redirect_uri": page, "person": "grace"}
    answer = httpx.post(lab.region.login_url + "/openid/authorize", data=fields, trust_env=False)
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
"""

# notebook → the one cell as its comments say to change it; the others have one line, taken from the comment.
OWN_REGION = {
    "03_tokens_and_what_they_open": (
        "import functools, os, guestlab as gl\nlab = gl.Lab.from_env()\n"
        "lab.sign_in = functools.partial(lab.sign_in, listen=False)\n"
        'code_client_id = os.environ["GUESTLAB_TEST_CODE_CLIENT"]\n'
        'queue_id, integration = os.environ["GUESTLAB_TEST_QUEUE"], {}'
    ),
    "04_both_sides": (
        "import os, guestlab as gl\nlab = gl.Lab.from_env()\n"
        'queue_id, integration, patience = os.environ["GUESTLAB_TEST_QUEUE"], {}, 1.0'
    ),
    "06_authenticated_messaging": (
        'import os, guestlab as gl\nos.environ["GUESTLAB_DEPLOYMENT_ID"] = os.environ["GUESTLAB_TEST_SHOP"]\n'
        'lab, page = gl.Lab.from_env(), "https://shop.example/callback"\n' + _CODE
    ),
}

# Run last in every kernel: every secret that was issued there, or that its logs have learnt.
_SECRETS = """
import gc, json
from guestlab.log.known_secrets import KnownSecrets
from guestlab.sandbox.world import World
known = {word for one in gc.get_objects() if type(one) is KnownSecrets for word in (*one._uuids, *one._masks)}
for world in (one for one in gc.get_objects() if type(one) is World):
    known |= {world.control_key, world.client.secret, world.code_client.secret, *world.tokens}
print(json.dumps(sorted(known)))
"""


# Where nothing but the region's line was changed: what needs an id of the organisation says so, in words.
BARE = {
    "03_tokens_and_what_they_open": [
        r"Nobody has begun to sign in",
        r"v2\.routing\.queues\.\.conversations",
        r"HTTP 401 bad\.credentials",
    ],
    "04_both_sides": [r"no queue_id: nothing to watch", r"guest socket \d+", r"messages: found; \d+ rows"],
}


def _prepared(path: Path, *, where: str) -> Any:
    notebook = nbformat.read(path, as_version=4)
    if where != "sandbox":
        cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
        told = OWN_REGION.get(path.stem) if where == "own-region" else None
        cell.source = told or re.sub(
            r"lab = gl\.Lab\(.*?\) +# your own region: (lab = gl\.Lab\.from_env\(\)).*", r"\1", cell.source
        )
        assert "from_env()" in cell.source
        for later in notebook.cells:  # the sandbox's own provider has no part in it
            if later.cell_type == "code" and "sandbox.openid" in later.source and where == "own-region":
                later.source = ""
    notebook.cells.append(nbformat.v4.new_code_cell(_SECRETS))
    return notebook


@pytest.fixture(scope="module")
def executed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Any]]:
    """The notebooks that are asked for, run in real kernels: on their sandboxes, or on one elsewhere."""
    asked = {
        item.callspec.params["run"]: None
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec") and "run" in item.callspec.params
    }
    with Sandbox(seed=5) as elsewhere:
        shop = elsewhere.deployments.add(auth=True, session_upgrade=True)
        environ = {
            "GUESTLAB_REGION": elsewhere.region.name,
            "GUESTLAB_DEPLOYMENT_ID": elsewhere.deployment_id,
            "GUESTLAB_CLIENT_ID": elsewhere.client_id,
            "GUESTLAB_CLIENT_SECRET": elsewhere.client_secret,
            "GUESTLAB_TEST_CODE_CLIENT": elsewhere.world.code_client.id,
            "GUESTLAB_TEST_QUEUE": elsewhere.queue_id,
            "GUESTLAB_TEST_SHOP": shop.id,
            "GUESTLAB_JOURNAL": str(tmp_path_factory.mktemp("journals")),
        }
        yield execute_all(
            {
                (name, where): (
                    _prepared(NOTEBOOKS[name], where=where),
                    {} if where == "sandbox" else environ,
                )
                for name, where in asked
            }
        )


def _text(notebook: Any) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs
    )


def _keeps(promises: list[str], text: str) -> None:
    position = 0
    for pattern in promises:
        match = re.compile(pattern).search(text, position)
        assert match, f"{pattern} does not follow in order in:\n{text}"
        position = match.end()


def test_every_notebook_has_promises() -> None:
    """A new notebook must say what it shows; and they are numbered without a gap."""
    assert sorted(NOTEBOOKS) == sorted(PROMISES)
    assert [int(name[:2]) for name in sorted(NOTEBOOKS)] == list(range(1, len(NOTEBOOKS) + 1))


RUNS = [
    pytest.param((name, where), id=f"{name}-{where}")
    for where in ("sandbox", "own-region", "one-cell-changed")
    for name in NOTEBOOKS
    if (where == "sandbox" or name not in ON_THE_SANDBOX_ALONE)
    and (where != "one-cell-changed" or name in BARE)
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("run", RUNS)
def test_the_notebook_runs_and_keeps_its_promises(
    executed: dict[tuple[str, str], Any], run: tuple[str, str]
) -> None:
    """Outputs in order; nothing on standard error; no secret of anybody's, as run and as it would be stored."""
    notebook = executed[run]
    if isinstance(notebook, Exception):
        raise notebook
    known = json.loads(notebook.cells.pop().outputs[0].text)
    assert known
    text = _text(notebook)
    name, where = run
    _keeps((BARE if where == "one-cell-changed" else PROMISES)[name], text)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    stored = nbformat.writes(clean(notebook))
    assert [secret for secret in known if secret in stored] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebook_is_short(name: str) -> None:
    """At most 15 cells of at most five lines of code, each with a few words before it."""
    cells = nbformat.read(NOTEBOOKS[name], as_version=4).cells
    assert len(cells) <= 15
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith(f"# {int(name[:2])} · ")
    for cell in cells:
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            assert len(lines) <= 5, cell.source
            assert max(map(len, lines)) <= 140, cell.source


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebook_is_stored_clean_with_its_outputs(name: str) -> None:
    """What GitHub shows: the promises, no errors, no state of widgets, no path, no secret; plots as PNG."""
    path = NOTEBOOKS[name]
    notebook = nbformat.read(path, as_version=4)
    _keeps(PROMISES[name], _text(notebook))
    text = path.read_text(encoding="utf-8")
    assert nbformat.writes(clean(nbformat.read(path, as_version=4))).strip() == text.strip()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert all(output.output_type != "error" and output.get("name") != "stderr" for output in outputs)
    assert "widget-state" not in text
    assert WIDGET_MIME not in text
    assert sum("image/png" in output.get("data", {}) for output in outputs) == PLOTS.get(name, 0)
    for output in outputs:
        output.get("data", {}).pop("image/png", None)
    words = nbformat.writes(notebook)
    assert re.findall(r"(?<![\w.])/(?:home|root|work|tmp|Users|var)/\S*|[A-Z]:\\\\\S*", words) == []
    unseeded = Sandbox()
    assert unseeded.client_secret not in words
    assert unseeded.world.code_client.secret not in words
    assert re.findall(r"token\W{1,12}[0-9a-f]{8}-[0-9a-f]{4}-", words) == []
    assert [word for word in re.findall(r"[\w-]{32,}", words) if _opaque(word)] == []


def _opaque(word: str) -> bool:
    """Whether it looks like something issued: long, of both cases, with digits."""
    return all(re.search(pattern, word) for pattern in ("[A-Z]", "[a-z]", "[0-9]"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_notebook_can_be_read_where_nothing_runs(name: str) -> None:
    """As nbconvert's HTML: each output is there in words, and no widget is missed."""
    notebook = nbformat.read(NOTEBOOKS[name], as_version=4)
    page, _ = HTMLExporter(exclude_input_prompt=True).from_notebook_node(notebook)
    body = page.partition("<body")[2]
    assert "application/vnd.jupyter" not in body
    assert body.count("data:image/png;base64") == PLOTS.get(name, 0)
    shown = [cell for cell in notebook.cells if cell.get("outputs")]
    assert len(shown) >= 5
    assert body.count("jp-OutputArea-output") >= len(shown)
    assert not re.search(r"<script\b", body.partition("jp-Cell")[2])
