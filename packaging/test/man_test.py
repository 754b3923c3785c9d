#!/usr/bin/env python3
"""Manual and README name what there is, each option of the daemon with its default and each verb, and nothing else;
and mandoc has nothing to object to."""

import re
import shutil
import socket
import subprocess
import unittest
from pathlib import Path

from options import LOCKD, defaults, options

ROOT = Path(__file__).resolve().parents[2]
MAN = ROOT / "docs/man"


def items(page: str, macro: str) -> list[str]:
    """What the page explains: the words of its list items that begin with the macro."""
    return re.findall(rf"^\.It {macro} (\S+)", (MAN / page).read_text(), re.MULTILINE)


def answer(request: str) -> list[str]:
    """The lines that a server says, up to its END."""
    with subprocess.Popen([LOCKD, "--listen", "tcp://127.0.0.1:0", "--log-level", "off"], stdout=subprocess.PIPE,
                          text=True) as daemon:
        try:
            port = int(daemon.stdout.readline().rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as client, client.makefile("rw") as lines:
                lines.write(f"{request}\n")
                lines.flush()
                return list(iter(lines.readline, "END\n"))
        finally:
            daemon.terminate()


def verbs_of_help() -> list[str]:
    """As the server's own list has them."""
    return [line.split()[0] for line in answer("help")]


def counters_of_stats() -> set[str]:
    """Those for each command or bucket as one, as pages name them."""
    names = {line.partition(":")[0] for line in answer("stats")}
    return {re.sub(r"^command_\w+$", "command_X", re.sub(r"_le_\w+$", "_le_B", name)) for name in names}


class Manual(unittest.TestCase):
    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not there")
    def test_mandoc_objects_to_nothing(self) -> None:
        pages = sorted(str(page) for page in MAN.iterdir())
        finished = subprocess.run(["mandoc", "-Tlint", "-W", "warning", *pages], capture_output=True, text=True)
        self.assertEqual((finished.returncode, finished.stdout + finished.stderr), (0, ""))

    def test_each_option_is_explained_and_no_other(self) -> None:
        self.assertEqual(sorted(items("lockd.8", "Fl Fl")), sorted(options()))

    def test_each_default_is_told(self) -> None:
        said = re.findall(r"^\.It Fl Fl (\S+)[^\n]*(?:\n(?!\.It).*)*?\nThe default is\s(?:\.Cm )?(\w+)",
                          (MAN / "lockd.8").read_text(), re.MULTILINE)
        self.assertEqual({name: default for name, default in said if name in defaults()}, defaults())

    def test_each_verb_is_explained_and_no_other(self) -> None:
        self.assertEqual(items("lockd-protocol.7", "Ic"), verbs_of_help())

    def test_each_counter_is_explained_and_no_other(self) -> None:
        self.assertEqual(sorted(items("lockd-protocol.7", "Va")), sorted(counters_of_stats()))

    def test_each_refusal_of_the_protocol_is_told(self) -> None:
        refusals = set(re.findall(r"`0 ([A-Z][A-Za-z ]+)", (ROOT / "docs/protocol.md").read_text()))
        self.assertGreater(len(refusals), 15)
        page = (MAN / "lockd-protocol.7").read_text()
        self.assertEqual([text for text in sorted(refusals) if f"0 {text}" not in page], [])


class Readme(unittest.TestCase):
    def rows(self, heading: str) -> list[list[str]]:
        """The cells of the table of that section, without its head."""
        section = (ROOT / "README.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
        lines = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)[1:]
        return [[cell.strip() for cell in line.split(" | ")] for line in lines]

    def test_each_option_is_in_its_table_with_its_default(self) -> None:
        shown = {name: row[1].strip("`") for row in self.rows("Flags") for name in re.findall(r"`--([a-z-]+)", row[0])}
        self.assertEqual(sorted(shown), sorted(options()))
        self.assertEqual({name: shown[name] for name in defaults()}, defaults())

    def test_each_verb_is_in_its_table(self) -> None:
        shown = [verb for row in self.rows("Verbs") for verb in re.findall(r"`([a-z]+)[^`]*`", row[0])]
        self.assertEqual(sorted(set(shown)), sorted(verbs_of_help()))


if __name__ == "__main__":
    unittest.main()
