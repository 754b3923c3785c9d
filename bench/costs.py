"""What a request costs besides time: system calls, instructions, and the lock table's part of it; and the mass drop."""

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator

import watching
from figures import Estimate, Figure, is_busy
from measuring import Bench
from memory import one
from servers import BUILD, KINDS, Failed, program

DEPTHS = (1, 16, 100)
UNDER_VALGRIND = ("lockd", "floor", "redis")  # memcached sets a limit that valgrind keeps for itself, and ends
COUNTS = 3  # of rounds that count, where a figure is counted
COUNTS_TRIED = 3  # times as many rounds, at most
SLOW_SECONDS = 1.0  # of a round against a server that is watched
REQUESTS_LEAST = 5_000  # by which a long round is ahead of a short one
ALLOCATIONS_MAX = 0.001  # a request; the first ones of a connection are not counted
PROFILED_SECONDS = 4.0
HASH = "siphash_of_key"
TABLE_FIGURES = (("get_and_release_exclusive/1/0", "plain_map_insert_and_erase/0"),
                 ("get_and_release_exclusive/1/1", "plain_map_insert_and_erase/1"))


# ---- system calls


def system_calls(bench: Bench) -> list[Figure]:
    """Of a server that runs, for rounds of load; the connecting is a part of it."""
    return [figure for kind in bench.kinds_here(KINDS) for depth in DEPTHS
            for figure in system_calls_of(bench, kind, f"{depth} in flight", depth=depth)]


def system_calls_of(bench: Bench, kind: str, what: str, **load: object) -> list[Figure]:
    """None where nobody may count them. A server that is idle now and then waits more often than one that has work: so
    rounds count in which it was busy, as those of a ratio do."""
    bench.progress.say(f"system calls of {kind}, {what}")
    try:
        counted = rounds_that_count(lambda: calls_of_a_round(bench, kind, load), 1 if bench.plan.quick else COUNTS)
    except watching.Refused as failure:
        bench.leave_out(f"system calls: {failure}")
        return []
    return [figure_of_calls(f"system calls per request, {what}, {kind}", counted)]


def rounds_that_count(measure: Callable[[], dict], count: int) -> list[dict]:
    """So many in which the server was busy; or where they do not come, all that were measured."""
    rounds: list[dict] = []
    while len(rounds) < COUNTS_TRIED * count:
        rounds.append(measure())
        if len(busy := list(filter(is_busy, rounds))) == count:
            return busy
    return rounds


def calls_of_a_round(bench: Bench, kind: str, load: dict) -> dict:
    with bench.server(kind) as server:
        with watching.system_calls(server) as calls:
            told = bench.load(server, seconds=SLOW_SECONDS, **load)
    return told | {"calls": {name: count / told["requests_total"] for name, count in calls.items()}}


def figure_of_calls(name: str, rounds: list[dict]) -> Figure:
    """The round in the middle."""
    middle = sorted(rounds, key=lambda each: each["calls"][watching.TOTAL])[len(rounds) // 2]
    calls = dict(middle["calls"])
    total = calls.pop(watching.TOTAL)
    dearest = sorted(calls.items(), key=lambda call: -call[1])[:4]
    note = ", ".join(f"{called} {count:.3f}" for called, count in dearest)
    if not is_busy(middle):
        note += f"; its core was {middle['server_busy']:.0%} busy alone"
    return Figure(name, "calls", Estimate(total, None, None, len(rounds)), note=note)


# ---- where the time goes


def profile(bench: Bench) -> list[Figure]:
    """lockd's, by the kernel's clock."""
    return [figure for depth in DEPTHS for figure in profile_of(bench, depth)]


def profile_of(bench: Bench, depth: int) -> Iterator[Figure]:
    bench.progress.say(f"where the time goes, {depth} in flight")
    seconds = PROFILED_SECONDS / 4 if bench.plan.quick else PROFILED_SECONDS
    with bench.server() as lockd:
        load = bench.start_load(lockd, seconds=2 * seconds, depth=depth)  # it has been going on for long when this ends
        try:
            rows = watching.profile(lockd, seconds)
        finally:
            load.kill()
            load.communicate()
    places = sorted({place for _, place, _ in rows}, key=lambda place: -share_of(rows, place))
    for place in places[:4]:
        dearest = [f"{plain(name)} {share:.1f}" for share, where, name in rows if where == place][:5]
        yield one(f"of lockd's processor time, {depth} in flight: {place}", "%", share_of(rows, place),
                  note=", ".join(dearest))


def plain(name: str) -> str:
    """A function without its namespaces and what its template was made with."""
    return re.sub(r"<[^<>]*>", "", name).replace("(anonymous namespace)::", "").removeprefix("lockd::").removeprefix(
        "server::").removeprefix("engine::")


def share_of(rows: list[tuple[float, str, str]], place: str) -> float:
    return sum(share for share, where, _ in rows if where == place)


# ---- instructions


def instructions(bench: Bench) -> list[Figure]:
    """In user space, by callgrind; those of the start, and of the end, are taken off. And the allocations."""
    found = []
    for kind in bench.kinds_here(UNDER_VALGRIND):
        bench.progress.say(f"instructions of {kind}")
        alone, _ = instructions_of(bench, kind, None)
        for depth in DEPTHS:
            all_of_them, requests = instructions_of(bench, kind, depth)
            found.append(one(f"instructions per request in user space, {depth} in flight, {kind}", "instructions",
                             (all_of_them - alone) / requests))
    return found + allocations(bench)


def instructions_of(bench: Bench, kind: str, depth: int | None) -> tuple[int, int]:
    """Of a whole run, with the requests that it answered: none without a load."""
    under = (program("valgrind"), "--tool=callgrind", "--callgrind-out-file=/dev/null", "--trace-children=no")
    requests = 0
    with tempfile.TemporaryFile("w+") as log:
        with bench.server(kind, under=under, stderr=log) as server:
            if depth is not None:
                requests = bench.load(server, seconds=SLOW_SECONDS, depth=depth)["requests_total"]
        log.seek(0)
        return collected(log.read()), requests


def allocations(bench: Bench) -> list[Figure]:
    """Of lockd, by valgrind: in a long round beyond those of a short one, which has as many connections."""
    return [one(f"allocations per request, {depth} in flight, lockd", "allocations", allocations_of_more(bench, depth),
                ALLOCATIONS_MAX) for depth in DEPTHS]


def allocations_of_more(bench: Bench, depth: int) -> float:
    bench.progress.say(f"allocations of lockd, {depth} in flight")
    few, requests_few = allocations_of(bench, SLOW_SECONDS / 5, depth=depth)
    for seconds in (SLOW_SECONDS, 5 * SLOW_SECONDS, 25 * SLOW_SECONDS):  # a busy machine needs more
        many, requests_many = allocations_of(bench, seconds, depth=depth)
        if (more := requests_many - requests_few) >= REQUESTS_LEAST:
            return max(0.0, (many - few) / more)
    raise Failed(f"{seconds:.0f} s under valgrind had {requests_many} requests, which are too few")


def allocations_of(bench: Bench, seconds: float, **load: object) -> tuple[int, int]:
    """Of a whole run, with the requests that it answered."""
    under = (program("valgrind"), "--tool=memcheck", "--leak-check=no", "--undef-value-errors=no")
    with tempfile.TemporaryFile("w+") as log:
        with bench.server(under=under, stderr=log) as server:
            requests = bench.load(server, seconds=seconds, **load)["requests_total"]
        log.seek(0)
        return allocated(log.read()), requests


def allocated(log: str) -> int:
    found = re.search(r"total heap usage: ([\d,]+) allocs", log)
    if not found:
        raise Failed(f"valgrind has counted nothing: {log[-300:]}")
    return int(found[1].replace(",", ""))


def collected(log: str) -> int:
    found = re.search(r"Collected : (\d+)", log)
    if not found:
        raise Failed(f"callgrind has counted nothing: {log[-300:]}")
    return int(found[1])


# ---- the lock table


def engine(bench: Bench) -> list[Figure]:
    bench.progress.say("the lock table")
    repetitions = 3 if bench.plan.quick else bench.plan.pairs
    names = "|".join(sorted({name for pair in TABLE_FIGURES for name in pair}) + ["plain_map_hostile", HASH])
    done = subprocess.run(["taskset", "--cpu-list", str(bench.plan.server_core), BUILD / "bench/engine_bench",
                           f"--benchmark_filter=^({names})", f"--benchmark_repetitions={repetitions}",
                           "--benchmark_min_time=0.05", "--benchmark_enable_random_interleaving=true",
                           "--benchmark_format=json"], check=True, capture_output=True, text=True)
    return table_figures(json.loads(done.stdout)["benchmarks"])


def title_of(name: str) -> str:
    if name == HASH:
        return "the hash of a key of 21 bytes, SipHash-1-3"
    return f"{name.split('/')[0]} of {'a full' if name.endswith('/1') else 'an empty'} table"


def table_figures(runs: list[dict]) -> list[Figure]:
    """The same work through the lock table and through a flat map; and what hostile keys would do to one."""
    times: dict[str, list[float]] = {}
    for run in runs:
        if run["run_type"] == "iteration":
            times.setdefault(run["name"], []).append(run["cpu_time"])
    found = [Figure(title_of(name), "ns", Estimate.of(times[name])) for name in sorted(times) if "hostile" not in name]
    for ours, other in TABLE_FIGURES:
        full = "a full" if ours.endswith("/1") else "an empty"
        found.append(Figure(f"time of the lock table by that of a flat map, {full} one", "ratio", Estimate.of(
            [a / b for a, b in zip(times[ours], times[other], strict=True)])))
    hostile, others = times["plain_map_hostile/1"], times["plain_map_hostile/0"]
    found.append(Figure("time for hostile keys by that for others, in a map with the plain hash that they are made for",
                        "ratio", Estimate.of([a / b for a, b in zip(hostile, others, strict=True)])))
    return found


# ---- the mass drop


def orphans(bench: Bench) -> list[Figure]:
    """Fails where a lock is left, or an orphan not counted; what it takes has no target."""
    sizes = ((200, 2_000),) if bench.plan.quick else ((2_000, 100_000), (15_000, 1_000_000))
    return [figure for size in sizes for figure in orphans_of(bench, *size)]


def orphans_of(bench: Bench, connections: int, locks: int) -> Iterator[Figure]:
    bench.progress.say(f"{connections:,} connections with {locks:,} locks end at once")
    with tempfile.NamedTemporaryFile("r") as report:
        done = subprocess.run([BUILD / "bench/orphans", "--connections", str(connections), "--locks", str(locks),
                               "--json", report.name], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"orphans: {done.stdout[-500:]}{done.stderr}")
        told = json.load(report)
    name = f"{connections:,} connections with {locks:,} locks end at once"
    yield one(f"{name}: until the last is free", "s", told["free_seconds"])
    yield one(f"{name}: p99 of an innocent client meanwhile", "us", told["innocent"]["dropping"]["p99_us"])
