"""Tests of what ci/record keeps, of runs that fail, lack a figure, or are of a tree that changes meanwhile; and that
the figures of ci/by_hand.py are found where they are printed."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CI = Path(__file__).resolve().parent
sys.path.insert(0, str(CI))
import by_hand
import records
from records import Figure, distinct, none_of, smallest, span

BY_HAND = """
from records import Figure, Part, none_of
PARTS = [Part("gate", "V1", "", "", [], {"passed": Figure(r"(.+) passed"), "skipped": none_of(r"(.+) skipped")})]
"""
GATE = """      Start 1: X1_get
 1/9 Test  #1: X1_get ................................   Passed    0.01 sec
 2/9 Test  #2: e2e.waiting.Waiting ...................   Passed    0.01 sec
 3/9 Test #13: e2e.vanished_host.VanishedHost ........***Skipped   0.01 sec
 4/9 Test  #4: asan.X1_get ...........................   Passed    0.01 sec
 5/9 Test  #5: tsan.A/B  # GetParam() = 3 ............   Passed    0.01 sec
 6/9 Test  #6: tsan.X1_get ...........................***Not Run (Disabled)   0.00 sec
 7/9 Test  #7: fuzz.session ..........................   Passed    0.01 sec
 8/9 Test  #8: fuzz.parser ...........................***Failed    0.01 sec
"""
MUTANTS = ("ci/mutate: 2956 mutants, 19 of them the same object code; of the other 2937, 2792 killed (95.1 %), 71 "
           "equivalent for a reason that is given; without these 97.4 % killed, 59 not to be seen by any test for a "
           "reason that is given, 15 surviving without a reason, 0 not run yet; build/report/mutants.md has the report")


class Figures(unittest.TestCase):
    def test_what_is_made_of_several_numbers(self) -> None:
        log = "3 runs\n10 runs\n3 runs\nseeds 5 to 7\n"
        for figure, number in ((Figure(r"^(\d+) runs"), 16), (Figure(r"^(\d+) runs", of=smallest), 3),
                               (Figure(r"^(\d+) runs", of=distinct), 2), (Figure(r"runs", of=len), 3),
                               (Figure(r"(\d+) to (\d+)", of=span), 3), (Figure(r"(\d+) others"), None),
                               (none_of("others", of=len), 0)):
            self.assertEqual(figure.read(log), number, figure.pattern)

    def test_what_a_number_has_to_be(self) -> None:
        self.assertEqual(Figure("", least=3).trouble(3), "")
        self.assertIn("at least 3", Figure("", least=3).trouble(2))
        self.assertIn("at most 0", none_of("").trouble(1))
        self.assertIn("not printed", none_of("").trouble(None))

    def figures_by_hand(self, name: str, log: str) -> list:
        part = {part.name: part for part in by_hand.PARTS}[name]
        return [list(part.figures_in(log).values()), part.troubles(part.figures_in(log), 0)]

    def test_of_the_gate(self) -> None:
        self.assertEqual(self.figures_by_hand("gate", GATE),
                         [[2, 1, 1, 1, 2], ["tests skipped is 2, and may be at most 0"]])

    def test_of_mutants(self) -> None:
        figures, troubles = self.figures_by_hand("mutants", MUTANTS)
        self.assertEqual(figures, [2956, 19, 2792, 71, 97.4, 59, 15, 0])
        self.assertEqual(len(troubles), 2)

    def test_of_a_soak_that_is_too_short(self) -> None:
        soak = "99 requests answered in {} seconds, 9 samples, 0 findings\nquarter 2: 8 KiB\nquarter 4: 9 KiB\n"
        self.assertEqual(self.figures_by_hand("soak", soak.format(3595)), [[3595, 99, 9, 8, 9], []])
        self.assertEqual(len(self.figures_by_hand("soak", soak.format(120))[1]), 1)

    def test_of_tidy(self) -> None:
        said = "Running clang-tidy for 3 files out of 3 in compilation database ...\n29005 warnings generated.\n"
        self.assertEqual(self.figures_by_hand("tidy", said), [[3, 0], []])
        said += "/a/b.cc:3:1: warning: uninitialized [clang-analyzer]\n"
        self.assertEqual(self.figures_by_hand("tidy", said)[0], [3, 1])


class Record(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "ci").mkdir()
        for file in ("record", "records.py"):
            shutil.copy(CI / file, self.root / "ci")
        (self.root / "ci/by_hand.py").write_text(BY_HAND)
        (self.root / ".gitignore").write_text("build/\n__pycache__/\n")

    def make_repository(self) -> None:
        for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "a"]):
            subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", self.root, *command], check=True)

    def record(self, script: str) -> tuple[subprocess.CompletedProcess, dict | None]:
        done = subprocess.run([sys.executable, "-B", self.root / "ci/record", "gate", "bash", "-c", script],
                              cwd=self.root, capture_output=True, text=True, check=False)
        kept = self.root / "build/report/by_hand/gate.json"
        return done, json.loads(kept.read_text()) if kept.exists() else None

    def test_what_is_kept(self) -> None:
        self.make_repository()
        done, kept = self.record("echo 3 passed; echo 0 skipped >&2; [[ $LOCKD_RECORDED == gate ]]")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "3 passed\n", "0 skipped\n"))
        self.assertTrue(kept["passed"])
        self.assertEqual(kept["figures"], {"passed": 3, "skipped": 0})

    def test_a_failure_is_kept_as_one(self) -> None:
        self.make_repository()
        done, kept = self.record("echo 3 passed; echo 0 skipped; exit 7")
        self.assertEqual((done.returncode, kept["passed"]), (7, False))

    def test_what_is_skipped_is_said_and_is_nothing_for_the_ledger(self) -> None:
        self.make_repository()
        done, kept = self.record("echo 3 passed; echo 1 skipped")
        self.assertEqual((done.returncode, kept["passed"]), (0, False))
        self.assertIn("skipped is 1", done.stderr)

    def test_nothing_is_kept_of_a_tree_that_changes(self) -> None:
        self.make_repository()
        done, kept = self.record("touch new; echo 3 passed; echo 0 skipped")
        self.assertEqual((done.returncode, kept), (0, None))
        self.assertIn("nothing is kept", done.stderr)

    def test_outside_of_a_repository_the_command_runs_all_the_same(self) -> None:
        done, kept = self.record("echo $LOCKD_RECORDED; exit 3")
        self.assertEqual((done.returncode, done.stdout, kept), (3, "gate\n", None))


if __name__ == "__main__":
    unittest.main()
