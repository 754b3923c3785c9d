"""What the nightly run consists of: each part a claim, the commands that show it, and where its figures are printed."""

from dataclasses import dataclass, field

EXPLORER = "build/release/proptests/explorer"


@dataclass(frozen=True)
class Part:
    """A part passes if all its commands exit with 0, and each figure is found."""

    name: str
    techniques: str  # as docs/verification.md numbers them
    claim: str
    limits: str  # what the claim does not say: what is merged, bounded or assumed
    commands: list[str]  # for bash, at the root of the tree, one after the other
    figures: dict[str, str]  # name -> regular expression whose groups are added up over all of the output
    targets: list[str] = field(default_factory=list)  # of build/release, to be built ahead
    minutes: int = 1  # about so long, beside another part: the longest ones begin first


SEARCHED = {"events compared": r"^# (\d+) events compared", "differences": r"differences: (\d+)"}
STATES = {"states": r"in each of (\d+) states"} | SEARCHED
ON_BYTES = STATES | {"events on bytes": r"on bytes: \d+ states, (\d+) events"}
FUZZED = {"executions": r"^#(\d+)\s+DONE", "executions a second": r"average_exec_per_sec:\s+(\d+)"}

PARTS = [
    Part(
        "sequences",
        "V3, V6",
        "engine and model agree on every sequence of up to 7 events of three sessions on two keys, classic commands",
        "three sessions, two keys; what follows an event that changes nothing is what follows without it",
        [f"{EXPLORER} --depth 7 --first {session}" for session in (1, 2, 3)],
        SEARCHED,
        ["explorer"],
        minutes=15,
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
        "behind one of them (18 events differ by more than names at the start, and 11 of them change something)",
        [f"{EXPLORER} --all --renamed --merged --depth 6 --first {first}" for first in range(1, 12)],
        SEARCHED,
        ["explorer"],
        minutes=6,
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
        "the profiles of proptests/swarm.cc; a situation's floor is 7 standard deviations below its mean",
        ["RC_PARAMS=\"max_success=1000000 $RC_PARAMS\" build/release/proptests/conformance_test"],
        {"sequences": r"^(\d+) sequences; situation", "at rest as at the start": r"^(\d+) sequences at rest"},
        ["conformance_test"],
        minutes=30,
    ),
    Part(
        "relations",
        "V17",
        "five relations between two runs of the engine hold, without a model",
        "each says what it is modulo, in proptests/relations_test.cc",
        ["RC_PARAMS=\"max_success=200000 $RC_PARAMS\" build/release/proptests/relations_test"],
        {"pairs of runs": r"OK, passed (\d+) tests"},
        ["relations_test"],
        minutes=6,
    ),
    Part(
        "canaries",
        "V18",
        "each faulty table is found by the searches and by the random runs",
        "faults of the kinds listed in proptests/faulty_tables.cc",
        ["RC_PARAMS=\"max_success=10000 seed=1\" build/release/proptests/canaries_test"],
        {"canaries found": r"\[  PASSED  \] (\d+) tests"},
        ["canaries_test"],
    ),
    Part(
        "proof",
        "V2, V18",
        "for any number of sessions and keys, each rule of the lock table keeps each invariant; the rules are the "
        "model's in small worlds, and planted faults are found",
        "model/proof/README.md says what is not proven: replies, liveness, the walk over shards, and the engine itself",
        ["ci/prove --all"],
        {"questions to z3": r"^z3: (\d+) questions", "questions to cvc5": r"^cvc5: (\d+) questions"},
        minutes=5,
    ),
    Part(
        "spin",
        "V12",
        "the designs of session end against wake-ups, and of the circle check across threads, keep their promises, and "
        "each broken variant breaks the one that it should",
        "the models of model/spin/, whose README says what they leave out; not the code",
        ["ci/check-spin --size gate", "ci/check-spin --size nightly"],
        {"runs as expected": r"^(\d+) runs, 0 not as expected"},
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
        {"steps": r"same hash; (\d+) steps"},
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
        {"operations": r"^(\d+) operations of", "locks": r"^(\d+) locks:", "illegal": r" (\d+) illegal,",
         "undecided": r" (\d+) undecided;"},
        minutes=3,
    ),
    Part(
        "torture",
        "V11, V18",
        "whichever allocation or system call of the daemon fails, it ends with a message or loses one connection, and "
        "else all is as if nothing had failed",
        "one fault in a run; a fixed workload of a dozen clients; system calls that are made through the C library, "
        "less those whose results Asio ignores; with four threads the numbers of the calls vary",
        ["ci/torture", "ci/torture --canaries"],
        {"points exercised": r"^(\d+) points exercised, 0 findings", "canaries": r"^(\d+) canaries seen"},
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
        {"tests": r"^Ran (\d+) tests", "ms until the live waiter was answered": r"was answered after (\d+) ms"},
        ["lockd"],
        minutes=4,
    ),
    Part(
        "soak",
        "V7",
        "under mixed traffic from clients that come, wait and die, memory stays flat, and nothing is left",
        "two minutes; `ci/soak` runs for an hour. Flat: the median of the last quarter is no more than 2 % and 1 MiB "
        "above that of the second",
        ["ci/soak 120 --seed $RANDOM"],
        {"requests": r"^(\d+) requests answered in .*, 0 findings", "samples": r"(\d+) samples"},
        minutes=2,
    ),
    Part(
        "fuzz_parser",
        "V8, V9",
        "no stream of bytes was found that the parser cuts or reads otherwise than the naive one, or that a sanitizer "
        "objects to",
        "inputs of up to 192 bytes, for as long as it ran",
        ["ci/fuzz parser 240"],
        FUZZED,
        minutes=4,
    ),
    Part(
        "fuzz_session",
        "V9",
        "no input was found on which sessions and engine differ from the reference server by a byte, or that a "
        "sanitizer objects to",
        "inputs of up to 192 bytes, four connections, for as long as it ran; beside another part on the second core",
        ["ci/fuzz session 720"],
        FUZZED,
        minutes=12,
    ),
    Part(
        "coverage",
        "V6, V15",
        "which lines, branches and conditions of what serves the tests reach; what nothing reaches is explained",
        "a report, not a goal: build/report/coverage.md has it by technique; each technique at a small size, by clang",
        ["ci/asserts", "ci/coverage"],
        {"asserts": r"(\d+) asserts in", "functions": r"asserts in (\d+) functions",
         "branches reached": r"branches (\d+)/", "of branches": r"branches \d+/(\d+)",
         "conditions seen to decide alone": r"MC/DC (\d+)/", "of conditions": r"MC/DC \d+/(\d+)",
         "conditions explained": r"^(\d+) conditions not covered"},
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
         "cmake --build --preset debug >/dev/null",
         "ctest --preset debug --label-regex '^(unit|scenario|e2e)$'",
         "ci/memcheck"],
        {"tests with assertions": r"100% tests passed, 0 tests failed out of (\d+)",
         "daemons under valgrind": r"^(\d+) runs of the daemon under valgrind"},
        minutes=12,
    ),
]
