"""The network between a holder and the server vanishes, as if a cable were pulled: who learns of it first?"""

from __future__ import annotations

import os
import time

from cable import CLIENT_SECONDS, CableTestCase
from client import TIME_SCALE
from tool import Tool

LATENESS_SECONDS = 0.5  # of processes on a busy machine


class VanishedNetwork(CableTestCase):
    """The holder knows within its own peer timeout, and only then is the lock given to the next."""

    def setUp(self) -> None:
        super().setUp()
        self.holder = self.start("mine")

    def start(self, key: str) -> Tool:
        program = f"{os.environ['LOCKD_EXAMPLES']}/lockd_example_hold"
        arguments = [self.server.uris[0], key, str(CLIENT_SECONDS * 1000)]
        tool = Tool(["ip", "netns", "exec", self.client_space, program, *arguments])
        self.addCleanup(tool.close)
        self.assertRegex(tool.line(), "^held [0-9]+$")
        return tool

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
