"""The Munin plugin: by itself under Debian's python3, and as Debian's munin-run runs it, against the real daemon."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from client import Client
from daemon import LOOPBACK, Daemon, DaemonTestCase, eventually

PLUGIN = Path(__file__).resolve().parents[2] / "packaging" / "munin" / "lockd_"
PYTHON = "/usr/bin/python3"  # Debian's own
FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # what Munin takes as a field's name


def fields_of(lines: list[str], attribute: str) -> dict[str, str]:
    """FIELD.ATTRIBUTE VALUE of each such line."""
    words = (line.partition(" ") for line in lines)
    return {name.rpartition(".")[0]: value for name, _, value in words if name.endswith(f".{attribute}")}


def all_counters(client: Client) -> dict[str, int]:
    client.send("stats\n")
    counters = {}
    while (line := client.line().decode()) != "END":
        name, _, number = line.partition(": ")
        counters[name] = int(number)
    return counters


class MuninTestCase(DaemonTestCase):
    """Links of the plugin in a folder, as an operator makes them."""

    def setUp(self) -> None:
        if not os.access(PYTHON, os.X_OK):
            self.skipTest(f"no {PYTHON} here")
        self.plugins = self.temporary_directory()
        for name in self.run_plugin("", "suggest").splitlines():
            (self.plugins / f"lockd_{name}").symlink_to(PLUGIN)

    def run_plugin(self, graph: str, command: str = "", environment: Mapping[str, str] | None = None) -> str:
        finished = self.start_plugin(graph, command, environment)
        self.assertEqual((finished.returncode, finished.stderr), (0, ""))
        return finished.stdout

    def start_plugin(
        self, graph: str, command: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        path = self.plugins / f"lockd_{graph}" if graph else PLUGIN
        return subprocess.run([PYTHON, "-B", str(path), *filter(None, [command])], env=dict(environment or {}),
                              capture_output=True, text=True, timeout=60, check=False)

    def graphs(self) -> list[str]:
        return sorted(link.name.removeprefix("lockd_") for link in self.plugins.iterdir())


class Plugin(MuninTestCase):
    def test_E3_each_graph_has_a_value_for_each_field(self) -> None:
        server = {"server": self.daemon().uris[0]}
        self.assertGreater(len(self.graphs()), 5)
        for graph in self.graphs():
            config = self.run_plugin(graph, "config").splitlines()
            labels = fields_of(config, "label")
            values = fields_of(self.run_plugin(graph, "", server).splitlines(), "value")
            self.assertEqual(list(labels), list(values), graph)
            self.assertEqual([name for name in labels if not FIELD.fullmatch(name)], [])
            for line in "graph_title ", "graph_vlabel ", "graph_category ", "graph_info ":
                self.assertEqual(len([each for each in config if each.startswith(line)]), 1, graph)
            for name, kind in fields_of(config, "type").items():
                self.assertIn(kind, ("GAUGE", "DERIVE"))
                self.assertRegex(values[name], r"^\d+$" if kind == "DERIVE" else r"^\d+(\.\d+)?$")

    def test_L3_E3_every_command_of_the_daemon_has_its_field(self) -> None:
        counters = all_counters(self.connect(self.daemon()))
        labels = fields_of(self.run_plugin("commands", "config").splitlines(), "label")
        self.assertEqual(sorted(labels), sorted(name for name in counters if name.startswith("command_")))

    def test_E3_values_are_those_of_the_daemon(self) -> None:
        directory = self.temporary_directory()
        daemon = self.daemon(listen=[LOOPBACK, f"unix://{directory}/lockd.sock"])
        holder, waiter = self.connect(daemon), self.connect(daemon)
        holder.send("g a\ng b\nsg c\n")
        for _ in range(3):
            holder.line()
        waiter.send("gw 600000 a\n")
        eventually(lambda: all_counters(holder)["oldest_waiter_ms"] > 0, 20, "it waits")
        for uri in daemon.uris:
            server = {"server": uri}
            self.assertEqual(self.run_plugin("locks", "", server),
                             "locks.value 2\nshared_locks.value 1\nholders.value 3\n")
            self.assertEqual(self.run_plugin("waiters", "fetch", server), "waiters.value 1\nlongest_line.value 1\n")
            oldest = fields_of(self.run_plugin("oldest", "", server).splitlines(), "value")["oldest_waiter"]
            self.assertLessEqual(float(oldest), all_counters(holder)["oldest_waiter_ms"] / 1000)
            self.assertIn("grants.value 3\n", self.run_plugin("acquires", "", server))

    def test_limits(self) -> None:
        config = self.run_plugin("oldest", "config", {"oldest_waiter_warning": "600", "oldest_waiter_critical": "1:"})
        self.assertIn("\noldest_waiter.warning 600\n", config)
        self.assertIn("\noldest_waiter.critical 1:\n", config)
        self.assertNotIn("warning", self.run_plugin("oldest", "config"))

    def test_autoconf(self) -> None:
        daemon = self.daemon()
        server = {"server": daemon.uris[0]}
        self.assertEqual(self.run_plugin("", "autoconf", server), "yes\n")
        daemon.stop()
        self.assertEqual(self.run_plugin("", "autoconf", server), f"no ({daemon.uris[0]}: Connection refused)\n")

    def check_unknown(self, graph: str, server: str, reason: str) -> None:
        """A graph that has no values, as Munin knows it: U for each, and one line for the node's log says why."""
        finished = self.start_plugin(graph, "", {"server": server})
        self.assertEqual(finished.returncode, 0, finished)
        labels = fields_of(self.run_plugin(graph, "config").splitlines(), "label")
        self.assertEqual(finished.stdout.splitlines(), [f"{name}.value U" for name in labels])
        self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)
        self.assertTrue(finished.stderr.startswith(f"lockd_: {server}: "), finished.stderr)
        self.assertIn(reason, finished.stderr)

    def test_S4_a_full_server(self) -> None:
        daemon = self.daemon("--max-connections", "1")
        self.connect(daemon).expect("ping", "1 pong")
        reason = "it is full: as many clients are connected as its --max-connections allows"
        self.check_unknown("connections", daemon.uris[0], reason)
        self.assertEqual(self.run_plugin("", "autoconf", {"server": daemon.uris[0]}),
                         f"no ({daemon.uris[0]}: {reason})\n")

    def test_a_server_that_does_not_answer(self) -> None:
        daemon = self.daemon("--http", LOOPBACK, listeners=2)
        for graph in self.graphs():
            self.check_unknown(graph, "unix:///nowhere/lockd.sock", "No such file or directory")
        self.check_unknown("locks", daemon.uris[1].replace("http:", "tcp:"), "that is no lockd")
        daemon.stop()
        self.check_unknown("locks", daemon.uris[0], "Connection refused")

    def test_values_come_with_the_configuration_where_munin_takes_them_there(self) -> None:
        both = {"server": self.daemon().uris[0], "MUNIN_CAP_DIRTYCONFIG": "1"}
        alone = self.run_plugin("locks", "config")
        self.assertEqual(self.run_plugin("locks", "config", both), alone + self.run_plugin("locks", "", both))
        self.assertEqual(self.run_plugin("locks", "config", both | {"MUNIN_CAP_DIRTYCONFIG": "0"}), alone)

    def test_what_goes_wrong_is_said_in_one_line(self) -> None:
        uri = self.daemon().uris[0]
        for graph, command, server, names in (
            ("locks", "", "lockd", "env.server is to be tcp://HOST:PORT or unix:///PATH"),
            ("locks", "", "tcp://127.0.0.1:x", "env.server is to be"),
            ("locks", "nonsense", uri, "expected config, fetch, autoconf or suggest"),
            ("", "", uri, "link me as lockd_NAME"),
        ):
            finished = self.start_plugin(graph, command, {"server": server})
            self.assertEqual((finished.returncode, finished.stdout), (1, ""), finished)
            self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)
            self.assertIn(names, finished.stderr)


class MuninRun(MuninTestCase):
    def setUp(self) -> None:
        super().setUp()
        if shutil.which("munin-run", path="/usr/sbin:/usr/bin") is None:
            self.skipTest("no munin-run here (Debian's package munin-node)")

    def munin_run(self, daemon: Daemon, graph: str, command: str) -> list[str]:
        """With a configuration of its own. As root it stays root: another user could not reach the test's files."""
        folder = self.temporary_directory()
        (folder / "node.conf").write_text("host_name test\n")
        (folder / "plugins").mkdir()
        user = "user root\n" if os.getuid() == 0 else ""
        (folder / "plugins" / "lockd").write_text(f"[lockd_*]\n{user}env.server {daemon.uris[0]}\n")
        finished = subprocess.run(
            ["munin-run", "--ignore-systemd-properties", "--config", str(folder / "node.conf"),
             "--servicedir", str(self.plugins), "--sconfdir", str(folder / "plugins"), f"lockd_{graph}", command],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, capture_output=True, text=True, timeout=60, check=False,
        )
        self.assertEqual((finished.returncode, finished.stderr), (0, ""), f"{graph} {command}: {finished}")
        return finished.stdout.splitlines()

    def test_E3_under_munin_run(self) -> None:
        daemon = self.daemon()
        client = self.connect(daemon)
        client.expect("g a", "1 Lock Get Success: a")
        for graph in self.graphs():
            labels = fields_of(self.munin_run(daemon, graph, "config"), "label")
            values = fields_of(self.munin_run(daemon, graph, "fetch"), "value")
            self.assertEqual(list(labels), list(values), graph)
        self.assertEqual(self.munin_run(daemon, "locks", "fetch")[0], "locks.value 1")
        self.assertEqual(self.munin_run(daemon, "locks", "autoconf"), ["yes"])
        self.assertEqual(sorted(self.munin_run(daemon, "locks", "suggest")), self.graphs())
