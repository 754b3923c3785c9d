"""Planted faults: patches in faults/, what each says of itself, and whether it can be planted."""

import os
import re
import subprocess
from pathlib import Path

from faults_techniques import TECHNIQUES, techniques_for

ROOT = Path(__file__).resolve().parent.parent
FAULTS = ROOT / "faults"
PROTOCOL = ROOT / "docs/protocol.md"

ALSO_SHOWN_TO = re.compile(r"^# also shown to: (.*)\n", re.MULTILINE)
CLAUSES = re.compile(r"((?:[A-Z]\d+, )*[A-Z]\d+): ")


class Fault:
    """A patch, ahead of whose diff stand `# CLAUSES: what is wrong`, and, where only techniques of one family can
    kill it, `# one technique: why`. Both may go on over several lines. `# also shown to: NAME...` are techniques that
    can see it besides those of its layer."""

    def __init__(self, name: str, text: str = "") -> None:
        self.name = name
        self.text = text
        self.files = re.findall(r"^\+\+\+ b/(\S+)$", text, re.MULTILINE)
        also = " ".join(ALSO_SHOWN_TO.findall(text)).split()
        head = ALSO_SHOWN_TO.sub("", text).split("\n--- ", 1)[0]
        words = " ".join(line[2:] for line in head.split("\n") if line.startswith("# "))
        self.comment, _, self.why_one = words.partition(" one technique: ")
        named = CLAUSES.match(self.comment)
        self.clauses = named[1].split(", ") if named else []
        self.techniques = techniques_for(self.files, also) if text else TECHNIQUES
        self.unknown_techniques = sorted(set(also) - {technique.name for technique in TECHNIQUES})


def all_faults() -> dict[str, Fault]:
    return {path.stem: Fault(path.stem, path.read_text()) for path in sorted(FAULTS.glob("*.patch"))}


def apply(fault: Fault, root: Path, *options: str) -> str:
    """Nothing, or why the patch does not apply. (Not as a part of the repository that `root` may lie in: git would
    pass over files of its subfolders in silence.)"""
    done = subprocess.run(["git", "apply", *options, "-"], cwd=root, input=fault.text, text=True, capture_output=True,
                          check=False, env=os.environ | {"GIT_CEILING_DIRECTORIES": str(root.parent)})
    return done.stderr.strip() if done.returncode != 0 else ""


def clauses_of_protocol() -> list[str]:
    return re.findall(r"^- \*\*([A-Z]\d+)\*\* ", PROTOCOL.read_text(), re.MULTILINE)


def wrong_with(fault: Fault, root: Path, clauses: list[str]) -> str:
    """Nothing, or what is wrong with a patch that has not been applied to the tree `root`."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", fault.name):
        return "the name is not in snake_case"
    if not fault.clauses:
        return "no comment says which clause it breaks, and how"
    if unknown := set(fault.clauses) - set(clauses):
        return f"there is no clause {', '.join(sorted(unknown))}"
    if fault.unknown_techniques:
        return f"there is no technique {', '.join(fault.unknown_techniques)}"
    for file in fault.files:
        if not re.fullmatch(r"(engine|server(/http|/websocket)?|client(/lockctl)?)/\w+(?<!_test)\.(h|cc)", file):
            return f"{file} is no file that serves"
    return apply(fault, root, "--check") if fault.files else "it changes nothing"


def clauses_without(faults: list[Fault], clauses: list[str]) -> list[str]:
    """Those that no fault breaks."""
    named = {clause for fault in faults for clause in fault.clauses}
    return [clause for clause in clauses if clause not in named]
