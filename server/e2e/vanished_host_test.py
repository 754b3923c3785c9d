"""A client's host vanishes without a word, as if its cable were pulled: two network namespaces, joined by two veths."""

from __future__ import annotations

import time
from pathlib import Path

from client import Client
from daemon import Daemon, DaemonTestCase, eventually, run_tool, wait_until_still
from tool import Tool
from web_socket import frame

PEER_TIMEOUT_SECONDS = 3
# The kernel's keepalive counts in whole seconds, and a retransmission timer ends on its own ticks.
MARGIN_SECONDS = 2.5
LONG_KEY = "k" * 8000  # a reply to `d` is so long
HANDSHAKE = (b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
SERVER_ADDRESS, CLIENT_ADDRESS = "10.213.0.1", "10.213.0.2"


class VanishedHostTestCase(DaemonTestCase):
    """The lock of a client that vanished is free --peer-timeout later, with a margin: it is not kept for hours."""

    scheme = "tcp"

    def setUp(self) -> None:
        self.server_space, self.client_space = self.network_namespace("server"), self.network_namespace("client")
        pair = ("type", "veth", "peer", "name", "lockd0", "netns", self.client_space)
        run_tool("ip", "-n", self.server_space, "link", "add", "lockd0", *pair)
        for space, address in (self.server_space, SERVER_ADDRESS), (self.client_space, CLIENT_ADDRESS):
            run_tool("ip", "-n", space, "address", "add", f"{address}/24", "dev", "lockd0")
            run_tool("ip", "-n", space, "link", "set", "lockd0", "up")
        self.start()

    def start(self) -> None:
        """A daemon in one namespace, a client that holds a lock in the other, and an observer by a Unix socket."""
        self.server: Daemon = self.daemon(
            "--peer-timeout",
            str(PEER_TIMEOUT_SECONDS),
            listen=[f"{self.scheme}://{SERVER_ADDRESS}:0", f"unix://{self.temporary_directory()}/lockd.sock"],
            wrapper=["ip", "netns", "exec", self.server_space],
        )
        self.observer: Client = self.connect(self.server, listener=1)
        self.observer.expect(f"g {LONG_KEY}", f"1 Lock Get Success: {LONG_KEY}")
        self.observer.expect("ping", "1 pong")
        self.descriptors = self.server.descriptors()
        port = self.server.uris[0].rpartition(":")[2].rstrip("/")
        self.client = Tool(["ip", "netns", "exec", self.client_space, "nc", SERVER_ADDRESS, port])
        self.addCleanup(self.client.close)
        self.take_lock()

    def take_lock(self) -> None:
        self.assertEqual(self.client.ask("g away", 1), ["1 Lock Get Success: away"])

    def vanish(self) -> float:
        """Takes the link down. Returns the moment from which the time counts."""
        run_tool("ip", "-n", self.client_space, "link", "set", "lockd0", "down")
        self.observer.expect("i away", "1 Lock Is Locked: away")  # a link that is down tells nobody
        return time.monotonic()

    def check_the_end(self, since: float) -> None:
        left = since + PEER_TIMEOUT_SECONDS + MARGIN_SECONDS - time.monotonic()
        eventually(lambda: self.observer.ask("i away") == b"0 Lock Not Locked: away", left, "the lock is free")
        eventually(lambda: self.server.descriptors() == self.descriptors, 5, "the descriptor is closed")
        self.assertEqual(self.observer.counters()["orphans"], 1)


class VanishedHost(VanishedHostTestCase):
    def test_S2_lock_kept_by_a_dead_client_for_hours(self) -> None:
        """Idle: nothing is on its way, only keepalive can tell."""
        self.check_the_end(self.vanish())

    def test_S2_vanished_with_a_reply_on_its_way(self) -> None:
        """Keepalive does not run while data is unacknowledged: TCP_USER_TIMEOUT has to end it."""
        self.server.pause()
        self.client.ask("me", 0)
        eventually(lambda: received_and_unread(self.server) > 0, 5, "the request is in the server's kernel")
        run_tool("ip", "-n", self.client_space, "link", "set", "lockd0", "down")
        self.server.resume()
        since = time.monotonic()
        eventually(lambda: self.observer.counters()["command_me"] == 1, 2, "the request is executed")
        self.observer.expect("i away", "1 Lock Is Locked: away")
        self.check_the_end(since)

    def test_S2_a_client_killed_behind_a_full_window_never_noticed(self) -> None:
        """Its output is a pipe that nobody empties: it reads no more, and all buffers up to the daemon are full."""
        self.client.ask("d\n" * 3000, 0)
        self.assertLess(wait_until_still(self.observer, "command_d"), 3000)
        self.check_the_end(self.vanish())


class VanishedWebSocket(VanishedHostTestCase):
    """As over TCP: the daemon sends no pings, but its kernel probes the host."""

    scheme = "ws"

    def take_lock(self) -> None:
        self.client.send(HANDSHAKE)
        self.assertTrue(self.client.line().startswith("HTTP/1.1 101 "))
        while self.client.line().strip():
            pass
        self.client.send(frame("g away"))
        reply = b"1 Lock Get Success: away"
        self.assertEqual(self.client.exactly(2 + len(reply))[2:], reply)

    def test_S2_vanished_while_idle(self) -> None:
        self.check_the_end(self.vanish())

    def test_S2_vanished_behind_a_full_window(self) -> None:
        self.client.send(frame("d") * 3000)
        self.assertLess(wait_until_still(self.observer, "command_d"), 3000)
        self.check_the_end(self.vanish())


def received_and_unread(daemon: Daemon) -> int:
    """Bytes in the receive queues of the established TCP connections in the daemon's network namespace."""
    rows = [line.split() for line in Path(f"/proc/{daemon.pid}/net/tcp").read_text().splitlines()[1:]]
    return sum(int(row[4].partition(":")[2], 16) for row in rows if row[3] == "01")
