"""Sources in which all mutants are there at once, each of them asleep until a process is told its number.

`a < b` becomes `(mutant(7) ? (a <= b) : mutant(8) ? (a >= b) : (a < b))`, and a statement that may be missing becomes
`{ if (mutant(9)) {} else { statement; } }`. So one build serves thousands of mutants. What does not compile is found by
the compiler's own messages, and left out.
"""

import re
from collections import defaultdict
from pathlib import Path

from mutation.operators import Mutant

HEADER = "mutation_switch.h"
SWITCH = """// Which mutant is awake, and which ones this process has come by. Included before everything else.
#ifndef LOCKD_MUTATION_SWITCH_H_
#define LOCKD_MUTATION_SWITCH_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace lockd::mutation {

inline constexpr unsigned numbers = %d;

/// A file that outlives the process, however that ends, and is shared by its children.
inline unsigned char* reach_map() {
  static unsigned char nowhere[numbers];
  const char* const path = std::getenv("LOCKD_MUTANTS_REACHED");
  if (path == nullptr) return nowhere;
  const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, numbers) != 0) std::abort();
  void* const map = mmap(nullptr, numbers, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (map == MAP_FAILED) std::abort();
  return static_cast<unsigned char*>(map);
}

inline unsigned awake_number() {
  const char* const number = std::getenv("LOCKD_MUTANT");
  return number == nullptr ? 0 : static_cast<unsigned>(std::strtoul(number, nullptr, 10));
}

inline const unsigned awake = awake_number();
inline unsigned char* const reached = reach_map();

inline bool mutant(unsigned number) noexcept {
  reached[number] = 1;
  return number == awake;
}

constexpr bool constant_mutant(unsigned number) noexcept {
  if (__builtin_is_constant_evaluated()) return false;
  return mutant(number);
}

}  // namespace lockd::mutation

#endif  // LOCKD_MUTATION_SWITCH_H_
"""


class Writer:
    """Of one file; remembers where in the text that it wrote each mutant stands."""

    def __init__(self, source: bytes, mutants: list[Mutant]) -> None:
        self.source = source
        self.groups: dict[tuple[int, int], list[Mutant]] = defaultdict(list)
        for mutant in mutants:
            self.groups[mutant.start, mutant.end].append(mutant)
        self.out: list[bytes] = []
        self.size = 0
        self.places: list[tuple[int, int, list[Mutant]]] = []  # from, to, whose text it is; the innermost come first
        spans = sorted(self.groups, key=lambda span: (span[0], -span[1]))
        self.write_range(0, len(source), spans)

    def put(self, text: bytes | str) -> None:
        data = text.encode() if isinstance(text, str) else text
        self.out.append(data)
        self.size += len(data)

    def write_range(self, start: int, end: int, spans: list[tuple[int, int]]) -> None:
        at = start
        while spans and spans[0][1] <= end:
            outer = spans.pop(0)
            inner = []
            while spans and spans[0][0] < outer[1]:
                inner.append(spans.pop(0))
            self.put(self.source[at:outer[0]])
            self.write_group(outer, inner)
            at = outer[1]
        self.put(self.source[at:end])

    def write_group(self, span: tuple[int, int], inner: list[tuple[int, int]]) -> None:
        mutants = self.groups[span]
        begin = self.size
        if mutants[0].form == "statement":
            self.put("{ ")
            for mutant in mutants:
                self.put(f"if ({switch_of(mutant)}) {{ ")
                self.alternative(mutant, mutant.text)
                self.put(" } else ")
            self.put("{ ")
            self.write_range(*span, inner)
            self.put(" } }")
        else:
            cast = "static_cast<bool>" if any(mutant.form == "truth" for mutant in mutants) else ""
            self.put("(")
            for mutant in mutants:
                self.put(f"{switch_of(mutant)} ? {cast}(")
                self.alternative(mutant, mutant.text)
                self.put(") : ")
            self.put(f"{cast}(")
            self.write_range(*span, inner)
            self.put("))")
        self.places.append((begin, self.size, mutants))

    def alternative(self, mutant: Mutant, text: str) -> None:
        begin = self.size
        self.put(text.replace("\n", " "))
        self.places.append((begin, self.size, [mutant]))

    @property
    def text(self) -> bytes:
        return b"".join(self.out)

    def at(self, line: int, column: int) -> list[Mutant]:
        """Whose text stands there: the smallest piece of text that is any mutant's."""
        lines = self.text.split(b"\n")
        offset = sum(len(each) + 1 for each in lines[:line - 1]) + column - 1
        around = [place for place in self.places if place[0] <= offset < place[1]]
        return min(around, key=lambda place: place[1] - place[0])[2] if around else []


def switch_of(mutant: Mutant) -> str:
    return f"::lockd::mutation::{'constant_' if mutant.constant else ''}mutant({mutant.number})"


class Schemata:
    """The sources of all files with their mutants in them, under `target`."""

    def __init__(self, root: Path, target: Path, mutants: list[Mutant]) -> None:
        self.root = root
        self.target = target
        self.mutants = mutants
        self.writers: dict[str, Writer] = {}
        for number, mutant in enumerate(mutants, 1):
            mutant.number = number

    def write(self) -> None:
        by_file: dict[str, list[Mutant]] = defaultdict(list)
        for mutant in self.mutants:
            by_file[mutant.file].append(mutant)
        write_if_new(self.target / HEADER, (SWITCH % (1 + max(mutant.number for mutant in self.mutants))).encode())
        for file, mutants in by_file.items():
            self.writers[file] = Writer((self.root / file).read_bytes(), mutants)
            write_if_new(self.target / file, self.writers[file].text)

    def drop_what_fails(self, messages: str) -> list[Mutant]:
        """Those that the compiler's messages point at; the rest is written again."""
        failed: dict[int, Mutant] = {}
        for file, line, column in re.findall(r"^(?:\S*/)?((?:engine|server)/\w+\.(?:h|cc)):(\d+):(\d+): ", messages,
                                             re.MULTILINE):
            if file in self.writers:
                failed |= {mutant.number: mutant for mutant in self.writers[file].at(int(line), int(column))}
        self.mutants = [mutant for mutant in self.mutants if mutant.number not in failed]
        self.write()
        return list(failed.values())


def write_if_new(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
