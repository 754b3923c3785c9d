"""What ci/bench measures with, against servers that run: the replies are right, and what is counted is what happened.
Never a word on speed."""

import os
import shutil
import sys
import unittest
from contextlib import redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
import costs
import memory
import parts
import servers
import sharing
import threads
import watching
from crowd import Crowd, key_of
from figures import Outcome
from measuring import Bench, Plan, Progress
from parts import counters
from servers import KINDS, Failed, Server, program


def is_installed(name: str) -> bool:
    try:
        return bool(program(name))
    except Failed:
        return False


class Live(unittest.TestCase):
    def setUp(self) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self.bench = Bench(Plan(1, 0.05, cores[0], cores[-1], quick=True), Progress({"test": 1}))
        quiet = redirect_stderr(StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)

    def start(self, kind: str) -> Server:
        context = self.bench.server(kind)
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def test_every_get_of_waiting_pairs_is_a_wait(self) -> None:
        lockd = self.start("lockd")
        figures = self.bench.load(lockd, workload="waits", connections=10)
        lockd.wait_until_quiet()
        now = counters(lockd)
        self.assertGreater(figures["requests"], 0)
        self.assertTrue(0 < figures["load_waited"] < 1, figures)
        self.assertTrue(0 <= figures["server_stolen"] <= 1, figures)
        self.assertGreaterEqual(now["waits"], now["command_gw"] - 15)  # each pair's first ones may find the key free
        self.assertGreater(now["command_gw"], 100)
        self.assertGreaterEqual(now["command_gw"] + now["command_r"], figures["requests_total"])

    def test_what_a_load_opens_with_is_over_when_it_is_measured(self) -> None:
        lockd = self.start("lockd")
        figures = self.bench.load(lockd, workload="inspect", connections=10, keys=10_000)
        now = counters(lockd)
        self.assertEqual(now["command_g"], 100_000)
        self.assertLessEqual(figures["requests"], now["command_i"])

    def test_own_keys_are_released_only_by_those_who_took_them(self) -> None:
        lockd = self.start("lockd")
        for workload in ("own", "hoard"):
            self.bench.load(lockd, workload=workload, connections=10, keys=10_000)
        lockd.wait_until_quiet()
        now = counters(lockd)
        self.assertEqual(now["command_g"] - now["command_r"], now["orphans"])

    def test_all_requests_are_counted(self) -> None:
        lockd = self.start("lockd")
        total = self.bench.load(lockd, depth=16, connections=5)["requests_total"]
        lockd.wait_until_quiet()
        now = counters(lockd)
        self.assertGreaterEqual(now["command_g"] + now["command_r"], total)
        self.assertLessEqual(now["command_g"] + now["command_r"], total + 5 * 16)  # those in flight at the end

    def test_each_server_answers_as_it_should_round_after_round(self) -> None:
        for kind in KINDS:
            name = {"redis": "redis-server"}.get(kind, kind)
            if name not in ("lockd", "floor") and not is_installed(name):
                continue  # the gate does not install the peers
            server = self.start(kind)
            for depth in (1, 3, 16, 1):
                self.assertGreater(self.bench.load(server, depth=depth, connections=7)["requests"], 0)
            if kind != "floor":
                self.assertGreater(self.bench.load(server, workload="inspect", connections=7)["requests"], 0)
                self.assertGreater(self.bench.load(server, workload="hot", connections=7)["requests"], 0)

    def test_a_round_asks_for_none_of_the_keys_that_the_one_before_may_hold(self) -> None:
        lockd = self.start("lockd")
        commands = [self.bench.load_command(lockd) for _ in range(3)]
        first, second, third = (command[command.index("--first") + 1] for command in commands)
        self.assertNotEqual(first, second)
        self.assertEqual(first, third)
        self.assertNotIn("--first", self.bench.load_command(lockd, hostile_keys=True))

    def test_without_a_peer_the_others_are_measured(self) -> None:
        with mock.patch.object(servers, "program", side_effect=Failed("there is no such program")):
            self.assertEqual(self.bench.kinds_here(("lockd", "memcached", "redis")), ["lockd"])
            self.assertEqual(self.bench.left_out, ["memcached: there is no such program",
                                                   "redis: there is no such program"])
            with self.assertRaises(Failed):
                self.bench.kinds_here(("floor",))

    @unittest.skipUnless(shutil.which("perf"), "no perf")
    def test_a_profile_tells_the_kernel_from_lockd(self) -> None:
        try:
            figures = list(costs.profile_of(self.bench, 16))
        except Failed as failure:
            self.skipTest(str(failure))  # sampling is not allowed everywhere
        shares = {figure.name.split(": ")[1]: figure.estimate.value for figure in figures}
        self.assertGreater(shares["kernel"], 0)
        self.assertGreater(shares["lockd"], 0)

    def test_a_crowd_holds_what_it_takes_until_it_leaves(self) -> None:
        lockd = self.start("lockd")
        with Crowd(lockd) as crowd:
            crowd.connect(3)
            crowd.take(map(key_of, range(1_234)))
            self.assertEqual(counters(lockd)["locks"], 1_234)
            crowd.release(map(key_of, range(1_234)))
            self.assertEqual(counters(lockd)["locks"], 0)
            crowd.take(map(key_of, range(1_000)))
        lockd.wait_until_quiet()
        self.assertEqual((counters(lockd)["locks"], counters(lockd)["orphans"]), (0, 1_000))
        with Crowd(lockd) as crowd, self.assertRaisesRegex(Failed, "was expected"):
            crowd.connect(1)
            crowd.release([key_of(1)])

    def test_the_end_of_a_session_comes_in_the_midst_of_the_round(self) -> None:
        lockd = self.start("lockd")
        figures = parts.one_end(Bench(replace(self.bench.plan, seconds=1), self.bench.progress), lockd, 1_000)
        now = counters(lockd)
        self.assertGreaterEqual(now["orphans"], 1_000)
        self.assertGreater(now["command_g"], 1_000 + figures["requests"] / 2 - 1)

    def test_an_end_that_comes_after_the_round_is_no_figure(self) -> None:
        lockd = self.start("lockd")
        for holds in (lambda: False, lambda: load.wait() == 0):
            load = self.bench.start_load(lockd, connections=1)
            with self.assertRaisesRegex(Failed, "over before"):
                parts.wait_until(load, holds)

    @unittest.skipUnless(shutil.which("strace"), "no strace")
    def test_system_calls_of_the_floor_are_one_read_and_one_write_a_batch(self) -> None:
        figures = costs.system_calls_of(self.bench, "floor", "1 in flight", depth=1)
        if not figures:
            self.skipTest(self.bench.left_out[0])  # tracing is not allowed everywhere
        self.assertRegex(figures[0].note, r"recvfrom (1\.0|0\.99)")
        self.assertRegex(figures[0].note, r"sendto (1\.0|0\.99)")

    @unittest.skipUnless(shutil.which("strace"), "no strace")
    def test_a_hand_over_is_one_read_and_two_writes(self) -> None:
        """For a release and a wait: 1.5 system calls a request."""
        figures = costs.system_calls_of(self.bench, "lockd", "waiting pairs", workload="waits")
        if not figures:
            self.skipTest(self.bench.left_out[0])
        self.assertRegex(figures[0].note, r"recvfrom 0\.50")
        self.assertRegex(figures[0].note, r"sendto (1\.0|0\.99)")

    def test_nobody_may_watch_and_the_rest_is_measured(self) -> None:
        with mock.patch.object(watching, "program", side_effect=Failed("there is no such program")):
            for depth in (1, 16):
                self.assertEqual(costs.system_calls_of(self.bench, "floor", f"{depth} in flight", depth=depth), [])
        self.assertEqual(self.bench.left_out,
                         ["system calls: there is no such program; there is no such program"])

    @unittest.skipUnless(shutil.which("valgrind"), "no valgrind")
    def test_threads_that_ask_for_the_same_key_share_its_lines(self) -> None:
        with mock.patch.multiple(sharing, PAIRS_BEFORE=5, PAIRS=4, SETS=1, key_of=lambda _: "same"):
            figure = sharing.lines_between_threads(self.bench)
        self.assertGreater(figure.estimate.value, 2)  # the mutex at least, and what it guards
        self.assertRegex(figure.note, r"[a-z_]+ \d\.\d")

    @unittest.skipUnless(shutil.which("valgrind"), "no valgrind")
    def test_a_request_allocates_nothing_in_the_whole_server(self) -> None:
        for depth in (1, 100):
            self.assertLess(costs.allocations_of_more(self.bench, depth), costs.ALLOCATIONS_MAX)

    @unittest.skipUnless(shutil.which("valgrind"), "no valgrind")
    def test_what_is_allocated_for_connections_is_seen(self) -> None:
        few, many = (costs.allocations_of(self.bench, 0.1, connections=count)[0] for count in (5, 55))
        self.assertGreater(many, few + 50)

    def test_memory_of_a_million_locks_is_given_back(self) -> None:
        for figure in memory.of_locks(Bench(replace(self.bench.plan, quick=False), self.bench.progress),
                                      self.start("lockd"), has_target=True):
            self.assertEqual(figure.outcome, Outcome.MET, figure)

    def test_memory_of_a_connection_is_seen(self) -> None:
        lockd = self.start("lockd")
        before = lockd.resident_bytes()
        with Crowd(lockd) as crowd:
            crowd.connect(500)
            self.assertGreater(lockd.resident_bytes(), before + 500 * 100)


if __name__ == "__main__":
    unittest.main()
