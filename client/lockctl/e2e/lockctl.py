"""Runs lockctl for a test, against a daemon of the test's own.

LOCKCTL_BINARY names it, LOCKD_BINARY the daemon. By hand:

    LOCKD_BINARY=../../../build/release/server/lockd LOCKCTL_BINARY=../../../build/release/client/lockctl/lockctl \\
        PYTHONPATH=../../../server/e2e:../../e2e python3 -B -m unittest -v run_test
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from client import TIME_SCALE, Client, LineReader
from daemon import Daemon, DaemonTestCase, daemon_environment, eventually, without_sanitizer_report

LOCKCTL = os.environ["LOCKCTL_BINARY"]
END_SECONDS = 30.0

# A child that says which signals reach it: "ready", then a line for each of those in its arguments.
TRAPPING = """
import signal, sys
for name in sys.argv[1:]:
    signal.signal(signal.Signals[name], lambda number, frame: print(signal.Signals(number).name, flush=True))
print("ready", flush=True)
while True:
    signal.pause()
"""


def trapping(*names: str) -> list[str]:
    return [sys.executable, "-c", TRAPPING, *names]


def in_a_group_of_its_own(*names: str) -> list[str]:
    return [sys.executable, "-c", f"import os\nos.setpgid(0, 0)\n{TRAPPING}", *names]


def environment_of(uri: str, **changes: str) -> dict[str, str]:
    return daemon_environment({"LOCKD_SERVER": uri, "LC_ALL": "C.UTF-8", **changes})


def state_of(pid: int) -> str:
    """A process's state as /proc has it, "" once it is gone, Z for one that has ended and not been waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def has_ended(pid: int) -> bool:
    return state_of(pid) in ("", "Z", "X")


def children_of(parent: int) -> dict[int, str]:
    """Their names by their ids."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text(errors="replace").partition("(")[2].rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(rest.split()[1]) == parent:
            children[int(stat.parent.name)] = name
    return children


def warden_of(lockctl: int) -> int:
    """The second process of a lockctl that runs a command."""
    wardens = [child for child, name in children_of(lockctl).items() if name == "lockctl-warden"]
    assert len(wardens) == 1, wardens
    return wardens[0]


class Running:
    """A lockctl that runs. Made by LockctlTestCase.start(), which also ends it."""

    def __init__(self, uri: str, arguments: tuple[str, ...], **options: Any) -> None:
        options = {"stdin": subprocess.DEVNULL, "start_new_session": True, "env": environment_of(uri)} | options
        self.process = subprocess.Popen(
            [LOCKCTL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )
        assert self.process.stdout is not None
        self._reader = LineReader(self.process.stdout.fileno())
        self.pid = self.process.pid

    def line(self) -> str:
        return self._reader.line().decode()

    def expect(self, *lines: str) -> None:
        for line in lines:
            if (got := self.line()) != line:
                raise AssertionError(f"it printed {got!r}, not {line!r}")

    def rest(self) -> str:
        return self._reader.to_end().decode()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(END_SECONDS * TIME_SCALE)

    def stderr(self) -> str:
        """All of it; to be asked when it has ended."""
        assert self.process.stderr is not None
        text = self.process.stderr.read().decode()
        without_sanitizer_report(text)
        return text

    def finish(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in self.process.stdin, self.process.stdout, self.process.stderr:
            if stream is not None:
                stream.close()


class LockctlTestCase(DaemonTestCase):
    """A test with a daemon, an observer's connection to it, and lockctl."""

    def setUp(self) -> None:
        self.server = self.daemon()
        self.observer = self.connect(self.server)

    @property
    def uri(self) -> str:
        return self.server.uris[0]

    def lockctl(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """One run to its end, as a session of its own: without a terminal."""
        environment = environment_of(self.uri) | options.pop("env", {})
        options = {"stdin": subprocess.DEVNULL, "start_new_session": True, "errors": "surrogateescape"} | options
        if "stdout" not in options:
            options |= {"stdout": subprocess.PIPE}
        finished = subprocess.run(
            [LOCKCTL, *arguments], env=environment, stderr=subprocess.PIPE, text=True,
            timeout=END_SECONDS * TIME_SCALE, **options,
        )
        without_sanitizer_report(finished.stderr)
        return finished

    def start(self, *arguments: str, **options: Any) -> Running:
        running = Running(self.uri, arguments, **options)
        self.addCleanup(running.finish)
        return running

    def hold(self, key: str, verb: str = "g") -> Client:
        """A connection that holds a key."""
        holder = self.connect(self.server)
        assert not holder.ask(f"{verb} {key}").startswith(b"0")
        return holder

    def wait_for_line(self, key: str, count: int, verb: str = "iw") -> None:
        """Until so many stand in line for a key."""
        eventually(lambda: int(self.observer.ask(f"{verb} {key}").split()[0]) == count, 20, f"{count} wait for {key}")

    def expect_output(self, *arguments: str, stdout: str, status: int = 0) -> None:
        finished = self.lockctl(*arguments)
        self.assertEqual((finished.stdout, finished.stderr, finished.returncode), (stdout, "", status), arguments)

    def expect_refusal(self, *arguments: str, status: int, says: str, **options: Any) -> None:
        """One line on stderr in which it says what is wrong, nothing on stdout, and that exit status."""
        finished = self.lockctl(*arguments, **options)
        self.assertEqual(finished.returncode, status, finished.stderr)
        self.assertEqual(finished.stdout or "", "")
        self.assertRegex(finished.stderr, r"\Alockctl[^\n]*\n\Z")
        self.assertIn(says, finished.stderr)


__all__ = ["Daemon", "LockctlTestCase", "Running"]
