#!/usr/bin/env python3
"""The units: systemd reads them without a complaint, and what an attacker would have of the daemon is little."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

LOCKD = os.environ["LOCKD_BINARY"]
UNITS = Path(__file__).resolve().parents[1] / "systemd"
EXPOSURE_MAX = 2.0


def systemd_analyze(*arguments: str) -> str:
    """What it has to say, on either of its outputs."""
    finished = subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True)
    if finished.returncode:
        raise AssertionError(f"systemd-analyze {arguments}: {finished.stderr}")
    return finished.stdout + finished.stderr


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not there")
class Units(unittest.TestCase):
    def test_systemd_understands_them(self) -> None:
        """As far as it can tell without the package: its binary and its pages are where the package puts them."""
        with tempfile.TemporaryDirectory(prefix="lockd-units-") as folder:
            for unit in UNITS.iterdir():
                text = unit.read_text().replace("/usr/sbin/lockd", LOCKD)
                (Path(folder) / unit.name).write_text(re.sub(r"^Documentation=.*$", "", text, flags=re.MULTILINE))
            units = sorted(str(path) for path in Path(folder).iterdir())
            complaints = [line for line in systemd_analyze("verify", "--man=no", *units).splitlines() if folder in line
                          or "lockd" in line]
        self.assertEqual(complaints, [])

    def test_the_service_exposes_little(self) -> None:
        said = systemd_analyze("security", "--offline=true", str(UNITS / "lockd.service"))
        score = re.search(r"Overall exposure level for lockd.service: ([\d.]+)", said)
        self.assertIsNotNone(score, said)
        self.assertLessEqual(float(score[1]), EXPOSURE_MAX)


class Agreement(unittest.TestCase):
    """What stands in two files stands there alike."""

    def test_the_sockets_are_those_of_the_configuration(self) -> None:
        passed = re.findall(r"^ListenStream=(.+)$", (UNITS / "lockd.socket").read_text(), re.MULTILINE)
        listen = re.search(r"^listen = \[(.+)\]$", (UNITS.parent / "lockd.conf").read_text(), re.MULTILINE)[1]
        self.assertEqual(passed, [uri.strip(' "').partition("://")[2] for uri in listen.split(",")])

    def test_the_directories_are_those_of_the_configuration(self) -> None:
        service = (UNITS / "lockd.service").read_text()
        self.assertIn("\nStateDirectory=lockd\n", service)
        self.assertIn("\nRuntimeDirectory=lockd\n", service)
        configuration = (UNITS.parent / "lockd.conf").read_text()
        self.assertIn('\nstate-dir = "/var/lib/lockd"\n', configuration)
        self.assertIn('"unix:///run/lockd/lockd.sock"', configuration)


if __name__ == "__main__":
    unittest.main()
