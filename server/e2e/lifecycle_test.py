"""From start to end of the process: ready lines, listeners, pidfile, modes, signals, threads, and starts that fail."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Sequence

from client import Client
from daemon import LOOPBACK, DaemonTestCase, descriptor_limit, eventually, run_to_exit, run_tool
from tool import Tool

NOT_OURS = "tcp://192.0.2.1:0"  # an address that no machine has (RFC 5737)


class StartAndEnd(DaemonTestCase):
    def test_S6_SIGTERM_and_SIGINT_and_SIGHUP(self) -> None:
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
            daemon = self.daemon()
            client = self.connect(daemon)
            client.expect("g mine", "1 Lock Get Success: mine")
            daemon.stop(number)  # asserts exit code 0, within 2 s, nothing left behind
            client.expect_end()

    def test_a_closed_terminal_does_not_end_it_under_nohup(self) -> None:
        daemon = self.daemon(wrapper=["nohup"])
        client = self.connect(daemon)
        os.kill(daemon.pid, signal.SIGHUP)
        client.expect("g mine", "1 Lock Get Success: mine")
        daemon.stop(signal.SIGTERM)

    def test_S6_nothing_is_granted_on_the_way_down(self) -> None:
        """100 holders die on two threads while others ask for their locks without a pause: nobody is given one."""
        daemon = self.daemon("--threads", "2")
        holders = [self.connect(daemon) for _ in range(100)]
        for number, holder in enumerate(holders):
            holder.expect(f"g {number}", f"1 Lock Get Success: {number}")
        askers = [self.connect(daemon) for _ in range(8)]
        granted: list[bytes] = []

        def ask(asker: Client) -> None:
            requests = b"".join(b"g %d\n" % number for number in range(100))
            try:
                while True:
                    asker.send(requests)
                    for _ in range(100):
                        reply = asker.line()
                        if reply.startswith(b"1"):
                            granted.append(reply)
            except (AssertionError, OSError):  # the daemon is gone
                return

        threads = [threading.Thread(target=ask, args=[asker]) for asker in askers]
        for thread in threads:
            thread.start()
        observer = self.connect(daemon)
        eventually(lambda: observer.counters()["command_g"] > 2000, 10, "they ask")
        daemon.stop()
        for thread in threads:
            thread.join()
        self.assertEqual(granted, [])

    def test_S6_nothing_accepts_any_more(self) -> None:
        daemon = self.daemon()
        daemon.stop()
        with self.assertRaises(ConnectionRefusedError):
            self.connect(daemon)

    def test_S6_a_client_that_never_reads_does_not_delay_the_end(self) -> None:
        daemon = self.daemon()
        client = self.connect(daemon, receive_buffer_bytes=65536)
        key = "k" * 8000
        client.expect(f"g {key}", f"1 Lock Get Success: {key}")
        client.send("d\n" * 5000)
        observer = self.connect(daemon)
        eventually(lambda: observer.counters()["command_d"] > 0, 10, "it is served")
        daemon.stop()

    def test_ready_lines_and_ports(self) -> None:
        """Port 0 becomes a real one, each listener has its line, in the order of the flags, and serves."""
        path = self.temporary_directory() / "lockd.sock"
        daemon = self.daemon(listen=[LOOPBACK, f"unix://{path}", "tcp://[::1]:0", LOOPBACK])
        self.assertRegex(daemon.uris[0], r"^tcp://127\.0\.0\.1:[1-9]\d*$")
        self.assertEqual(daemon.uris[1], f"unix://{path}")
        self.assertRegex(daemon.uris[2], r"^tcp://\[::1\]:[1-9]\d*$")
        self.assertNotEqual(daemon.uris[3], daemon.uris[0])
        for listener in range(4):
            self.connect(daemon, listener).expect("ping", "1 pong")

    def test_a_stdout_that_takes_nothing_is_a_line_in_the_log(self) -> None:
        path = self.temporary_directory() / "lockd.sock"
        uri, wrapper = f"unix://{path}", ["sh", "-c", 'exec "$@" >/dev/full', "sh"]
        daemon = self.daemon(listen=[uri], listeners=0, wrapper=wrapper)
        eventually(lambda: "stdout can't be written to" in daemon.stderr(), 20, "it says that nobody reads the address")
        client = Client(uri)
        self.addCleanup(client.close)
        client.expect("ping", "1 pong")

    def test_S1_sessions_have_numbers_never_used_again(self) -> None:
        daemon = self.daemon(listen=[f"unix://{self.temporary_directory()}/lockd.sock"])
        seen: set[bytes] = set()
        for _ in range(20):
            client = self.connect(daemon)
            _, address, name = client.ask("me").split()
            self.assertRegex(address, rb"^unix:\d+$")
            self.assertEqual(name, address)
            self.assertNotIn(address, seen)
            seen.add(address)
            client.close()

    def test_S6_threads_and_children(self) -> None:
        """N threads serve; more of them differ by their number alone; nothing is forked."""
        two, five = self.daemon("--threads", "2"), self.daemon("--threads", "5")
        for daemon in two, five:
            self.connect(daemon).expect("ping", "1 pong")
            self.assertEqual(daemon.children(), [])
        self.assertEqual(five.threads() - two.threads(), 3)

    def test_connections_are_shared_out_among_the_threads(self) -> None:
        daemon = self.daemon("--threads", "4")
        listening = set[int]().union(*daemon.watched_sockets())
        for _ in range(20):
            self.connect(daemon).expect("ping", "1 pong")
        shares = [len(each - listening) for each in daemon.watched_sockets()]
        self.assertEqual([share for share in shares if share > 0], [5, 5, 5, 5])

    def test_pidfile(self) -> None:
        path = self.temporary_directory() / "lockd.pid"
        daemon = self.daemon("--pidfile", str(path))
        self.assertEqual(path.read_text(), f"{daemon.pid}\n")
        daemon.stop()
        self.assertFalse(path.exists())

    def test_a_stale_pidfile_is_replaced(self) -> None:
        path = self.temporary_directory() / "lockd.pid"
        first = self.daemon("--pidfile", str(path))
        first.kill()
        second = self.daemon("--pidfile", str(path))
        self.assertEqual(path.read_text(), f"{second.pid}\n")

    def test_a_pidfile_that_another_program_has_replaced_stays(self) -> None:
        directory = self.temporary_directory()
        path = directory / "lockd.pid"
        daemon = self.daemon("--pidfile", str(path))
        (directory / "new").write_text("1\n")
        (directory / "new").rename(path)
        daemon.stop()
        self.assertEqual(path.read_text(), "1\n")

    def test_unix_socket_modes(self) -> None:
        """Whatever the umask."""
        for mode, umask in (("0600", 0o022), ("0666", 0o077), ("660", 0o777)):
            path = self.temporary_directory() / "lockd.sock"
            self.daemon("--unix-mode", mode, listen=[f"unix://{path}"], umask=umask)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), int(mode, 8))

    def test_S6_logs_go_to_stderr_by_level(self) -> None:
        quiet, usual = self.daemon("--log-level", "error"), self.daemon("--log-level", "info")
        for daemon in quiet, usual:
            self.connect(daemon).expect("ping", "1 pong")
            daemon.stop()
        self.assertEqual(quiet.stderr(), "")
        self.assertIn(usual.uris[0].rpartition("//")[2], usual.stderr())
        self.assertLess(usual.stderr().count("\n"), 20)  # one for each event that matters, none for each request

    def test_too_few_descriptors_for_the_threads(self) -> None:
        finished = run_to_exit("--threads", "64", wrapper=["prlimit", "--nofile=64:64"])
        self.assertEqual((finished.returncode, finished.stdout), (1, ""), finished.stderr)
        self.assertEqual(finished.stderr.splitlines()[-1], "lockd: --threads 64: Too many open files")


class DefaultAddresses(DaemonTestCase):
    """Without --listen: port 9999 of both loopbacks. In a network namespace of its own, where the port is free."""

    def setUp(self) -> None:
        self.inside = ["ip", "netns", "exec", self.network_namespace("default")]

    def check_pong(self, host: str) -> None:
        client = Tool([*self.inside, "nc", "-N", host, "9999"])
        self.addCleanup(client.close)
        self.assertEqual(client.ask("ping", 1), ["1 pong"])

    def test_R1_both_loopbacks(self) -> None:
        run_tool(*self.inside, "ip", "link", "set", "lo", "up")
        daemon = self.daemon(listen=[], listeners=2, wrapper=self.inside)
        self.assertEqual(daemon.uris, ["tcp://127.0.0.1:9999", "tcp://[::1]:9999"])
        self.check_pong("127.0.0.1")
        self.check_pong("::1")

    def test_R1_a_machine_without_ipv6(self) -> None:
        """Its absence is a line in the log and no failure."""
        run_tool(*self.inside, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
        run_tool(*self.inside, "ip", "link", "set", "lo", "up")
        daemon = self.daemon(listen=[], listeners=1, wrapper=self.inside)
        self.assertEqual(daemon.uris, ["tcp://127.0.0.1:9999"])
        self.check_pong("127.0.0.1")
        self.assertIn("::1", daemon.stderr())

    def test_R1_the_port_of_the_other_loopback_is_in_use(self) -> None:
        """Then another server is there, and half of the clients would find it."""
        run_tool(*self.inside, "ip", "link", "set", "lo", "up")
        self.daemon(listen=["tcp://[::1]:9999"], wrapper=self.inside)
        finished = run_to_exit(wrapper=self.inside)
        self.assertEqual((finished.returncode, finished.stdout), (1, ""), finished.stderr)
        says = finished.stderr.splitlines()[-1]
        self.assertRegex(says, r"^lockd: tcp://\[::1\]:9999: Address already in use, .*: --listen$")


class FailedStarts(DaemonTestCase):
    """One line that says what and where, exit code 1, and nothing left behind. (Second daemons have their own file.)"""

    def check_refused(self, *flags: str, names: str, wrapper: Sequence[str] = ()) -> None:
        finished = run_to_exit(*flags, wrapper=wrapper)
        self.assertEqual((finished.returncode, finished.stdout), (1, ""), finished.stderr)
        self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)
        self.assertIn(names, finished.stderr)

    def test_S6_an_address_that_is_not_ours(self) -> None:
        self.check_refused("--listen", NOT_OURS, names="192.0.2.1")

    def test_S6_a_socket_in_a_folder_that_is_not_there(self) -> None:
        path = self.temporary_directory() / "missing" / "lockd.sock"
        self.check_refused("--listen", f"unix://{path}", names=str(path))

    def test_S6_a_socket_path_that_is_too_long(self) -> None:
        path = self.temporary_directory() / ("x" * 120)
        self.check_refused("--listen", f"unix://{path}", names="has 107 bytes at most")

    def test_a_pidfile_that_cannot_be_written(self) -> None:
        path = self.temporary_directory() / "missing" / "lockd.pid"
        self.check_refused("--listen", LOOPBACK, "--pidfile", str(path), names=str(path))

    def test_a_pidfile_that_is_something_else_stays_as_it_is(self) -> None:
        path = self.temporary_directory() / "notes"
        path.write_text("important notes\n")
        self.check_refused("--listen", LOOPBACK, "--pidfile", str(path), names="Remove it, or take another path")
        self.assertEqual(path.read_text(), "important notes\n")

    def test_a_pidfile_of_a_daemon_that_serves(self) -> None:
        path = self.temporary_directory() / "lockd.pid"
        first = self.daemon("--pidfile", str(path))
        self.check_refused("--listen", LOOPBACK, "--pidfile", str(path), names=f"{path}: process {first.pid} runs")
        self.assertEqual(path.read_text(), f"{first.pid}\n")
        first.stop()
        self.daemon("--pidfile", str(path)).stop()

    def test_a_state_directory_that_is_not_there(self) -> None:
        path = self.temporary_directory() / "missing"
        says = f"--state-dir: {path}: No such file or directory: make the folder, or take another path"
        self.check_refused("--listen", LOOPBACK, "--state-dir", str(path), names=says)

    def test_S4_too_few_descriptors_for_any_connection(self) -> None:
        self.check_refused("--listen", LOOPBACK, names="LimitNOFILE=", wrapper=descriptor_limit(40, 40))

    def test_S6_a_failed_start_removes_what_it_made(self) -> None:
        directory = self.temporary_directory()
        unix, pidfile = directory / "lockd.sock", directory / "lockd.pid"
        listen = ("--listen", f"unix://{unix}", "--listen", NOT_OURS)
        self.check_refused(*listen, "--pidfile", str(pidfile), names="192.0.2.1")
        self.assertFalse(unix.exists())
        self.assertFalse(pidfile.exists())

    def test_S6_a_failed_start_leaves_the_pidfile_of_the_one_that_serves(self) -> None:
        path = self.temporary_directory() / "lockd.pid"
        first = self.daemon("--pidfile", str(path))
        self.check_refused("--listen", first.uris[0], "--pidfile", str(path), names=first.uris[0].rpartition("//")[2])
        self.assertEqual(path.read_text(), f"{first.pid}\n")
