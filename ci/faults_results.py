"""What techniques said of faults: kept in files, each with a hash of all that it depends on."""

import hashlib
import json
from pathlib import Path

import source_tree
from faults_patches import Fault
from faults_techniques import Technique

KILLING = ("killed", "timeout")


class Results:
    """Of the sources in the folder `origin`."""

    def __init__(self, folder: Path, origin: Path) -> None:
        self._folder = folder
        self._digests = digests_of_parts(origin)

    def kept(self, fault: Fault, technique: Technique) -> dict | None:
        path = self._path(fault, technique)
        result = json.loads(path.read_text()) if path.exists() else {}
        return result if result.get("key") == self._key(fault, technique) else None

    def keep(self, fault: Fault, technique: Technique, result: dict) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(fault, technique)
        path.with_suffix(".part").write_text(json.dumps(result | {"key": self._key(fault, technique)}) + "\n")
        path.with_suffix(".part").replace(path)

    def row(self, fault: Fault) -> dict:
        """All that is known of a fault."""
        return row_of(fault, {technique.name: kept["verdict"] for technique in fault.techniques
                              if (kept := self.kept(fault, technique))})

    def _path(self, fault: Fault, technique: Technique) -> Path:
        return self._folder / f"{fault.name}.{technique.name}.json"

    def _key(self, fault: Fault, technique: Technique) -> str:
        """What is said ahead of the diff changes nothing."""
        diff = fault.text[fault.text.find("\n--- "):] if fault.text else ""
        how = repr((technique.commands, sorted(technique.environment.items())))
        parts = [diff, how, *(self._digests.get(part, "") for part in technique.reads)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def row_of(fault: Fault, verdicts: dict[str, str]) -> dict:
    """A fault, and what those techniques said of it that were shown it."""
    killers = [technique for technique in fault.techniques if verdicts.get(technique.name) in KILLING]
    return {
        "fault": fault.name,
        "clauses": fault.clauses,
        "what": fault.comment,
        "why_one": fault.why_one,
        "techniques": [technique.name for technique in fault.techniques],  # that can see it
        "results": verdicts,
        "killers": [technique.name for technique in killers],
        "families": sorted({technique.family for technique in killers}),
        "complete": len(verdicts) == len(fault.techniques),
    }


def digests_of_parts(origin: Path) -> dict[str, str]:
    found: dict[str, "hashlib._Hash"] = {}
    for path in source_tree.files(origin):
        if path.suffix != ".md":
            found.setdefault(part_of(path), hashlib.sha256()).update(
                f"{path}\0".encode() + (origin / path).read_bytes())
    return {part: digest.hexdigest() for part, digest in found.items()}


def part_of(path: Path) -> str:
    """The folder, but that a folder's tests are a part of their own, as are scenarios and end-to-end tests: one test
    more leaves what other techniques have said as it is."""
    if path.parts[:2] in (("proptests", "scenarios"), ("server", "e2e")):
        return "/".join(path.parts[:2])
    is_of_tests = path.stem.endswith("_test") or path.name.startswith("test_") or path.name == "CMakeLists.txt"
    return f"{path.parts[0]}/tests" if is_of_tests else path.parts[0]
