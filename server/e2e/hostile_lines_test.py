"""Bytes that no client of ours would send: broken, endless and browsers' lines, odd keys, arbitrary cuts."""

from __future__ import annotations

import json
import random

from client import Client
from daemon import MIB, DaemonTestCase, eventually

TOO_LONG = b"0 Line Too Long: limit 8192 bytes"


class LongLines(DaemonTestCase):
    def setUp(self) -> None:
        self.server = self.daemon()
        self.client = self.connect(self.server)

    def test_F6_limit_off_by_one(self) -> None:
        key = b"k" * 8190
        self.client.expect(b"g " + key, b"1 Lock Get Success: " + key)
        self.client.expect(b"i " + key + b"\r", b"1 Lock Is Locked: " + key)  # the CR of a CR LF does not count
        self.client.expect(b"g " + key + b"k", TOO_LONG)
        self.client.expect(b"g k" + b" " * 8189, b"1 Lock Get Success: k")
        self.client.expect(b"g k" + b" " * 8190, TOO_LONG)  # blanks count
        self.client.expect(b" " * 8193, TOO_LONG)
        self.client.expect(b"ping", b"1 pong")

    def test_F6_nothing_of_a_long_line_is_executed(self) -> None:
        """Names over 4096 bytes cut, so that two names are one lock, and the tail executed as a command."""
        self.client.expect(b"g " + b"k" * 8190 + b" \rg tail\r g tail", TOO_LONG)
        self.assertEqual(self.connect(self.server).listing("d"), [])
        self.assertEqual(self.client.counters()["command_g"], 0)

    def test_F3_F6_long_names_are_not_cut(self) -> None:
        one, other = b"k" * 4096 + b"1", b"k" * 4096 + b"2"
        self.client.expect(b"g " + one, b"1 Lock Get Success: " + one)
        self.connect(self.server).expect(b"g " + other, b"1 Lock Get Success: " + other)

    def test_F6_24_MiB_without_a_newline_are_not_held_in_memory(self) -> None:
        innocent = self.connect(self.server)
        self.client.expect("g mine", "1 Lock Get Success: mine")
        before = self.server.peak_bytes()
        for _ in range(24):
            self.client.send(b"x" * MIB)
            innocent.expect("g mine", "0 Lock Get Failure: mine")
        self.client.send(b"\n")
        self.client.expect_lines(TOO_LONG)
        self.client.expect("i mine", "1 Lock Is Locked: mine")
        self.server.peak_stays_within(8 * MIB, before)

    def test_F1_F6_a_long_line_without_its_end_gets_no_answer(self) -> None:
        self.client.send(b"ping\n" + b"x" * 20000)
        self.client.half_close()
        self.client.expect_lines("1 pong")
        self.client.expect_eof()

    def test_F6_the_limit_can_be_set(self) -> None:
        client = self.connect(self.daemon("--max-line-bytes", "16"))
        client.expect("g 12345678901234", "1 Lock Get Success: 12345678901234")
        client.expect("g 123456789012345", "0 Line Too Long: limit 16 bytes")


class Lines(DaemonTestCase):
    def setUp(self) -> None:
        self.server = self.daemon()
        self.client = self.connect(self.server)

    def test_F1_unterminated_command_executed_at_EOF(self) -> None:
        self.client.send(b"g whole\ng tail")
        self.client.half_close()
        self.client.expect_lines("1 Lock Get Success: whole")
        self.client.expect_eof()
        dropped = self.connect(self.server)
        dropped.send(b"g tail")
        dropped.close()
        observer = self.connect(self.server)
        eventually(lambda: observer.counters()["connections"] == 1, 10, "both sessions have ended")
        self.assertEqual(observer.counters()["command_g"], 1)

    def test_F2_F4_blanks(self) -> None:
        self.client.send(b"\n \t\v\f\r\n\r\n  g\t two \v\f words \r\n")
        self.client.expect_lines("1 Lock Get Success: two words")
        self.client.expect("i two words", "1 Lock Is Locked: two words")
        self.assertEqual(self.client.counters()["invalid_commands"], 0)

    def test_F7_CRLF_and_LF_mixed_for_the_same_reply(self) -> None:
        requests = b"g k", b"g k", b"i k", b"d", b"dump", b"iam x", b"me", b"who", b"sg k", b"sd", b"r k", b"iam"
        with_lf = b"".join(request + b"\n" for request in requests)
        with_crlf = with_lf.replace(b"\n", b"\r\n")
        self.client.send(with_crlf + with_lf + b"q\r\nq\n")
        self.client.half_close()
        replies = self.client.to_end().split(b"\n")
        self.assertEqual(len(replies), 24 + 2 * 19 + 1)
        self.assertEqual(replies[:12], replies[12:24])
        self.assertEqual([reply for reply in replies if b"\r" in reply], [])

    def test_F8_an_unknown_verb_is_answered(self) -> None:
        self.client.expect("nonsense", "0 Unknown Command: nonsense")
        self.client.expect("G report", "0 Unknown Command: G")
        self.client.expect("constructor", "0 Unknown Command: constructor")
        self.client.expect("get report", "0 Unknown Command: get")
        self.client.expect("v" * 65 + " report", "0 Unknown Command: " + "v" * 64)
        self.client.expect(b"\x00\x1b\\\x7f\xff~ x", rb"0 Unknown Command: \x00\x1B\\x7F\xFF~")
        self.client.expect(b"\xfe" * 65, rb"0 Unknown Command: " + rb"\xFE" * 64)
        self.assertEqual(self.client.counters()["invalid_commands"], 7)

    def test_F8_classic_servers_stay_silent(self) -> None:
        client = self.connect(self.daemon("--classic"))
        client.send("nonsense\nG report\n")
        client.expect("g report", "1 Lock Get Success: report")
        client.expect("ping x", "0 Bad Arguments: ping")
        client.expect("x" * 9000, TOO_LONG)
        self.assertEqual(client.counters()["invalid_commands"], 2)

    def test_F9_words_after_a_verb_that_takes_none(self) -> None:
        for verb in "ra", "cancel", "stats", "ping", "version", "help", "quit":
            self.client.expect(f"{verb} x", f"0 Bad Arguments: {verb}")
        self.assertEqual(len(self.client.listing("q x")), 19)
        self.client.expect("me x", f"1 {self.client.address} {self.client.address}")
        self.assertEqual(self.client.counters()["invalid_commands"], 0)

    def test_F10_the_server_never_speaks_first(self) -> None:
        self.client.expect("ping", "1 pong")  # the first bytes that come

    def test_E4_the_rest(self) -> None:
        self.assertRegex(self.client.ask("version"), rb"^1 lockd \d+\.\d+\.\d+$")
        *verbs, end = self.client.listing("help")
        self.assertEqual(end, b"END")
        spoken = """g gw r i iw t sg sgl sgw sr si siw st ra cancel d sd dump list q stats me iam who ping version help
            quit""".split()
        self.assertEqual(sorted(line.split()[0].decode() for line in verbs), sorted(spoken))

    def test_E4_S2_quit_has_no_reply_and_is_the_end(self) -> None:
        self.client.expect("g mine", "1 Lock Get Success: mine")
        self.client.send("ping\nquit\ng after\n")
        self.client.expect_lines("1 pong")
        self.client.expect_end()
        observer = self.connect(self.server)
        eventually(lambda: observer.ask("i mine") == b"0 Lock Not Locked: mine", 10, "the lock is free")
        self.assertEqual(observer.counters()["command_g"], 1)

    def test_L4_a_feature_turned_off_hangs_the_connection(self) -> None:
        client = self.connect(self.daemon("--no-dump", "--no-registry"))
        for request in "d", "d k", "sd", "dump", "dump shared", "who", "iam x", "iam":
            client.expect(request, "0 disabled")
        self.assertEqual(client.counters()["command_d"], 2)
        client.expect("me", f"1 {client.address} {client.address}")


class Browsers(DaemonTestCase):
    def setUp(self) -> None:
        self.server = self.daemon()
        self.observer = self.connect(self.server)

    def end_of_session(self, request: bytes, replies: bytes = b"") -> None:
        """The request ends its session, and no line behind it is executed."""
        before = self.observer.counters()["command_g"]
        browser = self.connect(self.server)
        browser.send(request)
        browser.expect_bytes(replies)
        browser.expect_end()
        eventually(lambda: self.observer.counters()["connections"] == 1, 10, "the session has ended")
        self.assertEqual(self.observer.listing("d"), [])
        self.assertEqual(self.observer.counters()["command_g"] - before, replies.count(b"\n"))

    def test_F11_a_POST_takes_no_lock(self) -> None:
        self.end_of_session(b"POST / HTTP/1.1\r\nHost: lockd\r\nContent-Length: 14\r\n\r\ng evil\nsg evil\n")

    def test_F11_what_came_before_was_executed(self) -> None:
        self.end_of_session(b"g mine\nPOST / HTTP/1.1\r\n\r\ng evil\n", b"1 Lock Get Success: mine\n")

    def test_F11_each_of_the_verbs(self) -> None:
        for verb in b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS", b"Host:":
            with self.subTest(verb=verb):
                self.end_of_session(verb + b" / HTTP/1.1\ng evil\n")
                self.end_of_session(verb + b"\ng evil\n")

    def test_F11_only_these(self) -> None:
        client = self.connect(self.server)
        for verb in "get", "GETS", "host:", "DELETE":
            client.expect(f"{verb} /", f"0 Unknown Command: {verb}")


class Keys(DaemonTestCase):
    BYTES = (b"", b"\0", b"\0\0", b"\x80\xff", b"\xc3\xa9", b"\xe9", b"\x85", b"\xa0")
    KEYS = (*BYTES, b"constructor", b"__proto__", b"toString")

    def setUp(self) -> None:
        self.server = self.daemon()
        self.client = self.connect(self.server)
        self.other = self.connect(self.server)

    def test_F3_a_lock_named_constructor_and_other_odd_keys(self) -> None:
        for key in self.KEYS:
            self.client.expect(b"g " + key, b"1 Lock Get Success: " + key)
        self.other.send(b"g\n")
        self.other.expect_lines("0 Lock Get Failure: ")
        for key in self.KEYS:
            self.other.expect(b"g " + key, b"0 Lock Get Failure: " + key)
            self.other.expect(b"si " + key, b"0 Shared Lock Not Locked: " + key)
        mine = self.client.address.encode()
        self.assertEqual(sorted(self.other.listing("d")), sorted(key + b": " + mine for key in self.KEYS))
        for key in self.KEYS:
            self.client.expect(b"r " + key, b"1 Lock Release Success: " + key)
        self.assertEqual(self.other.listing("d"), [])

    def test_F3_H1_odd_keys_shared(self) -> None:
        for key in self.KEYS:
            self.client.expect(b"sg " + key, b"1 Shared Lock Get Success: " + key)
            self.other.expect(b"si " + key, b"1 Shared Lock Is Locked: " + key)
            self.other.expect(b"i " + key, b"0 Lock Not Locked: " + key)
            self.client.expect(b"sr " + key, b"1 Shared Lock Release Success: " + key)

    def test_L2_odd_keys_in_a_dump(self) -> None:
        mine = self.client.address
        for key, escaped in (
            (b"", r""),
            (b"\0\x1f", r"\u0000\u001f"),
            (b"\xff", r"\u00ff"),
            (b"\xc3\xa9", "\u00e9"),
            (b"\xc3", r"\u00c3"),
            (b"\xed\xa0\x80", r"\u00ed\u00a0\u0080"),
            (b'a"b\\c', r"a\"b\\c"),
            (b"\x7f/", "\x7f/"),
        ):
            self.client.expect(b"g " + key, b"1 Lock Get Success: " + key)
            self.other.expect("dump", f'{{"{escaped}":"{mine}"}}')
            json.loads(self.other.ask("dump"))
            self.client.expect(b"r " + key, b"1 Lock Release Success: " + key)


class Cuts(DaemonTestCase):
    """Pipelined commands lost to a fresh buffer per line; CR and LF in two reads."""

    STREAM = (
        b"g a\r\ng b\nsg a\r\n\r\n\n  i a  \r\ni c\nr b\r\ng two\r words\nnonsense\r\n"
        b"dump\nr a\nsr a\r\nping\r\nd b\nversions\ng \x00\xff\nr \x00\xff\r\n" + b"x" * 8193 + b"\r\nping\n"
    )

    def replies(self, client: Client) -> bytes:
        """What the protocol has as the answer to STREAM."""
        dump = f'{{"a":"{client.address}","two words":"{client.address}"}}'.encode()
        return b"".join(
            line + b"\n"
            for line in (
                b"1 Lock Get Success: a",
                b"1 Lock Get Success: b",
                b"1 Shared Lock Get Success: a",
                b"1 Lock Is Locked: a",
                b"0 Lock Not Locked: c",
                b"1 Lock Release Success: b",
                b"1 Lock Get Success: two words",
                b"0 Unknown Command: nonsense",
                dump,
                b"1 Lock Release Success: a",
                b"1 Shared Lock Release Success: a",
                b"1 pong",
                b"0 Unknown Command: versions",
                b"1 Lock Get Success: \x00\xff",
                b"1 Lock Release Success: \x00\xff",
                TOO_LONG,
                b"1 pong",
            )
        )

    def check_cut(self, pieces: list[bytes]) -> None:
        client = Client(self.server.uris[0])
        for piece in pieces:
            client.send(piece)
        expected = self.replies(client)
        got = client.exactly(len(expected))
        # Keys come in no stated order (L5): of the two that a dump may have, take the one that came.
        one, other = f'"a":"{client.address}"'.encode(), f'"two words":"{client.address}"'.encode()
        self.assertEqual(got.replace(other + b"," + one, one + b"," + other), expected)
        client.close()

    def setUp(self) -> None:
        self.server = self.daemon()
        self.observer = self.connect(self.server)

    def all_free(self) -> None:
        eventually(lambda: self.observer.counters()["locks"] == 0, 10, "the last client's locks are free")

    def test_F5_F6_byte_by_byte(self) -> None:
        self.check_cut([bytes([byte]) for byte in self.STREAM])

    def test_F5_F6_in_two_pieces(self) -> None:
        for at in range(1, 230):
            self.check_cut([self.STREAM[:at], self.STREAM[at:]])
            self.all_free()

    def test_F5_F6_random_cuts(self) -> None:
        generator = random.Random(20100705)
        for _ in range(100):
            cuts = [0, *sorted(generator.sample(range(1, len(self.STREAM)), 12)), len(self.STREAM)]
            self.check_cut([self.STREAM[begin:end] for begin, end in zip(cuts, cuts[1:])])
            self.all_free()
