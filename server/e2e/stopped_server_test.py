"""A server that stands still for a while (SIGSTOP), as a machine that is suspended or out of memory does: all that
happened meanwhile comes at once, and in whatever order it is found, what the protocol says must hold.

LOCKD_STOPPED_SECONDS says for how long, LOCKD_DEAD_WAITERS how many die in one line; at night more than in the gate.
"""

from __future__ import annotations

import os
import select
import socket
import time

from client import Client, connected_socket, reset
from crowds_test import can_open
from daemon import Daemon, DaemonTestCase, eventually
from waiting_test import number_in

STOPPED_SECONDS = float(os.environ.get("LOCKD_STOPPED_SECONDS", "1.2"))
DEAD_WAITERS = int(os.environ.get("LOCKD_DEAD_WAITERS", "500"))
SHORT_MS, LONG_MS = 400, 600_000
KEYS = 12
READERS = 200  # more than an event loop is told of at once
CROWD = 200  # more than a thread answers at once


def stand_still(daemon: Daemon, start: float, seconds_min: float = 0.0) -> float:
    """Until it has been stopped for so long. Returns the moment at which it went on."""
    time.sleep(max(0.0, start + max(STOPPED_SECONDS, seconds_min) - time.monotonic()))  # what is tested is this time
    now = time.monotonic()
    daemon.resume()
    return now


def help_lines(client: Client) -> list[bytes]:
    client.send("help\n")
    lines = [client.line()]
    while lines[-1] != b"END":
        lines.append(client.line())
    return lines


def all_there_is(client: Client) -> bytes:
    """In the kernel."""
    got = bytearray()
    while select.select([client.socket], [], [], 0)[0]:
        got += client.socket.recv(1 << 18)
    return bytes(got)


class Waiters(DaemonTestCase):
    """Lines in which every other one's time runs out meanwhile, and one client dies."""

    def line(self, daemon: Daemon, key: str) -> tuple[Client, list[tuple[int, Client]]]:
        """Its holder, and who waits with how many milliseconds. Each asks along what he has then, and gives it back."""
        holder = self.connect(daemon)
        holder.expect(f"g {key}", f"1 Lock Get Success: {key}")
        waiters = []
        for place in range(6):
            milliseconds = LONG_MS if place % 2 else SHORT_MS + place
            waiters.append((milliseconds, self.connect(daemon)))
            waiters[-1][1].send(f"gw {milliseconds} {key}\nt {key}\nr {key}\n")
            eventually(lambda: number_in(holder.ask(f"iw {key}")) == place + 1, 20, "it waits")
        return holder, waiters

    def check_answers(self, key: str, waiters: list[tuple[int, Client]], must_time_out: bool) -> None:
        """One answer each, and what follows agrees with it; who is granted the lock is so in the order of the line."""
        tokens = []
        for milliseconds, waiter in waiters:
            replies = [waiter.line().decode() for _ in range(3)]
            if replies[0] == f"1 Lock Get Success: {key}":
                self.assertEqual(replies[2], f"1 Lock Release Success: {key}")
                tokens.append(number_in(replies[1].encode()))
                self.assertFalse(must_time_out and milliseconds != LONG_MS, key)
            else:
                self.assertEqual(replies[0], f"0 Lock Get Timeout: {key}")
                self.assertEqual(replies[1:], [f"0 Lock Not Held: {key}", f"0 Lock Release Failure: {key}"])
                self.assertNotEqual(milliseconds, LONG_MS)
            waiter.expect("ping", "1 pong")
        self.assertEqual(tokens, sorted(set(tokens)))

    def check(self, threads: int) -> None:
        daemon = self.daemon("--threads", str(threads))
        lines = {f"k{i}": self.line(daemon, f"k{i}") for i in range(KEYS)}
        newcomer = self.connect(daemon)
        newcomer.expect("ping", "1 pong")
        daemon.pause()
        start = time.monotonic()
        for number, (key, (holder, waiters)) in enumerate(lines.items()):
            waiters.pop(3)[1].reset()
            if number % 3 == 0:
                holder.send(f"r {key}\n")
            elif number % 3 == 1:
                holder.reset()
        newcomer.send(f"gw {SHORT_MS} k2\n")
        resumed = stand_still(daemon, start)
        newcomer.expect_lines("0 Lock Get Timeout: k2")  # its time began when it was executed
        self.assertGreaterEqual(time.monotonic() - resumed, SHORT_MS / 1000)
        for number, (key, (holder, waiters)) in enumerate(lines.items()):
            if number % 3 == 2:
                self.check_answers(key, [each for each in waiters if each[0] != LONG_MS], must_time_out=True)
                holder.expect(f"iw {key}", f"2 Lock Waiters: {key}")
                holder.send(f"r {key}\n")
                waiters = [each for each in waiters if each[0] == LONG_MS]
            if number % 3 != 1:
                holder.expect_lines(f"1 Lock Release Success: {key}")
            self.check_answers(key, waiters, must_time_out=False)
            newcomer.expect(f"i {key}", f"0 Lock Not Locked: {key}")

    def test_W1_W3_W4_W5_S2_one_thread(self) -> None:
        self.check(1)

    def test_W1_W3_W4_W5_S2_four_threads(self) -> None:
        self.check(4)

    def test_W1_a_crowd_whose_time_ran_out_is_answered_to_the_last(self) -> None:
        daemon = self.daemon("--threads", "1")
        holder = self.connect(daemon)
        holder.expect("g k", "1 Lock Get Success: k")
        crowd = [self.connect(daemon) for _ in range(CROWD)]
        for waiter in crowd:
            waiter.send(f"gw {SHORT_MS} k\n")
        eventually(lambda: f"command_gw: {CROWD}".encode() in holder.listing("stats"), 20, "all have asked")
        daemon.pause()
        stand_still(daemon, time.monotonic())
        for waiter in crowd:
            waiter.expect_lines("0 Lock Get Timeout: k")
        holder.expect("iw k", "0 Lock Waiters: k")

    def test_W4_S2_dead_waiters_ahead_of_a_live_one(self) -> None:
        """They die while the server stands, and it hears of that when the lock is to be handed on."""
        can_open(DEAD_WAITERS)
        daemon = self.daemon("--threads", "2")
        holder, live = self.connect(daemon), self.connect(daemon)
        holder.expect("g k", "1 Lock Get Success: k")
        dead: list[socket.socket] = []
        while len(dead) < DEAD_WAITERS:
            dead.append(connected_socket(daemon.uris[0]))
            dead[-1].sendall(b"gw 600000 k\n")
        eventually(lambda: number_in(holder.ask("iw k")) == DEAD_WAITERS, 60, "all wait")
        live.send("gw 600000 k\n")
        eventually(lambda: number_in(holder.ask("iw k")) == DEAD_WAITERS + 1, 20, "the live one waits too")
        daemon.pause()
        for sock in dead:
            reset(sock)
        holder.send("r k\n")
        daemon.resume()
        start = time.monotonic()
        holder.expect_lines("1 Lock Release Success: k")
        live.expect_lines("1 Lock Get Success: k")
        print(f"{DEAD_WAITERS} dead waiters: the live one behind them was answered after "
              f"{1000 * (time.monotonic() - start):.0f} ms")
        eventually(lambda: live.counters()["connections"] == 2, 60, "the dead have gone")
        live.expect("iw k", "0 Lock Waiters: k")
        live.expect("r k", "1 Lock Release Success: k")


class SlowReaders(DaemonTestCase):
    PEER_TIMEOUT_SECONDS = 3
    REPLY_BYTES = 300_000  # for each; a Unix socket takes two thirds of them at once

    def test_S2_who_took_bytes_meanwhile_is_not_ended(self) -> None:
        """By the server's clock all are late when it goes on; by theirs none is. Over Unix sockets, where the kernel
        has no timeouts of its own."""
        daemon, readers = self.start(READERS, "--peer-timeout", str(self.PEER_TIMEOUT_SECONDS))
        replies = self.ask_for_much(daemon, readers)
        start = time.monotonic()
        taken = [self.take_some(reader, replies) for reader in readers]
        stand_still(daemon, start, self.PEER_TIMEOUT_SECONDS + 0.5)
        for got, reader in zip(taken, readers, strict=True):
            reader.expect_bytes(replies[len(got):])
            reader.expect("ping", "1 pong")

    def test_F5_input_and_room_for_replies_that_are_there_at_once_are_both_seen(self) -> None:
        daemon, [reader] = self.start(1)
        replies = self.ask_for_much(daemon, [reader])
        got = self.take_some(reader, replies)
        reader.send("ping\n")
        daemon.resume()
        reader.expect_bytes(replies[len(got):])
        reader.expect_lines("1 pong")

    def start(self, readers: int, *flags: str) -> tuple[Daemon, list[Client]]:
        path = self.temporary_directory() / "lockd.sock"
        daemon = self.daemon("--threads", "1", *flags, listen=[f"unix://{path}"])
        return daemon, [self.connect(daemon) for _ in range(readers)]

    def ask_for_much(self, daemon: Daemon, readers: list[Client]) -> bytes:
        """What each is to get. The daemon is stopped when it has executed all, and waits for room."""
        observer = self.connect(daemon)
        one_reply = b"".join(line + b"\n" for line in help_lines(observer))
        count = self.REPLY_BYTES // len(one_reply)
        for reader in readers:
            reader.send("help\n" * count)
        executed = f"command_help: {1 + count * len(readers)}".encode()
        eventually(lambda: executed in observer.listing("stats"), 20, "all is executed")
        daemon.pause()
        return one_reply * count

    def take_some(self, reader: Client, replies: bytes) -> bytes:
        """What the kernel has for it."""
        got = all_there_is(reader)
        self.assertTrue(0 < len(got) < len(replies), len(got))
        return got
