"""What `releve doctor` sees in a data directory, and the ports that `releve up` holds."""

import socket

import pytest

from releve.cli.check import place
from releve.cli.check.finding import State
from releve.serve.process import port
from releve.serve.process.port import PortProblem


@pytest.fixture
def keys(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    pepper = folder / "pepper"
    pepper.touch(mode=0o600)
    pepper.write_text("a key")
    return folder


def test_private_keys_are_well(tmp_path, keys):
    assert [finding.state for finding in place.keys(tmp_path)] == [State.OK]


def test_a_key_that_others_may_read_is_named_with_the_command_that_mends_it(tmp_path, keys):
    (keys / "pepper").chmod(0o644)

    (finding,) = place.keys(tmp_path)

    assert finding.state is State.FAIL
    assert f"chmod 600 {keys / 'pepper'}" in finding.mend


def test_an_empty_key_is_found(tmp_path, keys):
    (keys / "pepper").write_text("")

    (finding,) = place.keys(tmp_path)

    assert finding.state is State.FAIL
    assert "empty" in finding.detail


def test_a_missing_data_directory_is_no_failure(tmp_path):
    nowhere = tmp_path / "nothing"

    findings = [*place.directory(nowhere), *place.keys(nowhere), *place.room(nowhere, None)]

    assert State.FAIL not in {finding.state for finding in findings[:2]}


def test_the_days_left_follow_the_growth(tmp_path):
    (without,) = place.room(tmp_path, None)
    (with_growth,) = place.room(tmp_path, 1024.0**3)

    assert "GiB a day" not in without.detail
    assert "days at this month's 1.000 GiB a day" in with_growth.detail


def test_of_room_for_decades_no_number_of_days_is_told(tmp_path):
    (finding,) = place.room(tmp_path, 1000.0)

    assert "more than ten years at this month's" in finding.detail


def test_a_file_system_is_known_by_its_longest_mount(monkeypatch, tmp_path):
    mounts = ["/dev/a / ext4 rw 0 0", f"tmpfs {tmp_path} tmpfs rw 0 0", "nfs /elsewhere nfs4 rw 0 0"]
    monkeypatch.setattr(place, "_mounts", lambda: mounts)

    assert place.file_system(tmp_path / "data") == "tmpfs"
    assert [finding.state for finding in place.directory(tmp_path)] == [State.FAIL]


def test_a_held_port_is_shared_with_our_workers_and_with_nobody_else():
    with port.reserve("127.0.0.1", 0, flag="--port") as held, socket.socket() as stranger, socket.socket() as worker:
        number = port.number(held)
        worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)

        worker.bind(("127.0.0.1", number))
        worker.listen()

        with pytest.raises(OSError, match="in use"):
            stranger.bind(("127.0.0.1", number))
        with pytest.raises(PortProblem, match=f"port {number} .* --port N"):
            port.reserve("127.0.0.1", number, flag="--port")


def test_a_port_that_is_only_held_is_taken():
    with (
        port.reserve("127.0.0.1", 0, flag="--port") as held,
        pytest.raises(PortProblem, match="--also-port N"),
    ):
        port.reserve("127.0.0.1", port.number(held), flag="--also-port")


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(PortProblem, match="--host"):
        port.reserve("192.0.2.1", 0, flag="--port")
