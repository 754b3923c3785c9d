"""The tables of docs/performance.md, between marks; what stands around them is written by hand."""

import re
from pathlib import Path

import report
from plots import draw
from servers import ROOT, Failed

PAGE = ROOT / "docs/performance.md"
PAIRS_LEAST = 15  # of rounds
PLOTS = ("bench_targets", "bench_cpu")  # that the page shows
COSTS = ("syscalls", "instructions", "profile", "asio")  # these have places of their own


def begin(block: str) -> str:
    return f"<!-- ci/bench writes what follows: {block} -->\n"


def end(block: str) -> str:
    return f"<!-- ci/bench has written what precedes: {block} -->\n"


def replaced(page: str, block: str, text: str) -> str:
    if page.count(begin(block)) != 1 or page.count(end(block)) != 1:
        raise Failed(f"{PAGE.name} has lost the marks of {block}")
    first, last = page.index(begin(block)) + len(begin(block)), page.index(end(block))
    return page[:first] + "\n" + text + "\n\n" + page[last:]


def blocks_of(kept: dict) -> dict[str, str]:
    figures = {part: report.figures_of(kept, part) for part in kept}
    summary = report.listed(report.summary_of([figure for part in kept for figure in figures[part]]))
    plots = [f"![{plot.caption}]({plot.name}.svg)\n\n*{plot.caption}*" for plot in report.plots_of(kept)
             if plot.name in PLOTS]
    tables = [f"**{part}**\n\n{report.table_of(figures[part])}" for part in kept if part not in COSTS]
    shown = filter(None, [summary, report.not_measured(kept), *plots, *tables])
    blocks = {"machine": report.shown_environment(kept), "figures": "\n\n".join(shown)}
    blocks |= {part: report.table_of(figures[part]) for part in COSTS if part in kept}
    if "ratios" in kept:
        blocks["bounds"] = report.table_of_bounds(figures["ratios"])
        blocks["rounds"] = "\n\n".join(report.table_of_rounds(what, rounds)
                                       for what, rounds in kept["ratios"]["rounds"].items())
    return blocks


def write(kept: dict) -> None:
    if not kept:
        raise Failed("there are no results; ci/bench makes them")
    if few := [part for part, result in kept.items() if result["environment"]["pairs"] < PAIRS_LEAST]:
        raise Failed(f"measured by fewer than {PAIRS_LEAST} pairs: {', '.join(few)}")
    page = PAGE.read_text()
    for block, text in blocks_of(kept).items():
        page = replaced(page, block, text)
    for plot in report.plots_of(kept):
        if plot.name in PLOTS:
            draw(PAGE.parent, plot)
            tidy(PAGE.parent / f"{plot.name}.svg")
    PAGE.write_text(page)


def tidy(image: Path) -> None:
    """As every file of the tree: no blanks at the end of a line, one line feed at the end of the file."""
    image.write_text(re.sub(r"[ \t]+$", "", image.read_text(), flags=re.MULTILINE).rstrip("\n") + "\n")
