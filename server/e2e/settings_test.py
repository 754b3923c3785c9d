"""Flags, environment and config file: that each works, which goes first, and what a mistake in one of them says."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from client import Client
from daemon import LOOPBACK, DaemonTestCase, run_to_exit

FLAGS = """--config --listen --http --threads --classic --no-dump --no-registry --max-connections --max-line-bytes
    --max-input-bytes --max-output-bytes --max-locks --max-waiters --peer-timeout --state-dir --unix-mode --pidfile
    --log-level --version --help""".split()
NUMBERS = """--threads --max-connections --max-line-bytes --max-input-bytes --max-output-bytes --max-locks --max-waiters
    --peer-timeout""".split()


def max_locks(client: Client) -> int:
    """How many locks it may hold (S5), out of ten."""
    replies = [client.ask(f"g {number}") for number in range(10)]
    return sum(reply.startswith(b"1 Lock Get Success") for reply in replies)


class Settings(DaemonTestCase):
    def config(self, *lines: str) -> Path:
        path = self.temporary_directory() / "lockd.conf"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def test_E4_version(self) -> None:
        finished = run_to_exit("--version")
        self.assertEqual((finished.returncode, finished.stderr), (0, ""))
        self.assertRegex(finished.stdout, r"^lockd \d+\.\d+\.\d+\n$")
        self.assertEqual(self.connect(self.daemon()).ask("version").decode() + "\n", f"1 {finished.stdout}")

    def test_E4_help_names_every_flag(self) -> None:
        finished = run_to_exit("--help")
        self.assertEqual((finished.returncode, finished.stderr), (0, ""))
        self.assertEqual([flag for flag in FLAGS if not re.search(rf"{flag}\b(?!-)", finished.stdout)], [])

    def test_S5_flags_go_before_environment_and_that_before_the_file(self) -> None:
        path = str(self.config("max-locks = 1"))
        in_file = self.daemon("--config", path)
        self.assertEqual(max_locks(self.connect(in_file)), 1)
        in_environment = self.daemon("--config", path, environment={"LOCKD_MAX_LOCKS": "2"})
        self.assertEqual(max_locks(self.connect(in_environment)), 2)
        in_flags = self.daemon("--config", path, "--max-locks", "3", environment={"LOCKD_MAX_LOCKS": "2"})
        self.assertEqual(max_locks(self.connect(in_flags)), 3)
        by_default = self.daemon()
        self.assertEqual(max_locks(self.connect(by_default)), 10)

    def test_S4_every_key_of_a_file(self) -> None:
        directory = self.temporary_directory()
        path = self.config(
            "# comments are allowed",
            f'listen = ["{LOOPBACK}", "unix://{directory}/lockd.sock"]',
            "threads = 2",
            "classic = true",
            "no-dump = true",
            "no-registry = true",
            "max-connections = 2",
            "max-line-bytes = 100",
            "max-output-bytes = 65536",
            "max-locks = 4",
            "peer-timeout = 60",
            'unix-mode = "0600"',
            f'pidfile = "{directory}/lockd.pid"',
            'log-level = "error"',
        )
        daemon = self.daemon("--config", str(path), listen=[], listeners=2)
        self.assertEqual(daemon.uris[1], f"unix://{directory}/lockd.sock")
        self.assertEqual((directory / "lockd.sock").stat().st_mode & 0o777, 0o600)
        self.assertEqual((directory / "lockd.pid").read_text(), f"{daemon.pid}\n")
        self.check_all_set(self.connect(daemon), self.connect(daemon, listener=1))
        self.connect(daemon).expect_lines("0 Too Many Connections")
        self.assertEqual(daemon.stderr(), "")

    def check_all_set(self, client: Client, by_unix: Client) -> None:
        client.send("nonsense\n")  # --classic: silence
        client.expect("d", "0 disabled")
        client.expect("iam x", "0 disabled")
        client.expect("x" * 101, "0 Line Too Long: limit 100 bytes")
        self.assertEqual(max_locks(client), 4)
        by_unix.expect("g 0", "0 Lock Get Failure: 0")

    def test_S4_every_variable_of_the_environment(self) -> None:
        directory = self.temporary_directory()
        environment = {
            "LOCKD_LISTEN": f"{LOOPBACK},unix://{directory}/lockd.sock",
            "LOCKD_THREADS": "2",
            "LOCKD_CLASSIC": "true",
            "LOCKD_NO_DUMP": "true",
            "LOCKD_NO_REGISTRY": "true",
            "LOCKD_MAX_CONNECTIONS": "2",
            "LOCKD_MAX_LINE_BYTES": "100",
            "LOCKD_MAX_OUTPUT_BYTES": "65536",
            "LOCKD_MAX_LOCKS": "4",
            "LOCKD_PEER_TIMEOUT": "60",
            "LOCKD_UNIX_MODE": "0600",
            "LOCKD_PIDFILE": f"{directory}/lockd.pid",
            "LOCKD_LOG_LEVEL": "error",
        }
        daemon = self.daemon(listen=[], listeners=2, environment=environment)
        self.assertEqual((directory / "lockd.sock").stat().st_mode & 0o777, 0o600)
        self.assertEqual((directory / "lockd.pid").read_text(), f"{daemon.pid}\n")
        self.check_all_set(self.connect(daemon), self.connect(daemon, listener=1))
        self.connect(daemon).expect_lines("0 Too Many Connections")
        self.assertEqual(daemon.stderr(), "")

    def test_variables_that_set_nothing_are_warned_of(self) -> None:
        of_others = {"LOCKD_KEY": "k", "LOCKD_MODE": "shared", "LOCKD_SERVER": "tcp://a:1", "LOCKD_TOKEN": "7"}
        daemon = self.daemon(environment={"LOCKD_LISTN": LOOPBACK} | of_others)
        warnings = [line for line in daemon.stderr().splitlines() if " warning: " in line]
        self.assertEqual([line.partition(" warning: ")[2] for line in warnings],
                         ["LOCKD_LISTN sets nothing: did you mean LOCKD_LISTEN?"])

    def test_F8_a_switch_can_be_off_in_file_and_environment(self) -> None:
        path = self.config("classic = false")
        client = self.connect(self.daemon("--config", str(path), environment={"LOCKD_NO_DUMP": "false"}))
        client.expect("nonsense", "0 Unknown Command: nonsense")
        client.expect("dump", "{}")


class UsageErrors(DaemonTestCase):
    """One line that says what and where, and exit code 2. Nothing is started."""

    def check_refused(self, *flags: str, names: str, environment: Mapping[str, str] | None = None) -> None:
        with self.subTest(flags=flags, environment=environment):
            finished = run_to_exit(*flags, environment=environment)
            self.assertEqual((finished.returncode, finished.stdout), (2, ""), finished.stderr)
            self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)
            self.assertIn(names, finished.stderr + finished.stderr.replace("_", "-").lower())

    def test_S5_F9_values_out_of_range_or_no_numbers(self) -> None:
        for flag in NUMBERS:
            for value in "0", "-1", "x", "", "1x", "99999999999999999999":
                self.check_refused("--listen", LOOPBACK, f"{flag}={value}", names=flag)
        for value in "999", "x", "10000", "-1":
            self.check_refused("--listen", LOOPBACK, f"--unix-mode={value}", names="--unix-mode")
        self.check_refused("--listen", LOOPBACK, "--log-level", "loud", names="--log-level")

    def test_S4_addresses_that_are_none(self) -> None:
        for uri in "127.0.0.1:9999", "udp://127.0.0.1:0", "tcp://127.0.0.1:65536", "tcp://127.0.0.1:x", "unix://", "":
            self.check_refused(f"--listen={uri}", names=uri or "--listen")

    def test_S4_a_port_that_needs_a_right(self) -> None:
        if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 1:
            self.skipTest("any port is everybody's here")
        without_right = ["setpriv", "--inh-caps=-net_bind_service", "--bounding-set=-net_bind_service"]
        wrapper = without_right if os.geteuid() == 0 else []
        for flag in "--listen", "--http":
            finished = run_to_exit(flag, "tcp://127.0.0.1:1", wrapper=wrapper)
            self.assertEqual(finished.returncode, 1, finished.stderr)
            self.assertIn("Permission denied: a port below 1024 needs CAP_NET_BIND_SERVICE", finished.stderr)
            self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)

    def test_S4_socket_paths_that_name_no_file(self) -> None:
        """Refused before anything is made: no lock file is left behind."""
        directory = self.temporary_directory()
        (directory / "there").mkdir()
        paths = [Path("/.lock"), directory / ".lock", directory / "there.lock", directory / "there" / ".lock"]
        found = [path for path in paths if path.exists()]
        for uri in "unix:///", f"unix://{directory}/", f"unix://{directory}/there/", f"unix://{directory}/missing/":
            self.check_refused(f"--listen={uri}", names=uri)
            self.check_refused(environment={"LOCKD_LISTEN": uri}, names=uri)
        left = [path for path in paths if path.exists() and path not in found]
        for path in left:
            path.unlink()
        self.assertEqual(left, [])

    def test_S4_unknown_flags_and_stray_words(self) -> None:
        self.check_refused("--nonsense", names="--nonsense")
        self.check_refused("--listen", LOOPBACK, "stray", names="stray")
        self.check_refused("--listen", names="--listen")

    def test_what_steers_a_terminal_is_escaped(self) -> None:
        """In what it says before it runs, and in its log."""
        self.check_refused("--frob\x1b[31m\n", names="--frob\\x1B[31m\\x0A")
        finished = run_to_exit("--listen", LOOPBACK, "--pidfile", "/missing/a\nb", environment={"LOCKD_\x1b": ""})
        self.assertEqual(finished.returncode, 1, finished.stderr)
        self.assertNotIn("\x1b", finished.stderr)
        self.assertIn("LOCKD_\\x1B sets nothing", finished.stderr)
        self.assertRegex(finished.stderr, r"(?m)^lockd: --pidfile /missing/a\\x0Ab: .*$")

    def test_S4_mistakes_in_a_file(self) -> None:
        directory = self.temporary_directory()
        self.check_refused("--config", str(directory / "missing"), names=str(directory / "missing"))
        self.check_refused("--config", str(directory), names=str(directory))
        for text, names in (
            ("nonsense = 1\n", "nonsense"),
            ("threads = x\n", "threads"),
            ("max-locks = 0\n", "max-locks"),
            ('listen = ["udp://127.0.0.1:0"]\n', "udp://127.0.0.1:0"),
            ("=5\n", "lockd.conf"),
            ("threads = 2\n = 5\n", "lockd.conf"),
        ):
            path = directory / "lockd.conf"
            path.write_text(text)
            self.check_refused("--config", str(path), names=names)

    def test_S4_mistakes_in_the_environment(self) -> None:
        for name, value in (("THREADS", "x"), ("MAX_LOCKS", "0"), ("LISTEN", "udp://x:0"), ("LOG_LEVEL", "loud")):
            environment = {"LOCKD_LISTEN": LOOPBACK, f"LOCKD_{name}": value}
            self.check_refused(names=name.replace("_", "-").lower(), environment=environment)
