"""Tests of what ci/torture ends with: a point that was never reached is no pass."""

import contextlib
import io
import sys
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
import torture


class OnePoint(unittest.TestCase):
    def status(self, *runs: tuple[bool, str]) -> int:
        """Of runs by whether they are reached, and what is found."""
        asked = [torture.Run("serve", "malloc", at + 1, "ENOMEM") for at in range(len(runs))]
        played = iter(runs)

        def play(run: torture.Run) -> None:
            run.reached, run.finding = next(played)

        with mock.patch.object(torture.Run, "play", play), contextlib.redirect_stdout(io.StringIO()):
            return torture.play_points(torture.Torture(1, 1, 1), asked)

    def test_reached_and_unharmed(self) -> None:
        self.assertEqual(self.status((True, ""), (True, "")), 0)

    def test_a_finding(self) -> None:
        self.assertEqual(self.status((True, "it crashed"), (True, "")), 1)

    def test_a_point_that_is_never_reached(self) -> None:
        self.assertEqual(self.status((True, ""), (False, "")), 1)


if __name__ == "__main__":
    unittest.main()
