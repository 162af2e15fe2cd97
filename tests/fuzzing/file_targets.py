"""Targets of files: what somebody sends, downloads, edits or is given, read by path.

Every log file is read by `gl.read`, then its views, its summary and its entries; nothing but `GuestlabError`
may come out, and no file beside the one given may be touched.
"""

from __future__ import annotations

import functools
import io
import json
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from guestlab.analysis import sample
from guestlab.handshake.described import diagnose_text
from guestlab.handshake.har import diagnose_har
from guestlab.log import Log, Redactor
from guestlab.log.reading import read
from guestlab.sandbox.observed import FORMAT, read_observed
from guestlab.sandbox.scripts import read_script
from guestlab.scripted import Script
from guestlab.widgets.saved_inputs import Inputs, code_of, inputs_of
from tests.fuzzing.target import DATA, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["TARGETS"]

KEY = b"fuzzing"


def _reading(suffix: str) -> Callable[[bytes], None]:
    """Read a log file of one kind."""

    def read_one(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"given{suffix}")
            path.write_bytes(data)
            log = read(path, redactor=Redactor(KEY))
            for entry in log.entries:
                repr(entry)
            if len(data) % 16 == 0:  # costs more than all the rest
                log.table()
                log.messages  # noqa: B018 - a view is made by asking for it
                log.sessions  # noqa: B018
                str(log.summary())
            assert [one.name for one in Path(folder).iterdir()] == [path.name]

    return read_one


def read_har(data: bytes) -> None:
    """A HAR is read into a log, and diagnosed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a torn file is told by one
        for diagnosis in diagnose_har(data.decode("utf-8", "surrogateescape")):
            str(diagnosis)
    _reading(".har")(data)


# -- seeds --------------------------------------------------------------------------------------------


@functools.cache
def _log() -> Log:
    """The beginning of the sample log: something of everything, the same each time."""
    log = Log(redactor=Redactor(KEY))
    log.extend(list(sample().entries)[:12])
    return log


@functools.cache
def _written(kind: str) -> bytes:
    """The sample log as a file of one kind."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        if kind == "parquet":
            _log().to_parquet(path)
            path = next(path.rglob("*.parquet"))
        else:
            {
                "har": _log().to_har,
                "jsonl": _log().to_jsonl,
                "csv": _log().to_csv,
                "bundle": _log().to_bundle,
            }[kind](path)
        return path.read_bytes()


def _hars() -> Sequence[bytes]:
    files = [path.read_bytes() for path in sorted((DATA / "har").glob("*.har"))]
    return [
        *files,
        _written("har"),
        b'{"log":{"entries":[]}}',
        b'{"log":{"entries":[{"request":{"url":"wss://x/v1"',
    ]


def _journals() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.journal")
        log = Log(redactor=Redactor(KEY), journal=path)
        for number in range(3):
            log.record("frame", direction="received", raw=f'{{"class":"X","code":200,"body":{number}}}')
        whole = path.read_bytes()
    return [whole, whole[:-20], whole.replace(b"\n", b"\r\n")]


def _lines() -> Sequence[bytes]:
    frames = (DATA / "frames" / "server.jsonl").read_bytes().splitlines()[:4]
    bare = [json.dumps(json.loads(line)["payload"]).encode() for line in frames]
    return [b"\n".join(_written("jsonl").splitlines()[:6]), b"\n".join(frames), b"\n".join(bare)]


def _tables() -> Sequence[bytes]:
    frame = '{""class"":""StructuredMessage"",""code"":200}'
    return [
        b"\n".join(_written("csv").splitlines()[:6]), f'time,frame\r\n2026-10-01,"{frame}"\r\n'.encode(),
        f'when;direction;payload\n1;sent;"{frame}"\n'.encode(), b'a\tb\n"x\n',
    ]  # fmt: skip


def _zipped(names: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, content in names.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return held.getvalue()


def _bundles() -> Sequence[bytes]:
    lines = b"\n".join(_written("jsonl").splitlines()[:4])
    manifest = (
        b'{"format":"guestlab bundle","files":{"log.jsonl":{"sha256":"0"},"summary.txt":{"sha256":"1"}}}'
    )
    return [
        _zipped({"log.jsonl": lines, "manifest.json": manifest, "summary.txt": b"x"}),
        _zipped({"log.jsonl": lines}, zipfile.ZIP_DEFLATED),
        _zipped({"../../log.jsonl": lines, "/etc/log.jsonl": lines}), _zipped({"a/log.jsonl": b"\0" * 10**6}, zipfile.ZIP_DEFLATED),
    ]  # fmt: skip


def _consoles() -> Sequence[bytes]:
    tester = b'# 2026-10-01\n> {"action":"echo","token":"t"}\n< {"class":"X","code":200}\nDisconnected (code: 1000)\n'
    return [*(path.read_bytes() for path in sorted((DATA / "console").glob("*.txt"))), tester]


def _replies() -> Sequence[bytes]:
    message = {
        "id": "m",
        "normalizedMessage": {"type": "Text", "text": "x", "direction": "inbound"},
        "conversationId": "c",
    }
    return [
        json.dumps({"entities": [message], "pageCount": 1}).encode(), json.dumps(message).encode(),
        json.dumps([{"conversationId": "c", "messagingTranscript": [{"from": "x", "messageText": "y"}]}]).encode(),
        b'{"conversations":[{"conversationId":"c","conversationStart":"2026-10-01T12:00:00.000Z","participants":[]}]}',
    ]  # fmt: skip


# -- YAML, and what a person saves ------------------------------------------------------------------------


def read_scenario(data: bytes) -> None:
    """A scripted conversation, as it is handed over on the command line."""
    script = Script.load(data.decode("utf-8", "replace"))
    repr(script)


def read_bot(data: bytes) -> None:
    """A bot's script, and what it answers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bot.yaml")
        path.write_bytes(data)
        script = read_script(path)
    for text in ("hello", "a" * 30, ""):
        script.answer(text)
    script.answer("", on="join")


def read_probe(data: bytes) -> None:
    """Answers that somebody's probe recorded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "observed.json")
        path.write_bytes(data)
        repr(read_observed(path))


def read_inputs(data: bytes) -> None:
    """A saved cell of the stepper; what it holds comes back the same."""
    inputs = inputs_of(data.decode("utf-8", "surrogateescape"))
    assert isinstance(inputs, Inputs)
    again = inputs_of(code_of(inputs))
    assert again == inputs.swept(), "what is saved can be read back"


def read_paste(data: bytes) -> None:
    """A curl line, code, or a symptom, as pasted."""
    text = data.decode("utf-8", "surrogateescape")
    str(diagnose_text(text))


_SCENARIO = """name: greeting
auto_start: true
custom_attributes: {a: b}
steps:
  - say: hello
  - expect: {pattern: "^Hi", quick_replies: [Yes, No], within: 5}
  - reply: Yes
  - typing
  - wait: 0.5
  - attributes: {x: 1}
  - expect: {disconnect: true}
"""
_BOT = """name: b
lines:
  - when: "^hello (.*)"
    reply: [{text: "Hi {1}"}, typing, {delay: 0.1}, {quick_replies: {text: x, replies: [a, b]}}]
  - event: join
    reply: [Hello, disconnect]
"""


def _bots() -> Sequence[bytes]:
    import guestlab.sandbox

    return [_BOT.encode(), Path(guestlab.sandbox.__file__).with_name("default_bot.yaml").read_bytes()[:4000]]


def _probes() -> Sequence[bytes]:
    answer = {"condition": "deployment.missing", "status": 401, "headers": [["Server", "x"]], "body": ""}
    document = {
        "format": FORMAT,
        "region": "mypurecloud.de",
        "recorded_at": "2026-10-01T12:00:00Z",
        "observations": [answer],
    }
    return [json.dumps(document).encode()]


def _saved() -> Sequence[bytes]:
    filled = Inputs(
        text="good morning", deployment="unknown", endpoint="wss://h/v1?deploymentId=x", origin="https://a"
    )
    return [code_of(Inputs()).encode(), code_of(filled).encode()]


def _pastes() -> Sequence[bytes]:
    cases = json.loads((DATA / "diagnosis-cases-code.json").read_text(encoding="utf-8"))["cases"]
    curls = [
        "curl -i -u 'id:secret' -d grant_type=client_credentials https://login.mypurecloud.de/oauth/token",
        "curl 'https://webmessaging.mypurecloud.de/v1?access_token=x' -H 'Upgrade: websocket' \\\n -H 'Origin: https://a'",
        "wscat -c 'wss://webmessaging.mypurecloud.de/v1?deploymentId=x' -H 'Authorization: Bearer y'\nerror: Unexpected server response: 401",
        "GET /v1?deploymentId=x HTTP/1.1\r\nHost: webmessaging.mypurecloud.de\r\nUpgrade: websocket\r\n\r\n",
    ]  # fmt: skip
    return [*(case["paste"].encode() for case in cases if "paste" in case), *map(str.encode, curls)]


JSON = (
    b'{"',
    b'":',
    b"[",
    b"]",
    b"{",
    b"}",
    b"null",
    b"true",
    b"1e999",
    b"-1",
    b'"\\ud800"',
    b"\\u0000",
    b",",
    b"\xef\xbb\xbf",
)
HAR = (*JSON, b'"log":', b'"entries":', b'"request":', b'"response":', b'"_webSocketMessages":', b'"data":', b'"time":', b'"startedDateTime":',
       b'"_guestlab":', b'"headers":', b'"content":', b'"encoding":"base64"', b'"postData":', b'"status":')  # fmt: skip
ROWS = (*JSON, b'"kind":', b'"seq":', b'"at":', b'"raw":', b'"frame"', b'"payload":', b"\n", b"\r\n", b"\x00")
YAML = (b"- ", b": ", b"{", b"}", b"[", b"]", b"&a ", b"*a", b"!!python/object:x", b"|", b">", b"\n  ", b"? ", b"<<: ", b"!!binary ", b".inf", b"0x", b"2030-01-01",
        b"say:", b"expect:", b"steps:", b"when:", b"reply:", b"lines:")  # fmt: skip
CODE = (b"curl ", b"-H '", b"-u ", b"-d ", b"--json ", b"'", b'"', b"$'", b"\\\n", b"wss://", b"new WebSocket(", b"websockets.connect(", b"fetch(", b"`${",
        b"f'{", b"requests.post(", b"JSON.stringify(", b"HTTP/1.1 401\n", b"?deploymentId=", b"/*", b"//", b"'''", b"Invoke-RestMethod ")  # fmt: skip

TARGETS = (
    Target(name="har", read=read_har, seeds=_hars, words=HAR, longest=16384),
    Target(name="journal", read=_reading(".journal"), seeds=_journals, words=ROWS),
    Target(name="jsonl", read=_reading(".jsonl"), seeds=_lines, words=ROWS, longest=8192),
    Target(name="csv", read=_reading(".csv"), seeds=_tables, words=(b",", b";", b"\t", b'"', b'""', b"\n", b"\r", b"'=", b"\0", b"nan", b"frame")),
    Target(name="parquet", read=_reading(".parquet"), seeds=lambda: [_written("parquet")], longest=65536, words=(b"PAR1",)),
    Target(name="bundle", read=_reading(".zip"), seeds=_bundles, words=(b"PK\3\4", b"PK\1\2", b"PK\5\6", b"log.jsonl", b"manifest.json", b"../"), longest=8192),
    Target(name="console", read=_reading(".txt"), seeds=_consoles, words=(b"< ", b"> ", b"\x1b[", b"Connected", b"Disconnected (code: ", b"error: ", b'{"class":', b"\n")),
    Target(name="reply-file", read=_reading(".json"), seeds=_replies, words=(*JSON, b'"entities":', b'"normalizedMessage":', b'"messagingTranscript":')),
    Target(name="paste", read=read_paste, seeds=_pastes, words=CODE, longest=4096),
    Target(name="scenario", read=read_scenario, seeds=lambda: [_SCENARIO.encode()], words=YAML),
    Target(name="bot", read=read_bot, seeds=_bots, words=YAML),
    Target(name="observed", read=read_probe, seeds=_probes, words=(*JSON, b'"condition":', b'"observations":', b'"status":')),
    Target(name="inputs", read=read_inputs, seeds=_saved, words=(b"lab.stepper(", b"text=", b"'", b"\\", b")", b"deployment=", b"endpoint=", b"(", b"=")),
)  # fmt: skip
