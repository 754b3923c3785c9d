"""ground.py's evaluation of the formulas beside that of both solvers, in samples: what a rule makes of a state, that a
rule does not apply, and which invariants are broken."""

from collections.abc import Iterator

from ground import Machine, Sample, State, World
from solvers import Ledger, Question, are
from theory import NEXT, Expression

EACH_WRONG = 5  # of so many samples one is also told wrongly


def check(machine: Machine, ledger: Ledger) -> None:
    every = list(questions(machine))
    wrong = [question for question in every if question.what.startswith("wrong")]
    right = [question for question in every if not question.what.startswith("wrong")]
    agreed = sum(are(said, question.expected) for question, said in zip(right, ledger.ask(right), strict=True))
    refused = sum(are(said, "unsat") for said in ledger.ask(wrong))
    print(f"  evaluated by the solvers too: {len(machine.samples)} samples, {agreed} of {len(right)} questions "
          f"answered as here; {refused} of {len(wrong)} wrong ones refused")  # fmt: skip


def questions(machine: Machine) -> Iterator[Question]:
    """That what was worked out can be so, and that nothing else can; or that a rule cannot apply."""
    of = machine.world
    sizes = {sort: len(of_sort) for sort, of_sort in of.sorts.items()}
    for number, sample in enumerate(machine.samples):
        transition = of.rules[sample.rule[0]] if sample.rule else of.theory.initial
        given = [*named(of, sample.rule), *facts_of(of, sample.before, "")]

        def question(what: str, expected: str, *formulas: Expression) -> Question:
            text = of.theory.question(transition, [*given, *formulas], sizes)  # noqa: B023
            return Question(f"{what} {sample.rule or 'state'}", expected, text)  # noqa: B023

        if sample.is_refused:
            yield question("possible", "sat")
            yield question("refused", "unsat", *transition.guards.values())
            continue
        guards, outcome = ([], judged(sample)) if sample.judged else (transition.guards.values(), told(of, sample))
        yield question("possible", "sat", *guards, *outcome)
        yield question("nothing else", "unsat", ["not", ["and", "true", *guards, *outcome]])
        if number % EACH_WRONG == 0:
            at = number % len(outcome)
            yield question("wrong", "unsat", *guards, *outcome[:at], ["not", outcome[at]], *outcome[at + 1 :])


def told(of: World, sample: Sample) -> list[Expression]:
    return facts_of(of, sample.after, NEXT)


def judged(sample: Sample) -> list[Expression]:
    return [["=", name, truth(is_so)] for name, is_so in sample.judged.items()]


def named(of: World, rule: tuple) -> Iterator[Expression]:
    """What the event names, the kinds of the locks, and the bounds."""
    name, session, lock, limit = (*rule, *("", None, None, 0)[len(rule) :])
    yield ["=", "s", member(of, "Session", session or of.sorts["Session"][0])]
    yield ["=", "l", member(of, "Lock", lock or of.sorts["Lock"][0])]
    yield ["=", "n", str(limit)]
    yield ["=", "heeds_line", truth(name != "take_shared")]
    yield from (["=", bound, str(number)] for bound, number in of.bounds.items())
    for each in of.sorts["Lock"]:
        yield ["=", ["exclusive", member(of, "Lock", each)], truth(str(each).startswith("x"))]


def member(of: World, sort: str, which: int | str) -> str:
    return f"{sort}.{of.sorts[sort].index(which)}"


def truth(value: object) -> str:
    return "true" if value else "false"


def facts_of(of: World, state: State, prefix: str) -> list[Expression]:
    found: list[Expression] = []
    for part, line in of.theory.state.items():
        for arguments, value in state[part].items():
            names = [member(of, sort, argument) for sort, argument in zip(of.parts[part], arguments, strict=True)]
            shown = truth(value) if line[3] == "Bool" else integer(int(value))
            found.append(["=", [prefix + part, *names] if names else prefix + part, shown])
    return found


def integer(number: int) -> Expression:
    return str(number) if number >= 0 else ["-", str(-number)]
