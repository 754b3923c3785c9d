"""The reasons why mutants survive, and the report."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from mutation.operators import Mutant

KILLING = ("killed", "timeout")
REQUIRED = 98.0  # per cent of those that are not equivalent


def read_reasons(path: Path) -> dict[str, str]:
    """By a mutant's key. The file has paragraphs: lines `# reason`, then the keys of those that survive for it."""
    reasons: dict[str, str] = {}
    for paragraph in re.split(r"\n\s*\n", path.read_text() if path.exists() else ""):
        lines = paragraph.strip().splitlines()
        reason = " ".join(line[2:] for line in lines if line.startswith("# "))
        reasons |= {line: reason for line in lines if not line.startswith("#")}
    return reasons


class Verdicts:
    """What became of some mutants."""

    def __init__(self, mutants: list[Mutant], results: dict[str, dict], reasons: dict[str, str]) -> None:
        self.mutants = mutants
        self.results = results
        self.reasons = reasons

    def verdict(self, mutant: Mutant) -> str:
        """`killed`, `timeout`, `same code`, `equivalent` (for a reason), `unseen` (for a reason), `SURVIVED` (for
        none), or `due`."""
        verdict = self.results.get(mutant.key, {}).get("verdict", "due")
        if verdict != "survived":
            return verdict
        word = self.reasons.get(mutant.key, "").split(":")[0]
        return word if word in ("equivalent", "unseen") else "SURVIVED"

    def counts(self, mutants: Iterable[Mutant]) -> Counter[str]:
        return Counter(self.verdict(mutant) for mutant in mutants)

    def of(self, verdict: str) -> list[Mutant]:
        return [mutant for mutant in self.mutants if self.verdict(mutant) == verdict]

    def stale_reasons(self, all_mutants: list[Mutant]) -> list[str]:
        """Of mutants that there are not, or that are killed. (What takes too long here may survive on a faster
        machine: then its reason is needed.)"""
        need = ("equivalent", "unseen", "due", "timeout")
        survive = {mutant.key for mutant in all_mutants if self.verdict(mutant) in need}
        return [key for key in self.reasons if key not in survive]

    def per_cent(self, *equivalent: str) -> float:
        """Killed, of those that are not equivalent by one of these verdicts."""
        counts = self.counts(self.mutants)
        counted = counts.total() - sum(counts[verdict] for verdict in equivalent)
        return 100 * sum(counts[verdict] for verdict in KILLING) / counted if counted else 100.0


COLUMNS = ("killed", "timeout", "same code", "equivalent", "unseen", "SURVIVED", "due")


def table(verdicts: Verdicts, title: str, of: Callable[[Mutant], str]) -> list[str]:
    lines = [f"| {title} | mutants | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 2) + "|"]
    names = sorted({of(mutant) for mutant in verdicts.mutants})
    for name in [*names, "all"]:
        counts = verdicts.counts(mutant for mutant in verdicts.mutants if name in ("all", of(mutant)))
        cells = [str(counts[column]) for column in COLUMNS]
        lines.append(f"| {name} | {counts.total()} | {' | '.join(cells)} |")
    return [*lines, ""]


def summary(verdicts: Verdicts) -> str:
    counts = verdicts.counts(verdicts.mutants)
    killed = sum(counts[verdict] for verdict in KILLING)
    different = counts.total() - counts["same code"]
    return (f"{counts.total()} mutants, {counts['same code']} of them the same object code; of the other {different}, "
            f"{killed} killed ({verdicts.per_cent('same code'):.1f} %), {counts['equivalent']} equivalent for a reason "
            f"that is given; without these {verdicts.per_cent('same code', 'equivalent'):.1f} % killed, "
            f"{counts['unseen']} not to be seen by any test for a reason that is given, {counts['SURVIVED']} "
            f"surviving without a reason, {counts['due']} not run yet")


def write(verdicts: Verdicts, differences: Callable[[Mutant], str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    killers = Counter(verdicts.results[mutant.key]["suite"] for mutant in verdicts.mutants
                      if verdicts.verdict(mutant) in KILLING)
    lines = ["# Mutants", "", summary(verdicts) + ".", "", *table(verdicts, "file", lambda mutant: mutant.file),
             *table(verdicts, "operator", lambda mutant: mutant.operator),
             "| who killed first | mutants |", "|---|---|"]
    lines += [f"| {suite} | {count} |" for suite, count in killers.most_common()]
    for verdict in ("SURVIVED", "unseen", "equivalent"):
        lines += ["", f"## {verdict}", ""]
        for mutant in verdicts.of(verdict):
            lines += [verdicts.reasons.get(mutant.key, "no reason"), "", "```", mutant.key, differences(mutant), "```"]
    (folder / "mutants.md").write_text("\n".join(lines) + "\n")
    rows = [{"key": mutant.key, "operator": mutant.operator, "file": mutant.file, "line": mutant.line,
             "verdict": verdicts.verdict(mutant), "suite": verdicts.results.get(mutant.key, {}).get("suite", ""),
             "reason": verdicts.reasons.get(mutant.key, "")} for mutant in verdicts.mutants]
    (folder / "mutants.json").write_text(json.dumps({"summary": summary(verdicts), "mutants": rows}, indent=1) + "\n")
