"""Nothing leaves this machine that the user did not ask for: no telemetry, no look-up, not even a name."""

from __future__ import annotations

import json
import subprocess
import sys

_WATCHED = """
import json, socket, sys

tried = []

def loopback(host):
    return str(host) in ("localhost", "127.0.0.1", "::1", "") or str(host).endswith(".localhost")

def watch(event, arguments):
    if event == "socket.getaddrinfo" and not loopback(arguments[0] or ""):
        tried.append(f"getaddrinfo {arguments[0]}")
    elif event in ("socket.gethostbyname", "socket.gethostbyaddr"):
        tried.append(f"{event} {arguments}")
    elif event in ("socket.connect", "socket.sendto", "socket.bind"):
        address = arguments[1]
        if isinstance(address, tuple) and not loopback(address[0]):
            tried.append(f"{event} {address}")

sys.addaudithook(watch)
"""

_WORK = """
import tempfile
from pathlib import Path
import guestlab as gl

with tempfile.TemporaryDirectory() as folder, gl.Lab(journal=folder) as lab:
    lab.token(), lab.conversation(), lab.handshake_as_asked(), lab.handshake(), lab.preflight()
    with lab.session() as session:
        session.send("hello")
        session.messages(quiet=0.2)
    lab.log.to_har(Path(folder, "a.har"))
    lab.log.to_bundle(Path(folder, "a.zip"))
    gl.read(Path(folder, "a.har")), gl.diagnose_har(Path(folder, "a.har"))
    str(gl.diagnose(url="wss://webmessaging.mypurecloud.de/v1", http_status=401))
    str(gl.diagnose_text("curl -i https://api.mypurecloud.de/api/v2/users/me -H 'Authorization: Bearer x'"))
    lab.stepper()._repr_mimebundle_()
    gl.Region("mypurecloud.de").guest_url("3d2f0c1e-0000-4000-8000-000000000001")
print(json.dumps(tried))
"""


def test_a_tour_and_reading_files_reach_for_nothing_outside() -> None:
    """Watched by Python's own audit hooks, from before the import on: no address, no name, no port outside."""
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED + _WORK],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_the_watch_sees_what_is_tried() -> None:
    """Else the test above could not fail."""
    tried = "import contextlib\nwith contextlib.suppress(OSError): socket.getaddrinfo('telemetry.invalid', 443)\nprint(json.dumps(tried))"
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED + tried], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == ["getaddrinfo telemetry.invalid"]
