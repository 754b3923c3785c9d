"""Canaries for ci/check-clauses: trees in which a clause is named by nothing that counts, and what does count."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CHECK_CLAUSES = Path(__file__).with_name("check-clauses")


class CheckClauses(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("docs/protocol.md", "# Protocol\n\n- **X1** `g K` gets.\n")

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def check(self, *options: str) -> list[str]:
        command = [sys.executable, str(CHECK_CLAUSES), *options, str(self.root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        lines = done.stdout.splitlines()
        self.assertEqual(done.returncode, 0 if lines[-1] == "1 clauses, each named by a test" else 1)
        return lines

    def test_named_by_a_test(self) -> None:
        for path, text in (
            ("engine/a_test.cc", "TEST(LockTable, X1_free_key) {}"),
            ("engine/a_test.cc", "TEST_F(LockTable,\n       free_key_X1) {}"),
            ("proptests/a_test.cc", "RC_GTEST_PROP(LockTable, X1_any_key, (const std::string& key)) {}"),
            ("server/e2e/a_test.py", "class A:\n    def test_X1_free_key(self): pass"),
            ("server/e2e/a_test.py", "class A:\n    @unittest.skipIf(no_php, 'x')\n    def test_X1(self): pass"),
            ("proptests/scenarios/a.txt", "# clauses: F1, X1\n> g a\n"),
        ):
            with self.subTest(text):
                self.write(path, text)
                self.assertEqual(self.check(), ["1 clauses, each named by a test"])
                (self.root / path).unlink()

    def test_named_by_nothing_that_counts(self) -> None:
        for path, text in (
            ("engine/a.cc", "TEST(LockTable, X1_free_key) {}"),
            ("engine/a_test.cc", "// TEST(LockTable, X1_free_key) {}"),
            ("engine/a_test.cc", "/* TEST(LockTable, X1_free_key) {} */"),
            ("engine/a_test.cc", 'const char* text = "TEST(LockTable, X1_free_key)";'),
            ("engine/a_test.cc", "TEST(LockTable, DISABLED_X1_free_key) {}"),
            ("engine/a_test.cc", "TEST(LockTable, free_key) {}  // X1"),
            ("engine/a_test.cc", "TEST(LockTable, X1free_key) {}"),
            ("engine/a_test.cc", "TEST(LockTable, AX1_free_key) {}"),
            ("server/e2e/a_test.py", "def helper_X1(): pass"),
            ("server/e2e/a_test.py", "# def test_X1(): pass"),
            ("server/e2e/a_test.py", "class A:\n    @unittest.skip('later')\n    def test_X1(self): pass"),
            ("proptests/scenarios/a.txt", "# X1\n> g X1\n"),
            ("docs/a.txt", "# clauses: X1\n"),
            ("build/a_test.cc", "TEST(LockTable, X1_free_key) {}"),
        ):
            with self.subTest(text):
                self.write(path, text)
                self.assertEqual(self.check(), ["docs/protocol.md: X1 is named by no test"])
                (self.root / path).unlink()

    def test_longer_id_is_another_clause(self) -> None:
        self.write("engine/a_test.cc", "TEST(LockTable, X10_free_key) {}")
        self.assertEqual(
            self.check(),
            ["docs/protocol.md: X1 is named by no test", "engine/a_test.cc: LockTable.X10_free_key: X10 is no clause"],
        )

    def test_clause_that_stands_twice(self) -> None:
        self.write("docs/protocol.md", "- **X1** a.\n- **X1** b.\n")
        self.write("engine/a_test.cc", "TEST(LockTable, X1) {}")
        self.assertEqual(self.check(), ["docs/protocol.md: X1 stands there 2 times"])

    def test_protocol_without_clauses(self) -> None:
        self.write("docs/protocol.md", "X1 gets.\n")
        self.assertEqual(self.check(), ["docs/protocol.md: no clause in it"])

    def test_list(self) -> None:
        self.write("engine/a_test.cc", "TEST(LockTable, X1_free_key) {}")
        self.write("proptests/scenarios/a.txt", "# clauses: X1\n")
        self.assertEqual(
            self.check("--list")[:-1],
            ["X1", "    engine/a_test.cc: LockTable.X1_free_key", "    proptests/scenarios/a.txt"],
        )

    def test_docs_name_tests_that_exist(self) -> None:
        self.write("engine/a_test.cc", "TEST(LockTable, X1_free_key) {}")
        self.write("server/e2e/a_test.py", "def test_two_at_once(): pass")
        self.write("proptests/scenarios/a.txt", "# clauses: X1\n")
        self.write("docs/verification.md", "`LockTable.X1_free_key`, `test_two_at_once`, `not_a_test`, "
                   "[a](../proptests/scenarios/a.txt), [all](../proptests/scenarios/)\n")
        self.assertEqual(self.check(), ["1 clauses, each named by a test"])
        self.write("docs/verification.md", "`LockTable.X1`, `test_two`, [b](../proptests/scenarios/b.txt)\n")
        self.assertEqual(self.check(), [f"docs/verification.md: there is no test {name}"
                                        for name in ("LockTable.X1", "test_two", "proptests/scenarios/b.txt")])


if __name__ == "__main__":
    unittest.main()
