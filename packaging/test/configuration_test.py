#!/usr/bin/env python3
"""The configuration that the package installs: each setting of the daemon is in it, with its default, and works."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from options import LOCKD, defaults, options

FILE = Path(__file__).resolve().parents[1] / "lockd.conf"
SETTING = re.compile(r"^(#?)([a-z][a-z-]*) = (.+)$", re.MULTILINE)
NO_SETTING = {"help", "version", "config"}


def settings_of(text: str) -> dict[str, str]:
    return {name: value.strip('"') for _, name, value in SETTING.findall(text)}


class Configuration(unittest.TestCase):
    def test_each_setting_is_shown_and_no_other(self) -> None:
        self.assertEqual(settings_of(FILE.read_text()).keys(), options().keys() - NO_SETTING)

    def test_what_is_shown_as_a_default_is_one(self) -> None:
        shown = settings_of(FILE.read_text())
        self.assertGreater(len(defaults()), 4)
        self.assertEqual({name: shown[name] for name in defaults()}, defaults())

    def check_is_accepted(self, text: str) -> None:
        """The file, with its paths in a folder of the test's, and a port that is free."""
        with tempfile.TemporaryDirectory(prefix="lockd-configuration-") as folder:
            for place in "/run/lockd", "/var/lib/lockd":
                text = text.replace(place, folder)
            text = text.replace("127.0.0.1:9999", "127.0.0.1:0")
            path = Path(folder) / "lockd.conf"
            path.write_text(text)
            with subprocess.Popen([LOCKD, "--config", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True) as daemon:
                try:
                    ready = [daemon.stdout.readline() for _ in range(2)]
                finally:
                    daemon.terminate()
                self.assertEqual(ready[1], f"listening on unix://{folder}/lockd.sock\n", daemon.stderr.read())

    def test_the_daemon_starts_with_it(self) -> None:
        self.check_is_accepted(FILE.read_text())

    def test_the_daemon_starts_with_all_that_it_shows(self) -> None:
        self.check_is_accepted(SETTING.sub(r"\2 = \3", FILE.read_text()))


if __name__ == "__main__":
    unittest.main()
