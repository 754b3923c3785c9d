"""Two daemons on one port or socket path: the second is refused while the first serves, let in once that is killed."""

from __future__ import annotations

import os
import stat

from daemon import DaemonTestCase, eventually, run_to_exit


class SecondDaemon(DaemonTestCase):
    def refused(self, uri: str, names: str) -> None:
        """One line that says what and where, and exit code 1."""
        finished = run_to_exit("--listen", uri)
        self.assertEqual((finished.returncode, finished.stdout), (1, ""))
        self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)
        self.assertIn(names, finished.stderr)

    def check_takes_turns(self, listen: str) -> None:
        first = self.daemon(listen=[listen])
        uri = first.uris[0]
        client = self.connect(first)
        client.expect("g mine", "1 Lock Get Success: mine")
        for _ in range(2):
            self.refused(uri, uri.rpartition("//")[2])
        self.connect(first).expect("g mine", "0 Lock Get Failure: mine")  # the first is none the worse for it
        first.kill()
        second = self.daemon(listen=[uri])
        self.assertEqual(second.uris, [uri])
        self.connect(second).expect("g mine", "1 Lock Get Success: mine")

    def test_S1_two_daemons_on_one_port(self) -> None:
        self.check_takes_turns("tcp://127.0.0.1:0")

    def test_S1_two_daemons_on_one_socket_path(self) -> None:
        self.check_takes_turns(f"unix://{self.temporary_directory()}/lockd.sock")

    def test_S1_two_daemons_on_one_socket_path_that_somebody_removed(self) -> None:
        """The lock beside the path is what counts."""
        path = self.temporary_directory() / "lockd.sock"
        first = self.daemon(listen=[f"unix://{path}"])
        client = self.connect(first)
        path.unlink()
        self.refused(f"unix://{path}", str(path))
        client.expect("ping", "1 pong")

    def test_S1_two_listeners_of_one_daemon_on_one_path(self) -> None:
        path = self.temporary_directory() / "lockd.sock"
        finished = run_to_exit("--listen", f"unix://{path}", "--listen", f"unix://{path}")
        self.assertEqual(finished.returncode, 1)
        self.assertIn(str(path), finished.stderr)

    def test_S1_what_is_no_socket_is_not_removed(self) -> None:
        path = self.temporary_directory() / "precious"
        path.write_text("data")
        self.refused(f"unix://{path}", str(path))
        self.assertEqual(path.read_text(), "data")

    def test_S6_a_clean_end_removes_the_socket(self) -> None:
        path = self.temporary_directory() / "lockd.sock"
        for _ in range(2):
            daemon = self.daemon(listen=[f"unix://{path}"])
            self.assertTrue(stat.S_ISSOCK(os.stat(path).st_mode))
            daemon.stop()
            self.assertFalse(path.exists())

    def test_S2_killed_daemons_leave_no_locks(self) -> None:
        """A restart right after kill -9, with connections that the old one left in TIME_WAIT or half-open."""
        first = self.daemon()
        clients = [self.connect(first) for _ in range(20)]
        for number, client in enumerate(clients):
            client.expect(f"g {number}", f"1 Lock Get Success: {number}")
        first.kill()
        second = self.daemon(listen=[first.uris[0]])
        observer = self.connect(second)
        eventually(lambda: observer.counters()["connections"] == 1, 5, "nobody else is there")
        self.assertEqual(observer.listing("d"), [])
