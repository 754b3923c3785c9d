"""Commands that run in process groups of their own, so that nothing of them is left when they are ended."""

import os
import signal
import subprocess
import threading


class Stopped(Exception):
    """Somebody has asked for an end."""


class Children:
    """The process groups that run now, of all threads, so that they can be stopped."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._stopping = False
        self._lock = threading.RLock()  # a signal's handler comes in between

    def run(self, command: list, seconds_max: float | None = None, **options) -> int | None:
        """Its exit status, or None if it did not end in time. Nothing of it is left running."""
        with self._lock:
            self._refuse_if_stopping()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
            self._running.add(process.pid)
        try:
            return process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            return None
        finally:
            kill_group(process.pid)
            process.wait()
            with self._lock:
                self._running.discard(process.pid)
                self._refuse_if_stopping()  # its status says nothing

    def stop(self) -> None:
        with self._lock:
            self._stopping = True
            for group in self._running:
                kill_group(group)

    def _refuse_if_stopping(self) -> None:
        if self._stopping:
            raise Stopped


def kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
