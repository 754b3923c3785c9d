"""What the daemon shows over HTTP, read as a scraper and a probe read it."""

from __future__ import annotations

import http.client
import re
import socket
import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.parse import urlsplit

from client import REPLY_SECONDS, TIME_SCALE
from daemon import Daemon

SECONDS = REPLY_SECONDS * TIME_SCALE
SAMPLE = re.compile(r"([a-z_]+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def http_uri(daemon: Daemon) -> str:
    """Of the daemon's only HTTP listener, which stands last."""
    return daemon.uris[-1]


def tcp_uri(daemon: Daemon) -> str:
    """The same address, to send it what one likes."""
    return http_uri(daemon).replace("http:", "tcp:")


def fetch(daemon: Daemon, target: str) -> tuple[int, str]:
    """Status and body, over a connection of its own."""
    try:
        with urllib.request.urlopen(http_uri(daemon) + target, timeout=SECONDS) as response:
            return response.status, response.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def kept_connection(daemon: Daemon) -> http.client.HTTPConnection:
    """For several requests, one after the other."""
    connection = http.client.HTTPConnection(urlsplit(http_uri(daemon)).netloc, timeout=SECONDS)
    connection.connect()
    return connection


def ask(connection: http.client.HTTPConnection, target: str) -> tuple[int, str]:
    connection.request("GET", target)
    response = connection.getresponse()
    return response.status, response.read().decode()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


class Scrape:
    """The metrics of one moment."""

    def __init__(self, daemon: Daemon) -> None:
        status, self.text = fetch(daemon, "/metrics")
        if status != 200:
            raise AssertionError(f"/metrics answers {status}: {self.text}")
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", self.text, re.MULTILINE))
        self.help = dict(re.findall(r"^# HELP (\S+) (.*)$", self.text, re.MULTILINE))
        self._samples = dict(samples_of(self.text))

    def value(self, name: str, **labels: str) -> float:
        return self._samples[name, frozenset(labels.items())]

    def labels(self, name: str) -> list[dict[str, str]]:
        """Of each of a metric's samples; a histogram's are those of its _bucket, _sum and _count."""
        return [dict(labels) for found, labels in self._samples if found == name]

    def series(self) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        """The name and the labels of each sample."""
        return set(self._samples)

    def names(self) -> set[str]:
        """Of the samples."""
        return {name for name, _ in self._samples}


def samples_of(text: str) -> Iterator[tuple[tuple[str, frozenset[tuple[str, str]]], float]]:
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        matched = SAMPLE.fullmatch(line)
        if matched is None:
            raise AssertionError(f"no sample: {line!r}")
        yield (matched[1], frozenset(LABEL.findall(matched[2] or ""))), float(matched[3])
