"""Metrics and health over HTTP: what is shown moves as it must, and nobody who asks can do harm."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from client import Client, connected_socket
from crowds_test import can_open
from daemon import LOOPBACK, Daemon, DaemonTestCase, descriptor_limit, eventually, run_to_exit
from scrape import Scrape, UnixConnection, ask, fetch, http_uri, kept_connection, tcp_uri

LOCKS = ["a_key_that_must_not_show", "another_key_that_must_not_show"]
NAME = "a_name_that_must_not_show"


class HttpTestCase(DaemonTestCase):
    def http_daemon(self, *flags: str, threads: int = 2, wrapper: list[str] | None = None) -> Daemon:
        return self.daemon("--http", LOOPBACK, "--threads", str(threads), *flags, listeners=2, wrapper=wrapper or [])


class Metrics(HttpTestCase):
    def check_changes(self, daemon: Daemon, before: Scrape, changes: dict[tuple[str, ...], float]) -> Scrape:
        """(name, label, value...) of each sample that has changed, and by how much."""
        after = Scrape(daemon)
        for (name, *labels), change in changes.items():
            pairs = dict(zip(labels[::2], labels[1::2], strict=True))
            moved = after.value(name, **pairs) - before.value(name, **pairs)
            self.assertEqual(moved, change, f"{name} {pairs}")
        return after

    def test_E3_locks_of_both_kinds_are_taken_and_given_back(self) -> None:
        for threads in 1, 4:
            daemon = self.http_daemon(threads=threads)
            before = Scrape(daemon)
            client, other = self.connect(daemon), self.connect(daemon)
            for request in "g a", "g b", "g a", "sg a", "sg b":
                self.assertTrue(client.ask(request).startswith(b"1"))
            other.expect("sg a", "2 Shared Lock Get Success: a")
            other.expect("g a", "0 Lock Get Failure: a")
            taken = self.check_changes(daemon, before, {
                ("lockd_connections",): 2, ("lockd_connections_total",): 2,
                ("lockd_commands_total", "command", "g"): 4, ("lockd_commands_total", "command", "sg"): 3,
                ("lockd_locks", "mode", "exclusive"): 2, ("lockd_locks", "mode", "shared"): 2,
                ("lockd_holders", "mode", "exclusive"): 2, ("lockd_holders", "mode", "shared"): 3,
                ("lockd_acquires_total", "mode", "exclusive", "outcome", "granted"): 2,
                ("lockd_acquires_total", "mode", "shared", "outcome", "granted"): 3,
                ("lockd_acquires_total", "mode", "exclusive", "outcome", "busy"): 1,
                ("lockd_hold_seconds_count", "mode", "exclusive"): 0,
            })
            client.expect("r a", "1 Lock Release Success: a")
            client.close()
            eventually(lambda: Scrape(daemon).value("lockd_connections") == 1, 20, "the session has ended")
            self.check_changes(daemon, taken, {
                ("lockd_connections",): -1, ("lockd_connections_total",): 0,
                ("lockd_orphans_total", "mode", "exclusive"): 1, ("lockd_orphans_total", "mode", "shared"): 2,
                ("lockd_hold_seconds_count", "mode", "exclusive"): 2, ("lockd_hold_seconds_count", "mode", "shared"): 2,
                ("lockd_hold_seconds_bucket", "mode", "exclusive", "le", "+Inf"): 2,
                ("lockd_locks", "mode", "exclusive"): -2, ("lockd_holders", "mode", "shared"): -2,
            })

    def test_W1_W4_W9_C2_waits(self) -> None:
        daemon = self.http_daemon()
        holder, waiter = self.connect(daemon), self.connect(daemon)
        holder.expect("g a", "1 Lock Get Success: a")
        holder.expect("sg a", "1 Shared Lock Get Success: a")
        before = Scrape(daemon)
        self.assertEqual(before.value("lockd_oldest_waiter_seconds"), 0)
        waiter.send("gw 600000 a\n")
        eventually(lambda: Scrape(daemon).value("lockd_waiters", mode="exclusive") == 1, 20, "it waits")
        eventually(lambda: Scrape(daemon).value("lockd_oldest_waiter_seconds") > 0.02, 20, "its wait grows old")
        self.assertEqual(Scrape(daemon).value("lockd_longest_line", mode="exclusive"), 1)
        holder.expect("r a", "1 Lock Release Success: a")
        waiter.expect_lines("1 Lock Get Success: a")
        for _ in range(2):
            waiter.expect("sgw 1 20 a", "0 Shared Lock Get Timeout: a")
        waiter.send("sgw 1 600000 a\ncancel\n")
        waiter.expect_lines("0 Shared Lock Get Canceled: a", "1 Canceled")
        waiter.expect("sgl 1 a", "0 Shared Lock Get Failure: a")
        after = self.check_changes(daemon, before, {
            ("lockd_waits_total", "mode", "exclusive"): 1, ("lockd_waits_total", "mode", "shared"): 3,
            ("lockd_waiters", "mode", "exclusive"): 0,
            ("lockd_acquires_total", "mode", "exclusive", "outcome", "granted"): 1,
            ("lockd_acquires_total", "mode", "exclusive", "outcome", "timeout"): 0,
            ("lockd_acquires_total", "mode", "shared", "outcome", "timeout"): 2,
            ("lockd_acquires_total", "mode", "shared", "outcome", "canceled"): 1,
            ("lockd_acquires_total", "mode", "shared", "outcome", "busy"): 1,
            ("lockd_wait_seconds_count", "mode", "exclusive"): 1,
            ("lockd_wait_seconds_count", "mode", "shared"): 3,
            ("lockd_wait_seconds_bucket", "mode", "exclusive", "le", "0.01"): 0,  # more than 20 ms, as was seen
            ("lockd_wait_seconds_bucket", "mode", "shared", "le", "+Inf"): 3,
            ("lockd_oldest_waiter_seconds",): 0,
        })
        self.assertGreater(after.value("lockd_wait_seconds_sum", mode="exclusive"), 0.02)
        self.assertGreaterEqual(after.value("lockd_wait_seconds_sum", mode="shared"), 0.04)

    def test_W6_S5_W7_F8_F9_refusals(self) -> None:
        daemon = self.http_daemon("--max-locks", "1", "--max-waiters", "1")
        one, two, three = (self.connect(daemon) for _ in range(3))
        before = Scrape(daemon)
        one.expect("g a", "1 Lock Get Success: a")
        two.expect("g b", "1 Lock Get Success: b")
        two.expect("sg c", "0 Too Many Locks: c")
        three.send("gw 600000 a\n")
        eventually(lambda: Scrape(daemon).value("lockd_waiters", mode="exclusive") == 1, 20, "it waits")
        four = self.connect(daemon)
        four.expect("gw 600000 a", "0 Too Many Waiters: a")
        four.expect("nonsense", "0 Unknown Command: nonsense")
        four.expect("gw x", "0 Bad Arguments: gw MILLISECONDS KEY")
        self.check_changes(daemon, before, {
            ("lockd_acquires_total", "mode", "shared", "outcome", "too_many_locks"): 1,
            ("lockd_acquires_total", "mode", "exclusive", "outcome", "too_many_waiters"): 1,
            ("lockd_acquires_total", "mode", "exclusive", "outcome", "busy"): 0,
            ("lockd_invalid_commands_total",): 1, ("lockd_bad_arguments_total",): 1,
        })

    def test_W6_deadlocks(self) -> None:
        daemon = self.http_daemon()
        one, two = self.connect(daemon), self.connect(daemon)
        one.expect("g a", "1 Lock Get Success: a")
        two.expect("g b", "1 Lock Get Success: b")
        one.send("gw 600000 b\n")
        eventually(lambda: Scrape(daemon).value("lockd_waiters", mode="exclusive") == 1, 20, "it waits")
        before = Scrape(daemon)
        two.expect("gw 600000 a", "0 Lock Get Deadlock: a")
        self.check_changes(daemon, before, {
            ("lockd_deadlocks_total",): 1,
            ("lockd_acquires_total", "mode", "exclusive", "outcome", "deadlock"): 1,
            ("lockd_acquires_total", "mode", "shared", "outcome", "deadlock"): 0,
        })

    def test_S4_rejected_connections(self) -> None:
        daemon = self.http_daemon("--max-connections", "1")
        self.connect(daemon).expect("ping", "1 pong")
        before = Scrape(daemon)
        self.assertEqual(before.value("lockd_connections_max"), 1)
        self.connect(daemon).expect_lines("0 Too Many Connections")
        self.check_changes(daemon, before, {
            ("lockd_connections_rejected_total", "reason", "too_many_connections"): 1,
            ("lockd_connections_rejected_total", "reason", "out_of_memory"): 0,
            ("lockd_connections",): 0, ("lockd_connections_total",): 0,
        })

    def test_the_process(self) -> None:
        daemon = self.http_daemon()
        first = Scrape(daemon)
        self.assertEqual(first.value("process_max_fds"), daemon.descriptor_limits()[0])
        with_clients = [self.connect(daemon) for _ in range(50)]
        for client in with_clients:
            client.expect("ping", "1 pong")
        self.assertEqual(Scrape(daemon).value("process_open_fds") - first.value("process_open_fds"), 50)
        self.assertEqual(first.value("process_start_time_seconds"), Scrape(daemon).value("process_start_time_seconds"))
        resident = Scrape(daemon).value("process_resident_memory_bytes")
        self.assertLess(abs(resident - 4096 * int(Path(f"/proc/{daemon.pid}/statm").read_text().split()[1])), 4 << 20)
        version = self.connect(daemon).ask("version").decode().split()[2]
        self.assertEqual(first.value("lockd_build_info", version=version), 1)

    def test_no_name_that_a_client_chose_is_shown(self) -> None:
        """Nor does anything that clients do bring about another series."""
        daemon = self.http_daemon()
        before = Scrape(daemon)
        client, other = self.connect(daemon), self.connect(daemon)
        client.expect(f"g {LOCKS[0]}", f"1 Lock Get Success: {LOCKS[0]}")
        client.expect(f"sg {LOCKS[1]}", f"1 Shared Lock Get Success: {LOCKS[1]}")
        client.expect(f"iam {NAME}", "1 ok")
        client.ask("verb_that_must_not_show")
        other.send(f"gw 600000 {LOCKS[0]}\n")
        eventually(lambda: Scrape(daemon).value("lockd_waiters", mode="exclusive") == 1, 20, "it waits")
        after = Scrape(daemon)
        self.assertNotIn("must_not_show", after.text)
        self.assertNotIn(client.address, after.text)
        self.assertEqual(after.series(), before.series())

    def test_the_names_that_people_look_for(self) -> None:
        """Who renames one breaks dashboards and alerts that are not in this tree."""
        labels = {
            "": ["lockd_connections", "lockd_connections_total", "lockd_oldest_waiter_seconds", "lockd_deadlocks_total",
                 "lockd_invalid_commands_total", "process_cpu_seconds_total", "process_start_time_seconds",
                 "process_resident_memory_bytes", "process_virtual_memory_bytes", "process_open_fds",
                 "process_max_fds"],
            "reason": ["lockd_connections_rejected_total"], "command": ["lockd_commands_total"],
            "mode": ["lockd_locks", "lockd_holders", "lockd_waiters", "lockd_orphans_total", "lockd_wait_seconds_sum",
                     "lockd_wait_seconds_count", "lockd_hold_seconds_sum", "lockd_hold_seconds_count"],
            "mode outcome": ["lockd_acquires_total"], "version": ["lockd_build_info"],
            "le mode": ["lockd_wait_seconds_bucket", "lockd_hold_seconds_bucket"],
        }
        scrape = Scrape(self.http_daemon())
        for names, metrics in labels.items():
            for metric in metrics:
                self.assertEqual({" ".join(sorted(each)) for each in scrape.labels(metric)}, {names}, metric)

    def test_docs_name_every_metric_as_it_is(self) -> None:
        """Each row of the table: name, type, labels, meaning."""
        page = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
        lines = [line for line in page.read_text().splitlines() if line.startswith(("| `lockd_", "| `process_"))]
        rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
        scrape = Scrape(self.http_daemon())
        self.assertEqual([row[0] for row in rows], list(scrape.types))
        for name, kind, labels, meaning in rows:
            self.assertEqual((kind, meaning), (scrape.types[name], scrape.help[name].removesuffix(".")), name)
            sample = name + "_count" if kind == "histogram" else name
            shown = ", ".join(label.strip(" `") for label in labels.split(",")) if labels else ""
            self.assertEqual(shown, ", ".join(sorted(scrape.labels(sample)[0])), name)


class Promtool(HttpTestCase):
    def test_it_has_nothing_to_say(self) -> None:
        if shutil.which("promtool") is None:
            self.skipTest("no promtool here (Debian's package prometheus)")
        daemon = self.http_daemon()
        client = self.connect(daemon)
        client.expect("g a", "1 Lock Get Success: a")
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=Scrape(daemon).text, capture_output=True, text=True, check=False
        )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


class Health(HttpTestCase):
    def test_alive_and_ready(self) -> None:
        for threads in 1, 4:
            daemon = self.http_daemon(threads=threads)
            for target in "/healthz", "/readyz":
                self.assertEqual(fetch(daemon, target), (200, "ok\n"))
            self.assertEqual(fetch(daemon, "/nothing")[0], 404)

    def test_S4_not_ready_while_out_of_descriptors(self) -> None:
        daemon = self.http_daemon("--max-connections", "1000", wrapper=descriptor_limit(64, 64))
        probe = kept_connection(daemon)
        self.addCleanup(probe.close)
        self.assertEqual(ask(probe, "/readyz"), (200, "ok\n"))
        crowd = [self.connect(daemon) for _ in range(100)]
        eventually(lambda: ask(probe, "/readyz")[0] == 503, 20, "it is not ready")
        status, text = ask(probe, "/readyz")
        self.assertEqual((status, text.count("\n")), (503, 1), text)
        self.assertEqual(ask(probe, "/healthz"), (200, "ok\n"))
        self.assertIn("\nlockd_accepting 0\n", ask(probe, "/metrics")[1])
        for client in crowd:
            client.close()
        eventually(lambda: ask(probe, "/readyz") == (200, "ok\n"), 20, "it is ready again, though nobody comes")
        self.assertIn("\nlockd_accepting 1\n", ask(probe, "/metrics")[1])


class Hostile(HttpTestCase):
    """None of it costs the clients of locks more than they notice, and nothing of it stays."""

    GARBAGE = [b"", b"\n" * 5000, b"\0" * 20_000, b"GET", b"GET /metrics\r\n\r\n", b"g lock\n", os.urandom(30_000),
               b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000, b"GET / HTTP/9.9\r\n\r\n",
               b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
               b"GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
               b"GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n"]

    def check_unharmed(self, daemon: Daemon, client: Client, descriptors: int) -> None:
        client.expect("ping", "1 pong")
        self.assertEqual(fetch(daemon, "/healthz"), (200, "ok\n"))
        eventually(lambda: daemon.descriptors() <= descriptors, 20, "no descriptor is left")

    def test_garbage(self) -> None:
        daemon = self.http_daemon()
        client = self.connect(daemon)
        client.expect("g a", "1 Lock Get Success: a")
        descriptors = daemon.descriptors()
        for _ in range(3):
            for bytes_sent in self.GARBAGE:
                peer = Client(tcp_uri(daemon))
                try:
                    peer.send(bytes_sent)
                    peer.half_close()
                    peer.to_end()
                except OSError:
                    pass  # it was told the end before it had said all
                peer.close()
        self.check_unharmed(daemon, client, descriptors)
        client.expect("i a", "1 Lock Is Locked: a")

    def test_hundreds_of_silent_and_of_slow_connections(self) -> None:
        can_open(500)
        daemon = self.http_daemon()
        client = self.connect(daemon)
        client.expect("ping", "1 pong")
        descriptors = daemon.descriptors()
        crowd = [connected_socket(tcp_uri(daemon)) for _ in range(400)]
        for sock in crowd[::2]:
            try:
                sock.send(b"GET /metrics HTTP/1.1\r\nX: ")
            except OSError:
                pass
        self.assertEqual(fetch(daemon, "/readyz"), (200, "ok\n"))
        self.assertLessEqual(daemon.descriptors(), descriptors + 16)
        for sock in crowd:
            sock.close()
        self.check_unharmed(daemon, client, descriptors)

    def test_scrapes_without_pause(self) -> None:
        """Pipelined by peers that read nothing: it neither keeps what they do not take, nor the others waiting."""
        daemon = self.http_daemon()
        client = self.connect(daemon)
        client.expect("ping", "1 pong")
        peak, descriptors = daemon.peak_bytes(), daemon.descriptors()
        crowd = [Client(tcp_uri(daemon)) for _ in range(8)]
        for peer in crowd:
            peer.socket.setblocking(False)
            try:
                peer.socket.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 2000)
            except BlockingIOError:
                pass
        for _ in range(100):
            client.expect("ping", "1 pong")
        self.assertEqual(fetch(daemon, "/healthz"), (200, "ok\n"))
        daemon.peak_stays_within(8 << 20, peak)
        for peer in crowd:
            peer.close()
        self.check_unharmed(daemon, client, descriptors)

    def test_S6_a_shutdown_waits_for_nobody(self) -> None:
        daemon = self.http_daemon()
        idle = kept_connection(daemon)
        self.addCleanup(idle.close)
        self.assertEqual(ask(idle, "/healthz")[0], 200)
        slow = Client(tcp_uri(daemon))
        self.addCleanup(slow.close)
        slow.send("GET /metr")
        daemon.stop()


class Addresses(HttpTestCase):
    def refused(self, *flags: str, status: int, names: str) -> None:
        finished = run_to_exit(*flags)
        self.assertEqual((finished.returncode, finished.stdout), (status, ""), finished.stderr)
        self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)
        self.assertIn(names, finished.stderr)

    def test_none_by_default(self) -> None:
        with_http, without = self.http_daemon(), self.daemon("--threads", "2")
        self.assertEqual(with_http.threads() - without.threads(), 1)
        self.assertEqual(len(set().union(*with_http.watched_sockets())), 2)
        self.assertEqual(len(set().union(*without.watched_sockets())), 1)

    def test_on_a_unix_socket_from_a_file(self) -> None:
        directory = self.temporary_directory()
        config = directory / "lockd.conf"
        config.write_text(f'http = "unix://{directory}/http.sock"\nunix-mode = "0600"\n')
        daemon = self.daemon("--config", str(config), listeners=2)
        self.assertEqual(http_uri(daemon), f"http+unix://{directory}/http.sock")
        self.assertEqual((directory / "http.sock").stat().st_mode & 0o777, 0o600)
        probe = UnixConnection(f"{directory}/http.sock")
        self.addCleanup(probe.close)
        self.assertEqual(ask(probe, "/readyz"), (200, "ok\n"))
        daemon.stop()
        self.assertFalse((directory / "http.sock").exists())

    def test_from_the_environment_and_on_ipv6(self) -> None:
        daemon = self.daemon(listeners=2, environment={"LOCKD_HTTP": "tcp://[::1]:0"})
        self.assertRegex(http_uri(daemon), r"^http://\[::1\]:[1-9][0-9]*$")
        self.assertEqual(fetch(daemon, "/healthz"), (200, "ok\n"))

    def test_S1_a_port_in_use(self) -> None:
        daemon = self.http_daemon()
        taken = tcp_uri(daemon)
        names = f"--http {taken}: Address already in use, by another lockd, or by lockd.socket? (ss -tlnp tells.)"
        self.refused("--listen", LOOPBACK, "--http", taken, status=1, names=names)
        self.assertEqual(fetch(daemon, "/healthz"), (200, "ok\n"))

    def test_beyond_the_loopback_only_where_the_address_is_written(self) -> None:
        daemon = self.daemon("--http", "tcp://0.0.0.0:0", listeners=2)
        self.assertTrue(http_uri(daemon).startswith("http://0.0.0.0:"))
        self.refused("--listen", LOOPBACK, "--http", "tcp://0:0", status=1, names="not on the loopback")

    def test_addresses_that_are_none(self) -> None:
        uris = "127.0.0.1:9998", "http://127.0.0.1:0", "tcp://127.0.0.1", "unix://relative", "9998", "ws://127.0.0.1:0/"
        for uri in uris:
            self.refused("--listen", LOOPBACK, "--http", uri, status=2, names=uri)
