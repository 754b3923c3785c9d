"""Several threads of lockd: how their rate grows with their number where there are cores for it, and how often one
waits for another where there are not."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import watching
from figures import Beside, Estimate, Figure, Target, medians, ratio_of_clocks, ratio_of_pairs
from measuring import Bench, Result, Sides, result_of
from memory import one
from servers import Failed, Server, running
from sharing import lines_between_threads

COUNTS = (2, 4, 8, 16)
SHARE_LEAST = 0.8  # of T times one thread's rate
DEPTHS = (1, 16)
CORES_LEAST = 4
CONNECTIONS = 50  # of each load, of which there is one for each thread


def cores() -> list[int]:
    """One for each that there really is: threads of the same core would share it."""
    return first_of_each(sorted(os.sched_getaffinity(0)), siblings_of)


def first_of_each(numbers: list[int], siblings: Callable[[int], set[int]]) -> list[int]:
    found: list[int] = []
    for number in numbers:
        if not siblings(number) & set(found):
            found.append(number)
    return found


def siblings_of(core: int) -> set[int]:
    """The numbers by which the kernel calls the same core; its own alone, where it does not say."""
    try:
        text = (Path("/sys/devices/system/cpu") / f"cpu{core}/topology/thread_siblings_list").read_text()
    except OSError:
        return {core}
    return numbers_in(text)


def numbers_in(text: str) -> set[int]:
    """Of a list such as `0-2,8`."""
    spans = (span.partition("-") for span in text.strip().split(","))
    return {number for first, _, last in spans for number in range(int(first), int(last or first) + 1)}


def counts_for(core_count: int, most: int | None = None) -> list[int]:
    """T threads take T cores, and the load as many again. With `most`, up to that whatever the load has then."""
    if most is not None:
        return [*(count for count in COUNTS if count < most), most]
    return [count for count in COUNTS if 2 * count <= core_count]


def check(core_count: int, most: int | None = None) -> None:
    if most is not None and not 2 <= most <= core_count:
        raise Failed(f"--threads is 2 to the number of cores, {core_count} here")
    if not counts_for(core_count, most):
        raise Failed(f"two threads take two cores, and their load two more: {CORES_LEAST} cores or more, and here are "
                     f"{core_count}. `ci/bench contention` shows what can be shown here; --threads 2 tries this out")


def scaling(bench: Bench) -> Result:
    most = bench.plan.threads
    check(len(cores()), most)
    result = Result()
    for count in counts_for(len(cores()), most):
        for depth in DEPTHS:
            scaling_of(bench, count, depth, result)
    return result


def load_cores(count: int) -> tuple[list[int], str]:
    """A core for each of so many loads beside so many threads; and what is to be doubted where they have none."""
    own = cores()[count:2 * count]
    if len(own) == count:
        return own, ""
    shared = own or cores()
    return [shared[number % len(shared)] for number in range(count)], f"{count} loads had {len(own)} cores of their own"


def scaling_of(bench: Bench, count: int, depth: int, result: Result) -> None:
    cores_of_loads, doubt = load_cores(count)

    def start(stack: ExitStack) -> Sides:
        threads = {"several": count, "one": 1}
        return {name: partial(loads_at_once, bench, stack.enter_context(running("lockd", cores()[:many], many)), many,
                              cores_of_loads, depth) for name, many in threads.items()}

    what = f"{count} threads against one, {depth} in flight"
    rounds = bench.alternate(what, ("several", "one"), start, [("several", "one")])
    busy = Estimate.of([each["server_busy"] for each in rounds["several"]]).value
    result.add(what, rounds, [ratio_of_clocks(
        f"{count} threads on {count} cores: rate by {count} times one thread's, {depth} in flight",
        "requests_per_second", Beside(rounds, "several", "one"), Target(SHARE_LEAST), count,
        f"{busy:.0%} of {count} cores busy", doubt)])


def loads_at_once(bench: Bench, server: Server, threads: int, cores_of_loads: list[int], depth: int) -> dict:
    """A round of as many loads as there are cores for them, together; the server is as busy as its cores are."""
    first = server.first_of_next_round()
    loads = [bench.start_load(server, core=core, depth=depth, connections=CONNECTIONS,
                              first=first + number * CONNECTIONS) for number, core in enumerate(cores_of_loads)]
    rounds = [result_of(load) for load in loads]
    return medians(rounds) | {
            "requests_per_second": sum(each["requests_per_second"] for each in rounds),
            "cpu_ns_per_request": 1 / sum(1 / each["cpu_ns_per_request"] for each in rounds),
            "server_busy": max(each["server_busy"] for each in rounds) / threads}


def contention(bench: Bench) -> Result:
    """What two threads take from one another, as far as two cores show it; where nobody may look, what is left."""
    result = Result()
    for depth in DEPTHS:
        cost_of_two(bench, depth, result)
    for look in (*(partial(calls_of_futex, bench, depth) for depth in DEPTHS), partial(lines_between_threads, bench)):
        try:
            result.figures.append(look())
        except watching.Refused as failure:
            bench.leave_out(str(failure))
    return result


def calls_of_futex(bench: Bench, depth: int) -> Figure:
    """A thread that finds a mutex locked asks the kernel to wait."""
    bench.progress.say(f"two threads, {depth} in flight")
    with running("lockd", cores()[:2], 2) as server, watching.system_calls(server) as calls:
        requests = bench.load(server, depth=depth)["requests_total"]
    return one(f"futex calls per million requests, two threads, {depth} in flight", "calls",
               1e6 * calls["futex"] / requests)


def cost_of_two(bench: Bench, depth: int, result: Result) -> None:
    """On one core, so that both servers are as busy: with two of them the threads of one would sleep and wake more
    often, and that would be all there is to see."""
    what = f"two threads against one, on one core, {depth} in flight"
    start = bench.load_of_each({"two": {"threads": 2}, "one": {}}, depth=depth)
    rounds = bench.alternate(what, ("two", "one"), start)
    note = "what mutexes cost, and the switching"
    result.add(what, rounds, [ratio_of_pairs(what, Beside(rounds, "two", "one"), note=note)])
