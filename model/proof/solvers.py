"""z3 and cvc5, which are asked the same questions: many in a row by one process, each of them by itself."""

import os
import signal
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SECONDS_MAX_EACH = 120  # for one question; on a busy machine, these take a second at most on an idle one
CPU_SECONDS_MAX = 120  # for all that one process is asked: z3 does not always heed its own limit
SECONDS_MAX = 1200
SOLVERS = {
    "z3": ["z3", "-in", f"-t:{SECONDS_MAX_EACH}000"],
    "cvc5": ["cvc5", "--lang=smt2", f"--tlimit-per={SECONDS_MAX_EACH}000"],
}
QUESTIONS_IN_A_ROW = 100
ANSWERS = ("sat", "unsat", "unknown")


@dataclass(frozen=True)
class Question:
    what: str
    expected: str
    text: str  # ends with its one check-sat


class Run:
    """A solver at work, in a process group of its own; it does not outlive the one who asks."""

    def __init__(self, command: list[str], text: str) -> None:
        self.output = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        with tempfile.TemporaryFile("w+", encoding="utf-8") as text_file:
            text_file.write(text)
            text_file.seek(0)
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", "prlimit", f"--cpu={CPU_SECONDS_MAX}", *command],
                stdin=text_file, stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def wait(self) -> tuple[str, float]:
        """What it printed, and its CPU seconds. One that was killed printed less than it should have."""
        timer = threading.Timer(SECONDS_MAX, os.killpg, (self.process.pid, signal.SIGKILL))
        timer.start()
        _, status, used = os.wait4(self.process.pid, 0)
        timer.cancel()
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.output.seek(0)
        return self.output.read(), used.ru_utime + used.ru_stime


class Ledger:
    """Who was asked how often, what that took, and which answers were not those that were expected."""

    def __init__(self, solvers: Sequence[str] = tuple(SOLVERS)) -> None:
        self.solvers = solvers
        self.answers: Counter[tuple[str, str]] = Counter()  # (solver, answer)
        self.seconds: Counter[str] = Counter()
        self.wrong: list[str] = []

    def ask(self, questions: Iterable[Question], options: tuple[str, ...] = ()) -> list[dict[str, str]]:
        """What each solver says to each question, in that order; `options` are those of cvc5."""
        every = list(questions)
        starts = range(0, len(every), QUESTIONS_IN_A_ROW)
        return [said for start in starts for said in self.ask_few(every[start : start + QUESTIONS_IN_A_ROW], options)]

    def ask_few(self, questions: list[Question], options: tuple[str, ...]) -> list[dict[str, str]]:
        text = "(reset)\n".join(question.text for question in questions)
        runs = {name: Run([*SOLVERS[name], *(options if name == "cvc5" else ())], text) for name in self.solvers}
        said: list[dict[str, str]] = [{} for _ in questions]
        for name, run in runs.items():
            output, seconds = run.wait()
            self.seconds[name] += seconds
            answers = output.split()
            if any(answer not in ANSWERS for answer in answers):  # then nobody knows which answer belongs where
                answers = []
                self.wrong.append(f"{name} says {output[:500]}")
            answers += ["nothing"] * (len(questions) - len(answers))
            for question, of_question, answer in zip(questions, said, answers, strict=True):
                of_question[name] = answer
                self.answers[name, answer] += 1
                if answer != question.expected:
                    self.wrong.append(f"{question.what}: {name} says {answer}, not {question.expected}")
        return said

    def fail(self, what: str) -> None:
        self.wrong.append(what)


def are(said: dict[str, str], answer: str) -> bool:
    """Whether all solvers gave this answer."""
    return set(said.values()) == {answer}
