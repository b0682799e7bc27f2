"""Promises P1 and P2 under fire: kill -9 of PostgreSQL and of the workers while devices send."""

import contextlib
import json
import os
import random
import signal
import time
from collections import Counter
from threading import Event, Thread

import httpx

ROUNDS = 20
SENDERS = 6
READY_WITHIN_S = 30


class Sender(Thread):
    """A device that sends numbered readings, each until it is acknowledged, as a good client does."""

    def __init__(self, url, headers, number):
        super().__init__()
        self.url, self.headers, self.number = url, headers, number
        self.acknowledged = []
        self.stop = Event()

    def run(self):
        sent = 0
        while not self.stop.is_set():
            batch = [{"time": 1_780_000_000 + sent + n, "sender": self.number, "n": sent + n} for n in range(5)]
            if self._send_until_acknowledged(json.dumps(batch)):
                self.acknowledged += [(self.number, reading["n"]) for reading in batch]
                sent += len(batch)

    def _send_until_acknowledged(self, body):
        while not self.stop.is_set():
            with contextlib.suppress(httpx.HTTPError):
                answer = httpx.post(f"{self.url}/api/v1/readings", content=body, headers=self.headers, timeout=20)
                if answer.status_code == 200:
                    document = answer.json()
                    assert document["stored"] + document["duplicate"] == 5
                    return True
                assert answer.status_code in (429, 503), answer.text
            self.stop.wait(0.05)
        return False


def test_nothing_acknowledged_is_missing_and_nothing_is_stored_twice_after_twenty_kills(start_server):
    server = start_server("--workers", "2")
    senders = [Sender(server.url, server.bearer(server.add_device()), number) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    choose = random.Random(20)  # noqa: S311 - the same victims every time
    try:
        for round_number in range(ROUNDS):
            before = sum(len(sender.acknowledged) for sender in senders)
            victim = "postgres" if round_number % 2 == 0 else choose.choice(["worker-0", "worker-1"])
            killed = server.processes[victim]
            os.kill(killed, signal.SIGKILL)
            _until(lambda killed=killed, victim=victim: server.processes.get(victim) not in (None, killed))
            server.wait_until_ready(READY_WITHIN_S)
            _until(lambda before=before: sum(len(sender.acknowledged) for sender in senders) > before)
    finally:
        for sender in senders:
            sender.stop.set()
        for sender in senders:
            sender.join()

    acknowledged = [reading for sender in senders for reading in sender.acknowledged]
    rows = server.query("SELECT (channels::jsonb->>'sender')::int, (channels::jsonb->>'n')::int FROM fresh_reading")
    stored = Counter(rows)
    assert len(acknowledged) > ROUNDS
    assert set(acknowledged) - set(stored) == set()
    assert [reading for reading, count in stored.items() if count > 1] == []


def _until(holds):
    deadline_s = time.monotonic() + READY_WITHIN_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
