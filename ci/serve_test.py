"""Tests of ci/serve: from any folder it becomes the daemon, and stdout carries the daemon's own lines alone."""

import signal
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

SERVE = Path(__file__).with_name("serve")
SECONDS_MAX = 120  # of one run, a build included


class Serve(unittest.TestCase):
    def start(self, *flags: str) -> subprocess.Popen[str]:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        pipe = subprocess.PIPE
        daemon = subprocess.Popen([SERVE, *flags], cwd=folder.name, stdout=pipe, stderr=pipe, text=True)
        self.addCleanup(daemon.communicate)
        self.addCleanup(daemon.kill)
        return daemon

    def test_becomes_the_daemon(self) -> None:
        daemon = self.start("--listen", "tcp://127.0.0.1:0")
        assert daemon.stdout
        listening = daemon.stdout.readline()
        self.assertRegex(listening, r"^listening on tcp://127\.0\.0\.1:[0-9]+\n$")
        port = int(listening.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), SECONDS_MAX) as client, client.makefile("rb") as replies:
            client.sendall(b"ping\n")
            self.assertEqual(replies.readline(), b"1 pong\n")
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.communicate(timeout=SECONDS_MAX)[0], "")
        self.assertEqual(daemon.returncode, 0)

    def test_hands_on_flags_and_exit_status(self) -> None:
        daemon = self.start("--no-such-flag")
        stdout, stderr = daemon.communicate(timeout=SECONDS_MAX)
        self.assertEqual((daemon.returncode, stdout), (2, ""))
        self.assertIn("--no-such-flag", stderr)


if __name__ == "__main__":
    unittest.main()
