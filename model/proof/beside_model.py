"""What binds the proof to the model: the rules beside all that the model does in small worlds (ground.py), the same
with planted faults, and samples of all that as the solvers see them (evaluation.py)."""

import functools
import subprocess
from collections import Counter
from dataclasses import dataclass

import evaluation
from ground import Difference, Machine, World, compare
from solvers import Ledger
from theory import Theory, Transition

Flags = tuple[tuple[str, int], ...]

# In each world every event is tried in every state that can be reached.
WORLDS: list[Flags] = [
    (("sessions", 2), ("keys", 1), ("beside", 1)),
    (("sessions", 2), ("keys", 1), ("beside", 1), ("max-locks", 1), ("max-waiters", 1), ("max-grants", 3)),
    (("sessions", 2), ("keys", 1), ("max-locks", 2), ("max-grants", 2)),
    (("sessions", 2), ("keys", 2)),
]
LARGER_WORLDS: list[Flags] = [
    (("sessions", 3), ("keys", 1), ("beside", 1)),
    (("sessions", 3), ("keys", 1), ("beside", 1), ("max-waiters", 1)),
    (("sessions", 3), ("keys", 3), ("shared", 0)),  # of exclusive locks alone: circles of three
    (("sessions", 4), ("keys", 1), ("exclusive", 0), ("max-waiters", 2)),
]


@dataclass(frozen=True)
class Size:
    """How much is compared."""

    worlds: list[Flags]
    sampled: list[Flags]  # of these: where the evaluation is compared with the solvers'
    faults: list[str]  # that are looked for; none are named: all


SMOKE = Size(WORLDS[:3], [], ["takes from a holder", "release leaves the index entry", "the end keeps the waiter"])
USUAL = Size(WORLDS, WORLDS[1:2], [])
ALL = Size(WORLDS + LARGER_WORLDS, WORLDS + LARGER_WORLDS, [])

# A fault is looked for in these, or where they are too small for it, in a world of its own.
WORLDS_OF_FAULTS: list[Flags] = [
    *WORLDS[:3],
    (("sessions", 3), ("keys", 1), ("shared", 0)),
    (("sessions", 3), ("keys", 1), ("exclusive", 0)),
]
WORLD_OF_FAULT: dict[str, Flags] = {
    "a circle of three is missed": (("sessions", 3), ("keys", 3), ("shared", 0), ("max-locks", 2)),
    "the bound of a line is off by one": (("sessions", 3), ("keys", 1), ("shared", 0), ("max-waiters", 1)),
    "the limit of another waiter is used": (("sessions", 4), ("keys", 1), ("exclusive", 0), ("max-waiters", 2)),
}


@functools.cache
def told(program: str, flags: Flags) -> list[str]:
    """What the model does in that world, a line for each state."""
    words = [word for flag, number in flags for word in (f"--{flag}", str(number))]
    done = subprocess.run([program, *words], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def world(theory: Theory, flags: Flags) -> World:
    given = dict(flags)
    kinds = ("x" if given.get("exclusive", 1) else "") + ("s" if given.get("shared", 1) else "")
    locks = [kind + key for key in "abc"[: given["keys"]] for kind in kinds]
    bounds = {f"max_{what}": given.get(f"max-{what}", 0) for what in ("locks", "waiters", "grants")}
    return World(theory, given["sessions"], locks, bounds)


def shown(flags: Flags) -> str:
    return ", ".join(f"{flag} {number}" for flag, number in flags)


def check(theory: Theory, program: str, size: Size, ledger: Ledger) -> None:
    print("\nbeside the model")
    applied: Counter[str] = Counter()
    for flags in size.worlds:
        machine = Machine(world(theory, flags))
        try:
            counts = compare(machine, told(program, flags))
            print(f"{shown(flags)}:", ", ".join(f"{count} {what}" for what, count in counts.items()))
        except Difference as difference:
            ledger.fail(f"{flags}: {difference}")
        applied += machine.applied
        if flags in size.sampled:
            evaluation.check(machine, ledger)
    print("applied:", ", ".join(f"{rule} {count}" for rule, count in applied.items()))
    for rule in set(theory.transitions) - set(applied):
        ledger.fail(f"the model never does {rule}")
    planted = size.faults or list(theory.faults)
    seen = [name for name in planted if is_seen(theory, name, theory.faults[name], program)]
    for name in set(planted) - set(seen):
        ledger.fail(f"planted, and like the model in every small world: {name}")
    print(f"planted and seen beside the model: {len(seen)} of {len(planted)}")


def is_seen(theory: Theory, fault_name: str, fault: Transition, program: str) -> bool:
    """Whether it differs from the model in a state where the rules as they are do not."""
    for flags in [WORLD_OF_FAULT[fault_name]] if fault_name in WORLD_OF_FAULT else WORLDS_OF_FAULTS:
        faulty = Machine(world(theory, flags))
        faulty.world.learn(fault)
        for line in told(program, flags):
            try:
                compare(faulty, [line])
            except Difference as difference:
                compare(Machine(world(theory, flags)), [line])
                print(f"  {fault_name}: {shown(flags)}: {str(difference)[:90]}...")
                return True
    return False
