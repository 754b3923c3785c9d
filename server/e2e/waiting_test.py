"""Waiting in line, over real connections and several threads. (What a single server does in what order, the scenarios
say; here is what needs time, threads, processes or a disk.)"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from client import Client
from daemon import LOOPBACK, Daemon, DaemonTestCase, eventually, run_to_exit


def number_in(line: bytes) -> int:
    """The number with which a reply begins."""
    return int(line.split()[0])


class Lines(DaemonTestCase):
    def waiters(self, onlooker: Client, key: str) -> int:
        return number_in(onlooker.ask(f"iw {key}"))

    def test_W1_a_timeout_is_never_early(self) -> None:
        daemon = self.daemon("--threads", "2")
        holder, waiter = self.connect(daemon), self.connect(daemon)
        holder.expect("g k", "1 Lock Get Success: k")
        for milliseconds in 1, 10, 150:
            start = time.monotonic()
            waiter.expect(f"gw {milliseconds} k", "0 Lock Get Timeout: k")
            self.assertGreaterEqual(time.monotonic() - start, milliseconds / 1000)

    def test_W2_a_waiter_that_is_killed_leaves_the_line(self) -> None:
        daemon = self.daemon("--threads", "4")
        holder = self.connect(daemon)
        holder.expect("g k", "1 Lock Get Success: k")
        host, port = daemon.uris[0].removeprefix("tcp://").split(":")
        waiting = "import socket,sys; s = socket.create_connection(sys.argv[1:]); s.send(b'gw 600000 k\\n'); s.recv(1)"
        with subprocess.Popen([sys.executable, "-c", waiting, host, port]) as process:
            eventually(lambda: self.waiters(holder, "k") == 1, 20, "it waits")
            process.kill()
        eventually(lambda: self.waiters(holder, "k") == 0, 10, "it has left")

    def test_W3_W4_first_come_first_served_across_threads(self) -> None:
        daemon = self.daemon("--threads", "4")
        holder = self.connect(daemon)
        holder.expect("g k", "1 Lock Get Success: k")
        line = [self.connect(daemon) for _ in range(40)]
        for position, waiter in enumerate(line):
            waiter.send("gw 600000 k\nt k\nr k\n")
            eventually(lambda: self.waiters(holder, "k") == position + 1, 20, "it waits")
        holder.expect("r k", "1 Lock Release Success: k")
        tokens = []
        for waiter in line:
            waiter.expect_lines("1 Lock Get Success: k")
            tokens.append(number_in(waiter.line()))
            waiter.expect_lines("1 Lock Release Success: k")
        self.assertEqual(tokens, sorted(tokens))

    def test_W4_a_thousand_that_each_release_at_once(self) -> None:
        daemon = self.daemon("--threads", "4")
        holder = self.connect(daemon)
        holder.expect("g k", "1 Lock Get Success: k")
        line = [self.connect(daemon) for _ in range(1000)]
        for waiter in line:
            waiter.send("gw 600000 k\nr k\n")
        eventually(lambda: self.waiters(holder, "k") == len(line), 20, "all wait")
        holder.expect("r k", "1 Lock Release Success: k")
        for waiter in line:
            waiter.expect_lines("1 Lock Get Success: k", "1 Lock Release Success: k")
        holder.expect("i k", "0 Lock Not Locked: k")

    def test_W5_S2_a_line_that_is_gone_at_once(self) -> None:
        daemon = self.daemon("--threads", "4")
        holder = self.connect(daemon)
        holder.expect("g k", "1 Lock Get Success: k")
        line = [self.connect(daemon) for _ in range(1000)]
        for waiter in line:
            waiter.send("gw 600000 k\n")
        eventually(lambda: self.waiters(holder, "k") == len(line), 20, "all wait")
        for waiter in line:
            waiter.close()
        eventually(lambda: self.waiters(holder, "k") == 0, 20, "all have left")
        holder.expect("i k", "1 Lock Is Locked: k")

    def test_W6_of_two_that_close_a_circle_at_once_one_is_refused(self) -> None:
        daemon = self.daemon("--threads", "4")
        one, other = self.connect(daemon), self.connect(daemon)
        for attempt in range(200):
            one.expect(f"g a{attempt}", f"1 Lock Get Success: a{attempt}")
            other.expect(f"g b{attempt}", f"1 Lock Get Success: b{attempt}")
            both = threading.Barrier(2)

            def ask(client: Client, request: str) -> None:
                both.wait()
                client.send(request)

            asking = threading.Thread(target=ask, args=(one, f"gw 600000 b{attempt}\nra\n"))
            asking.start()
            ask(other, f"gw 600000 a{attempt}\nra\n")
            asking.join()
            replies = sorted((one.line(), other.line()))
            self.assertIn(b"Deadlock", replies[0])
            self.assertIn(b"Success", replies[1])
            self.assertEqual(sorted((one.line(), other.line())), [b"1 Locks Released", b"2 Locks Released"])

    def test_W7_max_waiters(self) -> None:
        daemon = self.daemon("--max-waiters", "1")
        holder, first, second = (self.connect(daemon) for _ in range(3))
        holder.expect("g k", "1 Lock Get Success: k")
        first.send("gw 600000 k\n")
        eventually(lambda: self.waiters(holder, "k") == 1, 20, "it waits")
        second.expect("gw 600000 k", "0 Too Many Waiters: k")

    def test_S6_nobody_in_line_is_answered_on_the_way_down(self) -> None:
        daemon = self.daemon("--threads", "4")
        holders = [self.connect(daemon) for _ in range(20)]
        waiters = [self.connect(daemon) for _ in range(20)]
        for number, holder in enumerate(holders):
            holder.expect(f"g {number}", f"1 Lock Get Success: {number}")
            waiters[number].send(f"gw 600000 {number}\n")
            eventually(lambda: self.waiters(holders[0], str(number)) == 1, 20, "it waits")
        daemon.stop(signal.SIGTERM)
        for waiter in waiters:
            waiter.expect_end()


class TokensOnDisk(DaemonTestCase):
    """T1 across restarts: --state-dir."""

    def token(self, daemon: Daemon) -> int:
        client = self.connect(daemon)
        client.expect("g k", "1 Lock Get Success: k")
        token = number_in(client.ask("t k"))
        client.expect("r k", "1 Lock Release Success: k")
        return token

    def test_T1_tokens_grow_over_kills(self) -> None:
        directory = str(self.temporary_directory())
        tokens = []
        for _ in range(10):
            daemon = self.daemon("--state-dir", directory, "--threads", "2")
            tokens += [self.token(daemon), self.token(daemon)]
            daemon.kill()
        self.assertEqual(tokens, sorted(set(tokens)))

    def test_T1_tokens_grow_though_the_clock_goes_back(self) -> None:
        """As if it had been years ahead when the mark was made."""
        directory = self.temporary_directory()
        ahead = 4_000_000_000_000_000
        (directory / "tokens").write_text(f"lockd has given out no token from {ahead} on\n")
        daemon = self.daemon("--state-dir", str(directory))
        first = self.token(daemon)
        self.assertGreaterEqual(first, ahead)
        daemon.stop()
        self.assertGreater(self.token(self.daemon("--state-dir", str(directory))), first)

    def test_T1_a_start_that_fails_reserves_no_token(self) -> None:
        """However late it fails: an address in use, a pidfile that can't be written."""
        directory = self.temporary_directory()
        mark = "lockd has given out no token from 4000000000000000 on\n"  # ahead of the clock
        (directory / "tokens").write_text(mark)
        taken = self.daemon().uris[0]
        for flags in (["--listen", taken], ["--http", taken], ["--pidfile", str(directory / "missing" / "pid")]) * 2:
            finished = run_to_exit("--listen", LOOPBACK, "--state-dir", str(directory), *flags)
            self.assertEqual(finished.returncode, 1, finished.stderr)
            self.assertEqual((directory / "tokens").read_text(), mark, flags)

    def test_T1_without_a_directory_tokens_start_from_the_clock(self) -> None:
        before = time.time_ns() // 1000
        token = self.token(self.daemon())
        self.assertTrue(before <= token <= time.time_ns() // 1000 + 1_000_000, token)

    def test_T1_without_a_directory_tokens_grow_over_a_kill_and_a_start_at_once(self) -> None:
        """Many keys, so that all shards give some out, and at once, so that the clock has not gone far."""
        def tokens() -> list[int]:
            daemon = self.daemon("--threads", "4")
            client = self.connect(daemon)
            client.send("".join(f"g k{i}\nt k{i}\n" for i in range(64)))
            lines = [client.line() for _ in range(128)]
            daemon.kill()
            return [number_in(line) for line in lines[1::2]]

        for _ in range(3):
            before, after = tokens(), tokens()
            self.assertGreater(min(after), max(before))

    def check_refused(self, directory: Path, names: str) -> None:
        finished = run_to_exit("--listen", LOOPBACK, "--state-dir", str(directory))
        self.assertEqual((finished.returncode, finished.stdout), (1, ""), finished.stderr)
        self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)
        self.assertIn(names, finished.stderr)

    def test_T1_a_directory_that_is_not_there_or_none(self) -> None:
        directory = self.temporary_directory()
        self.check_refused(directory / "missing", str(directory / "missing"))
        (directory / "file").write_text("mine")
        self.check_refused(directory / "file", str(directory / "file"))
        self.assertEqual((directory / "file").read_text(), "mine")

    def test_T1_garbage_is_left_alone(self) -> None:
        directory = self.temporary_directory()
        for garbage in b"", b"garbage\n", b"lockd has given out no token from 17", os.urandom(4096):
            (directory / "tokens").write_bytes(garbage)
            self.check_refused(directory, str(directory / "tokens"))
            self.assertEqual((directory / "tokens").read_bytes(), garbage)

    def test_T1_a_directory_that_cannot_be_written(self) -> None:
        directory = self.temporary_directory()
        (directory / "tokens.new").mkdir()  # nobody can write a file there, root neither
        self.check_refused(directory, "tokens.new")

    def test_T1_two_daemons_do_not_share_a_directory(self) -> None:
        directory = self.temporary_directory()
        first = self.daemon("--state-dir", str(directory))
        self.check_refused(directory, "another server uses it")
        first.kill()
        self.token(self.daemon("--state-dir", str(directory)))
