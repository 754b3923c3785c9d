#!/usr/bin/env python3
"""The training program does the same each time, wherever its memory lies and whatever the time: its counts are those
that the daemon was compiled by. Equal sources would not make equal packages otherwise.

    training_test.py TRAINING PROFILE      the program, and the folder of the counts that the build took from it
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TRAINING, PROFILE = sys.argv[1:3]


def counts(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


class Training(unittest.TestCase):
    def test_leaves_the_counts_that_the_daemon_was_compiled_by(self) -> None:
        built = counts(Path(PROFILE))
        self.assertIn("session.cc.gcda", built)
        with tempfile.TemporaryDirectory() as folder:
            where = {"GCOV_PREFIX": folder, "GCOV_PREFIX_STRIP": "1000"}  # of its path no folder is left
            subprocess.run([TRAINING], env=os.environ | where, check=True, timeout=60)
            self.assertEqual(counts(Path(folder)), built)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
