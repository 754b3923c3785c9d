"""lockd beside others, in rounds of the same load: the floor, memcached and Redis; and the floors among themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import costs
from figures import Beside, Figure, Rounds, Target, ratio_of_clocks, ratio_of_pairs
from measuring import Bench, Result
from servers import MANY_AT_ONCE

P99_MAX = Target(1.3, at_least=False)  # by the floor's, with one request in flight
HOARD = 1_000  # keys of each connection
OTHERS = ("floor", "memcached", "redis")
PEERS = ("memcached", "redis")
# Each two servers of which a ratio is made stand side by side in these walks.
WALK = ("lockd", "memcached", "floor", "lockd", "redis", "floor")
MANY_AT_ONCE_WALK = ("lockd", MANY_AT_ONCE, "floor")
ASIO_WALK = ("floor", "floor_asio_epoll", "floor_asio_uring", "floor")
ASIO_FLOORS = {"floor": "the bare loop", "floor_asio_epoll": "Asio on epoll", "floor_asio_uring": "Asio on io_uring"}


@dataclass(frozen=True)
class Setting:
    connections: int
    depth: int  # requests in flight on each
    targets: dict[str, Target]  # of lockd against each of the others

    @property
    def name(self) -> str:
        return f"{self.connections} connections, {self.depth} in flight"


SETTINGS = (
    Setting(50, 1, {"floor": Target(0.93, aim=0.98), "memcached": Target(1.10), "redis": Target(1.25)}),
    Setting(50, 16, {"floor": Target(0.80, aim=0.9), "memcached": Target(1.5, aim=1.8), "redis": Target(2.6)}),
    Setting(50, 100, {"floor": Target(0.55, aim=0.7), "memcached": Target(3.5, aim=5), "redis": Target(5)}),
    Setting(500, 1, {"floor": Target(0.93), "memcached": Target(1.05), "redis": Target(1.1)}),
)


def ratios(bench: Bench) -> Result:
    settings = {setting.name: setting for setting in SETTINGS}
    loads = {name: {"connections": each.connections, "depth": each.depth} for name, each in settings.items()}
    result = side_by_side(bench, WALK, loads, lambda what, rounds: figures_of(settings[what], rounds), OTHERS)
    many = {f"50 connections, 100 in flight, beside {MANY_AT_ONCE}": {"connections": 50, "depth": 100}}
    result.add_all(side_by_side(bench, MANY_AT_ONCE_WALK, many, beside_many_at_once))
    return result


def beside_many_at_once(what: str, rounds: Rounds) -> list[Figure]:
    """Without a target: memcached by default lets a connection have 20 requests answered at a time, and what comes
    after them pays for it."""
    setting = what.removesuffix(f", beside {MANY_AT_ONCE}")
    return [*against(setting, rounds, "lockd", [MANY_AT_ONCE]), *against(setting, rounds, "floor", [MANY_AT_ONCE])]


def figures_of(setting: Setting, rounds: Rounds) -> list[Figure]:
    """The floor stands beside the peers, too: no server with locks gets further."""
    found = against(setting.name, rounds, "lockd", OTHERS, setting.targets)
    if setting.depth == 1:
        found.append(ratio_of_clocks(f"{setting.name}: p99 of lockd by that of the floor", "p99_us",
                                     Beside(rounds, "lockd", "floor"), P99_MAX))
    return found + against(setting.name, rounds, "floor", PEERS)


def hoards(bench: Bench) -> Result:
    """Without a target: many locks at a time, where the ratios have one or as many as are in flight."""
    loads = {f"50 connections that take {HOARD:,} keys each, then release them, {depth} in flight":
             {"workload": "hoard", "keys": HOARD, "depth": depth} for depth in (1, 16)}
    return side_by_side(bench, WALK, loads, lambda what, rounds: against(what, rounds, "lockd", OTHERS))


def asio_floors(bench: Bench) -> Result:
    """What Asio costs, and whether its io_uring would cost less: the floor again, written with it."""
    def compare(what: str, rounds: Rounds) -> list[Figure]:
        return (against(what, rounds, "floor_asio_epoll", ["floor"], names=ASIO_FLOORS)
                + against(what, rounds, "floor_asio_uring", ["floor", "floor_asio_epoll"], names=ASIO_FLOORS))

    loads = {f"floors, {depth} in flight": {"depth": depth} for depth in (1, 16)}
    result = side_by_side(bench, ASIO_WALK, loads, compare)
    for what, load in loads.items():
        for kind in result.rounds[what]:
            result.figures += costs.system_calls_of(bench, kind, f"{load['depth']} in flight", **load)
    return result


def side_by_side(bench: Bench, walk: Sequence[str], loads: dict[str, dict],
                 compare: Callable[[str, Rounds], list[Figure]], judged_against: Sequence[str] = ()) -> Result:
    """Rounds of each load, by its name, against those of the servers that there are; and what is made of them."""
    result = Result()
    here = bench.kinds_here(list(dict.fromkeys(walk)))
    judged = [("lockd", other) for other in judged_against if other in here]
    for what, load in loads.items():
        start = bench.load_of_each({kind: {"kind": kind} for kind in here}, **load)
        rounds = bench.alternate(what, walk_of(walk, here), start, judged)
        result.add(what, rounds, compare(what, rounds))
    return result


def walk_of(walk: Sequence[str], here: Sequence[str]) -> list[str]:
    """The same over those that are here, none twice in a row."""
    found: list[str] = []
    for kind in walk:
        if kind in here and kind not in found[-1:]:
            found.append(kind)
    return found


def against(what: str, rounds: Rounds, ours: str, others: Sequence[str], targets: dict[str, Target] | None = None,
            names: dict[str, str] | None = None) -> list[Figure]:
    """The ratios of one server to those others that there are."""
    if ours not in rounds:
        return []
    called = names or {}
    return [ratio_of_pairs(f"{what}: {called.get(ours, ours)} against {called.get(other, other)}",
                           Beside(rounds, ours, other), (targets or {}).get(other)) for other in others
            if other in rounds]
