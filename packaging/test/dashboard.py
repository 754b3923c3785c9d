#!/usr/bin/env python3
"""Draws the dashboard of packaging/grafana as it shows a daemon under load: build/report/dashboard.png.

Exit status 1 if a panel asks for something of which Prometheus has no number.

    packaging/test/dashboard.py [--seconds N]      # the daemon of build/release; LOCKD_BINARY names another

There is no Grafana in Debian. So a Prometheus scrapes the daemon once a second, the panels' own queries are put to it,
and gnuplot draws the answers where the dashboard has its panels. What the load is: load().
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "packaging/grafana/lockd.json"
PICTURE = ROOT / "build/report/dashboard.png"
GRID_PIXELS = 60, 34  # of a cell of Grafana's grid
VARIABLES = {"$__rate_interval": "10s", "$job": ".*", "$instance": ".*", "24h": "1h"}

Series = tuple[str, list[tuple[float, float]]]  # a legend, and (moment, value)


def started(command: list[str], address: str, **more: Any) -> tuple[subprocess.Popen[str], list[str]]:
    """A program, and what it says of its addresses: one match of each of the alternatives, in their order."""
    process = subprocess.Popen(command, text=True, **more)
    stream = process.stdout or process.stderr
    assert stream is not None
    found: list[str] = []
    for pattern in address.split("|"):
        line = next((match[1] for text in stream if (match := re.search(pattern, text))), None)
        found.append(line or sys.exit(f"{command[0]} does not start"))
    threading.Thread(target=lambda: [None for _ in stream], daemon=True).start()
    return process, found


# ---- the load


def client(port: int, draw: random.Random, end: float) -> None:
    """Takes, waits, gives up, breaks off and makes mistakes, until its time is over."""
    while time.monotonic() < end:
        with socket.create_connection(("127.0.0.1", port)) as sock:
            replies = sock.makefile("r")
            for _ in range(draw.randint(1, 60)):
                key = f"job-{min(int(draw.expovariate(0.3)), 20)}"
                for request, answers in request_of(draw, key):
                    sock.sendall(f"{request}\n".encode())
                    for _ in range(answers):
                        replies.readline()
                    time.sleep(draw.expovariate(1 / 0.005))


def request_of(draw: random.Random, key: str) -> list[tuple[str, int]]:
    """Some requests, each with the number of its replies."""
    wait_ms = draw.choice((20, 200, 2000))
    return draw.choices([
        [(f"gw {wait_ms} {key}", 1), (f"i {key}", 1), (f"r {key}", 1)],
        [(f"g {key}", 1), (f"t {key}", 1), (f"r {key}", 1)],
        [(f"sgw 3 {wait_ms} {key}", 1), (f"sr {key}", 1)],
        [(f"g own-{draw.random()}", 1)],
        [(f"gw {wait_ms} {key}\ncancel", 2)],
        [("nonsense", 1)], [(f"gw soon {key}", 1)],
    ], weights=[8, 4, 4, 1, 1, 0.3, 0.2])[0]


def load(port: int, seconds: float) -> None:
    """Twelve clients all the time, and as many more in the middle third."""
    start = time.monotonic()
    thirds = [(start, start + seconds)] * 12 + [(start + seconds / 3, start + 2 * seconds / 3)] * 12
    draw = random.Random(1)
    threads = [threading.Timer(begin - start, client, (port, random.Random(draw.random()), end))
               for begin, end in thirds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# ---- what Prometheus knows of it


def filled_in(text: str) -> str:
    for variable, value in VARIABLES.items():
        text = text.replace(variable, value)
    return text


def ask(prometheus: str, target: dict[str, Any], start: float, end: float) -> list[Series]:
    query = urllib.parse.urlencode({"query": filled_in(target["expr"]), "start": start, "end": end, "step": 1})
    with urllib.request.urlopen(f"http://{prometheus}/api/v1/query_range?{query}") as response:
        results = json.load(response)["data"]["result"]
    legend = target.get("legendFormat") or ""
    return [(re.sub(r"\{\{(\w+)\}\}", lambda name: result["metric"].get(name[1], ""), legend),
             [(moment - start, float(value)) for moment, value in result["values"] if value != "NaN"])
            for result in results]


# ---- the picture


def place_of(panel: dict[str, Any], rows: int) -> str:
    at = panel["gridPos"]
    return (f"set origin {at['x'] / 24},{1 - (at['y'] + at['h']) / rows}\n"
            f"set size {at['w'] / 24},{at['h'] / rows}\nset title \"{panel['title']} [{unit_of(panel)}]\"\n")


def unit_of(panel: dict[str, Any]) -> str:
    return panel["fieldConfig"]["defaults"]["unit"]


def lines_of(series: list[Series], stacked: bool) -> str:
    """Each above the one before if they are stacked."""
    below: dict[float, float] = {}
    plots, data = [], ""
    for legend, points in series:
        if stacked:
            points = [(moment, below.get(moment, 0) + value) for moment, value in points]
            below |= dict(points)
        data += "".join(f"{moment} {value}\n" for moment, value in points or [(0, 0)]) + "e\n"
        plots.append(f"'-' with lines title \"{legend}\"")
    return f"set key below noenhanced samplen 2\nplot {', '.join(plots)}\n{data}"


def heat_of(series: list[Series]) -> str:
    """Prometheus' buckets are cumulative: of each what is above the one below. Up to the highest that is not empty."""
    buckets = sorted(series, key=lambda each: float(each[0].replace("+Inf", "inf")))
    below: dict[float, float] = {}
    cells, used = [], 1
    for row, (_, points) in enumerate(buckets):
        cells += [(moment, row, value - below.get(moment, 0)) for moment, value in points]
        used = row + 2 if any(value > below.get(moment, 0) for moment, value in points) else used
        below = dict(points)
    labels = ", ".join(f"'{bound}' {row}" for row, (bound, _) in enumerate(buckets[:used]))
    data = "".join(f"{moment} {row} {value}\n" for moment, row, value in cells if row < used)
    return (f"unset key\nset yrange [-0.5:{used - 0.5}]\nset ytics ({labels})\nset palette rgb 34,35,36 negative\n"
            f"set cbrange [0:]\nplot '-' with image pixels\n{data}e\nset ytics autofreq\n")


def drawn(panel: dict[str, Any], series: list[Series], rows: int) -> str:
    text = place_of(panel, rows)
    if panel["type"] == "stat":
        last = "\\n".join(f"{legend} {points[-1][1]:.6g}".strip() for legend, points in series if points)
        return (f"{text}unset border\nunset tics\nunset key\n"
                f"set label 1 \"{last}\" at graph 0.5,0.5 center noenhanced\n"
                "plot [0:1] [0:1] -1 notitle\nunset label 1\nset border\nset tics\n")
    if not any(points for _, points in series):
        series = [("nothing", [(0, 0), (1, 0)])]
    if panel["type"] == "heatmap":
        return text + heat_of(series)
    custom = panel["fieldConfig"]["defaults"]["custom"]
    lines = lines_of(series, custom.get("stacking", {}).get("mode") == "normal")
    if custom.get("scaleDistribution", {}).get("type") == "log":
        return f"{text}set logscale y\nset yrange [*:*]\n{lines}unset logscale\n"
    return f"{text}set yrange [0:*]\n{lines}"


def draw_all(prometheus: str, start: float, end: float) -> list[str]:
    """Returns what has no answer."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    script = (f"set terminal pngcairo size {24 * GRID_PIXELS[0]},{rows * GRID_PIXELS[1]} font 'sans,11'\n"
              f"set output '{PICTURE}'\nset multiplot\nset grid\n")
    queries, empty = 0, []
    for panel in panels:
        answers = [(target["expr"], ask(prometheus, target, start, end)) for target in panel["targets"]]
        queries += len(answers)
        empty += [f"{panel['title']}: no data: {query}" for query, series in answers
                  if not any(points for _, points in series)]
        script += drawn(panel, [one for _, series in answers for one in series], rows)
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    print(f"{len(panels)} panels drawn, {queries} queries, {len(empty)} without data: {PICTURE.relative_to(ROOT)}")
    return empty


def main() -> None:
    parser = argparse.ArgumentParser(prog="packaging/test/dashboard.py", description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=90, help="of load (90)")
    seconds = parser.parse_args().seconds
    daemon, uris = started([os.environ.get("LOCKD_BINARY", str(ROOT / "build/release/server/lockd")), "--listen",
                            "tcp://127.0.0.1:0", "--http", "tcp://127.0.0.1:0", "--max-connections", "30"],
                           r"listening on (tcp:\S+)|listening on http://(\S+)", stdout=subprocess.PIPE)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "prometheus.json")
        config.write_text(json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [
            {"job_name": "lockd", "static_configs": [{"targets": uris[1:]}]}]}))
        prometheus, addresses = started(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                                         "--web.listen-address=127.0.0.1:0"],
                                        r'"Listening on" address=(\S+)', stderr=subprocess.PIPE)
        try:
            start = time.time()
            load(int(uris[0].rsplit(":", 1)[1]), seconds)
            empty = draw_all(addresses[0], start, time.time())
        finally:
            for process in prometheus, daemon:
                process.terminate()
                process.wait()
    if empty:
        sys.exit("\n".join(empty))


if __name__ == "__main__":
    main()
