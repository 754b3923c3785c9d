"""What a soak has seen, whether that is well, and the report of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

MIB = 1 << 20
SAMPLES_MIN = 16  # four for each quarter
GROWTH_SHARE_MAX, GROWTH_BYTES_MAX = 0.02, MIB  # of the memory: both together
LEFT_OVER = ("locks", "shared_locks", "holders", "waiters")  # counters that are 0 when nobody is there
WIDTH, HEIGHT, MARGIN = 900, 240, 40


@dataclass(frozen=True)
class Sample:
    """The daemon at one moment, while it is busy."""

    seconds: float  # since the start
    resident_bytes: int
    descriptors: int
    connections: int
    holders: int
    waiters: int


@dataclass(frozen=True)
class Rest:
    """The daemon with one connection, that of who looks at it."""

    resident_bytes: int
    descriptors: int
    counters: Mapping[str, int]


def quarter(samples: Sequence[Sample], number: int) -> Sequence[Sample]:
    """From 1 to 4."""
    return samples[len(samples) * (number - 1) // 4 : len(samples) * number // 4]


def memory_of(samples: Sequence[Sample]) -> float:
    return median(sample.resident_bytes for sample in samples)


def findings(samples: Sequence[Sample], before: Rest, after: Rest) -> list[str]:
    """What is not well. In the first quarter the daemon may grow to what the load takes."""
    if len(samples) < SAMPLES_MIN:
        return [f"{len(samples)} samples say nothing"]
    found = []
    second, last = memory_of(quarter(samples, 2)), memory_of(quarter(samples, 4))
    if last > second * (1 + GROWTH_SHARE_MAX) + GROWTH_BYTES_MAX:
        found.append(f"its memory has grown from {second / MIB:.2f} to {last / MIB:.2f} MiB")
    if after.descriptors != before.descriptors:
        found.append(f"{before.descriptors} descriptors were open before, {after.descriptors} are after")
    if after.counters["connections"] != 1:
        found.append(f"{after.counters['connections']} connections are open, not 1")
    found += [f"{name} are {after.counters[name]}, not 0" for name in LEFT_OVER if after.counters[name] != 0]
    found += [f"{name} is 0: it was not tried" for name, number in after.counters.items()
              if name.startswith("command_") and number == 0]
    if not any(sample.waiters for sample in samples):
        found.append("nobody ever waited")
    return found


def curve(samples: Sequence[Sample], field: str, height: float, color: str) -> str:
    """One of a sample's numbers over time, from 0 to the largest, whose name and value stand at its right end."""
    values = [getattr(sample, field) for sample in samples]
    width = WIDTH - 4 * MARGIN
    end, top = samples[-1].seconds or 1, max(values) or 1
    points = " ".join(f"{MARGIN + width * sample.seconds / end:.1f},{HEIGHT - MARGIN - height * value / top:.1f}"
                      for sample, value in zip(samples, values, strict=True))
    label = f"{top / MIB:.2f} MiB" if field == "resident_bytes" else f"{top} {field}"
    y = HEIGHT - MARGIN - height * values[-1] / top
    return (f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.5"/>'
            f'<text x="{MARGIN + width + 6}" y="{y:.1f}" fill="{color}" font-size="11">max {label}</text>')


def picture(samples: Sequence[Sample]) -> str:
    """As SVG: memory, and for comparison the load."""
    right, bottom, height = WIDTH - 3 * MARGIN, HEIGHT - MARGIN, HEIGHT - 2 * MARGIN
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<path d="M{MARGIN},{MARGIN} V{bottom} H{right}" fill="none" stroke="black"/>',
        f'<text x="{MARGIN}" y="{MARGIN - 12}" font-size="13">resident memory, and holders of locks, over time</text>',
        f'<text x="{MARGIN}" y="{bottom + 16}" font-size="11">0</text>',
        f'<text x="{right - 40}" y="{bottom + 16}" font-size="11">{samples[-1].seconds:.0f} s</text>',
        curve(samples, "holders", height / 2, "#999999"),
        curve(samples, "resident_bytes", height, "#0050b0"),
        "</svg>\n",
    ])


def summary(samples: Sequence[Sample], before: Rest, after: Rest, found: Sequence[str]) -> list[str]:
    asked = sum(number for name, number in after.counters.items() if name.startswith("command_"))
    rows = [f"{asked} requests answered in {samples[-1].seconds:.0f} seconds, {len(samples)} samples, "
            f"{len(found)} findings"]
    rows += [f"quarter {number}: {memory_of(quarter(samples, number)) / 1024:.0f} KiB resident (median)"
             for number in range(1, 5)]
    return rows + [f"at rest: {rest.resident_bytes // 1024} KiB resident, {rest.descriptors} descriptors {when}"
                   for rest, when in ((before, "before"), (after, "after"))] + [f"FINDING: {what}" for what in found]


def write_report(folder: Path, samples: Sequence[Sample], before: Rest, after: Rest, found: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rest = {"before": asdict(before), "after": asdict(after)}
    every = {"findings": found, "rest": rest, "samples": [asdict(sample) for sample in samples]}
    (folder / "soak.json").write_text(json.dumps(every, indent=1) + "\n")
    (folder / "soak.svg").write_text(picture(samples))
    rows = "\n".join(f"- {row}" for row in summary(samples, before, after, found))
    (folder / "soak.md").write_text(f"# Soak\n\n{rows}\n\n![memory over time](soak.svg)\n")
