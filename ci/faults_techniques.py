"""What ci/faults holds against each planted fault: the techniques of docs/verification.md, each at a small size."""

import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Technique:
    """Kills a fault if one of its commands fails."""

    name: str  # of the column
    what: str
    targets: list[str]  # to be built
    commands: list[str]  # for bash, in the folder of the build tree; $SOURCES is that of the sources
    reads: list[str]  # the folders of sources on which its result depends
    environment: dict[str, str] = field(default_factory=dict)


def unit_tests(name: str, folder: str, binary: str, reads: list[str]) -> Technique:
    return Technique(name, f"{folder}/{binary}", [binary], [f"{folder}/{binary} --gtest_fail_fast --gtest_brief=1"],
                     reads)


def random_cases(name: str, what: str, binary: str, count: int, reads: list[str]) -> Technique:
    return Technique(name, what, [binary], [f"proptests/{binary} --gtest_fail_fast"], reads,
                     {"RC_PARAMS": f"seed=1 max_success={count}"})


def scenarios(target: str, reads: list[str]) -> Technique:
    """All files that can be played on the target."""
    files = f"$(grep -L '^# targets:' $SOURCES/proptests/scenarios/*.txt; " \
            f"grep -l '^# targets:.*{target}' $SOURCES/proptests/scenarios/*.txt || true)"
    return Technique(f"scenarios_{target}", f"all scenarios on the target {target}", ["scenario"],
                     [f"proptests/scenario {target} {files}"], [*reads, "proptests/scenarios"])


ENGINE = ["engine", "model"]
SERVER = [*ENGINE, "server"]
PROPERTIES = [*SERVER, "proptests"]

TECHNIQUES = [
    unit_tests("engine_tests", "engine", "engine_tests", ENGINE),
    unit_tests("cost_tests", "engine", "engine_cost_tests", ENGINE),
    unit_tests("engine_threads", "engine", "engine_thread_tests", ENGINE),
    unit_tests("session_tests", "server", "session_tests", SERVER),
    unit_tests("server_tests", "server", "server_tests", SERVER),
    unit_tests("server_threads", "server", "server_thread_tests", SERVER),
    scenarios("session", PROPERTIES),
    scenarios("tcp1", PROPERTIES),
    scenarios("tcp4", PROPERTIES),
    Technique("explorer", "classic verbs: sequences of four, states, and states on bytes", ["explorer"],
              ["proptests/explorer --depth 4", "proptests/explorer --bytes --renamed"], PROPERTIES),
    Technique("explorer_all", "all verbs: sequences of three, states of one key, and the same on bytes", ["explorer"],
              ["proptests/explorer --all --renamed --depth 3", "proptests/explorer --all --bytes --renamed --keys 1"],
              PROPERTIES),
    random_cases("random", "random runs of the table", "conformance_test", 2000, PROPERTIES),
    random_cases("relations", "relations between two runs", "relations_test", 1000, PROPERTIES),
    unit_tests("parser", "proptests", "parser_exhaustive_tests", PROPERTIES),
    unit_tests("session_bytes", "proptests", "session_conformance_tests", PROPERTIES),
    Technique("corpus", "the fuzzers' corpora, replayed", ["parser_fuzzer", "session_fuzzer"],
              ["fuzz/parser_fuzzer $SOURCES/fuzz/corpus/parser", "fuzz/session_fuzzer $SOURCES/fuzz/corpus/session"],
              [*SERVER, "fuzz"]),
    Technique("e2e", "the daemon from outside", ["lockd"],
              ["cd $SOURCES/server/e2e && LOCKD_BINARY=$OLDPWD/server/lockd "
               "python3 -B -m unittest --failfast --verbose *_test.py"],
              SERVER, {"LOCKD_SANITIZED": "0", "LOCKD_TIME_SCALE": "5"}),
]

# Which of them can see a fault, by where it lies; the others would only cost time.
OF_THE_SESSION = ["session_tests", "scenarios_session", "session_bytes", "corpus", "explorer", "explorer_all"]
LAYERS = {
    "engine": ["engine_tests", "cost_tests", "engine_threads", *OF_THE_SESSION, "random", "relations"],
    "session": [*OF_THE_SESSION, "scenarios_tcp1", "parser"],
    "edge": ["server_tests", "server_threads", "scenarios_tcp1", "scenarios_tcp4", "e2e"],
}
# What serves: not tests and what they share, nor the checks of invariants.
SERVES = re.compile(r"(engine|server)/(?!test_|lock_table_invariants)\w+(?<!_test)\.(h|cc)")
SESSION_FILE = re.compile(
    r"server/(boxed|cancel_scout|counters|listing|printer|protocol|registry|services|session|statistics)\.(h|cc)")


def layer_of(file: str) -> str:
    if Path(file).parts[0] == "engine":
        return "engine"
    return "session" if SESSION_FILE.fullmatch(file) else "edge"


def techniques_for(files: list[str]) -> list[Technique]:
    """Those that can see a fault in these files."""
    names = {name for file in files for name in LAYERS[layer_of(file)]}
    return [technique for technique in TECHNIQUES if technique.name in names]
