"""The installed library, as a program of somebody else's finds and uses it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from daemon import DaemonTestCase

CONSUMER = Path(__file__).with_name("consumer")


def run(*command: str | Path) -> str:
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=200)
    if done.returncode != 0:
        raise AssertionError(f"{command} failed:\n{done.stdout}")
    return done.stdout


class Install(DaemonTestCase):
    def setUp(self) -> None:
        self.prefix = self.temporary_directory()
        run("cmake", "--install", os.environ["LOCKD_BUILD_FOLDER"], "--prefix", self.prefix, "--component", "dev")

    def build(self, version: str = "0.1") -> Path:
        """Builds the consumer, which wants this version."""
        sources, binaries = self.temporary_directory(), self.temporary_directory()
        for file in CONSUMER.iterdir():
            text = file.read_text().replace("find_package(lockd 0.1", f"find_package(lockd {version}")
            (sources / file.name).write_text(text)
        compiler = f"-DCMAKE_CXX_COMPILER={os.environ['LOCKD_COMPILER']}"
        run("cmake", "-S", sources, "-B", binaries, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}", compiler)
        run("cmake", "--build", binaries)
        return binaries / "consumer"

    def test_a_consumer_finds_builds_and_runs(self) -> None:
        self.assertEqual(run(self.build(), self.daemon().uris[0]), "held\n")

    def test_another_version_is_not_found(self) -> None:
        with self.assertRaisesRegex(AssertionError, r"compatible\s+with requested version"):
            self.build("1.0")

    def test_the_headers_need_nothing_but_the_standard_library(self) -> None:
        """Each by itself, with all that the compiler has to say: no Boost, no file that is not installed."""
        headers = sorted((self.prefix / "include" / "lockd").iterdir())
        self.assertEqual([header.name for header in headers], ["client.h", "lock.h", "result.h"])
        flags = ["-std=c++20", "-fsyntax-only", "-xc++", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion",
                 "-Werror", f"-I{self.prefix}/include"]
        for header in headers:
            run(os.environ["LOCKD_COMPILER"], *flags, header)
            for line in header.read_text().splitlines():
                if line.startswith("#include"):
                    self.assertRegex(line, r'^#include (<[a-z_]+>|"lockd/[a-z]+\.h")$')
