"""The example programs do what their comments say, and docs/client.md shows them as they are."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from pathlib import Path

from daemon import START_SECONDS, DaemonTestCase, eventually
from client import TIME_SCALE
from tool import Tool

ROOT = Path(__file__).resolve().parents[2]


def example(name: str) -> str:
    return f"{os.environ['LOCKD_EXAMPLES']}/lockd_example_{name}"


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([example(name), *arguments], text=True, capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=START_SECONDS * TIME_SCALE)


class Examples(DaemonTestCase):
    def hold(self, uri: str, key: str) -> Tool:
        tool = Tool([example("hold"), uri, key])
        self.addCleanup(tool.close)
        return tool

    def test_nightly(self) -> None:
        done = run("nightly", self.daemon().uris[0])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^(page [1-3], written with token [0-9]+\n){3}$")

    def test_workers(self) -> None:
        done = run("workers", self.daemon().uris[0])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(sorted(done.stdout.splitlines()), [f"worker {number} has a place" for number in (1, 2, 3)])

    def test_hold(self) -> None:
        uri = f"unix://{self.temporary_directory()}/lockd.sock"
        daemon = self.daemon(listen=[uri])
        first = self.hold(uri, "mine")
        held = first.line()
        self.assertRegex(held, "^held [0-9]+$")
        self.assertEqual(first.ask("which?", 1), [held.replace("held", "token")])
        second, observer = self.hold(uri, "mine"), self.connect(daemon)
        eventually(lambda: observer.ask("iw mine") == b"1 Lock Waiters: mine", 5, "it waits")
        self.assertEqual(first.finish(), "")
        self.assertRegex(second.line(), "^held [0-9]+$")
        daemon.stop()
        self.assertEqual(second.line(), "lost: the server closed the connection")
        self.assertEqual(second.status(), 3)

    def test_wrong_use_is_one_line(self) -> None:
        for name in "nightly", "workers", "hold":
            done = run(name)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, r"^usage: .*\n$")
        done = run("hold", "tcp://127.0.0.1", "key")
        self.assertEqual((done.returncode, done.stderr), (1, "tcp://127.0.0.1: expected tcp://HOST:PORT\n"))
        done = run("hold", "unix:///nowhere/lockd.sock", "key")
        self.assertEqual((done.returncode, done.stderr), (1, "unix:///nowhere/lockd.sock: No such file or directory\n"))

    def test_the_docs_show_them(self) -> None:
        """Each piece of C++ in docs/client.md stands in one of the examples; each of CMake in the consumer's file."""
        files = [*ROOT.glob("client/examples/*.cc"), *ROOT.glob("client/e2e/consumer/*")]
        sources = "\n".join(path.read_text() for path in files)
        flat = re.sub(r"\s+", " ", sources)
        pieces = re.findall(r"^```(?:cpp|cmake)\n(.*?)^```$", (ROOT / "docs/client.md").read_text(), re.M | re.S)
        self.assertGreater(len(pieces), 3)
        for piece in pieces:
            self.assertIn(re.sub(r"\s+", " ", textwrap.dedent(piece)).strip(), flat)
