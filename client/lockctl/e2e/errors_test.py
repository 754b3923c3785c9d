"""What goes wrong is one line that says what, and an exit status."""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
import signal
import socket
import subprocess
import threading
from pathlib import Path

from lockctl import LOCKCTL, LockctlTestCase, environment_of

QUERIES = (["ping"], ["list"], ["who"], ["stats"], ["version"], ["inspect", "-x", "k"], ["--help"], ["run", "--help"])


CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24


def heed_modes() -> None:
    """From the next exec on, the modes of files bind root, too."""
    if os.geteuid() == 0:
        for capability in CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH:
            if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError("a capability cannot be dropped")


class Usage(LockctlTestCase):
    def check(self, *arguments: str, says: str) -> None:
        self.expect_refusal(*arguments, status=64, says=says)

    def test_commands_and_options(self) -> None:
        self.check(says="needs a COMMAND")
        self.check("lst", says="did you mean list?")
        self.check("list", "--max", "3", says="--max is no option here, but of run and get")
        self.check("run", "--wiat", "3", "k", "true", says="did you mean --wait?")
        self.check("run", "-w", "-1", "k", "true", says="--wait -1: expected seconds")

    def test_keys_with_a_line_end(self) -> None:
        """Nothing behind it is sent: that would be another request."""
        for command in ["run", "k\ng stolen", "true"], ["get", "k\ng stolen"], ["inspect", "k\n"], ["list", "k\nra"]:
            self.check(*command, says="must not contain a line end")
        self.observer.expect("i stolen", "0 Lock Not Locked: stolen")

    def test_keys_that_the_server_would_change(self) -> None:
        """Before anything is connected: nobody is there."""
        self.server.stop()
        for key in " k", "k ", "a  b", "a\tb", "k\r":
            for command in ["inspect"], ["get"], ["run"], ["list"], ["top"], ["who"]:
                self.check(*command, key, *["true"] * (command == ["run"]), says=f"lockctl {command[0]}: the ")

    def test_what_an_unset_variable_leaves_empty(self) -> None:
        """A lock of another name than was meant, or at another server, would exclude nobody."""
        for command in ["run", "", "true"], ["get", ""], ["inspect", ""]:
            self.check(*command, says="the KEY is empty")
        for command in ["--server", "", "ping"], ["ping", "--server="], ["run", "--server", "", "k", "true"]:
            self.check(*command, says="--server '': expected tcp://HOST:PORT or unix:///PATH")

    def test_keys_that_are_too_long(self) -> None:
        for command in ["run", "k" * 9000, "true"], ["inspect", "k" * 8190], ["list", "k" * 9000], ["get", "k" * 8192]:
            self.expect_refusal(*command, status=64, says="too long: a key, a prefix or a name has to fit, with its "
                                                         "verb, into a line of 8192 bytes")

    def test_servers(self) -> None:
        for uri in "foo", "tcp://", "tcp://localhost", "tcp://localhost:0", "http://localhost:80", "unix://relative":
            self.check("--server", uri, "ping", says=f"--server {uri}: ")
        self.expect_refusal("ping", env={"LOCKD_SERVER": ""}, status=64, says="LOCKD_SERVER is set, and empty")
        self.expect_refusal("ping", env={"LOCKD_SERVER": "nonsense"}, status=64, says="LOCKD_SERVER nonsense: ")


class Servers(LockctlTestCase):
    def test_nobody_is_there(self) -> None:
        path = self.temporary_directory() / "none.sock"
        self.expect_refusal("--server", f"unix://{path}", "ping", status=69, says="does lockd run there?")
        self.server.stop()
        for command in ["ping"], ["list"], ["stats"], ["get", "k"], ["run", "k", "true"], ["top"], ["bench"]:
            self.expect_refusal(*command, status=69, says="does lockd run there?")

    def refuse_access(self, path: Path, says: str) -> None:
        finished = self.lockctl("--server", f"unix://{path}", "ping", preexec_fn=heed_modes)
        self.assertEqual(finished.stderr, f"lockctl: unix://{path}: Permission denied; {says}\n")
        self.assertEqual(finished.returncode, 69)

    def test_a_socket_for_others(self) -> None:
        """Whom it is for, as the package's is for the group lockd, and not whether lockd runs there."""
        try:
            subprocess.run(["true"], preexec_fn=heed_modes, check=True)
        except subprocess.SubprocessError:
            self.skipTest("root cannot drop its capabilities here")
        path = self.temporary_directory() / "lockd.sock"
        self.daemon("--unix-mode", "060", listen=[f"unix://{path}"])
        group, user = grp.getgrgid(path.stat().st_gid).gr_name, pwd.getpwuid(path.stat().st_uid).pw_name
        self.refuse_access(path, f"the socket is for the group {group}, which one joins by adduser USER {group} "
                                 "and a new login")
        path.chmod(0)
        self.refuse_access(path, f"the socket is for the user {user} alone")
        self.addCleanup(path.parent.chmod, 0o700)
        path.parent.chmod(0)
        self.refuse_access(path, "this user may not enter its folder")

    def test_no_such_host(self) -> None:
        self.expect_refusal("--server", "tcp://no-such-host.invalid:1", "ping", status=69, says="no-such-host.invalid")

    def serve(self, answer: bytes) -> str:
        """Somebody who takes one connection and says something to whatever comes first."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def talk() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)
                connection.recv(1000)

        thread = threading.Thread(target=talk)
        thread.start()
        self.addCleanup(thread.join)
        return f"tcp://127.0.0.1:{listener.getsockname()[1]}"

    def test_somebody_else_is_there(self) -> None:
        uri = self.serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.expect_refusal("--server", uri, "ping", status=76, says="has to name a lockd")

    def test_nobody_answers(self) -> None:
        uri = self.serve(b"")
        self.expect_refusal("--server", uri, "--connect-timeout", "0.1", "ping", status=69, says=uri)

    def test_too_many_connections(self) -> None:
        self.server = self.daemon("--max-connections", "1")
        self.hold("k")
        finished = self.lockctl("ping")
        self.assertEqual(finished.returncode, 69)
        self.assertEqual(finished.stderr, f"lockctl: {self.uri}: the server has too many connections (its "
                                          "--max-connections)\n")

    def test_what_is_disabled(self) -> None:
        self.server = self.daemon("--no-dump", "--no-registry")
        for command in "list", "who":
            self.expect_refusal(command, status=76, says=f"lockctl: {self.uri}: this is disabled on the server, by its "
                                                         "--no-dump or --no-registry")

    def test_one_that_ends(self) -> None:
        uri = self.serve(b"1 pong\n")
        self.expect_refusal("--server", uri, "stats", status=69,
                            says=f"lockctl: {uri}: the server closed the connection")


class Output(LockctlTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.hold("k").expect("iam somebody", "1 ok")  # so that each of QUERIES has something to print

    def test_a_full_disk(self) -> None:
        for command in QUERIES:
            with open("/dev/full", "wb") as full:
                self.expect_refusal(*command, stdout=full, status=74, says="No space left on device")

    def test_a_full_disk_gives_the_lock_back(self) -> None:
        with open("/dev/full", "wb") as full:
            self.expect_refusal("get", "free", stdout=full, status=74, says="No space left on device")
        self.observer.expect("i free", "0 Lock Not Locked: free")

    def test_a_closed_stdout(self) -> None:
        for command in QUERIES:
            finished = self.lockctl(*command, preexec_fn=lambda: os.close(1))
            self.assertEqual(finished.returncode, 74)
            self.assertRegex(finished.stderr, r"\Alockctl: can't write to stdout: [^\n]*\n\Z")

    def test_closed_streams_do_no_harm(self) -> None:
        """The connection does not take their numbers, and what is printed does not end up in it."""
        for closed in (0,), (2,), (0, 2):
            finished = self.lockctl("ping", stdin=None, preexec_fn=lambda each=closed: [os.close(n) for n in each])
            self.assertEqual((finished.stdout, finished.returncode), ("pong\n", 0))
        finished = self.lockctl("lst", preexec_fn=lambda: os.close(2))
        self.assertEqual((finished.stdout, finished.returncode), ("", 64))

    def test_nobody_reads(self) -> None:
        """Quiet, whether SIGPIPE is ignored or not."""
        for prepare in None, lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN):
            reader, writer = os.pipe()
            os.close(reader)
            finished = subprocess.run([LOCKCTL, "stats"], env=environment_of(self.uri), stdout=writer,
                                      stderr=subprocess.PIPE, preexec_fn=prepare, restore_signals=prepare is None,
                                      check=False)
            os.close(writer)
            self.assertIn(finished.returncode, (128 + signal.SIGPIPE, -signal.SIGPIPE))
            self.assertEqual(finished.stderr, b"")
