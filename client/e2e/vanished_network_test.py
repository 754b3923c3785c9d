"""The network between a holder and the server vanishes, as if a cable were pulled: who learns of it first?"""

from __future__ import annotations

import os
import time

from client import TIME_SCALE, Client
from daemon import Daemon, DaemonTestCase, eventually, run_tool
from tool import Tool

SERVER_SECONDS, CLIENT_SECONDS = 6, 2
SERVER_ADDRESS, CLIENT_ADDRESS = "10.214.0.1", "10.214.0.2"
LATENESS_SECONDS = 0.5  # of processes on a busy machine


class VanishedNetwork(DaemonTestCase):
    """The holder knows within its own peer timeout, and only then is the lock given to the next."""

    def setUp(self) -> None:
        self.server_space, self.client_space = self.network_namespace("server"), self.network_namespace("holder")
        pair = ("type", "veth", "peer", "name", "lockd0", "netns", self.client_space)
        run_tool("ip", "-n", self.server_space, "link", "add", "lockd0", *pair)
        for space, address in (self.server_space, SERVER_ADDRESS), (self.client_space, CLIENT_ADDRESS):
            run_tool("ip", "-n", space, "address", "add", f"{address}/24", "dev", "lockd0")
            run_tool("ip", "-n", space, "link", "set", "lockd0", "up")
        self.server: Daemon = self.daemon(
            "--peer-timeout",
            str(SERVER_SECONDS),
            listen=[f"tcp://{SERVER_ADDRESS}:0", f"unix://{self.temporary_directory()}/lockd.sock"],
            wrapper=["ip", "netns", "exec", self.server_space],
        )
        self.next: Client = self.connect(self.server, listener=1)
        self.holder = self.start("mine")

    def start(self, key: str) -> Tool:
        program = f"{os.environ['LOCKD_EXAMPLES']}/lockd_example_hold"
        arguments = [self.server.uris[0], key, str(CLIENT_SECONDS * 1000)]
        tool = Tool(["ip", "netns", "exec", self.client_space, program, *arguments])
        self.addCleanup(tool.close)
        self.assertRegex(tool.line(), "^held [0-9]+$")
        return tool

    def vanish(self) -> float:
        """Takes the link down, with somebody in line for the lock. Returns the moment from which the time counts."""
        self.next.send("gw 60000 mine\n")
        observer = self.connect(self.server, listener=1)
        eventually(lambda: observer.ask("iw mine") == b"1 Lock Waiters: mine", 5, "it waits")
        run_tool("ip", "-n", self.client_space, "link", "set", "lockd0", "down")
        return time.monotonic()

    def check_order(self, since: float) -> None:
        self.assertRegex(self.holder.line(), "^lost: nothing was heard of the server's host for ")
        told = time.monotonic()
        self.assertLessEqual(told - since, CLIENT_SECONDS + LATENESS_SECONDS * TIME_SCALE)
        self.next.expect_lines("1 Lock Get Success: mine")
        self.assertGreater(time.monotonic(), told)

    def test_an_idle_holder_knows_before_the_next_one_holds(self) -> None:
        time.sleep(CLIENT_SECONDS)  # keepalive has been at it for a while, and nothing else
        self.assertEqual(self.next.ask("i mine"), b"1 Lock Is Locked: mine")
        self.check_order(self.vanish())

    def test_a_request_into_the_void_does_not_start_the_time_anew(self) -> None:
        """Unanswered data stops keepalive, and TCP_USER_TIMEOUT counts from it: together nearly twice the time."""
        since = self.vanish()
        time.sleep(CLIENT_SECONDS * 0.6)  # not to be right: the later the request, the harder for the client
        self.holder.ask("say it again", 0)
        self.check_order(since)
