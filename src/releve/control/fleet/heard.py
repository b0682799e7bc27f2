"""Whether many devices are heard, by the one rule (`protocol/rhythm`), without a look at the history of each."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from releve.control.readings.newest import newest
from releve.protocol.instant import us_of
from releve.protocol.rhythm import JUDGED_BY, SHORTEST_S, UNKNOWN_S, is_heard
from releve.storage.queries import query

LOOKED_AT = 40  # devices whose rhythm is in their history alone, which is a statement or more for each


def heard_of(last_seen: Mapping[int, datetime], now: datetime) -> dict[int, bool]:
    """Whether each device is heard, by when it was last.

    A device that reported within the shortest patience is; of the others the fresh readings tell the rhythm. One that
    has fewer than two of them is slow or silent: the last heard of these are looked up, the rest are judged as one
    whose rhythm is not known.
    """
    ages_s = {device: (now - seen).total_seconds() for device, seen in last_seen.items()}
    found = {device: True for device, age_s in ages_s.items() if age_s <= SHORTEST_S}
    fresh = _fresh([device for device in last_seen if device not in found])
    for device, received_us in fresh.items():
        if len(received_us) > 1:
            found[device] = is_heard(received_us, last_us=us_of(last_seen[device]), now_us=us_of(now))
    slow = sorted((device for device in last_seen if device not in found), key=ages_s.__getitem__)
    for device in slow[:LOOKED_AT]:
        received = [row.received_us for row in newest(device, limit=JUDGED_BY)]
        found[device] = is_heard(received, last_us=us_of(last_seen[device]), now_us=us_of(now))
    return found | {device: ages_s[device] <= UNKNOWN_S for device in slow[LOOKED_AT:]}


def _fresh(devices: list[int]) -> dict[int, list[int]]:
    with connection.cursor() as cursor:
        cursor.execute(query("received_of_devices"), {"devices": devices, "limit": JUDGED_BY})
        return {device: received or [] for device, received in cursor.fetchall()}
