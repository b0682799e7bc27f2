"""`releve up` with real processes: how fast it is ready, what it refuses, what it survives and how it ends."""

import os
import re
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from releve.serve import instance

FIRST_START_S = 60
LATER_START_S = 30  # 5 on an idle machine; this one may be shared by many, so the figure is printed


@pytest.mark.alone
def test_it_is_ready_soon_and_sooner_the_next_time(start_server, own_data_dir, record_property):
    first_s, server = timed(lambda: start_server(data_dir=own_data_dir))
    server.stop()
    second_s, server = timed(lambda: start_server(data_dir=own_data_dir))

    assert httpx.get(f"{server.url}/readyz").status_code == 200
    record_property("figure", f"first start {first_s:.1f} s, second start {second_s:.1f} s")
    assert first_s < FIRST_START_S
    assert second_s < LATER_START_S


def test_the_first_start_gives_a_one_time_code_until_somebody_has_an_account(start_server, own_data_dir):
    server = start_server(data_dir=own_data_dir)
    welcome = re.search(r"http://\S+/welcome/$", server.summary, re.MULTILINE)
    code = re.search(r"Code +(\S+)", server.summary)

    assert welcome, server.summary
    assert len(code[1]) >= 20
    assert code[1] not in welcome[0]
    assert code[1] not in server.errors.read_text()

    server.add_account()
    server.stop()
    assert "Code" not in start_server(data_dir=own_data_dir).summary


def test_what_it_says_of_itself_is_for_its_user_alone(server):
    document = server.document

    assert document["pid"] == server.process.pid
    assert document["urls"] == [server.url]
    assert set(document["processes"]) == {"postgres", "worker-0", "worker-1", "control", "maintenance"}
    assert stat.S_IMODE((server.data_dir / "run" / "server.json").stat().st_mode) == 0o600


def test_no_secret_is_on_a_command_line(server):
    secrets = [path.read_text().strip().rpartition(":")[2] for path in (server.data_dir / "keys").iterdir()]
    lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in (*server.processes.values(), server.process.pid)]

    assert secrets
    assert not [secret for secret in secrets for line in lines if secret in line]


def test_every_port_answers_every_route(start_server, free_port):
    also = free_port()
    server = start_server("--also-port", str(also))

    assert server.document["urls"] == [server.url, f"http://127.0.0.1:{also}"]
    assert httpx.get(f"http://127.0.0.1:{also}/healthz").status_code == 200


def test_mqtt_is_answered_where_it_is_announced(server):
    (url,) = server.document["mqtt_urls"]
    host, _, number = url.removeprefix("mqtt://").partition(":")

    with socket.create_connection((host, int(number)), timeout=10) as client:
        client.sendall(b"\x10\x11\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x04none")

        assert client.recv(1) == b"\x20"  # CONNACK, whatever it says of a stranger
    assert url in server.summary


@pytest.mark.parametrize(("arguments", "settings"), [(["--mqtt-port", "0"], {}), ([], {"RELEVE_MQTT_PORT": "0"})])
def test_mqtt_port_0_is_any_free_port_and_it_is_the_one_that_is_told(start_server, arguments, settings):
    own = start_server(*arguments, **settings)
    (url,) = own.document["mqtt_urls"]
    port = int(url.rpartition(":")[2])
    told = httpx.post(f"{own.url}/api/v1/mqtt/token", headers=own.bearer(own.add_device())).json()

    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"\x10\x11\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x04none")

        assert client.recv(1) == b"\x20"
    assert port not in (0, 1883)
    assert told["port"] == port


@pytest.mark.parametrize(("arguments", "settings"), [(["--no-mqtt"], {}), ([], {"RELEVE_MQTT_PORT": "none"})])
def test_without_an_mqtt_port_none_is_announced_and_web_sockets_still_speak_mqtt(start_server, arguments, settings):
    own = start_server(*arguments, **settings)

    done = own.json("simulate", "gym", "--transport", "mqtt", "--rate", "20", "--seconds", "1")
    told = httpx.post(f"{own.url}/api/v1/mqtt/token", headers=own.bearer(own.add_device())).json()

    assert own.document["mqtt_urls"] == []
    assert "MQTT" not in own.summary
    assert told["port"] is None
    assert done["stored"] == done["sent"] > 0


def test_a_port_and_none_at_once_are_refused(command, own_data_dir):
    done = command("up", "--mqtt-port", "1884", "--no-mqtt", "--data-dir", str(own_data_dir))

    assert done.returncode != 0
    assert "--mqtt-port and --no-mqtt" in done.stderr
    assert not own_data_dir.exists()


@pytest.mark.parametrize("flag", ["--port", "--also-port", "--mqtt-port"])
def test_a_busy_port_is_named_with_its_flag_before_anything_starts(command, own_data_dir, flag):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]

        done = command("up", "--port", "0", flag, str(number), "--data-dir", str(own_data_dir))

    assert done.returncode == 1
    assert f"port {number} on 127.0.0.1 is in use" in done.stderr
    assert f"{flag} N" in done.stderr
    assert not (own_data_dir / "postgres").exists()


def test_the_port_of_another_server_is_busy_too(command, server, own_data_dir):
    number = server.url.rpartition(":")[2]

    done = command("up", "--port", number, "--data-dir", str(own_data_dir))

    assert done.returncode == 1
    assert f"port {number}" in done.stderr


def test_a_second_server_on_the_same_data_is_refused_by_name(command, server):
    done = command("up", "--port", "0", "--no-mqtt", "--data-dir", str(server.data_dir))

    assert done.returncode == 1
    assert f"process {server.process.pid}" in done.stderr
    assert "--data-dir" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder another user's")
def test_the_data_of_another_user_is_left_alone(command, own_data_dir):
    (own_data_dir / "keys").mkdir(parents=True, mode=0o700)
    os.chown(own_data_dir / "keys", 65534, 65534)

    for arguments in (("up", "--port", "0"), ("device", "add", "pi")):
        done = command(*arguments, "--data-dir", str(own_data_dir))

        assert done.returncode == 1
        assert "run this as that user" in done.stderr
    assert not list((own_data_dir / "keys").iterdir())


def test_an_unknown_setting_is_refused(command, own_data_dir):
    done = command("up", "--data-dir", str(own_data_dir), RELEVE_PROT="8000")

    assert done.returncode == 1
    assert "RELEVE_PROT" in done.stderr


def test_listening_for_everybody_is_warned_about(start_server):
    settings = {"RELEVE_ANONYMOUS_ROLE": "viewer", "RELEVE_MQTT_HOST": "0.0.0.0"}  # noqa: S104 - what is tested
    server = start_server("--host", "0.0.0.0", **settings)  # noqa: S104 - see above

    warning = server.errors.read_text()

    assert "listening on 0.0.0.0" in warning
    assert "passwords travel readable" in warning
    assert "RELEVE_ANONYMOUS_ROLE=viewer" in warning
    assert server.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_and_leaves_nothing_behind(start_server, number):
    server = start_server()
    pids = [*server.processes.values()]

    assert server.stop(number) == 0
    assert not [pid for pid in pids if is_alive(pid)]
    assert not (server.data_dir / "run" / "server.json").exists()
    assert instance.running(server.data_dir) is None


def test_a_second_interrupt_ends_it_at_once(start_server):
    server = start_server()
    pids = [*server.processes.values()]
    with held_open(server.url):
        server.process.send_signal(signal.SIGINT)
        server.process.send_signal(signal.SIGINT)

        taken_s, _ = timed(lambda: server.process.wait(30))

    assert taken_s < 8
    assert not [pid for pid in pids if is_alive(pid)]


def test_a_killed_server_leaves_nothing_behind_and_starts_again_with_what_it_acknowledged(start_server):
    server = start_server()
    device = server.add_device()
    headers = server.bearer(device)
    reply = httpx.post(f"{server.url}/api/v1/readings", json={"speed": 1, "id": "before"}, headers=headers)
    pids = [*server.processes.values()]

    server.stop(signal.SIGKILL)
    wait_until(lambda: not [pid for pid in pids if is_alive(pid)], within_s=20)
    assert instance.running(server.data_dir) is None
    again = start_server(data_dir=server.data_dir)

    repeat = httpx.post(f"{again.url}/api/v1/readings", json={"speed": 1, "id": "before"}, headers=headers)
    assert reply.json()["outcome"] == "stored"
    assert repeat.json()["outcome"] == "duplicate"


def test_a_killed_server_may_be_started_again_at_once_on_the_same_port(start_server):
    server = start_server("--workers", "2")
    number = server.url.rpartition(":")[2]

    with held_open(server.url):  # its worker has something to drain
        server.stop(signal.SIGKILL)
        again = start_server("--port", number, data_dir=server.data_dir)

    assert again.url == server.url
    again.wait_until_ready()


@pytest.mark.parametrize("part", ["postgres", "worker-0", "control", "maintenance"])
def test_a_killed_part_is_back_by_itself(start_server, part):
    server = start_server()
    headers = server.bearer(server.add_device())
    killed = server.processes[part]

    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: server.processes.get(part) not in (killed, None), within_s=30)
    server.wait_until_ready()

    reply = httpx.post(f"{server.url}/api/v1/readings", json={"speed": 1}, headers=headers)
    assert reply.json()["outcome"] == "stored"


def test_its_end_drains_what_is_under_way_and_keeps_what_it_acknowledged(start_server):
    server = start_server("--workers", "2")
    device = server.add_device()
    headers = server.bearer(device)
    acknowledged: list[int] = []
    begun = threading.Event()

    def send_until_refused() -> None:
        with httpx.Client(headers=headers) as client:
            for number in range(100_000):
                try:
                    reply = client.post(f"{server.url}/api/v1/readings", json={"n": number, "id": number})
                except httpx.HTTPError:
                    return
                if reply.status_code == 200:
                    acknowledged.append(number)
                if number == 50:
                    begun.set()

    sender = threading.Thread(target=send_until_refused)
    sender.start()
    assert begun.wait(30)
    assert server.stop() == 0
    sender.join(30)

    again = start_server(data_dir=server.data_dir)
    kept = {int(number) for (number,) in again.query("SELECT channels::jsonb ->> 'n' FROM fresh_reading")}
    assert len(acknowledged) > 50
    assert set(acknowledged) <= kept


def test_the_demo_plays_every_kind_of_device(start_server):
    server = start_server("--demo")

    names = {"simulator-gym-1", "simulator-racing-1", "simulator-profilometre-1"}
    wait_until(lambda: names <= heard_devices(server), within_s=60)

    assert "Demo" in server.process.stdout.readline() + server.process.stdout.readline()
    assert server.stop() == 0


def heard_devices(server: Any) -> set[str]:
    return {name for (name,) in server.query("SELECT name FROM fleet_device JOIN device_seen ON device_id = id")}


class held_open:  # noqa: N801 - a context manager, called as a function
    """A request whose body never comes, so that a worker has something to drain."""

    def __init__(self, url: str) -> None:
        host, _, number = url.removeprefix("http://").rpartition(":")
        self._connection = socket.create_connection((host, int(number)))

    def __enter__(self) -> None:
        self._connection.sendall(b"POST /data HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{")

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began_s = time.monotonic()
    done = work()
    return time.monotonic() - began_s, done


def wait_until(is_so: Callable[[], bool], *, within_s: float) -> None:
    deadline_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline_s, f"not so after {within_s} s"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
