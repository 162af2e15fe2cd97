"""Recorded probes played back: row by row, byte for byte; and files no probe can have written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guestlab import probe
from guestlab.cli import main
from guestlab.errors import SandboxError
from guestlab.lab import Lab
from guestlab.sandbox import Sandbox
from guestlab.sandbox.explain import facts
from guestlab.sandbox.gateway import TABLE
from guestlab.sandbox.observed import BODY_SIZE, FILE_SIZE, FORMAT, read_observed

from .conftest import raw, upgrade_request

HOST = "mypurecloud.de"
WHEN = "2026-11-02T08:00:00+00:00"


def _one(condition: str = "deployment.missing", **other: Any) -> dict[str, Any]:
    return {"condition": condition, "status": 403, "headers": [], "body": "", **other}


def _document(*observations: Any, **other: Any) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "level": "measured",
        "recorded_at": WHEN,
        "region": HOST,
        "deployment": {"allow_all_domains": False},
        "observations": list(observations or (_one(),)),
        **other,
    }


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Any], Path]:
    """A writer of documents; text and bytes are written as they are."""

    def write(document: Any) -> Path:
        path = tmp_path / "observed.json"
        if not isinstance(document, str | bytes):
            document = json.dumps(document)
        path.write_bytes(document if isinstance(document, bytes) else document.encode())
        return path

    return write


def test_a_probe_of_one_sandbox_is_played_back_by_another(written: Callable[[Any], Path]) -> None:
    """Each row asked answers as recorded, in bytes too, after a reset too; the rows not asked are their own."""
    changed = {
        "deployment.missing": {"status": 400, "body": "no id", "headers": (("Retry-After", "7"),)},
        "deployment.unknown": {"status": 410, "body": "who?"},
        "deployment.inactive": {"status": 423},
        "origin.blocked": {"status": 451, "body": "not from there"},
        "path.unknown": {"status": 501},
    }
    own = {row.condition: row for row in TABLE}
    with Sandbox() as recorded:
        for condition, answer in changed.items():
            recorded.gateway.set(condition, **answer)
        shop = recorded.deployments.add(allowed_domains=["shop.example"])
        closed = recorded.deployments.add(status="Inactive")
        with Lab(recorded.region, deployment_id=shop.id, origin="https://shop.example") as lab:
            document = probe.probe(lab, inactive=closed.id, between=0, sleep=lambda _: None)
        expected = raw(recorded.http_port, upgrade_request("/v1"))
    with Sandbox(observed=written(document)) as sandbox:
        for _ in ("at once", "after a reset"):
            for condition, answer in changed.items():
                row = sandbox.gateway[condition]
                assert (row.status, row.body, row.level) == (
                    answer["status"],
                    answer.get("body", own[condition].body),
                    "measured",
                )
                assert document["recorded_at"] in row.source
                assert "not the cloud" in row.source
                assert not row.seen
            assert sandbox.gateway["open"].level == "measured"
            assert sandbox.gateway["connections.too-many"].level == "inferred"
            assert raw(sandbox.http_port, upgrade_request("/v1")) == expected
            path = f"/v1?deploymentId={sandbox.deployment_id}"
            assert raw(sandbox.http_port, upgrade_request(path)).startswith(b"HTTP/1.1 101 ")
            sandbox.reset()


def test_the_explanation_says_measured_when_and_where(written: Callable[[Any], Path]) -> None:
    """For the rows played back; the module's own table stays as it was."""
    sandbox = Sandbox(observed=written(_document(_one(status=418))))
    line = "gateway: 418 when the query has no deploymentId, or an empty one\n"
    assert f"{line}    measured: guestlab probe of {WHEN}, {HOST}\n" in sandbox.explain()
    assert Sandbox().explain() != sandbox.explain()
    assert "measured" not in {fact.level for fact in facts()[: len(TABLE)]}


def test_the_form_is_the_one_a_probe_writes() -> None:
    """The sandbox may not import the probe, so it names the form itself; every row asked about is there."""
    assert FORMAT == probe.FORMAT
    asked = {question.condition for question in probe.QUESTIONS} - {""}
    assert asked <= {row.condition for row in TABLE}


def test_only_harmless_headers_are_played_back(written: Callable[[Any], Path]) -> None:
    """None that frames the message, binds the client or leads it away; repeated ones become one list."""
    headers = [
        ["Content-Type", "application/json"],
        ["Content-Length", "99999"],
        ["Transfer-Encoding", "chunked"],
        ["Connection", "keep-alive"],
        ["Set-Cookie", "a=b"],
        ["Location", "https://elsewhere.example"],
        ["Strict-Transport-Security", "max-age=1"],
        ["via", "one"],
        ["Via", "two"],
        ["Server", "caf\u00e9 \u2603"],
    ]
    path = written(_document(_one(headers=headers, body="{}")))
    with pytest.warns(RuntimeWarning, match="without server: its value is not ASCII"):
        sandbox = Sandbox(observed=path)
    with sandbox:
        answer = raw(sandbox.http_port, upgrade_request("/v1"))
    assert answer == (
        b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nVia: one, two\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"
    )


LEFT_OUT: tuple[tuple[dict[str, Any], dict[str, Any], str], ...] = (
    (_one("gateway.moved"), {}, "no such row"),
    (_one("\x1b[2Jx"), {}, r"'\x1b[2Jx' is not played back"),
    (_one("path.unknown", status=None), {}, "no HTTP answer"),
    (
        _one("origin.blocked", status=101),
        {"deployment": {"allow_all_domains": True}},
        "no Origin was blocked",
    ),
    (_one("origin.blocked"), {"deployment": None}, "no Origin was blocked"),
    (_one("deployment.unknown", status=101), {}, "no deployment to serve"),
)


@pytest.mark.parametrize(("observation", "other", "told"), LEFT_OUT)
def test_what_settles_no_row_is_told_and_left_out(
    written: Callable[[Any], Path], observation: dict[str, Any], other: dict[str, Any], told: str
) -> None:
    """By a warning and in the explanation; the other answers are played back, the row stays its own."""
    path = written(_document(observation, _one(status=418), _one("", status=500), **other))
    with pytest.warns(RuntimeWarning, match=re.escape(told)) as warned:
        sandbox = Sandbox(observed=path)
    assert len(warned) == 1
    assert told in sandbox.explain()
    changed = {row.condition for row, own in zip(sandbox.gateway, TABLE, strict=True) if row != own}
    assert changed == {"deployment.missing"}


def test_a_refusal_seen_to_open_opens(written: Callable[[Any], Path]) -> None:
    """If the cloud lets a deployment that is switched off in, so does the sandbox, and the backend sees it."""
    with Sandbox(observed=written(_document(_one("deployment.inactive", status=101)))) as sandbox:
        closed = sandbox.deployments.add(status="Inactive")
        answer = raw(sandbox.http_port, upgrade_request(f"/v1?deploymentId={closed.id}"))
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert sandbox.gateway["deployment.inactive"].seen


BAD: tuple[tuple[str, Any, str], ...] = (
    ("no JSON", "{", "cannot be read"),
    ("not UTF-8", b'"\xff"', "cannot be read"),
    ("nested without end", "[" * 100_000, "cannot be read"),
    ("a number without end", '{"format": ' + "9" * 10_000 + "}", "cannot be read"),
    ("too large", " " * (FILE_SIZE + 1), "larger than"),
    ("a list", [], "its format is"),
    ("another form", _document(format="guestlab-observed/2"), "its format is 'guestlab-observed/2'"),
    ("a HAR", {"log": {}}, "its format is None"),
    ("another level", _document(level="official"), "its level is 'official'"),
    ("no observations", _document(observations=None), "not a list"),
    ("too many", _document(*[_one("")] * 101), "not a list of at most"),
    ("nothing settled", _document(_one("")), "settles no row"),
    ("only unknown rows", _document(_one("a.b")), "'a.b' is not played back"),
    ("no region", _document(region=None), "`region` is None"),
    ("a region of two lines", _document(region="a\nb"), r"`region` is 'a\nb'"),
    ("no time", _document(recorded_at=7), "`recorded_at` is 7"),
    ("no real time", _document(recorded_at="soon"), "`recorded_at` is 'soon'"),
    ("no observation", _document("x"), "observation 1 has no `condition`"),
    ("twice", _document(_one(), _one()), "a second time"),
    ("never open", _document(_one("open", status=403)), "the handshake that works"),
    *(
        (f"status {status!r}", _document(_one(status=status)), f"`status` is {status!r}")
        for status in (True, "403", 403.0, 100, 199, 600, -1, [403])
    ),
    ("no body", _document(_one(body=None)), "`body` is not a text"),
    ("a huge body", _document(_one(body="\u20ac" * (BODY_SIZE // 3 + 1))), "`body` is not a text of at most"),
    ("half a character", _document(_one(body="\ud800")), "half a character"),
    ("a body of 204", _document(_one(status=204, body="x")), "has no body"),
    ("no headers", _document(_one(headers=None)), "`headers` is not a list"),
    ("headers by name", _document(_one(headers={"Via": "x"})), "`headers` is not a list"),
    ("a lone header", _document(_one(headers=[["Via"]])), "not a pair of texts"),
    ("a number", _document(_one(headers=[["Retry-After", 60]])), "not a pair of texts"),
    ("no name", _document(_one(headers=[["Via: x\r\nA", "b"]])), "is no header's name"),
    ("two lines", _document(_one(headers=[["Via", "a\r\nSet-Cookie: b"]])), "no single line"),
    ("two lines left out", _document(_one(headers=[["X-Other", "a\nb"]])), "no single line"),
    ("a long line", _document(_one(headers=[["Via", "a" * 5000]])), "no single line"),
)


@pytest.mark.parametrize(("document", "told"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_file_no_probe_wrote_is_refused_whole(
    written: Callable[[Any], Path], document: Any, told: str
) -> None:
    """With what, why and a next step, and nothing in them that moves a terminal."""
    with pytest.raises(SandboxError) as caught:
        Sandbox(observed=written(document))
    text = str(caught.value)
    assert told in text
    assert "guestlab probe --record FILE" in caught.value.next_step
    assert len(text.splitlines()) == 3
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ["absent.json", ".", "a\0b"])
def test_a_path_without_a_file_is_told(tmp_path: Path, name: str) -> None:
    """Absent, a folder, impossible."""
    with pytest.raises(SandboxError, match="cannot be read"):
        read_observed(tmp_path / name)


def test_the_command_plays_a_file_back(
    written: Callable[[Any], Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out goes to standard error, so that --json stays one object; a bad file is an error."""
    monkeypatch.setattr("signal.signal", lambda *_: None)  # this process keeps its own Ctrl-C
    path = written(_document(_one(status=418), _one("a.b")))
    assert main(["sandbox", "--observed", str(path), "--explain", "--json"]) == 0
    told = capsys.readouterr()
    assert f"measured: guestlab probe of {WHEN}, {HOST}" in json.loads(told.out)["explain"]
    assert told.err == f"{path}: 'a.b' is not played back: the gateway's table has no such row.\n"
    assert main(["sandbox", "--observed", str(written("{")), "--explain"]) == 3
    assert "cannot be read" in capsys.readouterr().err
