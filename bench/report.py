"""What ci/bench has measured, as bench.json, bench.md and plots."""

import json
import re
import statistics
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

from figures import Estimate, Figure, medians
from measuring import Plan
from parts import PARTS, Result
from servers import BUILD, KINDS, ROOT, Failed

sys.path.insert(0, str(ROOT / "ci"))
import records  # noqa: E402 - it stands in the folder above

REPORT = ROOT / "build/report"
QUICK = REPORT / "bench_quick"  # where --quick writes: what it finds takes the place of nothing


# ---- what is kept


def environment(plan: Plan) -> dict:
    cache = (BUILD / "CMakeCache.txt").read_text()
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.MULTILINE)[1]
    flags = re.search(r"^CMAKE_CXX_FLAGS_RELEASE:\w+=(.*)$", cache, re.MULTILINE)[1]
    return {"commit": records.commit(), "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "machine": records.machine(), "kernel": records.output_of("uname", "-sr"),
            "compiler": f"{records.output_of(compiler, '--version').splitlines()[0]}, {flags}",
            "memcached": version_of("memcached", "-V"), "redis": version_of("redis-server", "--version"),
            "pairs": plan.pairs, "seconds of a round": plan.seconds}


def version_of(program: str, flag: str) -> str:
    done = subprocess.run([program, flag], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)*", done.stdout)
    return found.group() if found else "unknown"


def folder_of(plan: Plan) -> Path:
    return QUICK if plan.quick else REPORT


def load_kept(folder: Path = REPORT) -> dict:
    kept = folder / "bench.json"
    return json.loads(kept.read_text()) if kept.exists() else {}


def keep(folder: Path, part: str, result: Result, measured_in: dict) -> None:
    """Beside the parts that were measured earlier."""
    kept = load_kept(folder)
    kept[part] = {"environment": measured_in, "figures": [figure.as_json() for figure in result.figures],
                  "rounds": result.rounds}
    in_order = {each.name: kept[each.name] for each in PARTS if each.name in kept}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(in_order, indent=1) + "\n")


def figures_of(kept: dict, part: str) -> list[Figure]:
    return [Figure.from_json(figure) for figure in kept[part]["figures"]]


# ---- tables


def shown(value: float, unit: str) -> str:
    if unit in ("ratio", "ms", "s", "calls"):
        return f"{value:.3f}" if value < 10 else f"{value:.1f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def shown_estimate(estimate: Estimate, unit: str) -> str:
    text = shown(estimate.value, unit)
    if estimate.low is not None:
        text += f" [{shown(estimate.low, unit)}, {shown(estimate.high, unit)}]"
    return text


def shown_throughput(figure: Figure) -> str:
    if figure.throughput:
        return f"{shown_estimate(figure.throughput, figure.unit)}, {figure.throughput.count} pairs"
    return f"server's core {figure.busy:.0%} busy: processor time alone" if figure.busy is not None else ""


def shown_target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    text = f"{'≥' if figure.target.at_least else '≤'} {shown(figure.target.bound, figure.unit)}"
    return text + (f", aim {figure.target.aim:g}" if figure.target.aim is not None else "")


def row_of(figure: Figure) -> str:
    unit = "" if figure.unit == "ratio" else f" {figure.unit}"
    name = figure.name + (f" ({figure.note})" if figure.note else "")
    return (f"| {name} | {shown_target(figure)} | {shown_estimate(figure.estimate, figure.unit)}{unit} | "
            f"{shown_throughput(figure)} | {figure.verdict} |")


def table_of(figures: list[Figure]) -> str:
    return "\n".join(["| | target | measured | requests a second | |", "|---|---|---|---|---|", *map(row_of, figures)])


def table_of_rounds(what: str, rounds: dict[str, list[dict]]) -> str:
    lines = [f"{what}, medians of {len(next(iter(rounds.values())))} rounds:", "",
             "| | requests/s | server's ns a request | server busy | p50 us | p99 us | p99.9 us |",
             "|---|---|---|---|---|---|---|"]
    for side, each in rounds.items():
        middle = medians(each)
        lines.append(f"| {side} | {middle['requests_per_second']:,.0f} | {middle['cpu_ns_per_request']:,.0f} | "
                     f"{middle['server_busy']:.0%} | {middle['p50_us']:,.0f} | {middle['p99_us']:,.0f} | "
                     f"{middle['p999_us']:,.0f} |")
    return "\n".join(lines)


def summary_of(figures: list[Figure]) -> str:
    missed = [figure for figure in figures if figure.is_missed]
    lines = [f"{sum(figure.target is not None for figure in figures)} targets, {len(missed)} missed"]
    return "\n".join(lines + [f"missed: {figure.name}: {shown_estimate(figure.estimate, figure.unit)}, "
                              f"{shown_target(figure)} ({figure.verdict})" for figure in missed])


HOW_TO_READ = """\
A ratio is the median over pairs of rounds, one of each side right after the other, with the interval in which the
median lies with a confidence of 95 % or more, by order statistics. "Measured" is by the server's processor time for a
request, user and system of all its threads, and above 1 where lockd takes less. Beside it stands the ratio of requests
a second, of the pairs alone in which both servers kept their core at least 98 % busy."""


def shown_environment(kept: dict) -> str:
    """Of all parts; what differs between them stands with its parts."""
    rows = []
    for key in next(iter(kept.values()))["environment"]:
        parts_by_value: dict[str, list[str]] = {}
        for part, result in kept.items():
            parts_by_value.setdefault(str(result["environment"][key]), []).append(part)
        several = len(parts_by_value) > 1
        values = [f"{value} ({', '.join(parts)})" if several else value for value, parts in parts_by_value.items()]
        rows.append(f"| {key} | {'; '.join(values)} |")
    return "\n".join(["| | |", "|---|---|", *rows])


def text_of(kept: dict) -> str:
    blocks = ["# Benchmarks", shown_environment(kept), HOW_TO_READ]
    for part in PARTS:
        if part.name in kept:
            blocks += [f"## {part.name}: {part.what}", table_of(figures_of(kept, part.name))]
            blocks += [table_of_rounds(what, rounds) for what, rounds in kept[part.name]["rounds"].items()]
    return "\n\n".join(blocks) + "\n"


# ---- plots

PLOTS = (("bench_cpu", "cpu_ns_per_request", "the floor's processor time by the server's (more is better)"),
         ("bench_throughput", "requests_per_second", "requests a second, by the floor's (more is better)"),
         ("bench_p99", "p99_us", "p99 of a batch, by the floor's (less is better)"))


def beside_the_floor(rounds: dict[str, list[dict]], kind: str, key: str) -> float:
    """The median over the pairs; of processor time the inverse, as in the tables."""
    ratios = [own[key] / floor[key] for own, floor in zip(rounds[kind], rounds["floor"], strict=True)]
    middle = statistics.median(ratios)
    return 1 / middle if key == "cpu_ns_per_request" else middle


def plot_command(data: Path, image: Path, title: str) -> str:
    columns = ", ".join(f"'{data}' using {index + 2}:xtic(1) title '{kind}'" for index, kind in enumerate(KINDS))
    return (f"set terminal svg size 720,320 font 'sans,11'; set output '{image}'; set title \"{title}\"; "
            "set style data histogram; set style histogram clustered gap 1; set style fill solid 0.8; "
            f"set yrange [0:*]; set grid ytics; set key outside right top; plot {columns}")


def write_plots(folder: Path, kept: dict) -> None:
    """Of the rounds of the ratios: connections x requests in flight, and each server beside the floor."""
    for name, key, title in PLOTS if "ratios" in kept else ():
        data, image = folder / f"{name}.dat", folder / f"{name}.svg"
        rows = []
        for what, rounds in kept["ratios"]["rounds"].items():
            connections, depth = re.findall(r"\d+", what)
            values = " ".join(f"{beside_the_floor(rounds, kind, key):.4f}" for kind in KINDS)
            rows.append(f'"{connections} x {depth}" {values}\n')
        data.write_text("".join(rows))
        done = subprocess.run(["gnuplot", "-e", plot_command(data, image, title)], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Failed(f"gnuplot: {done.stderr.strip()}")


def write(folder: Path) -> None:
    if kept := load_kept(folder):
        (folder / "bench.md").write_text(text_of(kept))
        write_plots(folder, kept)
