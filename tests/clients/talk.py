"""A conversation with a line-oriented WebSocket program over its standard streams."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import subprocess
import threading
import time
from typing import Any

__all__ = ["Talk"]

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[78]|[\x00-\x08\x0b-\x1f]")


class NothingCame(AssertionError):  # noqa: N818 - says what happened
    """The program has printed nothing more in time."""


class Talk:
    """Runs a program that sends each line it reads and prints each frame it gets."""

    def __init__(self, command: list[str], **environment: str) -> None:
        self.seen = ""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "NO_PROXY": "*", "no_proxy": "*", "TERM": "dumb", **environment},
        )
        self._pieces: queue.Queue[str | None] = queue.Queue()
        self._buffer = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while piece := os.read(self._process.stdout.fileno(), 65536):
            self._pieces.put(piece.decode("utf-8", "replace"))
        self._pieces.put(None)

    def wait_for(self, text: str, timeout: float = 15.0) -> None:
        """Wait until the program has printed something."""
        deadline = time.monotonic() + timeout
        while text not in self.seen:
            self._more(deadline)

    def send(self, frame: dict[str, Any]) -> None:
        """Type a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(frame).encode() + b"\n")
        self._process.stdin.flush()

    def insist(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Type a line until a frame answers: some programs drop what is typed before they are connected."""
        for _ in range(60):
            self.send(frame)
            with contextlib.suppress(NothingCame):
                return self.frame(0.5)
        return self.frame()

    def frame(self, timeout: float = 15.0) -> dict[str, Any]:
        """The next frame the program shows."""
        deadline = time.monotonic() + timeout
        while True:
            line, found, rest = self._buffer.partition("\n")
            if found:
                self._buffer = rest
                start = line.find('{"type":')
                if start >= 0:
                    frame: dict[str, Any] = json.loads(line[start : line.rindex("}") + 1])
                    return frame
                continue
            self._more(deadline)

    def _more(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        try:
            piece = self._pieces.get(timeout=max(left, 0.01))
        except queue.Empty:
            raise NothingCame(f"nothing more came; seen so far: {self.seen!r}") from None
        assert piece is not None, f"the program ended; seen so far: {self.seen!r}"
        self.seen += piece
        self._buffer += _COLOURS.sub("", piece.replace("\r", "\n"))

    def close(self) -> str:
        """End the program; return everything it printed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._reader.join(5)
        self._process.stdout.close()
        while not self._pieces.empty():
            self.seen += self._pieces.get() or ""
        return self.seen
