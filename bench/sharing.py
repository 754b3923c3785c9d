"""Cache lines that go from one thread of lockd to another, request after request: what would keep threads from scaling
though none waits for a mutex. Valgrind's lackey prints every access to memory with its thread; here they are played to
caches without a bound, one of each thread. It takes no second core and no hardware counter."""

import os
import re
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import costs
from crowd import Crowd, acquire, ask, key_of, release
from figures import Figure
from measuring import Bench
from memory import one
from servers import Server
from watching import watcher

LINE_BITS = 6  # 64 bytes
CONNECTIONS = 4  # two of each thread
SETS = 3  # of keys, one for each connection
PAIRS_BEFORE = 400  # of a get and a release for each key: until its shard draws its fencing tokens many at a time
PAIRS = 20  # and then, one request at a time
LINES_MAX = 0.1  # a request: the drawing of tokens is in it
RESUMED = re.compile(r"SCHED\[(\d+)\]: +acquired lock")  # a thread goes on
UNDER = ("--tool=lackey", "--basic-counts=no", "--trace-mem=yes", "--trace-sched=yes")


class Caches:
    """Of threads. A line is in any number of them, or, once it is written, in one alone."""

    def __init__(self) -> None:
        self.is_on = False  # what is read meanwhile is played
        self.is_counting = False
        self.fetched: Counter[int] = Counter()  # lines from another thread's cache, by the instruction
        self._threads_with: dict[int, set[int]] = {}
        self._thread = 0
        self._instruction = 0

    def read_trace(self, lines: Iterable[str]) -> None:
        """What lackey prints, to its end."""
        for line in lines:
            match line[:3]:
                case "I  " if self.is_on:
                    self._instruction = int(line[3:line.index(",")], 16)
                case " L " | " S " | " M " if self.is_on:
                    address, size = line[3:].split(",")
                    self._touch(int(address, 16), int(size), line[1] != "L")
                case start if start.startswith("--") and (found := RESUMED.search(line)):
                    self._thread = int(found[1])

    def _touch(self, address: int, size: int, is_written: bool) -> None:
        for line in range(address >> LINE_BITS, ((address + size - 1) >> LINE_BITS) + 1):
            threads = self._threads_with.setdefault(line, {self._thread})
            is_here = threads == {self._thread} if is_written else self._thread in threads
            if not is_here and self.is_counting:
                self.fetched[self._instruction] += 1
            if is_written:
                self._threads_with[line] = {self._thread}
            else:
                threads.add(self._thread)


def lines_between_threads(bench: Bench) -> Figure:
    """With own keys. Two of them may lie in one shard, whose lines are then shared by right: other keys are tried then,
    and the best of the sets counts, in which what every request shares is there still."""
    bench.progress.say("two threads, every access to memory")
    under = (watcher("valgrind"), *UNDER)
    caches = Caches()
    reading, writing = os.pipe()
    with os.fdopen(reading, errors="replace") as trace:
        reader = threading.Thread(target=caches.read_trace, args=(trace,))
        reader.start()
        try:
            with bench.server(threads=2, under=under, stderr=writing) as lockd:
                fetched = least_fetched(lockd, caches)
                names = names_of(lockd, fetched)
        finally:
            os.close(writing)
            reader.join()
    requests = requests_of_a_set()
    note = ", ".join([f"the least of up to {SETS} sets of keys",
                      *(f"{name} {count / requests:.2f}" for name, count in names.most_common(5))])
    return one("cache lines that go from thread to thread, a request, two threads", "lines", fetched.total() / requests,
               LINES_MAX, note, is_own=True)


def requests_of_a_set() -> int:
    return 2 * PAIRS * CONNECTIONS


def least_fetched(lockd: Server, caches: Caches) -> Counter[int]:
    found = []
    with Crowd(lockd) as crowd:
        crowd.connect(CONNECTIONS)
        for number in range(SETS):
            keys = (key_of(number * CONNECTIONS + place) for place in range(CONNECTIONS))
            found.append(fetched_with([(connection, acquire("lockd", key), release("lockd", key))
                                       for connection, key in zip(crowd.connections, keys)], caches))
            if found[-1].total() <= LINES_MAX * requests_of_a_set():
                break
    return min(found, key=Counter.total)


def fetched_with(pairs: list[tuple], caches: Caches) -> Counter[int]:
    for connection, get, give in pairs:
        ask(connection, (get[0] + give[0]) * PAIRS_BEFORE, (get[1] + give[1]) * PAIRS_BEFORE)
    caches.is_on, caches.fetched = True, Counter()
    ask_in_turn(pairs, 2)
    caches.is_counting = True
    ask_in_turn(pairs, PAIRS)
    caches.is_on = caches.is_counting = False
    return caches.fetched


def ask_in_turn(pairs: list[tuple], times: int) -> None:
    for _ in range(times):
        for connection, get, give in pairs:
            ask(connection, *get)
            ask(connection, *give)


def names_of(server: Server, fetched: Counter[int]) -> Counter[str]:
    """By the function of lockd, or by the library."""
    objects = objects_of(server)
    names: Counter[str] = Counter()
    for instruction, count in fetched.items():
        base, path = next(((first, path) for first, end, path in objects if first <= instruction < end), (0, "?"))
        names[function_at(path, instruction - base) if path == objects[0][2] else Path(path).name] += count
    return names


def objects_of(server: Server) -> list[tuple[int, int, str]]:
    """What is mapped into it: from where to where, and the file; the program comes first."""
    found: dict[str, tuple[int, int]] = {}
    for line in Path(f"/proc/{server.pid}/maps").read_text().splitlines():
        span, *_, path = line.split()
        first, end = (int(each, 16) for each in span.split("-"))
        if path.startswith("/"):
            found[path] = (found.get(path, (first,))[0], end)
    return [(first, end, path) for path, (first, end) in found.items()]


def function_at(path: str, offset: int) -> str:
    done = subprocess.run(["addr2line", "--demangle", "--functions", "--exe", path, hex(offset)], capture_output=True,
                          text=True, check=False)
    return costs.plain(done.stdout.partition("\n")[0]).partition("(")[0].split(" ")[-1] or "?"
