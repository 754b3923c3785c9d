"""A folder of SMT-LIB files as one theory: its state, its invariants, its transitions, and the queries made of them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# An S-expression: a word, or a list of such.
Expression = str | list["Expression"]

TOKEN = re.compile(r';[^\n]*|\s+|([()]|"[^"]*"|[^\s();"]+)')
Sizes = dict[str, int]
SMALL: Sizes = {"Session": 3, "Lock": 3}  # how many there are of each sort in a small world
NEXT = "next."  # stands before the name of what a state becomes


class TheoryError(Exception):
    """What a file of the theory says cannot be made sense of."""


def read(text: str) -> list[Expression]:
    stack: list[list[Expression]] = [[]]
    for token in filter(None, (match[1] for match in TOKEN.finditer(text))):
        if token == "(":
            stack.append([])
        elif token == ")" and len(stack) > 1:
            closed = stack.pop()
            stack[-1].append(closed)
        elif token == ")":
            raise TheoryError("a parenthesis too many")
        else:
            stack[-1].append(token)
    if len(stack) != 1:
        raise TheoryError("a parenthesis is missing")
    return stack[0]


def write(expression: Expression) -> str:
    return expression if isinstance(expression, str) else "(" + " ".join(map(write, expression)) + ")"


def renamed(expression: Expression, names: dict[str, str]) -> Expression:
    if isinstance(expression, str):
        return names.get(expression, expression)
    return [renamed(part, names) for part in expression]


@dataclass
class Transition:
    name: str
    guards: dict[str, Expression] = field(default_factory=dict)
    updates: dict[str, Expression] = field(default_factory=dict)  # whole define-funs, by what they change
    rule: str = ""  # of a planted fault: the transition that it changes, and the goal that is missed then
    breaks: str = ""


def transitions_of(expressions: list[Expression]) -> dict[str, Transition]:
    found: dict[str, Transition] = {}
    current = Transition("")
    for expression in expressions:
        match expression:
            case ["push", "1"] | ["pop", "1"]:
                current = Transition("")
            case ["echo", name]:
                current = found[name.strip('"')] = Transition(name.strip('"'))
            case ["set-info", ":rule", rule] if current.name:
                current.rule = rule
            case ["set-info", ":breaks", goal] if current.name:
                current.breaks = goal
            case ["assert", ["!", formula, ":named", name]] if current.name:
                current.guards[name] = formula
            case ["define-fun", name, *_] if current.name and name.startswith(NEXT):
                current.updates[name.removeprefix(NEXT)] = expression
            case _:
                raise TheoryError(f"not to be expected among transitions: {write(expression)}")
    return found


class Theory:
    """`goals`: what each transition must keep (invariants) or do (laws)."""

    def __init__(self, folder: Path) -> None:
        def file(name: str) -> list[Expression]:
            path = folder / f"{name}.smt2"
            return read(path.read_text(encoding="utf-8")) if path.exists() else []

        self.name = folder.name
        self.vocabulary = file("vocabulary")
        state = file("state")
        self.state = {line[1]: line for line in state if line[0] == "declare-fun"}
        self.words = {line[1]: line for line in state if line[0] == "define-fun"}
        self.invariants = {line[1]: line for line in file("invariants")}
        self.laws = {line[1]: line for line in file("laws")}
        self.transitions = transitions_of(file("transitions"))
        self.initial = transitions_of(file("initial"))["start"]
        self.faults = {fault.name: self.planted(fault) for fault in transitions_of(file("faults")).values()}
        names = [*self.state, *self.words, *self.invariants]
        self.next_names = {name: NEXT + name for name in names}
        for transition in self.transitions.values():
            if unknown := set(transition.updates) - set(self.state):
                raise TheoryError(f"{transition.name} changes what is no part of the state: {unknown}")

    def planted(self, fault: Transition) -> Transition:
        """The rule with what the fault changes in it."""
        rule = self.transitions[fault.rule]
        if unknown := set(fault.guards) - set(rule.guards):
            raise TheoryError(f"{fault.name}: {fault.rule} has no such condition: {unknown}")
        guards, updates = rule.guards | fault.guards, rule.updates | fault.updates
        return Transition(fault.rule, guards, updates, fault.rule, fault.breaks)

    def definitions(self, transition: Transition) -> list[Expression]:
        """All that a query about one transition may speak of: the state before it, and the state after it."""
        after = [transition.updates.get(name) or self.unchanged(line) for name, line in self.state.items()]
        words = [*self.words.values(), *self.invariants.values()]
        return [
            *self.vocabulary,
            *self.state.values(),
            *words,
            *after,
            *(renamed(line, self.next_names) for line in words),
            *self.laws.values(),
        ]

    @staticmethod
    def unchanged(declaration: Expression) -> Expression:
        _, name, sorts, result = declaration
        parameters = [[f"x{i}", sort] for i, sort in enumerate(sorts)]
        value = [name, *(parameter for parameter, _ in parameters)] if parameters else name
        return ["define-fun", NEXT + name, parameters, result, value]

    def query(self, transition: Transition, hypotheses: Iterable[str], goal: str = "", small: bool = False) -> str:
        """Whether the transition can happen under these hypotheses, and miss the goal, if there is one. small: in a
        world of few sessions and locks, in which models are found fast; each is one of the whole as well."""
        missed = [["not", goal if goal in self.laws else NEXT + goal]] if goal else []
        return self.question(transition, [*hypotheses, *transition.guards.values(), *missed], SMALL if small else {})

    def question(self, transition: Transition, formulas: list[Expression], sizes: Sizes) -> str:
        """Whether these can all be true; with `sizes`, in a world of so many members of each sort."""
        used = only_used(self.definitions(transition), formulas)
        lines = [["set-logic", "UFLIA"], *used, *(["assert", formula] for formula in formulas)]
        return "\n".join(map(write, [*(in_small_world(lines, sizes) if sizes else lines), ["check-sat"]])) + "\n"


def words(expression: Expression) -> Iterator[str]:
    if isinstance(expression, str):
        yield expression
    else:
        for part in expression:
            yield from words(part)


def only_used(definitions: list[Expression], formulas: list[Expression]) -> list[Expression]:
    """The declarations, and those definitions of which the formulas speak, directly or through others."""
    found: list[Expression] = []
    used = set(words(formulas))
    for line in reversed(definitions):
        if line[0] != "define-fun":
            found.append(line)
        elif line[1] in used:
            found.append(line)
            used.update(words(line[4]))
    return found[::-1]


def members(sort: str, sizes: Sizes) -> list[str]:
    return [f"{sort}.{number}" for number in range(sizes[sort])]


def in_small_world(lines: list[Expression], sizes: Sizes) -> list[Expression]:
    """The same for so few members of each sort: what is said of all is said of each, what of some of one or another."""
    found: list[Expression] = []
    for line in lines:
        found.append(expanded(line, sizes))
        match line:
            case ["declare-sort", sort, _] if sort in sizes:
                found += [["declare-const", member, sort] for member in members(sort, sizes)]
                if len(members(sort, sizes)) > 1:  # of one cvc5 will not hear
                    found.append(["assert", ["distinct", *members(sort, sizes)]])
            case ["declare-const", name, sort] if sort in sizes:
                found.append(["assert", ["or", *(["=", name, member] for member in members(sort, sizes))]])
    return found


def expanded(expression: Expression, sizes: Sizes) -> Expression:
    match expression:
        case ["forall" | "exists" as quantifier, [[name, sort], *others], body] if sort in sizes:
            inner = expanded([quantifier, others, body] if others else body, sizes)
            each = [renamed(inner, {name: member}) for member in members(sort, sizes)]
            return ["and" if quantifier == "forall" else "or", *each]
        case list():
            return [expanded(part, sizes) for part in expression]
    return expression
