"""Clients that this project did not write, speaking every classic verb: netcat, socat, and PHP's fsockopen."""

from __future__ import annotations

import re
import socket
import unittest
from collections import Counter
from collections.abc import Sequence

from client import Client
from daemon import LOOPBACK, Daemon, DaemonTestCase, eventually
from tool import Tool, netcat, php, socat

CLASSIC_VERBS = "d dump g i iam me q r sd sg si sr who".split()

Exchange = Sequence[tuple[str, Sequence[str]]]  # requests with the lines of their replies, {me} being the address


def counters_after(requests: Sequence[str]) -> list[str]:
    """What `q` must say as the last of these requests, the first of their server, all locks being free (L3)."""
    counted = Counter(request.split()[0] for request in requests)
    numbers = {f"command_{verb}": counted[verb] for verb in CLASSIC_VERBS}
    numbers |= dict.fromkeys("invalid_commands locks orphans shared_locks shared_orphans".split(), 0)
    numbers["connections"] = 1
    return [f"{name}: {number}" for name, number in sorted(numbers.items())]


EVERY_VERB: Exchange = (
    ("g report", ["1 Lock Get Success: report"]),
    ("g report", ["1 Lock Get Success: report"]),
    ("i report", ["1 Lock Is Locked: report"]),
    ("i other", ["0 Lock Not Locked: other"]),
    ("sg pool", ["1 Shared Lock Get Success: pool"]),
    ("sg pool", ["1 Shared Lock Get Success: pool"]),
    ("si pool", ["1 Shared Lock Is Locked: pool"]),
    ("si other", ["0 Shared Lock Not Locked: other"]),
    ("d", ["report: {me}"]),
    ("d other", []),
    ("d report", ["report: {me}"]),
    ("sd", ["pool: {me}"]),
    ("sd other", []),
    ("sd pool", ["pool: {me}"]),
    ("dump", ['{"report":"{me}"}']),
    ("dump shared", ['{"pool":["{me}"]}']),
    ("who", []),
    ("iam night batch", ["1 ok"]),
    ("me", ["1 {me} night batch"]),
    ("who", ["{me}: night batch"]),
    ("who day batch", []),
    ("who night batch", ["{me}: night batch"]),
    ("d report", ["report: night batch"]),
    ("sd", ["pool: night batch"]),
    ("dump", ['{"report":"{me}"}']),
    ("iam", ["1 ok"]),
    ("who", []),
    ("me", ["1 {me} {me}"]),
    ("r report", ["1 Lock Release Success: report"]),
    ("r report", ["0 Lock Release Failure: report"]),
    ("sr pool", ["1 Shared Lock Release Success: pool"]),
    ("sr pool", ["0 Shared Lock Release Failure: pool"]),
    ("i report", ["0 Lock Not Locked: report"]),
    ("si pool", ["0 Shared Lock Not Locked: pool"]),
    ("d", []),
    ("sd", []),
    ("dump", ["{}"]),
    ("dump shared", ["{}"]),
)


class ClassicTestCase(DaemonTestCase):
    """The two conversations; the classes below have them with each client over each transport."""

    address = r"127\.0\.0\.1:\d+"

    def tool(self, tool: Tool) -> Tool:
        self.addCleanup(tool.close)
        return tool

    def speak_every_verb(self, tool: Tool) -> None:
        (line,) = tool.ask("me", 1)
        matched = re.fullmatch(rf"1 ({self.address}) \1", line)
        assert matched is not None, line
        me = matched.group(1)
        for request, replies in EVERY_VERB:
            expected = [reply.replace("{me}", me) for reply in replies]
            self.assertEqual(tool.ask(request, len(expected)), expected, request)
        asked = ["me", *(request for request, _ in EVERY_VERB), "q"]
        expected = counters_after(asked)
        self.assertEqual(tool.ask("q", len(expected)), expected)
        self.assertEqual(tool.finish(), "")

    def compete(self, daemon: Daemon, first: Tool, second: Tool) -> None:
        """Two at once: failures, names, counts of holders, and what the end of the first leaves behind (S2)."""
        self.assertEqual(first.ask("iam first", 1), ["1 ok"])
        self.assertEqual(first.ask("g report", 1), ["1 Lock Get Success: report"])
        self.assertEqual(first.ask("sg pool", 1), ["1 Shared Lock Get Success: pool"])
        me = second.ask("me", 1)[0].split()[2]
        for request, replies in (
            ("g report", ["0 Lock Get Failure: report"]),
            ("r report", ["0 Lock Release Failure: report"]),
            ("i report", ["1 Lock Is Locked: report"]),
            ("d", ["report: first"]),
            ("si pool", ["1 Shared Lock Is Locked: pool"]),
            ("sr pool", ["0 Shared Lock Release Failure: pool"]),
            ("sg pool", ["2 Shared Lock Get Success: pool"]),
            ("sd", ["pool: first", f"pool: {me}"]),
        ):
            self.assertEqual(second.ask(request, len(replies)), replies, request)
        self.assertEqual(first.finish(), "")
        eventually(lambda: second.ask("si pool", 1) == ["1 Shared Lock Is Locked: pool"], 10, "the first has gone")
        eventually(lambda: second.ask("i report", 1) == ["0 Lock Not Locked: report"], 10, "its lock is free")
        self.assertEqual(second.ask("g report", 1), ["1 Lock Get Success: report"])
        self.assertEqual(second.ask("sd", 1), [f"pool: {me}"])
        self.assertEqual(second.ask("who", 0), [])
        self.assertEqual(second.finish(), "")
        observer = self.connect(daemon)
        eventually(lambda: observer.counters()["orphans"] == 2, 10, "each left the exclusive lock behind")
        eventually(lambda: observer.counters()["shared_orphans"] == 2, 10, "each left a shared lock behind")


class Netcat(ClassicTestCase):
    def test_X1_X2_X3_H1_H2_H3_L1_L2_L3_R1_R2_R3_every_verb(self) -> None:
        self.speak_every_verb(self.tool(netcat(self.daemon().uris[0])))

    def test_X1_X2_H1_S2_two_at_once(self) -> None:
        daemon = self.daemon()
        self.compete(daemon, self.tool(netcat(daemon.uris[0])), self.tool(netcat(daemon.uris[0])))

    def test_F5_S3_a_file_piped_in(self) -> None:
        """As `nc -N HOST PORT < requests`: all of it at once, then a half-close."""
        tool = self.tool(netcat(self.daemon().uris[0]))
        for request, _ in EVERY_VERB:
            tool.ask(request, 0)
        matched = re.search(self.address, text := tool.finish())
        assert matched is not None, text
        replies = [reply.replace("{me}", matched.group()) for _, lines in EVERY_VERB for reply in lines]
        self.assertEqual(text, "".join(f"{reply}\n" for reply in replies))


class Socat(ClassicTestCase):
    def test_X1_X2_X3_H1_H2_H3_L1_L2_L3_R1_R2_R3_every_verb(self) -> None:
        self.speak_every_verb(self.tool(socat(self.daemon().uris[0])))

    def test_X1_X2_H1_S2_two_at_once(self) -> None:
        daemon = self.daemon()
        self.compete(daemon, self.tool(socat(daemon.uris[0])), self.tool(socat(daemon.uris[0])))


class Php(ClassicTestCase):
    def test_X1_X2_X3_H1_H2_H3_L1_L2_L3_R1_R2_R3_every_verb(self) -> None:
        self.speak_every_verb(self.tool(php(self.daemon().uris[0])))

    def test_X1_X2_H1_S2_two_at_once(self) -> None:
        daemon = self.daemon()
        self.compete(daemon, self.tool(php(daemon.uris[0])), self.tool(php(daemon.uris[0])))


class UnixSocket(ClassicTestCase):
    address = r"unix:\d+"

    def unix_daemon(self) -> Daemon:
        return self.daemon(listen=[f"unix://{self.temporary_directory()}/lockd.sock", LOOPBACK])

    def test_R1_every_verb_by_socat(self) -> None:
        self.speak_every_verb(self.tool(socat(self.unix_daemon().uris[0])))

    def test_R1_every_verb_by_php(self) -> None:
        self.speak_every_verb(self.tool(php(self.unix_daemon().uris[0])))

    def test_X1_X2_H1_S2_two_at_once(self) -> None:
        daemon = self.unix_daemon()
        self.compete(daemon, self.tool(socat(daemon.uris[0])), self.tool(php(daemon.uris[0])))

    def test_X1_one_lock_whatever_the_transport(self) -> None:
        daemon = self.unix_daemon()
        self.compete(daemon, self.tool(socat(daemon.uris[0])), self.tool(netcat(daemon.uris[1])))


def has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


@unittest.skipUnless(has_ipv6_loopback(), "this machine has no [::1]")
class Ipv6(ClassicTestCase):
    address = r"\[::1\]:\d+"

    def test_R1_every_verb_by_socat(self) -> None:
        self.speak_every_verb(self.tool(socat(self.daemon(listen=["tcp://[::1]:0"]).uris[0])))

    def test_R1_every_verb_by_php(self) -> None:
        self.speak_every_verb(self.tool(php(self.daemon(listen=["tcp://[::1]:0"]).uris[0])))

    def test_R1_the_address_is_the_one_that_the_client_has(self) -> None:
        daemon = self.daemon(listen=["tcp://[::1]:0", LOOPBACK])
        for client in (Client(uri) for uri in daemon.uris):
            self.addCleanup(client.close)
            client.expect("me", f"1 {client.address} {client.address}")
