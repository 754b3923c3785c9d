"""The table technique x fault: whole for the report, one character to a technique for docs/verification.md."""

import json
import string
from pathlib import Path

from faults_results import KILLING
from faults_techniques import TECHNIQUES

BEGIN = "<!-- ci/faults writes what follows -->\n"
END = "<!-- ci/faults has written what precedes -->\n"
LETTERS = dict(zip([technique.name for technique in TECHNIQUES], string.ascii_letters))


def trouble_with(row: dict) -> str:
    """Nothing, or why this fault is not killed as it should be: by two families of techniques, or by one for a
    reason. Where not all techniques were run, only that none kills it counts."""
    if row.get("trouble"):
        return row["trouble"]
    if row["results"] and not row["killers"]:
        return "is killed by none"
    if not row["complete"]:
        return ""
    killers = ", ".join(row["killers"])
    if len(row["families"]) == 1 and not row["why_one"]:
        return f"is killed by techniques of one family ({killers}) alone, and its patch does not say why"
    if len(row["families"]) > 1 and row["why_one"]:
        return f"is killed by {killers}, and its patch says why by one family alone"
    return ""


def kills_of(name: str, rows: list[dict]) -> int:
    return sum(name in row["killers"] for row in rows)


def summary_of(rows: list[dict]) -> str:
    counts = [len(row["families"]) for row in rows if row["results"]]
    return (f"{len(rows)} faults; {sum(count > 1 for count in counts)} killed by two families of techniques or more, "
            f"{counts.count(1)} by one, {counts.count(0)} by none; "
            f"{sum(not row['complete'] for row in rows)} not run by every technique that can see them.")


def write_report(folder: Path, rows: list[dict]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faults.json").write_text(json.dumps(rows, indent=2) + "\n")
    lines = ["| fault | " + " | ".join(LETTERS) + " | killed by |", "|---" * (len(LETTERS) + 2) + "|"]
    for row in rows:
        cells = [row["results"].get(name, "-") for name in LETTERS]
        lines.append(f"| {row['fault']} | {' | '.join(cells)} | {len(row['killers'])} |")
    lines.append(f"| **kills** | {' | '.join(str(kills_of(name, rows)) for name in LETTERS)} | |")
    troubles = [f"- {row['fault']} {trouble}" for row in rows if (trouble := trouble_with(row))]
    parts = ["# Planted faults", summary_of(rows), "\n".join(lines), "\n".join(troubles)]
    (folder / "faults.md").write_text("\n\n".join(part for part in parts if part) + "\n")


# ---- docs/verification.md


def text_for_docs(rows: list[dict], commit: str) -> str:
    alone = [row for row in rows if len(row["families"]) == 1]
    by = {row["fault"]: f"- `{row['fault']}` by {', '.join(row['killers'])}" for row in alone}
    reasons = [f"{by[row['fault']]}: {row['why_one']}" for row in alone if row["why_one"]]
    without = [by[row["fault"]] for row in alone if not row["why_one"]]
    parts = [f"Commit {commit}. {summary_of(rows)}", legend(rows), matrix(rows)]
    parts += ["By techniques of one family alone, for a reason:", "\n".join(reasons)] if reasons else []
    parts += ["By those of one family as yet, without a reason:", "\n".join(without)] if without else []
    return "\n\n".join(["", *parts, ""])


def legend(rows: list[dict]) -> str:
    lines = ["| | technique | family | | faults shown | killed |", "|---|---|---|---|---|---|"]
    for technique in TECHNIQUES:
        shown = sum(technique.name in row["results"] for row in rows)
        lines.append(f"| {LETTERS[technique.name]} | {technique.name} | {technique.family} | {technique.what} | "
                     f"{shown} | {kills_of(technique.name, rows)} |")
    return "\n".join(lines)


def matrix(rows: list[dict]) -> str:
    """A line for each fault, with the letters of those that kill it, a dot for who was shown it in vain, and a question
    mark for who was not shown it, and could see it."""
    width = max(len(row["fault"]) for row in rows)
    return "\n".join(["```", *(matrix_line(row, width) for row in rows), "```"])


def matrix_line(row: dict, width: int) -> str:
    cells = "".join(cell(row, name) for name in LETTERS)
    return f"{row['fault']:<{width}}  {', '.join(row['clauses']):<10}  {cells}".rstrip()


def cell(row: dict, name: str) -> str:
    if name not in row["techniques"]:
        return " "
    verdict = row["results"].get(name, "not run")
    return LETTERS[name] if verdict in KILLING else "." if verdict == "survived" else "?"


def page_with(page: str, text: str) -> str:
    return page[: page.index(BEGIN) + len(BEGIN)] + text + page[page.index(END):]
