"""What lockctl prints for scripts, plain and as JSON."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

from daemon import eventually
from lockctl import LockctlTestCase

NOT_UTF_8 = b"caf\xe9"


class Plain(LockctlTestCase):
    def test_inspect(self) -> None:
        self.hold("k")
        self.hold("k", "sg")
        self.hold("k", "sg")
        counts = "exclusive_holders: 1\nexclusive_waiters: 0\nshared_holders: 2\nshared_waiters: 0\n"
        self.expect_output("inspect", "k", stdout=counts)
        self.expect_output("inspect", "-x", "k", stdout="exclusive_holders: 1\nexclusive_waiters: 0\n")
        self.expect_output("inspect", "-s", "k", stdout="shared_holders: 2\nshared_waiters: 0\n")
        self.expect_output("inspect", "-x", "free", stdout="exclusive_holders: 0\nexclusive_waiters: 0\n", status=1)

    def test_inspect_counts_the_line(self) -> None:
        self.hold("k")
        self.start("run", "k", "true")
        self.wait_for_line("k", 1)
        self.expect_output("inspect", "-x", "k", stdout="exclusive_holders: 1\nexclusive_waiters: 1\n")

    def test_list(self) -> None:
        holder = self.hold("a key")
        holder.expect("iam the worker", "1 ok")
        shared = self.hold("b", "sg")
        lines = sorted(self.lockctl("list").stdout.splitlines())
        self.assertRegex(lines[0], rf"^s held \d+ \d+ {re.escape(shared.address)} b$")
        self.assertRegex(lines[1], r"^x held \d+ \d+ the\\x20worker a key$")
        self.assertEqual(len(lines), 2)
        self.assertRegex(self.lockctl("list", "a").stdout, r"\Ax held \d+ \d+ the\\x20worker a key\n\Z")
        self.expect_output("list", "nothing begins so", stdout="")
        self.expect_output("list", "-k", stdout="a key\nb\n")

    def test_list_has_who_waits(self) -> None:
        self.hold("k")
        waiter = self.connect(self.server)
        waiter.send("gw 600000 k\n")
        self.wait_for_line("k", 1)
        lines = self.lockctl("list").stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"^x held \d+ \d+ \S+ k$")
        self.assertRegex(lines[1], rf"^x waiting \d+ 0 {re.escape(waiter.address)} k$")
        self.expect_output("list", "-k", stdout="k\n")

    def test_a_script_reads_keys_as_they_are(self) -> None:
        keys = [NOT_UTF_8, b"\x1b[31m", b"$(touch x)", b"a\x01b"]
        client = self.connect(self.server)
        for key in keys:
            client.expect(b"g " + key, b"1 Lock Get Success: " + key)
        printed = os.fsencode(self.lockctl("list", "--keys").stdout)
        self.assertEqual(printed.splitlines(), sorted(keys))

    def test_who(self) -> None:
        client = self.connect(self.server)
        client.expect("iam worker one", "1 ok")
        self.expect_output("who", stdout=f"{client.address}: worker one\n")
        self.expect_output("who", "worker one", stdout=f"{client.address}: worker one\n")
        self.expect_output("who", "nobody", stdout="")

    def test_stats_ping_version(self) -> None:
        self.hold("k")
        printed = self.lockctl("stats").stdout.splitlines()
        self.assertIn("locks: 1", printed)
        self.assertEqual(printed, sorted(printed, key=lambda line: line.split(":")[0]))
        self.expect_output("ping", stdout="pong\n")
        self.assertRegex(self.lockctl("version").stdout, r"\Alockctl \d+\.\d+\.\d+\nlockd \d+\.\d+\.\d+\n\Z")


class Json(LockctlTestCase):
    def json(self, *arguments: str, status: int = 0) -> Any:
        finished = self.lockctl(*arguments, "--json")
        self.assertEqual((finished.stderr, finished.returncode), ("", status))
        self.assertEqual(finished.stdout.count("\n"), 1)
        return json.loads(finished.stdout)

    def test_inspect(self) -> None:
        self.hold("k")
        one, none = {"holders": 1, "waiters": 0}, {"holders": 0, "waiters": 0}
        self.assertEqual(self.json("inspect", "k"), {"key": "k", "exclusive": one, "shared": none})
        self.assertEqual(self.json("inspect", "-x", "k"), {"key": "k", "exclusive": one, "shared": None})
        self.assertEqual(self.json("inspect", "-s", "k", status=1), {"key": "k", "exclusive": None, "shared": none})

    def test_list(self) -> None:
        holder = self.hold('a "key" \\ \t é')
        self.start("run", 'a "key" \\ é', "true")
        self.wait_for_line('a "key" \\ é', 1)
        held, waiting = self.json("list")
        self.assertGreaterEqual(held.pop("age_ms"), 0)
        self.assertGreater(held.pop("token"), 0)
        self.assertEqual(held, {"mode": "exclusive", "state": "held", "holder": holder.address, "key": 'a "key" \\ é'})
        self.assertEqual((waiting["state"], waiting["token"]), ("waiting", None))
        self.assertEqual(self.json("list", "-k"), [{"key": 'a "key" \\ é'}])

    def test_keys_that_are_not_utf_8_lose_nothing(self) -> None:
        client = self.connect(self.server)
        client.expect(b"g " + NOT_UTF_8, b"1 Lock Get Success: " + NOT_UTF_8)
        client.expect(b"iam \xff\x01", b"1 ok")
        (held,) = self.json("list")
        self.assertEqual((held["key"], base64.b64decode(held["key_base64"])), ("caf\\xE9", NOT_UTF_8))
        self.assertEqual((held["holder"], base64.b64decode(held["holder_base64"])), ("\\xFF\x01", b"\xff\x01"))
        self.assertEqual(self.json("list", "-k"), [{"key": "caf\\xE9", "key_base64": held["key_base64"]}])
        self.assertEqual(self.json("who")[0]["name_base64"], held["holder_base64"])
        self.assertEqual(self.json("inspect", os.fsdecode(NOT_UTF_8))["key_base64"], held["key_base64"])

    def test_the_others(self) -> None:
        self.hold("k")
        self.assertEqual(self.json("stats")["locks"], 1)
        self.assertEqual(self.json("who"), [])
        self.assertEqual(set(self.json("version")), {"lockctl", "lockd"})
        pong = self.json("ping")
        self.assertIs(pong["pong"], True)
        self.assertGreaterEqual(pong["microseconds"], 0)

    def test_bench(self) -> None:
        document = self.json("bench", "-d", "0.2", "-C", "2")
        self.assertEqual(len(document["shapes"]), 5)
        for shape in document["shapes"]:
            latencies = [shape["latency_us"][name] for name in ("p50", "p90", "p99", "p99_9", "max")]
            self.assertEqual(latencies, sorted(latencies))
            self.assertGreater(shape["requests"], 0)
        self.assertEqual({shape["connections"] for shape in document["shapes"]}, {1, 2})
        self.expect_output("list", "lockctl-bench", stdout="")  # it has cleaned up


def has_taken_its_signals(pid: int) -> bool:
    return re.search(r"^ShdPnd:\s0+$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE) is not None


class Get(LockctlTestCase):
    def test_it_holds_until_its_input_ends(self) -> None:
        running = self.start("get", "k", stdin=subprocess.PIPE)
        token = running.line()
        self.observer.send("list\n")
        self.assertEqual(self.observer.line().split()[3].decode(), token)
        self.observer.expect_lines("END")
        assert running.process.stdin is not None
        running.process.stdin.write(b"this is not read by anybody\n")
        running.process.stdin.flush()
        self.expect_output("get", "-n", "k", stdout="", status=1)
        self.expect_output("get", "-w", "0.01", "-E", "5", "k", stdout="", status=5)
        running.process.stdin.close()
        running.process.stdin = None
        self.assertEqual(running.wait(), 0)
        self.observer.expect("i k", "0 Lock Not Locked: k")

    def test_a_signal_gives_it_back(self) -> None:
        running = self.start("get", "-s", "--json", "k", stdin=subprocess.PIPE)
        held = json.loads(running.line())
        self.assertEqual((held["key"], held["mode"], held["holders"]), ("k", "shared", 1))
        running.signal(signal.SIGTERM)
        self.assertEqual(running.wait(), 128 + signal.SIGTERM)
        self.observer.expect("si k", "0 Shared Lock Not Locked: k")
        self.assertEqual(self.observer.counters()["shared_orphans"], 0)

    def test_a_place_among_so_many_is_waited_for(self) -> None:
        holder = self.hold("k", "sg")
        self.expect_output("get", "-s", "--max", "1", "-n", "k", stdout="", status=1)
        self.expect_output("get", "-s", "--max", "1", "-w", "0.01", "k", stdout="", status=1)
        running = self.start("get", "-s", "--max", "1", "k")
        self.wait_for_line("k", 1, "siw")
        holder.close()
        self.assertGreater(int(running.line()), 0)
        self.assertEqual(running.wait(), 0)

    def test_signals_that_end_nothing_do_not(self) -> None:
        """TSTP where the caller has it blocked."""
        running = self.start("get", "k", stdin=subprocess.PIPE,
                             preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP}))
        running.line()
        for number in signal.SIGWINCH, signal.SIGCONT, signal.SIGCHLD, signal.SIGTSTP:
            running.signal(number)
            eventually(lambda: has_taken_its_signals(running.process.pid), 20, f"{number} is taken")
        self.observer.expect("i k", "1 Lock Is Locked: k")
        assert running.process.stdin is not None
        running.process.stdin.close()
        running.process.stdin = None
        self.assertEqual(running.wait(), 0)

    def test_a_lost_lock(self) -> None:
        running = self.start("get", "k", stdin=subprocess.PIPE)
        running.line()
        self.server.kill()
        self.assertEqual(running.wait(), 70)
        self.assertRegex(running.stderr(), r"\Alockctl: the lock was lost[^\n]*\n\Z")

    def test_without_input_it_is_given_back_at_once(self) -> None:
        self.assertEqual(self.lockctl("get", "k").returncode, 0)
        self.assertEqual(self.lockctl("get", "k", stdin=None, preexec_fn=lambda: os.close(0)).returncode, 0)
        eventually(lambda: self.observer.counters()["connections"] == 1, 20, "both have gone")


class UnixSocket(LockctlTestCase):
    """The one way to a server that listens to no network."""

    def setUp(self) -> None:
        self.server = self.daemon(listen=[f"unix://{self.temporary_directory()}/lockd.sock"])
        self.observer = self.connect(self.server)

    def test_queries_and_locks(self) -> None:
        self.expect_output("ping", stdout="pong\n")
        self.expect_output("run", "k", "echo", "ran", stdout="ran\n")
        self.hold("k")
        self.expect_output("run", "-n", "k", "echo", "ran", stdout="", status=1)
        self.expect_output("inspect", "-x", "k", stdout="exclusive_holders: 1\nexclusive_waiters: 0\n")

    def test_a_signal_in_line_leaves_the_line(self) -> None:
        """Who waits for a reply is not deaf to anything else."""
        self.hold("k")
        running = self.start("run", "k", "echo", "ran")
        self.wait_for_line("k", 1)
        running.signal(signal.SIGTERM)
        self.assertEqual(running.wait(), 128 + signal.SIGTERM)
        self.wait_for_line("k", 0)

    def test_a_lost_lock(self) -> None:
        running = self.start("get", "k", stdin=subprocess.PIPE)
        running.line()
        self.server.kill()
        self.assertEqual(running.wait(), 70)
        self.assertRegex(running.stderr(), r"\Alockctl: the lock was lost[^\n]*\n\Z")


class TextOfTop(LockctlTestCase):
    def test_lines_of_numbers(self) -> None:
        self.hold("k")
        finished = self.lockctl("top", "-i", "0.1", "--count", "2")
        self.assertEqual((finished.returncode, finished.stderr), (0, ""))
        heading, *lines = [line.split() for line in finished.stdout.splitlines()]
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertEqual(len(line), len(heading))
            numbers = dict(zip(heading, map(float, line), strict=True))
            self.assertEqual((numbers["exclusive"], numbers["holders"], numbers["connections"]), (1, 1, 3))
            self.assertGreater(numbers["requests/s"], 0)

    def test_it_ends_with_its_reader(self) -> None:
        running = self.start("top", "-i", "0.1", restore_signals=True)
        running.line()
        assert running.process.stdout is not None
        running.process.stdout.close()
        running.process.stdout = None
        self.assertIn(running.wait(), (128 + signal.SIGPIPE, -signal.SIGPIPE))
        self.assertEqual(running.stderr(), "")
