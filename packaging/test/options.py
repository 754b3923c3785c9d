"""The options of the daemon, as its --help has them."""

import os
import re
import subprocess

LOCKD = os.environ["LOCKD_BINARY"]
# In these the value shown is the daemon's own default on some other machine, or an example.
DEPENDS_ON_THE_MACHINE = {"threads"}


def options() -> dict[str, str]:
    """Each with the default that is shown behind its name, empty where none is."""
    text = subprocess.run([LOCKD, "--help"], check=True, capture_output=True, text=True).stdout
    return dict(re.findall(r"^  (?:-\w,)?--([a-z-]+)(?: [A-Z]+(?::\{\S+\})?(?:=(\S+))?)?", text, re.MULTILINE))


def defaults() -> dict[str, str]:
    """Of those options that have one which is the same on every machine."""
    return {name: default for name, default in options().items() if default and name not in DEPENDS_ON_THE_MACHINE}
