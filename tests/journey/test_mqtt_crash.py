"""Promises P1 and P2 over MQTT: kill -9 of PostgreSQL while twenty paho clients publish."""

import json
import os
import signal
import time
from collections import Counter

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from tests.journey.mqtt_client import eventually, port_of

CLIENTS = 20
KILLS = 20
PUBLISHES_AT_ONCE = 5
RESTART_S = 30


class Publisher:
    """A paho client that keeps a few numbered readings in flight, resends as the protocol wants, and notes PUBACKs."""

    def __init__(self, server, device, number):
        self.number = number
        self.topic = f"releve/{device['name']}/readings"
        self.acknowledged = set()
        self._sent = 0
        self._names = {}
        self._is_over = False
        version = paho.MQTTv5 if number % 2 else paho.MQTTv311
        options = {} if number % 2 else {"clean_session": False}
        name = f"crash-{device['name']}-{number}"
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=version, **options)
        self.client.username_pw_set(device["name"], device["secret"])
        self.client.reconnect_delay_set(1, 2)
        self.client.on_publish = self._on_publish
        self.client.on_connect = self._on_connect
        self.client.connect("127.0.0.1", port_of(server))
        self.client.loop_start()

    def _on_connect(self, *_):
        while self._sent < PUBLISHES_AT_ONCE:  # everything is published from paho's own thread
            self._publish()

    def _publish(self):
        self._sent += 1
        reading = {"time": 1_780_000_000 + self._sent, "sender": self.number, "n": self._sent}
        self._names[self.client.publish(self.topic, json.dumps(reading), qos=1).mid] = self._sent

    def _on_publish(self, _client, _data, mid, reason, _properties):
        number = self._names.pop(mid)
        if not reason.is_failure:
            self.acknowledged.add((self.number, number))
        time.sleep(0.01)
        if not self._is_over:
            self._publish()

    def stop(self):
        """Publish nothing more; what is in flight may still be acknowledged."""
        self._is_over = True
        eventually(lambda: not self._names, within_s=20)
        self.client.disconnect()
        self.client.loop_stop()


def test_nothing_acknowledged_is_missing_and_nothing_is_stored_twice_after_twenty_kills_over_mqtt(start_server):
    server = start_server("--workers", "2")
    devices = [server.add_device() for _ in range(2)]
    publishers = [Publisher(server, devices[number % 2], number) for number in range(CLIENTS)]

    def acknowledged():
        return sum(len(each.acknowledged) for each in publishers)

    for _ in range(KILLS):
        before, killed = acknowledged(), server.processes["postgres"]
        os.kill(killed, signal.SIGKILL)
        assert eventually(
            lambda killed=killed: server.processes.get("postgres") not in (None, killed), within_s=RESTART_S
        )
        assert eventually(lambda before=before: acknowledged() > before, within_s=RESTART_S)
    for each in publishers:
        each.stop()

    rows = server.query("SELECT (channels::jsonb->>'sender')::int, (channels::jsonb->>'n')::int FROM fresh_reading")
    stored = Counter(rows)
    assert set().union(*(each.acknowledged for each in publishers)) - set(stored) == set()
    assert [reading for reading, count in stored.items() if count > 1] == []
