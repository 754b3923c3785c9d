"""A soak: mixed traffic at a steady rate for long, from clients that come, wait and die in every way, and samples of
the daemon's memory, descriptors and counters. Memory has to stay flat, and nothing to be left at the end.

ci/soak runs it. The report is soak.md, soak.json and soak.svg. Exit status: 1 with a finding, else 0.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path

from client import Client, connected_socket, reset
from daemon import Daemon, eventually
from soak_verdict import MIB, Rest, Sample, findings, summary, write_report

VISITORS = 60
PATIENCE_SECONDS = 60.0  # for the replies to one burst, waits included
MARK_REQUEST, MARK_REPLY = "siw end\n", b"0 Shared Lock Waiters: end\n"  # the last of each burst
HOT_KEYS = 30
STALLED_HELPS = 300  # replies that a stalled client lets pile up: half a MiB

Random = random.Random


def request(draw: Random, own: str) -> str:
    """own: begins what no other client asks for."""
    key = f"hot{draw.randrange(HOT_KEYS)}" if draw.random() < 0.6 else f"{own}.{draw.randrange(1000)}"
    limit, wait_ms = draw.randint(1, 4), draw.choice((0, 1, 10, 100, 1000))
    often = [f"g {key}", f"r {key}", f"i {key}", f"sg {key}", f"sr {key}", f"si {key}", f"t {key}", f"st {key}",
             f"sgl {limit} {key}", f"gw {wait_ms} {key}", f"sgw {limit} {wait_ms} {key}", f"iw {key}", f"siw {key}"]
    seldom = ["ra", "cancel", f"iam {own}", "iam", "me", "ping", "version", "help", "q", "stats", "who", f"d {key}",
              f"sd {key}", "nonsense", "gw soon", "", "g " + 9000 * "x"]
    rarely = ["d", "sd", "dump", "dump shared", "list", f"list {own}"]
    return draw.choice(often if draw.random() < 0.85 else seldom if draw.random() < 0.95 else rarely)


class Visitor:
    """One connection, which asks in bursts and then leaves in some way."""

    def __init__(self, uri: str, number: int, draw: Random) -> None:
        self._draw = draw
        self._own = f"visitor{number}"
        self._bursts_left = draw.randint(1, 40)
        self.stalls = draw.random() < 0.01
        self._since: float | None = None  # when it began to wait for the mark
        self._rest = b""
        self.leaving = False
        self.socket = connected_socket(uri, 4096 if self.stalls else None)

    def step(self) -> bool:
        """Its turn has come. Whether it has gone with it."""
        if self.stalls:
            return self._stall()
        if self._since is not None:
            if self._draw.random() < 0.1:
                self._send("cancel\n")
            return self._draw.random() < 0.05 and self._drop()
        if self._bursts_left == 0:
            return self._leave()
        self._bursts_left -= 1
        self._since = time.monotonic()
        self._send("".join(request(self._draw, self._own) + "\n" for _ in range(self._draw.randint(1, 12))))
        self._send(MARK_REQUEST)
        return False

    def read(self) -> bool:
        """There is something to read. Whether it was the end."""
        if self.stalls:
            return True  # ended for taking no replies
        got = self.socket.recv(1 << 18)
        if not got and not self.leaving:
            raise AssertionError(f"the daemon ended the connection of {self._own}")
        text = self._rest + got
        if MARK_REPLY in text:
            self._since = None
        self._rest = text[-len(MARK_REPLY) + 1 :]
        return not got

    def check_patience(self) -> None:
        if self._since is not None and time.monotonic() - self._since > PATIENCE_SECONDS:
            raise AssertionError(f"{self._own} gets no answer")

    def drop(self) -> None:
        self._drop()

    def _send(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def _stall(self) -> bool:
        if self._since is None:
            self._since = time.monotonic()
            self._send(STALLED_HELPS * "help\n")
            return False
        return self._draw.random() < 0.3 and self._drop()

    def _drop(self) -> bool:
        """In the midst of whatever it does."""
        reset(self.socket) if self._draw.random() < 0.5 else self.socket.close()
        return True

    def _leave(self) -> bool:
        way = self._draw.choice(("drop", "wait and drop", "quit", "half-close"))
        if way == "wait and drop":
            self._send(f"gw 600000 hot{self._draw.randrange(HOT_KEYS)}\ng after\n")
        if way.endswith("drop"):
            return self._drop()
        self.leaving = True
        self._since = time.monotonic()
        if way == "quit":
            self._send("quit\ng after\n")
        else:
            self._send("g before\ng unfinished")
            self.socket.shutdown(1)
        return False


class Load:
    """All visitors, those to come too."""

    def __init__(self, uri: str, seed: int) -> None:
        self._uri = uri
        self._draw = Random(seed)
        self._poll = select.poll()
        self._visitors: dict[int, Visitor] = {}
        self._came = 0

    def run(self, seconds: float, bursts_per_second: float, look: Callable[[], None], every_seconds: float) -> None:
        """Calls look() every so often."""
        start = time.monotonic()
        turns = looks = 0
        while (now := time.monotonic() - start) < seconds:
            if now >= (looks + 1) * every_seconds:
                looks += 1
                look()
                for visitor in self._visitors.values():
                    visitor.check_patience()
            if now >= turns / bursts_per_second:
                turns += 1
                self._take_turn()
            self._read(max(0.0, turns / bursts_per_second - (time.monotonic() - start)))

    def end(self) -> None:
        for descriptor in list(self._visitors):
            self._forget(descriptor).drop()

    def _take_turn(self) -> None:
        """A newcomer's, or somebody's who is there."""
        if len(self._visitors) < VISITORS:
            self._came += 1
            visitor = Visitor(self._uri, self._came, self._draw)
            self._visitors[visitor.socket.fileno()] = visitor
            self._poll.register(visitor.socket, 0 if visitor.stalls else select.POLLIN)
            return
        descriptor = self._draw.choice(list(self._visitors))
        visitor = self._visitors[descriptor]
        if not visitor.leaving and visitor.step():
            self._forget(descriptor)

    def _read(self, seconds: float) -> None:
        for descriptor, _ in self._poll.poll(seconds * 1000):
            if self._visitors[descriptor].read():
                self._forget(descriptor).socket.close()

    def _forget(self, descriptor: int) -> Visitor:
        self._poll.unregister(descriptor)
        return self._visitors.pop(descriptor)


class Watch:
    """Looks at the daemon, and says how far the soak is."""

    def __init__(self, daemon: Daemon, seconds: float) -> None:
        self._daemon, self._seconds = daemon, seconds
        self._observer = Client(daemon.uris[0])
        self._start = time.monotonic()
        self._said = 0.0
        self.samples: list[Sample] = []

    def rest(self) -> Rest:
        """Once nobody else is there."""
        eventually(lambda: self._counters()["connections"] == 1, 20, "all have gone")
        return Rest(self._daemon.resident_bytes(), self._daemon.descriptors(), self._counters())

    def look(self) -> None:
        counters, now = self._counters(), time.monotonic() - self._start
        self.samples.append(Sample(round(now, 1), self._daemon.resident_bytes(), self._daemon.descriptors(),
                                   counters["connections"], counters["holders"], counters["waiters"]))
        self._show(now)

    def _counters(self) -> dict[str, int]:
        self._observer.send("stats\n")
        found = {}
        while (line := self._observer.line()) != b"END":
            name, number = line.decode().split(": ")
            found[name] = int(number)
        return found

    def _show(self, now: float) -> None:
        """On a terminal a bar, elsewhere a line a minute."""
        if not sys.stderr.isatty() and now - self._said < 60:
            return
        self._said = now
        done = min(1.0, now / self._seconds)
        sample = self.samples[-1]
        line = (f"[{'#' * int(30 * done):30}] {now:.0f} of {self._seconds:.0f} s: "
                f"{sample.resident_bytes / MIB:.2f} MiB, {sample.connections} connections, {sample.waiters} waiters")
        print(line, end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


def soak(asked: argparse.Namespace) -> int:
    daemon = Daemon(["--threads", "2", "--log-level", "warning"], ["tcp://127.0.0.1:0"])
    load = Load(daemon.uris[0], asked.seed)
    try:
        watch = Watch(daemon, asked.seconds)
        before = watch.rest()
        load.run(asked.seconds, asked.bursts_per_second, watch.look, min(5.0, asked.seconds / 40))
        load.end()
        after = watch.rest()
        found = findings(watch.samples, before, after)
        write_report(asked.report, watch.samples, before, after, found)
        print("\n".join(summary(watch.samples, before, after, found)))
        daemon_seconds, own_seconds = daemon.cpu_seconds(), sum(os.times()[:2])
        print(f"{daemon_seconds:.1f} s of processor time for the daemon, {own_seconds:.1f} s for its clients")
    finally:
        daemon.finish()
    return 1 if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="ci/soak", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", nargs="?", type=float, default=3600.0, help="how long (3600)")
    parser.add_argument("--bursts-per-second", type=float, default=100.0, metavar="N",
                        help="of one to twelve requests (100)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="other requests (1)")
    parser.add_argument("--report", type=Path, default=Path("build/report"), metavar="FOLDER", help="(build/report)")
    return soak(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
