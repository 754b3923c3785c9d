"""Tests of what ci/bench computes and reads, without a server."""

import random
import sys
import unittest
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
import costs
import peers
import servers
import sharing
import threads
import watching
from crowd import batches, hostile_keys
from figures import (
    Beside,
    Estimate,
    Figure,
    Outcome,
    Target,
    counted_pairs,
    interval_of_median,
    neighbours,
    ratio_of_clocks,
    ratio_of_pairs,
)
from measuring import Bench, Plan, Progress, check_cores, stolen_share, worked_and_all
from servers import Failed


def one_round(cpu: float, rate: float, busy: float = 1.0) -> dict:
    return {"cpu_ns_per_request": cpu, "requests_per_second": rate, "server_busy": busy}


def in_turn(**rounds: list[dict]) -> dict[str, list[dict]]:
    """Sweeps over these sides, in their order."""
    return {name: [each | {"sweep": sweep, "place": place} for sweep, each in enumerate(of_side)]
            for place, (name, of_side) in enumerate(rounds.items())}


def beside(ours: list[dict], theirs: list[dict]) -> Beside:
    return Beside(in_turn(ours=ours, theirs=theirs), "ours", "theirs")


class Interval(unittest.TestCase):
    def test_is_that_of_the_tables(self) -> None:
        """Ranks of the 95 % interval of a median, as tables of order statistics have them."""
        for count, rank in ((6, 1), (8, 1), (9, 2), (12, 3), (15, 4), (20, 6), (25, 8), (50, 18)):
            low, high = interval_of_median([float(value) for value in range(1, count + 1)])
            self.assertEqual((low, high), (rank, count + 1 - rank), count)

    def test_few_values_have_none(self) -> None:
        for count in range(1, 6):
            self.assertIsNone(interval_of_median([1.0] * count))

    def test_order_does_not_matter(self) -> None:
        values = [float(value) for value in range(15)]
        random.Random(1).shuffle(values)
        self.assertEqual(interval_of_median(values), (3, 11))

    def test_holds_the_median_as_often_as_it_says(self) -> None:
        draw = random.Random(7)
        intervals = (interval_of_median([draw.expovariate(1) for _ in range(15)]) for _ in range(2000))
        held = sum(low <= 0.6931 <= high for low, high in intervals)
        self.assertGreater(held / 2000, 0.94)  # always the same draws


class Ratios(unittest.TestCase):
    def test_more_is_better_on_both_scales(self) -> None:
        figure = ratio_of_pairs("x", beside([one_round(200, 40)] * 6, [one_round(100, 80)] * 6))
        self.assertEqual((figure.estimate.value, figure.throughput.value), (0.5, 0.5))

    def test_the_median_of_ratios_not_the_ratio_of_medians(self) -> None:
        ours = [one_round(cpu, 1) for cpu in (1, 2, 4)]
        theirs = [one_round(cpu, 1) for cpu in (4, 2, 4)]
        self.assertEqual(ratio_of_pairs("x", beside(ours, theirs)).estimate.value, 1)

    def test_a_pair_counts_only_while_both_are_busy(self) -> None:
        ours = [one_round(1, 1, 0.98)] * 6 + [one_round(4, 9, 0.97)] * 9
        figure = ratio_of_pairs("x", beside(ours, [one_round(1, 1)] * 15))
        self.assertEqual((figure.throughput.value, figure.throughput.count), (1, 6))
        self.assertEqual((figure.estimate.value, figure.estimate.count), (1, 6))
        self.assertEqual((figure.over_all.value, figure.over_all.count), (0.25, 15))

    def test_where_hardly_any_pair_counts_processor_time_is_of_all(self) -> None:
        theirs = [one_round(2, 1)] * 5 + [one_round(1, 1, 0.6)] * 10
        figure = ratio_of_pairs("x", beside([one_round(1, 1)] * 15, theirs))
        self.assertEqual((figure.throughput, figure.busy), (None, 0.6))
        self.assertEqual((figure.estimate.value, figure.estimate.count), (1, 15))


class Counts(unittest.TestCase):
    def counted(self, *rounds: tuple[float, float]) -> tuple[Figure, int]:
        """Each of how busy its server was and its calls a request; and how many were measured."""
        left = iter(rounds)
        found = costs.rounds_that_count(lambda: self.round_of(*next(left)), 3)
        return costs.figure_of_calls("x", found), len(rounds) - len(list(left))

    def round_of(self, busy: float, calls: float) -> dict:
        return {"server_busy": busy, "calls": {watching.TOTAL: calls, "read": calls / 2, "write": 0}}

    def test_are_the_median_of_three_rounds_in_which_the_server_was_busy(self) -> None:
        figure, measured = self.counted((1, 2.1), (0.9, 9), (0.98, 2.2), (0.5, 9), (1, 2), (1, 1))
        self.assertEqual((figure.estimate.value, figure.estimate.count, measured), (2.1, 3, 5))
        self.assertEqual(figure.note, "read 1.050, write 0.000")

    def test_say_so_where_it_was_not(self) -> None:
        figure, measured = self.counted(*[(0.5, calls) for calls in range(1, 11)])
        self.assertEqual((figure.estimate.value, figure.estimate.count, measured), (5, 9, 9))
        self.assertIn("; its core was 50% busy alone", figure.note)


class Walks(unittest.TestCase):
    def test_neighbours_are_of_the_same_sweep_and_side_by_side(self) -> None:
        def at(sweep: int, *places: int) -> list[dict]:
            return [{"sweep": sweep, "place": place} for place in places]

        rounds = {"a": at(0, 0, 3) + at(1, 2), "b": at(0, 1, 5) + at(1, 0), "c": at(0, 2) + at(1, 1)}
        self.assertEqual(neighbours(rounds, "a", "b"), [(rounds["a"][0], rounds["b"][0])])
        self.assertEqual(neighbours(rounds, "c", "b"), [(rounds["c"][0], rounds["b"][0]),
                                                        (rounds["c"][1], rounds["b"][2])])

    def test_each_ratio_is_of_neighbours(self) -> None:
        for walk in (peers.WALK, peers.WALK[::-1], peers.walk_of(peers.WALK, ("lockd", "floor", "redis"))):
            rounds = {kind: [{"sweep": 0, "place": place} for place, each in enumerate(walk) if each == kind]
                      for kind in walk}
            for ours, other in [("lockd", other) for other in rounds] + [("floor", "redis")]:
                if ours != other:
                    self.assertEqual(len(neighbours(rounds, ours, other)), 1, (walk, ours, other))

    def test_without_a_server_none_comes_twice_in_a_row(self) -> None:
        self.assertEqual(peers.walk_of(("a", "b", "a", "c"), ("a", "c")), ["a", "c"])


class Sweeps(unittest.TestCase):
    """alternate(), of sides that are made up."""

    def alternate(self, busy: list[float], sweeps_of_a_start: int = 1, judged: bool = True) -> dict[str, list[dict]]:
        """So busy is the server of the side `a` in each sweep; self.starts says how many had been when they began."""
        bench = Bench(Plan(3, 1, 0, 1), Progress({}))
        bench.progress.say = lambda _: None
        rounds_of_a = iter(busy)
        self.starts: list[int] = []
        self.ended = 0

        def start(stack: ExitStack) -> dict:
            self.starts.append(len(self.sequence) // 2)
            stack.callback(self.end)
            return {"a": lambda: self.measured("a", next(rounds_of_a)), "b": lambda: self.measured("b", 1)}

        self.sequence: list[str] = []
        return bench.alternate("x", ("a", "b"), start, [("a", "b")] if judged else (), sweeps_of_a_start)

    def end(self) -> None:
        self.ended += 1

    def measured(self, name: str, busy: float) -> dict:
        self.sequence.append(name)
        return one_round(1, 1, busy)

    def test_go_on_until_enough_pairs_count_and_keep_the_others(self) -> None:
        rounds = self.alternate([1, 0.5, 1, 0.97, 1, 1, 1])
        self.assertEqual(len(rounds["a"]), 5)
        self.assertEqual(len(counted_pairs(neighbours(rounds, "a", "b"))), 3)
        self.assertEqual("".join(self.sequence), "abbaabbaab")

    def test_do_not_go_on_for_ever(self) -> None:
        self.assertEqual(len(self.alternate([0] * 100)["a"]), 8)
        self.assertEqual(len(self.alternate([0] * 100, judged=False)["a"]), 3)

    def test_are_added_to_what_was_measured_earlier(self) -> None:
        bench = Bench(Plan(2, 1, 0, 1), Progress({}))
        bench.progress.say = lambda _: None
        def start(_: ExitStack) -> dict:
            return {name: lambda: one_round(1, 1) for name in ("a", "b")}

        bench.earlier = {"x": bench.alternate("x", ("a", "b"), start), "y": {"a": [], "b": []}}
        rounds = bench.alternate("x", ("a", "b"), start, [("a", "b")])
        self.assertEqual([each["sweep"] for each in rounds["a"]], [0, 1, 2, 3])
        self.assertEqual(len(neighbours(rounds, "a", "b")), 4)

    def test_start_their_servers_anew(self) -> None:
        self.alternate([1] * 3)
        self.assertEqual((self.starts, self.ended), ([0, 1, 2], 3))
        self.alternate([0] * 8, sweeps_of_a_start=3)
        self.assertEqual((self.starts, self.ended), ([0, 3, 6], 3))


class Verdicts(unittest.TestCase):
    def verdict(self, value: float, low: float | None, high: float | None, target: Target) -> str:
        return Figure("x", "ratio", Estimate(value, low, high, 15), target).verdict

    def test_of_each_kind(self) -> None:
        least = Target(0.8, aim=0.9)
        self.assertEqual(self.verdict(0.95, 0.94, 0.96, least), "met, and the aim")
        self.assertEqual(self.verdict(0.85, 0.81, 0.89, least), "met")
        self.assertEqual(self.verdict(0.85, 0.79, 0.89, least), "not shown: the interval holds it")
        self.assertEqual(self.verdict(0.76, 0.7, 0.9, least), "not shown: the interval holds it")
        self.assertEqual(self.verdict(0.76, 0.7, 0.79, least), "not met, by 5.0%")
        self.assertEqual(self.verdict(1.2, 1.1, 1.4, Target(1.3, at_least=False)), "not shown: the interval holds it")
        self.assertEqual(self.verdict(1.43, 1.4, 1.5, Target(1.3, at_least=False)), "not met, by 10.0%")

    def test_without_an_interval(self) -> None:
        self.assertEqual(self.verdict(0.85, None, None, Target(0.8)), "not shown: 15 rounds are too few")
        counted = Figure("x", "bytes", Estimate(91, None, None, 1), Target(90, at_least=False))
        self.assertEqual(counted.outcome, Outcome.NOT_MET)
        self.assertEqual(Figure("x", "ms", Estimate(91, 90, 92, 15)).verdict, "")

    def test_a_doubt_is_stronger_than_an_interval(self) -> None:
        figure = Figure("x", "ratio", Estimate(0.9, 0.89, 0.91, 15), Target(0.8), doubt="nobody was there")
        self.assertEqual((figure.outcome, figure.verdict), (Outcome.NOT_SHOWN, "not shown: nobody was there"))

    def test_a_clock_counts_only_while_both_are_busy(self) -> None:
        ours = [one_round(1, 1, 0.98) | {"p99_us": 2}] * 6 + [one_round(1, 1, 0.97) | {"p99_us": 9}] * 9
        theirs = [one_round(1, 1) | {"p99_us": 1}] * 15
        figure = ratio_of_clocks("x", "p99_us", beside(ours, theirs), Target(2.5, at_least=False))
        self.assertEqual((figure.outcome, figure.estimate.value, figure.estimate.count), (Outcome.MET, 2, 6))
        figure = ratio_of_clocks("x", "p99_us", beside(ours[1:], theirs[1:]), Target(10, at_least=False))
        self.assertEqual((figure.estimate.value, figure.estimate.count), (9, 14))
        self.assertEqual(figure.verdict, "not shown: in 5 of 14 pairs alone both servers kept their core busy")
        share = ratio_of_clocks("x", "p99_us", beside(ours, theirs), Target(0.8), parts=2)
        self.assertEqual((share.estimate.value, share.over_all.value), (1, 4.5))

    def test_a_figure_is_kept_whole(self) -> None:
        for figure in (Figure("x", "ms", Estimate(1, 0.5, 2, 15), Target(3, False, 1), Estimate(1, None, None, 2), 0.5,
                              "note", "doubt", Estimate(2, 1, 3, 20)),
                       Figure("y", "ratio", Estimate(1, None, None, 1))):
            self.assertEqual(Figure.from_json(figure.as_json()), figure)


class Peers(unittest.TestCase):
    def figures(self, setting: peers.Setting, **cpu_by_server: float) -> dict[str, Figure]:
        walk = peers.walk_of(peers.WALK, list(cpu_by_server))
        rounds = {name: [one_round(cpu, 1) | {"p99_us": cpu, "sweep": sweep, "place": place} for sweep in range(6)
                         for place, each in enumerate(walk) if each == name] for name, cpu in cpu_by_server.items()}
        return {figure.name.split(": ")[1]: figure for figure in peers.figures_of(setting, rounds)}

    def test_each_other_has_its_target_and_the_floor_none(self) -> None:
        found = self.figures(peers.SETTINGS[0], lockd=4, floor=2, memcached=8, redis=6)
        self.assertEqual({name: (figure.estimate.value, figure.target and figure.target.bound)
                          for name, figure in found.items()},
                         {"lockd against floor": (0.5, 0.93), "lockd against memcached": (2, 1.1),
                          "lockd against redis": (1.5, 1.25), "p99 of lockd by that of the floor": (2, 1.3),
                          "floor against memcached": (4, None), "floor against redis": (3, None)})

    def test_memcached_with_many_requests_at_once_has_no_target(self) -> None:
        rounds = in_turn(**{"lockd": [one_round(1, 1)] * 6, servers.MANY_AT_ONCE: [one_round(3, 1)] * 6,
                            "floor": [one_round(2, 1)] * 6})
        found = peers.beside_many_at_once(f"x, beside {servers.MANY_AT_ONCE}", rounds)
        self.assertEqual([(figure.name, figure.estimate.value, figure.target) for figure in found], [
            ("x: lockd against memcached -R 1000", 3, None), ("x: floor against memcached -R 1000", 1.5, None)])

    def test_p99_counts_with_one_request_in_flight_alone(self) -> None:
        self.assertEqual([any("p99" in name for name in self.figures(setting, lockd=1, floor=1))
                          for setting in peers.SETTINGS], [True, False, False, True])

    def test_without_a_peer_the_others_stand(self) -> None:
        self.assertEqual(list(self.figures(peers.SETTINGS[1], lockd=1, floor=1, redis=1)),
                         ["lockd against floor", "lockd against redis", "floor against redis"])


class Readers(unittest.TestCase):
    def test_calls_of_strace(self) -> None:
        table = ("% time     seconds  usecs/call     calls    errors syscall\n"
                 "------ ----------- ----------- --------- --------- ----------------\n"
                 " 50.00    0.001000           1      1000           sendto\n"
                 " 40.00    0.000900           1       900        12 recvfrom\n"
                 "------ ----------- ----------- --------- --------- ----------------\n"
                 "100.00    0.001900           1      1900        12 total\n")
        self.assertEqual(watching.calls_in(table), {"sendto": 1000, "recvfrom": 900, watching.TOTAL: 1900})

    def test_calls_of_perf(self) -> None:
        table = ("# started on Mon\n\n139514,,raw_syscalls:sys_enter,430392211,100.00,,\n"
                 "12,,syscalls:sys_enter_futex,430405481,100.00,,\n58572,,syscalls:sys_enter_recvfrom,43,100.00,,\n")
        self.assertEqual(watching.calls_in(table), {watching.TOTAL: 139514, "futex": 12, "recvfrom": 58572})

    def test_a_profile_of_perf(self) -> None:
        text = ("# Samples: 1K of event 'cpu-clock'\n# Overhead;Shared Object;Symbol\n"
                " 4.75% ;[kernel.kallsyms];[k] tcp_ack            ;-;-\n"
                " 1.15% ;lockd            ;[.] lockd::server::Session<std::mutex>::get\n")
        self.assertEqual(watching.rows_of_profile(text), [
            (4.75, "kernel", "tcp_ack"), (1.15, "lockd", "lockd::server::Session<std::mutex>::get")])
        with self.assertRaises(Failed):
            watching.rows_of_profile("# nothing\n")

    def test_instructions_of_callgrind(self) -> None:
        self.assertEqual(costs.collected("==1== Events    : Ir\n==1== Collected : 4257790\n"), 4257790)
        with self.assertRaises(Failed):
            costs.collected("==1== killed\n")

    def test_allocations_of_valgrind(self) -> None:
        self.assertEqual(costs.allocated("==1==   total heap usage: 1,136 allocs, 1,130 frees, 9 bytes\n"), 1136)
        with self.assertRaises(Failed):
            costs.allocated("==1== killed\n")

    def test_the_lock_table_is_compared_with_the_map_in_the_same_state(self) -> None:
        times = {"get_and_release_exclusive/1/0": 100, "plain_map_insert_and_erase/0": 50,
                 "get_and_release_exclusive/1/1": 300, "plain_map_insert_and_erase/1": 100,
                 "plain_map_hostile/0": 10, "plain_map_hostile/1": 500, "siphash_of_key": 14}
        found = costs.table_figures([{"name": name, "cpu_time": time, "run_type": "iteration"}
                                     for name, time in times.items()])
        ratios = {figure.name: figure.estimate.value for figure in found if figure.unit == "ratio"}
        self.assertEqual(list(ratios.values()), [2, 3, 50])
        self.assertEqual([(figure.name, figure.estimate.value) for figure in found if "hash of a key" in figure.name],
                         [("the hash of a key of 21 bytes, SipHash-1-3", 14)])


class Lines(unittest.TestCase):
    """Of caches."""

    def fetched(self, *accesses: str) -> dict[int, int]:
        """Each a thread's number and what lackey prints; instruction 10 accesses, after 8 that nobody counts."""
        caches = sharing.Caches()
        caches.is_on = True
        for number, access in enumerate(accesses):
            caches.is_counting = number >= 2
            thread, what = access.split(maxsplit=1)
            caches.read_trace([f"--77--   SCHED[{thread}]:  acquired lock (VG_(client_syscall)[async])\n",
                               f"I  {10 + number:08x},3\n", f" {what}\n", "==77== whatever\n"])
        return dict(caches.fetched)

    def test_what_all_read_is_fetched_once(self) -> None:
        self.assertEqual(self.fetched("1 L 1000,8", "1 L 1000,8", "2 L 1008,8", "1 L 1000,8", "2 L 1000,8"), {12: 1})

    def test_what_one_writes_is_fetched_by_the_other_each_time(self) -> None:
        self.assertEqual(self.fetched("1 S 1000,8", "2 L 1000,8", "1 S 1000,8", "1 M 1000,8", "2 L 103f,1",
                                      "1 M 1000,8"), {12: 1, 14: 1, 15: 1})

    def test_neighbours_share_a_line_and_one_access_may_have_two(self) -> None:
        self.assertEqual(self.fetched("1 S 1000,8", "1 S 1040,8", "2 S 103c,8", "1 L 1080,8"), {12: 2})
        self.assertEqual(self.fetched("1 S 1000,8", "1 S 1040,8", "2 S 1080,8", "1 L 1000,8"), {})


class Crowds(unittest.TestCase):
    def test_hostile_keys_are_those_of_the_load(self) -> None:
        keys = hostile_keys(800, 1024)
        self.assertEqual((len(set(keys)), {len(key) for key in keys}), (224, {21}))
        self.assertEqual(keys[0], "EzEzEzEzEzFYEzEzFYFY!")

    def test_batches(self) -> None:
        self.assertEqual([len(batch) for batch in batches(map(str, range(1100)))], [500, 500, 100])


class Cores(unittest.TestCase):
    def test_work_is_what_is_neither_idle_nor_waiting(self) -> None:
        stat = ("cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 40 50 6 7 8 90 90\n"
                "cpu1 10 0 0 0 0 0 0 0 0 0\ncpu10 1 1 1 1 1 1 1 1\n")
        self.assertEqual(worked_and_all(stat, {0}), (27, 117))
        self.assertEqual(worked_and_all(stat, {0, 1}), (37, 127))
        self.assertEqual(stolen_share(stat, stat.replace("cpu0 1 2 3 40 50 6 7 8", "cpu0 1 2 3 40 56 6 7 10"), 0), 0.25)
        self.assertEqual(stolen_share(stat, stat, 1), 0)

    def test_one_core_is_too_few(self) -> None:
        with mock.patch("os.sched_getaffinity", lambda _: {0}):
            with self.assertRaisesRegex(Failed, "a core each, and core 1 is not to be had; here there are: 0"):
                check_cores(Plan(1, 1, 0, 1))
            with self.assertRaisesRegex(Failed, "a core each: --server-core"):
                check_cores(Plan(1, 1, 0, 0))


class Threads(unittest.TestCase):
    def test_each_thread_and_each_load_takes_a_core(self) -> None:
        self.assertEqual({cores: threads.counts_for(cores) for cores in (2, 3, 4, 16, 32)},
                         {2: [], 3: [], 4: [2], 16: [2, 4, 8], 32: [2, 4, 8, 16]})
        with self.assertRaisesRegex(Failed, "4 cores or more, and here are 2"):
            threads.check(2)

    def test_threads_of_one_core_are_one_core(self) -> None:
        self.assertEqual(threads.numbers_in("0-2,8\n"), {0, 1, 2, 8})
        self.assertEqual(threads.first_of_each([0, 1, 2, 3, 5], lambda core: {core % 3, core % 3 + 3}), [0, 1, 2])
        self.assertEqual(threads.siblings_of(10**6), {10**6})

    def test_asked_for_more_they_share_the_cores(self) -> None:
        self.assertEqual(threads.counts_for(16, 12), [2, 4, 8, 12])
        with self.assertRaisesRegex(Failed, "--threads is 2 to the number of cores, 2 here"):
            threads.check(2, 3)
        with mock.patch.object(threads, "cores", lambda: [0, 1, 2, 5]):
            self.assertEqual(threads.load_cores(2), ([2, 5], ""))
            self.assertEqual(threads.load_cores(3), ([5, 5, 5], "3 loads had 1 cores of their own"))
            self.assertEqual(threads.load_cores(4)[0], [0, 1, 2, 5])


if __name__ == "__main__":
    unittest.main()
