"""Rounds of load against servers, in turn, and how far it is."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from figures import Beside, Figure, Rounds, counted_pairs
from servers import BOUND_TO_US, BUILD, Failed, Server, running

LOAD = BUILD / "bench/load"

Sides = dict[str, Callable[[], dict]]  # what measures one round, by the name of what it measures
Start = Callable[[ExitStack], Sides]  # starts the servers, which end with the stack
SWEEPS_OF_DEAR_SERVERS = 3  # where it takes seconds to bring a server to what is measured


@dataclass(frozen=True)
class Plan:
    """How it is measured."""

    pairs: int  # that count, for each ratio with a target
    seconds: float  # of a round
    server_core: int
    load_core: int
    quick: bool = False
    threads: int | None = None  # up to how many are measured; none: as many as there are cores for

    @property
    def round_seconds(self) -> float:
        """With what comes before and after it."""
        return 1.1 * self.seconds + 0.1

    @property
    def sweeps_max(self) -> int:
        """However many pairs count by then."""
        return round(self.pairs * 8 / 3)


@dataclass
class Result:
    """Of a part."""

    figures: list[Figure] = field(default_factory=list)
    rounds: dict[str, Rounds] = field(default_factory=dict)  # by what was measured

    def add(self, what: str, rounds: Rounds, figures: list[Figure]) -> None:
        self.rounds[what] = rounds
        self.figures += figures

    def add_all(self, other: "Result") -> None:
        self.rounds |= other.rounds
        self.figures += other.figures


class Progress:
    """Tells on stderr what is being measured, and about how long it will take."""

    def __init__(self, seconds_by_part: dict[str, float]) -> None:
        self._left = dict(seconds_by_part)
        self._part = ""
        self._begun = time.monotonic()

    def begin(self, part: str, what: str) -> None:
        self._part, self._begun = part, time.monotonic()
        self.say(what)

    def end(self) -> None:
        self._left.pop(self._part)
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        left = self.seconds_left()
        line = f"about {f'{left / 60:.0f} min' if left > 90 else f'{left:.0f} s'} left; {self._part}: {text}"
        if sys.stderr.isatty():
            line = line[:shutil.get_terminal_size().columns - 1]  # what is wrapped could not be written over
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        else:
            print(f"ci/bench: {line}", file=sys.stderr, flush=True)

    def seconds_left(self) -> float:
        passed = min(time.monotonic() - self._begun, self._left.get(self._part, 0))
        return sum(self._left.values()) - passed


class Bench:
    """What the parts measure with."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self.plan = plan
        self.progress = progress
        self.left_out: list[str] = []  # what could not be measured beside the rest of a part, and why
        self.earlier: dict[str, Rounds] = {}  # of the part, by what was measured: what is measured now is added to them

    def kinds_here(self, kinds: Sequence[str]) -> list[str]:
        """Those that start here. Without a peer, or a kernel's permission, the others are measured still."""
        here = []
        for kind in kinds:
            try:
                with self.server(kind):
                    here.append(kind)
            except Failed as failure:
                if kind in ("lockd", "floor"):
                    raise
                self.leave_out(f"{kind}: {failure}")
        return here

    def leave_out(self, reason: str) -> None:
        if reason not in self.left_out:
            self.left_out.append(reason)

    def server(self, kind: str = "lockd", threads: int = 1, under: tuple[str, ...] = (), stderr: int | None = None):
        return running(kind, [self.plan.server_core], threads, under, stderr)

    def load_command(self, server: Server, seconds: float | None = None, core: int | None = None,
                     **options: object) -> list[str]:
        words = [*BOUND_TO_US, str(LOAD), "--port", str(server.port), "--pid", str(server.pid),
                 "--dialect", server.dialect, "--core", str(self.plan.load_core if core is None else core),
                 "--seconds", str(seconds or self.plan.seconds), "--warm-up-seconds", str(self.plan.seconds / 10)]
        if not options.get("hostile_keys"):  # of which there are not so many
            options.setdefault("first", server.first_of_next_round())
        for name, value in options.items():
            flag = "--" + name.replace("_", "-")
            words += [] if value is False else [flag] if value is True else [flag, str(value)]
        return words

    def load(self, server: Server, **options: object) -> dict:
        """One round, and the part of it for which a hypervisor took a core away."""
        before = Path("/proc/stat").read_text()
        figures = result_of(self.start_load(server, **options))
        now = Path("/proc/stat").read_text()
        return figures | {"server_stolen": stolen_share(before, now, self.plan.server_core),
                          "load_stolen": stolen_share(before, now, self.plan.load_core)}

    def start_load(self, server: Server, **options: object) -> subprocess.Popen:
        """A round that goes on while its caller does something; result_of() takes it."""
        return subprocess.Popen(self.load_command(server, **options), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def alternate(self, what: str, walk: Sequence[str], start: Start, judged: Sequence[tuple[str, str]] = (),
                  sweeps_of_a_start: int = 1) -> Rounds:
        """Sweeps of rounds along a walk over the sides, each second one backwards, so that none gains by its place.
        The servers are started anew for each sweep, or for so many: what a process has by chance, its seed and the
        places of its memory, is another one then. It goes on until as many pairs count as are wanted, of each two sides
        that are judged, but not for ever; no sweep is left out. What was measured earlier comes first, and does not
        shorten it."""
        rounds: Rounds = {name: [] for name in walk}
        earlier = self.earlier.get(what, {})
        before = 1 + max((each["sweep"] for of_side in earlier.values() for each in of_side), default=-1)
        with ExitStack() as servers:
            for sweep in range(self.plan.sweeps_max):
                if sweep >= self.plan.pairs and fewest_that_count(rounds, judged, sweep) >= self.plan.pairs:
                    break
                if sweep % sweeps_of_a_start == 0:
                    servers.close()
                    sides = start(servers)
                if sweep == 0 or sys.stderr.isatty():
                    self.progress.say(f"{what}, sweep {sweep + 1} of {self.plan.pairs} or more: {', '.join(walk)}")
                for place, name in enumerate(walk if sweep % 2 == 0 else reversed(walk)):
                    rounds[name].append(sides[name]() | {"sweep": before + sweep, "place": place})
        return {name: earlier.get(name, []) + of_side for name, of_side in rounds.items()}

    def loads_of_one(self, loads: dict[str, dict], **server: object) -> Start:
        """Several loads, by their names, for the same server."""
        def start(stack: ExitStack) -> Sides:
            lockd = stack.enter_context(self.server(**server))
            return {name: partial(self.load, lockd, **load) for name, load in loads.items()}
        return start

    def load_of_each(self, servers: dict[str, dict], **load: object) -> Start:
        """The same load for several servers, by their names."""
        def start(stack: ExitStack) -> Sides:
            return {name: partial(self.load, stack.enter_context(self.server(**options)), **load)
                    for name, options in servers.items()}
        return start


def fewest_that_count(rounds: Rounds, judged: Sequence[tuple[str, str]], otherwise: int) -> int:
    """Pairs, of any two sides that are judged."""
    return min((len(counted_pairs(Beside(rounds, *sides).pairs)) for sides in judged), default=otherwise)


def result_of(process: subprocess.Popen) -> dict:
    out, error = process.communicate()
    if process.returncode != 0:
        raise Failed(f"{error.strip() or 'the load generator failed'} ({' '.join(process.args)})")
    return json.loads(out)


def check_cores(plan: Plan) -> None:
    cores = os.sched_getaffinity(0)
    for core in (plan.server_core, plan.load_core):
        if core not in cores:
            raise Failed(f"server and load need a core each, and core {core} is not to be had; here there are: "
                         f"{', '.join(map(str, sorted(cores)))} (--server-core, --load-core)")
    if plan.server_core == plan.load_core:
        raise Failed("server and load need a core each: --server-core and --load-core")


def work_of_others(plan: Plan, seconds: float = 1.0) -> float:
    """The part of the time in which the cores are at work while nothing of ours is."""
    def ticks() -> tuple[int, int]:
        return worked_and_all(Path("/proc/stat").read_text(), {plan.server_core, plan.load_core})

    worked, passed = ticks()
    time.sleep(seconds)
    worked_now, passed_now = ticks()
    return (worked_now - worked) / max(1, passed_now - passed)


def worked_and_all(stat: str, cores: set[int]) -> tuple[int, int]:
    """Ticks of these cores since the machine started, as /proc/stat has them; those that a hypervisor took are work."""
    rows = ticks_of(stat, cores)
    return sum(sum(row) - row[3] - row[4] for row in rows), sum(map(sum, rows))  # 3 and 4: idle, and waiting for a disk


def stolen_share(before: str, now: str, core: int) -> float:
    """The part of this core's ticks that a hypervisor took between two readings of /proc/stat."""
    (row_before,), (row,) = (ticks_of(stat, {core}) for stat in (before, now))
    return (row[7] - row_before[7]) / max(1, sum(row) - sum(row_before))


def ticks_of(stat: str, cores: set[int]) -> list[list[int]]:
    found = re.findall(r"^cpu(\d+) (.*)$", stat, re.MULTILINE)
    return [[int(tick) for tick in ticks.split()[:8]] for core, ticks in found if int(core) in cores]
