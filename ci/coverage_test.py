"""Canaries for ci/coverage: what nothing reaches is named by its words, and a needless explanation is seen."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import coverage_figures
from coverage_figures import (ALONE, Explanation, Missing, differences, is_program, missing_in, outcomes_in,
                              read_explanations)

DOOR = """#include "engine/door.h"

bool Door::opens(int key,
                 int guest) const {
  LOCKD_CHECK(key > 0 && (guest > 0), "a key (there is)");
  if (key == key_ &&
      guest != banned_) return true;
  switch (guest) {
    case 1: return false;
  }
  return guest == 7;
}
bool Door::knows(Kind kind) {
  switch (kind) {
    case Kind::known: return true;
    case Kind::none:
    case Kind::never:
      break;
  }
  LOCKD_CHECK(false, "each kind is known or not");
}
bool operator==(const Door&, const Door&) = default;
"""
# Lines and columns as they stand above.
CHECK = (5, 15, 5, 22)
DECISION, KEY, GUEST = (6, 7, 7, 23), (6, 7, 6, 18), (7, 7, 7, 23)
SWITCH, CASE = (8, 11, 8, 16), (9, 5, 9, 12)
FORBIDDEN, KNOWN = (17, 5, 17, 22), (15, 5, 15, 21)
DEFAULTED = (22, 51, 22, 52)


def branch(span: tuple, true_count: int, false_count: int) -> list[int]:
    return [*span, true_count, false_count, 0, 0, 4]


class WithDoor(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "engine").mkdir()
        (self.root / "engine/door.cc").write_text(DOOR)
        coverage_figures.source.cache_clear()

    def function(self, branches: list[list[int]], shown: list[bool] | None = None) -> dict:
        records = [[*DECISION, 0, 5, shown]] if shown is not None else []
        return {"filenames": [f"{self.root}/engine/door.cc", f"{self.root}/engine/check.h", "/usr/include/door.h"],
                "branches": branches, "mcdc_records": records}

    def missing(self, *functions: dict) -> list[Missing]:
        return list(missing_in(outcomes_in({"data": [{"functions": list(functions)}]}, self.root), self.root))


class Outcomes(WithDoor):
    def test_what_is_reached_is_not_missing(self) -> None:
        self.assertEqual(self.missing(self.function([branch(KEY, 2, 1), branch(GUEST, 1, 1)], [True, True])), [])

    def test_a_condition_that_was_never_false(self) -> None:
        found = self.missing(self.function([branch(KEY, 2, 1), branch(GUEST, 2, 0)], [True, False]))
        decision = "key == key_ && guest != banned_"
        self.assertEqual(found, [Missing("engine/door.cc", "Door::opens", decision, "guest != banned_", "false")])
        self.assertEqual(str(found[0]),
                         f"engine/door.cc: Door::opens: `{decision}`, of which `guest != banned_`: never false")

    def test_one_that_never_decided_alone(self) -> None:
        found = self.missing(self.function([branch(KEY, 2, 1), branch(GUEST, 2, 1)], [False, True]))
        self.assertEqual([(gap.condition, gap.what) for gap in found], [("key == key_", ALONE)])

    def test_one_that_was_not_reached(self) -> None:
        self.assertEqual([gap.what for gap in self.missing(self.function([branch(CASE, 0, 0)]))], ["either"])

    def test_instantiations_count_together(self) -> None:
        one = self.function([branch(KEY, 1, 0), branch(GUEST, 1, 0)], [False, False])
        other = self.function([branch(KEY, 0, 1), branch(GUEST, 0, 0)], [True, False])
        self.assertEqual([gap.condition for gap in self.missing(one, other)], ["guest != banned_"])

    def test_what_is_left_out(self) -> None:
        left_out = [branch(span, 1, 0) for span in (CHECK, SWITCH, FORBIDDEN, DEFAULTED)]
        elsewhere = [branch(KEY, 1, 0)[:6] + [2, 0, 4]]
        self.assertEqual(self.missing(self.function(left_out + elsewhere)), [])

    def test_a_case_that_is_meant_to_be_reached(self) -> None:
        self.assertEqual([gap.condition for gap in self.missing(self.function([branch(KNOWN, 0, 1)]))],
                         ["case Kind::known"])

    def test_a_decision_without_a_condition_is_a_macros(self) -> None:
        self.assertEqual(self.missing(self.function([], [False, False])), [])


class Programs(WithDoor):
    def test_what_bears_the_name_of_one_is_none(self) -> None:
        program, text, folder = (self.root / name for name in ("lockd", "overrides", "lockd.d"))
        for path, mode in (program, 0o755), (text, 0o644):
            path.touch(mode)
        folder.mkdir()
        self.assertEqual([path for path in (program, text, folder) if is_program(path)], [program])


class Explanations(unittest.TestCase):
    GAP = Missing("engine/door.cc", "Door::opens", "a && b", "b", "false")

    def explained(self, **changes: str | bool) -> dict[Missing, Explanation]:
        entry = {"in": "Door::opens", "decision": "a && b", "condition": "b", "missing": "false", "why": "it is so"}
        return read_explanations({"engine/door.cc": [entry | changes]})

    def differences(self, missing: list[Missing], explained: dict[Missing, Explanation]) -> tuple:
        return differences(dict.fromkeys(missing, 7), explained, {self.GAP.words()})

    def test_one_that_fits(self) -> None:
        self.assertEqual(self.differences([self.GAP], self.explained()), ([], []))

    def test_none(self) -> None:
        self.assertEqual(self.differences([self.GAP], {}), ([self.GAP], []))

    def test_one_of_what_has_been_reached(self) -> None:
        self.assertEqual(self.differences([], self.explained()), ([], [self.GAP]))

    def test_one_of_what_is_reached_by_chance(self) -> None:
        self.assertEqual(self.differences([], self.explained(by_chance=True)), ([], []))

    def test_one_of_what_was_changed(self) -> None:
        for by_chance in (False, True):
            unexplained, stale = self.differences([self.GAP], self.explained(decision="a && c", by_chance=by_chance))
            self.assertEqual((unexplained, [gap.decision for gap in stale]), ([self.GAP], ["a && c"]))

    def test_a_decision_of_one_condition_says_it_once(self) -> None:
        entry = {"in": "f", "decision": "a", "missing": "true", "why": "it is so"}
        self.assertEqual(list(read_explanations({"engine/door.cc": [entry]})),
                         [Missing("engine/door.cc", "f", "a", "a", "true")])


if __name__ == "__main__":
    unittest.main()
