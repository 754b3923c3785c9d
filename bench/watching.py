"""Looks into a server that runs, from outside: its system calls, and where its processor time goes."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from servers import BOUND_TO_US, Failed, Server, program

TOTAL = "raw_syscalls"
CALLS = ("epoll_ctl", "epoll_pwait", "epoll_wait", "futex", "io_uring_enter", "read", "readv", "recvfrom", "recvmsg",
         "sendmsg", "sendto", "write", "writev")  # whatever else a server calls is in the total
EVENTS = ",".join([f"{TOTAL}:sys_enter", *(f"syscalls:sys_enter_{name}" for name in CALLS)])
SAMPLES_PER_SECOND = 997


class Refused(Failed):
    """Nobody may watch here, or there is nothing to watch with."""


@contextlib.contextmanager
def system_calls(server: Server) -> Iterator[Counter]:
    """Those that it makes meanwhile, by name, with their sum under TOTAL, when the context has ended: counted by perf
    in the kernel, which costs the server next to nothing; or else by strace, which slows it down, so that more requests
    gather for each call."""
    counted: Counter = Counter()
    with watch(server) as (process, table):
        try:
            yield counted
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
        counted.update(calls_in(table.read_text()))


@contextlib.contextmanager
def watch(server: Server) -> Iterator[tuple[subprocess.Popen, Path]]:
    with contextlib.ExitStack() as stack:
        try:
            entered = stack.enter_context(perf_stat(server))
        except Failed as by_perf:
            try:
                entered = stack.enter_context(strace(server))
            except Failed as by_strace:
                raise Refused(f"{by_perf}; {by_strace}") from by_strace
        yield entered


@contextlib.contextmanager
def perf_stat(server: Server) -> Iterator[tuple[subprocess.Popen, Path]]:
    """Counting has begun when the context does."""
    with tempfile.TemporaryDirectory() as folder:
        table, perf = Path(folder) / "counted", program("perf")
        (told, tell), (acknowledged, acknowledge) = os.pipe(), os.pipe()
        process = subprocess.Popen(
            [*BOUND_TO_US, perf, "stat", "-x", ",", "-o", table, "-e", EVENTS, "-p", str(server.pid),
             "--delay", "-1", "--control", f"fd:{told},{acknowledge}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=(told, acknowledge), text=True)
        os.close(told)
        os.close(acknowledge)
        with process, os.fdopen(tell, "w") as orders, os.fdopen(acknowledged) as answers:
            with contextlib.suppress(BrokenPipeError):
                orders.write("enable\n")
                orders.flush()
            if "ack" not in answers.readline():
                process.wait()
                raise Failed(f"perf stat says: {process.stderr.read().strip()[:300]}")
            yield process, table


@contextlib.contextmanager
def strace(server: Server) -> Iterator[tuple[subprocess.Popen, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "counted"
        process = subprocess.Popen([*BOUND_TO_US, program("strace"), "-c", "-f", "-o", table, "-p", str(server.pid)],
                                   stderr=subprocess.PIPE, text=True)
        with process:
            line = process.stderr.readline()
            if "attached" not in line:
                process.wait()
                raise Failed(f"strace says: {line.strip()}")
            yield process, table


def watcher(name: str) -> str:
    """A program to watch with."""
    try:
        return program(name)
    except Failed as failure:
        raise Refused(str(failure)) from failure


def calls_in(table: str) -> dict[str, int]:
    """Of what `perf stat -x ,` or `strace -c` writes: the calls, by name, and their sum under TOTAL."""
    if found := re.findall(r"^(\d+),,(?:syscalls:sys_enter_)?(\w+)", table, re.MULTILINE):
        return {name: int(count) for count, name in found}
    rows = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", table, re.MULTILINE)
    return {TOTAL if name == "total" else name: int(count) for count, name in rows}


# ---- where the time goes


def profile(server: Server, seconds: float) -> list[tuple[float, str, str]]:
    """Of its processor time: the share in percent, the object (kernel, program or library) and the function."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "samples"
        call([program("perf"), "record", "--quiet", "--event", "cpu-clock", "--freq", str(SAMPLES_PER_SECOND), "--pid",
              str(server.pid), "--output", data, "--", "sleep", str(seconds)])
        return rows_of_profile(call([program("perf"), "report", "--stdio", "--no-children", "--sort", "dso,symbol",
                                     "--field-separator", ";", "--input", data]))


def call(command: list) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{command[0]} {command[1]} says: {done.stderr.strip()[:300]}")
    return done.stdout


def rows_of_profile(text: str) -> list[tuple[float, str, str]]:
    rows = re.findall(r"^ *([\d.]+)% *;([^;\n]+?) *;\[[^]]\] ([^;\n]+?) *(?:;|$)", text, re.MULTILINE)
    if not rows:
        raise Failed("perf has seen no sample")
    return [(float(share), "kernel" if "kernel" in place else place, name) for share, place, name in rows]
