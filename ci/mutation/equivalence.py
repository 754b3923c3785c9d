"""Mutants that are none: their object code is that of the original."""

import hashlib
import re
import subprocess
from pathlib import Path

import source_tree
from mutation.operators import Mutant

COMPILER = ["g++", "-std=c++20", "-O2", "-DNDEBUG", "-w", "-Wno-narrowing", '-DLOCKD_VERSION="0"', "-I."]


def units_with(root: Path, file: str) -> list[str]:
    """The sources whose object code a file can change: those that serve, the lightest first, then its own test, which
    may use what they do not."""
    if file.endswith(".cc"):
        return [file]
    including = [unit for unit in ("engine/lock_table_claims.cc", "engine/lock_table.cc", "server/cancel_scout.cc",
                                   "server/protocol.cc", "server/utf8.cc", "server/printer.cc", "server/counters.cc",
                                   "server/listing.cc", "server/session.cc")
                 if includes(root, unit, file, set())]
    test = re.sub(r"\.h$", "_test.cc", file)
    return [*including, test] if (root / test).exists() else including


def includes(root: Path, unit: str, wanted: str, seen: set[str]) -> bool:
    seen.add(unit)
    named = [file for file in re.findall(r'^#include "([^"]+)"', (root / unit).read_text(), re.MULTILINE)
             if file not in seen]
    return wanted in named or any(includes(root, file, wanted, seen) for file in named if (root / file).exists())


class Comparison:
    """One at a time in its folder, which becomes a copy of the tree."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.folder = folder
        self.originals: dict[str, str] = {}
        source_tree.copy(root, folder)

    def object_code(self, unit: str) -> str:
        """A hash of it, or nothing where it does not compile."""
        compiled = subprocess.run([*COMPILER, "-c", unit, "-o", "unit.o"], cwd=self.folder, capture_output=True,
                                  check=False)
        return hashlib.sha256((self.folder / "unit.o").read_bytes()).hexdigest() if compiled.returncode == 0 else ""

    def original(self, unit: str) -> str:
        if unit not in self.originals:
            self.originals[unit] = self.object_code(unit)
        return self.originals[unit]

    def is_equivalent(self, mutant: Mutant) -> bool:
        units = units_with(self.root, mutant.file)
        for unit in units:
            self.original(unit)
        source = (self.root / mutant.file).read_bytes()
        path = self.folder / mutant.file
        try:
            path.write_bytes(source[:mutant.start] + mutant.text.encode() + source[mutant.end:])
            return all(self.object_code(unit) == self.original(unit) for unit in units)
        finally:
            path.write_bytes(source)
