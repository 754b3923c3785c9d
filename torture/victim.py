"""The daemon under the interposer, and what its end may look like."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from pathlib import Path

from client import TIME_SCALE
from control import Control

PATIENCE_SECONDS = 20.0 * TIME_SCALE  # after that something hangs


class Finding(Exception):
    """What must not happen has happened."""


class Victim:
    """One daemon, started at once. Its files live in a folder that outlives it."""

    def __init__(self, room: Path, control: Control, flags: list[str]) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCKD_")}
        environment |= {"LD_PRELOAD": os.environ["TORTURE_INTERPOSER"], "TORTURE_CONTROL": str(control.path)}
        self._stderr = room / "stderr"
        with self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen([os.environ["LOCKD_BINARY"], *flags], env=environment, stderr=stderr,
                                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self._watchdog = threading.Timer(6 * PATIENCE_SECONDS, self._process.kill)  # should all else hang
        self._watchdog.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ready(self, count: int) -> list[str]:
        """The addresses of so many listeners, or fewer, if it ended before."""
        assert self._process.stdout is not None
        uris = []
        for _ in range(count):
            line = self._process.stdout.readline().decode()
            if not line:
                break
            matched = re.fullmatch(r"listening on (\S+)\n", line)
            if matched is None:
                raise Finding(f"the ready line is {line!r}")
            uris.append(matched[1])
        return uris

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def terminate(self) -> None:
        self._process.terminate()

    def exit_code(self) -> int:
        """Of one that is ending."""
        try:
            return self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise Finding("it does not end") from None

    def ended_by_itself(self) -> bool:
        """Whether it ends, with status 1 and words to say why; in another way it may not end."""
        try:
            self._process.wait(PATIENCE_SECONDS)  # who has closed his sockets may have more to do before he is gone
        except subprocess.TimeoutExpired:
            return False
        code, words = self._process.returncode, self.stderr()
        if code != 1:
            raise Finding(f"it ended with {code}; stderr: {words}")
        if not re.search(r"^lockd(:| ends:) | (error|critical): ", words, re.MULTILINE):
            raise Finding(f"it ended without saying why; stderr: {words}")
        return True

    def stderr(self) -> str:
        return self._stderr.read_text(errors="backslashreplace")

    def kill(self) -> None:
        """Whatever state it is in."""
        self._watchdog.cancel()
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def eventually(condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause_seconds = 0.002
    while not condition():
        if time.monotonic() > deadline:
            raise Finding(f"never comes true: {what}")
        time.sleep(pause_seconds)
        pause_seconds = min(2 * pause_seconds, 0.05)
