"""Tests of what ci/bench computes and reads, without a server."""

import importlib.machinery
import importlib.util
import json
import random
import shutil
import sys
import tempfile
import types
import unittest
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
import costs
import parts
import performance_page
import plots
import report
import servers
import threads
import watching
from crowd import batches, hostile_keys
from figures import Estimate, Figure, Outcome, Target, interval_of_median, ratio_of_clocks, ratio_of_pairs
from measuring import Plan
from servers import Failed


def one_round(cpu: float, rate: float, busy: float = 1.0) -> dict:
    return {"cpu_ns_per_request": cpu, "requests_per_second": rate, "server_busy": busy}


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
        figure = ratio_of_pairs("x", [one_round(200, 40)] * 6, [one_round(100, 80)] * 6)
        self.assertEqual((figure.estimate.value, figure.throughput.value), (0.5, 0.5))

    def test_the_median_of_ratios_not_the_ratio_of_medians(self) -> None:
        ours = [one_round(cpu, 1) for cpu in (1, 2, 4)]
        theirs = [one_round(cpu, 1) for cpu in (4, 2, 4)]
        self.assertEqual(ratio_of_pairs("x", ours, theirs).estimate.value, 1)

    def test_throughput_counts_only_while_both_are_busy(self) -> None:
        ours = [one_round(1, 1, 0.98)] * 6 + [one_round(1, 9, 0.97)] * 9
        figure = ratio_of_pairs("x", ours, [one_round(1, 1)] * 15)
        self.assertEqual((figure.throughput.value, figure.throughput.count, figure.estimate.count), (1, 6, 15))
        idle = ratio_of_pairs("x", [one_round(1, 1)] * 15, [one_round(1, 1, 0.6)] * 15)
        self.assertEqual((idle.throughput, idle.busy), (None, 0.6))


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
        figure = ratio_of_clocks("x", "p99_us", ours, theirs, Target(2.5, at_least=False))
        self.assertEqual((figure.outcome, figure.estimate.value, figure.estimate.count), (Outcome.MET, 2, 6))
        figure = ratio_of_clocks("x", "p99_us", ours[1:], theirs[1:], Target(10, at_least=False))
        self.assertEqual((figure.outcome, figure.estimate.value, figure.estimate.count), (Outcome.NOT_SHOWN, 9, 14))

    def test_all_three_are_counted(self) -> None:
        figures = [Figure("a", "ratio", Estimate(value, value - 0.1, value + 0.1, 15), Target(1))
                   for value in (0.5, 1, 1.01, 2, 3)] + [Figure("b", "ratio", Estimate(1, None, None, 1))]
        self.assertEqual(report.summary_of(figures).split("\n")[0], "5 targets: 2 met, 1 not met, 2 not shown")

    def test_a_figure_is_kept_whole(self) -> None:
        for figure in (Figure("x", "ms", Estimate(1, 0.5, 2, 15), Target(3, False, 1), Estimate(1, None, None, 2), 0.5,
                              "note", "doubt"), Figure("y", "ratio", Estimate(1, None, None, 1))):
            self.assertEqual(Figure.from_json(figure.as_json()), figure)


class Tables(unittest.TestCase):
    def test_a_row_has_target_and_verdict(self) -> None:
        figure = ratio_of_pairs("a against b", [one_round(2, 5)] * 6, [one_round(1, 10)] * 6, Target(0.8))
        self.assertEqual(report.row_of(figure), "| a against b | ≥ 0.800 | 0.500 [0.500, 0.500] | "
                                                "0.500 [0.500, 0.500], 6 pairs | not met, by 37.5% |")

    def test_what_was_not_saturated_says_so(self) -> None:
        figure = ratio_of_pairs("a", [one_round(1, 1, 0.5)] * 6, [one_round(1, 1)] * 6)
        self.assertIn("50% busy: processor time alone", report.row_of(figure))


class Plots(unittest.TestCase):
    def test_the_good_side_of_a_target_is_right(self) -> None:
        for at_least, value in ((True, 2), (False, 0.5)):
            figure = Figure("x", "ratio", Estimate(value, None, None, 1), Target(1, at_least))
            self.assertEqual(plots.margin(figure, value), 2)
        free = Figure("x", "ms", Estimate(0, None, None, 1), Target(5, at_least=False))
        self.assertEqual(plots.margin(free, 0), 1000)

    def test_bars_are_grouped_by_server(self) -> None:
        figures = [Figure(name, "bytes", Estimate(value, None, None, 1)) for name, value in (
            ("a held lock with a key of 21 bytes, lockd", 74), ("an idle connection, lockd", 600),
            ("a held lock with a key of 21 bytes, redis", 130))]
        locks, connections = plots.figure_plots("memory", figures)
        self.assertIn('"a held lock" 74.0000 74.0000 74.0000 130.0000 130.0000 130.0000', locks.script)
        self.assertIn("title 'lockd'", connections.script)
        self.assertNotIn("title 'redis'", connections.script)

    @unittest.skipUnless(shutil.which("gnuplot"), "no gnuplot")
    def test_gnuplot_draws_them(self) -> None:
        timed = {"p99_us": 2} | one_round(1, 1)
        drawn = [plots.targets_plot([Figure("one thread's \"rate\", a_b: 100 %", "ratio", Estimate(1, 0.9, 1.1, 15),
                                            Target(0.8))]),
                 *plots.ratio_plots({"rounds": {"50 connections, 1 in flight": {"lockd": [timed], "floor": [timed]}}})]
        with tempfile.TemporaryDirectory() as folder:
            for plot in drawn:
                plots.draw(Path(folder), plot)
                self.assertIn("</svg>", (Path(folder) / f"{plot.name}.svg").read_text())
            with self.assertRaisesRegex(Failed, "gnuplot: "):
                plots.draw(Path(folder), plots.Plot("bad", "", 100, 100, "plot nothing"))


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

    def test_the_lock_table_is_compared_with_the_map_in_the_same_state(self) -> None:
        times = {"get_and_release_exclusive/1/0": 100, "plain_map_insert_and_erase/0": 50,
                 "get_and_release_exclusive/1/1": 300, "plain_map_insert_and_erase/1": 100,
                 "plain_map_hostile/0": 10, "plain_map_hostile/1": 500}
        found = costs.table_figures([{"name": name, "cpu_time": time, "run_type": "iteration"}
                                     for name, time in times.items()])
        ratios = {figure.name: figure.estimate.value for figure in found if figure.unit == "ratio"}
        self.assertEqual(list(ratios.values()), [2, 3, 50])


class Crowds(unittest.TestCase):
    def test_hostile_keys_are_those_of_the_load(self) -> None:
        keys = hostile_keys(800, 1024)
        self.assertEqual((len(set(keys)), {len(key) for key in keys}), (224, {21}))
        self.assertEqual(keys[0], "EzEzEzEzEzFYEzEzFYFY!")

    def test_batches(self) -> None:
        self.assertEqual([len(batch) for batch in batches(map(str, range(1100)))], [500, 500, 100])


class Threads(unittest.TestCase):
    def test_each_thread_and_each_load_takes_a_core(self) -> None:
        self.assertEqual({cores: threads.counts_for(cores) for cores in (2, 3, 4, 16, 32)},
                         {2: [], 3: [], 4: [2], 16: [2, 4, 8], 32: [2, 4, 8, 16]})
        with self.assertRaisesRegex(Failed, "4 cores or more, and here are 2"):
            threads.check(2)

    def test_asked_for_more_they_share_the_cores(self) -> None:
        self.assertEqual(threads.counts_for(16, 12), [2, 4, 8, 12])
        with self.assertRaisesRegex(Failed, "--threads is 2 to the number of cores, 2 here"):
            threads.check(2, 3)
        with mock.patch.object(threads, "cores", lambda: [0, 1, 2, 5]):
            self.assertEqual(threads.load_cores(2), ([2, 5], ""))
            self.assertEqual(threads.load_cores(3), ([5, 5, 5], "3 loads had 1 cores of their own"))
            self.assertEqual(threads.load_cores(4)[0], [0, 1, 2, 5])


def script(name: str) -> types.ModuleType:
    """One of ci/, as a module."""
    loader = importlib.machinery.SourceFileLoader(f"ci_{name}", str(servers.ROOT / "ci" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Run(unittest.TestCase):
    """What becomes of the parts: without a server, what they measure is made up."""

    def measure(self, outcomes: dict[str, object]) -> tuple[int, str]:
        """By the name of each part a value that it finds, or what it raises. The status, and what was printed."""
        def part_that_finds(what: object):
            def found(_: object) -> parts.Result:
                if isinstance(what, type):
                    raise what("trouble")
                return parts.Result([Figure("found", "ms", Estimate(what, None, None, 1), Target(1))])
            return found

        fakes = tuple(parts.Part(name, name, part_that_finds(what), 0) for name, what in outcomes.items())
        bench, plan = script("bench"), Plan(1, 0.1, 0, 1)
        with (tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()),
              mock.patch.multiple(report, environment=lambda _: {"commit": "abc"}, folder_of=lambda _: Path(folder),
                                  PARTS=fakes, draw=lambda *_: None, write_html=lambda *_: "")):
            status = bench.measure(list(fakes), plan)
            self.kept = json.loads((Path(folder) / "bench.json").read_text())
        return status, out.getvalue()

    def test_a_part_that_fails_costs_no_other(self) -> None:
        status, printed = self.measure({"first": 2, "failed": Failed, "broken": KeyError, "last": 3})
        self.assertEqual((status, list(self.kept)), (3, ["first", "last"]))
        self.assertIn("2 targets: 2 met", printed)
        self.assertIn("not measured: failed: trouble", printed)
        self.assertRegex(printed, r"not measured: broken: Traceback(.|\n)*KeyError")

    def test_an_interruption_keeps_what_came_before(self) -> None:
        status, printed = self.measure({"first": 2, "second": KeyboardInterrupt, "third": 3})
        self.assertEqual((status, list(self.kept)), (3, ["first"]))
        self.assertIn("second, and what comes after it: interrupted", printed)

    def test_the_status_tells_whether_all_is_met(self) -> None:
        self.assertEqual(self.measure({"a": 1, "b": 2})[0], 0)
        self.assertEqual(self.measure({"a": 1, "b": 0.5})[0], 1)


class Page(unittest.TestCase):
    def test_writes_between_its_marks_alone(self) -> None:
        page = f"before\n{performance_page.begin('a')}old\n{performance_page.end('a')}after\n"
        written = performance_page.replaced(page, "a", "new")
        self.assertEqual(written, page.replace("old\n", "\nnew\n\n"))
        self.assertEqual(performance_page.replaced(written, "a", "new"), written)
        with self.assertRaisesRegex(Failed, "marks of b"):
            performance_page.replaced(page, "b", "new")

    def test_the_page_has_all_marks(self) -> None:
        figure = Figure("x", "ratio", Estimate(1, None, None, 1)).as_json()
        environment = {"commit": "abc", "pairs": 15}
        timed = {"p50_us": 1, "p99_us": 2, "p999_us": 3, "load_busy": 1} | one_round(1, 1)
        kept = {part: {"figures": [figure], "environment": environment, "rounds": {}}
                for part in ("ratios", *performance_page.COSTS)}
        kept["ratios"]["rounds"] = {"1 x 1": {"lockd": [timed], "floor": [timed]}}
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "performance.md"
            page.write_text(performance_page.PAGE.read_text())
            def draw(where: Path, plot: plots.Plot) -> None:
                (where / f"{plot.name}.svg").write_text("<svg> \n\n")

            with mock.patch.multiple(performance_page, PAGE=page, draw=draw):
                performance_page.write(kept)
                self.assertEqual(page.read_text().count("| x |"), 5)
                self.assertIn("](bench_cpu.svg)", page.read_text())
                self.assertEqual((Path(folder) / "bench_cpu.svg").read_text(), "<svg>\n")
                kept["ratios"]["environment"] = {"commit": "abc", "pairs": 14}
                with self.assertRaisesRegex(Failed, "fewer than 15 pairs: ratios"):
                    performance_page.write(kept)


if __name__ == "__main__":
    unittest.main()
