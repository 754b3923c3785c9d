"""Tests of what the scripts beside this one say to --help and to what they do not know: at once, for they install and
build nothing before."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

CI = Path(__file__).resolve().parent
BUILDERS = ("cmake", "dpkg-query", "apt-get", "run-clang-tidy-19", "clang-format-19")
WITH_HELP = ("asserts", "bench", "check-spin", "check-style", "coverage", "faults", "format", "fuzz", "histories",
             "instructions", "ledger", "memcheck", "mutate", "nightly", "prove", "record", "simulate", "soak", "tidy",
             "torture")


class Arguments(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name in BUILDERS:
            (self.root / name).write_text(f"#!/bin/sh\ntouch {self.root}/called\nexit 99\n")
            (self.root / name).chmod(0o755)

    def call(self, script: str, *arguments: str) -> subprocess.CompletedProcess:
        environment = os.environ | {"PATH": f"{self.root}:{os.environ['PATH']}"}
        done = subprocess.run([CI / script, *arguments], env=environment, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, cwd=self.root)
        self.assertFalse((self.root / "called").exists(), f"{script} {arguments} begins to build")
        return done

    def test_help(self) -> None:
        for script in WITH_HELP:
            for flag in ("--help", "-h"):
                with self.subTest(f"{script} {flag}"):
                    done = self.call(script, flag)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertIn(script, done.stdout)

    def test_what_is_unknown_is_refused(self) -> None:
        for command, why in ((("memcheck", "nosuch"), "usage"), (("check-style", "--nosuch"), "--nosuch"),
                             (("check-style", "nosuch"), "no folder"), (("fuzz", "session", "0"), "0 seconds"),
                             (("tidy", "nosuch.cc"), "no file nosuch.cc"), (("format", "nosuch"), "usage"),
                             (("check-spin", "session_end", "--with", "NOSUCH"), "NOSUCH"),
                             (("nightly", "nosuch"), "no part nosuch"), (("asserts", "nosuch"), "nosuch"),
                             (("bench", "nosuch"), "no part nosuch")):
            with self.subTest(command):
                done = self.call(*command)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(why, done.stderr)


if __name__ == "__main__":
    unittest.main()
