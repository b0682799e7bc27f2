"""Runs are brought up to date in the background, before anybody looks."""

import time

import httpx


def test_the_sets_of_a_machine_are_cut_though_nobody_looks(start_server):
    server = start_server(RELEVE_FOLLOW_RUNS_S="0.2")
    readings = [
        {"time": 1_780_000_000 + second, "channels": {"machine_id": 7, "repetitions": second // 4}}
        for second in range(40)
    ]
    device = server.add_device("gym")
    sent = httpx.post(f"{server.url}/api/v1/readings", json=readings, headers=server.bearer(device))
    assert sent.json()["stored"] == 40

    deadline_s = time.monotonic() + 30
    while not (runs := server.query("SELECT kind FROM runs_run WHERE deleted_at IS NULL")):
        assert time.monotonic() < deadline_s
        time.sleep(0.1)

    assert runs == [("series",)]
