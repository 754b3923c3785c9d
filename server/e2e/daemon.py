"""Runs the real daemon for a test and looks at it from outside: stdout, stderr, /proc, exit code.

LOCKD_BINARY names the daemon. It gets this environment, sanitizer options and all, less the LOCKD_ variables. By hand:

    LOCKD_BINARY=../../build/release/server/lockd python3 -B -m unittest -v hostile_lines_test.Lines
"""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from client import TIME_SCALE, Client, LineReader

MIB = 1 << 20
# A sanitizer's allocator keeps what was freed and never packs tightly: its memory says nothing about the daemon's.
MEMORY_IS_MEASURED = os.environ.get("LOCKD_SANITIZED", "0") == "0"
LOOPBACK = "tcp://127.0.0.1:0"
START_SECONDS = 20.0
STOP_SECONDS = 2.0  # what the daemon promises after SIGTERM and SIGINT


def eventually(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Polls until the condition holds; fails after that many seconds (scaled). Returns the seconds that it took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds * TIME_SCALE:
            raise AssertionError(f"not within {seconds * TIME_SCALE:.1f} s: {what}")
        time.sleep(0.005)
    return time.monotonic() - start


def wait_until_still(observer: Client, counter: str) -> int:
    """Polls until a counter stays for 0.3 s, and returns it: whoever moved it is done, or is not read any more."""
    seen, since = -1, time.monotonic()

    def is_still() -> bool:
        nonlocal seen, since
        if (now := observer.counters()[counter]) != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since > 0.3 * TIME_SCALE

    eventually(is_still, 30, f"{counter} stays the same")
    return seen


def daemon_environment(changes: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOCKD_")}
    return inherited | dict(changes)


def daemon_command(flags: Sequence[str], wrapper: Sequence[str] = ()) -> list[str]:
    return [*wrapper, os.environ["LOCKD_BINARY"], *flags]


def descriptor_limit(soft: int, hard: int) -> list[str]:
    """A wrapper that starts the daemon under these limits."""
    return ["prlimit", f"--nofile={soft}:{hard}"]


def without_sanitizer_report(stderr: str) -> None:
    if re.search(r"Sanitizer|runtime error:", stderr):
        raise AssertionError(f"a sanitizer has something to say:\n{stderr}")


def run_to_exit(
    *flags: str, environment: Mapping[str, str] | None = None, wrapper: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """A run that is to end by itself: --help, --version, and everything that the daemon refuses."""
    finished = subprocess.run(
        daemon_command(flags, wrapper),
        env=daemon_environment(environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_SECONDS * TIME_SCALE,
    )
    without_sanitizer_report(finished.stderr)
    return finished


def check_growth(grown_bytes: int, most_bytes: int) -> None:
    if MEMORY_IS_MEASURED and grown_bytes > most_bytes:
        raise AssertionError(f"its memory grew by {grown_bytes / MIB:.1f} MiB")


def run_tool(*command: str) -> None:
    """Runs a tool that has to succeed."""
    subprocess.run(command, check=True, capture_output=True, text=True)


class Daemon:
    """One running daemon, ready to be connected to. Made by DaemonTestCase.daemon(), which also ends it."""

    def __init__(
        self,
        flags: Sequence[str],
        listen: Sequence[str],
        listeners: int | None = None,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
        umask: int = -1,
    ) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="lockd-e2e-")
        self._stderr_path = Path(self._directory.name) / "stderr"
        listen_flags = [word for uri in listen for word in ("--listen", uri)]
        with self._stderr_path.open("wb") as stderr:
            self._process = subprocess.Popen(
                daemon_command([*listen_flags, *flags], wrapper),
                env=daemon_environment(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
                umask=umask,
            )
        assert self._process.stdout is not None
        self._stdout = LineReader(self._process.stdout.fileno())
        self.pid = self._process.pid
        self.uris: list[str] = []
        try:
            for _ in range(len(listen) if listeners is None else listeners):
                self.uris.append(self._listening_line())
        except BaseException:
            self.kill()
            raise

    def _listening_line(self) -> str:
        try:
            line = self._stdout.line(START_SECONDS).decode()
        except AssertionError as error:
            raise AssertionError(f"{error}; stderr: {self.stderr()}") from error
        matched = re.fullmatch(r"listening on (\S+)", line)
        if matched is None:
            raise AssertionError(f"the ready line is {line!r}")
        return matched.group(1)

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def pause(self) -> None:
        """Stops the process (SIGSTOP): what clients do now reaches only the kernel, until resume()."""
        self.send_signal(signal.SIGSTOP)
        eventually(lambda: self.stat_fields()[0] in "Tt", 5, "the daemon is stopped")

    def resume(self) -> None:
        self.send_signal(signal.SIGCONT)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Shuts down and checks all that a shutdown promises. Returns the seconds that it took."""
        start = time.monotonic()
        self.send_signal(number)
        try:
            code = self._process.wait(STOP_SECONDS * TIME_SCALE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {STOP_SECONDS * TIME_SCALE} s after {number.name}") from None
        seconds = time.monotonic() - start
        without_sanitizer_report(self.stderr())
        if code != 0:
            raise AssertionError(f"exit code {code}; stderr: {self.stderr()}")
        if printed := self._stdout.to_end():
            raise AssertionError(f"more on stdout than the ready lines: {printed!r}")
        if left := processes_of_session(self.pid):
            raise AssertionError(f"processes left behind: {left}")
        return seconds

    def kill(self) -> None:
        """kill -9: nothing is tidied up."""
        self._process.kill()
        self._process.wait()

    def finish(self) -> None:
        """The end of a test: a shutdown, unless the test did that itself."""
        try:
            if self._process.poll() is None:
                self.resume()
                self.stop()
            elif self._process.returncode not in (0, -signal.SIGKILL):
                raise AssertionError(f"the daemon died: {self._process.returncode}; stderr: {self.stderr()}")
            without_sanitizer_report(self.stderr())
        finally:
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._directory.cleanup()

    def stderr(self) -> str:
        return self._stderr_path.read_text(errors="backslashreplace")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def watched_sockets(self) -> list[set[int]]:
        """For each epoll set the sockets in it, as descriptors of the daemon. An event loop may have several."""
        process = Path(f"/proc/{self.pid}")
        sockets = {int(link.name) for link in (process / "fd").iterdir() if os.readlink(link).startswith("socket:")}
        infos = [path.read_text() for path in (process / "fdinfo").iterdir()]
        sets = [{int(number) for number in re.findall(r"^tfd:\s*(\d+)", info, re.MULTILINE)} for info in infos]
        return [each & sockets for each in sets if each]

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def children(self) -> list[int]:
        tasks = Path(f"/proc/{self.pid}/task")
        return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]

    def descriptor_limits(self) -> tuple[int, int]:
        return resource.prlimit(self.pid, resource.RLIMIT_NOFILE)

    def peak_bytes(self) -> int:
        """The most resident memory that it ever had."""
        return self._bytes_of("VmHWM")

    def resident_bytes(self) -> int:
        """What it has now, without the pages of files."""
        return self._bytes_of("RssAnon")

    def _bytes_of(self, line: str) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        matched = re.search(rf"^{line}:\s+(\d+) kB$", status, re.MULTILINE)
        assert matched is not None
        return int(matched.group(1)) * 1024

    def peak_stays_within(self, grown_bytes: int, before: int) -> None:
        """That its peak is at most so much beyond what it was."""
        check_growth(self.peak_bytes() - before, grown_bytes)

    def resident_stays_within(self, grown_bytes: int, before: int) -> None:
        check_growth(self.resident_bytes() - before, grown_bytes)

    def cpu_seconds(self) -> float:
        """Processor time used so far, in user and system mode."""
        fields = self.stat_fields()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_idle_for(self, seconds: float) -> None:
        """Checks that it takes no processor time by itself: one that spins does, however busy the machine is."""
        before, start = self.cpu_seconds(), time.monotonic()
        time.sleep(seconds)  # a window to measure in
        share = (self.cpu_seconds() - before) / (time.monotonic() - start)
        if share >= 0.05:
            raise AssertionError(f"the daemon takes {share:.2f} of a core, and nobody asks it for anything")

    def stat_fields(self) -> list[str]:
        """/proc/PID/stat from the state on."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()


def processes_of_session(session: int) -> list[int]:
    """The processes of a session of the kernel's (setsid) that are still there."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                found.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has gone meanwhile
    return found


class DaemonTestCase(unittest.TestCase):
    """A test of the running daemon: what it starts and connects is ended, and checked, after it."""

    def daemon(
        self,
        *flags: str,
        listen: Sequence[str] = (LOOPBACK,),
        listeners: int | None = None,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
        umask: int = -1,
    ) -> Daemon:
        """Starts a daemon and waits until it is ready."""
        daemon = Daemon(flags, listen, listeners, environment, wrapper, umask)
        self.addCleanup(daemon.finish)
        return daemon

    def connect(self, daemon: Daemon, listener: int = 0, receive_buffer_bytes: int | None = None) -> Client:
        client = Client(daemon.uris[listener], receive_buffer_bytes)
        self.addCleanup(client.close)
        return client

    def temporary_directory(self) -> Path:
        directory = tempfile.TemporaryDirectory(prefix="lockd-e2e-")
        self.addCleanup(directory.cleanup)
        return Path(directory.name)

    def network_namespace(self, purpose: str) -> str:
        """A network namespace of the kernel's for this test alone. Where none can be made, the test is skipped."""
        name = f"lockd-e2e-{purpose}-{os.getpid()}"
        try:
            run_tool("ip", "netns", "add", name)
        except (OSError, subprocess.CalledProcessError) as error:
            self.skipTest(f"no network namespaces here: {getattr(error, 'stderr', '') or error}")
        self.addCleanup(run_tool, "ip", "netns", "del", name)
        return name
