"""The network between lockctl and the server vanishes: its command has gone before another one holds the lock."""

from __future__ import annotations

import subprocess

from cable import CLIENT_SECONDS, CableTestCase
from client import LineReader
from lockctl import END_SECONDS, LOCKCTL, TIME_SCALE, environment_of, has_ended, state_of

STUBBORN = "trap '' TERM; echo $$; while :; do sleep 0.05; done"


class VanishedNetworkOfACommand(CableTestCase):
    def test_the_command_has_gone_before_the_next_one_holds_the_lock(self) -> None:
        """0.9 x 2 s + 0.1 s are less than half of the server's 6 s."""
        timeouts = ["--peer-timeout", str(CLIENT_SECONDS), "--kill-after", "0.1"]
        run = [LOCKCTL, "run", *timeouts, "mine", "--", "sh", "-c", STUBBORN]
        holder = subprocess.Popen(["ip", "netns", "exec", self.client_space, *run], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=environment_of(self.server.uris[0]))
        assert holder.stdout is not None and holder.stderr is not None
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.stderr.close)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        command = int(LineReader(holder.stdout.fileno()).line())
        self.vanish()
        self.next.expect_lines("1 Lock Get Success: mine")
        self.assertTrue(has_ended(command), state_of(command))
        self.assertEqual(holder.wait(END_SECONDS * TIME_SCALE), 70)
        self.assertRegex(holder.stderr.read(),
                         rb"\Alockctl: the lock was lost: tcp://[^ ]*: nothing was heard of the server's host")
