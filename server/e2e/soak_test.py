"""A soak's verdict: what it must reject, and that it rejects nothing else."""

from __future__ import annotations

import json
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path

from soak_verdict import MIB, Rest, Sample, findings, write_report

COUNT = 40
COUNTERS = {"connections": 1, "locks": 0, "shared_locks": 0, "holders": 0, "waiters": 0, "command_g": 7, "orphans": 3}


def samples(bytes_at: Callable[[int], float] = lambda _: 6 * MIB, waiters: int = 2) -> list[Sample]:
    return [Sample(5.0 * i, int(bytes_at(i)), 70, 60, 100, waiters) for i in range(COUNT)]


def rest(descriptors: int = 12, **counters: int) -> Rest:
    return Rest(6 * MIB, descriptors, COUNTERS | counters)


class Verdict(unittest.TestCase):
    def check_found(self, words: str, seen: list[Sample], after: Rest) -> None:
        self.assertEqual(len(found := findings(seen, rest(), after)), 1, found)
        self.assertIn(words, found[0])

    def test_a_flat_one_is_well(self) -> None:
        self.assertEqual(findings(samples(), rest(), rest()), [])

    def test_what_it_takes_to_warm_up_is_well(self) -> None:
        self.assertEqual(findings(samples(lambda i: MIB * min(60, 6 + 10 * i)), rest(), rest()), [])

    def test_a_peak_is_well(self) -> None:
        self.assertEqual(findings(samples(lambda i: MIB * (50 if i in (12, 35, 38) else 6)), rest(), rest()), [])

    def test_a_leak_is_found_small_or_large(self) -> None:
        self.check_found("memory has grown", samples(lambda i: 6 * MIB + i * MIB / 16), rest())
        self.check_found("memory has grown", samples(lambda i: 600 * MIB * (1 + 0.002 * i)), rest())

    def test_descriptors_left_open(self) -> None:
        self.check_found("descriptors", samples(), rest(descriptors=13))

    def test_what_is_left_in_the_tables(self) -> None:
        for name in ("connections", "locks", "shared_locks", "holders", "waiters"):
            self.check_found(f"{name} are" if name != "connections" else "connections", samples(), rest(**{name: 2}))

    def test_a_load_that_did_not_do_its_part(self) -> None:
        self.check_found("command_g", samples(), rest(command_g=0))
        self.check_found("ever waited", samples(waiters=0), rest())
        self.check_found("say nothing", samples()[:15], rest())

    def test_the_report_has_all_that_was_seen(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            found = findings(samples(), rest(), rest(descriptors=13))
            write_report(Path(folder), samples(), rest(), rest(descriptors=13), found)
            report = json.loads((Path(folder) / "soak.json").read_text())
            self.assertEqual(report["findings"], found)
            self.assertEqual(len(report["samples"]), COUNT)
            self.assertIn(f"FINDING: {found[0]}", (Path(folder) / "soak.md").read_text())
            self.assertEqual((Path(folder) / "soak.svg").read_text().count("<polyline"), 2)
