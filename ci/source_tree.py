"""The files that the checkers beside this one look at, and copies of them to work on."""

import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path


def files(root: Path) -> Iterator[Path]:
    """Every file under `root`, sorted, as a path from there; none that is built (build/) or hidden (but .ci/ is in)."""
    for folder, folders, names in os.walk(root):
        at = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if not _is_left_out(at / name))
        yield from (at / name for name in sorted(names))


def _is_left_out(folder: Path) -> bool:
    if folder == Path(".ci"):
        return False
    return folder == Path("build") or folder.name.startswith(".") or folder.name == "__pycache__"


def copy(root: Path, target: Path, but: Collection[Path] = ()) -> None:
    """Makes `target` what the tree is, times of change included, so that only what differs is built again. The files
    `but` are left as they are there."""
    wanted = {path for path in files(root) if (root / path).is_file()}
    for path in wanted - set(but):
        here, there = (root / path).stat(), target / path
        if there.exists() and (there.stat().st_mtime_ns, there.stat().st_size) == (here.st_mtime_ns, here.st_size):
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, there)
    for path in set(files(target)) - wanted - set(but):
        (target / path).unlink()
