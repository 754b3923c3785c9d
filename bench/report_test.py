"""Tests of what ci/bench makes of its figures: tables, plots, pages and its exit status. Without a server."""

import importlib.machinery
import importlib.util
import json
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
import parts
import performance_page
import plots
import report
import servers
from figures import Estimate, Figure, Target, ratio_of_pairs
from figures_test import beside, in_turn, one_round
from measuring import Plan, Result
from servers import Failed


class Tables(unittest.TestCase):
    def test_a_row_has_target_and_verdict(self) -> None:
        figure = ratio_of_pairs("a against b", beside([one_round(2, 5)] * 6 + [one_round(9, 9, 0.5)] * 2,
                                                      [one_round(1, 10)] * 8), Target(0.8))
        self.assertEqual(report.row_of(figure), "| a against b | ≥ 0.800 | 0.500 [0.500, 0.500] | 6 of 8 | "
                         "0.500 [0.111, 0.500] | 0.500 [0.500, 0.500] | not met, by 37.5% |")

    def test_what_was_not_saturated_says_so(self) -> None:
        figure = ratio_of_pairs("a", beside([one_round(1, 1, 0.5)] * 6, [one_round(1, 1)] * 6))
        self.assertIn("| all 6 | 1.000 [1.000, 1.000] | server's core 50% busy: processor time alone |",
                      report.row_of(figure))

    def test_rounds_show_who_waited_and_what_was_stolen(self) -> None:
        timed = {"p50_us": 1, "p99_us": 2, "p999_us": 3, "load_waited": 0.25, "server_stolen": 0.01, "load_stolen": 0}
        rounds = [one_round(5, 1000) | timed, one_round(7, 3000, 0.9) | timed | {"load_stolen": 0.04}]
        self.assertEqual(report.row_of_rounds("redis", rounds),
                         "| redis | 2,000 | 6 | 95% | 1 of 2 | 25% | 1.0%, 2.0% | 1 | 2 | 3 |")

    def test_all_three_are_counted(self) -> None:
        figures = [Figure("a", "ratio", Estimate(value, value - 0.1, value + 0.1, 15), Target(1))
                   for value in (0.5, 1, 1.01, 2, 3)] + [Figure("b", "ratio", Estimate(1, None, None, 1))]
        self.assertEqual(report.summary_of(figures).split("\n")[0], "5 targets: 2 met, 1 not met, 2 not shown")

    def test_targets_of_our_own_are_counted_apart(self) -> None:
        asked, own = (Figure("a", "ratio", Estimate(1, 0.9, 1.1, 15), Target(0.8, is_own=is_own))
                      for is_own in (False, True))
        self.assertEqual(report.summary_of([asked, own, own]),
                         "1 target: 1 met, 0 not met, 0 not shown; and 2 of our own: 2 met, 0 not met, 0 not shown")
        self.assertEqual((report.shown_target(asked), report.shown_target(own)), ("≥ 0.800", "≥ 0.800 (our own)"))

    def test_a_target_is_beyond_the_floor_where_its_whole_interval_misses_it(self) -> None:
        target = Target(2, aim=3)
        figures = [Figure("1 x 1: lockd against redis", "ratio", Estimate(1.5, 1.4, 1.6, 15), target),
                   Figure("1 x 1: floor against redis", "ratio", Estimate(1.6, 1.5, 2.1, 15)),
                   Figure("2 x 2: lockd against redis", "ratio", Estimate(1.5, 1.4, 1.6, 15), target),
                   Figure("2 x 2: floor against redis", "ratio", Estimate(1.6, 1.5, 1.9, 15)),
                   Figure("2 x 2: lockd against floor", "ratio", Estimate(1, 1, 1, 15), target)]
        rows = report.table_of_bounds(figures).split("\n")[2:]
        ours = "≥ 2.000, aim 3 | 1.500 [1.400, 1.600]"
        self.assertEqual(rows, [f"| 1 x 1 against redis | {ours} | 1.600 [1.500, 2.100] | 1.25 |",
                                f"| 2 x 2 against redis | {ours} | 1.600 [1.500, 1.900] | 1.25: beyond it |"])
        self.assertEqual(report.table_of_bounds(figures[:1]), "")

    def test_what_differs_between_the_parts_stands_with_them(self) -> None:
        kept = {"a": {"environment": {"commit": "1"}}, "b": {"environment": {"commit": "1", "other work": "3%"}}}
        self.assertEqual(report.shown_environment(kept).split("\n")[2:],
                         ["| commit | 1 |", "| other work | unknown (a); 3% (b) |"])

    def test_servers_are_shown_as_they_are_started(self) -> None:
        with mock.patch.object(servers, "program", side_effect=str):
            self.assertIn("`lockd --listen tcp://127.0.0.1:0 --threads 1", report.shown_server("lockd"))
            self.assertRegex(servers.shown_command("redis"), "--save '' ")
            self.assertRegex(servers.shown_command("memcached -R 1000"), "^memcached -t 1 .* -R 1000$")
            self.assertNotIn("-R", servers.shown_command("memcached"))
        with mock.patch.object(servers, "program", side_effect=Failed("none")):
            self.assertEqual(report.shown_server("memcached"), "not there")

    def test_a_part_without_results_is_named(self) -> None:
        self.assertIn("Not measured: workloads (shared, inspect", report.not_measured({"ratios": {}, "waits": {},
                                                                                       "hoards": {}}))
        self.assertEqual(report.not_measured({part.name: {} for part in parts.PARTS}), "")


class Plots(unittest.TestCase):
    def test_the_good_side_of_a_target_is_right(self) -> None:
        for at_least, value in ((True, 2), (False, 0.5)):
            figure = Figure("x", "ratio", Estimate(value, None, None, 1), Target(1, at_least))
            self.assertEqual(plots.margin(figure, value), 2)
        free = Figure("x", "ms", Estimate(0, None, None, 1), Target(5, at_least=False))
        self.assertEqual(plots.margin(free, 0), 1000)

    def test_lockd_and_the_floor_stand_on_one_line_by_one_target(self) -> None:
        figures = [Figure("a: lockd against redis", "ratio", Estimate(1, 0.9, 1.1, 15), Target(2)),
                   Figure("a: floor against redis", "ratio", Estimate(3, 2, 4, 15)),
                   Figure("b", "ms", Estimate(0.001, None, None, 1), Target(5, at_least=False))]
        script = plots.targets_plot(figures).script
        for name, row in (("not met", "0.5000 0.4500 0.5500 2"), ("the floor itself", "1.5000 1.0000 2.0000 1.7"),
                          ("met", "8.0000 8.0000 8.0000 1")):  # the last one is at the edge
            place = script.split(f" title '{name}'")[0].split("$points")[-1][0]
            self.assertIn(f"$points{place} << EOD\n{row}\nEOD", script)
        self.assertNotIn("not shown", script)
        self.assertIn('ytics scale 0 font \',10\' ("a: lockd against redis" 2, "b" 1)', script)

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
                 *plots.ratio_plots({"rounds": {"50 connections, 1 in flight": in_turn(lockd=[timed], floor=[timed])}})]
        with tempfile.TemporaryDirectory() as folder:
            for plot in drawn:
                plots.draw(Path(folder), plot)
                self.assertIn("</svg>", (Path(folder) / f"{plot.name}.svg").read_text())
            with self.assertRaisesRegex(Failed, "gnuplot: "):
                plots.draw(Path(folder), plots.Plot("bad", "", 100, 100, "plot nothing"))


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
            def found(_: object) -> Result:
                if isinstance(what, type):
                    raise what("trouble")
                return Result([Figure("found", "ms", Estimate(what, None, None, 1), Target(1))])
            return found

        fakes = tuple(parts.Part(name, name, part_that_finds(what), 0) for name, what in outcomes.items())
        bench, plan = script("bench"), Plan(1, 0.1, 0, 1)
        with (tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()),
              mock.patch.multiple(report, environment=lambda _: {"commit": "abc"}, folder_of=lambda _: Path(folder),
                                  PARTS=fakes, draw=lambda *_: None, write_html=lambda *_: "")):
            status = bench.measure(list(fakes), plan, {})
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


class Draws(unittest.TestCase):
    """A part that is measured again."""

    SOME = {"commit": "abc", "pairs": 15, "date": "Monday", report.OTHER_WORK: "1%"}
    ROUNDS = {"what": in_turn(a=[one_round(1, 1)], b=[one_round(1, 1)])}

    def earlier(self, folder: Path, **circumstances: object) -> dict:
        return report.earlier_rounds(folder, "ratios", self.SOME | circumstances)

    def test_adds_to_what_is_there_of_the_same_circumstances_alone(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            self.assertEqual(self.earlier(folder), {})
            report.keep(folder, "ratios", Result([], self.ROUNDS), self.SOME)
            self.assertEqual(self.earlier(folder, date="Tuesday", **{report.OTHER_WORK: "2%"}), self.ROUNDS)
            for other in ({"commit": "abd"}, {"pairs": 16}, {"kernel": "new"}):
                self.assertEqual(self.earlier(folder, **other), {}, other)
            report.keep(folder, "ratios", Result([], self.ROUNDS), self.SOME | {"date": "Tuesday"})
            self.assertEqual(report.load_kept(folder)["ratios"]["environment"],
                             self.SOME | {"date": "Monday, Tuesday", report.OTHER_WORK: "1%, 1%"})
            self.assertEqual(self.earlier(folder), self.ROUNDS)

    def test_of_a_changed_tree_or_a_quick_one_takes_its_place(self) -> None:
        changed = self.SOME | {"commit": "abc+"}
        with tempfile.TemporaryDirectory() as name, mock.patch.object(report, "QUICK", Path(name) / "quick"):
            for folder, circumstances in ((Path(name), changed), (report.QUICK, self.SOME)):
                report.keep(folder, "ratios", Result([], self.ROUNDS), circumstances)
                self.assertEqual(report.earlier_rounds(folder, "ratios", circumstances), {})


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
        timed = {"p50_us": 1, "p99_us": 2, "p999_us": 3, "load_waited": 0.25} | one_round(1, 1)
        kept = {part: {"figures": [figure], "environment": environment, "rounds": {}}
                for part in ("ratios", *performance_page.COSTS)}
        kept["ratios"]["rounds"] = {"1 x 1": in_turn(lockd=[timed], floor=[timed])}
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "performance.md"
            page.write_text(performance_page.PAGE.read_text())
            def draw(where: Path, plot: plots.Plot) -> None:
                (where / f"{plot.name}.svg").write_text("<svg> \n\n")

            with mock.patch.multiple(performance_page, PAGE=page, draw=draw):
                performance_page.write(kept)
                self.assertEqual(page.read_text().count("| x |"), 5)
                self.assertIn("Not measured: ", page.read_text())
                self.assertIn("](bench_cpu.svg)", page.read_text())
                self.assertEqual((Path(folder) / "bench_cpu.svg").read_text(), "<svg>\n")
                kept["ratios"]["environment"] = {"commit": "abc", "pairs": 14}
                with self.assertRaisesRegex(Failed, "fewer than 15 pairs: ratios"):
                    performance_page.write(kept)


if __name__ == "__main__":
    unittest.main()
