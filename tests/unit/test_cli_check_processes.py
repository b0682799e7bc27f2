"""What `releve doctor` says of the processes of a running server, and of what they warn of."""

import contextlib
import http.server
import json
import os
import threading

import pytest

from releve.cli.check import machine
from releve.cli.check.finding import State

NOBODY = 2**22 + 1  # above the largest process id of Linux


@contextlib.contextmanager
def answering(status, document):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_every_process_that_runs_is_named():
    found = machine._processes({"worker-0": os.getpid(), "control": os.getppid()})

    assert found.state is State.OK
    assert f"worker-0 ({os.getpid()})" in found.detail
    assert "control" in found.detail


@pytest.mark.parametrize("gone", ["control", "maintenance"])
def test_a_process_that_is_gone_is_a_failure_with_its_name(gone):
    found = machine._processes({"worker-0": os.getpid(), gone: NOBODY})

    assert (found.state, found.detail) == (State.FAIL, f"{gone} does not run")


def test_what_the_server_warns_of_is_told_though_it_is_ready():
    with answering(200, {"status": "ready", "reasons": [], "warnings": ["the disk of /data is filling up"]}) as url:
        found = list(machine._answer(url))

    assert [(each.state, "filling up" in each.detail) for each in found] == [(State.OK, False), (State.WARN, True)]


def test_why_it_is_not_ready_is_told():
    with answering(503, {"status": "not ready", "reasons": ["the control process does not run"]}) as url:
        (found,) = machine._answer(url)

    assert found.state is State.FAIL
    assert "the control process does not run" in found.detail
