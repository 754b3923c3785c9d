"""The files that the checkers beside this one look at."""

import os
from collections.abc import Iterator
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
