"""The instructions of packaging/docker/Dockerfile."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "packaging/docker/Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """Each with what follows it, lines that were continued joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def all_of(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


def command_of(name: str) -> list[str]:
    """Of ENTRYPOINT, CMD and HEALTHCHECK, the last of which has flags and CMD before it."""
    return json.loads(all_of(name)[-1].rpartition("CMD ")[2])
