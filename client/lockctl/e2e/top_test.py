"""lockctl top at a terminal: its screens, keys and signals, and that the terminal is as it was afterwards."""

from __future__ import annotations

import codecs
import os
import re
import select
import signal
import subprocess
import termios
import time

from client import TIME_SCALE
from daemon import eventually
from lockctl import LOCKCTL, environment_of, state_of
from screen import Screen
from terminal_test import CTRL_C, CTRL_Z, TerminalTestCase, take_terminal

# What is another one in each run: numbers of the moment, addresses, the version.
MOMENT = [(r"\d\d:\d\d:\d\d", "HH:MM:SS"), (r"127\.0\.0\.1:\d+", "ADDRESS"), (r"lockd \d+\.\d+\.\d+", "lockd X.Y.Z"),
          (r"/s +(\d+|-)", "/s N"), (r"\d+ms|\d+\.\ds", "T"), (r" {2,}", "  ")]


class TopOnTerminal(TerminalTestCase):
    COLUMNS, ROWS = 80, 24

    def setUp(self) -> None:
        super().setUp()
        termios.tcsetwinsize(self.slave, (self.ROWS, self.COLUMNS))
        self.screen = Screen(self.COLUMNS, self.ROWS)
        self.before = termios.tcgetattr(self.slave)
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.pending = ""

    def top(self, *options: str, term: str = "xterm", has_keys: bool = True) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([LOCKCTL, "top", *options], stdin=self.slave if has_keys else subprocess.DEVNULL,
                                   stdout=self.slave, stderr=subprocess.PIPE, start_new_session=True,
                                   preexec_fn=take_terminal if has_keys else None,
                                   env=environment_of(self.uri, TERM=term))
        assert process.stderr is not None
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def read(self, seconds: float) -> bool:
        """Draws what has come."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.pending += self.decoder.decode(os.read(self.master, 65536))
        begun = re.search(r"\x1b(\[[?0-9;]*)?\Z", self.pending)  # a sequence that is not whole yet
        end = begun.start() if begun else len(self.pending)
        self.screen.feed(self.pending[:end])
        self.pending = self.pending[end:]
        return True

    def drain(self) -> None:
        while self.read(0):
            pass
        self.assertEqual(self.pending, "")

    def shown(self) -> list[str]:
        lines = self.screen.lines()
        for pattern, replacement in MOMENT:
            lines = [re.sub(pattern, replacement, line) for line in lines]
        return [line.strip() for line in lines]

    def expect_screen(self, *lines: str) -> None:
        """Until the screen is so."""
        deadline = time.monotonic() + 20 * TIME_SCALE
        while self.shown() != list(lines):
            self.assertLess(time.monotonic(), deadline, "\n".join(["", *self.shown(), "instead of", *lines]))
            self.read(0.1)

    def expect_line(self, pattern: str) -> None:
        deadline = time.monotonic() + 20 * TIME_SCALE
        while not any(re.search(pattern, line) for line in self.shown()):
            self.assertLess(time.monotonic(), deadline, "\n".join(["", *self.shown(), f"instead of {pattern}"]))
            self.read(0.1)

    def check_restored(self) -> None:
        """When it has ended."""
        self.drain()
        self.assertEqual(termios.tcgetattr(self.slave), self.before)
        self.assertFalse(self.screen.is_second)
        self.assertTrue(self.screen.is_cursor_shown)

    def test_a_screen(self) -> None:
        holder = self.hold("nightly report")
        holder.expect("iam worker one", "1 ok")
        waiter = self.connect(self.server)
        waiter.send("gw 600000 nightly report\n")
        self.wait_for_line("nightly report", 1)
        self.hold("\x1b[2Jclear", "sg")
        self.top("-i", "0.1")
        self.expect_screen(
            "lockctl top  tcp://ADDRESS  lockd X.Y.Z  HH:MM:SS",
            "requests/s N  acquires/s N  waits/s N  timeouts/s N",
            "connections  5  exclusive  1  shared  1  holders  2",
            "waiters  1  longest line  1  oldest  T  refusals/s N",
            "",
            "> LINE  OLDEST  HELD  MODE  KEY  HOLDER<",
            "1  T  T  excl  nightly report  worker one",
            "-  -  T  shared  \\x1B[2Jclear  ADDRESS",
        )
        holder.close()
        self.expect_line("^-  -  T  excl  nightly report  ADDRESS$")

    def test_q_ends_it(self) -> None:
        process = self.top()
        self.expect_line("HOLDER")
        self.assertTrue(self.screen.is_second)
        self.assertFalse(self.screen.is_cursor_shown)
        self.type(b"xyz q")
        self.assertEqual(process.wait(), 0)
        self.check_restored()

    def test_so_does_Q(self) -> None:
        process = self.top()
        self.expect_line("HOLDER")
        self.type(b"Q")
        self.assertEqual(process.wait(20 * TIME_SCALE), 0)
        self.check_restored()

    def test_input_that_is_no_terminal_does_not(self) -> None:
        process = self.top("-i", "0.1", has_keys=False)
        self.expect_line("HOLDER")
        self.hold("k")
        self.expect_line("^-  -  T  excl  k  ADDRESS$")
        process.terminate()
        self.assertEqual(process.wait(20 * TIME_SCALE), 128 + signal.SIGTERM)
        self.check_restored()

    def test_signals_end_it(self) -> None:
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT:
            process = self.top()
            self.expect_line("HOLDER")
            if number == signal.SIGINT:
                self.type(CTRL_C)
            else:
                process.send_signal(number)
            self.assertEqual(process.wait(), 128 + number)
            self.check_restored()

    def test_a_server_that_ends(self) -> None:
        process = self.top("-i", "0.1")
        self.expect_line("HOLDER")
        self.server.stop()
        self.assertEqual(process.wait(), 69)
        self.check_restored()
        assert process.stderr is not None
        self.assertRegex(process.stderr.read().decode(), r"\Alockctl: [^\n]*\n\Z")

    def test_a_server_that_hangs_does_not_keep_anybody(self) -> None:
        for key, status in (CTRL_C, 130), (b"q", 0):
            process = self.top("-i", "0.1")
            self.expect_line("HOLDER")
            os.kill(self.server.pid, signal.SIGSTOP)
            self.addCleanup(os.kill, self.server.pid, signal.SIGCONT)
            while self.read(0.5):  # so that it most probably waits for an answer
                pass
            self.type(key)
            self.assertEqual(process.wait(), status)
            self.check_restored()
            os.kill(self.server.pid, signal.SIGCONT)

    def test_a_new_size(self) -> None:
        for number in range(20):
            self.hold(f"key{number}")
        self.top("-i", "3600")
        self.expect_line("^and 3 more$")
        self.assertEqual(len(self.screen.lines()), 24)
        self.drain()
        self.screen = Screen(132, 50)
        termios.tcsetwinsize(self.slave, (50, 132))
        eventually(lambda: self.read(0.1) and len(self.screen.lines()) == 26, 20, "all of them fit")

    def test_ctrl_z(self) -> None:
        process = self.top("-i", "0.1")
        self.expect_line("HOLDER")
        self.type(CTRL_Z)
        eventually(lambda: state_of(process.pid) == "T", 20, "it is stopped")
        self.check_restored()
        process.send_signal(signal.SIGCONT)
        self.expect_line("HOLDER")
        self.assertTrue(self.screen.is_second)
        self.type(b"q")
        self.assertEqual(process.wait(), 0)
        self.check_restored()

    def test_so_many_looks(self) -> None:
        process = self.top("-i", "0.1", "--count", "2")
        self.assertEqual(process.wait(), 0)
        self.check_restored()

    def test_a_server_that_does_not_list(self) -> None:
        self.server = self.daemon("--no-dump")
        self.top()
        self.expect_line("this server does not list its locks")

    def test_more_locks_than_anybody_reads(self) -> None:
        """They are counted, and not listed each second."""
        holder = self.connect(self.server)
        holder.send("".join(f"sg {number}\n" for number in range(20_001)))
        for _ in range(20_001):
            self.assertTrue(holder.line().startswith(b"1 "))
        process = self.top()
        self.expect_line("^more than 20000 holders and waiters: too many to list$")
        self.expect_line("shared  20001  holders  20001$")
        self.type(b"q")
        self.assertEqual(process.wait(20 * TIME_SCALE), 0)

    def test_a_terminal_that_knows_nothing(self) -> None:
        process = self.top("-i", "0.1", "--count", "1", term="dumb")
        self.assertEqual(process.wait(), 0)
        printed = os.read(self.master, 65536).decode()
        self.assertNotIn("\x1b", printed)
        self.assertEqual(len(printed.splitlines()), 2)
