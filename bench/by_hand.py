"""The same questions in plain SQL over rows, as a person would put them in psql, and whether the answers agree.

The rows are a copy of the readings, in the table `by_hand`: the readings themselves are sealed into segments.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from bench.history import Stretch
from psycopg.rows import dict_row

CHANNELS = ("speed", "track", "battery", "distance")
WHAT = ("n", "low", "high", "mean", "deviation")
CLOSE = 1e-9
_RECORD = ", ".join(f"{name} float8" for name in CHANNELS)
_OF_RACE = (
    f"by_hand, jsonb_to_record(channels) AS channel ({_RECORD})\n"
    "WHERE device_id = %(device)s AND time >= %(start)s AND time < %(end)s"
)
_EACH = ",\n       ".join(
    f"count({name}) AS {name}_n, min({name}) AS {name}_low, max({name}) AS {name}_high,"
    f" avg({name}) AS {name}_mean, stddev_pop({name}) AS {name}_deviation"
    for name in CHANNELS
)
_PEAKS = ", ".join(
    f"avg({name}) AS {name}_mean, min({name}) AS {name}_low, max({name}) AS {name}_high" for name in CHANNELS
)

SUMMARY = f"SELECT count(*) AS received, min(time) AS first, max(time) AS last,\n       {_EACH}\nFROM {_OF_RACE}"
BUCKETS = (
    "SELECT date_bin(make_interval(secs => %(width)s), time, to_timestamp(0)) AS start,\n"
    f"       {_PEAKS}\nFROM {_OF_RACE}\nGROUP BY 1 ORDER BY 1"
)
STATISTICS = f"""
SELECT max(speed) AS speed_max, avg(speed) AS speed_average, max(battery) AS battery_max, min(battery) AS battery_min,
       extract(epoch FROM max(time) - min(time))::float8 AS time,
       (SELECT (channels ->> 'distance')::float8 FROM by_hand
        WHERE device_id = %(device)s AND time >= %(start)s AND time < %(end)s ORDER BY time DESC LIMIT 1) AS distance
FROM {_OF_RACE}"""  # noqa: S608 - our own words only
EVERY_5_SECONDS = f"""
SELECT bucket.start AS date, bucket.speed, bucket.battery,
       (channels ->> 'distance')::float8 AS distance, (channels ->> 'track')::float8 AS track
FROM (
    SELECT date_bin('5 seconds', time, to_timestamp(0)) AS start, max(time) AS last, avg(speed) AS speed,
           avg(battery) AS battery
    FROM {_OF_RACE} GROUP BY 1
) AS bucket
JOIN by_hand ON device_id = %(device)s AND time = bucket.last
ORDER BY 1"""  # noqa: S608 - our own words only
OF_ALL_RACES = f"""
SELECT run.id AS sensor_data_race_id, count(*) AS total_entries, avg(distance) AS average_distance,
       avg(speed) AS average_speed, max(distance) AS max_distance, min(distance) AS min_distance,
       avg(battery) AS average_battery, max(battery) AS max_battery, min(time) AS start_time, max(time) AS end_time,
       extract(epoch FROM max(time) - min(time))::float8 AS time_difference
FROM runs_run AS run
JOIN by_hand ON by_hand.device_id = run.device_id AND time >= run.started_at AND time < run.ended_at,
     jsonb_to_record(channels) AS channel ({_RECORD})
WHERE run.deleted_at IS NULL
GROUP BY run.id ORDER BY run.id"""  # noqa: S608 - our own words only
Row = Mapping[str, Any]


def rows(connection: psycopg.Connection[Any], statement: str, stretch: Stretch, **values: Any) -> list[Row]:
    """What a statement answers about a stretch of readings."""
    with connection.cursor(row_factory=dict_row) as cursor:
        given = {"device": stretch.device, "start": stretch.start, "end": stretch.end, **values}
        return list(cursor.execute(statement, given).fetchall())


def is_summary(answer: Any, found: Sequence[Row]) -> bool:
    """Whether a run's summary says what the rows say."""
    summary, (row,) = answer["summary"], found
    wanted = {f"{name}_{what}": row[f"{name}_{what}"] for name in CHANNELS for what in WHAT}
    said = {f"{name}_{what}": summary["channels"][name][what] for name in CHANNELS for what in WHAT}
    whole = (summary["completeness"]["received"], _instant(summary["first"]), _instant(summary["last"]))
    return is_same(said, wanted) and whole == (row["received"], row["first"], row["last"])


def is_buckets(answer: Any, found: Sequence[Row]) -> bool:
    """Whether a page of buckets says what the rows up to its end say; none may be missing."""
    end = answer["next"]
    wanted = found if end is None else [row for row in found if row["start"] < _instant(end)]
    said = [
        {
            "start": one["start"],
            **{f"{n}_{w}": one["channels"][n][w] for n in CHANNELS for w in ("mean", "low", "high")},
        }
        for one in answer["data"]
    ]
    return is_list(said, wanted)


def is_statistics(answer: Any, found: Sequence[Row]) -> bool:
    """Whether a race's statistics (contract B) say what the rows say."""
    return is_list(answer["data"], found)


def is_list(said: Sequence[Row], found: Sequence[Row]) -> bool:
    """Whether two lists say the same in the same order."""
    return len(said) == len(found) and all(map(is_same, said, found))


def is_same(said: Row, wanted: Row) -> bool:
    """Whether what is wanted is said; sums in another order differ in their last digits."""
    return all(_is_close(said[name], value) for name, value in wanted.items())


def _is_close(said: Any, wanted: Any) -> bool:
    if isinstance(wanted, datetime):
        return _instant(said) == wanted
    return math.isclose(float(said), float(wanted), rel_tol=CLOSE, abs_tol=CLOSE)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
