"""What ci/bench has measured, as bench.json, and as a page with plots: bench.md and bench.html."""

import json
import re
import statistics
import subprocess
import sys
from collections import Counter
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path

from figures import BUSY_LEAST, Estimate, Figure, Outcome, Rounds, is_busy, medians
from measuring import Plan, Result
from parts import PARTS
from plots import Plot, draw, figure_plots, ratio_plots, targets_plot
from servers import BUILD, ROOT, Failed, program, shown_command

sys.path.insert(0, str(ROOT / "ci"))
import records  # noqa: E402 - it stands in the folder above

REPORT = ROOT / "build/report"
QUICK = REPORT / "bench_quick"  # where --quick writes: what it finds takes the place of nothing
PAGE = "bench.html"
OTHER_WORK = "other work, before it began"
OF_EACH_DRAW = ("date", OTHER_WORK)  # what may differ where rounds are added to earlier ones
FORMAT = 3  # of bench.json: what was kept in another one is measured again


REQUESTS = {"lockd": "`g KEY`, `r KEY`", "floor": "the same", "redis": "`SET KEY 1 NX`, `DEL KEY`",
            "memcached": "`add KEY 0 0 1` with the value `1`, `delete KEY`"}
VERSIONS = {"memcached": ("memcached", "-V"), "redis": ("redis-server", "--version")}

# ---- what is kept


def environment(plan: Plan) -> dict:
    cache = (BUILD / "CMakeCache.txt").read_text()
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.MULTILINE)[1]
    flags = re.search(r"^CMAKE_CXX_FLAGS_RELEASE:\w+=(.*)$", cache, re.MULTILINE)[1]
    return {"commit": records.commit(), "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "machine": records.machine(), "kernel": records.output_of("uname", "-sr"),
            "compiler": f"{records.output_of(compiler, '--version').splitlines()[0]}, {flags}",
            **{kind: shown_server(kind) for kind in REQUESTS}, "key": "21 bytes: `load-00007-0000000000`",
            "pairs": plan.pairs, "seconds of a round": plan.seconds}


def shown_server(kind: str) -> str:
    """How it is started, and what it is asked for."""
    try:
        command = f"`{shown_command(kind)}`"
        version = f"{version_of(*VERSIONS[kind])}: " if kind in VERSIONS else ""
    except Failed:
        return "not there"
    return f"{version}{command}; {REQUESTS[kind]}"


def version_of(name: str, flag: str) -> str:
    done = subprocess.run([program(name), flag], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)*", done.stdout)
    return found.group() if found else "unknown"


def folder_of(plan: Plan) -> Path:
    return QUICK if plan.quick else REPORT


def load_kept(folder: Path = REPORT) -> dict:
    kept = folder / "bench.json"
    parts = json.loads(kept.read_text()) if kept.exists() else {}
    return {name: part for name, part in parts.items() if part.get("format") == FORMAT}


def earlier_of(folder: Path, part: str, measured_in: dict) -> dict | None:
    """The same part, as it was measured under the same circumstances: nobody is to pick the best of several draws. What
    a tree has that is not committed nobody knows later, and what --quick finds means nothing."""
    earlier = load_kept(folder).get(part)
    if earlier is None or folder == QUICK or measured_in["commit"].endswith("+"):
        return None
    differing = {key for key, _ in earlier["environment"].items() ^ measured_in.items()}
    return None if differing - set(OF_EACH_DRAW) else earlier


def earlier_rounds(folder: Path, part: str, measured_in: dict) -> dict[str, Rounds]:
    earlier = earlier_of(folder, part, measured_in)
    return earlier["rounds"] if earlier else {}


def keep(folder: Path, part: str, result: Result, measured_in: dict) -> None:
    """Beside the parts that were measured earlier, and in the place of what this part was: its rounds are among the
    result's, if they are of the same circumstances."""
    kept = load_kept(folder)
    if earlier := earlier_of(folder, part, measured_in):
        both = {key: f"{earlier['environment'][key]}, {measured_in[key]}" for key in OF_EACH_DRAW if key in measured_in}
        measured_in = measured_in | both
    kept[part] = {"format": FORMAT, "environment": measured_in, "rounds": result.rounds,
                  "figures": [figure.as_json() for figure in result.figures]}
    in_order = {each.name: kept[each.name] for each in PARTS if each.name in kept}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(in_order, indent=1) + "\n")


def figures_of(kept: dict, part: str) -> list[Figure]:
    return [Figure.from_json(figure) for figure in kept[part]["figures"]]


# ---- tables


def shown(value: float, unit: str) -> str:
    if unit in ("ratio", "ms", "s", "calls", "lines", "allocations"):
        return f"{value:.3f}" if value < 10 else f"{value:.1f}"
    if unit == "%":
        return f"{value:.1f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def shown_estimate(estimate: Estimate, unit: str) -> str:
    text = shown(estimate.value, unit)
    if estimate.low is not None:
        text += f" [{shown(estimate.low, unit)}, {shown(estimate.high, unit)}]"
    return text


def shown_throughput(figure: Figure) -> str:
    if figure.throughput:
        return shown_estimate(figure.throughput, figure.unit)
    return f"server's core {figure.busy:.0%} busy: processor time alone" if figure.busy is not None else ""


def shown_pairs(figure: Figure) -> str:
    """Of which the figure is made, of how many."""
    if not figure.over_all:
        return ""
    made_of, measured = figure.estimate.count, figure.over_all.count
    return f"all {measured}" if made_of == measured else f"{made_of} of {measured}"


def shown_over_all(figure: Figure) -> str:
    return shown_estimate(figure.over_all, figure.unit) if figure.over_all else ""


def shown_target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    text = f"{'≥' if figure.target.at_least else '≤'} {shown(figure.target.bound, figure.unit)}"
    text += f", aim {figure.target.aim:g}" if figure.target.aim is not None else ""
    return text + (" (our own)" if figure.target.is_own else "")


def row_of(figure: Figure) -> str:
    unit = "" if figure.unit == "ratio" else f" {figure.unit}"
    name = figure.name + (f" ({figure.note})" if figure.note else "")
    return (f"| {name} | {shown_target(figure)} | {shown_estimate(figure.estimate, figure.unit)}{unit} | "
            f"{shown_pairs(figure)} | {shown_over_all(figure)} | {shown_throughput(figure)} | {figure.verdict} |")


def table_of(figures: list[Figure]) -> str:
    head = ["| | target | measured | pairs | over all pairs | requests a second | outcome |",
            "|---|---|---|---|---|---|---|"]
    return "\n".join([*head, *map(row_of, figures)])


def table_of_bounds(figures: list[Figure]) -> str:
    """What a target against a peer asks of lockd by the floor, which is as far as a server without locks gets. Nothing
    where the floor was not measured beside a peer."""
    floor = {figure.name: figure for figure in figures}
    rows = [(figure, beside) for figure in figures if figure.target and "lockd against" in figure.name
            and (beside := floor.get(figure.name.replace("lockd against", "floor against")))]
    head = ["| | lockd's target | lockd | the floor | the target, by the floor |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(row_of_bound(*row) for row in rows)]) if rows else ""


def row_of_bound(ours: Figure, beside: Figure) -> str:
    floor, target = beside.estimate, ours.target
    beyond = "" if target.is_met_by(floor.value if floor.high is None else floor.high) else ": beyond it"
    name, measured = ours.name.replace(": lockd", ""), shown_estimate(ours.estimate, ours.unit)
    return (f"| {name} | {shown_target(ours)} | {measured} | {shown_estimate(floor, beside.unit)} | "
            f"{target.bound / floor.value:.2f}{beyond} |")


def not_measured(kept: dict) -> str:
    """The parts that are missing, and with them their targets."""
    missing = [f"{part.name} ({part.what})" for part in PARTS if part.name not in kept]
    return f"Not measured: {'; '.join(missing)}." if missing else ""


STOLEN = ("server_stolen", "load_stolen")
ROUNDS_HEAD = """\
| | requests/s | server's ns a request | server busy | rounds | load waited | stolen | p50 us | p99 us | p99.9 us |
|---|---|---|---|---|---|---|---|---|---|"""


def table_of_rounds(what: str, rounds: Rounds) -> str:
    lines = [f"{what}, medians of the rounds; *busy* is the part of the time in which the server worked, the rounds "
             f"beside it are those in which it did for {BUSY_LEAST:.0%} or more, *waited* the part in which the load "
             "had no reply to read, *stolen* what a hypervisor took of the server's core, and of the load's, in the "
             "mean:", "", ROUNDS_HEAD]
    return "\n".join([*lines, *(row_of_rounds(side, each) for side, each in rounds.items())])


def row_of_rounds(side: str, rounds: list[dict]) -> str:
    middle = medians(rounds)
    stolen = ", ".join(f"{statistics.mean(each.get(of, 0) for each in rounds):.1%}" for of in STOLEN)
    return (f"| {side} | {middle['requests_per_second']:,.0f} | {middle['cpu_ns_per_request']:,.0f} | "
            f"{middle['server_busy']:.0%} | {sum(map(is_busy, rounds))} of {len(rounds)} | "
            f"{middle['load_waited']:.0%} | {stolen} | {middle['p50_us']:,.0f} | {middle['p99_us']:,.0f} | "
            f"{middle['p999_us']:,.0f} |")


def summary_of(figures: list[Figure]) -> str:
    """How many targets are met, those of our own counted apart, and which are not."""
    asked, own = ([figure for figure in figures if figure.target and figure.target.is_own is is_own]
                  for is_own in (False, True))
    lines = [f"{len(asked)} target{'s' if len(asked) != 1 else ''}: {counted(asked)}"]
    if own:
        lines[0] += f"; and {len(own)} of our own: {counted(own)}"
    for outcome in (Outcome.NOT_MET, Outcome.NOT_SHOWN):
        lines += [f"{outcome}: {figure.name}: {shown_estimate(figure.estimate, figure.unit)}, {shown_target(figure)}"
                  for figure in figures if figure.outcome == outcome]
    return "\n".join(lines)


def counted(figures: list[Figure]) -> str:
    found = Counter(figure.outcome for figure in figures)
    return ", ".join(f"{found[outcome]} {outcome}" for outcome in Outcome)


HOW_TO_READ = """\
Figures are of lockd unless they name another. A ratio is the median over pairs of rounds, one of each side right after
the other, with the interval in which the median lies with a confidence of 95 % or more, by order statistics: they
suppose that the pairs are independent, and nothing about the spread. The servers are started anew for each pair, or for
every third one. "Measured" is by the server's processor time for a request, user and system of all its threads, and
above 1 where lockd takes less: of the pairs alone in which both servers kept their core at least 98 % busy, so many
"of" those that were measured, which stand beside it all together. The rounds go on until enough pairs count, and none
is left out by what it says. Where hardly any pair counts, "measured" is of them all. Requests a second, and whatever
else a clock takes, are of the pairs that count.

A target is *met* or *not met* where the whole interval is on one side of it, and *not shown* where the interval holds
it: then more rounds are needed, or a quieter machine."""


def shown_environment(kept: dict) -> str:
    """Of all parts; what differs between them stands with its parts."""
    rows = []
    for key in dict.fromkeys(key for result in kept.values() for key in result["environment"]):
        parts_by_value: dict[str, list[str]] = {}
        for part, result in kept.items():
            parts_by_value.setdefault(str(result["environment"].get(key, "unknown")), []).append(part)
        several = len(parts_by_value) > 1
        values = [f"{value} ({', '.join(parts)})" if several else value for value, parts in parts_by_value.items()]
        rows.append(f"| {key} | {'; '.join(values)} |")
    return "\n".join(["| | |", "|---|---|", *rows])


def page_of(kept: dict, plots: list[Plot]) -> str:
    figures = [figure for part in kept for figure in figures_of(kept, part)]
    targets = [figure for figure in figures if figure.target]
    drawn = {plot.name: f"![{plot.caption}]({plot.name}.svg)\n\n*{plot.caption}*" for plot in plots}
    blocks = ["# How fast lockd is", listed(summary_of(figures)), not_measured(kept), drawn.pop("bench_targets", ""),
              "## Every target", table_of(targets), HOW_TO_READ, "## Beside others", *drawn.values(),
              "## Where it was measured", shown_environment(kept)]
    for part in PARTS:
        if part.name in kept:
            blocks += [f"## {part.name}: {part.what}", table_of(figures_of(kept, part.name))]
            blocks += [table_of_rounds(what, rounds) for what, rounds in kept[part.name]["rounds"].items()]
    return "\n\n".join(filter(None, blocks)) + "\n"


def listed(summary: str) -> str:
    first, *others = summary.split("\n")
    return "\n".join([f"**{first}**", *([""] if others else []), *(f"- {other}" for other in others)])


def plots_of(kept: dict) -> list[Plot]:
    figures = {part: figures_of(kept, part) for part in kept}
    targets = [targets_plot(list(chain(*figures.values())))] if any(
        figure.target for figure in chain(*figures.values())) else []
    ratios = ratio_plots(kept["ratios"]) if "ratios" in kept else ()
    return [*targets, *ratios, *(plot for part in figures for plot in figure_plots(part, figures[part]))]


STYLE = """\
body { font: 15px/1.5 sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0; font-size: 13px } h2 { margin-top: 2.5em }
td, th { border-bottom: 1px solid #ddd; padding: 3px 10px 3px 0; text-align: left; vertical-align: top }
img { max-width: 100% }"""


def write(folder: Path) -> list[str]:
    """The report; returns what of it could not be made, and why."""
    kept = load_kept(folder)
    if not kept:
        return []
    missing, plots = [], plots_of(kept)
    try:
        for plot in plots:
            draw(folder, plot)
    except Failed as failure:
        missing, plots = [str(failure)], []
    page = page_of(kept, plots)
    (folder / "bench.md").write_text(page)
    if problem := write_html(folder, page):
        missing.append(problem)
    return missing


def write_html(folder: Path, page: str) -> str:
    try:
        done = subprocess.run(["cmark-gfm", "--extension", "table"], input=page, capture_output=True, text=True,
                              check=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as failure:
        return f"{PAGE} was not written: {failure}; `ci/install-deps bench` installs cmark-gfm"
    (folder / PAGE).write_text('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
                               f"<title>How fast lockd is</title>\n<style>\n{STYLE}\n</style></head>\n"
                               f"<body>\n{done.stdout}</body></html>\n")
    return ""
