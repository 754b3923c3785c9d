"""Canaries for ci/nightly: a part that fails in whatever way is not taken for one that has passed."""

import importlib.util
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
LOADER = SourceFileLoader("nightly", str(Path(__file__).with_name("nightly")))
nightly = importlib.util.module_from_spec(importlib.util.spec_from_loader("nightly", LOADER))
LOADER.exec_module(nightly)


class Results(unittest.TestCase):
    def result(self, *commands: str) -> dict:
        figures = {"runs": r"(\d+) runs", "differences": r"differences: (\d+)"}
        part = nightly.Part("canary", "V18", "it sings", "none", list(commands), figures)
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(nightly, "LOGS", Path(folder)), \
                mock.patch.object(nightly, "ROOT", Path(folder)), mock.patch.object(nightly, "say"):
            return nightly.run(part, "abc")

    def test_figures_of_several_commands_are_added_up(self) -> None:
        result = self.result("echo 7 runs, differences: 0", "echo 5 runs, differences: 0")
        self.assertTrue(result["passed"])
        self.assertEqual(result["figures"], {"runs": 12, "differences": 0})

    def test_a_command_that_fails_fails_the_part_and_ends_it(self) -> None:
        result = self.result("echo 7 runs, differences: 0; exit 3", "echo 5 runs")
        self.assertFalse(result["passed"])
        self.assertEqual(result["figures"]["runs"], 7)

    def test_a_failure_in_a_pipe_is_one(self) -> None:
        self.assertFalse(self.result("{ echo 7 runs, differences: 0; exit 3; } | cat")["passed"])

    def test_a_figure_that_is_missing_fails_the_part(self) -> None:
        self.assertFalse(self.result("echo 7 runs")["passed"])

    def test_a_difference_fails_the_part(self) -> None:
        self.assertFalse(self.result("echo 7 runs, differences: 1")["passed"])


class Order(unittest.TestCase):
    def test_the_longest_parts_begin_first_and_all_have_a_result(self) -> None:
        begun = []
        parts = [nightly.Part(f"of_{minutes}", "V18", "", "", [], {}, minutes=minutes) for minutes in (1, 30, 2, 5)]
        with mock.patch.object(nightly, "run", lambda part, on: begun.append(part.minutes) or {"part": part.name}), \
                mock.patch.object(nightly, "AT_ONCE", 1), mock.patch.object(nightly, "say"):
            results = list(nightly.run_all(parts, "abc"))
        self.assertEqual(begun, [30, 5, 2, 1])
        self.assertEqual({result["part"] for result in results}, {part.name for part in parts})


if __name__ == "__main__":
    unittest.main()
