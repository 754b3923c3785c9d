"""That the help, the manual page and both completions tell of the same commands and options."""

from __future__ import annotations

import re
import shutil
import subprocess
import unittest
from pathlib import Path

from lockctl import LOCKCTL

SOURCES = Path(__file__).parent.parent
PAGE = SOURCES / "lockctl.1"


def help_of(*words: str) -> str:
    return subprocess.run([LOCKCTL, *words, "--help"], capture_output=True, text=True, check=True).stdout


def commands() -> list[str]:
    part = help_of().split("Commands:")[1].split("Options:")[0]
    return re.findall(r"^  (\w+)", part, re.MULTILINE)


Option = tuple[str, str, str]  # letter, name, what its value is called


def options_of_help(*words: str) -> set[Option]:
    found = re.findall(r"^ +(?:-(\w), )?--([\w-]+)(?: ([A-Z]+))?(?:  |$)", help_of(*words), re.MULTILINE)
    return {(letter, name, value) for letter, name, value in found}


def options_of_page(section: str) -> set[Option]:
    found = re.findall(r"^\.It Fl (?:(\w) , )?-([\w-]+)(?: Ar (\w+))?$", section, re.MULTILINE)
    return {(letter, name, value) for letter, name, value in found}


def section_of_page(heading: str) -> str:
    section = rf"^\.Ss {heading}\b.*?(?=^\.S[sh] )"
    matched = re.search(section, PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert matched is not None, heading
    return matched.group(0)


class Manual(unittest.TestCase):
    def test_each_option_stands_in_help_and_page(self) -> None:
        common = options_of_page(section_of_page("Options that all commands have"))
        self.assertEqual(common, options_of_help())
        self.assertGreater(len(common), 3)
        for command in commands():
            in_page = options_of_page(section_of_page(f"lockctl {command}"))
            in_help = options_of_help(command)
            self.assertEqual(in_page, in_help - common, command)
            self.assertEqual(common - in_help, {("V", "version", "")}, command)

    def test_no_more_commands_in_the_page(self) -> None:
        in_page = re.findall(r"^\.Ss lockctl (\w+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(in_page, commands())

    def test_completion_of_bash(self) -> None:
        """Asked for the long options of each command."""
        general = 'echo "general $(_lockctl_options "")"'
        script = f'. "$0"; for each; do echo $each $(_lockctl_options $each); done; {general}'
        names = commands()
        done = subprocess.run(["bash", "-c", script, SOURCES / "completion/lockctl.bash", *names],
                              capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            command, *offered = line.split()
            words = () if command == "general" else (command,)
            self.assertEqual(sorted(offered), sorted(f"--{name}" for _, name, _ in options_of_help(*words)), command)
        self.assertEqual(len(done.stdout.splitlines()), len(names) + 1)

    def test_completion_of_zsh(self) -> None:
        """Read as text: each option of the help is in it, in both forms."""
        text = (SOURCES / "completion/_lockctl").read_text(encoding="utf-8")
        for command in commands():
            self.assertRegex(text, rf"""['"]{command}:""")
            for letter, name, value in options_of_help(command):
                plus, equals = ("+", "=") if value else ("", "")
                form = f"{{-{letter}{plus},--{name}{equals}}}" if letter else f"--{name}{equals}["
                self.assertIn(form, text, command)

    def test_help_fits_a_terminal(self) -> None:
        for words in [], *([command] for command in commands()):
            for line in help_of(*words).splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_the_page_is_clean(self) -> None:
        if not shutil.which("mandoc"):
            self.skipTest("no mandoc here")
        done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", PAGE], capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.returncode), ("", 0))
