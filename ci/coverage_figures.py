"""What ci/coverage makes of the JSON that `llvm-cov export` writes: outcomes, which of them were reached, and the text
of those that were not.

A decision is what a branch depends on; it consists of one condition or, joined by && and ||, of several. Its outcomes
are that each condition was true, was false, and, of several, that each was seen to decide by itself (MC/DC: two
evaluations that differ in the result, and of the conditions evaluated in this one alone). A template's decision stands
once: what one instantiation reaches is reached.

Left out is what no run is meant to reach, or nobody wrote: conditions of LOCKD_CHECK, which are never false; cases that
lead to nothing but a LOCKD_CHECK(false, ...); that a `switch` finds no case, of which the compilers see to it that all
are there; and comparisons that are `= default`.
"""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cpp_text import code_of, functions_of

Span = tuple[int, int, int, int]  # first line and column, last line and the column behind it; from 1 on
Words = tuple[str, str, str, str]  # file, function, decision, condition
ALONE = "alone"  # beside "true" and "false"


@dataclass(frozen=True)
class Outcome:
    file: str  # from the root of the tree
    decision: Span
    condition: Span
    what: str  # "true", "false" or ALONE


@dataclass(frozen=True, order=True)
class Missing:
    """An outcome that nothing reached, as it is explained: by its words, wherever they stand in the function."""

    file: str
    function: str
    decision: str
    condition: str
    what: str  # "true", "false", "either" or ALONE: of the first that is missing the others follow

    def words(self) -> Words:
        return self.file, self.function, self.decision, self.condition

    def __str__(self) -> str:
        where = f"`{self.decision}`" + (f", of which `{self.condition}`" if self.condition != self.decision else "")
        verdict = {"either": "not reached", ALONE: "not seen to decide alone"}.get(self.what, f"never {self.what}")
        return f"{self.file}: {self.function}: {where}: {verdict}"


class Source:
    """One file of the tree, for whoever has places in it."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.checks = [*_checks_in(self.lines), *_forbidden_cases_in(text)]
        code = code_of(text)
        self.functions = [(first, last, _name_of(code.split("\n"), first)) for first, last in functions_of(code)]

    def text_of(self, span: Span) -> str:
        first, column, last, behind = span
        lines = self.lines[first - 1 : last]
        lines[-1] = lines[-1][: behind - 1]
        lines[0] = lines[0][column - 1 :]
        return " ".join(" ".join(lines).split())

    def function_at(self, line: int) -> str:
        return next((name for first, last, name in self.functions if first <= line <= last), "")

    def is_left_out(self, span: Span) -> bool:
        line = self.lines[span[0] - 1]
        return (any(begin <= span[:2] < end for begin, end in self.checks) or line.endswith("= default;")
                or line[: span[1] - 1].endswith("switch ("))


@cache
def source(path: Path) -> Source:
    return Source(path.read_text())


def _checks_in(lines: list[str]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where each LOCKD_CHECK(...) begins and ends."""
    depth = 0
    begin = (0, 0)
    for number, line in enumerate(lines, 1):
        for token in re.finditer(r'LOCKD_CHECK\(|"(?:[^"\\]|\\.)*"|[()]', line):
            if depth == 0 and token.group() == "LOCKD_CHECK(":
                depth, begin = 1, (number, token.start() + 1)
            elif depth > 0 and token.group().endswith("("):
                depth += 1
            elif depth > 0 and token.group() == ")":
                depth -= 1
                if depth == 0:
                    yield begin, (number, token.end() + 1)


def _forbidden_cases_in(text: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where the cases begin and end behind whose switch stands that nobody comes there."""
    for found in re.finditer(r"(?:^ *case [\w:]+:\n)+(?= *break;\n *\}\n *LOCKD_CHECK\(false,)", text, re.MULTILINE):
        first = 1 + text.count("\n", 0, found.start())
        yield (first, 1), (first + found.group().count("\n"), 1)


def _name_of(code: list[str], first_line: int) -> str:
    """Of the function whose head begins there: what stands before the first parenthesis that is no type's."""
    head = " ".join(code[first_line - 1 : first_line + 9]).split("{")[0]
    names = re.findall(r"(operator\W{1,3}|operator bool|~?\w[\w:~]*(?:<[^<>()]*>::[~\w]+)?)\s*\(", head)
    names = [name for name in names if name not in ("requires", "decltype", "noexcept", "explicit")]
    return names[0].strip() if names else ""


def outcomes_in(export: dict, root: Path) -> dict[Outcome, bool]:
    """Each outcome of the files below `root` that clang counted, and whether it was reached."""
    reached: dict[Outcome, bool] = {}
    for function in export["data"][0]["functions"]:
        files = [_relative(name, root) for name in function["filenames"]]
        branches = [(files[branch[6]], tuple(branch[:4]), branch[4:6]) for branch in function["branches"]]
        decisions = [(files[0], tuple(record[:4]), record[6]) for record in function["mcdc_records"]]
        for outcome, is_reached in _of_function(decisions, branches):
            if outcome.file and not source(root / outcome.file).is_left_out(outcome.condition):
                reached[outcome] = reached.get(outcome, False) or is_reached
    return reached


def _relative(name: str, root: Path) -> str:
    return str(Path(name).relative_to(root)) if Path(name).is_relative_to(root) else ""


def _of_function(decisions: list, branches: list) -> Iterator[tuple[Outcome, bool]]:
    for file, condition, (true_count, false_count) in branches:
        around = [span for other, span, _ in decisions if other == file and _is_in(condition, span)]
        decision = min(around, key=_size, default=condition)
        yield Outcome(file, decision, condition, "true"), true_count > 0
        yield Outcome(file, decision, condition, "false"), false_count > 0
    for file, decision, shown in decisions:
        inside = sorted({span for other, span, _ in branches if other == file and _is_in(span, decision)})
        for number, is_shown in enumerate(shown if inside else []):  # else it is a macro's, and stands elsewhere
            condition = inside[number] if len(inside) == len(shown) else decision
            yield Outcome(file, decision, condition, ALONE), is_shown


def _is_in(inner: Span, outer: Span) -> bool:
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def _size(span: Span) -> tuple[int, int]:
    return span[2] - span[0], span[3] - span[1]


def missing_in(reached: dict[Outcome, bool], root: Path) -> dict[Missing, int]:
    """What nothing reached, one for each condition, and the line on which it stands first."""
    gaps: dict[tuple[str, Span, Span], set[str]] = {}
    for outcome, is_reached in reached.items():
        if not is_reached:
            gaps.setdefault((outcome.file, outcome.decision, outcome.condition), set()).add(outcome.what)
    found: dict[Missing, int] = {}
    for (file, decision, condition), whats in sorted(gaps.items()):
        what = "either" if {"true", "false"} <= whats else min(whats - {ALONE}, default=ALONE)
        found.setdefault(Missing(*_words_of(file, decision, condition, root), what), condition[0])
    return found


def words_in(reached: dict[Outcome, bool], root: Path) -> set[Words]:
    return {_words_of(outcome.file, outcome.decision, outcome.condition, root) for outcome in reached}


def _words_of(file: str, decision: Span, condition: Span, root: Path) -> Words:
    text = source(root / file)
    return file, text.function_at(condition[0]), text.text_of(decision), text.text_of(condition)


def lines_in(export: dict, root: Path) -> dict[str, tuple[int, int]]:
    """Of each file the lines that were reached and those that could be, as llvm-cov counts them."""
    return {_relative(file["filename"], root): (file["summary"]["lines"]["covered"], file["summary"]["lines"]["count"])
            for file in export["data"][0]["files"]}


def is_program(path: Path) -> bool:
    """As against what bears a program's name: a folder, or a file of its package."""
    return path.is_file() and path.stat().st_mode & stat.S_IXUSR != 0


# ---- explanations


@dataclass(frozen=True)
class Explanation:
    why: str
    by_chance: bool = False  # it is reached in some runs


def read_explanations(tables: dict) -> dict[Missing, Explanation]:
    """Of what ci/coverage_explained.toml holds: why nothing reaches what."""
    return {Missing(file, entry["in"], entry["decision"], entry.get("condition", entry["decision"]), entry["missing"]):
            Explanation(entry["why"], entry.get("by_chance", False))
            for file, entries in tables.items() for entry in entries}


def differences(missing: dict[Missing, int], explained: dict[Missing, Explanation],
                words: set[Words]) -> tuple[list[Missing], list[Missing]]:
    """What is not explained, and what is explained without need: reached by now, or gone. `words`: of all that is."""
    needless = [gap for gap in explained.keys() - missing.keys()
                if not explained[gap].by_chance or gap.words() not in words]
    return sorted(missing.keys() - explained.keys()), sorted(needless)
