"""What is made of measured rounds: ratios of pairs, the median, its interval, and whether a target is met."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

CONFIDENCE = 0.95


def interval_of_median(values: Sequence[float]) -> tuple[float, float] | None:
    """Two of the values between which the median of what they are drawn from lies, with a confidence of 95 % or more:
    order statistics, which suppose nothing about how the values are spread. None for fewer than six values."""
    count = len(values)
    beyond = 0.0  # the chance that the median lies below the value of rank `rank`, or above its mirror image
    rank = 0
    while rank < count // 2:
        beyond += 2 * math.comb(count, rank) / 2**count
        if beyond > 1 - CONFIDENCE:
            break
        rank += 1
    if rank == 0:
        return None
    ordered = sorted(values)
    return ordered[rank - 1], ordered[count - rank]


@dataclass(frozen=True)
class Estimate:
    """A median, with its interval where there are enough values."""

    value: float
    low: float | None
    high: float | None
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Estimate":
        low, high = interval_of_median(values) or (None, None)
        return cls(statistics.median(values), low, high, len(values))


@dataclass(frozen=True)
class Target:
    bound: float
    at_least: bool = True  # or else at most
    aim: float | None = None
    is_own: bool = False  # nobody asked for it: counted apart

    def is_met_by(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def is_aim_reached_by(self, value: float) -> bool:
        return self.aim is not None and (value >= self.aim if self.at_least else value <= self.aim)

    def missed_by(self, value: float) -> float:
        """As a part of the bound."""
        return abs(value - self.bound) / self.bound


class Outcome(StrEnum):
    """What can be said of a target after so many rounds."""

    MET = "met"
    NOT_MET = "not met"
    NOT_SHOWN = "not shown"  # the interval holds the target, or too few rounds count for there to be one


@dataclass(frozen=True)
class Figure:
    name: str
    unit: str  # "ratio", or what the value counts
    estimate: Estimate
    target: Target | None = None
    throughput: Estimate | None = None  # the same ratio of requests a second, of the pairs that count for it
    busy: float | None = None  # the median of how busy the server was, where throughput has too few pairs to be given
    note: str = ""
    doubt: str = ""  # why it shows nothing, whatever the interval
    over_all: Estimate | None = None  # the same of all pairs, those in which a server was not busy among them

    @property
    def outcome(self) -> Outcome | None:
        """None without a target. What is counted, once, has no interval and needs none."""
        if self.target is None:
            return None
        estimate = self.estimate
        if self.doubt or (estimate.low is None and estimate.count > 1):
            return Outcome.NOT_SHOWN
        ends = {self.target.is_met_by(end) for end in (estimate.low, estimate.high) if end is not None}
        ends = ends or {self.target.is_met_by(estimate.value)}
        return Outcome.NOT_SHOWN if len(ends) == 2 else Outcome.MET if ends == {True} else Outcome.NOT_MET

    @property
    def verdict(self) -> str:
        if self.outcome is Outcome.NOT_SHOWN:
            return f"not shown: {self.doubt or self._why_not_shown()}"
        if self.outcome is Outcome.NOT_MET:
            return f"not met, by {self.target.missed_by(self.estimate.value):.1%}"
        if self.outcome is Outcome.MET and self.target.is_aim_reached_by(self.estimate.value):
            return "met, and the aim"
        return self.outcome or ""

    def _why_not_shown(self) -> str:
        return f"{self.estimate.count} rounds are too few" if self.estimate.low is None else "the interval holds it"

    def as_json(self) -> dict:
        return asdict(self) | {"outcome": self.outcome, "verdict": self.verdict}

    @classmethod
    def from_json(cls, kept: dict) -> "Figure":
        def of(kind: type, name: str) -> object:
            return kind(**kept[name]) if kept[name] is not None else None

        others = {name: kept[name] for name in ("name", "unit", "busy", "note", "doubt")}
        return cls(**others, estimate=Estimate(**kept["estimate"]), target=of(Target, "target"),
                   throughput=of(Estimate, "throughput"), over_all=of(Estimate, "over_all"))


BUSY_LEAST = 0.98  # of its core, for a round to count
COUNTED_LEAST = 6  # pairs, for what they say to be given at all

Rounds = dict[str, list[dict]]  # what the load generator said of each, by the side that it was measured on
Pairs = list[tuple[dict, dict]]


def is_busy(server_round: dict) -> bool:
    """Whether its server kept its core busy: only then does the clock measure the server."""
    return server_round["server_busy"] >= BUSY_LEAST


def neighbours(rounds: Rounds, ours: str, theirs: str) -> Pairs:
    """Of each sweep one round of both sides, of which one came right after the other."""
    placed = {(each["sweep"], each["place"]): each for each in rounds[theirs]}
    found: dict[int, tuple[dict, dict]] = {}
    for own in rounds[ours]:
        for step in (-1, 1):
            if other := placed.get((own["sweep"], own["place"] + step)):
                found.setdefault(own["sweep"], (own, other))
    return list(found.values())


def counted_pairs(pairs: Pairs) -> Pairs:
    """Those in which both servers kept their core busy."""
    return [(own, other) for own, other in pairs if is_busy(own) and is_busy(other)]


def pairs_to_go_by(pairs: Pairs) -> Pairs:
    """Those that count, or all where these are too few."""
    counted = counted_pairs(pairs)
    return counted if len(counted) >= min(COUNTED_LEAST, len(pairs)) else pairs


def estimate_of(pairs: Pairs, key: str, parts: float = 1) -> Estimate:
    """Of ours by theirs, and that by `parts`."""
    return Estimate.of([own[key] / other[key] / parts for own, other in pairs])


def estimate_of_cpu(pairs: Pairs) -> Estimate:
    """Of theirs by ours: more is better."""
    return estimate_of([(other, own) for own, other in pairs], "cpu_ns_per_request")


@dataclass(frozen=True)
class Beside:
    """Two sides of what was measured in turn, the first one by the other."""

    rounds: Rounds
    ours: str
    theirs: str

    @property
    def pairs(self) -> Pairs:
        return neighbours(self.rounds, self.ours, self.theirs)


def ratio_of_clocks(name: str, key: str, beside: Beside, target: Target, parts: float = 1, note: str = "",
                    doubt: str = "") -> Figure:
    """Of what the clock measures (ours by theirs, and that by `parts`), of the pairs alone in which both servers were
    busy. Where those are too few, of all: it shows nothing then."""
    pairs = beside.pairs
    counted, over_all = counted_pairs(pairs), estimate_of(pairs, key, parts)
    if len(counted) < COUNTED_LEAST:
        few = f"in {len(counted)} of {len(pairs)} pairs alone both servers kept their core busy"
        return Figure(name, "ratio", over_all, target, note=note, doubt=doubt or few, over_all=over_all)
    return Figure(name, "ratio", estimate_of(counted, key, parts), target, note=note, doubt=doubt, over_all=over_all)


def ratio_of_pairs(name: str, beside: Beside, target: Target | None = None, note: str = "") -> Figure:
    """How good ours is against theirs: by the server's processor time for a request (theirs over ours), of the pairs in
    which both servers kept their core busy, or of all where those are too few; with requests a second (ours over
    theirs) of the same pairs."""
    pairs = beside.pairs
    counted = pairs_to_go_by(pairs)
    is_clock_right = all(is_busy(own) and is_busy(other) for own, other in counted)
    throughput = estimate_of(counted, "requests_per_second") if is_clock_right else None
    busy = statistics.median(min(own["server_busy"], other["server_busy"]) for own, other in pairs)
    return Figure(name, "ratio", estimate_of_cpu(counted), target, throughput, busy, note,
                  over_all=estimate_of_cpu(pairs))


def medians(rounds: list[dict]) -> dict:
    """Of each figure of the rounds by itself."""
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
