"""Clients that do not read, vanish, or close at the wrong moment; and what the others notice of it: nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from client import TIME_SCALE, Client
from daemon import LOOPBACK, MIB, Daemon, DaemonTestCase, eventually, wait_until_still

LONG_KEY = "k" * 8000
SMALL_WINDOW = 65536  # a receive buffer, in bytes: what a client leaves unread stays with the daemon


class HostileTestCase(DaemonTestCase):
    def start(self, *flags: str, listen: Sequence[str] = (LOOPBACK,)) -> tuple[Daemon, Client]:
        """A daemon, and an innocent client that holds the lock with the long key: each `d` is a reply of 8 KB."""
        daemon = self.daemon(*flags, listen=listen)
        innocent = self.connect(daemon)
        innocent.expect(f"g {LONG_KEY}", f"1 Lock Get Success: {LONG_KEY}")
        self.line = LONG_KEY.encode() + b": " + innocent.ask("me").split()[1] + b"\n"
        return daemon, innocent

    def is_free(self, observer: Client, key: str) -> bool:
        return observer.ask(f"i {key}") == b"0 Lock Not Locked: " + key.encode()

    def others_are_served(self, innocent: Client) -> None:
        for number in range(200):
            innocent.expect(f"g other{number}", f"1 Lock Get Success: other{number}")
            innocent.expect(f"r other{number}", f"1 Lock Release Success: other{number}")


class SlowReaders(HostileTestCase):
    def test_F5_a_slow_reader_grows_memory(self) -> None:
        """8,000 requests, 64 MB of replies, nobody reads: few are executed, and memory stays; then all are answered."""
        daemon, innocent = self.start("--max-output-bytes", "65536", "--peer-timeout", "600")
        slow = self.connect(daemon, receive_buffer_bytes=SMALL_WINDOW)
        before = daemon.peak_bytes()
        slow.send("d\n" * 8000)
        executed = wait_until_still(innocent, "command_d")
        self.assertGreaterEqual(executed * len(self.line), 65536)
        self.assertLess(executed * len(self.line), 16 * MIB)  # the bound, and what the two kernel buffers take
        self.others_are_served(innocent)
        self.assertEqual(innocent.counters()["command_d"], executed)
        daemon.peak_stays_within(8 * MIB, before)
        for _ in range(80):
            slow.expect_bytes(self.line * 100)
        self.assertEqual(innocent.counters()["command_d"], 8000)
        daemon.peak_stays_within(8 * MIB, before)

    def test_F5_a_client_that_only_writes_is_stopped(self) -> None:
        """Its own writes block in the end: the daemon does not read on for ever."""
        daemon, innocent = self.start("--peer-timeout", "600")
        slow = self.connect(daemon, receive_buffer_bytes=SMALL_WINDOW)
        before = daemon.peak_bytes()
        slow.socket.settimeout(1.0 * TIME_SCALE)
        sent = 0
        with self.assertRaises(TimeoutError):
            for sent in range(256):
                slow.send(f"i {LONG_KEY}\n" * 128)
        self.assertLess(sent, 255)
        daemon.is_idle_for(1.0)  # though there is input, which is not read now
        self.others_are_served(innocent)
        daemon.peak_stays_within(8 * MIB, before)

    def test_L5_a_long_listing_that_nobody_reads(self) -> None:
        """It is made as it is read: 10 MB of it take no 10 MB; others change the locks meanwhile, and it stays true."""
        daemon = self.daemon("--max-output-bytes", "65536", "--peer-timeout", "600", "--threads", "2")
        holder, innocent = self.connect(daemon), self.connect(daemon)
        keys = [f"{number:05}".ljust(1000, ".") for number in range(10000)]
        for begin in range(0, len(keys), 100):
            chunk = keys[begin : begin + 100]
            holder.send("".join(f"g {key}\n" for key in chunk))
            holder.expect_bytes("".join(f"1 Lock Get Success: {key}\n" for key in chunk).encode())
        before = daemon.peak_bytes()
        slow = self.connect(daemon, receive_buffer_bytes=SMALL_WINDOW)
        slow.send("d\nping\n")
        first = slow.line()
        self.assertIn(first, {f"{key}: {holder.address}".encode() for key in keys})
        gone, stays = keys[::2], keys[1::2]
        for key in gone:
            holder.expect(f"r {key}", f"1 Lock Release Success: {key}")
        self.others_are_served(innocent)
        daemon.peak_stays_within(4 * MIB, before)
        lines = [first]
        while lines[-1] != b"1 pong":
            lines.append(slow.line())
        listed = [line.decode().rpartition(": ")[0] for line in lines[:-1]]
        self.assertEqual(len(listed), len(set(listed)))
        self.assertLessEqual(set(stays), set(listed))
        self.assertLessEqual({key for key in listed if not key.startswith("other")}, set(keys))

    def check_ended(self, listen: str) -> None:
        """A client that takes no bytes is ended, and its locks are free; a holder that is silent as long stays."""
        daemon, innocent = self.start("--peer-timeout", "2", listen=[listen])
        silent, slow = self.connect(daemon), self.connect(daemon, receive_buffer_bytes=SMALL_WINDOW)
        silent.expect("g quiet", "1 Lock Get Success: quiet")
        slow.expect("g stuck", "1 Lock Get Success: stuck")
        descriptors = daemon.descriptors()
        start = time.monotonic()
        slow.send("d\n" * 8000)
        eventually(lambda: self.is_free(innocent, "stuck"), 2 + 3, "the lock of the client that does not read is free")
        self.assertGreater(time.monotonic() - start, 1.9)
        eventually(lambda: daemon.descriptors() == descriptors - 1, 5, "its descriptor is closed")
        silent.expect("i quiet", "1 Lock Is Locked: quiet")

    def test_S2_a_client_that_takes_no_bytes_is_ended(self) -> None:
        self.check_ended(LOOPBACK)

    def test_S2_a_client_that_takes_no_bytes_is_ended_on_a_unix_socket(self) -> None:
        """Where no TCP_USER_TIMEOUT helps."""
        self.check_ended(f"unix://{self.temporary_directory()}/lockd.sock")

    def test_S2_a_reader_that_takes_some_bytes_stays(self) -> None:
        """2.5 times as long as --peer-timeout, with replies waiting for it all the while."""
        daemon, _ = self.start("--peer-timeout", "2", "--max-output-bytes", str(64 * MIB))
        slow = self.connect(daemon, receive_buffer_bytes=SMALL_WINDOW)
        slow.send("d\n" * 8000)
        taken, end = 0, time.monotonic() + 5
        while time.monotonic() < end:
            slow.expect_bytes(self.line * 100)
            taken += 100
            time.sleep(0.1)  # what makes it slow
        self.assertLess(taken, 8000)
        slow.expect_bytes(self.line * (8000 - taken))
        slow.expect("ping", "1 pong")


class Resets(HostileTestCase):
    def test_S2_a_clients_RST_kills_the_server(self) -> None:
        daemon, innocent = self.start()
        descriptors = daemon.descriptors()
        for round_number in range(20):
            rude = self.connect(daemon, receive_buffer_bytes=SMALL_WINDOW)
            rude.expect(f"g mine{round_number}", f"1 Lock Get Success: mine{round_number}")
            rude.send("d\n" * 3000)
            innocent.expect("ping", "1 pong")
            rude.reset()
        for round_number in range(20):
            eventually(lambda: self.is_free(innocent, f"mine{round_number}"), 10, "the reset session's lock is free")
        eventually(lambda: daemon.descriptors() == descriptors, 10, "the descriptors are closed")
        self.assertEqual(innocent.counters()["orphans"], 20)
        self.others_are_served(innocent)

    def test_S2_resets_between_other_clients_replies(self) -> None:
        """Thousands of replies are pending for those that reset: those for the others arrive whole and in order."""
        daemon, _ = self.start("--threads", "2")
        count = 20000

        def innocent() -> None:
            client = Client(daemon.uris[0])
            with ThreadPoolExecutor(1) as sender:
                sending = sender.submit(client.send, b"".join(b"i %d\n" % number for number in range(count)))
                client.expect_bytes(b"".join(b"0 Lock Not Locked: %d\n" % number for number in range(count)), 60)
                sending.result()
            client.close()

        def rude() -> None:
            for _ in range(30):
                client = Client(daemon.uris[0], SMALL_WINDOW)
                client.send("d\n" * 3000)
                client.reset()

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(job) for job in (innocent, rude, innocent, rude)]:
                done.result()

    def test_S1_identity_by_address_reused(self) -> None:
        """A new session from the address of one that was reset has none of its locks, even before that is noticed."""
        daemon = self.daemon()
        # An address of this process alone (all of 127/8 is loopback): nobody can take the port in between.
        host = f"127.1.{os.getpid() // 250 % 250}.{1 + os.getpid() % 250}"
        old = Client(daemon.uris[0], source=(host, 0))
        old.expect("g mine", "1 Lock Get Success: mine")
        old.expect("iam old", "1 ok")
        daemon.pause()
        port = old.socket.getsockname()[1]
        old.reset()
        new = Client(daemon.uris[0], source=(host, port))
        self.addCleanup(new.close)
        new.send("r mine\nme\n")
        daemon.resume()
        new.expect_lines("0 Lock Release Failure: mine", f"1 {host}:{port} {host}:{port}")
        eventually(lambda: new.ask("g mine") == b"1 Lock Get Success: mine", 10, "the lock of the old session is free")
        self.assertEqual(new.listing("who"), [])


class Ends(HostileTestCase):
    def test_S3_half_close_loses_queued_replies(self) -> None:
        """32 MB of replies, far beyond the output bound, and a FIN right behind the requests."""
        daemon, innocent = self.start()
        client = self.connect(daemon)
        client.send("g mine\n" + "d\n" * 4000 + "g last\n")
        client.half_close()
        client.expect_lines("1 Lock Get Success: mine")
        mine = f"mine: {client.address}\n".encode()
        listing = client.exactly(4000 * len(self.line + mine))
        self.assertEqual(listing.count(self.line), 4000)
        self.assertEqual(listing.count(b"\n" + mine) + listing.startswith(mine), 4000)
        client.expect_lines("1 Lock Get Success: last")
        client.expect_eof()
        innocent.expect("i mine", "0 Lock Not Locked: mine")  # free before the end was to be seen
        innocent.expect("i last", "0 Lock Not Locked: last")

    def test_S3_replies_left_are_sent_for_two_seconds_at_most(self) -> None:
        """A client that half-closes and reads nothing: its locks are free at once, its descriptor soon."""
        daemon, innocent = self.start("--peer-timeout", "600", "--max-output-bytes", str(64 * MIB))
        descriptors = daemon.descriptors()
        client = self.connect(daemon, receive_buffer_bytes=SMALL_WINDOW)
        client.send("g mine\n" + "d\n" * 3000)
        begin = time.monotonic()
        client.half_close()
        eventually(lambda: innocent.counters()["command_d"] == 3000, 60, "all is executed")
        eventually(lambda: self.is_free(innocent, "mine"), 60, "the lock is free")
        eventually(lambda: daemon.descriptors() == descriptors, 60, "it is given up long before the peer's timeout")
        self.assertGreater(time.monotonic() - begin, 1.9)

    def test_S3_replies_still_come_after_the_end_of_the_session(self) -> None:
        daemon, innocent = self.start("--max-output-bytes", str(64 * MIB))
        client = self.connect(daemon)
        key = b"m" * 1000
        client.send(b"g %s\n" % key + b"i %s\n" % key * 12000)
        client.half_close()
        eventually(lambda: innocent.counters()["command_i"] >= 12000, 30, "all is executed")
        eventually(lambda: innocent.ask(b"i " + key) == b"0 Lock Not Locked: " + key, 1, "the lock is free")
        client.expect_bytes(b"1 Lock Get Success: %s\n" % key + b"1 Lock Is Locked: %s\n" % key * 12000)
        client.expect_eof()

    def test_F5_100000_requests_in_one_write(self) -> None:
        client = self.connect(self.daemon())
        count = 50000
        requests = b"".join(b"g key%d\nr key%d\n" % (number, number) for number in range(count))
        replies = b"".join(
            b"1 Lock Get Success: key%d\n1 Lock Release Success: key%d\n" % (number, number) for number in range(count)
        )
        with ThreadPoolExecutor(1) as sender:
            sending = sender.submit(client.send, requests)
            client.expect_bytes(replies, 60)
            sending.result()
        self.assertEqual(client.counters()["command_r"], count)

    def test_S2_clean_up_returns_early_without_exclusive_locks(self) -> None:
        daemon = self.daemon()
        observer, other, client = self.connect(daemon), self.connect(daemon), self.connect(daemon)
        other.expect("sg pool", "1 Shared Lock Get Success: pool")
        client.expect("sg pool", "2 Shared Lock Get Success: pool")
        client.expect("sg own", "1 Shared Lock Get Success: own")
        observer.expect("si pool", "2 Shared Lock Is Locked: pool")  # shared inspect wrong for non-holders
        client.close()
        eventually(lambda: observer.counters()["shared_orphans"] == 2, 10, "both shared locks are free")
        observer.expect("si own", "0 Shared Lock Not Locked: own")
        observer.expect("si pool", "1 Shared Lock Is Locked: pool")
        self.assertEqual(observer.listing("sd"), [f"pool: {other.address}".encode()])

    def test_R3_a_ghost_in_who_after_an_empty_iam(self) -> None:
        daemon = self.daemon()
        one, two, three = (self.connect(daemon) for _ in range(3))
        for client in one, two, three:
            client.expect("iam worker", "1 ok")
        one.expect("iam worker", "1 ok")
        two.expect("iam", "1 ok")
        order = [f"{client.address}: worker".encode() for client in (three, one)]
        self.assertEqual(two.listing("who"), order)
        self.assertEqual(two.listing("who worker"), order)
        three.close()
        eventually(lambda: two.listing("who") == order[1:], 10, "the name of the closed one is forgotten")
