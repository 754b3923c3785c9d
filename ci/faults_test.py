"""Canaries for ci/faults: a patch that has gone stale, a technique that hangs or fails, a clause or a row of the docs
that is missing are seen."""

import contextlib
import importlib.util
import io
import sys
import tempfile
import threading
import unittest
import unittest.mock
from importlib.machinery import SourceFileLoader
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import faults_table
from children import Children, Stopped
from faults_patches import Fault, apply, clauses_without, wrong_with
from faults_results import Results, part_of, row_of
from faults_slot import Slot
from faults_techniques import LAYERS, TECHNIQUES, Technique, techniques_for

LOADER = SourceFileLoader("faults", str(Path(__file__).with_name("faults")))
faults = importlib.util.module_from_spec(importlib.util.spec_from_loader("faults", LOADER))
LOADER.exec_module(faults)

PATCH = """# X1, X2: the lock
# is left open.
--- a/engine/door.cc
+++ b/engine/door.cc
@@ -1,3 +1,3 @@
 first
-closed
+open
 last
"""
CLAUSES = ["X1", "X2"]


class WithFolder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "engine").mkdir()
        (self.root / "engine/door.cc").write_text("first\nclosed\nlast\n")


class Patches(WithFolder):
    def wrong(self, text: str) -> str:
        return wrong_with(Fault("open_door", text), self.root, CLAUSES)

    def test_a_patch_that_is_shown_to_one_technique_more(self) -> None:
        text = PATCH.replace("open.\n", "open.\n# also shown to: e2e\n", 1)
        self.assertEqual(self.wrong(text), "")
        shown, more = Fault("open_door", PATCH), Fault("open_door", text)
        self.assertEqual(more.comment, shown.comment)
        self.assertEqual({t.name for t in more.techniques} - {t.name for t in shown.techniques}, {"e2e"})
        self.assertEqual(self.wrong(text.replace("e2e", "guessing")), "there is no technique guessing")

    def test_a_patch_that_applies(self) -> None:
        fault = Fault("open_door", PATCH)
        self.assertEqual(self.wrong(PATCH), "")
        self.assertEqual((fault.files, fault.clauses), (["engine/door.cc"], ["X1", "X2"]))
        self.assertEqual((fault.comment, fault.why_one), ("X1, X2: the lock is left open.", ""))
        self.assertEqual(apply(fault, self.root), "")
        self.assertEqual((self.root / "engine/door.cc").read_text(), "first\nopen\nlast\n")

    def test_one_that_says_why_one_technique_sees_it(self) -> None:
        fault = Fault("open_door", PATCH.replace("open.\n", "open.\n# one technique: it is dark\n# there.\n", 1))
        self.assertEqual((fault.comment, fault.why_one), ("X1, X2: the lock is left open.", "it is dark there."))

    def test_one_that_has_gone_stale(self) -> None:
        (self.root / "engine/door.cc").write_text("first\nbolted\nlast\n")
        self.assertIn("does not apply", self.wrong(PATCH))

    def test_one_that_says_nothing(self) -> None:
        self.assertIn("no comment", self.wrong(PATCH[PATCH.index("---"):]))

    def test_one_of_a_clause_that_there_is_not(self) -> None:
        self.assertIn("no clause X9", self.wrong(PATCH.replace("X2", "X9")))

    def test_one_of_another_file_than_those_that_serve(self) -> None:
        for file in ("engine/door_test.cc", "model/door.cc", "server/e2e/door.py", "proptests/door.cc"):
            self.assertIn("no file that serves", self.wrong(PATCH.replace("engine/door.cc", file)))

    def test_one_that_changes_nothing(self) -> None:
        self.assertIn("changes nothing", self.wrong("# X1: nothing.\n"))

    def test_a_clause_that_no_fault_breaks(self) -> None:
        self.assertEqual(clauses_without([Fault("open_door", PATCH)], ["X1", "X2", "X3"]), ["X3"])


class Check(WithFolder):
    RESULTS = {"open_door": {"engine_tests": "killed", "random": "survived"}}

    def found(self, results: dict, clauses: list[str], typed: tuple[str, str] = ("", "")) -> str:
        """What is said of a page that was written from these results, and then had something typed into it."""
        fault, kept = Fault("open_door", PATCH), {"commit": "abc", "results": results}
        page = f"Above.\n{faults_table.BEGIN}{faults_table.END}"
        page = faults.page_from(page, [fault], kept).replace(*typed)
        with unittest.mock.patch.object(faults, "clauses_of_protocol", lambda: clauses):
            with contextlib.redirect_stdout(io.StringIO()) as output:
                status = faults.check([fault], self.root, page, kept)
        self.assertEqual(status, 0 if "which break each" in output.getvalue() else 1)
        return output.getvalue()

    def test_all_is_well(self) -> None:
        self.assertIn("1 faults, which break each of 2 clauses", self.found(self.RESULTS, CLAUSES))

    def test_a_fault_that_the_docs_lack(self) -> None:
        found = self.found({"shut_door": {}}, CLAUSES)
        self.assertIn("lacks open_door", found)
        self.assertIn("there is no fault shut_door", found)

    def test_a_clause_without_a_fault(self) -> None:
        self.assertIn("no fault breaks X3", self.found(self.RESULTS, ["X1", "X2", "X3"]))

    def test_a_table_that_somebody_has_typed(self) -> None:
        for typed in (("X1, X2      a", "X1, X2      ."), ("Commit abc", "Commit abd"), ("V4", "V5")):
            self.assertIn("is not what docs/faults.json says", self.found(self.RESULTS, CLAUSES, typed))
        self.assertNotIn("is not what", self.found(self.RESULTS, CLAUSES, ("Above", "Ahead")))


class Runs(WithFolder):
    def setUp(self) -> None:
        super().setUp()
        self.children = Children()
        self.slot = Slot(self.root, self.root, self.root, self.children)
        self.slot.tree.mkdir()

    def verdict(self, command: str, seconds_max: float = 60) -> str:
        technique = Technique("canary", "V18", "it sings", [], [command], [])
        return self.slot.run(technique, seconds_max, self.root / "log")["verdict"]

    def test_a_technique_that_passes_lets_the_fault_survive(self) -> None:
        self.assertEqual(self.verdict("true"), "survived")

    def test_one_that_fails_kills_it(self) -> None:
        self.assertEqual(self.verdict("false; true"), "killed")
        self.assertEqual(self.verdict("false | true"), "killed")

    def test_one_that_hangs_is_said_to(self) -> None:
        self.assertEqual(self.verdict("sleep 60", 0.1), "timeout")

    def test_one_that_was_stopped_says_nothing(self) -> None:
        threading.Timer(0.2, self.children.stop).start()
        with self.assertRaises(Stopped):
            self.verdict("sleep 60")
        with self.assertRaises(Stopped):
            self.verdict("true")

    def test_one_that_depends_on_speed_kills_only_if_it_fails_twice(self) -> None:
        fails_once = "test -e ran || { touch ran; false; }"
        for real_time, verdict in ((True, "survived"), (False, "killed")):
            (self.slot.tree / "ran").unlink(missing_ok=True)
            technique = Technique("canary", "V18", "it sings", [], [fails_once], [], {}, real_time)
            with unittest.mock.patch.multiple(faults, RESULTS=self.root, ORIGIN=self.root, LOGS=self.root):
                run = faults.Run([technique], 1, False)
                result = run.run_and_keep(self.slot, Fault("open_door", PATCH), technique)
            self.assertEqual(result["verdict"], verdict)


class Kept(WithFolder):
    TECHNIQUE = Technique("canary", "V18", "it sings", [], ["true"], ["engine"])

    def is_kept(self, text: str) -> bool:
        return Results(self.root / "results", self.root).kept(Fault("open_door", text), self.TECHNIQUE) is not None

    def test_a_result_lasts_until_patch_or_sources_change(self) -> None:
        results = Results(self.root / "results", self.root)
        results.keep(Fault("open_door", PATCH), self.TECHNIQUE, {"verdict": "killed"})
        self.assertTrue(self.is_kept(PATCH))
        self.assertTrue(self.is_kept(PATCH.replace("is left open", "stays open")))
        self.assertFalse(self.is_kept(PATCH.replace("+open", "+ajar")))
        (self.root / "engine/door_test.cc").write_text("knock\n")
        self.assertTrue(self.is_kept(PATCH))
        (self.root / "engine/window.cc").write_text("glass\n")
        self.assertFalse(self.is_kept(PATCH))

    def test_parts_of_the_sources(self) -> None:
        for path, part in (("engine/slab.h", "engine"), ("engine/slab_test.cc", "engine/tests"),
                           ("server/test_server.h", "server/tests"), ("server/e2e/tool.py", "server/e2e"),
                           ("proptests/scenarios/X1_get.txt", "proptests/scenarios")):
            self.assertEqual(part_of(Path(path)), part)


class Table(unittest.TestCase):
    def row(self, results: dict, **more: object) -> dict:
        return row_of(Fault("open_door", PATCH), results) | {"complete": True, "why_one": ""} | more

    def test_what_is_wrong_with_a_fault(self) -> None:
        two = {"engine_tests": "killed", "cost_tests": "timeout"}
        one = {"engine_tests": "killed", "cost_tests": "survived"}
        family = {"engine_tests": "killed", "engine_threads": "killed", "session_tests": "killed"}
        none = {"engine_tests": "survived", "cost_tests": "survived"}
        for row, trouble in ((self.row(two), ""), (self.row(one), "does not say why"),
                             (self.row(family), "of one family (engine_tests, engine_threads, session_tests) alone"),
                             (self.row(family, why_one="dark"), ""),
                             (self.row({"explorer": "killed", "explorer_all": "killed"}), "of one family"),
                             (self.row(one, why_one="dark"), ""),
                             (self.row(two, why_one="dark"), "by one family alone"),
                             (self.row(none), "by none"), (self.row(none, complete=False), "by none"),
                             (self.row(one, complete=False), ""), (self.row(two, trouble="stale"), "stale")):
            found = faults_table.trouble_with(row)
            self.assertTrue(trouble in found and bool(trouble) == bool(found), (row, found))

    def test_only_families_are_counted(self) -> None:
        rows = [self.row({"engine_tests": "killed", "session_tests": "killed"}),
                self.row({"engine_tests": "killed", "corpus": "killed"})]
        self.assertIn("2 faults; 1 killed by two families of techniques or more, 1 by one",
                      faults_table.summary_of(rows))
        self.assertIn("| p | corpus | V9 |", faults_table.legend(rows))

    def test_a_line_of_the_docs(self) -> None:
        line = faults_table.matrix_line(self.row({"engine_tests": "killed", "cost_tests": "survived"}), 12)
        self.assertRegex(line, r"^open_door     X1, X2 {6}a\.\?")


class Techniques(unittest.TestCase):
    def test_each_layer_names_techniques_that_there_are(self) -> None:
        known = {technique.name for technique in TECHNIQUES}
        for file in ("engine/slab.h", "server/session.cc", "server/connection.cc", "client/lock.cc"):
            self.assertTrue(techniques_for([file]), file)
        self.assertEqual(set().union(*LAYERS.values()), known)


if __name__ == "__main__":
    unittest.main()
