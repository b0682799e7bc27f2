"""A live stream holds so much and no more for a viewer who is slow, and tells what it left out."""

import asyncio
import json
from zoneinfo import ZoneInfo

import pytest

from releve.access.shared import Shown
from releve.access.visitor import Visitor
from releve.live.choice import Choice, Stretch, chosen
from releve.live.told import Told
from releve.live.viewer import LIFE_S, MOST_WAITING, MOST_WAITING_BYTES, Viewer
from releve.live.wish import Wish
from releve.protocol.problem import BadRequest, NotFound
from releve.protocol.sender import Sender
from releve.storage.device_row import FOR_EVER_S


def sender(team=7):
    return Sender(
        principal="account:1", sign_in="ab", name="", device_id=None, team_id=None, contract="generic",
        zone=ZoneInfo("UTC"), roles={team: "viewer"}, is_device=False, expires_s=FOR_EVER_S,
    )  # fmt: skip


def told(number, *, device=1, team=7, channels=None):
    text = json.dumps(channels or {"n": number}).encode()
    return Told(device_id=device, device=f"d{device}", team_id=team, time_us=number, channels=text)


@pytest.fixture
def viewer():
    async def again():
        return sender()

    choice = Choice(devices=[], stretches=None)
    found = Viewer(Visitor(sender(), again), viewer="account:1", wish=Wish(), choice=choice)
    found.opened_with(set())
    return found


async def written(viewer):
    """All that one write of the viewer has."""
    sent = asyncio.get_running_loop().create_future()

    async def send(message):
        if not sent.done():
            sent.set_result(message["body"])

    task = asyncio.create_task(viewer.run(send))
    body = await sent
    task.cancel()
    return [
        dict(line.split(": ", 1) for line in event.split("\n"))
        for event in body.decode().split("\n\n")
        if "data: " in event
    ]


async def test_a_slow_viewer_loses_values_in_between_and_never_the_newest_of_a_device(viewer):
    viewer.put(told(1, device=2), 1)
    for number in range(5 * MOST_WAITING):
        viewer.put(told(number), number)

    first, *events = await written(viewer)

    assert first["event"] == "gap"
    assert json.loads(first["data"])["left_out"] + len(events) == 5 * MOST_WAITING + 1
    assert len(events) <= MOST_WAITING
    assert json.loads(events[-1]["data"])["channels"] == {"n": 5 * MOST_WAITING - 1}
    assert json.loads(events[0]["data"])["device_id"] == 2


async def test_wide_readings_are_bounded_by_their_bytes(viewer):
    for number in range(200):
        viewer.put(told(number, channels={"text": "x" * 9_000, "n": number}), number)

    events = await written(viewer)

    assert sum(len(event["data"]) for event in events) <= MOST_WAITING_BYTES
    assert json.loads(events[-1]["data"])["channels"]["n"] == 199


async def test_what_the_database_had_is_not_told_again_by_the_hub(viewer):
    viewer.opened_with({told(1).key})

    assert not viewer.put(told(1), 1)
    assert viewer.put(told(2), 2)
    assert not viewer.put(told(2), 3)  # by another worker, once more


async def test_another_teams_reading_is_never_put(viewer):
    assert not viewer.put(told(1, team=8), 1)


async def test_a_stream_ends_when_it_has_lived_long_enough(viewer):
    viewer.tick(viewer._began_s + LIFE_S + 1)

    await asyncio.wait_for(viewer.run(_nothing), 1)


async def _nothing(_message):
    """Take it."""


@pytest.mark.parametrize(
    ("query", "field"),
    [(b"device=x", "device"), (b"device=-1", "device"), (b"run=0", "run"), (b"channel=", "channel"),
     (b"team=1", "team"), (b"share=1&share=2", "share"), (b"device=%00", "device")],
)  # fmt: skip
def test_a_wish_that_makes_no_sense_names_its_field(query, field):
    with pytest.raises(BadRequest) as refused:
        Wish.of(query)

    assert refused.value.field == field


@pytest.mark.parametrize("query", [b"share=1", b"share=1&device=8", b"share=1&device=7&run=3", b"share=1&asset=1"])
async def test_a_link_lets_nobody_ask_for_more_than_it_shows(query):
    with pytest.raises(NotFound):
        await chosen(None, Wish.of(query), sender(), Shown([7], []))


@pytest.mark.parametrize(
    ("channels", "has"),
    [({"machine_id": 7}, True), ({"machine_id": 7.0}, True), ({"machine_id": "7"}, True), ({"machine_id": 70}, False),
     ({"machine_id": True}, False), ({}, False)],
)  # fmt: skip
def test_a_part_is_what_its_readings_say(channels, has):
    text = json.dumps(channels).encode()
    reading = Told(device_id=1, device="", team_id=7, time_us=5, channels=text)

    assert Stretch("machine_id=7").has(reading) is has
    assert not Stretch("machine_id=7", from_us=6).has(reading)
