"""A HAR of 100 MB: read into a DataFrame, against the parsing of its JSON alone.

The file is made up, in the form Chrome writes "with content", of what a browser records of a shop with a
messenger: page loads of 2.5 MB of scripts and images, 30 HTTP exchanges, each with the headers, cookies and
timings a browser lists, and one upgrade with 400 WebSocket messages, one in eight sent. Bodies of scripts and
images are told by their size in our log, not kept. What a file of messages alone costs is printed beside it,
and is no part of the promise: there the parsing of JSON is a smaller share of what must be done.
Ours is `gl.read(path).table()`: everything detected, redacted, put into columns. Theirs is `json.loads` of
the bytes, whose result is thrown away. Both are CPU time, in one process.
"""

from __future__ import annotations

import base64
import gc
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from guestlab.bench import Outcome
from guestlab.bench.frames import outbound
from guestlab.bench.pairs import FULL, Ratio, compare

__all__ = ["MIX", "archives", "write_har_of"]

MIX = (
    "page loads of 1.5 MB of scripts and 1 MB of images, 30 HTTP exchanges and an upgrade with 400 "
    "WebSocket messages, one in eight sent"
)
MOST = 2.0

_MESSAGES = 400
_EXCHANGES = 30
_SCRIPTS, _SCRIPT_BYTES = 4, 375_000
_IMAGES, _IMAGE_BYTES = 10, 100_000
_GUEST = "8b6c1d1e-0000-4000-8000-00000000{:04x}"


def archives(*, megabytes: float = 100, pairs: int = FULL) -> Outcome:
    """Write a HAR of that size to a temporary file and measure both; and one of messages alone.

    Args:
        megabytes: The size of each.
        pairs: How many pairs are measured.
    """
    ratio, rows, counts, size = _measured(megabytes, pairs, with_pages=True)
    alone, *_ = _measured(megabytes, max(2, pairs // 5), with_pages=False)
    return Outcome.of_ratio(
        f"HAR of {size / 1e6:.0f} MB to DataFrame",
        f"at most {MOST:g} x the parsing of its JSON alone, CPU seconds",
        ratio,
        most=MOST,
        mix=f"{MIX}: {counts['messages']:,} messages, {counts['exchanges']:,} exchanges",
        rows=f"{rows:,}",
        **{"messages and exchanges alone, not promised": f"{alone.ratio:.2f} x"},
    )


def _measured(megabytes: float, pairs: int, *, with_pages: bool) -> tuple[Ratio, int, dict[str, int], int]:
    import guestlab as gl

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.har")
        counts = write_har_of(path, megabytes, with_pages=with_pages)
        shapes: list[tuple[int, int]] = []

        def ours() -> float:
            gc.collect()
            started = time.process_time()
            shapes.append(gl.read(path).table().shape)
            return time.process_time() - started

        def theirs() -> float:
            gc.collect()
            started = time.process_time()
            json.loads(path.read_bytes())
            return time.process_time() - started

        ratio = compare(ours, theirs, pairs=pairs)
        return ratio, shapes[-1][0], counts, path.stat().st_size


def write_har_of(path: Path, megabytes: float, *, with_pages: bool = True) -> dict[str, int]:
    """Write a HAR of at least that size; return how many messages and exchanges it holds."""
    counts = {"messages": 0, "exchanges": 0}
    size = 0
    with path.open("w", encoding="utf-8") as har:
        size += har.write(
            '{"log":{"version":"1.2","creator":{"name":"WebInspector","version":"537.36"},"pages":[],'
        )
        size += har.write('"entries":[')
        page = 0
        while size < megabytes * 1e6:
            exchanges = (_exchange(page, number) for number in range(_EXCHANGES))
            entries = [*(_resources(page) if with_pages else ()), _upgrade(page), *exchanges]
            size += har.write(
                ("," if page else "") + ",".join(json.dumps(entry, indent=1) for entry in entries)
            )
            counts["messages"] += _MESSAGES
            counts["exchanges"] += len(entries)
            page += 1
        har.write("]}}")
    return counts


def _resources(page: int) -> list[dict[str, Any]]:
    """What the page itself is made of: of each script, other words on every page."""
    made = []
    chance = random.Random(page)  # noqa: S311 - words for a script, noise for an image
    for number in range(_SCRIPTS):
        body = "".join(chance.choices(_SCRIPT, k=_SCRIPT_BYTES // _PIECE))
        entry = _entry(page, number, f"https://shop.example/app{number}.js?v={page}", 200, body)
        entry["response"]["content"]["mimeType"] = "application/javascript"
        made.append(entry)
    for number in range(_IMAGES):
        entry = _entry(page, number, f"https://shop.example/{number}.png?v={page}", 200, "")
        image = base64.b64encode(chance.randbytes(_IMAGE_BYTES)).decode()
        entry["response"]["content"].update(
            mimeType="image/png", text=image, encoding="base64", size=_IMAGE_BYTES
        )
        made.append(entry)
    return made


_SCRIPT = (
    "function n(e,t){return e.map((function(e){return e.id===t?r({},e,{selected:!0}):e}))}",
    "var i=o(4711),a=o.n(i);", "if(!e.response)throw new Error('no answer: '+e.status);",
    "t.prototype.render=null;",
    "const{items:s,total:c}=useCart();", "e.exports={key:5,width:w};",
    "for(var p=0;p<arguments.length;p++){var f=arguments[p];f&&h.add(f)}",
    "switch(m.type){case 3:return;default:}",
    "x.headers.set('Authorization',y.getToken());", "document.cookie.split(';').forEach((e=>e.trim()));",
)  # fmt: skip
_PIECE = sum(map(len, _SCRIPT)) // len(_SCRIPT)
"""Characters of a piece, about."""


def _upgrade(page: int) -> dict[str, Any]:
    start = 1_790_000_000 + 60 * page
    entry = _entry(page, 0, "wss://webmessaging.mypurecloud.com/v1?deploymentId=11111111", 101, "")
    entry["_resourceType"] = "websocket"
    entry["_webSocketMessages"] = [_message(page, number, start) for number in range(_MESSAGES)]
    return entry


def _message(page: int, number: int, start: int) -> dict[str, Any]:
    if number % 8:
        content, way = outbound(page * _MESSAGES + number), "receive"
    else:
        words = {"type": "Text", "text": f"Where is my parcel? ({number})"}
        token = _GUEST.format(page % 0x10000)
        content = {"action": "onMessage", "token": token, "tracingId": f"t{page}-{number}", "message": words}
        way = "send"
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return {"type": way, "time": start + number / 8, "opcode": 1, "data": text}


def _exchange(page: int, number: int) -> dict[str, Any]:
    url = f"https://api.mypurecloud.com/api/v2/webmessaging/messages?pageNumber={number}&pageSize=25"
    body = json.dumps([outbound(page + place)["body"] for place in range(10)]) if number % 4 == 0 else ""
    return _entry(page, number, url, 200, body)


def _entry(page: int, number: int, url: str, status: int, body: str) -> dict[str, Any]:
    sent = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
        "Origin": "https://shop.example",
        "Referer": "https://shop.example/checkout",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0",
    }
    received = {
        "Content-Type": "application/json",
        "Cache-Control": "no-cache, no-store, must-revalidate",
        "Strict-Transport-Security": "max-age=600; includeSubDomains",
        "ININ-Correlation-Id": f"0d6e7b5c-3f41-4c8e-9a57-{page:08x}{number:04x}",
    }
    return {
        "startedDateTime": f"2026-10-01T{page // 60 % 24:02d}:{page % 60:02d}:{number % 60:02d}.250Z",
        "time": 84.5,
        "request": {
            "method": "GET",
            "url": url,
            "httpVersion": "http/1.1",
            "headers": [{"name": name, "value": value} for name, value in sent.items()],
            "queryString": [],
            "cookies": [],
            "headersSize": -1,
            "bodySize": 0,
        },
        "response": {
            "status": status,
            "statusText": "OK" if status == 200 else "Switching Protocols",
            "httpVersion": "http/1.1",
            "headers": [{"name": name, "value": value} for name, value in received.items()],
            "cookies": [],
            "content": {
                "size": len(body),
                "mimeType": "application/json",
                **({"text": body} if body else {}),
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"blocked": 1.2, "dns": -1, "connect": -1, "send": 0.1, "wait": 82.1, "receive": 1.1},
        "serverIPAddress": "127.0.0.1",
        "connection": str(1000 + page),
    }
