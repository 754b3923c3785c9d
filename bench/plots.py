"""The plots of ci/bench's report: SVG, by gnuplot, from what was measured."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from figures import (
    Estimate,
    Figure,
    Outcome,
    Rounds,
    estimate_of,
    estimate_of_cpu,
    neighbours,
    pairs_to_go_by,
)
from servers import Failed

# Okabe and Ito's, which those who see fewer colours tell apart, too.
COLOURS = {"lockd": "#0072b2", "floor": "#999999", "memcached": "#e69f00", "redis": "#d55e00"}
OTHER_COLOUR = "#555555"
NAME_CHARACTERS_MAX = 84
ROW_PIXELS = 19
MARGIN_SHOWN_MIN, MARGIN_SHOWN_MAX = 0.4, 8  # what lies beyond is drawn at the edge
TARGETS_AXES = (
    "set logscale x", f"set xrange [{MARGIN_SHOWN_MIN}:{MARGIN_SHOWN_MAX}]",
    "set xtics nomirror (0.5, 0.7, 1, 1.5, 2, 3, 5)",
    "set xlabel 'times as good as the target asks'", "set grid xtics lc rgb '#bbbbbb'", "set tmargin 3",
    "set lmargin at screen 0.44", "set key at screen 0.99, 0.98 right top horizontal maxrows 1 samplen 2")
TARGETS_CAPTION = ("Every target, and what was measured by it, with the interval of its median; right of the line is "
                   "better. Beside the peers stands the floor, by the same target.")


@dataclass(frozen=True)
class Plot:
    name: str
    caption: str
    width: int
    height: int
    script: str  # what gnuplot draws with


@dataclass(frozen=True)
class Bars:
    """Groups of bars, one of each server in a group."""

    name: str
    caption: str
    unit: str
    groups: str = ""  # what they are named by
    line: str = ""  # what is at 1, where something is

    def plot(self, rows: dict[str, dict[str, Estimate]]) -> Plot:
        kinds = list(dict.fromkeys(kind for row in rows.values() for kind in row))
        lines = ["$bars << EOD"]
        for group, row in rows.items():
            values = (row.get(kind, Estimate(0, None, None, 0)) for kind in kinds)
            lines.append(" ".join([f'"{group}"', *(f"{each.value:.4f} {ends(each)}" for each in values)]))
        lines += ["EOD", "set style data histogram", "set style histogram errorbars gap 1.5 lw 1",
                  "set style fill solid 0.9 noborder", "set boxwidth 0.92", f"set ylabel '{self.unit}'",
                  f"set xlabel '{self.groups}'", f"set xrange [-0.6:{len(rows) - 0.4}]", "set yrange [0:*]",
                  "set offsets 0, 0, graph 0.16, 0", "set grid ytics lc rgb '#dddddd'", "set key top left horizontal",
                  "set xtics nomirror scale 0", "set ytics nomirror", "set errorbars linecolor rgb '#333333'"]
        bars = [f"$bars using {3 * place + 2}:{3 * place + 3}:{3 * place + 4}:xtic(1) "
                f"title '{kind}' lc rgb '{COLOURS.get(kind, OTHER_COLOUR)}'" for place, kind in enumerate(kinds)]
        if self.line:
            bars.append(f"1 title '{self.line}' with lines lw 1.5 dt 2 lc rgb '#333333'")
        return Plot(self.name, self.caption, 760, 340, "\n".join([*lines, f"plot {', '.join(bars)}"]))


def ends(estimate: Estimate) -> str:
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return f"{low:.4f} {high:.4f}"


# ---- of the ratios


LOADS = "connections × requests in flight on each"
RATIO_BARS = (
    (Bars("bench_cpu", "The floor's processor time for a request by the server's: more is better. The thin lines are "
          "the intervals of the medians.", "processor time, floor / server", LOADS, "the floor"),
     "cpu_ns_per_request"),
    (Bars("bench_throughput", "Requests a second by the floor's: more is better.",
          "requests a second, server / floor", LOADS, "the floor"), "requests_per_second"),
    (Bars("bench_p99", "The 99th percentile of the time that a batch takes, by the floor's: less is better.",
          "p99, server / floor", LOADS, "the floor"), "p99_us"),
)


def beside_the_floor(rounds: Rounds, kind: str, key: str) -> Estimate:
    """As in the tables: of processor time the inverse."""
    pairs = pairs_to_go_by(neighbours(rounds, kind, "floor"))
    return estimate_of_cpu(pairs) if key == "cpu_ns_per_request" else estimate_of(pairs, key)


def ratio_plots(part: dict) -> Iterator[Plot]:
    for bars, key in RATIO_BARS:
        rows = {}
        for what, rounds in part["rounds"].items():
            if not (setting := re.fullmatch(r"(\d+) connections, (\d+) in flight", what)):
                continue
            rows[f"{setting[1]} × {setting[2]}"] = {kind: beside_the_floor(rounds, kind, key)
                                                for kind in rounds if kind != "floor"}
        yield bars.plot(rows)


# ---- of single figures


def by_server(figures: list[Figure], pattern: str) -> dict[str, dict[str, Estimate]]:
    """Figures whose name is of this pattern, with `group` and `kind` in it."""
    rows: dict[str, dict[str, Estimate]] = {}
    for figure in figures:
        if found := re.fullmatch(pattern, figure.name):
            rows.setdefault(found["group"], {})[found["kind"]] = figure.estimate
    return rows


FIGURE_BARS = {
    "memory": (
        (Bars("bench_lock_bytes", "Resident bytes of a held lock, all included: less is better.", "resident bytes"),
         r"(?P<group>a held lock) with a key of 21 bytes, (?P<kind>\w+)"),
        (Bars("bench_connection_bytes", "Resident bytes of an idle connection: less is better.", "resident bytes"),
         r"(?P<group>an idle connection), (?P<kind>\w+)")),
    "syscalls": (
        (Bars("bench_syscalls", "System calls for a request: less is better.", "system calls a request"),
         r"system calls per request, (?P<group>\d+ in flight), (?P<kind>\w+)"),),
    "instructions": (
        (Bars("bench_instructions", "Instructions in user space: less is better.", "instructions a request"),
         r"instructions per request in user space, (?P<group>\d+ in flight), (?P<kind>\w+)"),),
}


def figure_plots(part: str, figures: list[Figure]) -> Iterator[Plot]:
    for bars, pattern in FIGURE_BARS.get(part, ()):
        if rows := by_server(figures, pattern):
            yield bars.plot(rows)


# ---- of all targets


def margin(figure: Figure, value: float) -> float:
    """How far a value is on the good side of its target: 1 is the target itself."""
    least = max(value, figure.target.bound / 1000)  # of what is nothing at all, no plot could show how good it is
    return least / figure.target.bound if figure.target.at_least else figure.target.bound / least


@dataclass(frozen=True)
class Mark:
    """Told from others by its shape as well as by its colour."""

    colour: str
    shape: int  # as gnuplot numbers them
    lower: float = 0  # than its line


MARKS = {Outcome.MET: Mark("#0072b2", 7), Outcome.NOT_MET: Mark("#d55e00", 9), Outcome.NOT_SHOWN: Mark("#777777", 6)}
FLOOR_MARK = Mark("#222222", 12, 0.3)


def targets_plot(figures: list[Figure]) -> Plot:
    """A line for each, in the order of the tables; beside lockd the floor, where it stands against the same peer."""
    rows = [figure for figure in figures if figure.target]
    lines, drawn = [], []
    for number, (name, mark, points) in enumerate(series_of(rows, figures)):
        lines += [f"$points{number} << EOD", *points, "EOD"]
        drawn.append(f"$points{number} using 1:4:2:3 title '{name}' with xerrorbars pt {mark.shape} ps 0.8 lw 1.5 "
                     f"lc rgb '{mark.colour}'")
    names = ", ".join(f'"{shortened(figure.name)}" {len(rows) - place}' for place, figure in enumerate(rows))
    names = names.replace("%", "%%")  # they are formats
    top = len(rows) + 0.8
    lines += [*TARGETS_AXES, f"set yrange [0.2:{top}]", f"set ytics scale 0 font ',10' ({names})",
              f"set arrow from 1, 0.2 to 1, {top} nohead lw 1.5 dt 2 lc rgb '#333333'", f"plot {', '.join(drawn)}"]
    return Plot("bench_targets", TARGETS_CAPTION, 960, 100 + ROW_PIXELS * len(rows), "\n".join(lines))


def series_of(rows: list[Figure], figures: list[Figure]) -> Iterator[tuple[str, Mark, list[str]]]:
    """Those that have points: their names, their marks, and a line of data for each point."""
    floor = {figure.name.replace("floor against", "lockd against"): figure for figure in figures if not figure.target}
    height = {figure.name: len(rows) - place for place, figure in enumerate(rows)}
    for outcome, mark in MARKS.items():
        if points := [f"{at_margin(figure, figure.estimate)} {height[figure.name]}" for figure in rows
                      if figure.outcome == outcome]:
            yield outcome.value, mark, points
    if points := [f"{at_margin(figure, floor[figure.name].estimate)} {height[figure.name] - FLOOR_MARK.lower}"
                  for figure in rows if figure.name in floor]:
        yield "the floor itself", FLOOR_MARK, points


def at_margin(figure: Figure, estimate: Estimate) -> str:
    """A value, of this figure or of another with the same target, and its ends."""
    value, one, other = (min(max(margin(figure, estimate.value if each is None else each), MARGIN_SHOWN_MIN),
                             MARGIN_SHOWN_MAX) for each in (estimate.value, estimate.low, estimate.high))
    return f"{value:.4f} {min(one, other):.4f} {max(one, other):.4f}"


def shortened(name: str) -> str:
    plain = name.replace('"', "").replace("_", " ")
    return plain if len(plain) <= NAME_CHARACTERS_MAX else plain[:NAME_CHARACTERS_MAX - 1] + "…"


# ---- files


def draw(folder: Path, plot: Plot) -> None:
    script = (f"set terminal svg size {plot.width},{plot.height} font 'sans,12' background '#ffffff'\n"
              f"set encoding utf8\nset output '{folder / plot.name}.svg'\nset border 3 lc rgb '#555555'\n"
              f"{plot.script}\n")
    try:
        done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=False)
    except FileNotFoundError as failure:
        raise Failed("there is no gnuplot, and so no plot; `ci/install-deps bench` installs it") from failure
    if done.returncode != 0:
        raise Failed(f"gnuplot: {done.stderr.strip()[-500:]}")
