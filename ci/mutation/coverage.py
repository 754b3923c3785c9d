"""Which case of which suite comes by which mutants, and how long it takes: found by running each case by itself."""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mutation import suites
from mutation.suites import Suite

SECONDS_MAX = 120  # of a case without a mutant


@dataclass(frozen=True)
class Case:
    suite: int  # of SUITES
    name: str
    seconds: float
    reached: int  # bit N: it comes by mutant N


def measure(number: int, name: str, tree: Path, sources: Path, scratch: Path) -> Case:
    suite: Suite = suites.SUITES[number]
    scratch.unlink(missing_ok=True)
    start = time.monotonic()
    if suites.run(suite, [name], tree, SECONDS_MAX, {"LOCKD_MUTANTS_REACHED": str(scratch)}) != "survived":
        sys.exit(f"ci/mutate: {suite.name}: {name} fails without a mutant: it could kill nothing")
    bits = scratch.read_bytes() if scratch.exists() else b""
    reached = sum(1 << at for at, byte in enumerate(bits) if byte)
    return Case(number, name, round(time.monotonic() - start, 4), reached)


def measure_all(tree: Path, sources: Path, jobs: int) -> list[Case]:
    wanted = [(number, name) for number, suite in enumerate(suites.SUITES) for name in suite.cases(tree, sources)]
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(
            lambda each: measure(each[1][0], each[1][1], tree, sources, tree / f"reached.{os.getpid()}.{each[0]}"),
            enumerate(wanted)))


def load_or_measure(path: Path, digest: str, tree: Path, sources: Path, jobs: int) -> list[Case]:
    kept = json.loads(path.read_text()) if path.exists() else {}
    if kept.get("digest") != digest:
        cases = measure_all(tree, sources, jobs)
        for scratch in tree.glob("reached.*"):
            scratch.unlink()
        rows = [[case.suite, case.name, case.seconds, hex(case.reached)] for case in cases]
        path.write_text(json.dumps({"digest": digest, "cases": rows}) + "\n")
        return cases
    return [Case(suite, name, seconds, int(reached, 16)) for suite, name, seconds, reached in kept["cases"]]
