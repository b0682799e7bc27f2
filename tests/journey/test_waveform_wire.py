"""Waveforms as their senders see them, over HTTP and MQTT."""

import contextlib
import json
import os
import signal
import time
from threading import Thread

import httpx
from tests.journey.mqtt_client import V5, eventually, signed_in

READINGS = "/api/v1/readings"
WAVE = {"time": "2026-06-01T12:00:00Z", "step_ms": 0.5, "z": [number / 2 for number in range(3_000)], "t": 21.5}


STORED = """
    SELECT count(fresh_reading.id) + sealed.n, count(DISTINCT time) + sealed.n
    FROM (SELECT coalesce(sum(n), 0) AS n FROM segment WHERE device_id = %s AND replaced IS NULL) AS sealed
    LEFT JOIN fresh_reading ON device_id = %s GROUP BY sealed.n
"""


def stored(server, device):
    """How many readings, in rows and in segments, and how many instants, in which no segment's readings coincide."""
    [(readings, instants)] = server.query(STORED, device["id"], device["id"])
    return [(int(readings), int(instants))]


def test_a_waveform_over_http_is_that_many_readings_once(server):
    device = server.add_device()
    with httpx.Client(headers=server.bearer(device), timeout=60) as client:
        first = client.post(f"{server.url}{READINGS}", json=WAVE)
        lines = "\n".join(json.dumps(each) for each in (WAVE, {"time": "2026-06-01T13:00:00Z", "t": 1}))
        again = client.post(
            f"{server.url}{READINGS}", content=lines, headers={"Content-Type": "application/x-ndjson"}
        ).json()
        broken = client.post(f"{server.url}{READINGS}", json=WAVE | {"z": [1, 2, "three"]})

    assert first.status_code == 200
    told = first.json()
    assert (told["outcome"], told["readings"], told["stored"], told["duplicate"]) == ("stored", 3_000, 3_000, 0)
    assert (again["stored"], again["duplicate"], again["readings"][0]["duplicate"]) == (1, 3_000, 3_000)
    [problem] = broken.json()["errors"]
    assert (broken.status_code, problem["field"]) == (422, "z")
    assert "value 2" in problem["reason"]
    assert stored(server, device) == [(3_001, 3_001)]


def test_a_waveform_over_mqtt_is_acknowledged_once_all_of_it_is_stored(server):
    device = server.add_device()
    topic = f"releve/{device['name']}/readings"
    with signed_in(server, device, V5) as client:
        client.post(topic, json.dumps(WAVE).encode(), qos=1)
        assert client.receive().reason == 0
        assert stored(server, device) == [(3_000, 3_000)]

        client.post(topic, json.dumps([WAVE, {"time": "2026-06-01T13:00:00Z", "t": 1}]).encode(), qos=1)
        assert eventually(lambda: stored(server, device) == [(3_001, 3_001)])


def test_a_waveform_that_was_cut_in_half_by_a_kill_is_completed_by_sending_it_again(start_server):
    server = start_server("--workers", "1")
    device = server.add_device()
    headers = server.bearer(device)
    wave = WAVE | {"z": [number / 2 for number in range(100_000)]}

    def send():
        with contextlib.suppress(httpx.HTTPError):
            answers.append(httpx.post(f"{server.url}{READINGS}", json=wave, headers=headers, timeout=120).json())

    answers = []
    sending = Thread(target=send)
    sending.start()
    killed = server.processes["worker-0"]
    assert eventually(lambda: stored(server, device)[0][0], within_s=60)
    os.kill(killed, signal.SIGKILL)
    sending.join()
    [(beginning, _)] = stored(server, device)
    assert 0 < beginning < 100_000
    assert answers == []

    assert eventually(lambda: server.processes.get("worker-0") not in (None, killed), within_s=60)
    server.wait_until_ready()
    deadline_s = time.monotonic() + 120
    while not any("readings" in answer for answer in answers) and time.monotonic() < deadline_s:
        send()

    told = answers[-1]
    assert (told["outcome"], told["readings"]) == ("stored", 100_000)
    assert told["stored"] + told["duplicate"] == 100_000
    assert stored(server, device) == [(100_000, 100_000)]
