"""How small and how quick segments are: bytes a value, and the time for each step, of four kinds of devices.

Everything happens in memory and in one thread; times are processor time, the best of some rounds. Ends with 1 where a
segment is larger than promised: one byte a value of a gym machine and of a car, seven of random doubles.
"""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from releve.history import ladder, segment, spelling, text
from releve.history.block import Block, Row
from releve.history.pivot import block_of
from releve.history.series import Series
from releve.protocol.identity import canonical, of_content

START_US = 1_790_000_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
POINTS = 2_000
MOST_BYTES = {"gym": 1.0, "car": 1.0, "random": 7.0}  # a value; a reading's time and its time of receipt are values too
Channels = dict[str, list[Any]]


def times(rng: np.random.Generator, n: int, *, hz: float, jitter_us: int) -> Any:
    return np.sort(START_US + (np.arange(n) * (1e6 / hz)).astype(np.int64) + rng.integers(0, jitter_us, n))


def gym(rng: np.random.Generator, n: int) -> tuple[Any, Channels]:
    """A Raspberry Pi: 10 Hz, two decimals, naive timestamps."""
    k = np.arange(n)
    return times(rng, n, hz=10, jitter_us=3_000), {
        "machine_id": np.full(n, 4).tolist(),
        "acceleration_x": np.round(1.2 * np.sin(k / 7) + rng.normal(0, 0.1, n), 2).tolist(),
        "acceleration_y": np.round(0.5 * np.cos(k / 9) + rng.normal(0, 0.1, n), 2).tolist(),
        "acceleration_z": np.round(-9.81 + rng.normal(0, 0.2, n), 2).tolist(),
        "repetitions": ((k // 30) % 12).tolist(),
        "series_time": np.round((k % 900) / 10, 1).tolist(),
        "rest_time": np.round(60.0 + (k // 900) % 5 * 7.5, 1).tolist(),
    }


def car(rng: np.random.Generator, n: int) -> tuple[Any, Channels]:
    """An ESP32 over MQTT: 10 Hz, the time is the server's."""
    speed = np.round(np.clip(30 + np.cumsum(rng.normal(0, 0.3, n)) % 40, 0, 90), 1)
    return times(rng, n, hz=10, jitter_us=20_000), {
        "speed": speed.tolist(),
        "distance": np.round(np.cumsum(speed / 36), 2).tolist(),
        "battery": np.round(100 - np.arange(n) / n * 60, 1).tolist(),
        "track": (np.arange(n) // 3_000).tolist(),
    }


def esp32(rng: np.random.Generator, n: int) -> tuple[Any, Channels]:
    """A profilometre: one reading in five seconds."""
    k = np.arange(n)
    return times(rng, n, hz=0.2, jitter_us=50_000), {
        "temperature": np.round(22 + 3 * np.sin(k / 3_000) + rng.normal(0, 0.05, n), 2).tolist(),
        "humidite": np.round(50 + 10 * np.cos(k / 5_000) + rng.normal(0, 0.2, n), 1).tolist(),
        "accelerometre": np.round(np.abs(rng.normal(0, 2, n)), 3).tolist(),
    }


def noise(rng: np.random.Generator, n: int) -> tuple[Any, Channels]:
    """The worst case: every digit of a double is random."""
    return times(rng, n, hz=0.2, jitter_us=50_000), {
        "temperature": rng.uniform(20, 30, n).tolist(),
        "humidite": rng.uniform(40, 80, n).tolist(),
        "accelerometre": rng.uniform(0, 100, n).tolist(),
    }


KINDS = {"gym": (gym, True), "car": (car, False), "esp32": (esp32, True), "random": (noise, True)}


def readings(kind: str, n: int) -> list[Row]:
    make, is_naive = KINDS[kind]
    rng = np.random.default_rng(7)
    time_us, channels = make(rng, n)
    received_us = (time_us + rng.integers(20_000, 80_000, n)).tolist()
    names = list(channels)
    found = []
    for instant_us, at_us, values in zip(
        time_us.tolist(), received_us, zip(*channels.values(), strict=True), strict=True
    ):
        content = canonical(dict(zip(names, values, strict=True)))
        moment = (EPOCH + timedelta(microseconds=instant_us)).replace(tzinfo=None)
        sent = moment.isoformat() if is_naive else None
        found.append(Row(instant_us, of_content(content), at_us, content, sent))
    return sorted(found, key=lambda row: row[:2])


def best(step: Callable[[], Any], rounds: int) -> tuple[Any, float]:
    """What a step answers, and the processor time that it takes, in seconds."""
    shortest = float("inf")
    for _ in range(rounds):
        before = time.thread_time()
        found = step()
        shortest = min(shortest, time.thread_time() - before)
    return found, shortest


def following(block: Block, count: int) -> list[segment.Segment]:
    """A year in short: the same readings again and again, each time later."""
    length_us = int(block.time_us[-1] - block.time_us[0]) + 1
    found = []
    for number in range(count):
        later = block.take(slice(None))
        later.time_us = block.time_us + number * length_us
        found.append(segment.encode(later))
    return found


def chart(segments: list[segment.Segment], channel: str, rounds: int) -> float:
    def draw() -> Any:
        series = Series.even([channel], from_us=segments[0].first_us, to_us=segments[-1].last_us + 1, points=POINTS)
        for each in segments:
            series.add(segment.decode_some(each, [channel]))
        return series.buckets(channel)

    return best(draw, rounds)[1]


def measured(kind: str, rounds: int) -> tuple[float, list[str]]:
    n = segment.READINGS
    rows = readings(kind, n)
    block, pivot_s = best(lambda: block_of(rows), rounds)
    sealed, encode_s = best(lambda: segment.encode(block), rounds)
    _, ladder_s = best(lambda: ladder.ladder_of(block), rounds)
    whole, decode_s = best(lambda: segment.decode(sealed), rounds)
    back, rows_s = best(lambda: spelling.rows(whole), rounds)
    if back != rows:
        raise SystemExit(f"{kind}: what was sealed did not come back")
    names = sorted(whole.channels)
    _, csv_s = best(lambda: text.csv_lines(whole, names), rounds)
    chart_s = chart(following(block, 30), names[0], rounds)
    small = segment.encode(block_of(rows[:100]))
    a_value = sealed.size / n / (len(names) + 2)
    json = sum(len(row.channels) for row in rows) / n
    figures = [f"{len(names)}", f"{json:.0f}", f"{sealed.size / n:.2f}", f"{a_value:.2f}", f"{small.size / 100:.1f}"]
    steps = (pivot_s, encode_s, ladder_s, decode_s, rows_s)
    figures += [f"{seconds / n * 1e9:,.0f}" for seconds in steps]
    return a_value, [*figures, f"{n / csv_s:,.0f}", f"{chart_s * 1e3 / (30 * n) * 1e6:.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(KINDS), help="gym, car, esp32, random; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="of which the best counts")
    asked = parser.parse_args()
    heads = ["device", "channels", "JSON B", "B/reading", "B/value", "B/r of 100"]
    heads += ["rows→block ns", "encode ns", "ladder ns", "decode ns", "→rows ns", "CSV/s", "chart 1M ms"]
    print("  ".join(heads))
    is_good = True
    for kind in asked.kinds:
        a_value, figures = measured(kind, asked.rounds)
        print("  ".join(each.rjust(len(head)) for each, head in zip([kind, *figures], heads, strict=True)), flush=True)
        is_good &= a_value <= MOST_BYTES.get(kind, a_value)
    print("sizes as promised" if is_good else "larger than promised")
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
