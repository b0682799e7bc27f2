"""Static files: packed for who takes gzip, known again by their tag; the one foreign library as its makers sent it."""

import gzip
import hashlib
import json
from importlib import resources
from pathlib import Path

import pytest

from releve.control.static import static_files

UPLOT = Path(str(resources.files("releve.control.pages"))) / "static" / "uplot"


@pytest.fixture(scope="module")
def table():
    return static_files().files


def got(file, **asked):
    answer = file.get_response("GET", {f"HTTP_{name}": value for name, value in asked.items()})
    body = b""
    if answer.file is not None:
        with answer.file:
            body = answer.file.read()
    return int(answer.status), dict(answer.headers), body


@pytest.mark.parametrize(
    "path", ["/static/uplot/uPlot.esm.js", "/static/pages/releve.css", "/static/pages/chart/mount.js"]
)
def test_a_file_of_the_pages_comes_packed_to_who_takes_gzip_and_plain_to_others(table, path):
    status, headers, packed = got(table[path], ACCEPT_ENCODING="br, gzip")
    plain = got(table[path])

    assert (status, headers["Content-Encoding"], headers["Vary"]) == (200, "gzip", "Accept-Encoding")
    assert gzip.decompress(packed) == plain[2]
    assert len(packed) == int(headers["Content-Length"]) < len(plain[2]) / 1.5
    assert "Content-Encoding" not in plain[1]
    assert headers["ETag"] == plain[1]["ETag"]


@pytest.mark.parametrize("accepted", ["gzip;q=0", "gzip; q=0.0, br", "x-gzipped"])
def test_who_refuses_gzip_gets_the_file_as_it_is(table, accepted):
    _, headers, body = got(table["/static/uplot/uPlot.esm.js"], ACCEPT_ENCODING=accepted)

    assert "Content-Encoding" not in headers
    assert body == (UPLOT / "uPlot.esm.js").read_bytes()


def test_a_packed_file_that_the_browser_has_is_not_sent_again(table):
    file = table["/static/uplot/uPlot.min.css"]
    _, headers, _ = got(file, ACCEPT_ENCODING="gzip")

    status, _, body = got(file, ACCEPT_ENCODING="gzip", IF_NONE_MATCH=headers["ETag"])

    assert (status, body) == (304, b"")


def test_a_range_is_of_the_file_as_it_is(table):
    status, headers, body = got(table["/static/uplot/uPlot.esm.js"], ACCEPT_ENCODING="gzip", RANGE="bytes=0-9")

    assert (status, body) == (206, (UPLOT / "uPlot.esm.js").read_bytes()[:10])
    assert "Content-Encoding" not in headers


def test_the_chart_library_is_byte_for_byte_what_its_makers_published():
    origin = json.loads((UPLOT / "origin.json").read_text("utf-8"))
    here = {path.name: hashlib.sha512(path.read_bytes()).hexdigest() for path in UPLOT.iterdir()}

    assert here == {**origin["sha512"], "origin.json": here["origin.json"]}
    assert origin["version"] in (UPLOT / "uPlot.esm.js").read_text("utf-8")[:500]
