"""ci/ledger on trees of its own: which reports make a ledger, and what is noticed when one is not what it was."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LEDGER = Path(__file__).with_name("ledger")
MARKS = ("<!-- ci/ledger writes what follows -->\n", "<!-- ci/ledger has written what precedes -->\n")


class Ledger(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("engine/a.cc", "int a;\n")
        self.write("docs/verification.md", f"# Ledger\n\n{MARKS[0]}{MARKS[1]}\nBehind it.\n")
        self.write("ci/ledger", "")
        shutil.copy(LEDGER, self.root / "ci/ledger")
        self.git("init", "--quiet")
        self.commit = self.commit_all()

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
        return {"part": "states", "commit": self.commit, "date": "2026-01-02", "seconds": 3, "passed": True,
                "figures": {"states": 1450, "differences": 0}, "techniques": "V3", "claim": "all agree",
                "limits": "two keys", "command": "ci/nightly states"} | others

    def report(self, *parts: dict) -> None:
        self.write("build/report/nightly.json", json.dumps({"machine": "2 cores", "parts": parts}))

    def ledger(self, *options: str) -> str:
        """What it says, or why it fails."""
        done = subprocess.run([sys.executable, "-B", str(self.root / "ci/ledger"), *options], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode == 0, done.stderr == "", done.stderr)
        return done.stderr or done.stdout

    def test_a_table_of_what_has_passed(self) -> None:
        self.report(self.part())
        self.ledger()
        page = (self.root / "docs/verification.md").read_text(encoding="utf-8")
        self.assertIn(f"Commit {self.commit}, 2026-01-02, 2 cores.", page)
        self.assertIn("| V3 | all agree | 1,450 states, 0 differences; 3 s | two keys | `ci/nightly states` |", page)
        self.assertTrue(page.endswith("\nBehind it.\n"))
        self.assertEqual(self.ledger("--check"), "")

    def test_reports_that_make_no_ledger(self) -> None:
        self.assertIn("there is no report", self.ledger())
        for parts, why in (([], "is empty"),
                           ([self.part(), self.part(part="fuzz", passed=False)], "has not passed: fuzz"),
                           ([self.part(), self.part(commit="0123456789")], "of one commit"),
                           ([self.part(commit=self.commit + "+")], "of one commit")):
            with self.subTest(why):
                self.report(*parts)
                self.assertIn(why, self.ledger())

    def test_a_table_that_somebody_has_typed(self) -> None:
        self.report(self.part())
        self.ledger()
        page = self.root / "docs/verification.md"
        page.write_text(page.read_text(encoding="utf-8").replace("1,450", "1,451"), encoding="utf-8")
        self.assertIn("is not what verification.json says", self.ledger("--check"))

    def test_a_table_that_comes_from_nowhere(self) -> None:
        self.assertEqual(self.ledger("--check"), "")
        self.write("docs/verification.md", f"{MARKS[0]}| V3 |\n{MARKS[1]}")
        self.assertIn("is not what verification.json says", self.ledger("--check"))

    def test_only_docs_may_have_changed_since(self) -> None:
        self.report(self.part())
        self.ledger()
        self.git("add", "docs")
        self.git("commit", "--quiet", "--message", "ledger")
        self.assertIn("nothing but docs has changed", self.ledger("--delivered"))
        self.write("engine/a.cc", "int b;\n")
        self.assertIn("engine/a.cc", self.ledger("--delivered"))
        self.commit_all()
        self.assertIn("engine/a.cc", self.ledger("--delivered"))

    def test_a_page_without_its_marks(self) -> None:
        self.report(self.part())
        self.write("docs/verification.md", "# Ledger\n")
        self.assertIn("has lost the marks", self.ledger())


if __name__ == "__main__":
    unittest.main()
