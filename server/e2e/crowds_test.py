"""Many connections at once: ten thousand of them, more than there are descriptors for, more than are allowed."""

from __future__ import annotations

import json
import re
import resource
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from client import Client, connected_socket, reset
from daemon import Daemon, DaemonTestCase, descriptor_limit, eventually
from flood import Flood

CROWD = 10_000
FLOOD_ROUNDS = 32  # of 65,536 requests each: seconds of work for twenty clients


def can_open(count: int) -> None:
    """Raises this process's own descriptor limit; without it, what is promised for that many can't be shown."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 200:
        raise AssertionError(f"the descriptor limit of this machine is {hard}: too low for {count} connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def lock_holders(daemon: Daemon, count: int) -> list[socket.socket]:
    """So many connections, each of which holds a lock."""
    sockets: list[socket.socket] = []
    while len(sockets) < count:
        fresh = [connected_socket(daemon.uris[0]) for _ in range(min(500, count - len(sockets)))]
        for number, sock in enumerate(fresh, len(sockets)):
            sock.sendall(b"g lock%d\n" % number)
        for number, sock in enumerate(fresh, len(sockets)):
            expected = b"1 Lock Get Success: lock%d\n" % number
            if (reply := sock.recv(100)) != expected:
                raise AssertionError(f"{reply!r}, not {expected!r}")
        sockets += fresh
    return sockets


def spoken_to(clients: Sequence[Client]) -> list[Client]:
    """Those for whom there is something to read."""
    readable, _, _ = select.select([client.socket for client in clients], [], [], 0)
    return [client for client in clients if client.socket in readable]


class LimitTestCase(DaemonTestCase):
    """What can be seen of a limit on connections (S4)."""

    def served(self, daemon: Daemon, count: int) -> list[Client]:
        clients = [self.connect(daemon) for _ in range(count)]
        for client in clients:
            client.expect("ping", "1 pong")
        return clients

    def is_served(self, daemon: Daemon) -> bool:
        client = self.connect(daemon)
        client.send("ping\n")
        try:
            return client.line() == b"1 pong"
        finally:
            client.close()


class Thousands(DaemonTestCase):
    def test_S2_descriptors_not_closed_at_EOF(self) -> None:
        """10,000 connections opened and dropped, half of them by RST: descriptors, connections and locks are back."""
        can_open(1000)
        daemon = self.daemon()
        observer = self.connect(daemon)
        observer.expect("ping", "1 pong")
        descriptors = daemon.descriptors()
        for _ in range(CROWD // 1000):
            sockets = lock_holders(daemon, 100) + [connected_socket(daemon.uris[0]) for _ in range(900)]
            for sock in sockets[::2]:
                sock.close()
            for sock in sockets[1::2]:
                reset(sock)
            eventually(lambda: observer.counters()["locks"] == 0, 20, "the locks are free")
        eventually(lambda: observer.counters()["connections"] == 1, 20, "no session is left")
        eventually(lambda: daemon.descriptors() == descriptors, 20, "no descriptor is left")
        self.assertEqual(observer.counters()["orphans"], CROWD // 10)

    def shut_down_with_a_crowd(self, number: signal.Signals) -> None:
        can_open(CROWD)
        daemon = self.daemon("--threads", "2")
        sockets = lock_holders(daemon, CROWD)
        self.assertEqual(self.connect(daemon).counters()["locks"], CROWD)
        daemon.stop(number)
        for sock in sockets:
            try:
                self.assertEqual(sock.recv(100), b"")  # it ends, and nothing was said (S6)
            except ConnectionResetError:
                pass
            sock.close()

    def test_S6_SIGTERM_with_ten_thousand_connections(self) -> None:
        self.shut_down_with_a_crowd(signal.SIGTERM)

    def test_S6_SIGINT_with_ten_thousand_connections(self) -> None:
        self.shut_down_with_a_crowd(signal.SIGINT)


class Descriptors(LimitTestCase):
    def test_S4_full_CPU_spin_at_EMFILE_or_accepting_stops_for_good(self) -> None:
        daemon = self.daemon("--max-connections", "1000", wrapper=descriptor_limit(64, 64))
        early = self.connect(daemon)
        early.expect("g mine", "1 Lock Get Success: mine")
        log_before = daemon.stderr()
        crowd = [self.connect(daemon) for _ in range(200)]  # most of them wait in the kernel's queue
        eventually(lambda: daemon.descriptors() == 64, 10, "the descriptors are exhausted")
        daemon.is_idle_for(1.5)
        logged = daemon.stderr().removeprefix(log_before)
        self.assertRegex(logged, re.compile("descriptor|too many open files", re.IGNORECASE))
        self.assertLess(logged.count("\n"), 100)
        early.expect("i mine", "1 Lock Is Locked: mine")
        self.assertLess(early.counters()["connections"], 64)
        for client in crowd[:170]:
            client.close()
        for client in crowd[170:]:
            client.expect("i mine", "1 Lock Is Locked: mine")
        eventually(lambda: early.counters()["connections"] == 31, 10, "those that closed have gone")
        self.connect(daemon).expect("g mine", "0 Lock Get Failure: mine")

    def check_many_threads(self, threads: int) -> None:
        """Each thread needs descriptors of its own, and with them few are left: for fewer connections, not for none."""
        daemon = self.daemon("--threads", str(threads), wrapper=descriptor_limit(320, 320))
        clients = [self.connect(daemon) for _ in range(300)]
        first = clients[0]
        eventually(lambda: first.counters()["connections"] + len(spoken_to(clients)) == 300, 20, "all are accepted")
        refused = spoken_to(clients)
        for client in refused:
            client.expect_lines("0 Too Many Connections")
        for client in clients:
            if client not in refused:
                client.expect("ping", "1 pong")
        self.assertGreater(len(refused), 0)
        for client in clients:
            client.close()
        eventually(lambda: self.is_served(daemon), 10, "it accepts again")
        self.served(daemon, 1)

    def test_S4_few_descriptors_for_16_threads(self) -> None:
        self.check_many_threads(16)

    def test_S4_few_descriptors_for_64_threads(self) -> None:
        self.check_many_threads(64)

    def test_S4_the_soft_limit_is_raised_at_start(self) -> None:
        daemon = self.daemon(wrapper=descriptor_limit(100, 1000))
        self.assertEqual(daemon.descriptor_limits(), (1000, 1000))


class MaxConnections(LimitTestCase):
    def test_S4_one_more_than_allowed(self) -> None:
        daemon = self.daemon("--max-connections", "3")
        first, *_ = self.served(daemon, 3)
        refused = self.connect(daemon)
        refused.expect_lines("0 Too Many Connections")
        refused.expect_eof()
        self.assertEqual(first.counters()["connections"], 3)
        first.close()
        eventually(lambda: self.is_served(daemon), 10, "one has gone, another is let in")

    def test_S4_those_refused_take_no_place(self) -> None:
        """They stay connected as long as they can, and still a place that gets free is free."""
        daemon = self.daemon("--max-connections", "2")
        first, second = self.served(daemon, 2)
        refused = [self.connect(daemon) for _ in range(20)]
        for client in refused:
            client.expect_lines("0 Too Many Connections")
        first.close()
        eventually(lambda: second.counters()["connections"] == 1, 10, "a place is free")
        eventually(lambda: self.is_served(daemon), 1, "another is let in")

    def test_S4_only_some_of_those_refused_are_given_time(self) -> None:
        """A goodbye costs a descriptor for as long as it takes: a hundred at once are told, but not all waited for."""
        daemon = self.daemon("--max-connections", "1")
        first, *_ = self.served(daemon, 1)
        daemon.pause()
        refused = [self.connect(daemon) for _ in range(100)]
        for client in refused:
            client.send("ping\n")  # unread, it turns a close into a reset: what was waited for ends in order
        daemon.resume()
        self.assertGreater(sum(self.is_reset(client) for client in refused), 0)
        first.expect("ping", "1 pong")

    def is_reset(self, client: Client) -> bool:
        try:
            self.assertEqual(client.to_end(), b"0 Too Many Connections\n")
            return False
        except ConnectionResetError:
            return True

    def test_S4_the_refused_one_had_sent_a_request(self) -> None:
        """Unread input turns a close into a reset, which can take the reply with it."""
        daemon = self.daemon("--max-connections", "1")
        first, *_ = self.served(daemon, 1)
        daemon.pause()
        hasty = self.connect(daemon)
        hasty.send("g hasty\nsg hasty\n")
        daemon.resume()
        hasty.expect_lines("0 Too Many Connections")
        hasty.expect_eof()
        first.expect("i hasty", "0 Lock Not Locked: hasty")
        self.assertEqual(first.counters()["command_g"], 0)

    def test_S4_connection_limit_check_then_act(self) -> None:
        """A hundred at the same moment, four threads: exactly ten are let in."""
        daemon = self.daemon("--max-connections", "10", "--threads", "4")
        daemon.pause()
        clients = [self.connect(daemon) for _ in range(100)]
        for client in clients:
            client.send("ping\n")
        daemon.resume()
        replies = [client.line() for client in clients]
        self.assertEqual(replies.count(b"1 pong"), 10)
        self.assertEqual(replies.count(b"0 Too Many Connections"), 90)

    def test_S4_by_default_the_descriptor_limit_less_64(self) -> None:
        daemon = self.daemon(wrapper=descriptor_limit(80, 100))
        self.served(daemon, 36)
        self.connect(daemon).expect_lines("0 Too Many Connections")


class Floods(DaemonTestCase):
    """Twenty clients pipeline requests without a pause; others come and go, and are not kept waiting for their turn.

    The work of the twenty is bounded, and in the order of events it is the clock: who is to be served beside them is
    so before one of them has all its replies.
    """

    def flooded(self) -> tuple[Daemon, Flood]:
        can_open(2500)
        daemon = self.daemon("--threads", "1")
        flood = Flood(daemon.uris[0], clients=20, rounds=FLOOD_ROUNDS)
        self.addCleanup(flood.close)
        return daemon, flood

    def test_S1_500_connections_at_once(self) -> None:
        daemon, flood = self.flooded()
        flood.start()
        eventually(lambda: flood.replies > 0, 10, "they are served")
        daemon.pause()
        clients = [self.connect(daemon) for _ in range(500)]
        for client in clients:
            client.send("ping\n")
        daemon.resume()
        for client in clients:
            client.expect_lines("1 pong")
        self.assertFalse(flood.is_through())

    def test_S2_2000_holders_close_at_once(self) -> None:
        daemon, flood = self.flooded()
        observer = self.connect(daemon)
        holders = lock_holders(daemon, 2000)
        flood.start()
        eventually(lambda: flood.replies > 0, 10, "they are served")
        daemon.pause()
        for sock in holders:
            sock.close()
        daemon.resume()
        eventually(lambda: observer.counters()["locks"] == 0, 60, "the locks are free")
        self.assertFalse(flood.is_through())
        self.assertEqual(observer.counters()["orphans"], 2000)


class MaxLocks(DaemonTestCase):
    def test_S5_limit_off_by_one(self) -> None:
        daemon = self.daemon("--max-locks", "2")
        client, other = self.connect(daemon), self.connect(daemon)
        client.expect("g a", "1 Lock Get Success: a")
        client.expect("sg b", "1 Shared Lock Get Success: b")
        for verb, key in (("g", "c"), ("sg", "c"), ("sg", "a"), ("g", "b")):
            client.expect(f"{verb} {key}", f"0 Too Many Locks: {key}")
        client.expect("g a", "1 Lock Get Success: a")
        client.expect("sg b", "1 Shared Lock Get Success: b")
        other.expect("g c", "1 Lock Get Success: c")  # the bound is each session's own
        client.expect("g c", "0 Too Many Locks: c")
        client.expect("r a", "1 Lock Release Success: a")
        client.expect("g c", "0 Lock Get Failure: c")
        client.expect("sg c", "1 Shared Lock Get Success: c")
        client.expect("g d", "0 Too Many Locks: d")

    def test_S5_without_the_flag_no_bound(self) -> None:
        client = self.connect(self.daemon())
        client.send(b"".join(b"g %d\n" % number for number in range(20000)))
        client.expect_bytes(b"".join(b"1 Lock Get Success: %d\n" % number for number in range(20000)))


class ManyWaiters(DaemonTestCase):
    CROWD = 200  # more than a thread tells at once

    def test_W4_C2_a_crowd_that_one_release_lets_through_is_told_to_the_last(self) -> None:
        daemon = self.daemon("--threads", "1")
        holder, head = self.connect(daemon), self.connect(daemon)
        holder.expect("sgl 1 pool", "1 Shared Lock Get Success: pool")
        crowd = [head] + [self.connect(daemon) for _ in range(self.CROWD)]
        for number, client in enumerate(crowd, 1):
            client.send(f"sgw {1 if client is head else 1000} 60000 pool\n")
            eventually(lambda: holder.ask("siw pool") == f"{number} Shared Lock Waiters: pool".encode(), 10, "in line")
        holder.expect("sr pool", "1 Shared Lock Release Success: pool")
        for number, client in enumerate(crowd, 1):
            client.expect_lines(f"{number} Shared Lock Get Success: pool")


class ManyLocks(DaemonTestCase):
    def test_X1_L5_each_of_5000_locks_is_held_and_listed_once(self) -> None:
        daemon = self.daemon("--threads", "1")
        keys = [f"the lock number {number} of many" for number in range(5000)]
        holder, other = self.connect(daemon), self.connect(daemon)
        for client, reply in ((holder, "1 Lock Get Success: "), (other, "0 Lock Get Failure: ")):
            client.send("".join(f"g {key}\n" for key in keys))
            client.expect_bytes("".join(f"{reply}{key}\n" for key in keys).encode())
        listed = other.listing("d")
        self.assertEqual(sorted(listed), sorted(f"{key}: {holder.address}".encode() for key in keys))

    def test_X1_X2_X3_those_left_of_5000_locks_are_found_as_others_go(self) -> None:
        daemon = self.daemon("--threads", "1")
        keys = [f"lock number {number}" for number in range(5000)]
        holder, other = self.connect(daemon), self.connect(daemon)
        holder.send("".join(f"g {key}\n" for key in keys) + "".join(f"r {key}\n" for key in keys[::2]))
        holder.expect_bytes("".join(f"1 Lock Get Success: {key}\n" for key in keys).encode())
        holder.expect_bytes("".join(f"1 Lock Release Success: {key}\n" for key in keys[::2]).encode())
        other.send("".join(f"i {key}\n" for key in keys))
        replies = ("0 Lock Not Locked: ", "1 Lock Is Locked: ")
        other.expect_bytes("".join(f"{replies[number % 2]}{key}\n" for number, key in enumerate(keys)).encode())
        holder.expect("ra", "2500 Locks Released")

    def test_H1_H2_H3_300_hold_one_lock(self) -> None:
        daemon = self.daemon("--threads", "1")
        holders = [self.connect(daemon) for _ in range(300)]
        for number, holder in enumerate(holders, 1):
            holder.expect("sg pool", f"{number} Shared Lock Get Success: pool")
        holders[0].expect("si pool", "300 Shared Lock Is Locked: pool")
        for holder in holders:
            holder.expect("sr pool", "1 Shared Lock Release Success: pool")
        holders[0].expect("si pool", "0 Shared Lock Not Locked: pool")


class Lookers(DaemonTestCase):
    """Statistics or dump during traffic kills the server."""

    ROUNDS = 300

    def take_and_release(self, daemon: Daemon, name: str) -> None:
        client = Client(daemon.uris[0])
        for number in range(self.ROUNDS):
            keys = [f"{name}.{number % 7}.{part}" for part in range(10)]
            client.send("".join(f"g {key}\nsg {key}\nr {key}\nsr {key}\n" for key in keys))
            for key in keys:
                client.expect_lines(f"1 Lock Get Success: {key}", f"1 Shared Lock Get Success: {key}")
                client.expect_lines(f"1 Lock Release Success: {key}", f"1 Shared Lock Release Success: {key}")
        client.close()

    def look(self, daemon: Daemon, check: Callable[[Client], None]) -> None:
        client = Client(daemon.uris[0])
        for _ in range(self.ROUNDS):
            check(client)
        client.close()

    def test_L1_L2_L3_L5_q_d_and_dump_while_others_lock(self) -> None:
        daemon = self.daemon("--threads", "2")
        holder = self.connect(daemon)
        holder.expect("g always", "1 Lock Get Success: always")
        holder.expect("sg always", "1 Shared Lock Get Success: always")
        line, address = f"always: {holder.address}".encode(), holder.address

        def check_q(client: Client) -> None:
            self.assertEqual(len(numbers := client.counters()), 19)
            self.assertIn(numbers["locks"], range(1, 2 + 2 * 70))  # the lasting one, and no more than there are keys
            self.assertIn(numbers["shared_locks"], range(1, 2 + 2 * 70))

        def check_d(client: Client) -> None:
            for request in "d", "sd":
                lines = client.listing(request)
                self.assertEqual(lines.count(line), 1)
                for each in lines:
                    self.assertRegex(each, rb"^(always|one\.\d\.\d|two\.\d\.\d): 127\.0\.0\.1:\d+$")

        def check_dump(client: Client) -> None:
            self.assertEqual(json.loads(client.ask("dump"))["always"], address)
            self.assertEqual(json.loads(client.ask("dump shared"))["always"], [address])

        with ThreadPoolExecutor(5) as pool:
            jobs = [pool.submit(self.take_and_release, daemon, name) for name in ("one", "two")]
            jobs += [pool.submit(self.look, daemon, check) for check in (check_q, check_d, check_dump)]
            for job in jobs:
                job.result()
        eventually(lambda: holder.counters()["locks"] == 1, 10, "only the lasting lock is left")
        self.assertEqual(holder.listing("d"), [line])
        self.assertEqual(holder.listing("sd"), [line])
