"""What the daemon says to the service manager that started it: ready, stopping, and that all its threads are alive."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from client import TIME_SCALE
from daemon import LOOPBACK, DaemonTestCase, eventually, run_to_exit

WAIT_SECONDS = 20.0
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000  # waitpid() waits for threads too


class ServiceManager:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, name: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.environment = {"NOTIFY_SOCKET": name}

    def hear(self, seconds: float = WAIT_SECONDS) -> list[str]:
        """The lines of the next message."""
        self._socket.settimeout(seconds * TIME_SCALE)
        return self._socket.recv(4096).decode().split("\n")

    def hear_nothing(self, seconds: float) -> None:
        try:
            heard = self.hear(seconds)
        except (TimeoutError, BlockingIOError):
            return
        raise AssertionError(f"it says {heard}")

    def close(self) -> None:
        self._socket.close()


class NotifiedTestCase(DaemonTestCase):
    def service_manager(self, name: str = "") -> ServiceManager:
        manager = ServiceManager(name or f"{self.temporary_directory()}/notify")
        self.addCleanup(manager.close)
        return manager


class Notifications(NotifiedTestCase):
    def check_ready_and_stopping(self, name: str) -> None:
        manager, state = self.service_manager(name), self.temporary_directory()
        daemon = self.daemon("--state-dir", str(state), listen=[LOOPBACK] * 2, environment=manager.environment)
        ready, status = manager.hear()
        self.assertEqual(ready, "READY=1")
        self.assertRegex(status, r"^STATUS=Serving at 2 addresses, \d+ connections at most$")
        self.assertTrue((state / "tokens").exists())
        for listener in range(2):
            self.connect(daemon, listener).expect("ping", "1 pong")
        daemon.stop()
        self.assertEqual(manager.hear(), ["STOPPING=1", "STATUS=Stopping after signal 15"])

    def test_ready_and_stopping(self) -> None:
        self.check_ready_and_stopping("")

    def test_a_socket_of_an_abstract_name(self) -> None:
        with tempfile.TemporaryDirectory() as unique:
            self.check_ready_and_stopping(f"@{unique}")

    def test_who_does_not_start_is_not_ready(self) -> None:
        manager = self.service_manager()
        missing = f"{self.temporary_directory()}/missing"
        finished = run_to_exit("--listen", LOOPBACK, "--pidfile", f"{missing}/pid", environment=manager.environment)
        self.assertEqual(finished.returncode, 1)
        manager.hear_nothing(0)

    def test_a_service_manager_that_is_gone_is_a_line_in_the_log(self) -> None:
        nobody = f"{self.temporary_directory()}/nobody"
        daemon = self.daemon(environment={"NOTIFY_SOCKET": nobody})
        self.connect(daemon).expect("ping", "1 pong")
        eventually(lambda: "NOTIFY_SOCKET: No such file or directory" in daemon.stderr(), 20, "it says so")

    def test_no_watchdog_unless_asked_for(self) -> None:
        manager = self.service_manager()
        self.daemon(environment=manager.environment)
        self.assertEqual(manager.hear()[0], "READY=1")
        manager.hear_nothing(0.3)


class Journal(DaemonTestCase):
    """What is written to the journal (JOURNAL_STREAM) begins with its priority, and has no time of its own."""

    def setUp(self) -> None:
        self.journal = self.temporary_directory() / "journal"
        self.journal.touch()
        found = self.journal.stat()
        self.environment = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        self.wrapper = ["sh", "-c", f'exec "$0" "$@" 2>>{self.journal}']

    def test_a_line_for_each_event(self) -> None:
        environment = self.environment | {"NOTIFY_SOCKET": "/nowhere/notify"}
        daemon = self.daemon(environment=environment, wrapper=self.wrapper)
        self.connect(daemon).expect("ping", "1 pong")
        daemon.stop()
        lines = self.journal.read_text().splitlines()
        self.assertIn(f"<6>listening on {daemon.uris[0]}", lines)
        self.assertIn("<6>signal 15: shutting down", lines)
        self.assertEqual(
            [line for line in lines if not line.startswith("<6>")],
            [
                "<4>NOTIFY_SOCKET: No such file or directory: the service manager is not told READY=1",
                "<4>NOTIFY_SOCKET: No such file or directory: the service manager is not told STOPPING=1",
            ],
        )

    def test_what_keeps_it_from_starting_is_an_error(self) -> None:
        for flags, status, line in (
            (["--nonsense"], 2, "<3>lockd: no flag --nonsense; see lockd --help\n"),
            (["--pidfile", "/nowhere/pid"], 1, "<3>lockd: --pidfile /nowhere/pid: No such file or directory: make the "
                                               "folder, or take another path\n"),
        ):
            self.journal.write_text("")
            flags = ["--listen", LOOPBACK, "--log-level", "off", *flags]
            finished = run_to_exit(*flags, environment=self.environment, wrapper=self.wrapper)
            self.assertEqual((finished.returncode, self.journal.read_text()), (status, line))

    def test_the_journal_of_another_stream(self) -> None:
        """A program that a service starts inherits the variable; where its lines go is another matter."""
        daemon = self.daemon(environment=self.environment)
        self.assertRegex(daemon.stderr(), r"^\d{4}-\d\d-\d\dT\S+ info: ")


def trace(request: int, thread: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(request, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextmanager
def stuck(thread: int) -> Iterator[None]:
    """One thread of another process stands still, and its others go on."""
    trace(PTRACE_SEIZE, thread)
    trace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        trace(PTRACE_DETACH, thread)


class WatchdogTest(NotifiedTestCase):
    def check_a_stuck_thread(self, number: int) -> None:
        manager = self.service_manager()
        environment = manager.environment | {"WATCHDOG_USEC": "100000"}
        daemon = self.daemon("--threads", "3", environment=environment)
        self.assertEqual(manager.hear()[0], "READY=1")
        for _ in range(3):
            self.assertEqual(manager.hear(), ["WATCHDOG=1"])
        threads = sorted(int(task.name) for task in Path(f"/proc/{daemon.pid}/task").iterdir())
        try:
            with stuck(threads[number]):
                self.hear_the_last(manager)
        except PermissionError:
            self.skipTest("no thread may be stopped here (ptrace)")
        self.assertEqual(manager.hear(), ["WATCHDOG=1"])

    def hear_the_last(self, manager: ServiceManager) -> None:
        """What was said before the thread was stopped has come; then silence, for ten times as long as it may be."""
        for _ in range(1000):
            try:
                manager.hear(0.01)
            except TimeoutError:
                break
        manager.hear_nothing(1.0)

    def test_the_first_thread_is_stuck(self) -> None:
        self.check_a_stuck_thread(0)

    def test_another_thread_is_stuck(self) -> None:
        self.check_a_stuck_thread(2)

    def test_a_watchdog_for_another_process(self) -> None:
        manager = self.service_manager()
        environment = manager.environment | {"WATCHDOG_USEC": "2000", "WATCHDOG_PID": "1"}
        self.daemon(environment=environment)
        self.assertEqual(manager.hear()[0], "READY=1")
        manager.hear_nothing(0.3)

    def test_a_timeout_that_is_no_number(self) -> None:
        environment = {"WATCHDOG_USEC": "soon", "NOTIFY_SOCKET": "/nowhere"}
        finished = run_to_exit("--listen", LOOPBACK, "--log-level", "off", environment=environment)
        self.assertEqual((finished.returncode, finished.stderr), (1, "lockd: WATCHDOG_USEC: Invalid argument\n"))

    def test_S6_it_stops_under_a_watchdog(self) -> None:
        manager = self.service_manager()
        daemon = self.daemon("--threads", "4", environment=manager.environment | {"WATCHDOG_USEC": "2"})
        self.connect(daemon).expect("ping", "1 pong")
        daemon.stop(signal.SIGTERM)
