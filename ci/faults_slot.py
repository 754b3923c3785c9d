"""A copy of the sources with its build tree, in which one fault after the other is planted."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import source_tree
from children import Children
from faults_patches import Fault, apply
from faults_techniques import Technique

MEMORY_KIB_MAX = 8 << 20  # of a process: a fault may ask for all there is
# Shared libraries that nothing is linked to anew: what has changed is linked once, not for each program.
CMAKE_OPTIONS = ["-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_CXX_FLAGS=-O1", "-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld",
                 "-DCMAKE_SHARED_LINKER_FLAGS=-fuse-ld=lld", "-DBUILD_SHARED_LIBS=ON",
                 "-DCMAKE_LINK_DEPENDS_NO_SHARED=ON", "-DLOCKD_BENCH=OFF",
                 "-DCMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE=PRE_TEST"]


class Slot:
    """One at a time uses it. Its trees outlive it."""

    def __init__(self, folder: Path, origin: Path, logs: Path, children: Children) -> None:
        self._origin = origin  # what the sources are without a fault
        self.sources = folder / "src"
        self.tree = folder / "tree"
        self._clean_tree = folder / "tree.clean"  # the tree as it is built of sources without a fault
        self._logs = logs
        self._children = children

    def prepare(self, techniques: list[Technique], jobs: int) -> bool:
        """Builds what these techniques need, without a fault; whether that succeeds."""
        self.remove_fault()
        shutil.rmtree(self._clean_tree, ignore_errors=True)
        log = self._logs / f"none.{self.sources.parent.name}.build"
        with log.open("w") as output:
            configured = self._children.run(["cmake", "-S", self.sources, "-B", self.tree, "-G", "Ninja",
                                             *CMAKE_OPTIONS], stdout=output, stderr=output)
        if configured != 0 or not self.build(techniques, log, jobs):
            return False
        copy_tree(self.tree, self._clean_tree)
        return True

    def plant(self, fault: Fault) -> str:
        """Nothing, or why the patch does not apply."""
        return apply(fault, self.sources)

    def remove_fault(self) -> None:
        source_tree.copy(self._origin, self.sources)
        if self._clean_tree.exists():
            copy_tree(self._clean_tree, self.tree)

    def build(self, techniques: list[Technique], log: Path, jobs: int = 1) -> bool:
        targets = sorted({target for technique in techniques for target in technique.targets})
        command = ["cmake", "--build", self.tree, "--parallel", str(jobs), "--target", *targets]
        with log.open("w") as output:
            return self._children.run(command, stdout=output, stderr=output) == 0

    def run(self, technique: Technique, seconds_max: float, log: Path) -> dict:
        """`survived`, `killed` or `timeout`, and how many seconds that took."""
        environment = os.environ | {"SOURCES": str(self.sources)} | technique.environment
        script = "\n".join([f"ulimit -c 0 -v {MEMORY_KIB_MAX}", *technique.commands])
        start = time.monotonic()
        with log.open("w") as output:
            status = self._children.run(["bash", "-e", "-o", "pipefail", "-c", script], seconds_max, cwd=self.tree,
                                        env=environment, stdout=output, stderr=output)
        verdict = "timeout" if status is None else "killed" if status != 0 else "survived"
        return {"verdict": verdict, "seconds": round(time.monotonic() - start, 1)}


def copy_tree(origin: Path, copy: Path) -> None:
    """Whole or not at all."""
    part = copy.with_suffix(".part")
    for stale in (part, copy):
        shutil.rmtree(stale, ignore_errors=True)
    subprocess.run(["cp", "--archive", "--reflink=auto", origin, part], check=True)
    part.rename(copy)
