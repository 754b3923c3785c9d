"""The script of docs/lockctl.md that holds a lock for a part of itself, as it stands there, run by bash."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

from client import LineReader
from daemon import eventually
from lockctl import LOCKCTL, LockctlTestCase, environment_of

PAGE = Path(__file__).parents[3] / "docs/lockctl.md"
MANUAL = Path(__file__).parent.parent / "lockctl.1"


def script_of_the_page() -> list[str]:
    part = PAGE.read_text(encoding="utf-8").split("## A lock for a part of a script\n")[1]
    found = re.match(r"\n((?: {4}.*\n)+)", part)
    assert found is not None
    return [line.removeprefix("    ") for line in found[1].splitlines()]


class Coprocess(LockctlTestCase):
    def run_script(self) -> subprocess.Popen[bytes]:
        """It says "in" where the page has `...`, and "out" behind the end, and goes on when it is told."""
        folder = self.temporary_directory()
        (folder / "lockctl").symlink_to(LOCKCTL)
        lines = ["echo in $token; read x" if line == "..." else line for line in script_of_the_page()]
        script = "\n".join([f"PATH={folder}:$PATH", *lines, "echo out; read x"])
        process = subprocess.Popen(["bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=environment_of(self.uri), start_new_session=True)
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        for stream in process.stdin, process.stdout, process.stderr:
            self.addCleanup(stream.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.output = LineReader(process.stdout.fileno())
        return process

    def expect_free(self) -> None:
        eventually(lambda: self.observer.ask("i deploy") == b"0 Lock Not Locked: deploy", 20, "the lock is free")

    def test_it_holds_the_lock_for_its_part(self) -> None:
        process = self.run_script()
        self.assertRegex(self.output.line(), rb"\Ain \d+\Z")
        self.observer.expect("i deploy", "1 Lock Is Locked: deploy")
        assert process.stdin is not None
        process.stdin.write(b"go on\n")
        process.stdin.flush()
        self.assertEqual(self.output.line(), b"out")
        self.expect_free()
        self.assertIsNone(process.poll())

    def test_a_script_that_dies_lets_go_of_it(self) -> None:
        process = self.run_script()
        self.output.line()
        process.send_signal(signal.SIGKILL)
        self.expect_free()

    def test_without_the_lock_it_does_not_go_on(self) -> None:
        self.server.stop()
        process = self.run_script()
        self.assertEqual(process.wait(), 1)
        self.assertEqual(self.output.to_end(), b"")

    def test_the_manual_has_the_same(self) -> None:
        lines = [re.sub(r"  +#.*", "", line) for line in script_of_the_page()]
        example = MANUAL.read_text(encoding="utf-8").split(".Bd -literal -offset indent\n")[1].split("\n.Ed")[0]
        self.assertEqual(example.replace("\\&", "").split("\n"), lines)
