#!/usr/bin/env python3
"""Asking for cache lines ahead is there in what was compiled. No answer depends on it, and a compiler that takes it for
something without effect leaves it out: so this reads the machine code, the release's.

    prefetch_test.py ARCHIVE DAEMON      the engine's library, and the daemon, which has it optimised across its sources
"""

import re
import shutil
import subprocess
import sys
import unittest
from collections import Counter

ARCHIVE, DAEMON = sys.argv[1:3]

FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
INSTRUCTION = re.compile(r"\t(?:prefetch|prfm)")  # of x86 and of ARM
READING_AHEAD = re.compile(r"5lockd.*(?:execute_all|read_ahead|LockTable)")  # whichever is made part of which


def prefetches(file: str) -> Counter[str]:
    """How many there are in each function, by the name that the linker has for it."""
    code = subprocess.run(["objdump", "--disassemble", "--no-show-raw-insn", file], check=True, capture_output=True,
                          text=True, timeout=60).stdout
    found: Counter[str] = Counter()
    function = ""
    for line in code.splitlines():
        if begun := FUNCTION.match(line):
            function = begun[1]
        elif INSTRUCTION.search(line):
            found[function] += 1
    return found


@unittest.skipIf(shutil.which("objdump") is None, "there is no objdump, which is a part of binutils")
class Prefetching(unittest.TestCase):
    def test_the_lock_table_asks_for_the_place_in_the_index_and_for_the_record(self) -> None:
        found = prefetches(ARCHIVE)
        for method in ("prefetch", "prefetch_record"):
            with self.subTest(method):
                named = f"LockTable{len(method)}{method}E"
                self.assertEqual([count for name, count in found.items() if named in name], [1])

    def test_the_daemon_asks_for_both(self) -> None:
        found = {name: count for name, count in prefetches(DAEMON).items() if READING_AHEAD.search(name)}
        self.assertGreaterEqual(sum(found.values()), 2, found)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
