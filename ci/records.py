"""What is kept of a run for the ledger: a part of what is claimed, the figures that its commands print, what these have
to be, and on which commit and machine it was."""

import os
import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "build/report"
BY_HAND = REPORT / "by_hand"  # what ci/record keeps

# ---- figures


def added(found: list[str]) -> int:
    return sum(map(int, found))


def smallest(found: list[str]) -> int:
    return min(map(int, found))


def distinct(found: list[str]) -> int:
    return len(set(found))


def span(found: list[tuple[str, str]]) -> int:
    """Of `seeds FIRST to LAST`."""
    return sum(int(last) - int(first) + 1 for first, last in found)


@dataclass(frozen=True)
class Figure:
    """What a part prints, and what it has to be."""

    pattern: str  # searched line by line
    least: float = 1
    most: float | None = None
    of: Callable[[list], float] = added  # what is made of all that the pattern's groups match; len() counts

    def read(self, log: str) -> float | None:
        found = re.findall(self.pattern, log, re.MULTILINE)
        return self.of(found) if found or self.of is len else None

    def trouble(self, number: float | None) -> str:
        """Nothing, or what is wrong with it."""
        if number is None:
            return "is not printed"
        if number < self.least:
            return f"is {number:,}, and has to be at least {self.least:,}"
        if self.most is not None and number > self.most:
            return f"is {number:,}, and may be at most {self.most:,}"
        return ""


def none_of(pattern: str, of: Callable[[list], float] = added) -> Figure:
    return Figure(pattern, least=0, most=0, of=of)


# ---- parts


@dataclass(frozen=True)
class Part:
    """It passes if all its commands exit with 0, and each figure is what it has to be."""

    name: str
    techniques: str  # as docs/verification.md numbers them
    claim: str
    limits: str  # what the claim does not say: what is merged, bounded or assumed
    commands: list[str]  # for bash, at the root of the tree, one after the other
    figures: dict[str, Figure]
    targets: list[str] = field(default_factory=list)  # of build/release, to be built ahead
    minutes: int = 1  # about so long, beside another part: the longest ones begin first
    alone: bool = False  # measures how fast something is: nothing runs beside it
    seconds_max: int | None = None  # what takes longer has not passed
    depends: tuple[str, ...] = ()  # by hand: git's patterns of the files that its result depends on; none: on all

    @property
    def seconds_until_ended(self) -> int:
        return max(600, 4 * 60 * self.minutes)

    @property
    def described(self) -> dict[str, str]:
        return {"techniques": self.techniques, "claim": self.claim, "limits": self.limits}

    def figures_in(self, log: str) -> dict[str, float]:
        """Of those that are printed; the commands themselves, which stand in the log too, print nothing."""
        log = re.sub(r"^\$ .*$", "", log, flags=re.MULTILINE)
        read = {name: figure.read(log) for name, figure in self.figures.items()}
        return {name: number for name, number in read.items() if number is not None}

    def troubles(self, figures: dict[str, float], seconds: float) -> list[str]:
        found = [f"{name} {trouble}" for name, figure in self.figures.items()
                 if (trouble := figure.trouble(figures.get(name)))]
        if self.seconds_max is not None and seconds > self.seconds_max:
            found.append(f"it took {seconds:,} s, and may take {self.seconds_max:,}")
        return found


def result_of(part: Part, on: str, seconds: float, figures: dict[str, float], why: str) -> dict:
    """As it is kept; it has passed if there is no `why` not."""
    return {"part": part.name, "commit": on, "date": today(), "machine": machine(), "seconds": seconds,
            "passed": not why, "why": why, "figures": figures}


def shown(figures: dict[str, float]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in figures.items())


# ---- where and when


def output_of(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def commit(but: Iterable[Path] = ()) -> str:
    """With a plus sign where the tree is not what was committed, `but` these files."""
    name = output_of("git", "rev-parse", "--short=10", "HEAD")
    left_out = [f":!{path.relative_to(ROOT)}" for path in but]
    changed = output_of("git", "--no-optional-locks", "status", "--porcelain", "--", ".", *left_out)
    return name + ("+" if changed else "")


def today() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%d")


def machine() -> str:
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{os.cpu_count()} cores, {model.group(1) if model else 'of an unknown kind'}"
