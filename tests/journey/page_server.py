"""The control plane alone on a free port: prints its one-time code and its port, ends when its input ends."""

import json
import math
import sys
import threading
from datetime import UTC, datetime, timedelta
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog

from releve.control.wsgi import application  # first: it sets Django up

# isort: split
from django.db import connection

from releve.control.accounts.services import first_administrator_code
from releve.control.fleet.services import register_device
from releve.control.static import static_files
from releve.control.teams.services import default_team

KINDS = {"raspberry1": "gym", "profilo-4": "profilometre", "esp32bis": "racing", "iot_device@example.com": "generic"}
READINGS = 60


class Server(ThreadingMixIn, WSGIServer):
    """A thread for each request."""

    daemon_threads = True


class Handler(WSGIRequestHandler):
    """Says nothing."""

    def log_message(self, *args):
        """Keep the output for the port."""


def main():
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    for name, contract in KINDS.items():
        fill(register_device(team=default_team(), name=name, contract=contract)[0])
    register_device(team=default_team(), name="spare")
    server = make_server("127.0.0.1", 0, static_files(application), Server, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    said = {"code": first_administrator_code(), "port": server.server_port}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


def fill(device):
    """Put an hour of readings and a quarantined one where the data plane puts them."""
    end = datetime.now(UTC).replace(microsecond=0)
    with connection.cursor() as cursor:
        for number in range(READINGS):
            time = end - timedelta(minutes=number)
            cursor.execute("SELECT releve_ensure_partition(%s)", [time])
            cursor.execute(
                "INSERT INTO reading VALUES (%s, %s, %s, %s, %s, NULL)",
                [
                    device.id,
                    time,
                    number,
                    time + timedelta(milliseconds=240),
                    json.dumps(channels(device.contract, number)),
                ],
            )
        cursor.execute("INSERT INTO device_seen VALUES (%s, %s, %s)", [device.id, end, end])
        cursor.execute(
            "INSERT INTO quarantine (device_id, received, contract, transport, field, reason, digest, payload)"
            " VALUES (%s, %s, %s, 'http', 'timestamp', 'before 2000', '\\x00', %s)",
            [device.id, end, device.contract, b'{"timestamp": "1970-01-01T00:04:12", "temperature": 21.5}'],
        )


def channels(contract, number):
    """A plausible reading of each kind."""
    wave = math.sin(number / 5)
    kinds = {
        "gym": {
            "acceleration_x": round(wave, 3),
            "acceleration_y": 9.81,
            "acceleration_z": round(wave / 3, 3),
            "repetitions": READINGS - number,
            "series_time": 60.0,
            "rest_time": 45.0,
            "asymmetry": round(wave / 9, 3),
        },
        "profilometre": {"temperature": round(21.5 + wave, 2), "humidite": round(48 + 2 * wave, 1)},
        "racing": {"speed": round(12 + 3 * wave, 2), "distance": 5.0 * (READINGS - number), "battery": 83},
        "generic": {"level": round(3.2 + wave / 4, 3), "pump": number % 2 == 0, "mode": "auto"},
    }
    return kinds[contract]


if __name__ == "__main__":
    main()
