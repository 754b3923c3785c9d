#!/usr/bin/env python3
"""The proof of the lock table's rules, by z3 and by cvc5: see README.md beside this file.

Prints what was asked and answered, and exits 1 unless both solvers give each expected answer: "unknown" is none.
"""

import argparse
import dataclasses
import shutil
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True

import beside_model  # noqa: E402
from solvers import SOLVERS, Ledger, Question, are  # noqa: E402
from theory import Theory, TheoryError, Transition  # noqa: E402

HERE = Path(__file__).resolve().parent
# How cvc5 looks for a contradiction, and how for a model: without a word it does neither where there are quantifiers.
# z3 needs none.
TO_REFUTE = {"locks": ("--finite-model-find",), "counting": ("--full-saturate-quant",)}
TO_FIND = ("--finite-model-find", "--fmf-bound")
# By way of size_counts, held_counts and waiters_counts, and of the theory counting.
PROVEN_BY_COUNTING = ("size_counted", "held_counted", "waiters_counted")


class Necessary:
    """necessary.txt: for each hypothesis what is not kept without it, or that it is spare, and is not used."""

    def __init__(self, folder: Path) -> None:
        self.spare: set[str] = set()
        self.used: set[str] = set()  # and neither: the file says why
        self.witnesses: dict[str, tuple[str, str]] = {}  # a transition and a goal
        for line in (folder / "necessary.txt").read_text(encoding="utf-8").splitlines():
            match line.split("#")[0].split():
                case ["without", hypothesis, transition, "misses", goal]:
                    self.witnesses[hypothesis] = transition, goal
                case ["spare", hypothesis]:
                    self.spare.add(hypothesis)
                case ["used", hypothesis]:
                    self.used.add(hypothesis)
                case [_, *_]:
                    raise TheoryError(f"necessary.txt: {line}")

    def without_spare(self, transition: Transition) -> Transition:
        rule = transition.name
        guards = {name: line for name, line in transition.guards.items() if f"{rule}.{name}" not in self.spare}
        return dataclasses.replace(transition, guards=guards)

    def hypotheses(self, theory: Theory, goal: str) -> list[str]:
        return [name for name in theory.invariants if name == goal or name not in self.spare]


def check_kept(theory: Theory, necessary: Necessary, ledger: Ledger) -> None:
    """The proof itself: from the invariants, by any transition, to each goal."""
    transitions = {"start": theory.initial} | theory.transitions
    questions = {}
    for goal in [*theory.invariants, *theory.laws]:
        for name, transition in transitions.items():
            if goal not in (theory.laws if name == "start" else PROVEN_BY_COUNTING):
                hypotheses = [] if name == "start" else necessary.hypotheses(theory, goal)
                query = theory.query(necessary.without_spare(transition), hypotheses, goal)
                questions[goal, name] = Question(f"{theory.name}: {name} keeps {goal}", "unsat", query)
    said = dict(zip(questions, ledger.ask(questions.values(), TO_REFUTE[theory.name]), strict=True))
    print(f"\n{theory.name}: goals x transitions; = is unsat by all: kept; . is not asked")
    print(" " * 20, " ".join(transitions))
    for goal in [*theory.invariants, *theory.laws]:
        cells = ["." if (goal, name) not in said else "=" if are(said[goal, name], "unsat") else "?"
                 for name in transitions]  # fmt: skip
        print(f"{goal:20}", " ".join(f"{cell:{len(name)}}" for cell, name in zip(cells, transitions, strict=True)))
    print(f"{theory.name}: {sum(are(of_both, 'unsat') for of_both in said.values())} of {len(said)} are kept")


def check_found(questions: list[Question], ledger: Ledger, title: str) -> None:
    """Each is answered by both solvers with a state: prints what."""
    said = ledger.ask(questions, TO_FIND)
    print(f"{title}: {sum(are(of_both, 'sat') for of_both in said)} of {len(said)}")
    for question, of_both in zip(questions, said, strict=True):
        print(f"  {question.what}:", ", ".join(f"{solver} {answer}" for solver, answer in of_both.items()))


def check_can_happen(theory: Theory, ledger: Ledger) -> None:
    """Else whatever is said of a transition were true of nothing."""
    questions = [Question(name, "sat", theory.query(transition, theory.invariants, small=True))
                 for name, transition in theory.transitions.items()]  # fmt: skip
    check_found(questions, ledger, f"{theory.name}: transitions that can happen")


def check_necessary(theory: Theory, necessary: Necessary, ledger: Ledger) -> None:
    guards = [f"{rule.name}.{guard}" for rule in theory.transitions.values() for guard in rule.guards]
    every = [*theory.invariants, *guards]
    told = [*necessary.witnesses, *necessary.spare, *necessary.used]
    for name in set(every) ^ set(told):
        ledger.fail(f"{theory.name}: {name} is {'unknown' if name in told else 'missing'} in necessary.txt")
    questions = []
    for hypothesis, (rule, goal) in necessary.witnesses.items():
        transition = necessary.without_spare(theory.transitions[rule])
        rest_of_guards = {name: line for name, line in transition.guards.items() if f"{rule}.{name}" != hypothesis}
        rest = [name for name in necessary.hypotheses(theory, goal) if name != hypothesis]
        query = theory.query(dataclasses.replace(transition, guards=rest_of_guards), rest, goal, small=True)
        questions.append(Question(f"without {hypothesis} {rule} misses {goal}", "sat", query))
    check_found(questions, ledger, f"{theory.name}: hypotheses that are necessary")
    print(f"{theory.name}: spare, and not used: {', '.join(sorted(necessary.spare))}")
    if necessary.used:
        print(f"{theory.name}: used, and not shown to be necessary: {', '.join(necessary.used)}")


def check_faults(theory: Theory, ledger: Ledger) -> None:
    questions = [Question(f"{fault.rule}: {name} (misses {fault.breaks})", "sat",
                          theory.query(fault, theory.invariants, fault.breaks, small=True))
                 for name, fault in theory.faults.items()]  # fmt: skip
    check_found(questions, ledger, f"{theory.name}: faults planted and found")


def check_solvers(options: argparse.Namespace, solvers: list[str]) -> None:
    for solver in solvers:
        if not shutil.which(solver):
            sys.exit(f"prove: there is no {solver} here; ci/install-deps installs it")
    if not Path(options.model_steps).is_file():
        sys.exit(f"prove: there is no {options.model_steps}; build the target model_steps, or call ci/prove")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="prove")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--smoke", dest="size", action="store_const", const=beside_model.SMOKE,
                      help="z3 alone, and the smallest worlds beside the model: a quarter of a minute")  # fmt: skip
    size.add_argument("--all", dest="size", action="store_const", const=beside_model.ALL,
                      help="also the larger worlds beside the model: five minutes")  # fmt: skip
    parser.add_argument("--model-steps", default=HERE.parents[1] / "build/release/model/proof/model_steps",
                        help="the program that tells of the model's steps")  # fmt: skip
    parser.set_defaults(size=beside_model.USUAL)
    options = parser.parse_args()
    solvers = ["z3"] if options.size is beside_model.SMOKE else list(SOLVERS)
    check_solvers(options, solvers)
    ledger = Ledger(solvers)
    for folder in ("counting", "locks"):
        theory, necessary = Theory(HERE / folder), Necessary(HERE / folder)
        check_kept(theory, necessary, ledger)
        check_can_happen(theory, ledger)
        check_necessary(theory, necessary, ledger)
        check_faults(theory, ledger)
    start = time.process_time()
    beside_model.check(theory, str(options.model_steps), options.size, ledger)
    print(f"\nbeside the model: {time.process_time() - start:.1f} s of CPU, without the solvers")
    for solver in solvers:
        answers = {said: count for (who, said), count in ledger.answers.items() if who == solver}
        by_answer = ", ".join(f"{count} {said}" for said, count in answers.items())
        print(f"{solver}: {sum(answers.values())} questions, {by_answer}, in {ledger.seconds[solver]:.1f} s of CPU")
    print("\n".join(ledger.wrong or ["everything as expected"]))
    return 1 if ledger.wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except TheoryError as error:
        sys.exit(f"prove: {error}")
