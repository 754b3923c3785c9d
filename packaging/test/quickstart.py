#!/usr/bin/env python3
"""Runs docs/quickstart.md as it stands there, and compares what comes back with what the page shows.

    ci/package && packaging/test/quickstart.py     # as root, in a small system with systemd: see test_root.py
    packaging/test/quickstart.py --built           # with the programs of build/release, without the part on installing

In what is shown a number stands for any number and a blank for any blanks; `...` alone stands for any lines, and within
a line for any text. A command that only looks (lockctl list, lockctl top, curl) is repeated for a while until it sees
what is shown: another command that runs beside it may take its time. What such a command says while one runs that shows
nothing is taken for the next one's.
"""

import argparse
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import test_root

PAGE = test_root.ROOT / "docs/quickstart.md"
RELEASE = test_root.ROOT / "build/release"
LOOKING = re.compile(r"(lockctl (list|top|ping)|curl|pgrep)\b")
PATIENCE_SECONDS = 30
COMMAND_SECONDS = 120
# These sections need packages and systemd. With --built the daemon runs as the second of them leaves it.
INSTALLING = {"Install", "Let it show its numbers"}
NAMESPACES = ["--net", "--pid", "--mount-proc"]
FLAGS = ["--log-level", "warning", "--http", "tcp://127.0.0.1:9180"]


@dataclass
class Step:
    """A command of the page, and the lines shown below it."""

    section: str
    line: int
    command: str
    shown: list[str] = field(default_factory=list)


def steps_of(page: str) -> Iterator[Step]:
    section, step = "", None
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("    $ "):
            if step:
                yield step
            step = Step(section, number, line.removeprefix("    $ "))
        elif line.startswith("    ") and step:
            step.shown.append(line.removeprefix("    "))
        elif line.startswith("## "):
            section = line.removeprefix("## ")
    if step:
        yield step


def pattern_of(shown: list[str]) -> re.Pattern[str]:
    lines = ""
    for line in shown:
        if line == "...":
            lines += "(?:.*\n)*"
        else:
            text = re.escape(line).replace(re.escape("..."), ".*")
            lines += re.sub(r"(?:\\ )+", " +", re.sub(r"\d+", r"\\d+", text)) + "\n"
    return re.compile(lines)


class Shell:
    """One bash for the whole page, as a reader has."""

    END = "end of what the command said"

    def __init__(self, command: list[str], **options) -> None:
        self._bash = subprocess.Popen([*command, "bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, **options)

    def ask(self, command: str) -> tuple[str, int]:
        """What it prints, that of commands in the background included, and its status."""
        self._bash.stdin.write(f"{command}\necho {self.END}: $?\n".encode())
        self._bash.stdin.flush()
        said, end = b"", time.monotonic() + COMMAND_SECONDS
        while not (found := re.search(rf"{self.END}: (\d+)\n".encode(), said)):
            if not select.select([self._bash.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no end after {COMMAND_SECONDS} s; so far: {said.decode()}")
            if not (chunk := os.read(self._bash.stdout.fileno(), 65536)):
                raise AssertionError(f"the shell has ended; so far: {said.decode()}")
            said += chunk
        return said[: found.start()].decode(errors="replace"), int(found[1])

    def close(self) -> None:
        self._bash.stdin.close()
        self._bash.kill()
        self._bash.wait()


def perform(step: Step, shell: Shell, said_before: str) -> tuple[str, str]:
    """What is wrong, or nothing; and what commands in the background have said, to be shown with a later step."""
    pattern, looks = pattern_of(step.shown), LOOKING.match(step.command)
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        said, status = shell.ask(step.command)
        if status == 0 and not step.shown and not looks:
            return "", said_before + said
        if status == 0 and pattern.fullmatch(said if looks else said_before + said):
            return "", said_before if looks else ""
        if not looks or time.monotonic() > end:
            return f"status {status}, and it says:\n{said_before}{said}", ""
        time.sleep(0.1)


def run_page(shell: Shell, left_out: set[str]) -> int:
    steps = [step for step in steps_of(PAGE.read_text()) if step.section not in left_out]
    said_before = ""
    for step in steps:
        print(f"{PAGE.name}:{step.line}: $ {step.command}", flush=True)
        wrong, said_before = perform(step, shell, said_before)
        if wrong or (step is steps[-1] and said_before):
            print(f"{wrong or said_before}where the page shows:\n" + "\n".join(step.shown))
            return 1
    print(f"{len(steps)} commands did what the page shows")
    return 0


def in_a_system() -> int:
    if why := test_root.can_boot():
        print(f"OK (skipped={why})")
        return 0
    system = test_root.System()
    shell = Shell(system.enter())
    try:
        return run_page(shell, set())
    finally:
        shell.close()
        system.stop()


def with_what_is_built(tree: Path) -> int:
    """In a network namespace, where the page's ports are free."""
    if not os.environ.get("LOCKD_QUICKSTART_INSIDE"):
        if why := test_root.can_unshare(*NAMESPACES):
            print(f"OK (skipped={why})")
            return 0
        command = ["unshare", *NAMESPACES, "--fork", "--kill-child", sys.executable, "-B", __file__, "--built", tree]
        return subprocess.run(command, env=os.environ | {"LOCKD_QUICKSTART_INSIDE": "yes"}).returncode
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    folders = ":".join(str(tree / folder) for folder in ("server", "client/lockctl"))
    with subprocess.Popen([tree / "server/lockd", *FLAGS], stdout=subprocess.PIPE, text=True) as daemon:
        for _ in range(3):
            daemon.stdout.readline()
        shell = Shell([], env=os.environ | {"PATH": f"{folders}:{os.environ['PATH']}"}, cwd="/")
        try:
            return run_page(shell, INSTALLING)
        finally:
            shell.close()
            daemon.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--built", nargs="?", type=Path, const=RELEASE, metavar="TREE",
                        help="with the programs of that build tree [build/release], in a network namespace")
    built = parser.parse_args().built
    return with_what_is_built(built.resolve()) if built else in_a_system()


if __name__ == "__main__":
    sys.exit(main())
