"""Canaries for ci/nightly: a part that fails in whatever way, or runs on another tree, is not taken for one that has
passed."""

import dataclasses
import importlib.util
import json
import os
import signal
import sys
import tempfile
import threading
import time
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
from nightly_parts import PARTS
from records import Figure, Part, none_of, smallest

LOADER = SourceFileLoader("nightly", str(Path(__file__).with_name("nightly")))
nightly = importlib.util.module_from_spec(importlib.util.spec_from_loader("nightly", LOADER))
LOADER.exec_module(nightly)


def part(*commands: str, **others: object) -> Part:
    figures = {"runs": Figure(r"(\d+) runs"), "differences": none_of(r"differences: (\d+)")}
    return dataclasses.replace(Part("canary", "V18", "it sings", "none", list(commands), figures), **others)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "XZ"
    except FileNotFoundError:
        return False


class WithFolder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.commits = ["abc"]  # what the tree is: now, later and so on; the last for good
        for target, more in ((nightly, {"LOGS": self.root, "ROOT": self.root, "REPORT": self.root, "say": mock.Mock()}),
                             (nightly.records, {"commit": self.commit})):
            patch = mock.patch.multiple(target, **more)
            patch.start()
            self.addCleanup(patch.stop)

    def commit(self) -> str:
        return self.commits.pop(0) if len(self.commits) > 1 else self.commits[0]

    def result(self, *commands: str, **others: object) -> dict:
        return nightly.Night("abc").run(part(*commands, **others))


class Results(WithFolder):
    def test_figures_of_several_commands_are_added_up(self) -> None:
        result = self.result("echo 7 runs, differences: 0", "echo 5 runs, differences: 0")
        self.assertTrue(result["passed"])
        self.assertEqual(result["figures"], {"runs": 12, "differences": 0})
        self.assertEqual(json.loads((self.root / "canary.json").read_text()), result)

    def test_a_command_that_fails_fails_the_part_and_ends_it(self) -> None:
        result = self.result("echo 7 runs, differences: 0; exit 3", "echo 5 runs")
        self.assertIn("exit status 3", result["why"])
        self.assertEqual(result["figures"]["runs"], 7)

    def test_a_failure_in_a_pipe_is_one(self) -> None:
        self.assertFalse(self.result("{ echo 7 runs, differences: 0; exit 3; } | cat")["passed"])

    def test_a_figure_that_is_missing_fails_the_part(self) -> None:
        self.assertEqual(self.result("echo 7 runs")["why"], "differences is not printed")

    def test_a_difference_fails_the_part(self) -> None:
        self.assertIn("differences is 1", self.result("echo 7 runs, differences: 1")["why"])

    def test_a_figure_below_its_minimum_fails_the_part(self) -> None:
        fewest = {"runs": Figure(r"(\d+) runs", least=6, of=smallest)}
        self.assertEqual(self.result("echo 6 runs", "echo 7 runs", figures=fewest)["why"], "")
        self.assertEqual(self.result("echo 5 runs", "echo 7 runs", figures=fewest)["why"],
                         "runs is 5, and has to be at least 6")

    def test_a_part_that_does_not_end_is_ended(self) -> None:
        with mock.patch.object(nightly.Part, "seconds_until_ended", 0.2):
            self.assertIn("timed out", self.result("echo 7 runs, differences: 0; sleep 60 | cat")["why"])


    def test_a_night_under_nohup_outlives_the_terminal_and_its_parts_heed_hangups(self) -> None:
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_IGN))
        nightly.keep_hangups_from_children()
        os.kill(os.getpid(), signal.SIGHUP)
        result = self.result("echo 7 runs, differences: 0; kill -HUP $$; echo 8 runs")
        self.assertIn("exit status -1 ", result["why"])
        self.assertEqual(result["figures"]["runs"], 7)

    def test_what_a_stopped_part_has_started_ends_with_it_whatever_its_session(self) -> None:
        night = nightly.Night("abc")
        started = self.root / "started"
        script = f"setsid bash -c 'echo $$ > {started}.new; mv {started}.new {started}; exec sleep 1000' & wait"

        def stop_when_started() -> None:
            while not started.exists():
                time.sleep(0.001)
            night.children.stop()

        stopper = threading.Thread(target=stop_when_started, daemon=True)
        stopper.start()
        with self.assertRaises(nightly.Stopped):
            night.run(part(script))
        stopper.join()
        self.assertFalse(is_running(int(started.read_text())))

    def test_a_night_that_is_stopped_is_no_whole_one(self) -> None:
        night = nightly.Night("abc")
        night.children.stop()
        with mock.patch.object(nightly.signal, "signal"):
            self.assertFalse(nightly.run_night(night, [part("echo 7 runs, differences: 0")], {}))
        self.assertFalse((self.root / "canary.json").exists())


class Trees(WithFolder):
    SINGS = "echo 7 runs, differences: 0"

    def test_what_ran_while_the_tree_changed_is_not_kept(self) -> None:
        for self.commits in (["abd"], ["abc", "abc+"]):
            self.assertIn("counts for neither", self.result(self.SINGS)["why"])
            self.assertFalse((self.root / "canary.json").exists())

    def test_what_has_passed_on_this_commit_alone_is_not_due(self) -> None:
        for commit, on, due in (("abc", "abc", False), ("abd", "abc", True), ("abc+", "abc+", True)):
            self.assertEqual(nightly.is_due({"passed": True, "commit": commit}, on), due)
        self.assertTrue(nightly.is_due({"passed": False, "commit": "abc"}, "abc"))
        self.assertTrue(nightly.is_due({}, "abc"))


class Report(WithFolder):
    def report_after(self, *calls: list[Part]) -> dict:
        results: dict[str, dict] = {}
        parts = [part("echo 7 runs, differences: 0", name=name) for name in ("one", "two")]
        with mock.patch.object(nightly, "PARTS", parts):
            for number, names in enumerate(calls):
                night = nightly.Night("abc")
                night.begun = f"night {number}"
                nightly.run_night(night, [part for part in parts if part.name in names], results)
                nightly.write_report(results)
        return json.loads((self.root / "nightly.json").read_text())

    def test_the_time_of_a_night_in_one_go(self) -> None:
        report = self.report_after(["one", "two"])
        self.assertEqual([row["part"] for row in report["parts"]], ["one", "two"])
        self.assertIsNotNone(report["seconds"])

    def test_a_night_in_several_goes_has_no_time(self) -> None:
        self.assertIsNone(self.report_after(["one"], ["two"])["seconds"])
        self.assertIsNone(self.report_after(["one", "two"], ["two"])["seconds"])


class Order(unittest.TestCase):
    def test_the_longest_parts_begin_first_and_all_have_a_result(self) -> None:
        begun = []
        parts = [part(name=f"of_{minutes}", minutes=minutes) for minutes in (1, 30, 2, 5)]
        with mock.patch.object(nightly, "AT_ONCE", 1), mock.patch.object(nightly, "say"):
            results = list(nightly.run_all(parts, lambda one: begun.append(one.minutes) or {"part": one.name}))
        self.assertEqual(begun, [30, 5, 2, 1])
        self.assertEqual({result["part"] for result in results}, {one.name for one in parts})

    def test_a_part_that_measures_has_nothing_beside_it(self) -> None:
        parts = [part(name="measures", alone=True), part(name="also", alone=True), part(name="long", minutes=9)]
        running: list[str] = []

        def run(one: Part) -> dict:
            running.append(one.name)
            if one.alone:
                self.assertEqual(running, [one.name])
            time.sleep(0.01)  # that others would come in, were they let
            running.remove(one.name)
            return {"part": one.name}

        with mock.patch.object(nightly, "say"):
            results = list(nightly.run_all(parts, run))
        self.assertEqual([result["part"] for result in results], ["measures", "also", "long"])

    def test_minutes_are_added_up_for_those_alone_and_halved_for_the_others(self) -> None:
        self.assertEqual(nightly.minutes_for([part(minutes=3, alone=True), part(minutes=4), part(minutes=2)]), 7)
        self.assertEqual(nightly.minutes_for([part(minutes=3), part(minutes=5)]), 5)
        self.assertEqual(nightly.minutes_for([]), 0)

    def test_a_night_is_to_take_no_more_than_75_minutes(self) -> None:
        self.assertLessEqual(nightly.minutes_for(PARTS), 75)


if __name__ == "__main__":
    unittest.main()
