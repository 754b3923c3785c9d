"""Canaries for ci/mutate: of a small program mutants are made, wake up, are killed, and those that are none found."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
LOADER = SourceFileLoader("mutate", str(Path(__file__).with_name("mutate")))
mutate = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutate", LOADER))
LOADER.exec_module(mutate)
from mutation import equivalence, operators, report, schemata, suites  # noqa: E402

DOOR = """// A door.
unsigned opened = 0;
bool fits(unsigned key) { return key < 7 && key != 3; }
constexpr unsigned twice(unsigned key) { return key + key; }
static_assert(twice(2) == 4);
void open(unsigned key) {
  LOCKD_CHECK(key > 0, "a key");
  if (fits(key)) ++opened;
}
unsigned vainly(unsigned key) { return key + key * 0; }
"""
MAIN = """#define LOCKD_CHECK(condition, message) static_cast<void>(condition)
#include "engine/door.cc"
int main() {
  open(6);
  open(7);
  open(3);
  while (twice(1) == 0) continue;
  return opened == 1 && twice(5) == 10 && fits(6) ? 0 : 1;
}
"""
DOOR_LINE = "engine/door.cc: bool fits(unsigned key) { return key < 7 && key != 3; } => "


class WithDoor(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = Path(folder.name) / "tree"
        (cls.root / "engine").mkdir(parents=True)
        (cls.root / "engine/door.cc").write_text(MAIN.split("\n")[0] + "\n" + DOOR)
        cls.mutants = list(operators.mutants_of(cls.root, ["engine/door.cc"]))
        cls.schemata = schemata.Schemata(cls.root, Path(folder.name) / "awake", cls.mutants)
        cls.schemata.write()
        (cls.schemata.target / "main.cc").write_text(MAIN.split("\n", 1)[1])
        subprocess.run(["g++", "-std=c++20", "-w", "-I.", "-include", schemata.HEADER, "main.cc", "-o", "main"],
                       cwd=cls.schemata.target, check=True)
        cls.suite = suites.Suite("door", "main", "main", lambda *_: [""], lambda cases: [])

    def mutant(self, key: str) -> operators.Mutant:
        (found,) = [mutant for mutant in self.mutants if mutant.key.endswith(key)]
        return found

    def verdict(self, key: str) -> str:
        awake = {"LOCKD_MUTANT": str(self.mutant(key).number)}
        return suites.run(self.suite, [""], self.schemata.target, 1, awake)


class Operators(WithDoor):
    def test_a_line_and_all_that_it_can_become(self) -> None:
        made = [mutant.key.split("{ return ")[-1] for mutant in self.mutants if mutant.key.startswith(DOOR_LINE)]
        self.assertEqual(sorted(made), sorted(f"{text}; }}" for text in (
            "(key < 7 || key != 3)", "key < 7", "key != 3", "(key <= 7) && key != 3", "(key >= 7) && key != 3",
            "key < (7 + 1) && key != 3", "key < (7 - 1) && key != 3", "key < 7 && (key == 3)",
            "key < 7 && key != (3 + 1)", "key < 7 && key != (3 - 1)")))

    def test_an_assertion_and_what_is_constant_are_left_alone(self) -> None:
        self.assertFalse([mutant.key for mutant in self.mutants if "a key" in mutant.key or "assert" in mutant.key])


class Schemata(WithDoor):
    def test_without_a_mutant_the_program_is_as_it_was(self) -> None:
        self.assertEqual(suites.run(self.suite, [""], self.schemata.target, 1, {}), "survived")

    def test_one_that_is_killed(self) -> None:
        self.assertEqual(self.verdict("return (key <= 7) && key != 3; }"), "killed")
        self.assertEqual(self.verdict("if (fits(key)) --opened;"), "killed")

    def test_one_that_survives(self) -> None:
        self.assertEqual(self.verdict("return key < 7 && key != (3 - 1); }"), "killed")
        self.assertEqual(self.verdict("{ return key + key * (0 + 1); }"), "survived")

    def test_one_that_never_ends(self) -> None:
        self.assertEqual(self.verdict("constexpr unsigned twice(unsigned key) { return {}; }"), "timeout")

    def test_what_is_reached_is_said(self) -> None:
        reached = self.schemata.target / "reached"
        subprocess.run(["./main"], cwd=self.schemata.target, check=True,
                       env=os.environ | {"LOCKD_MUTANTS_REACHED": str(reached)})
        bits = reached.read_bytes()
        self.assertTrue(bits[self.mutant("(key <= 7) && key != 3; }").number])
        self.assertFalse(bits[self.mutant("{ return (key - key * 0); }").number])

    def test_what_does_not_compile_is_found_by_where_the_compiler_points(self) -> None:
        writer = self.schemata.writers["engine/door.cc"]
        mutant = self.mutant("(key <= 7) && key != 3; }")
        lines = writer.text[:writer.text.index(b"key <= 7")].split(b"\n")
        self.assertEqual(writer.at(len(lines), len(lines[-1]) + 1), [mutant])


class Equivalence(WithDoor):
    def test_the_same_object_code_is_no_mutant(self) -> None:
        comparison = equivalence.Comparison(self.root, self.root.parent / "single")
        self.assertTrue(comparison.is_equivalent(self.mutant("{ return (key - key * 0); }")))
        self.assertFalse(comparison.is_equivalent(self.mutant("(key <= 7) && key != 3; }")))


class Reasons(WithDoor):
    def test_reasons_are_read_counted_and_found_stale(self) -> None:
        file = self.root.parent / "survivors.txt"
        survivor, killed = self.mutants[0].key, self.mutants[1].key
        file.write_text(f"# equivalent: for a reason\n# of two lines\n{survivor}\n{killed}\n\n"
                        "# unseen: gone\nengine/x\n")
        reasons = report.read_reasons(file)
        self.assertEqual(reasons[survivor], "equivalent: for a reason of two lines")
        results = {survivor: {"verdict": "survived"}, killed: {"verdict": "killed"}}
        verdicts = report.Verdicts(self.mutants[:2], results, reasons)
        self.assertEqual([verdicts.verdict(mutant) for mutant in self.mutants[:3]], ["equivalent", "killed", "due"])
        self.assertEqual(verdicts.stale_reasons(self.mutants), [killed, "engine/x"])
        results[killed] = {"verdict": "timeout"}  # a faster machine may not kill it
        self.assertEqual(verdicts.stale_reasons(self.mutants), ["engine/x"])
        self.assertEqual((verdicts.per_cent(), verdicts.per_cent("equivalent")), (50.0, 100.0))


if __name__ == "__main__":
    unittest.main()
