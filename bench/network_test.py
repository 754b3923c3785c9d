"""Tests of the network that ci/bench measures in. They move into namespaces, each in a process of its own."""

import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
import network
from servers import Failed

REFUSED = "no network namespace can be made here"


class Namespaces(unittest.TestCase):
    def printed(self, code: str) -> str:
        """By a process that imports what is tested."""
        done = subprocess.run([sys.executable, "-B", "-c", f"import os\nimport network\n{code}"], capture_output=True,
                              text=True, check=False, cwd=Path(__file__).parent)
        if REFUSED in done.stderr + done.stdout:
            self.skipTest(REFUSED)
        return done.stdout + done.stderr

    def test_connections_have_what_is_asked_for(self) -> None:
        """reno is in every kernel."""
        own = network.congestion_control()
        printed = self.printed("print(network.enter('reno'))\nprint(network.congestion_control())")
        self.assertEqual(printed.split("\n")[:2], [
            "{'congestion control of TCP': 'reno, in a network namespace of its own', "
            f"\"the machine's own congestion control\": '{own}'}}", "reno"])

    def test_what_cannot_be_had_leaves_all_as_it_is(self) -> None:
        printed = self.printed("""\
before = os.readlink("/proc/self/ns/net")
try:
    network.enter("no_such_one")
except network.Failed as failure:
    print(failure)
print(os.readlink("/proc/self/ns/net") == before)""")
        self.assertIn("no_such_one", printed)
        self.assertTrue(printed.endswith("True\n"), printed)

    def test_without_a_namespace_it_is_the_machines_own(self) -> None:
        own = network.congestion_control()
        with mock.patch.object(network, "move_into_namespace", side_effect=Failed("nobody may")):
            self.assertEqual(network.enter(None)["congestion control of TCP"], f"{own}, the machine's own: nobody may")
            with self.assertRaisesRegex(Failed, "nobody may"):
                network.enter("cubic")


if __name__ == "__main__":
    unittest.main()
