"""Several threads of lockd: how their rate grows with their number where there are cores for it, and how often one
waits for another where there are not."""

import os
import signal
import tempfile
from collections.abc import Callable

from costs import attach, calls_in
from figures import Estimate, Figure, Target
from measuring import Bench, result_of
from memory import one
from servers import Failed, running

COUNTS = (2, 4, 8, 16)
SHARE_LEAST = 0.8  # of T times one thread's rate
DEPTHS = (1, 16)
CORES_LEAST = 4
CONNECTIONS = 50  # of each load, of which there is one for each thread


def cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def counts_for(core_count: int) -> list[int]:
    """For T threads it takes T cores, and as many again for the load."""
    return [count for count in COUNTS if 2 * count <= core_count]


def check(core_count: int) -> None:
    if not counts_for(core_count):
        raise Failed(f"two threads take two cores, and their load two more: {CORES_LEAST} cores or more, and here are "
                     f"{core_count}. `ci/bench contention` shows what can be shown here")


def scaling(bench: Bench) -> list[Figure]:
    check(len(cores()))
    return [scaling_of(bench, count, depth) for count in counts_for(len(cores())) for depth in DEPTHS]


def scaling_of(bench: Bench, count: int, depth: int) -> Figure:
    mine = cores()[:2 * count]
    with running("lockd", mine[:1], 1) as single, running("lockd", mine[:count], count) as several:
        def round_of(server, load_cores: list[int]) -> Callable[[], dict]:
            def measure() -> dict:
                loads = [bench.start_load(server, core=core, depth=depth, connections=CONNECTIONS,
                                          first=number * CONNECTIONS) for number, core in enumerate(load_cores)]
                rounds = [result_of(load) for load in loads]
                return {"requests_per_second": sum(each["requests_per_second"] for each in rounds),
                        "server_busy": max(each["server_busy"] for each in rounds)}
            return measure

        rounds = bench.alternate(f"{count} threads against one, {depth} in flight",
                                 {"several": round_of(several, mine[count:]), "one": round_of(single, mine[count:])})
    share = [a["requests_per_second"] / b["requests_per_second"] / count
             for a, b in zip(rounds["several"], rounds["one"], strict=True)]
    busy = Estimate.of([each["server_busy"] for each in rounds["several"]]).value
    return Figure(f"{count} threads on {count} cores: rate by {count} times one thread's, {depth} in flight", "ratio",
                  Estimate.of(share), Target(SHARE_LEAST), note=f"{busy:.1f} cores busy, of {count}")


def contention(bench: Bench) -> list[Figure]:
    """A thread that finds a mutex locked asks the kernel to wait: calls of futex, then."""
    found = []
    for depth in DEPTHS:
        bench.progress.say(f"two threads, {depth} in flight")
        with running("lockd", cores(), 2) as server, tempfile.NamedTemporaryFile("r") as table:
            watcher = attach(server, table.name)
            try:
                requests = bench.load(server, depth=depth)["requests_total"]
            finally:
                watcher.send_signal(signal.SIGINT)
                watcher.wait()
                watcher.stderr.close()
            calls = calls_in(table.read()).get("futex", 0)
        found.append(one(f"futex calls per million requests, two threads, {depth} in flight", "calls",
                         1e6 * calls / requests))
    return found
