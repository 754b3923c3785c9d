"""What is held against the mutants: the test programs of the tree, cut into the cases that each can be told to run."""

import math
import os
import re
import resource
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

MEMORY_MAX = 4 << 30  # of a process: a mutant may ask for all there is
QUICK_SECONDS = 0.1  # quicker cases of all suites come before the others


@dataclass(frozen=True)
class Suite:
    """Kills a mutant if the program fails."""

    name: str
    target: str  # to be built
    binary: str
    cases: Callable[[Path, Path], list[str]]  # of the folder of the binaries and that of the sources
    arguments: Callable[[list[str]], list[str]]  # that run these cases
    environment: dict[str, str] = field(default_factory=dict)


def gtest_cases(binary: str, suites: str) -> Callable[[Path, Path], list[str]]:
    def cases(tree: Path, _: Path) -> list[str]:
        listed = subprocess.run([tree / binary, "--gtest_list_tests"], check=True, capture_output=True, text=True)
        found, suite = [], ""
        for line in listed.stdout.splitlines():
            if line.startswith("  ") and re.match(suites, suite):
                found.append(suite + line.split("#")[0].strip())
            elif re.fullmatch(r"\S+\.( +#.*)?", line):
                suite = line.split()[0]
        return found

    return cases


def gtest(name: str, folder: str, target: str, environment: dict[str, str] | None = None, only: str = "") -> Suite:
    """only: the pattern that GoogleTest's suites begin with."""
    binary = f"{folder}/{target}"
    return Suite(name, target, binary, gtest_cases(binary, only),
                 lambda cases: ["--gtest_fail_fast", "--gtest_brief=1", "--gtest_filter=" + ":".join(cases)],
                 environment or {})


def scenario_files(_: Path, sources: Path) -> list[str]:
    files = sorted((sources / "proptests/scenarios").glob("*.txt"))
    aimed = {file: re.search(rb"^# targets:(.*)$", file.read_bytes(), re.MULTILINE) for file in files}
    return [str(file) for file, targets in aimed.items() if not targets or b"session" in targets[1]]


def explorer(name: str, *searches: str) -> list[Suite]:
    """One suite for each, as the program does one search at a time."""
    return [Suite(name, "explorer", "proptests/explorer", lambda *_, search=search: [search],
                  lambda cases: cases[0].split()) for search in searches]


def corpus(fuzzer: str) -> Suite:
    return Suite("corpus", f"{fuzzer}_fuzzer", f"fuzz/{fuzzer}_fuzzer",
                 lambda _, sources: [str(sources / "fuzz/corpus" / fuzzer)], lambda cases: cases)


def random_cases(count: int) -> dict[str, str]:
    return {"RC_PARAMS": f"seed=1 max_success={count}"}


SUITES = [  # in the order in which they are run
    gtest("engine_tests", "engine", "engine_tests"),
    gtest("session_tests", "server", "session_tests"),
    Suite("scenarios", "scenario", "proptests/scenario", scenario_files, lambda cases: ["session", *cases]),
    gtest("cost_tests", "engine", "engine_cost_tests"),
    gtest("memory_tests", "server", "session_memory_tests"),
    corpus("parser"),
    corpus("session"),
    gtest("random", "proptests", "conformance_test", random_cases(500)),
    gtest("relations", "proptests", "relations_test", random_cases(200)),
    *explorer("explorer", "--all --renamed --depth 3", "--depth 4", "--all --bytes --renamed --keys 1",
              "--bytes --renamed", "--all --renamed --depth 2 --max-locks 2 --max-waiters 1 --max-grants 4"),
    gtest("session_bytes", "proptests", "session_conformance_tests"),
    gtest("parser", "proptests", "parser_exhaustive_tests"),
    gtest("server_threads", "server", "server_thread_tests", only="Registry|SessionThreads"),
    gtest("engine_threads", "engine", "engine_thread_tests", only="TokenSource"),  # others take a core for minutes
]


def run(suite: Suite, cases: list[str], tree: Path, cpu_seconds: float, environment: dict[str, str]) -> str:
    """`survived`, `killed` or `timeout`, which is also what takes no processor time and does not end. Nothing of it is
    left running."""

    def limit() -> None:
        seconds = math.ceil(cpu_seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    process = subprocess.Popen([tree / suite.binary, *suite.arguments(cases)], cwd=tree, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                               preexec_fn=limit, env=os.environ | suite.environment | environment)
    alarm = False
    try:
        process.wait(20 + 10 * cpu_seconds)
    except subprocess.TimeoutExpired:
        alarm = True
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    if process.returncode == -signal.SIGTERM:  # no test ends so, but who stops this script by hand may stop both
        raise InterruptedError(f"{suite.binary} was told to end")
    if alarm or process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return "timeout"
    return "survived" if process.returncode == 0 else "killed"
