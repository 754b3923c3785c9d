"""Clients that nobody here wrote, run as processes: netcat, socat, PHP's fsockopen."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from client import REPLY_SECONDS, TIME_SCALE, LineReader

PHP_CLIENT = str(Path(__file__).with_name("classic_client.php"))


class Tool:
    """A foreign client as a process: requests into its stdin, lines out of its stdout."""

    def __init__(self, command: Sequence[str], wants_counts: bool = False) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        self._reader = LineReader(self._output.fileno())
        self._wants_counts = wants_counts

    def ask(self, request: str, count: int) -> list[str]:
        """Sends a request and takes so many lines of reply."""
        line = f"{count} {request}\n" if self._wants_counts else f"{request}\n"
        self._input.write(line.encode())
        self._input.flush()
        return [self.line() for _ in range(count)]

    def send(self, data: bytes) -> None:
        """For what is no lines, as exactly()."""
        self._input.write(data)
        self._input.flush()

    def exactly(self, count: int) -> bytes:
        return self._reader.exactly(count)

    def line(self) -> str:
        return self._reader.line().decode()

    def finish(self) -> str:
        """Ends its input, so that it half-closes. Returns what the server said beyond the replies taken."""
        self._input.close()
        rest = self._reader.to_end().decode()
        code = self._process.wait(REPLY_SECONDS * TIME_SCALE)
        if code != 0:
            raise AssertionError(f"the client's exit code is {code}")
        return rest

    def status(self) -> int:
        """Waits until it ends by itself. Returns its exit status."""
        return self._process.wait(REPLY_SECONDS * TIME_SCALE)

    def close(self) -> None:
        """Kills it, wherever it stands."""
        self._process.kill()
        self._process.wait()
        self._input.close()
        self._output.close()


def netcat(uri: str) -> Tool:
    return Tool(["nc", "-N", str(urlsplit(uri).hostname), str(urlsplit(uri).port)])


def socat(uri: str) -> Tool:
    parts = urlsplit(uri)
    if parts.scheme == "unix":
        return Tool(["socat", "-t10", "-", f"UNIX-CONNECT:{parts.path}"])
    return Tool(["socat", "-t10", "-", f"TCP:{parts.netloc}"])


def php(uri: str) -> Tool:
    parts = urlsplit(uri)
    if parts.scheme == "unix":
        return Tool(["php", PHP_CLIENT, f"unix://{parts.path}", "-1"], wants_counts=True)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    return Tool(["php", PHP_CLIENT, host, str(parts.port)], wants_counts=True)
