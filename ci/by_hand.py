"""What the ledger has besides the nightly run's parts: the gate, and what takes too long for a night. Whoever runs one
of these whole leaves a record of it (ci/record)."""

from nightly_parts import SKIPPED, SOAKED
from records import Figure, Part, none_of

BUILDS = ("release", "asan", "tsan", "fuzz")


def passed_in(build: str) -> Figure:
    """The tests of release have no prefix."""
    name = rf"(?!(?:{'|'.join(BUILDS[1:])})\.)" if build == "release" else rf"{build}\."
    return Figure(rf"Test +#\d+: {name}.*  Passed  ", of=len)


PARTS = [
    Part(
        "gate",
        "V1 to V13, V16 to V18",
        "ci/test passes, builds included",
        "each of these at a small size; of V16 the sanitizers",
        ["ci/test"],
        {f"tests passed in {build}": passed_in(build) for build in BUILDS} | SKIPPED,
        seconds_max=1500,
    ),
    Part(
        "mutants",
        "V14",
        "of the mutants of engine, protocol and session that are not equivalent 98 % are killed, and each that "
        "survives has its reason",
        "operators, constants and statements, one at a time; equivalent by the reasons of ci/mutation/survivors.txt; "
        "what was killed once is taken for killed while its file is the same; the seconds are those of the last go",
        ["ci/mutate"],
        {"mutants": Figure(r"(\d+) mutants, \d+ of them the same"),
         "the same object code": Figure(r"mutants, (\d+) of them", least=0), "killed": Figure(r" (\d+) killed \("),
         "equivalent": Figure(r"(\d+) equivalent for a reason", least=0),
         "% killed of the others": Figure(r"without these ([\d.]+) % killed", 98, of=lambda found: float(found[-1])),
         "unseen for a reason": Figure(r"(\d+) not to be seen", least=0),
         "without a reason": none_of(r"(\d+) surviving without"), "not run": none_of(r"(\d+) not run yet")},
        depends=("engine", "server", "model", "proptests", "fuzz", "ci/mutation", ":!*.md", ":!server/e2e"),
    ),
    Part(
        "soak",
        "V7",
        "under an hour of mixed traffic from clients that come, wait and die, memory stays flat, and nothing is left",
        "flat: the median of the last quarter is no more than 2 % and 1 MiB above that of the second",
        ["ci/soak"],
        {"seconds until the last sample": Figure(r"answered in (\d+) seconds", 3590)} | SOAKED,
        depends=("engine", "server", "model/types.h", "CMakeLists.txt", "CMakePresets.json", ":!*.md"),
    ),
    Part(
        "tidy",
        "V16",
        "clang-tidy has nothing to say, by the rules of .clang-tidy",
        "the checks that .clang-tidy leaves out",
        ["ci/tidy"],
        {"files": Figure(r"^Running clang-tidy for (\d+) files"),
         "findings": none_of(r": (?:warning|error): ", of=len)},
        depends=("*.h", "*.cc", ".clang-tidy", "CMakeLists.txt", "*/CMakeLists.txt", "CMakePresets.json"),
    ),
]
