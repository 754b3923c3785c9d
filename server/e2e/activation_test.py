"""Socket activation: the daemon serves at sockets that were bound before it was started (LISTEN_FDS)."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import activate
from client import Client
from daemon import LOOPBACK, Daemon, DaemonTestCase, daemon_environment, eventually, run_to_exit



def activated(*sockets: str) -> list[str]:
    return [sys.executable, "-B", activate.__file__, *sockets, "--"]


class Activation(DaemonTestCase):
    def activate(self, *sockets: str, listen: Sequence[str] = (), listeners: int | None = None) -> Daemon:
        count = len(sockets) + len(listen) if listeners is None else listeners
        return self.daemon(listen=listen, listeners=count, wrapper=activated(*sockets))

    def test_sockets_take_the_place_of_the_default_addresses(self) -> None:
        path = self.temporary_directory() / "lockd.sock"
        daemon = self.activate("tcp:127.0.0.1:0", f"unix:{path}", "tcp:[::1]:0")
        self.assertRegex(daemon.uris[0], r"^tcp://127\.0\.0\.1:[1-9]\d*$")
        self.assertEqual(daemon.uris[1], f"unix://{path}")
        self.assertRegex(daemon.uris[2], r"^tcp://\[::1\]:[1-9]\d*$")
        for listener in range(3):
            self.connect(daemon, listener).expect("ping", "1 pong")
        self.assertIn(f"{daemon.uris[0]} was passed as web", daemon.stderr())
        daemon.stop()  # asserts that no other address was announced

    def test_a_passed_socket_stays_where_it_is(self) -> None:
        """Its path is the service manager's, and so is the lock beside it."""
        path = self.temporary_directory() / "lockd.sock"
        daemon = self.activate(f"unix:{path}")
        self.connect(daemon).expect("g mine", "1 Lock Get Success: mine")
        daemon.stop()
        self.assertEqual([each.name for each in path.parent.iterdir()], [path.name])

    def test_an_abstract_name_is_shown_as_people_write_it(self) -> None:
        name = f"@{self.temporary_directory()}"
        daemon = self.activate(f"unix:{name}")
        self.assertEqual(daemon.uris, [f"unix://{name}"])
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect("\0" + name[1:])
            client.sendall(b"ping\n")
            self.assertEqual(client.recv(100), b"1 pong\n")

    def test_addresses_of_flags_are_added(self) -> None:
        path = self.temporary_directory() / "lockd.sock"
        daemon = self.activate("tcp:127.0.0.1:0", listen=[f"unix://{path}"])
        self.assertEqual(daemon.uris[1], f"unix://{path}")
        for listener in range(2):
            self.connect(daemon, listener).expect("ping", "1 pong")
        daemon.stop()
        self.assertFalse(path.exists())

    def test_an_address_of_a_flag_that_was_passed_is_served_once(self) -> None:
        path = self.temporary_directory() / "lockd.sock"
        daemon = self.activate(f"unix:{path}", listen=[f"unix://{path}", LOOPBACK], listeners=2)
        self.assertEqual(daemon.uris[0], f"unix://{path}")
        for listener in range(2):
            self.connect(daemon, listener).expect("ping", "1 pong")

    def test_a_socket_of_whatever_name_serves_the_line_protocol(self) -> None:
        for name in "http", "ws":
            wrapper = [*activated("tcp:127.0.0.1:0"), "env", f"LISTEN_FDNAMES={name}"]
            daemon = self.daemon(listen=[], listeners=1, wrapper=wrapper)
            self.assertIn(f"{daemon.uris[0]} was passed as {name}", daemon.stderr())
            self.connect(daemon).expect("ping", "1 pong")

    def test_sockets_for_another_process_are_left_alone(self) -> None:
        daemon = self.daemon(environment={"LISTEN_FDS": "1", "LISTEN_PID": "1"})
        self.connect(daemon).expect("ping", "1 pong")

    def test_under_systemd_socket_activate(self) -> None:
        if not shutil.which("systemd-socket-activate"):
            self.skipTest("systemd-socket-activate is not there")
        uri = f"unix://{self.temporary_directory()}/lockd.sock"
        inherited = [f"--setenv={name}" for name in daemon_environment({})]  # it would pass on hardly any
        command = ["systemd-socket-activate", *inherited, "-l", uri.removeprefix("unix://")]
        with ThreadPoolExecutor(1) as executor:
            first = executor.submit(first_client, uri)  # for whom the daemon is started
            self.daemon(listeners=1, listen=[], wrapper=command)
            client = first.result()
        self.addCleanup(client.close)
        client.expect("g mine", "1 Lock Get Success: mine")


def first_client(uri: str) -> Client:
    clients: list[Client] = []

    def connects() -> bool:
        try:
            clients.append(Client(uri))
        except OSError:  # not bound, or not listening yet
            return False
        return True

    eventually(connects, 20, f"somebody listens at {uri}")
    return clients[0]


class RefusedSockets(DaemonTestCase):
    """One line that says which, and what would do; exit status 1."""

    def check_refused(self, *sockets: str, names: str) -> None:
        finished = run_to_exit("--log-level", "off", wrapper=activated(*sockets))
        self.assertEqual((finished.returncode, finished.stdout), (1, ""), finished.stderr)
        self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)
        self.assertIn(names, finished.stderr)

    def test_what_is_no_listening_stream_socket(self) -> None:
        path = self.temporary_directory() / "lockd.sock"
        for other in "udp:127.0.0.1:0", f"datagram:{path}", "connected:", "file:/dev/null":
            with self.subTest(other):
                why = "no listening TCP or Unix stream socket (ListenStream= and Accept=no make one)"
                self.check_refused("tcp:127.0.0.1:0", other, names=f"LISTEN_FDS: descriptor 4 (web): {why}")

    def test_stream_sockets_of_other_protocols(self) -> None:
        for other, family, protocol in (("mptcp:127.0.0.1:0", socket.AF_INET, activate.IPPROTO_MPTCP),
                                        (f"vsock:{socket.VMADDR_PORT_ANY}", socket.AF_VSOCK, 0)):
            try:
                socket.socket(family, socket.SOCK_STREAM, protocol).close()
            except OSError as error:
                self.skipTest(f"{other}: {error}")
            self.check_refused(other, names="LISTEN_FDS: descriptor 3 (web): no listening TCP or Unix stream socket")

    def test_S1_a_port_that_another_server_could_share(self) -> None:
        self.check_refused("reuseport:127.0.0.1:0", names="LISTEN_FDS: descriptor 3 (web): with SO_REUSEPORT")

    def test_numbers_that_make_no_sense(self) -> None:
        for count, names in (("x", "Invalid argument"), ("5", "Bad file descriptor")):
            wrapper = ["sh", "-c", f'LISTEN_PID=$$ LISTEN_FDS={count} exec "$0" "$@"']
            finished = run_to_exit("--log-level", "off", wrapper=wrapper)
            self.assertEqual((finished.returncode, finished.stderr), (1, f"lockd: LISTEN_FDS: {names}\n"))
