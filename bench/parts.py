"""What ci/bench measures, part by part: figures with their targets, and the rounds that they are made of."""

import contextlib
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import costs
import memory
import threads
from crowd import Crowd, hostile_keys, key_of
from figures import Estimate, Figure, Target, ratio_of_clocks, ratio_of_pairs
from measuring import Bench, Plan, all_servers, result_of
from servers import KINDS, Failed, Server

SETTINGS = ((50, 1), (50, 16), (50, 100), (500, 1))  # connections, requests in flight on each
RATIOS = {  # the least, and what is aimed at
    (50, 1): {"floor": (0.93, 0.98), "memcached": (1.10, None), "redis": (1.25, None)},
    (50, 16): {"floor": (0.80, 0.9), "memcached": (1.5, 1.8), "redis": (2.6, None)},
    (50, 100): {"floor": (0.55, 0.7), "memcached": (3.5, 5), "redis": (5, None)},
    (500, 1): {"floor": (0.93, None), "memcached": (1.05, None), "redis": (1.1, None)},
}
ASIO_FLOORS = ("floor", "floor_asio_epoll", "floor_asio_uring")
ASIO_RATIOS = (("Asio on epoll against the bare loop", "floor_asio_epoll", "floor"),
               ("Asio on io_uring against the bare loop", "floor_asio_uring", "floor"),
               ("Asio on io_uring against Asio on epoll", "floor_asio_uring", "floor_asio_epoll"))
HOARD = 1_000  # keys of each connection
HELD = 1_000_000
GROWTH_KEYS = 10_000  # of each connection, in turn: so many places of the table that no cache has them all
CROWD, FEW = 15_000, 15
IDLE = 10_000
SESSION_LOCKS = 100_000
DELAY_MS_MAX = 5.0
HOSTILE_HELD = (800, 1024)  # the rest of those that the load's 50 connections with 16 keys each leave


@dataclass
class Result:
    figures: list[Figure] = field(default_factory=list)
    rounds: dict[str, dict[str, list[dict]]] = field(default_factory=dict)  # of each setting, by server


def ratios(bench: Bench) -> Result:
    result = Result()
    with ExitStack() as stack:
        servers = all_servers(bench, stack, bench.kinds_here(KINDS))
        for connections, depth in SETTINGS:
            what = f"{connections} connections, {depth} in flight"
            rounds = bench.alternate_servers(what, servers, connections=connections, depth=depth)
            result.rounds[what] = rounds
            result.figures += [
                ratio_of_pairs(f"{what}: lockd against {other}", rounds["lockd"], rounds[other], Target(least, aim=aim))
                for other, (least, aim) in RATIOS[connections, depth].items() if other in rounds]
            if (connections, depth) == (50, 1):
                result.figures.append(ratio_of_clocks(f"{what}: p99 of lockd by that of the floor", "p99_us",
                                                      rounds["lockd"], rounds["floor"], Target(1.3, at_least=False)))
    return result


def hoards(bench: Bench) -> Result:
    """Without a target: many locks at a time, where the ratios have one or as many as are in flight."""
    result = Result()
    with ExitStack() as stack:
        servers = all_servers(bench, stack, bench.kinds_here(KINDS))
        for depth in (1, 16):
            what = f"50 connections that take {HOARD:,} keys each, then release them, {depth} in flight"
            rounds = bench.alternate_servers(what, servers, workload="hoard", keys=HOARD, depth=depth)
            result.rounds[what] = rounds
            result.figures += [ratio_of_pairs(f"{what}: lockd against {other}", rounds["lockd"], rounds[other])
                               for other in rounds if other != "lockd"]
    return result


def waits(bench: Bench) -> Result:
    """A hand-over's requests, a release and the next wait, go out in one piece: 1.5 system calls a request, where one
    request in flight has two and two in flight have one. So both are shown."""
    result = Result()
    with bench.server() as lockd:
        what = "50 connections in pairs that hand a lock over"
        rounds = bench.alternate(what, {
            "waits": lambda: bench.load(lockd, workload="waits"),
            "own keys, 1 in flight": lambda: bench.load(lockd, workload="own"),
            "own keys, 2 in flight": lambda: bench.load(lockd, workload="own", depth=2)})
    result.rounds[what] = rounds
    for plain, calls in (("own keys, 1 in flight", 2), ("own keys, 2 in flight", 1)):
        result.figures.append(ratio_of_pairs(f"waiting pairs against {plain}", rounds["waits"], rounds[plain],
                                             Target(0.8), f"1.5 system calls a request, and {calls}"))
    return result


def asio_floors(bench: Bench) -> Result:
    """What Asio costs, and whether its io_uring would cost less: the floor again, written with it."""
    result = Result()
    with ExitStack() as stack:
        servers = all_servers(bench, stack, bench.kinds_here(ASIO_FLOORS))
        for depth in (1, 16):
            what = f"floors, {depth} in flight"
            result.rounds[what] = rounds = bench.alternate_servers(what, servers, depth=depth)
            result.figures += [ratio_of_pairs(f"{of}, {depth} in flight", rounds[ours], rounds[theirs])
                               for of, ours, theirs in ASIO_RATIOS if {ours, theirs} <= rounds.keys()]
            result.figures += [figure for kind in servers for figure in costs.system_calls_of(bench, kind, depth)]
    return result


def other_workloads(bench: Bench) -> Result:
    """Without a target: what other requests cost beside those that have one."""
    result = Result()
    with bench.server() as lockd:
        for depth in (1, 16):
            what = f"workloads of 50 connections, {depth} in flight"
            result.rounds[what] = bench.alternate(what, {
                workload: lambda workload=workload, depth=depth: bench.load(lockd, workload=workload, depth=depth)
                for workload in ("own", "shared", "inspect", "hot")})
            result.figures += [
                ratio_of_pairs(f"{workload} against own keys, {depth} in flight", rounds, result.rounds[what]["own"])
                for workload, rounds in result.rounds[what].items() if workload != "own"]
    return result


def growth(bench: Bench) -> Result:
    """Two servers on one core, of which one sleeps while the other is asked."""
    result = Result()
    held = 10_000 if bench.plan.quick else HELD
    with bench.server() as small, bench.server() as large, Crowd(small) as few, Crowd(large) as many:
        for crowd, count in ((few, 1_000), (many, held)):
            bench.progress.say(f"taking {count:,} locks")
            crowd.connect(100)
            crowd.take(map(key_of, range(count)))
        for depth, least in ((1, 0.9), (16, 0.6)):
            what = f"{held:,} locks held against 1,000, {depth} in flight"
            rounds = bench.alternate_servers(what, {"many": large, "few": small}, depth=depth, keys=GROWTH_KEYS)
            result.rounds[what] = rounds
            result.figures.append(ratio_of_pairs(what, rounds["many"], rounds["few"], Target(least)))
    return result


def crowds(bench: Bench) -> Result:
    """A shared lock: of the ratios, that of the times must not be above 1.2."""
    result = Result()
    crowd = 1_500 if bench.plan.quick else CROWD
    for workload, name in (("crowd", "get and release of"), ("crowd-inspect", "looking at")):
        what = f"{name} a shared lock with {crowd:,} holders against {FEW}"
        with bench.server() as lockd:
            def round_of(holders: int, lockd: Server = lockd, workload: str = workload) -> Callable[[], dict]:
                return lambda: quiet_load(bench, lockd, workload=workload, holders=holders)

            rounds = bench.alternate(what, {"crowd": round_of(crowd), "few": round_of(FEW)})
        result.rounds[what] = rounds
        result.figures.append(ratio_of_pairs(what, rounds["crowd"], rounds["few"], Target(1 / 1.2)))
    return result


def quiet_load(bench: Bench, server: Server, **options: object) -> dict:
    """A round that does not pay for the end of those that came before it."""
    server.wait_until_quiet()
    return bench.load(server, **options)


def idle(bench: Bench) -> Result:
    count = 1_000 if bench.plan.quick else IDLE
    what = f"{count:,} idle connections beside 50 busy ones"
    with bench.server() as alone, bench.server() as crowded, Crowd(crowded) as crowd:
        crowd.connect(count)
        rounds = bench.alternate_servers(what, {"beside idle ones": crowded, "alone": alone})
    return Result([ratio_of_pairs(what, rounds["beside idle ones"], rounds["alone"], Target(1 / 1.03))],
                  {what: rounds})


def session_end(bench: Bench) -> Result:
    count = 10_000 if bench.plan.quick else SESSION_LOCKS
    what = f"the end of a session with {count:,} locks"
    with bench.server() as lockd:
        rounds = bench.alternate(what, {"end": lambda: one_end(bench, lockd, count),
                                        "no end": lambda: one_end(bench, lockd, 0)})
    delay, usual = (Estimate.of([one["max_us"] / 1000 for one in rounds[side]]) for side in ("end", "no end"))
    doubt = "it is as long without an end: the cores had other work" if usual.value > DELAY_MS_MAX else ""
    note = f"the longest of about {rounds['end'][0]['requests']:,} round trips of a client that acquires and releases"
    return Result([Figure(f"{what}: the longest round trip of another", "ms", delay,
                          Target(DELAY_MS_MAX, at_least=False), note=note, doubt=doubt),
                   Figure("the same without an end", "ms", usual)], {what: rounds})


def one_end(bench: Bench, lockd: Server, count: int) -> dict:
    """A round of one innocent client, in the midst of which somebody with so many locks goes."""
    lockd.wait_until_quiet()
    before = orphans(lockd)
    with Crowd(lockd) as holder:
        holder.connect(1)
        holder.take(map(key_of, range(count)))
        innocent = bench.start_load(lockd, connections=1)
        with contextlib.suppress(subprocess.TimeoutExpired):  # it is to be going on still
            innocent.wait(bench.plan.seconds / 2)
    figures = result_of(innocent)
    lockd.wait_until_quiet()
    counted = orphans(lockd) - before
    if not count <= counted <= count + 1:  # the innocent one may have gone with its lock
        raise Failed(f"{counted:,} orphans were counted, and there were {count:,}")
    return figures


def orphans(lockd: Server) -> int:
    with lockd.connect() as connection, connection.makefile("rb") as replies:
        connection.sendall(b"q\nping\n")
        lines = dict(line.decode().strip().split(": ") for line in iter(replies.readline, b"1 pong\n"))
    return int(lines["orphans"])


def hostile(bench: Bench) -> Result:
    what = "keys that collide in a hash without a seed, against others, 16 in flight"
    first, end = HOSTILE_HELD
    with bench.server() as attacked, bench.server() as other, Crowd(attacked) as attacker, Crowd(other) as usual:
        for crowd, keys in ((attacker, hostile_keys(first, end)), (usual, map(key_of, range(end - first)))):
            crowd.connect(1)
            crowd.take(keys)
        rounds = bench.alternate(what, {
            "hostile": lambda: bench.load(attacked, depth=16, hostile_keys=True),
            "others": lambda: bench.load(other, depth=16)})
    note = f"all in one crowd of 1,024 equal hashes, {end - first} of them held"
    return Result([ratio_of_pairs(what, rounds["hostile"], rounds["others"], Target(0.95), note)], {what: rounds})


@dataclass(frozen=True)
class Part:
    name: str
    what: str
    measure: Callable[[Bench], Result]
    rounds: int  # of load, about, in each pair
    seconds: float = 0  # beside the rounds, about

    def seconds_of(self, plan: Plan) -> float:
        return self.rounds * plan.pairs * plan.round_seconds + self.seconds * (0.2 if plan.quick else 1)


def part_of(measure: Callable[[Bench], list[Figure]]) -> Callable[[Bench], Result]:
    return lambda bench: Result(measure(bench))


PARTS = (
    Part("ratios", "own keys against floor, memcached and Redis", ratios, 16),
    Part("hoards", "1,000 keys of each connection, taken and then released", hoards, 8, 8),
    Part("waits", "hand-overs against the plain rate", waits, 3),
    Part("workloads", "shared, inspect and hot keys beside own ones", other_workloads, 8),
    Part("growth", "with 1,000,000 locks held", growth, 4, 60),
    Part("crowds", "a shared lock with 15,000 holders", crowds, 4, 120),
    Part("idle", "10,000 idle connections beside", idle, 2, 5),
    Part("session_end", "the end of a session with 100,000 locks", session_end, 2, 20),
    Part("hostile", "keys that collide in a plain hash", hostile, 2),
    Part("memory", "of connections and of locks, and given back", part_of(memory.figures), 0, 45),
    Part("engine", "the lock table alone, beside a flat map", part_of(costs.engine), 0, 90),
    Part("syscalls", "system calls per request", part_of(costs.system_calls), 0, 35),
    Part("asio", "the floor written with Asio, on epoll and on io_uring", asio_floors, 6, 15),
    Part("instructions", "instructions per request, of the whole server", part_of(costs.instructions), 0, 45),
    Part("profile", "where the processor time goes", part_of(costs.profile), 0, 20),
    Part("orphans", "many connections that end at once", part_of(costs.orphans), 0, 50),
    Part("contention", "two threads: how often one waits for the other", part_of(threads.contention), 4, 10),
    Part("threads", "T threads on T cores; needs 4 cores or more", part_of(threads.scaling), 20),
)
