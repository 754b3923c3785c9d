#!/usr/bin/env python3
"""The manual: mandoc has nothing to object to, and it names what there is: each option of the daemon, each verb."""

import os
import re
import shutil
import socket
import subprocess
import unittest
from pathlib import Path

LOCKD = os.environ["LOCKD_BINARY"]
MAN = Path(__file__).resolve().parents[2] / "docs/man"


def items(page: str, macro: str) -> list[str]:
    """What the page explains: the words of its list items that begin with the macro."""
    return re.findall(rf"^\.It {macro} (\S+)", (MAN / page).read_text(), re.MULTILINE)


def verbs_of_help() -> list[str]:
    """As the server's own list has them."""
    with subprocess.Popen([LOCKD, "--listen", "tcp://127.0.0.1:0", "--log-level", "off"], stdout=subprocess.PIPE,
                          text=True) as daemon:
        try:
            port = int(daemon.stdout.readline().rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as client, client.makefile("rw") as lines:
                lines.write("help\n")
                lines.flush()
                return [line.split()[0] for line in iter(lines.readline, "END\n")]
        finally:
            daemon.terminate()


class Manual(unittest.TestCase):
    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not there")
    def test_mandoc_objects_to_nothing(self) -> None:
        pages = sorted(str(page) for page in MAN.iterdir())
        finished = subprocess.run(["mandoc", "-Tlint", "-W", "warning", *pages], capture_output=True, text=True)
        self.assertEqual((finished.returncode, finished.stdout + finished.stderr), (0, ""))

    def test_each_option_is_explained_and_no_other(self) -> None:
        text = subprocess.run([LOCKD, "--help"], check=True, capture_output=True, text=True).stdout
        options = re.findall(r"^  (?:-\w,)?--([a-z-]+)", text, re.MULTILINE)
        self.assertEqual(sorted(items("lockd.8", "Fl Fl")), sorted(options))

    def test_each_verb_is_explained_and_no_other(self) -> None:
        self.assertEqual(items("lockd-protocol.7", "Ic"), verbs_of_help())


if __name__ == "__main__":
    unittest.main()
