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

from figures import Figure
from servers import BOUND_TO_US, BUILD, Failed, Server, running

LOAD = BUILD / "bench/load"

Rounds = dict[str, list[dict]]  # what the load generator said of each, by the side that it was measured on


@dataclass(frozen=True)
class Plan:
    """How it is measured."""

    pairs: int
    seconds: float  # of a round
    server_core: int
    load_core: int
    quick: bool = False
    threads: int | None = None  # up to how many are measured; none: as many as there are cores for

    @property
    def round_seconds(self) -> float:
        """With what comes before and after it."""
        return 1.1 * self.seconds + 0.1


@dataclass
class Result:
    """Of a part."""

    figures: list[Figure] = field(default_factory=list)
    rounds: dict[str, Rounds] = field(default_factory=dict)  # by what was measured

    def add(self, what: str, rounds: Rounds, figures: list[Figure]) -> None:
        self.rounds[what] = rounds
        self.figures += figures


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
        """One round."""
        return result_of(self.start_load(server, **options))

    def start_load(self, server: Server, **options: object) -> subprocess.Popen:
        """A round that goes on while its caller does something; result_of() takes it."""
        return subprocess.Popen(self.load_command(server, **options), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def alternate(self, what: str, sides: dict[str, Callable[[], dict]]) -> Rounds:
        """A round of each side in turn, again and again; each second time in the reverse order, so that none gains by
        its place."""
        rounds: Rounds = {name: [] for name in sides}
        for number in range(self.plan.pairs):
            order = list(sides) if number % 2 == 0 else list(reversed(sides))
            if number == 0 or sys.stderr.isatty():
                self.progress.say(f"{what}, round {number + 1} of {self.plan.pairs} of {', '.join(sides)}")
            for name in order:
                rounds[name].append(sides[name]())
        return rounds

    def alternate_servers(self, what: str, servers: dict[str, Server], **options: object) -> Rounds:
        """The same load for each."""
        return self.alternate(what, {name: partial(self.load, server, **options) for name, server in servers.items()})

    def alternate_loads(self, what: str, server: Server, loads: dict[str, dict]) -> Rounds:
        """Several loads, by their names, for the same server."""
        return self.alternate(what, {name: partial(self.load, server, **load) for name, load in loads.items()})


def result_of(process: subprocess.Popen) -> dict:
    out, error = process.communicate()
    if process.returncode != 0:
        raise Failed(f"{error.strip() or 'the load generator failed'} ({' '.join(process.args)})")
    return json.loads(out)


def all_servers(bench: Bench, stack: ExitStack, kinds: Sequence[str]) -> dict[str, Server]:
    return {kind: stack.enter_context(bench.server(kind)) for kind in kinds}


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
    found = re.findall(r"^cpu(\d+) (.*)$", stat, re.MULTILINE)
    rows = [[int(tick) for tick in ticks.split()[:8]] for core, ticks in found if int(core) in cores]
    return sum(sum(row) - row[3] - row[4] for row in rows), sum(map(sum, rows))  # 3 and 4: idle, and waiting for a disk
