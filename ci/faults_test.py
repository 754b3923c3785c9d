"""Canaries for ci/faults: a patch that has gone stale, and a technique that hangs or fails, are seen."""

import importlib.util
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
LOADER = SourceFileLoader("faults", str(Path(__file__).with_name("faults")))
faults = importlib.util.module_from_spec(importlib.util.spec_from_loader("faults", LOADER))
LOADER.exec_module(faults)

PATCH = """# X1: the lock is left open.
--- a/engine/door.cc
+++ b/engine/door.cc
@@ -1,3 +1,3 @@
 first
-closed
+open
 last
"""


class WithFolder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "engine").mkdir()
        (self.root / "engine/door.cc").write_text("first\nclosed\nlast\n")
        for name in ("ROOT", "SOURCES", "TREE", "LOGS"):
            patch = mock.patch.object(faults, name, self.root)
            patch.start()
            self.addCleanup(patch.stop)


class Patches(WithFolder):
    def test_a_patch_that_applies(self) -> None:
        fault = faults.Fault("open_door", PATCH)
        self.assertEqual(faults.wrong_with(fault), "")
        self.assertEqual((fault.files, fault.comment), (["engine/door.cc"], "X1: the lock is left open."))
        self.assertEqual(faults.apply(fault, self.root), "")
        self.assertEqual((self.root / "engine/door.cc").read_text(), "first\nopen\nlast\n")

    def test_one_that_has_gone_stale(self) -> None:
        (self.root / "engine/door.cc").write_text("first\nbolted\nlast\n")
        self.assertIn("does not apply", faults.wrong_with(faults.Fault("open_door", PATCH)))

    def test_one_that_says_nothing(self) -> None:
        self.assertIn("comment", faults.wrong_with(faults.Fault("open_door", PATCH.split("\n", 1)[1])))

    def test_one_of_another_file_than_those_that_serve(self) -> None:
        for file in ("engine/door_test.cc", "model/door.cc", "server/e2e/door.py", "proptests/door.cc"):
            broken = faults.Fault("open_door", PATCH.replace("engine/door.cc", file))
            self.assertIn("no file that serves", faults.wrong_with(broken))

    def test_one_that_changes_nothing(self) -> None:
        self.assertIn("changes nothing", faults.wrong_with(faults.Fault("open_door", "# X1: nothing.\n")))


class Verdicts(WithFolder):
    def verdict(self, command: str, seconds_max: float = 60) -> str:
        technique = faults.Technique("canary", "it sings", [], [command], [])
        return faults.run(faults.Fault("open_door"), technique, seconds_max)["verdict"]

    def test_a_technique_that_passes_lets_the_fault_survive(self) -> None:
        self.assertEqual(self.verdict("true"), "survived")

    def test_one_that_fails_kills_it(self) -> None:
        self.assertEqual(self.verdict("false; true"), "killed")
        self.assertEqual(self.verdict("false | true"), "killed")

    def test_one_that_hangs_is_said_to(self) -> None:
        self.assertEqual(self.verdict("sleep 60", 0.1), "timeout")


class Techniques(unittest.TestCase):
    def test_each_layer_names_techniques_that_there_are(self) -> None:
        known = {technique.name for technique in faults.TECHNIQUES}
        for file in ("engine/slab.h", "server/session.cc", "server/connection.cc"):
            self.assertTrue(faults.techniques_for([file]), file)
        for names in sys.modules["faults_techniques"].LAYERS.values():
            self.assertLessEqual(set(names), known)


if __name__ == "__main__":
    unittest.main()
