"""The parts of ci/bench: each measures figures, with their targets, and the rounds that they are made of."""

import contextlib
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import costs
import memory
import peers
import threads
from crowd import Crowd, hostile_keys, key_of
from figures import Beside, Estimate, Figure, Target, ratio_of_pairs
from measuring import SWEEPS_OF_DEAR_SERVERS, Bench, Plan, Result, Sides, result_of
from servers import Failed, Server

WORKLOADS = ("own", "shared", "inspect", "hot")
HELD = 1_000_000
GROWTH_KEYS = 10_000  # of each connection, in turn: so many places of the table that no cache has them all
CROWD, FEW, CROWD_COSTS_MAX = 15_000, 15, 1.2
IDLE, IDLE_COSTS_MAX = 10_000, 1.03
SESSION_LOCKS = 100_000
DELAY_MS_MAX = 5.0
HOSTILE_HELD = (800, 1024)  # the rest of those that the load's 50 connections with 16 keys each leave


def waits(bench: Bench) -> Result:
    """Beside the plain rate with one request in flight, and with two: a hand-over's requests, a release and the next
    wait, go out in one piece. So the system calls of each stand beside the ratios."""
    pairs, one, two = "waiting pairs", "own keys, 1 in flight", "own keys, 2 in flight"
    loads = {pairs: {"workload": "waits"}, one: {}, two: {"depth": 2}}
    what = "50 connections in pairs that hand a lock over"
    rounds = bench.alternate(what, [one, pairs, two], bench.loads_of_one(loads), [(pairs, one), (pairs, two)])
    found = [ratio_of_pairs(f"waiting pairs against {plain}", Beside(rounds, pairs, plain), Target(0.8))
             for plain in (one, two)]
    for name, load in loads.items():
        found += costs.system_calls_of(bench, "lockd", name, **load)
    return Result(found, {what: rounds})


def other_workloads(bench: Bench) -> Result:
    """Without a target: what other requests cost beside those that have one."""
    result = Result()
    for depth in (1, 16):
        what = f"workloads of 50 connections, {depth} in flight"
        start = bench.loads_of_one({workload: {"workload": workload, "depth": depth} for workload in WORKLOADS})
        rounds = bench.alternate(what, ("shared", "own", "inspect", "own", "hot"), start)
        result.add(what, rounds, [
            ratio_of_pairs(f"{workload} against own keys, {depth} in flight", Beside(rounds, workload, "own"))
            for workload in WORKLOADS if workload != "own"])
    return result


def growth(bench: Bench) -> Result:
    """Two servers on one core, of which one sleeps while the other is asked."""
    result = Result()
    held = 10_000 if bench.plan.quick else HELD
    for depth, least in ((1, 0.9), (16, 0.6)):
        what = f"{held:,} locks held against 1,000, {depth} in flight"
        start = partial(start_with_held, bench, {"many": held, "few": 1_000}, depth)
        rounds = bench.alternate(what, ("many", "few"), start, [("many", "few")], SWEEPS_OF_DEAR_SERVERS)
        result.add(what, rounds, [ratio_of_pairs(what, Beside(rounds, "many", "few"), Target(least))])
    return result


def start_with_held(bench: Bench, counts: dict[str, int], depth: int, stack: ExitStack) -> Sides:
    """A server for each name, with so many locks held by others than those who ask."""
    sides: Sides = {}
    for name, count in counts.items():
        server = stack.enter_context(bench.server())
        crowd = stack.enter_context(Crowd(server))
        bench.progress.say(f"taking {count:,} locks")
        crowd.connect(100)
        crowd.take(map(key_of, range(count)))
        sides[name] = partial(bench.load, server, depth=depth, keys=GROWTH_KEYS)
    return sides


def crowds(bench: Bench) -> Result:
    """A shared lock, with many holders and with few."""
    result = Result()
    for workload, name in (("crowd", "get and release of"), ("crowd-inspect", "looking at")):
        for depth in (1, 16):
            crowd_of(bench, workload, name, depth, result)
    return result


def crowd_of(bench: Bench, workload: str, name: str, depth: int, result: Result) -> None:
    crowd = 1_500 if bench.plan.quick else CROWD
    what = f"{name} a shared lock with {crowd:,} holders against {FEW}, {depth} in flight"

    def start(stack: ExitStack) -> Sides:
        asked = partial(quiet_load, bench, stack.enter_context(bench.server()), workload=workload, depth=depth)
        return {"crowd": partial(asked, holders=crowd), "few": partial(asked, holders=FEW)}

    rounds = bench.alternate(what, ("crowd", "few"), start, [("crowd", "few")])
    result.add(what, rounds, [ratio_of_pairs(what, Beside(rounds, "crowd", "few"), Target(1 / CROWD_COSTS_MAX),
                                             f"{CROWD_COSTS_MAX} times the processor time at most")])


def quiet_load(bench: Bench, server: Server, **options: object) -> dict:
    """A round that does not pay for the end of those that came before it."""
    server.wait_until_quiet()
    return bench.load(server, **options)


def idle(bench: Bench) -> Result:
    count = 1_000 if bench.plan.quick else IDLE
    what = f"{count:,} idle connections beside 50 busy ones"
    crowded, alone = "beside idle ones", "alone"

    def start(stack: ExitStack) -> Sides:
        servers = {name: stack.enter_context(bench.server()) for name in (crowded, alone)}
        stack.enter_context(Crowd(servers[crowded])).connect(count)
        return {name: partial(bench.load, server) for name, server in servers.items()}

    rounds = bench.alternate(what, (crowded, alone), start, [(crowded, alone)], SWEEPS_OF_DEAR_SERVERS)
    return Result([ratio_of_pairs(what, Beside(rounds, crowded, alone), Target(1 / IDLE_COSTS_MAX),
                                  f"{IDLE_COSTS_MAX} times the processor time at most")], {what: rounds})


def session_end(bench: Bench) -> Result:
    count = 10_000 if bench.plan.quick else SESSION_LOCKS
    what = f"the end of a session with {count:,} locks"

    def start(stack: ExitStack) -> Sides:
        lockd = stack.enter_context(bench.server())
        return {"end": partial(one_end, bench, lockd, count), "no end": partial(one_end, bench, lockd, 0)}

    rounds = bench.alternate(what, ("end", "no end"), start)
    delay, usual = (Estimate.of([one["max_us"] / 1000 for one in rounds[side]]) for side in ("end", "no end"))
    doubt = "it is as long without an end: the cores had other work" if usual.value > DELAY_MS_MAX else ""
    note = f"the longest of about {rounds['end'][0]['requests']:,} round trips of a client that acquires and releases"
    return Result([Figure(f"{what}: the longest round trip of another", "ms", delay,
                          Target(DELAY_MS_MAX, at_least=False), note=note, doubt=doubt),
                   Figure("the same without an end", "ms", usual)], {what: rounds})


class InnocentClient:
    """A round of one connection, in the midst of which others may do something."""

    def __init__(self, bench: Bench, lockd: Server) -> None:
        self._lockd = lockd
        self._before = counters(lockd)
        self._seconds = 2 * bench.plan.seconds
        self._load = bench.start_load(lockd, seconds=self._seconds, connections=1)

    def wait_until_in_the_midst(self) -> None:
        wait_until(self._load, lambda: self._now("command_g") > 0)
        with contextlib.suppress(subprocess.TimeoutExpired):  # it is to be going on still
            self._load.wait(self._seconds / 2)

    def wait_for_orphans(self, count: int) -> None:
        wait_until(self._load, lambda: self._now("orphans") >= count)

    def figures(self, orphans: int) -> dict:
        """When it is over, and with it all that it was beside: so many have lost their holder by then."""
        figures = result_of(self._load)
        self._lockd.wait_until_quiet()
        counted = self._now("orphans")
        if not orphans <= counted <= orphans + 1:  # the innocent one may have gone with its lock
            raise Failed(f"{counted:,} orphans were counted, and there were {orphans:,}")
        return figures

    def _now(self, counter: str) -> int:
        return counters(self._lockd)[counter] - self._before[counter]


def one_end(bench: Bench, lockd: Server, count: int) -> dict:
    """A round of one innocent client, in the midst of which somebody with so many locks goes."""
    lockd.wait_until_quiet()
    with Crowd(lockd) as holder:
        holder.connect(1)
        holder.take(map(key_of, range(count)))
        innocent = InnocentClient(bench, lockd)
        innocent.wait_until_in_the_midst()
    innocent.wait_for_orphans(count)
    return innocent.figures(count)


def wait_until(innocent: subprocess.Popen, holds: Callable[[], bool]) -> None:
    """While it goes on: what comes later has not been measured by it."""
    is_so = False
    while not is_so:
        is_so = holds()
        if innocent.poll() is not None:
            result_of(innocent)
            raise Failed("the round was over before the session's end was; --seconds makes it longer")
        time.sleep(0.002)


def counters(lockd: Server) -> dict[str, int]:
    with lockd.connect() as connection, connection.makefile("rb") as replies:
        connection.sendall(b"stats\n")
        lines = [line.decode().strip().split(": ") for line in iter(replies.readline, b"END\n")]
    return {name: int(number) for name, number in lines}


def hostile(bench: Bench) -> Result:
    what = "keys that collide in a hash without a seed, against others, 16 in flight"
    first, end = HOSTILE_HELD
    held = {"hostile": lambda: hostile_keys(first, end), "others": lambda: map(key_of, range(end - first))}

    def start(stack: ExitStack) -> Sides:
        sides: Sides = {}
        for name, keys in held.items():
            server = stack.enter_context(bench.server())
            crowd = stack.enter_context(Crowd(server))
            crowd.connect(1)
            crowd.take(keys())
            sides[name] = partial(quiet_load, bench, server, depth=16, hostile_keys=name == "hostile")
        return sides

    rounds = bench.alternate(what, ("hostile", "others"), start, [("hostile", "others")])
    note = f"all in one crowd of 1,024 equal hashes, {end - first} of them held"
    ratio = ratio_of_pairs(what, Beside(rounds, "hostile", "others"), Target(0.95, is_own=True), note)
    return Result([ratio], {what: rounds})


@dataclass(frozen=True)
class Part:
    name: str
    what: str
    measure: Callable[[Bench], Result]
    rounds: int  # of load, about, for each pair that counts, where the machine is quiet
    seconds: float = 0  # beside the rounds, about

    def seconds_of(self, plan: Plan) -> float:
        return self.rounds * plan.pairs * plan.round_seconds + self.seconds * (0.2 if plan.quick else 1)


def part_of(measure: Callable[[Bench], list[Figure]]) -> Callable[[Bench], Result]:
    return lambda bench: Result(measure(bench))


PARTS = (
    Part("ratios", "own keys against floor, memcached and Redis", peers.ratios, 24, 40),
    Part("hoards", "1,000 keys of each connection, taken and then released", peers.hoards, 12, 30),
    Part("waits", "hand-overs against the plain rate", waits, 3, 20),
    Part("workloads", "shared, inspect and hot keys beside own ones", other_workloads, 10, 5),
    Part("growth", "with 1,000,000 locks held", growth, 4, 90),
    Part("crowds", "a shared lock with 15,000 holders", crowds, 8, 120),
    Part("idle", "10,000 idle connections beside", idle, 2, 15),
    Part("session_end", "the end of a session with 100,000 locks", session_end, 4, 20),
    Part("hostile", "keys that collide in a plain hash", hostile, 2, 5),
    Part("memory", "of connections and of locks, and given back", part_of(memory.figures), 0, 45),
    Part("engine", "the lock table alone, beside a flat map", part_of(costs.engine), 0, 90),
    Part("syscalls", "system calls per request", part_of(costs.system_calls), 0, 100),
    Part("asio", "the floor written with Asio, on epoll and on io_uring", peers.asio_floors, 8, 50),
    Part("instructions", "instructions and allocations per request", part_of(costs.instructions), 0, 60),
    Part("profile", "where the processor time goes", part_of(costs.profile), 0, 20),
    Part("orphans", "many connections that end at once", part_of(costs.orphans), 0, 50),
    Part("contention", "two threads: waits for one another, and cache lines", threads.contention, 4, 40),
    Part("threads", "T threads on T cores; needs 4 cores or more", threads.scaling, 20),
)
