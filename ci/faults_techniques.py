"""What ci/faults holds against each planted fault: the techniques of docs/verification.md, each at a small size."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Technique:
    """Kills a fault if one of its commands fails."""

    name: str  # of the column
    family: str  # as docs/verification.md numbers what it is; two columns of one family look in the same way
    what: str
    targets: list[str]  # to be built
    commands: list[str]  # for bash, in the folder of the build tree; $SOURCES is that of the sources
    reads: list[str]  # the parts of the sources on which its result depends, as faults_results.part_of() names them
    environment: dict[str, str] = field(default_factory=dict)
    real_time: bool = False  # a busy machine might make it fail: it kills only if it fails twice


def unit_tests(name: str, what: str, binaries: list[str], reads: list[str], family: str = "unit") -> Technique:
    """binaries: with their folders."""
    return Technique(name, family, what, [Path(binary).name for binary in binaries],
                     [f"{binary} --gtest_fail_fast --gtest_brief=1" for binary in binaries], reads)


def random_cases(name: str, family: str, what: str, binary: str, count: int) -> Technique:
    return Technique(name, family, what, [binary], [f"proptests/{binary} --gtest_fail_fast"],
                     [*PROPERTIES, "proptests/tests"], {"RC_PARAMS": f"seed=1 max_success={count}"})


def scenarios(target: str, what: str, real_time: bool = False) -> Technique:
    """All files that can be played on the target."""
    files = f"$(grep -L '^# targets:' $SOURCES/proptests/scenarios/*.txt; " \
            f"grep -l '^# targets:.*{target}' $SOURCES/proptests/scenarios/*.txt || true)"
    return Technique(f"scenarios_{target}", "scenario", what, ["scenario"], [f"proptests/scenario {target} {files}"],
                     [*PROPERTIES, "proptests/scenarios"], {}, real_time)


ENGINE = ["engine", "model"]
SERVER = [*ENGINE, "server"]
PROPERTIES = [*SERVER, "proptests"]
CLIENT = [*SERVER, "client", "client/tests"]

TECHNIQUES = [
    unit_tests("engine_tests", "unit tests of the lock table", ["engine/engine_tests"], [*ENGINE, "engine/tests"]),
    unit_tests("cost_tests", "what a request costs, counted", ["engine/engine_cost_tests"], [*ENGINE, "engine/tests"],
               "cost"),
    unit_tests("engine_threads", "the table under threads", ["engine/engine_thread_tests"], [*ENGINE, "engine/tests"]),
    unit_tests("session_tests", "unit tests of parser, printer and session, and of their memory",
               ["server/session_tests", "server/session_memory_tests"], [*SERVER, "server/tests"]),
    Technique("server_tests", "unit", "unit tests of connections, listeners, flags, files, HTTP and WebSockets",
              ["server_tests", "connection_memory_tests", "websocket_tests", "web_socket_tests", "http_tests",
               "http_thread_tests"],
              ["seq 0 2 | GTEST_TOTAL_SHARDS=3 xargs -P 3 -I{} env GTEST_SHARD_INDEX={} "  # most of the time they wait
               "server/server_tests --gtest_fail_fast --gtest_brief=1",
               "server/connection_memory_tests --gtest_fail_fast --gtest_brief=1",
               "server/websocket/websocket_tests --gtest_fail_fast --gtest_brief=1",
               "server/websocket/web_socket_tests --gtest_fail_fast --gtest_brief=1",
               "server/http/http_tests --gtest_fail_fast --gtest_brief=1",
               "server/http/http_thread_tests --gtest_fail_fast --gtest_brief=1"],
              [*SERVER, "server/tests"], real_time=True),
    unit_tests("server_threads", "sessions, names and mailboxes under threads", ["server/server_thread_tests"],
               [*SERVER, "server/tests"]),
    scenarios("session", "all scenarios on session and engine"),
    scenarios("tcp1", "all scenarios on the daemon with one thread", real_time=True),
    scenarios("tcp4", "all scenarios on the daemon with four threads", real_time=True),
    Technique("explorer", "V3", "classic verbs: sequences of four, states, and states on bytes", ["explorer"],
              ["proptests/explorer --depth 4", "proptests/explorer --bytes --renamed"], PROPERTIES),
    Technique("explorer_all", "V3", "all verbs: sequences of three, states of one key, and the same on bytes",
              ["explorer"],
              ["proptests/explorer --all --renamed --depth 3", "proptests/explorer --all --bytes --renamed --keys 1"],
              PROPERTIES),
    random_cases("random", "V4", "random runs of the table", "conformance_test", 1000),
    random_cases("relations", "V17", "relations between two runs", "relations_test", 1000),
    unit_tests("parser", "the parser on all short strings", ["proptests/parser_exhaustive_tests"],
               [*PROPERTIES, "proptests/tests"], "V8"),
    unit_tests("session_bytes", "random bytes through the session", ["proptests/session_conformance_tests"],
               [*PROPERTIES, "proptests/tests"], "V4"),
    Technique("corpus", "V9", "the fuzzers' corpora, replayed",
              ["parser_fuzzer", "session_fuzzer", "web_socket_fuzzer"],
              [f"fuzz/{target}_fuzzer $SOURCES/fuzz/corpus/{target}" for target in ("parser", "session", "web_socket")],
              [*SERVER, "fuzz"]),
    Technique("simulator", "V10", "200 seeds of the simulator", ["simulator"], ["simulator/simulator --seeds 200"],
              [*SERVER, "simulator"]),
    Technique("histories", "V13", "3 s of a history of the daemon", ["histories", "lockd"],
              ["histories/histories run --server server/lockd --seconds 3 --seed 1 --folder ."],
              [*SERVER, "histories"], real_time=True),
    Technique("torture", "V11", "some calls of the daemon fail", ["lockd", "torture_interposer"],
              ["LOCKD_BINARY=$PWD/server/lockd TORTURE_INTERPOSER=$PWD/torture/libtorture_interposer.so "
               "python3 -B $SOURCES/torture/torture.py --phase serve accept recv send --step 23"],
              [*SERVER, "torture"], real_time=True),
    Technique("e2e", "e2e", "the daemon from outside", ["lockd"],
              ["cd $SOURCES/server/e2e && printf '%s\\n' *_test.py | LOCKD_BINARY=$OLDPWD/server/lockd "
               "xargs -P 4 -n 1 python3 -B -m unittest --failfast --verbose"],
              [*SERVER, "server/e2e"], {"LOCKD_SANITIZED": "0", "LOCKD_TIME_SCALE": "5"}, real_time=True),
    Technique("client_tests", "unit", "unit tests of the client library and of lockctl",
              ["client_tests", "client_thread_tests", "client_memory_tests", "client_daemon_tests", "lockctl_tests",
               "lockctl_process_tests"],
              ["printf '%s\\n' client/client_{tests,thread_tests,memory_tests,daemon_tests} "
               "client/lockctl/lockctl_{tests,process_tests} | "
               "xargs -P 2 -I{} env {} --gtest_fail_fast --gtest_brief=1"],
              CLIENT, real_time=True),
    Technique("lockctl", "e2e", "lockctl from outside", ["lockd", "lockctl"],
              ["cd $SOURCES/client/lockctl/e2e && printf '%s\\n' *_test.py | LOCKD_BINARY=$OLDPWD/server/lockd "
               "LOCKCTL_BINARY=$OLDPWD/client/lockctl/lockctl PYTHONPATH=$SOURCES/server/e2e:$SOURCES/client/e2e "
               "xargs -P 2 -n 1 python3 -B -m unittest --failfast --verbose"],
              [*CLIENT, "server/e2e"], {"LOCKD_SANITIZED": "0", "LOCKD_TIME_SCALE": "5", "LOCKCTL_KILL_ROUNDS": "20"},
              real_time=True),
]

# Which of them can see a fault, by where it lies; the others would only cost time.
OF_THE_SESSION = ["session_tests", "scenarios_session", "session_bytes", "corpus", "explorer", "explorer_all",
                  "simulator"]
LAYERS = {
    "engine": ["engine_tests", "cost_tests", "engine_threads", *OF_THE_SESSION, "random", "relations", "histories"],
    "session": [*OF_THE_SESSION, "server_threads", "scenarios_tcp1", "parser"],
    "edge": ["server_tests", "server_threads", "scenarios_tcp1", "scenarios_tcp4", "simulator", "histories", "torture",
             "e2e"],
    "client": ["client_tests", "lockctl"],
}
# What serves: not tests and what they share, nor the checks of invariants.
SERVES = re.compile(r"(engine|server(/http|/websocket)?|client(/lockctl|/include/lockd)?)/"
                    r"(?!test_|lock_table_invariants)\w+(?<!_test)\.(h|cc)")
SESSION_FILE = re.compile(
    r"server/(boxed|cancel_scout|counters|listing|low_bytes|printer|protocol|read_ahead|registry|services|session|"
    r"session_commands|statistics|utf8|verbs)\.(h|cc)")


def layer_of(file: str) -> str:
    if Path(file).parts[0] in ("engine", "client"):
        return Path(file).parts[0]
    return "session" if SESSION_FILE.fullmatch(file) else "edge"


def techniques_for(files: list[str], also: Iterable[str] = ()) -> list[Technique]:
    """Those that can see a fault in these files, and those of the names `also`."""
    names = {name for file in files for name in LAYERS[layer_of(file)]}.union(also)
    return [technique for technique in TECHNIQUES if technique.name in names]
