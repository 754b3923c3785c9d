"""Lets each allocation and each system call of the daemon fail, one in each run, and looks at what it does then.

What is counted is one phase of the daemon's life: `start` (up to the ready lines), `serve` (a fixed workload, one I/O
thread), `threads` (the same with four, where the numbers of the calls vary), `websockets` (the same as `serve`, of
clients that speak WebSocket) and `stop` (from SIGTERM on). A run without a fault counts the calls; then there is one
run for each of them and each way in which it may fail. The process may end with status 1 and words on stderr, or one
connection be lost; otherwise all is to be as if nothing had happened. A line for each kind says how many points were
exercised, of how many that were counted; one that was not reached is none.

Several runs at once, as most of a run is waiting.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server/e2e"))

import workload
from canaries import CANARIES
from control import DEEDS, Control, number_of
from kinds import PHASES
from victim import Finding, Victim
from web_party import WebParty
from world import Gone, Party, World

PROGRESS_SECONDS = 10.0
TOKENS_BEFORE, TOKENS_BEHIND = "lockd has given out no token from ", " on\n"


class Run:
    """One daemon, one fault. `outcome` says how it took it."""

    def __init__(self, phase: str, kind: str, at: int, fault: str) -> None:
        self.phase, self.kind, self.at, self.fault = phase, kind, at, fault
        self.reached = False
        self.counts: dict[str, int] = {}
        self.outcome = ""
        self.finding = ""

    def __str__(self) -> str:
        return f"ci/torture --phase {self.phase} --kind {self.kind} --fault {self.fault} --at {self.at}"

    def play(self) -> None:
        """Throws a Finding."""
        with tempfile.TemporaryDirectory(prefix="lockd-torture-") as folder:
            room = Path(folder)
            control = Control(room / "control", self.kind, self.at, self.fault)
            if self.phase == "start":
                (room / "tokens").write_text(f"{TOKENS_BEFORE}1{TOKENS_BEHIND}")
                control.arm()
            victim = Victim(room, control, self._flags(room))
            try:
                self._live(victim, control, room)
            finally:
                self.reached, self.counts = control.fired, control.counts()
                victim.kill()
                control.close()

    def _flags(self, room: Path) -> list[str]:
        scheme = "ws" if self.phase == "websockets" else "tcp"
        flags = ["--threads", "4" if self.phase == "threads" else "1", "--listen", f"{scheme}://127.0.0.1:0"]
        if self.phase in ("start", "stop"):
            flags += ["--listen", f"unix://{room}/socket", "--state-dir", str(room), "--pidfile", str(room / "pid")]
        return flags + workload.LIMITS

    def _live(self, victim: Victim, control: Control, room: Path) -> None:
        listeners = 2 if self.phase in ("start", "stop") else 1
        uris = victim.ready(listeners)
        if self.phase == "start":
            control.disarm()
        world = None
        try:
            if len(uris) < listeners:
                victim.exit_code()
                raise Gone("it does not start")
            world = World(victim, uris[0], WebParty if self.phase == "websockets" else Party)
            self._serve(world, control)
            self.outcome = "lost a connection" if world.lost else "unharmed"
            if self.kind == "epoll_add" and world.lost and os.strerror(number_of(self.fault)) not in victim.stderr():
                raise Finding(f"a socket can't be watched, and the log does not say why: {victim.stderr()}")
            self._stop(victim, control)
        except Gone as gone:
            if not victim.ended_by_itself():
                raise Finding(f"the daemon lives, but {gone}; stderr: {victim.stderr()}") from None
            self.outcome = "ended"
        if self.phase in ("start", "stop"):
            look_at_files(room, world)

    def _serve(self, world: World, control: Control) -> None:
        descriptors = world.victim.descriptors()
        if self.phase == "stop":
            workload.hold(world)
            return
        if self.phase != "start":
            control.arm()
        workload.hold(world) if self.phase == "start" else workload.serve(world)
        control.disarm()
        workload.look_over(world, descriptors)

    def _stop(self, victim: Victim, control: Control) -> None:
        if self.phase == "stop":
            control.arm()
        victim.terminate()
        code = victim.exit_code()
        if code != 0:
            raise Gone(f"it ends with {code}")
        if " critical: " in victim.stderr():
            raise Finding(f"it ended with 0, and says: {victim.stderr()}")


def look_at_files(room: Path, world: World | None) -> None:
    """No token that was given out is above the mark, and there is one whole file."""
    tokens = room / "tokens"
    if not tokens.exists():
        if world is not None:
            raise Finding("there is no file of tokens")
        return
    text = tokens.read_text()
    mark = text.removeprefix(TOKENS_BEFORE).removesuffix(TOKENS_BEHIND)
    if not mark.isdigit():
        raise Finding(f"the file of tokens holds {text!r}")
    if world is not None and int(mark) <= world.highest_token():
        raise Finding(f"the mark of tokens is {mark}, and {world.highest_token()} was given out")


def say(text: str) -> None:
    print(text, flush=True)


def played(run: Run) -> Run:
    """With its outcome, and its finding if there is one."""
    try:
        run.play()
    except Finding as finding:
        run.outcome, run.finding = "FINDING", str(finding)
    return run


class Torture:
    """All runs that are asked for."""

    def __init__(self, first: int, step: int, at_once: int) -> None:
        self.first, self.step = first, step
        self.findings = 0
        self.points = 0
        self._pool = ThreadPoolExecutor(at_once)

    def phase(self, phase: str, kinds: list[str]) -> None:
        dry = Run(phase, "", 0, "EIO")
        dry.play()
        if dry.outcome != "unharmed":
            raise Finding(f"without a fault the daemon {dry.outcome}")
        for kind, faults in PHASES[phase].items():
            if not kinds or kind in kinds:
                if not dry.counts[kind]:
                    raise Finding(f"no {kind} is counted")
                for fault in faults:
                    self._points(phase, kind, fault, dry.counts[kind])

    def _points(self, phase: str, kind: str, fault: str, counted: int) -> None:
        began = time.monotonic()
        outcomes: Counter[str] = Counter()
        first = self.first if self.first > 0 else max(1, counted + 1 + self.first)
        chosen = range(first, counted + 1, self.step)
        for run in with_progress(self._pool.map(played, (Run(phase, kind, at, fault) for at in chosen)), counted):
            self._note(run, outcomes)
        for at in itertools.count(max(first, counted + 1), self.step):  # there may be more than were counted
            if not self._note(played(Run(phase, kind, at, fault)), outcomes):
                break
        self.points += outcomes.total()
        shown = ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items()))
        say(f"{phase} {kind} {fault}: {outcomes.total()} points exercised of {counted} counted, "
            f"{time.monotonic() - began:.1f} s: {shown}")

    def _note(self, run: Run, outcomes: Counter[str]) -> bool:
        """Whether its fault was reached."""
        if run.reached:
            outcomes[run.outcome] += 1
        if run.finding:
            self.tell(run)
        return run.reached

    def tell(self, run: Run) -> None:
        self.findings += 1
        say(f"{run}\n    {run.finding}")


def with_progress(runs: Iterable[Run], counted: int) -> Iterator[Run]:
    said = time.monotonic()
    for run in runs:
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            print(f"{run.phase} {run.kind} {run.fault}: at {run.at} of {counted}", file=sys.stderr, flush=True)
        yield run


def missed_canaries(at_once: int) -> int:
    """How many of the faulty servers were not found out, or for another reason than their fault."""
    missed = 0
    runs = ThreadPoolExecutor(at_once).map(played, [Run(*point) for *point, _ in CANARIES])
    for run, (*_, words) in zip(runs, CANARIES, strict=True):
        seen = run.reached and words in run.finding
        missed += not seen
        say(f"{'seen' if seen else 'MISSED'}: {run}: {(run.finding or run.outcome)[:100]}")
    say(f"{len(CANARIES) - missed} canaries seen of {len(CANARIES)}")
    return missed


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ci/torture", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="of calls; all without")
    parser.add_argument("--phase", action="append", choices=list(PHASES), help="repeatable; all without")
    parser.add_argument("--from", dest="first", type=int, default=1, metavar="N",
                        help="the first call to fail (1); below 0 it is counted from the last")
    parser.add_argument("--step", type=int, default=1, metavar="S", help="then each S-th (1)")
    parser.add_argument("--at-once", type=int, default=4, metavar="N", help="runs at the same time (4)")
    parser.add_argument("--canaries", action="store_true", help="faults of the server that have to be found")
    one = parser.add_argument_group("one point again")
    one.add_argument("--kind")
    one.add_argument("--fault", help="an errno, or " + ", ".join(DEEDS))
    one.add_argument("--at", type=int, metavar="N")
    return parser.parse_args()


def points_of(asked: argparse.Namespace) -> Iterator[Run]:
    for phase in asked.phase or ["serve"]:
        for fault in [asked.fault] if asked.fault else PHASES[phase][asked.kind]:
            yield Run(phase, asked.kind, asked.at, fault)


def play_points(torture: Torture, runs: list[Run]) -> int:
    """What was not reached says nothing, so that it is no pass."""
    for run in map(played, runs):
        if run.finding:
            torture.tell(run)
        say(f"{run}: {run.outcome if run.reached else 'not reached'}")
    return 0 if not torture.findings and all(run.reached for run in runs) else 1


def main() -> int:
    asked = arguments()
    if asked.canaries:
        return 1 if missed_canaries(asked.at_once) else 0
    torture = Torture(asked.first, asked.step, asked.at_once)
    if asked.kind:
        return play_points(torture, list(points_of(asked)))
    began = time.monotonic()
    for phase in asked.phase or list(PHASES):
        try:
            torture.phase(phase, asked.kinds)
        except Finding as finding:
            torture.findings += 1
            say(f"{phase}: {finding}")
    cpu = sum(os.times()[:4])
    say(f"{torture.points} points exercised, {torture.findings} findings, "
        f"{time.monotonic() - began:.0f} s, {cpu:.0f} s of processor time")
    return 1 if torture.findings or torture.points == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
