"""Commands of which nothing is left when they are ended, whatever they have started."""

import itertools
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

MARK = "CI_CHILD"  # in the environment of a command and of all that it starts: also of what has left its process group
SECONDS_TO_DIE = 5.0

_numbers = itertools.count()


class Stopped(Exception):
    """Somebody has asked for an end."""


class Children:
    """The commands that run now, of all threads, so that they can be stopped. Each has a process group of its own."""

    def __init__(self) -> None:
        self._running: dict[int, str] = {}  # process group -> mark
        self._stopping = False
        self._lock = threading.RLock()  # a signal's handler comes in between

    def run(self, command: list, seconds_max: float | None = None, env: dict[str, str] | None = None,
            **options) -> int | None:
        """Its exit status, or None if it did not end in time. Nothing of it is left running."""
        mark = f"{os.getpid()}.{next(_numbers)}"
        environment = (os.environ if env is None else env) | {MARK: mark}
        with self._lock:
            self._refuse_if_stopping()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, env=environment,
                                       **options)
            self._running[process.pid] = mark
        try:
            return process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            return None
        finally:
            kill_all(process.pid, mark)
            process.wait()
            with self._lock:
                del self._running[process.pid]
                self._refuse_if_stopping()  # its status says nothing

    def stop(self) -> None:
        with self._lock:
            self._stopping = True
            for group, mark in self._running.items():
                kill_all(group, mark)

    def _refuse_if_stopping(self) -> None:
        if self._stopping:
            raise Stopped


def kill_all(group: int, mark: str) -> None:
    """Who starts others is killed first, as a rule; those that come to light later have their turn, too."""
    kill(os.killpg, group)
    end = time.monotonic() + SECONDS_TO_DIE
    while (marked := processes_with(mark)) and time.monotonic() < end:
        for process in marked:
            kill(os.kill, process)
        time.sleep(0.01)


def kill(send, whom: int) -> None:
    try:
        send(whom, signal.SIGKILL)
    except ProcessLookupError:
        pass


def processes_with(mark: str) -> list[int]:
    """Those that live and have it."""
    wanted = f"{MARK}={mark}".encode()
    return [int(entry.name) for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and wanted in environment_of(entry)]


def environment_of(entry: Path) -> list[bytes]:
    """Nothing of one that has gone, or is somebody else's."""
    try:
        return (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
