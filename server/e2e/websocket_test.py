"""WebSockets: messages and their replies, and ends. What lockd answers is tested over TCP; here is how it gets into
messages. (A browser and a Node client: websocket/run.)"""

from __future__ import annotations

import struct
import time

from client import TIME_SCALE, Client
from daemon import MIB, Daemon, eventually, wait_until_still
from web_socket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, WEBSOCKET, WebSocket, WebSocketTestCase, frame

SMALL_WINDOW = 65536  # a receive buffer, in bytes: what a client leaves unread stays with the daemon
LONG_KEY = "k" * 8000


class Messages(WebSocketTestCase):
    def test_F1_F10_a_message_is_a_request_and_gets_one_reply(self) -> None:
        daemon, _ = self.start()
        one = self.web_socket(daemon)
        one.expect("g job", "1 Lock Get Success: job")
        one.expect("g  a\tb ", "1 Lock Get Success: a b")
        one.expect("r job\r", "1 Lock Release Success: job")
        one.expect("ping", "1 pong")

    def test_F4_L1_replies_without_a_line_are_empty(self) -> None:
        daemon, _ = self.start()
        one = self.web_socket(daemon)
        for message in "", " \t\r", "d", "d nothing", "who", "\n":
            one.expect(message, "")
        one.expect("ping", "1 pong")

    def test_F8_an_unknown_verb(self) -> None:
        daemon, observer = self.start()
        self.web_socket(daemon).expect("nonsense", "0 Unknown Command: nonsense")
        self.assertEqual(observer.counters()["invalid_commands"], 1)

    def test_F8_an_unknown_verb_gets_an_empty_reply_from_a_classic_server(self) -> None:
        daemon, observer = self.start("--classic")
        self.web_socket(daemon).expect("nonsense", "")
        self.assertEqual(observer.counters()["invalid_commands"], 1)

    def test_F9_a_line_feed_in_a_message(self) -> None:
        daemon, observer = self.start()
        one = self.web_socket(daemon)
        one.expect("g a\nr b", "0 Bad Arguments: g KEY")
        one.expect("ping\n", "0 Bad Arguments: ping")
        one.expect("gw 5 a\n", "0 Bad Arguments: gw MILLISECONDS KEY")
        one.expect("nonsense\ng a", "0 Unknown Command: nonsense")
        observer.expect("i a", "0 Lock Not Locked: a")
        self.assertIn(b"bad_arguments: 3", observer.listing("stats"))

    def test_L1_several_lines_are_one_message(self) -> None:
        daemon, _ = self.start()
        one = self.web_socket(daemon)
        for key in "abc":
            one.expect(f"g {key}", f"1 Lock Get Success: {key}")
        lines = one.ask("d").split(b"\n")
        self.assertEqual(sorted(lines), [f"{key}: {one.address}".encode() for key in "abc"])
        self.assertTrue(one.ask("list").endswith(b"\nEND"))
        self.assertTrue(one.ask("help").endswith(b"\nEND"))

    def test_F3_binary_messages_and_keys_that_are_no_text(self) -> None:
        """Binary where the request was, or where it is no UTF-8; the others stay text."""
        daemon, _ = self.start()
        one, two = self.web_socket(daemon), self.web_socket(daemon)
        one.send("ping", binary=True)
        one.expect_reply("1 pong", binary=True)
        one.send(b"g \xff\x00\xfe", binary=True)
        one.expect_reply(b"1 Lock Get Success: \xff\x00\xfe", binary=True)
        two.send("d")
        two.expect_reply(b"\xff\x00\xfe: " + one.address.encode(), binary=True)
        two.expect("g kéy ☃", "1 Lock Get Success: kéy ☃")
        two.expect("ping", "1 pong")

    def test_F5_messages_in_one_packet_are_answered_in_order(self) -> None:
        daemon, _ = self.start()
        one = self.web_socket(daemon)
        count = 3000
        one.send_bytes(b"".join(frame(f"g {number}", BINARY if number % 3 == 0 else TEXT) for number in range(count)))
        for number in range(count):
            one.expect_reply(f"1 Lock Get Success: {number}", binary=number % 3 == 0)

    def test_F1_a_message_in_fragments_and_bytes_one_by_one(self) -> None:
        daemon, _ = self.start()
        one = self.web_socket(daemon)
        whole = (frame("g lo", TEXT, fin=False) + frame("in between", PING) + frame("", CONTINUATION, fin=False)
                 + frame("ng", CONTINUATION))
        for byte in whole:
            one.send_bytes(bytes([byte]))
        self.assertEqual(one.read_frame(), (PONG, True, b"in between"))
        one.expect_reply("1 Lock Get Success: long")
        one.expect(f"g {LONG_KEY}", f"1 Lock Get Success: {LONG_KEY}")

    def test_F6_a_message_that_is_too_long(self) -> None:
        """As long as a line may be; one byte more; 64 KiB more; and one that says that it is far longer."""
        daemon, observer = self.start("--max-line-bytes", "100")
        one = self.web_socket(daemon)
        one.expect("g stays", "1 Lock Get Success: stays")
        one.expect("g " + "a" * 98, "1 Lock Get Success: " + "a" * 98)
        one.expect("g " + "a" * 98 + "\r", "1 Lock Get Success: " + "a" * 98)
        for size in 99, 110, 250, 5000, 64 * 1024:
            one.expect("g " + "b" * size, "0 Line Too Long: limit 100 bytes")
        one.expect("g " + "b\n" * 300, "0 Line Too Long: limit 100 bytes")
        one.send_bytes(frame("g b", TEXT, fin=False) + frame("b" * 200, CONTINUATION))
        one.expect_reply("0 Line Too Long: limit 100 bytes")
        self.assertIn(b"lines_too_long: 7", observer.listing("stats"))
        observer.expect("i stays", "1 Lock Is Locked: stays")
        before = daemon.peak_bytes()
        one.send_bytes(frame("", TEXT, claims=1 << 40))
        one.expect_close(1009)
        one.expect_end()
        daemon.peak_stays_within(MIB, before)
        eventually(lambda: self.is_free(observer, "stays"), 10, "its lock is free")

    def test_R1_its_address_is_as_over_tcp(self) -> None:
        daemon, observer = self.start()
        one = self.web_socket(daemon)
        one.expect("me", f"1 {one.address} {one.address}")
        one.expect("iam page", "1 ok")
        self.assertEqual(observer.listing("who"), [f"{one.address}: page".encode()])

    def test_F11_a_browsers_request_in_a_message_ends_the_session(self) -> None:
        daemon, _ = self.start()
        one = self.web_socket(daemon)
        one.send("GET / HTTP/1.1")
        one.expect_close(1000)


class Waiting(WebSocketTestCase):
    def test_W1_W4_a_reply_that_comes_later(self) -> None:
        daemon, holder = self.start("--threads", "3")
        holder.expect("g k", "1 Lock Get Success: k")
        one = self.web_socket(daemon)
        one.send("gw 600000 k", binary=True)
        eventually(lambda: holder.ask("iw k") == b"1 Lock Waiters: k", 10, "it waits")
        holder.expect("r k", "1 Lock Release Success: k")
        one.expect_reply("1 Lock Get Success: k", binary=True)
        one.expect("r k", "1 Lock Release Success: k")

    def test_W1_a_timeout(self) -> None:
        daemon, holder = self.start()
        holder.expect("g k", "1 Lock Get Success: k")
        one = self.web_socket(daemon)
        start = time.monotonic()
        one.expect("gw 50 k", "0 Lock Get Timeout: k")
        self.assertGreaterEqual(time.monotonic() - start, 0.05)

    def test_W2_messages_that_come_meanwhile_are_answered_after_it_each_by_itself(self) -> None:
        daemon, holder = self.start()
        for key in "kl":
            holder.expect(f"g {key}", f"1 Lock Get Success: {key}")
        one = self.web_socket(daemon)
        for message in "gw 600000 k", "", "g x\ny", "d x", "ping", "gw 600000 l", "ping":
            one.send(message, binary=message == "ping")
        eventually(lambda: holder.ask("iw k") == b"1 Lock Waiters: k", 10, "it waits")
        holder.expect("r k", "1 Lock Release Success: k")
        for reply in "1 Lock Get Success: k", "", "0 Bad Arguments: g KEY", "":
            one.expect_reply(reply)
        one.expect_reply("1 pong", binary=True)
        eventually(lambda: holder.ask("iw l") == b"1 Lock Waiters: l", 10, "it waits again")
        holder.expect("r l", "1 Lock Release Success: l")
        one.expect_reply("1 Lock Get Success: l")
        one.expect_reply("1 pong", binary=True)

    def test_W2_too_much_input(self) -> None:
        daemon, holder = self.start("--max-input-bytes", "1000")
        holder.expect("g k", "1 Lock Get Success: k")
        one = self.web_socket(daemon)
        one.expect("g mine", "1 Lock Get Success: mine")
        one.send("gw 600000 k")
        one.send_bytes(frame("ping") * 250)
        one.expect_reply("0 Too Much Input: limit 1000 bytes")
        one.expect_close(1000)
        eventually(lambda: self.is_free(holder, "mine"), 10, "its lock is free")

    def test_W9_cancel(self) -> None:
        daemon, holder = self.start()
        holder.expect("g k", "1 Lock Get Success: k")
        one = self.web_socket(daemon)
        for message in "gw 600000 k", "ping", "", "cancel", "ping":
            one.send(message)
        for reply in "0 Lock Get Canceled: k", "1 pong", "", "1 Canceled", "1 pong":
            one.expect_reply(reply)
        one.expect("cancel", "0 Nothing To Cancel")

    def test_W5_who_waits_and_goes_has_left_the_line(self) -> None:
        daemon, holder = self.start()
        holder.expect("g k", "1 Lock Get Success: k")
        for leave in WebSocket.close_well, WebSocket.close, WebSocket.reset:
            one = self.web_socket(daemon)
            one.send("gw 600000 k")
            eventually(lambda: holder.ask("iw k") == b"1 Lock Waiters: k", 10, "it waits")
            leave(one)
            eventually(lambda: holder.ask("iw k") == b"0 Lock Waiters: k", 10, "it has left")


class Ends(WebSocketTestCase):
    def test_S2_whatever_the_end_its_locks_are_free(self) -> None:
        daemon, observer = self.start()
        descriptors = daemon.descriptors()
        for leave in WebSocket.close, WebSocket.reset, WebSocket.close_well:
            one = self.web_socket(daemon)
            one.expect("g mine", "1 Lock Get Success: mine")
            leave(one)
            eventually(lambda: self.is_free(observer, "mine"), 10, "its lock is free")
        self.assertEqual(observer.counters()["orphans"], 3)
        eventually(lambda: daemon.descriptors() == descriptors, 10, "the descriptors are closed")

    def test_S3_the_close_is_answered_when_the_locks_are_free_and_behind_the_replies(self) -> None:
        daemon, observer = self.start()
        one = self.web_socket(daemon)
        count = 10000
        one.send_bytes(b"".join(frame(f"sg {number}") for number in range(count))
                       + frame(struct.pack("!H", 1001), CLOSE) + frame("sg late"))
        for number in range(count):
            one.expect_reply(f"1 Shared Lock Get Success: {number}")
        one.expect_close(1001)
        self.assertEqual(observer.counters()["shared_locks"], 0)
        self.assertEqual(observer.counters()["command_sg"], count)
        one.expect_end()

    def test_S2_an_end_that_takes_turns(self) -> None:
        """The client's own close, or its RST, comes while 30,000 locks are freed."""
        daemon, observer = self.start()
        count = 30000
        for leave in WebSocket.expect_close, WebSocket.reset:
            one = self.web_socket(daemon)
            for begin in range(0, count, 1000):
                one.send_bytes(b"".join(frame(f"sg {number}") for number in range(begin, begin + 1000)))
                for number in range(begin, begin + 1000):
                    one.expect_reply(f"1 Shared Lock Get Success: {number}")
            one.send_bytes(frame("quit") + frame(struct.pack("!H", 1000), CLOSE) + frame("sg late"))
            if leave is WebSocket.reset:
                one.reset()
                eventually(lambda: observer.counters()["shared_locks"] == 0, 10, "its locks are free")
            else:
                one.expect_close(1000)
                self.assertEqual(observer.counters()["shared_locks"], 0)
                one.expect_end()
            eventually(lambda: observer.counters()["connections"] == 1, 10, "its session is over")
        self.assertEqual(observer.counters()["shared_orphans"], 2 * count)

    def test_S3_FIN_without_a_close_frame(self) -> None:
        daemon, observer = self.start()
        one = self.web_socket(daemon)
        one.send_bytes(b"".join(frame(f"g {number}") for number in range(1000)) + frame("g late")[:-1])
        one.socket.shutdown(1)
        for number in range(1000):
            one.expect_reply(f"1 Lock Get Success: {number}")
        one.expect_end()
        self.assertEqual(observer.counters()["locks"], 0)
        self.assertEqual(observer.counters()["command_g"], 1000)

    def test_E4_quit_closes(self) -> None:
        daemon, observer = self.start()
        one = self.web_socket(daemon)
        one.expect("g mine", "1 Lock Get Success: mine")
        one.send_bytes(frame("ping") + frame("quit") + frame("ping"))
        one.expect_reply("1 pong")
        one.expect_close(1000)
        observer.expect("i mine", "0 Lock Not Locked: mine")
        one.send_bytes(frame(struct.pack("!H", 1000), CLOSE))
        one.expect_end()

    def test_E4_quit_that_was_kept_during_a_wait_closes(self) -> None:
        """While a read is pending; once the client answers, once it goes instead."""
        daemon, holder = self.start("--threads", "2")
        for answers in True, False:
            holder.expect("g k", "1 Lock Get Success: k")
            one = self.web_socket(daemon)
            one.send("gw 600000 k")
            one.send("quit")
            eventually(lambda: holder.ask("iw k") == b"1 Lock Waiters: k", 10, "it waits")
            holder.expect("r k", "1 Lock Release Success: k")
            one.expect_reply("1 Lock Get Success: k")
            one.expect_close(1000)
            holder.expect("i k", "0 Lock Not Locked: k")
            if answers:
                one.send_bytes(frame("ping") + frame("", PING) + frame(struct.pack("!H", 1000), CLOSE))
                one.expect_end()
            one.close()
        descriptors = daemon.descriptors()
        self.web_socket(daemon).send("quit")
        eventually(lambda: daemon.descriptors() <= descriptors, 10, "nothing is left open")

    def test_S3_a_client_that_does_not_answer_a_close_is_given_two_seconds(self) -> None:
        daemon, observer = self.start()
        descriptors = daemon.descriptors()
        silent = self.web_socket(daemon)
        begin = time.monotonic()
        silent.send("quit")
        eventually(lambda: observer.counters()["connections"] == 1, 20, "its session is over")
        eventually(lambda: daemon.descriptors() == descriptors, 20, "it is closed before the peer's timeout")
        self.assertGreater(time.monotonic() - begin, 1.9)

    def test_S6_a_shutdown_ends_them(self) -> None:
        daemon, holder = self.start("--threads", "2")
        holder.expect("g k", "1 Lock Get Success: k")
        holding, waiting, asking = (self.web_socket(daemon) for _ in range(3))
        holding.expect("g mine", "1 Lock Get Success: mine")
        waiting.send("gw 600000 k")
        eventually(lambda: holder.ask("iw k") == b"1 Lock Waiters: k", 10, "it waits")
        self.http(daemon).socket.sendall(b"GET / HTTP/1.1\r\n")
        asking.send_bytes(frame("quit")[:-1])
        daemon.stop()
        for one in holding, waiting:
            one.expect_end()
        try:
            asking.expect_end()
        except ConnectionResetError:
            pass  # its last bytes had not been read

    def test_S2_frames_that_break_the_rules(self) -> None:
        """Each ends its session with the code that the standard has for it."""
        daemon, observer = self.start()
        broken = {
            "unmasked": (frame("ping", masked=False), 1002),
            "reserved opcode": (frame("ping", 3), 1002),
            "a continuation of nothing": (frame("ping", CONTINUATION), 1002),
            "a long control frame": (frame("p" * 126, PING), 1002),
            "text that is no UTF-8": (frame(b"g \xff"), 1007),
        }
        for name, (sent, code) in broken.items():
            with self.subTest(name):
                one = self.web_socket(daemon)
                one.expect("g mine", "1 Lock Get Success: mine")
                one.send_bytes(sent)
                one.expect_close(code)
                eventually(lambda: self.is_free(observer, "mine"), 10, "its lock is free")


class SlowReaders(WebSocketTestCase):
    def start(self, *flags: str, listen: str = WEBSOCKET) -> tuple[Daemon, Client]:
        daemon, holder = super().start(*flags, listen=listen)
        holder.expect(f"g {LONG_KEY}", f"1 Lock Get Success: {LONG_KEY}")
        self.listed = f"{LONG_KEY}: {holder.address}"
        return daemon, holder

    def test_F5_a_slow_reader_is_not_read_meanwhile(self) -> None:
        """8,000 requests, 64 MB of replies, nobody reads: few are executed, and memory stays; then all are answered."""
        daemon, holder = self.start("--max-output-bytes", "65536", "--peer-timeout", "600")
        slow = self.web_socket(daemon, receive_buffer_bytes=SMALL_WINDOW)
        before = daemon.peak_bytes()
        slow.send_bytes(frame("d") * 8000)
        executed = wait_until_still(holder, "command_d")
        self.assertGreaterEqual(executed * len(self.listed), 65536)
        self.assertLess(executed * len(self.listed), 16 * MIB)
        for _ in range(8000):
            slow.expect_reply(self.listed)
        daemon.peak_stays_within(8 * MIB, before)

    def test_L5_F5_a_listing_beyond_the_bound_comes_in_parts(self) -> None:
        """It is made as it is read: 8 MB of it take no 8 MB. Binary, as nobody knows how it will end."""
        daemon, holder = self.start("--max-output-bytes", "65536", "--peer-timeout", "600")
        keys = [f"{number:05}".ljust(1000, ".") for number in range(8000)]
        for key in keys:
            holder.expect(f"g {key}", f"1 Lock Get Success: {key}")
        slow = self.web_socket(daemon, receive_buffer_bytes=SMALL_WINDOW)
        before = daemon.peak_bytes()
        slow.send("d")
        slow.send("ping")
        wait_until_still(holder, "command_d")
        daemon.peak_stays_within(MIB, before)
        reply, parts = slow.read_message()
        self.assertGreater(parts, 8)
        self.assertTrue(reply.binary)
        listed = [f"{key}: {holder.address}" for key in keys] + [self.listed]
        self.assertEqual(sorted(reply.payload.decode().split("\n")), sorted(listed))
        slow.expect_reply("1 pong")

    def test_S2_a_client_that_takes_no_bytes_is_ended(self) -> None:
        daemon, holder = self.start("--peer-timeout", "2")
        silent, slow = self.web_socket(daemon), self.web_socket(daemon, receive_buffer_bytes=SMALL_WINDOW)
        silent.expect("g quiet", "1 Lock Get Success: quiet")
        slow.expect("g stuck", "1 Lock Get Success: stuck")
        start = time.monotonic()
        slow.send_bytes(frame("d") * 8000)
        eventually(lambda: self.is_free(holder, "stuck"), 2 + 3, "the lock of the client that does not read is free")
        self.assertGreater(time.monotonic() - start, 1.9)
        silent.expect("i quiet", "1 Lock Is Locked: quiet")

    def test_F5_pings_that_nobody_reads_the_answers_of(self) -> None:
        """The daemon does not keep them: the client's own writes block in the end, and it is ended."""
        daemon, holder = self.start("--max-output-bytes", "65536", "--peer-timeout", "2")
        slow = self.web_socket(daemon, receive_buffer_bytes=SMALL_WINDOW)
        before = daemon.peak_bytes()
        slow.socket.settimeout(1.0 * TIME_SCALE)
        pings = frame("p" * 125, PING) * 1000
        with self.assertRaises((TimeoutError, ConnectionError)):
            for _ in range(1000):
                slow.send_bytes(pings)
        holder.expect("ping", "1 pong")
        daemon.peak_stays_within(2 * MIB, before)
        eventually(lambda: holder.counters()["connections"] == 1, 10, "it is ended")
