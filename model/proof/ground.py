"""The rules of locks/ worked out in states of a few sessions and locks, by evaluation and without a solver, and beside
the steps of the model: what the proof speaks of is what model/lock_model.cc does."""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from theory import NEXT, Expression, Theory, Transition

Table = dict[tuple[int | str, ...], int | bool]
State = dict[str, Table]  # of a part of the state without parameters there is one value, that of ()

INFIX = {"and": " and ", "or": " or ", "=": " == ", "distinct": " != ", "+": " + ", "-": " - ",
         "<": " < ", "<=": " <= ", ">": " > ", ">=": " >= "}  # fmt: skip


class Difference(Exception):
    """The rules say something else than the model."""


class World:
    """The formulas of a theory as Python functions, over so many sessions and these locks."""

    def __init__(self, theory: Theory, sessions: int, locks: list[str], bounds: dict[str, int]) -> None:
        self.theory = theory
        self.sorts: dict[str, list[int | str]] = {
            "Session": list(range(1, sessions + 1)),
            "Lock": sorted(locks, key=lambda lock: (lock[0] != "x", lock)),  # in the order in which the model has them
        }
        self.bounds = bounds
        self.parts = {name: line[2] for name, line in theory.state.items()}
        exclusive = {(lock,): lock.startswith("x") for lock in locks}
        self.names: dict[str, object] = self.sorts | {name: {(): value} for name, value in bounds.items()}
        self.names |= {"exclusive": exclusive}
        self.functions = {line[1] for line in [*theory.words.values(), *theory.invariants.values()]}
        for line in [*theory.words.values(), *theory.invariants.values()]:
            self.define(line[1], line)
        self.rules: dict[str, Transition] = {}
        for transition in theory.transitions.values():
            self.learn(transition)

    def learn(self, transition: Transition) -> None:
        """Takes a transition in, or another one under a name that there was."""
        self.rules[transition.name] = transition
        guard = ["define-fun", "guard", [], "Bool", ["and", "true", *transition.guards.values()]]
        self.define(f"{transition.name}!guard", guard)
        for part, line in transition.updates.items():
            self.define(f"{transition.name}!{part}", line)

    def define(self, name: str, line: Expression) -> None:
        _, _, parameters, _, body = line
        variables = [parameter for parameter, _ in parameters]
        code = f"lambda {', '.join(variables)}: {self.python(body, set(variables))}"
        self.names[name] = eval(code, self.names)  # noqa: S307

    def python(self, expression: Expression, variables: set[str]) -> str:
        if isinstance(expression, str):
            return self.python_word(expression, variables)
        operator, *operands = expression
        if operator in ("forall", "exists"):
            bound, body = operands
            loops = " ".join(f"for {name} in {sort}" for name, sort in bound)
            inner = self.python(body, variables | {name for name, _ in bound})
            return f"{'all' if operator == 'forall' else 'any'}({inner} {loops})"
        values = [self.python(operand, variables) for operand in operands]
        if operator == "not":
            return f"(not {values[0]})"
        if operator == "=>":
            return "(" + " or ".join([*(f"(not {value})" for value in values[:-1]), values[-1]]) + ")"
        if operator == "ite":
            return f"({values[1]} if {values[0]} else {values[2]})"
        if operator in INFIX:
            return "(" + INFIX[operator].join(values) + ")"
        if operator in self.functions:
            return f"{operator}({', '.join(values)})"
        return f"{operator}[{', '.join(values)},]"

    def python_word(self, word: str, variables: set[str]) -> str:
        if word in ("true", "false"):
            return word.capitalize()
        if word in variables or word.isdigit():
            return word
        return f"{word}()" if word in self.functions else f"{word}[()]"

    def arguments(self, part: str) -> Iterator[tuple[int | str, ...]]:
        return itertools.product(*(self.sorts[sort] for sort in self.parts[part]))

    def enter(self, state: State) -> None:
        self.names |= state

    def is_so(self, word: str) -> bool:
        return bool(self.names[word]())

    def applies(self, transition: str, s: int | None, l: str | None, n: int = 0) -> bool:  # noqa: E741
        self.names |= {"s": {(): s}, "l": {(): l}, "n": {(): n}, "heeds_line": {(): transition != "take_shared"}}
        return self.is_so(f"{transition}!guard")

    def after(self, state: State, transition: Transition) -> State:
        """The next state, for the session, lock and limit last named in `applies`."""
        after = dict(state)
        for part in transition.updates:
            value = self.names[f"{transition.name}!{part}"]
            after[part] = {arguments: value(*arguments) for arguments in self.arguments(part)}
        return after

    def state(self, told: dict) -> State:
        """The state that the model told of."""
        state: State = {part: dict.fromkeys(self.arguments(part), 0) for part in self.parts}
        for fate in ("live", "ended"):
            state[fate] |= {(session,): True for session in told[fate]}
        state["grants"][()] = told["grants"]
        for lock, holders, line in told["locks"]:
            state["size"][lock,], state["length"][lock,] = len(holders), len(line)
            for session, token in holders:
                state["holds"][session, lock], state["token"][session, lock] = True, token
            for place, (session, limit) in enumerate(line):
                state["waits"][session, lock] = True
                state["ticket"][session, lock], state["limit"][session, lock] = place, limit
        for session, locks in told["index"]:
            state["held"][session,] = len(locks)
            state["index"] |= {(session, lock): True for lock in locks}
        state["waiters"][()] = sum(state["length"].values())
        state["next_ticket"][()] = len(self.sorts["Session"])
        state["reach"] = self.reach(told["locks"])
        return state

    def reach(self, locks: list) -> Table:
        """Who waits for whom, found by walking from one to the next."""
        reach: Table = dict.fromkeys(self.arguments("reach"), False)
        steps = {(waiter, holder) for lock, holders, line in locks if lock.startswith("x")
                 for waiter, _ in line for holder, _ in holders}  # fmt: skip
        for start in self.sorts["Session"]:
            found = [start]
            for at in found:
                found += [to for origin, to in steps if origin == at and to not in found]
            reach |= {(start, end): True for end in found}
        return reach

    def comparable(self, state: State) -> State:
        """The state without what has no meaning in it: tokens of no holder, and of tickets more than their order."""
        holds, waits, ticket = state["holds"], state["waits"], state["ticket"]

        def is_ahead(one: int | str, other: int | str, lock: int | str) -> bool:
            return bool(waits[one, lock]) and ticket[one, lock] < ticket[other, lock]

        clean = dict(state)
        clean["token"] = {at: token * holds[at] for at, token in state["token"].items()}
        clean["limit"] = {at: limit * waits[at] for at, limit in state["limit"].items()}
        clean["ticket"] = {
            (session, lock): waits[session, lock]
            and sum(is_ahead(other, session, lock) for other in self.sorts["Session"])
            for session, lock in ticket
        }
        del clean["next_ticket"]
        return clean


@dataclass
class Sample:
    """What was worked out of a state: what a rule (its name, session, lock, limit) makes of it, or that it does not
    apply, or which invariants hold."""

    before: State
    rule: tuple = ()
    after: State = field(default_factory=dict)
    judged: dict[str, bool] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        return not self.after and not self.judged


@dataclass
class Machine:
    """Events as the model has them, by the rules: which rule can stand for which event, and in what order."""

    world: World
    now: State = field(default_factory=dict)
    applied: Counter = field(default_factory=Counter)
    sampled: Counter = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)

    def sample(self, kind: str, sample: Sample) -> None:
        """Keeps the first of its kind, the second, the fourth, the eighth, and so on."""
        self.sampled[kind] += 1
        if self.sampled[kind].bit_count() == 1:
            self.samples.append(sample)

    def able(self, rules: Iterable[tuple]) -> list[tuple]:
        """Those of these that apply."""
        found = []
        for rule in rules:
            if self.world.applies(*rule):
                found.append(rule)
            else:
                self.sample(f"{rule[0]} refused", Sample(self.now, rule))
        return found

    def one_of(self, *rules: tuple) -> bool:
        """The one of these (rule, session, lock, limit) that applies, and what it leaves to be handed on."""
        self.world.enter(self.now)
        able = self.able(rules)
        if len(able) > 1:
            raise Difference(f"several rules apply: {able}")
        for rule in able:
            self.apply(rule)
            self.hand_on()
        return bool(able)

    def apply(self, rule: tuple) -> None:
        self.world.applies(*rule)  # names them
        before, self.now = self.now, self.world.after(self.now, self.world.rules[rule[0]])
        self.world.enter(self.now)
        self.applied[rule[0]] += 1
        self.sample(rule[0], Sample(before, rule, self.now))

    def judge(self, state: State) -> list[str]:
        """The invariants that are broken."""
        self.world.enter(state)
        judged = {name: self.world.is_so(name) for name in self.world.theory.invariants}
        broken = [name for name, is_so in judged.items() if not is_so]
        self.sample(f"judged {broken[:1]}", Sample(state, judged=judged))
        return broken

    def hand_on(self) -> None:
        while handed := [lock for (lock,), is_handed in self.now["handing"].items() if is_handed]:
            able = self.able(rule for lock in handed for rule in self.hand_overs(lock))
            if len(able) != 1:
                raise Difference(f"not one way to hand on, but {able}")
            self.apply(able[0])

    def hand_overs(self, lock: str) -> list[tuple]:
        return [("settle", None, lock), *(("hand_over", session, lock) for session in self.world.sorts["Session"])]

    def happens(self, what: str, session: int, key: str, limit: int, milliseconds: int) -> None:
        locks = self.world.sorts["Lock"]
        exclusive, shared = "x" + key, "s" + key
        match what:
            case "begins":
                self.one_of(("begin", session, None))
            case "get" | "get_wait":
                self.get(session, exclusive, 1, milliseconds)
            case "get_limited" | "get_limited_wait":
                self.get(session, shared, limit, milliseconds)
            case "get_shared":
                self.one_of(("take_shared", session, shared, 2**32 - 1))
            case "release" | "release_shared":
                self.one_of(("release", session, exclusive if what == "release" else shared))
            case "release_all":
                for lock in locks:
                    self.one_of(("release", session, lock))
            case "released" | "orphaned":
                self.one_of(("release" if what == "released" else "orphan", session, key))
            case "times_out" | "is_canceled":
                self.one_of(*(("leave", session, lock) for lock in locks))
            case "end_begins":
                self.end_begins(session)
            case "ends":
                self.ends(session)
            case "stops":
                self.one_of(("clear_lines", None, None))
                for each in [each for (each,), is_live in self.now["live"].items() if is_live]:
                    self.ends(each)
            case "look":
                pass
            case _:
                raise Difference(f"no rule for an event {what}")

    def get(self, session: int, lock: str, limit: int, milliseconds: int) -> None:
        waiting = [("wait", session, lock, limit)] if milliseconds else []
        self.one_of(("take", session, lock, limit), *waiting)

    def end_begins(self, session: int) -> bool:
        waiting = (("end_waiting", session, lock) for lock in self.world.sorts["Lock"])
        return self.one_of(("end", session, None), *waiting)

    def ends(self, session: int) -> None:
        if self.end_begins(session):
            for lock in self.world.sorts["Lock"]:
                self.one_of(("orphan", session, lock))


def compare(machine: Machine, lines: Iterable[str]) -> Counter:
    """Every step that the model told of, one line a state, and what it calls sound."""
    world, counts = machine.world, Counter()
    for line in lines:
        told = json.loads(line)
        before = world.state(told["state"])
        counts["states"] += 1
        for event, then in told["steps"]:
            machine.now = before
            machine.happens(*event)
            counts["steps"] += 1
            counts["steps that change something"] += then is not None
            expected = before if then is None else world.state(then)
            if machine.now is not expected and world.comparable(machine.now) != world.comparable(expected):
                raise Difference(f"{event} in {told['state']}: the model says {then or 'nothing changes'}")
        for beside, is_sound in [(told["state"], True), *told["beside"]]:
            broken = machine.judge(world.state(beside))
            counts["states called sound" if is_sound else "states called broken"] += 1
            if bool(broken) == is_sound:
                raise Difference(f"sound={is_sound} to the model, invariants broken: {broken}: {beside}")
    return counts
