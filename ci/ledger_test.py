"""ci/ledger on trees of its own: which reports make a ledger, and what is noticed when one is not what it was."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LEDGER = Path(__file__).with_name("ledger")
RECORDS = Path(__file__).with_name("records.py")
# What a night consists of in these trees, and what is run by hand.
NIGHTLY_PARTS = """
from records import Figure, Part, none_of
FIGURES = {"states": Figure(r"(.+) states", least=1000), "differences": none_of("(.+) differences")}
PARTS = [Part("states", "V3", "all agree", "two keys", [], FIGURES), Part("fuzz", "V9", "none found", "", [], {})]
"""
BY_HAND = """
from records import Part
PARTS = [Part("gate", "V1", "it passes", "small", ["ci/test"], {}, seconds_max=1500),
         Part("soak", "V7", "it stays flat", "an hour", ["ci/soak"], {}, depends=("engine",))]
"""
MARKS = ("<!-- ci/ledger writes what follows -->\n", "<!-- ci/ledger has written what precedes -->\n")


class Ledger(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("engine/a.cc", "int a;\n")
        self.write("docs/verification.md", f"# Ledger\n\n{MARKS[0]}{MARKS[1]}\nBehind it.\n")
        self.write(".gitignore", "build/\n__pycache__/\n")
        self.write("ci/nightly_parts.py", NIGHTLY_PARTS)
        self.write("ci/by_hand.py", BY_HAND)
        for file in (LEDGER, RECORDS):
            shutil.copy(file, self.root / "ci")
        self.git("init", "--quiet")
        self.commit = self.commit_all()
        self.by_hand("gate")

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(self.root), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit_all(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a")
        return self.git("rev-parse", "--short=10", "HEAD")

    def part(self, **others: object) -> dict:
        return {"part": "states", "commit": self.commit, "date": "2026-01-02", "machine": "2 cores", "seconds": 3,
                "passed": True, "why": "", "figures": {"states": 1450, "differences": 0}, "techniques": "V3",
                "claim": "all agree", "limits": "two keys", "command": "ci/nightly states"} | others

    def fuzz(self, **others: object) -> dict:
        return self.part(part="fuzz", techniques="V9", claim="none found", limits="", figures={},
                         command="ci/nightly fuzz") | others

    def by_hand(self, name: str, **others: object) -> None:
        row = {"part": name, "commit": self.commit, "date": "2026-01-02", "machine": "2 cores", "seconds": 1400,
               "passed": True, "why": "", "figures": {}, "depends": ["engine"] if name == "soak" else []}
        self.write(f"build/report/by_hand/{name}.json", json.dumps(row | others))

    def report(self, *parts: dict, seconds: int | None = None) -> None:
        self.write("build/report/nightly.json", json.dumps({"seconds": seconds, "parts": parts}))

    def make(self) -> str:
        """A ledger, and what is left out of it."""
        self.report(self.part(), self.fuzz())
        return self.ledger()

    def page(self) -> str:
        return (self.root / "docs/verification.md").read_text(encoding="utf-8")

    def ledger(self, *options: str) -> str:
        """What it says, or why it fails."""
        done = subprocess.run([sys.executable, "-B", str(self.root / "ci/ledger"), *options], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode == 0, done.stderr == "", done.stderr)
        return done.stderr or done.stdout

    def test_a_table_of_what_has_passed(self) -> None:
        self.report(self.part(), self.fuzz(machine="4 cores", seconds=1200), seconds=4000)
        self.ledger()
        page = self.page()
        self.assertIn(f"Commit {self.commit}, 2026-01-02, 2 cores, where a row does not say otherwise.", page)
        self.assertIn("The night took 4,000 s, all of it in one go.", page)
        self.assertIn("| V3 | all agree | 1,450 states, 0 differences; 3 s | two keys | `ci/nightly states` |", page)
        self.assertIn("1,200 s; 2026-01-02, 4 cores |", page)
        self.assertIn("| V1 | it passes | ; 1,400 s | small | `ci/test` |", page)
        self.assertTrue(page.endswith("\nBehind it.\n"))
        self.assertEqual(self.ledger("--check"), "")

    def test_reports_that_make_no_ledger(self) -> None:
        self.assertIn("there is no report", self.ledger())
        fuzz = self.fuzz()
        for parts, why in (([], "lacks states, fuzz"), ([self.part()], "lacks fuzz"),
                           ([self.part(), fuzz, self.part(part="more")], "that there are not: more"),
                           ([self.part(), self.fuzz(passed=False)], "has not passed: fuzz"),
                           ([self.part(claim="all is well"), fuzz], "states is not what"),
                           ([self.part(limits=""), fuzz], "states is not what"),
                           ([self.part(figures={"states": 999, "differences": 0}), fuzz], "at least 1,000"),
                           ([self.part(figures={"states": 1450}), fuzz], "differences is not printed"),
                           ([self.part(commit="0123456789"), fuzz], "of one commit"),
                           ([self.part(commit="a+"), self.fuzz(commit="a+")], "of one commit")):
            with self.subTest(why):
                self.report(*parts)
                self.assertIn(why, self.ledger())
                self.assertFalse((self.root / "docs/verification.json").exists())

    def test_the_gate_has_to_have_passed_on_that_commit(self) -> None:
        for others, why in (({"commit": "0123456789"}, "gate is of 0123456789"), ({"seconds": 1501}, "may take 1,500"),
                            ({"passed": False, "why": "1 skipped"}, "gate has not passed: 1 skipped")):
            with self.subTest(why):
                self.by_hand("gate", **others)
                self.assertIn(why, self.make())
        (self.root / "build/report/by_hand/gate.json").unlink()
        self.assertIn("gate has no record; ci/test makes one", self.make())

    def test_what_else_is_run_by_hand_is_of_the_same_sources(self) -> None:
        self.assertIn("left out: soak has no record", self.make())
        self.assertIn("Left out: soak has no record", self.page())
        self.by_hand("soak")
        first = self.commit
        self.write("README.md", "Changed.\n")
        self.commit = self.commit_all()
        self.by_hand("gate")
        self.assertEqual(self.make(), "")
        self.assertIn(f"1,400 s; commit {first} | an hour | `ci/soak` |", self.page())
        self.assertEqual(self.ledger("--check"), "")
        self.write("engine/a.cc", "int b;\n")
        self.commit = self.commit_all()
        self.by_hand("gate")
        self.assertIn("changed until", self.make())
        self.assertNotIn("`ci/soak` |", self.page())

    def test_a_ledger_that_somebody_has_changed(self) -> None:
        self.make()
        kept = self.root / "docs/verification.json"
        ledger = json.loads(kept.read_text(encoding="utf-8"))
        ledger["by_hand"][0] |= {"commit": "0123456789", "depends": ["engine"]}
        kept.write_text(json.dumps(ledger), encoding="utf-8")
        self.assertIn("is not what verification.json says", self.ledger("--check"))
        self.write("docs/verification.md", self.page().replace("1,400 s", "1,400 s; commit 0123456789"))
        self.assertIn("git cannot compare 0123456789", self.ledger("--check"))

    def test_a_table_that_somebody_has_typed(self) -> None:
        self.make()
        self.write("docs/verification.md", self.page().replace("1,450", "1,451"))
        self.assertIn("is not what verification.json says", self.ledger("--check"))

    def test_a_table_that_comes_from_nowhere(self) -> None:
        self.assertEqual(self.ledger("--check"), "")
        self.write("docs/verification.md", f"{MARKS[0]}| V3 |\n{MARKS[1]}")
        self.assertIn("is not what verification.json says", self.ledger("--check"))

    def test_only_docs_may_have_changed_since(self) -> None:
        self.assertIn("there is no ledger", self.ledger("--delivered"))
        self.make()
        self.git("add", "docs")
        self.git("commit", "--quiet", "--message", "ledger")
        self.assertIn("nothing but docs has changed", self.ledger("--delivered"))
        self.write("engine/b.cc", "int b;\n")
        self.assertIn("engine/b.cc", self.ledger("--delivered"))
        self.commit_all()
        self.assertIn("engine/b.cc", self.ledger("--delivered"))

    def test_a_page_without_its_marks(self) -> None:
        self.write("docs/verification.md", "# Ledger\n")
        self.assertIn("has lost the marks", self.make())


if __name__ == "__main__":
    unittest.main()
