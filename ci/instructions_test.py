"""Canaries for ci/instructions: what is dearer, or cheaper, or missing, is told, and another machine is no failure."""

import contextlib
import importlib.util
import io
import json
import os
import tempfile
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path
from unittest import mock

LOADER = SourceFileLoader("instructions", str(Path(__file__).with_name("instructions")))
instructions = importlib.util.module_from_spec(importlib.util.spec_from_loader("instructions", LOADER))
LOADER.exec_module(instructions)

PRINTED = "version compiler 12.2.0\nversion flags -O2 -g1, IPO OFF\ntraffic own 2000\ntraffic ping 1000\n"
DUMPS = ["desc: Trigger: Client Request: own\nsummary: 3000000\ntotals: 3000000\n",
         "desc: Trigger: Client Request: ping\ntotals: 500000\n", "desc: Trigger: Program termination\ntotals: 7\n"]


def record(**instructions_per_request: float) -> dict:
    return {"versions": {"compiler": "12.2.0"}, "instructions_per_request": instructions_per_request}


def compare(recorded: dict, counted: dict) -> tuple[int, str]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        return instructions.compare(recorded, counted), out.getvalue()


class Counting(unittest.TestCase):
    def test_reads_dumps_and_versions(self) -> None:
        self.assertEqual(instructions.result_of(PRINTED, DUMPS, "valgrind-3.19.0"), {
            "versions": {"compiler": "12.2.0", "flags": "-O2 -g1, IPO OFF", "valgrind": "valgrind-3.19.0"},
            "instructions_per_request": {"own": 1500, "ping": 500}})

    def test_a_missing_dump_is_an_error(self) -> None:
        with self.assertRaisesRegex(SystemExit, "callgrind counted"):
            instructions.result_of(PRINTED, DUMPS[:1], "valgrind-3.19.0")

    def test_without_valgrind_one_line_says_what_to_do(self) -> None:
        with mock.patch.dict(os.environ, PATH=""), self.assertRaisesRegex(SystemExit, "no valgrind; ci/install-deps"):
            instructions.count(Path("instructions"))


class Recording(unittest.TestCase):
    def test_says_what_else_has_changed_since_the_record_before(self) -> None:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
            kept = Path(folder) / "record.json"
            instructions.write(kept, record(a=1))
            instructions.write(kept, record(a=2))
            self.assertNotIn("compiler", out.getvalue())
            other = record(a=2) | {"versions": {"compiler": "13.2.0"}}
            instructions.write(kept, other)
            self.assertIn("compiler is 13.2.0, and was 12.2.0", out.getvalue())
            self.assertEqual(json.loads(kept.read_text()), other)


class Comparing(unittest.TestCase):
    def test_up_to_5_percent_pass(self) -> None:
        self.assertEqual(compare(record(a=1000, b=1000), record(a=1049, b=951))[0], 0)

    def test_more_fails_in_both_directions(self) -> None:
        for now, change in ((1051, "+5.1%"), (949, "-5.1%")):
            status, said = compare(record(a=1000, b=1000), record(a=1000, b=now))
            self.assertEqual(status, 1)
            self.assertIn(f"b: {now:,} instructions a request, {change} of 1,000", said)

    def test_traffic_that_is_new_or_gone_fails(self) -> None:
        status, said = compare(record(a=1000, b=1), record(a=1000, c=1))
        self.assertEqual(status, 1)
        self.assertIn("b: recorded, and not counted", said)
        self.assertIn("c: not recorded", said)

    def test_another_compiler_is_skipped_and_said(self) -> None:
        status, said = compare(record(a=1000) | {"versions": {"compiler": "13.2.0"}}, record(a=9))
        self.assertEqual(status, instructions.SKIPPED)
        self.assertIn("compiler is 12.2.0, and was 13.2.0", said)

    def test_the_record_is_one(self) -> None:
        kept = json.loads(instructions.RECORD.read_text())
        self.assertGreater(len(kept["instructions_per_request"]), 10)
        self.assertEqual({"compiler", "flags", "libc", "boost", "avx2", "valgrind"}, set(kept["versions"]))


if __name__ == "__main__":
    unittest.main()
