"""What is remembered of a layout never lets a value through that would have been refused without it."""

import pytest

from releve.protocol.contract import CONTRACTS
from releve.protocol.layout import MOST_KNOWN, Layouts
from releve.protocol.problem import BadReading

GYM = {
    "machine_id": 3,
    "timestamp": "2026-06-01T12:00:00",
    "acceleration_x": 0.1,
    "acceleration_y": 0.2,
    "acceleration_z": 9.8,
    "repetitions": 5,
    "series_time": 12.5,
    "rest_time": 3.0,
}
PROFILOMETRE = {"temperature": 20.5, "humidite": 40.0, "accelerometre": 0.1, "timestamp": 12}
GENERIC = {"speed": 12.5, "laps": 3, "note": "rain", "is_wet": True}
GOOD = {"gym": GYM, "profilometre": PROFILOMETRE, "generic": GENERIC}
BAD = [
    ("gym", {"repetitions": -1}, "repetitions"),
    ("gym", {"series_time": -0.5}, "series_time"),
    ("gym", {"rest_time": -1}, "rest_time"),
    ("gym", {"repetitions": 2.5}, "repetitions"),
    ("gym", {"machine_id": 2**53 + 1}, "machine_id"),
    ("gym", {"machine_id": 1e300}, "machine_id"),
    ("gym", {"machine_id": True}, "machine_id"),
    ("gym", {"acceleration_x": "0.1"}, "acceleration_x"),
    ("gym", {"acceleration_z": None}, "acceleration_z"),
    ("gym", {"asymmetry": "left"}, "asymmetry"),
    ("gym", {"timestamp": 12}, "timestamp"),
    ("profilometre", {"humidite": "dry"}, "humidite"),
    ("profilometre", {"steps": 2**53 + 1}, "steps"),
    ("generic", {"laps": -(2**53) - 1}, "laps"),
    ("generic", {"note": "x" * 2000}, "note"),
    ("generic", {"speed": []}, "speed"),
    ("generic", {"": 1.5}, ""),
    ("generic", {"speed": 1e308}, "speed"),
    ("gym", {"acceleration_x": -1e200}, "acceleration_x"),
    ("profilometre", {"temperature": 1e150}, "temperature"),
]


@pytest.mark.parametrize(("contract", "changes", "field"), BAD)
def test_a_bad_value_is_refused_alike_before_and_after_its_layout_was_seen(contract, changes, field):
    read = CONTRACTS[contract].read
    refusals = []
    for _ in range(2):
        with pytest.raises(BadReading) as refused:
            read(GOOD[contract] | changes, False)
        refusals.append((refused.value.field, refused.value.detail))
        read(dict(GOOD[contract]), False)

    assert refusals[0] == refusals[1]
    assert refusals[0][0] == field


@pytest.mark.parametrize("contract", GOOD)
def test_a_known_layout_reads_as_a_new_one(contract):
    read = CONTRACTS[contract].read

    assert read(dict(GOOD[contract]), False) == read(dict(GOOD[contract]), False)


def test_whole_numbers_written_as_fractions_stay_whole_numbers_whichever_came_first():
    read = CONTRACTS["gym"].read
    drafts = [read(GYM | {"machine_id": number, "repetitions": count}, False) for number, count in ((3, 5), (3.0, 5.0))]

    assert (drafts[0].channels, drafts[0].machine) == (drafts[1].channels, drafts[1].machine)
    assert [type(drafts[1].channels[name]) for name in ("machine_id", "repetitions")] == [int, int]


def test_the_same_name_with_another_type_is_another_layout():
    judged = []
    layouts = Layouts(lambda fields: judged.append(dict(fields)))
    for value in (1, 2, 1.5, 2.5, True, False):
        layouts.take({"speed": value}, escaped_nul=False)

    assert judged == [{"speed": 1}, {"speed": 1.5}, {"speed": True}]


def test_text_and_null_are_looked_at_every_time():
    layouts = Layouts()

    for _ in range(2):
        channels, layout = layouts.take({"note": "dry", "speed": None}, escaped_nul=False)

        assert (channels, layout.texts, layout.numbers) == ({"note": "dry"}, ("note",), ())
    with pytest.raises(BadReading):
        layouts.take({"note": "d\0ry", "speed": None}, escaped_nul=True)


def test_a_sender_that_invents_names_costs_no_memory():
    layouts = Layouts()
    for number in range(3 * MOST_KNOWN):
        layouts.take({f"channel {number}": 1.5}, escaped_nul=False)

    assert len(layouts._known) <= MOST_KNOWN
