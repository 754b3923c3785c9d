"""What the nightly run consists of: each part a claim, the commands that show it, and where its figures are printed."""

from records import Figure, Part, distinct, none_of, smallest, span

PROPERTIES = "build/release/proptests"
EXPLORER = f"{PROPERTIES}/explorer"
SIMULATOR_FAULTS = ("RST", "failed write", "jump of the clock", "not ready", "partial write", "too many")

SEARCHED = {"transitions compared": Figure(r"^# (\d+) events compared"),
            "differences": none_of(r"differences: (\d+)")}
SEQUENCES = {"sequences": Figure(r": (\d+) sequences$")} | SEARCHED
STATES = {"states": Figure(r"in each of (\d+) states")} | SEARCHED
ON_BYTES = STATES | {"events on bytes": Figure(r"on bytes: \d+ states, (\d+) events")}
SKIPPED = {"tests skipped": none_of(r"\*\*\*(?:Skipped|Not Run)|^OK \(skipped=|^\[  SKIPPED \]", of=len)}


FIRST_EVENTS = r"s/^# ([0-9]+) events compared, ([0-9]+) of them change nothing.*/\1 - \2/p"
SOAKED = {"requests": Figure(r"^(\d+) requests answered in .*, 0 findings"), "samples": Figure(r"(\d+) samples"),
          "KiB resident in the second quarter": Figure(r"^quarter 2: (\d+) KiB"),
          "in the last": Figure(r"^quarter 4: (\d+) KiB")}


def fuzzed(executions_a_second: int) -> dict[str, Figure]:
    return {"executions": Figure(r"^#(\d+)\s+DONE"),
            "executions a second of processor time":
                Figure(r"^(\d+) executions a second of", executions_a_second, of=smallest)}


def scenarios(target: str) -> str:
    """Plays all files that can be played on the target."""
    folder = "proptests/scenarios/*.txt"
    return (f"{PROPERTIES}/scenario {target} $(grep -L '^# targets:' {folder}) "
            f"$(grep -l '^# targets:.*\\b{target}\\b' {folder} || true)")


PARTS = [
    Part(
        "recordings",
        "V1",
        "what lockd's ancestors were recorded to answer, the model answers, and so do the sessions and the daemon with "
        "one thread and four, but for the deviations that proptests/recording.cc lists with their clauses",
        "the recordings lie in shared/golden, beside the checkout",
        ["ls ../shared/golden/*.txt | wc -l | sed 's/$/ recordings/'",
         f"{PROPERTIES}/scenario_tests --gtest_filter='*GoldenReplay*'"],
        {"recordings": Figure(r"^(\d+) recordings", 18), "targets": Figure(r"^\[  PASSED  \] (\d+) tests", 7)}
        | SKIPPED,
        ["scenario_tests"],
    ),
    Part(
        "scenarios",
        "V1",
        "each scenario is answered as it says, those of the bugs that other lock servers had among them, by the "
        "sessions, by the daemon with one thread and four, and by that over WebSockets",
        "as many as there are files; those that concern the daemon's edge alone are not for the sessions",
        [scenarios(target) for target in ("session", "tcp1", "tcp4", "ws4")],
        {"played": Figure(r"^(\d+) played on"), "failed": none_of(r"^\d+ played on \w+, (\d+) failed")},
        ["scenario"],
    ),
    Part(
        "parser",
        "V8",
        "the parser reads every string of up to six or seven bytes of small alphabets, cut in every way, as the naive "
        "one",
        "the alphabets of proptests/parser_exhaustive_test.cc, with lines of one, three and many bytes",
        [f"{PROPERTIES}/parser_exhaustive_tests --gtest_filter='ParserExhaustive.*'"],
        {"strings": Figure(r"^(\d+) strings of"), "ways to cut them": Figure(r" (\d+) ways to cut"),
         "differences": none_of(r"differences: (\d+)")},
        ["parser_exhaustive_tests"],
    ),
    Part(
        "session_bytes",
        "V4, V5",
        "sessions and engine, given random requests in random pieces, answer as the reference server does",
        "always the same seeds; each of the named situations came up",
        [f"{PROPERTIES}/session_conformance_tests"],
        {"cases": Figure(r"^seeds (\d+) to (\d+)", of=span)} | SKIPPED,
        ["session_conformance_tests"],
    ),
    Part(
        "sequences",
        "V3, V6",
        "engine and model agree on every sequence of up to 7 events of three sessions on two keys, classic commands",
        "three sessions, two keys; what follows an event that changes nothing is what follows without it",
        [f"{EXPLORER} --depth 7 --first {session}" for session in (1, 2, 3)],
        SEQUENCES,
        ["explorer"],
        minutes=10,
    ),
    Part(
        "states",
        "V3, V6",
        "engine and model agree on every classic command from every state of three sessions and two keys, and again on "
        "bytes through the sessions",
        "states up to the names of sessions and keys; counters, tokens and times are no part of a state",
        [f"{EXPLORER} --bytes --renamed"],
        ON_BYTES,
        ["explorer"],
    ),
    Part(
        "larger_states",
        "V3, V6",
        "engine and model agree on every classic command from every state of four sessions and three keys, and of four "
        "sessions and two keys with the order in which they came to share them",
        "states up to names, with three keys also up to that order",
        [f"{EXPLORER} --states --renamed --unordered --sessions 4 --keys 3",
         f"{EXPLORER} --states --renamed --sessions 4 --keys 2"],
        STATES,
        ["explorer"],
    ),
    Part(
        "waiting_sequences",
        "V3, V6",
        "engine and model agree on every sequence of up to 6 events of three sessions on two keys, all commands, LIMIT "
        "1 and 2, with timeouts and wake-ups in flight",
        "up to names; where several events lead from one point to one state, all are compared, and the search goes on "
        "behind one of them; a search for each event that changes something at the start",
        # One search for each event that changes something at the start: the explorer says how many there are.
        [f"first=$({EXPLORER} --all --renamed --depth 1 | sed -nE '{FIRST_EVENTS}'); (( first > 0 )) || exit; "
         f"for event in $(seq $((first))); do {EXPLORER} --all --renamed --merged --depth 6 --first $event "
         "|| exit; done"],
        SEQUENCES | {"searches": Figure(r"begins with event (\d+)", of=distinct)},
        ["explorer"],
        minutes=4,
    ),
    Part(
        "waiting_states",
        "V3, V6",
        "engine and model agree on every command from every state of three sessions and two keys, all commands, and "
        "again on bytes through the sessions",
        "states up to names; on bytes wake-ups come at once, and the dead do not speak",
        [f"{EXPLORER} --all --bytes --renamed"],
        ON_BYTES,
        ["explorer"],
    ),
    Part(
        "conformance",
        "V4, V5, V6, V7",
        "engine and model agree on random sequences, drawn anew each night, in which each named situation came up; and "
        "when all sessions have ended, the engine is as a new one, and keeps no more memory than after its first locks",
        "one million sequences; the profiles of proptests/swarm.cc; a situation's floor is 7 deviations below its "
        "mean, as proptests/floor.h says",
        ["RC_PARAMS=\"max_success=1000000 $RC_PARAMS\" build/release/proptests/conformance_test"],
        {"sequences": Figure(r"^(\d+) sequences; situation", 1_000_000),
         "at rest as at the start": Figure(r"^(\d+) sequences at rest")},
        ["conformance_test"],
        minutes=30,
    ),
    Part(
        "relations",
        "V17",
        "five relations between two runs of the engine hold, without a model",
        "each says what it is modulo, in proptests/relations.h",
        ["RC_PARAMS=\"max_success=200000 $RC_PARAMS\" build/release/proptests/relations_test"],
        {"pairs of runs": Figure(r"OK, passed (\d+) tests")},
        ["relations_test"],
        minutes=3,
    ),
    Part(
        "canaries",
        "V18",
        "each faulty table is found by the searches and by the random runs",
        "faults of the kinds listed in proptests/faulty_tables.cc",
        ["RC_PARAMS=\"max_success=10000 seed=1\" build/release/proptests/canaries_test"],
        {"faulty tables": Figure(r"^\[ RUN      \] \S*Canary\.\w+/(\w+)", of=distinct),
         "faulty tables found": Figure(r"^\[       OK \] \S*Canary\.\w+/(\w+)", of=distinct),
         "times": Figure(r"^\[       OK \] \S*Canary\.", of=len)},
        ["canaries_test"],
    ),
    Part(
        "other_canaries",
        "V18",
        "what is faulty is found: servers in the simulator, readers by the parser's search, servers and recorded "
        "histories by the checker of histories",
        "faults of the kinds listed in simulator/faults.h, parser_exhaustive_test.cc, faulty_proxy.h and "
        "histories/bad; those of the Spin models, the proof, torture and the tables stand with these",
        ["ctest --preset release --tests-regex '^simulator_canary' --exclude-regex 'none$'",
         f"{PROPERTIES}/parser_exhaustive_tests --gtest_filter='ParserExhaustiveCanary.*' "
         "| grep '^.       OK'",
         "build/release/histories/history_tests --gtest_filter='Bad.is_rejected/*'",
         "build/release/histories/history_run_tests --gtest_filter='*Canary*:*found_out*'"],
        {"in the simulator": Figure(r"100% tests passed, 0 tests failed out of (\d+)"),
         "readers": Figure(r"^\[       OK \] ParserExhaustiveCanary", of=len),
         "bad histories rejected": Figure(r"^\[       OK \] \S*Bad.is_rejected/(\w+)", of=distinct),
         "servers by their histories": Figure(r"^\[       OK \] \S*(?:HistoriesCanary|found_out)", of=len)} | SKIPPED,
        ["simulator_canaries", "parser_exhaustive_tests", "history_tests", "history_run_tests"],
    ),
    Part(
        "proof",
        "V2, V18",
        "for any number of sessions and keys, each rule of the lock table keeps each invariant; the rules are the "
        "model's in small worlds, and planted faults are found",
        "model/proof/README.md says what is not proven: replies, liveness, the walk over shards, and the engine itself",
        ["ci/prove --all"],
        {"questions to z3": Figure(r"^z3: (\d+) questions"), "questions to cvc5": Figure(r"^cvc5: (\d+) questions"),
         "goals kept": Figure(r"^\w+: (\d+) of \d+ are kept"),
         "steps beside the model": Figure(r"^sessions .*states, (\d+) steps"),
         "planted faults found": Figure(r"faults planted and found: (\d+) of")},
        minutes=3,
    ),
    Part(
        "spin",
        "V12",
        "the designs of session end against wake-ups, and of the circle check across threads, keep their promises, and "
        "each broken variant breaks the one that it should",
        "the models of model/spin/, whose README says what they leave out; not the code",
        ["ci/check-spin --size gate", "ci/check-spin --size nightly"],
        {"runs as expected": Figure(r"^(\d+) runs, 0 not as expected"),
         "of broken variants": Figure(r" breaks \w+ .* yes$", of=len)},
        minutes=4,
    ),
    Part(
        "simulator",
        "V7, V10",
        "the server's sessions, tables and connections, several threads of them interleaved at every lock and post, "
        "do what the specification says under resets, partial reads and writes, slow readers and jumps of the clock; "
        "and when these stop, all is answered, and nothing is left",
        "simulator/README.md says what is real; seeds from a different one each night, each run twice with the same "
        "trace",
        ["ci/simulate --seconds 600 --first $(date +%s)"],
        {"seeds": Figure(r"^seeds (\d+) to (\d+), each twice", of=span), "steps": Figure(r"same hash; (\d+) steps")}
        | {f"times {fault}": Figure(rf"^fault: {fault} +(\d+)") for fault in SIMULATOR_FAULTS},
        minutes=10,
    ),
    Part(
        "histories",
        "V13",
        "what clients of the running daemon were told, while they and it were reset, stopped and killed, can all be "
        "true",
        "locks one by one: whether a circle is refused rightly, and bounds, are not checked; four threads, TCP on "
        "loopback",
        ["ci/histories 60 --seed $RANDOM", "ci/histories 60 --seed $RANDOM"],
        {"operations in the lesser of two runs of 60 s": Figure(r"^(\d+) operations of", 1_000_000, of=smallest),
         "operations in both": Figure(r"^(\d+) operations of"), "locks": Figure(r"^(\d+) locks:"),
         "illegal": none_of(r" (\d+) illegal,"), "undecided": none_of(r" (\d+) undecided;")},
        minutes=3,
        alone=True,
    ),
    Part(
        "torture",
        "V11, V18",
        "whichever allocation or system call of the daemon fails, it ends with a message or loses one connection, and "
        "else all is as if nothing had failed",
        "one fault in a run; a fixed workload of a dozen clients, over WebSockets each fifth call alone; system calls "
        "that are made through the C library, less those whose results Asio ignores; with four threads the numbers of "
        "the calls vary",
        ["ci/torture --phase start --phase serve --phase threads --phase stop",
         "ci/torture --phase websockets --step 5", "ci/torture --canaries"],
        {"points exercised": Figure(r"^(\d+) points exercised, 0 findings"),
         "canaries seen": Figure(r"^(\d+) canaries seen"), "canaries": Figure(r"canaries seen of (\d+)$")},
        ["lockd", "torture_interposer"],
        minutes=7,
    ),
    Part(
        "stopped_server",
        "e2e",
        "a server that stood still for a minute (SIGSTOP) answers every waiter once, hands locks on in the order of "
        "the line, and ends nobody who was in time; a live waiter behind 15,000 dead ones gets the lock at once",
        "a few dozen waiters, one and four threads, TCP and Unix sockets on one machine",
        ["cd server/e2e && LOCKD_BINARY=../../build/release/server/lockd LOCKD_STOPPED_SECONDS=60 "
         "LOCKD_DEAD_WAITERS=15000 python3 -B -m unittest -v stopped_server_test"],
        {"tests": Figure(r"^Ran (\d+) tests"),
         "ms until the live waiter was answered": Figure(r"was answered after (\d+) ms", least=0)} | SKIPPED,
        ["lockd"],
        minutes=4,
    ),
    Part(
        "websocket",
        "e2e",
        "npm's ws and pages in Chromium hold locks over WebSockets, by the very text that docs/websocket.md shows; "
        "pages of other origins are refused, keys that are no UTF-8 end no connection, and a tab that is closed frees "
        "its locks",
        "Debian's Chromium without a screen; the packages of the lock file come from npm's registry",
        ["ci/install-deps websocket", "server/e2e/websocket/run"],
        {"tests": Figure(r"^# pass (\d+)", 11), "failed": none_of(r"^# fail (\d+)")},
        ["lockd"],
    ),
    Part(
        "packages",
        "e2e",
        "the Debian packages install, serve under systemd, are restarted by its watchdog and started by its sockets, "
        "and are purged without a trace; programs build against the library, and the manual is shown without a "
        "warning; packed again they are the same; lintian objects to nothing; docs/quickstart.md does what it shows",
        "Debian 12 in namespaces of this machine's kernel, booted with systemd; as root",
        ["ci/package", "sha256sum build/package/*.deb >build/package/sums",
         "ci/package", "sha256sum --check build/package/sums",
         # That one tag finds words in machine code.
         "lintian --allow-root --display-info --suppress-tags spelling-error-in-binary "
         "--fail-on error,warning,info build/package/*.deb",
         "packaging/test/installed.py", "packaging/test/quickstart.py"],
        {"tests": Figure(r"^Ran (\d+) tests"), "commands of the page": Figure(r"^(\d+) commands did what")} | SKIPPED,
        minutes=4,
    ),
    Part(
        "containers",
        "e2e",
        "the Dockerfile, stage by stage, makes a system in which the daemon serves without rights, is healthy and "
        "ready, and stops when it is told to; Kubernetes knows each field of the manifests",
        "no container engine: each stage is a Debian of debootstrap's, each RUN a chroot, as root; no cluster: the "
        "schemas of npm's kubernetes-models",
        ["packaging/test/image.py", "ci/install-deps websocket", "packaging/test/containers/run"],
        {"images that served": Figure(r"^the image was built, served", of=len),
         "checks of the files": Figure(r"^# pass (\d+)", 8), "failed": none_of(r"^# fail (\d+)")} | SKIPPED,
        minutes=3,
    ),
    Part(
        "dashboard",
        "e2e",
        "each query of each panel of the Grafana dashboard has data, of a daemon under load that a Prometheus scrapes",
        "no Grafana: the queries are put to Prometheus itself, and gnuplot draws the answers, for a person to look at",
        ["packaging/test/dashboard.py --seconds 60"],
        {"panels": Figure(r"^(\d+) panels drawn", 20), "queries": Figure(r"panels drawn, (\d+) queries"),
         "without data": none_of(r"queries, (\d+) without data")},
        ["lockd"],
    ),
    Part(
        "soak",
        "V7",
        "under mixed traffic from clients that come, wait and die, memory stays flat, and nothing is left",
        "two minutes; `ci/soak` runs for an hour. Flat: the median of the last quarter is no more than 2 % and 1 MiB "
        "above that of the second",
        ["ci/soak 120 --seed $RANDOM --report build/nightly/soak"],
        SOAKED,
        minutes=2,
    ),
    Part(
        "fuzz_parser",
        "V8, V9",
        "no stream of bytes was found that the parser cuts or reads otherwise than the naive one, or that a sanitizer "
        "objects to",
        "inputs of up to 192 bytes, for as long as it ran",
        ["ci/fuzz parser 120"],
        fuzzed(1),
        minutes=2,
    ),
    Part(
        "fuzz_web_socket",
        "V9",
        "no messages were found that a WebSocket's session answers otherwise than the reference server answers lines, "
        "or to which a sanitizer objects",
        "inputs of up to 192 bytes, one connection, messages without their frames and handshake, for as long as it ran",
        ["ci/fuzz web_socket 60"],
        fuzzed(1),
        minutes=1,
    ),
    Part(
        "fuzz_http",
        "V9",
        "no bytes were found to which the HTTP listener answers with what is no HTTP, plain requests otherwise than a "
        "naive reader expects, or to which a sanitizer objects",
        "inputs of up to 192 bytes, one connection, a page that says which target was asked for, for as long as it ran",
        ["ci/fuzz http 60"],
        fuzzed(1),
        minutes=1,
    ),
    Part(
        "fuzz_session",
        "V9",
        "no input was found on which sessions and engine differ from the reference server by a byte, or that a "
        "sanitizer objects to",
        "inputs of up to 192 bytes, four connections, for as long as it ran",
        ["ci/fuzz session 480"],
        fuzzed(10_000),
        minutes=8,
        alone=True,
    ),
    Part(
        "coverage",
        "V6, V15",
        "which lines, branches and conditions of what serves the tests reach; what nothing reaches is explained",
        "a report, not a goal: build/report/coverage.md has it by technique; each technique at a small size, by clang",
        ["ci/asserts", "ci/coverage"],
        {"asserts": Figure(r"(\d+) asserts in"), "functions": Figure(r"asserts in (\d+) functions"),
         "branches reached": Figure(r"branches (\d+)/"), "of branches": Figure(r"branches \d+/(\d+)"),
         "conditions seen to decide alone": Figure(r"MC/DC (\d+)/"), "of conditions": Figure(r"MC/DC \d+/(\d+)"),
         "conditions explained": Figure(r"^(\d+) conditions not covered", least=0)},
        minutes=10,
    ),
    Part(
        "matrix",
        "V7, V16",
        "unit tests, scenarios and end-to-end tests pass with the standard library's assertions on; under valgrind the "
        "sessions, and the daemon with scenarios and end-to-end tests, make no mistake with memory, and leave neither "
        "memory nor descriptors behind",
        "valgrind without the end-to-end tests of thousands of connections; AddressSanitizer, "
        "UndefinedBehaviorSanitizer and ThreadSanitizer are in ci/test",
        ["cmake --preset debug --log-level=WARNING >/dev/null",
         "cmake --build --preset debug",
         "ctest --preset debug --label-regex '^(unit|scenario|e2e)$'",
         "ci/memcheck"],
        {"tests with assertions": Figure(r"100% tests passed, 0 tests failed out of (\d+)"),
         "daemons under valgrind": Figure(r"^(\d+) runs of the daemon under valgrind")} | SKIPPED,
        minutes=17,
    ),
]
