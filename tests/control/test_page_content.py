"""What the pages say: values, courses, states, languages, headers."""

import json
import re
from datetime import UTC, datetime, timedelta
from importlib import resources

import pytest
from django.db import connection
from django.test import Client
from django.utils import translation

from releve.control.accounts.models import AuditKind
from releve.control.accounts.services import first_administrator_code
from releve.control.fleet.services import register_device
from releve.control.pages.account import event
from releve.control.pages.account.browser_name import in_words
from releve.control.pages.device import received, rhythm, spark
from releve.control.pages.templatetags import instrument

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


@pytest.fixture
def browser(alice):
    client = Client(headers={"accept": "text/html"})
    client.force_login(alice)
    return client


@pytest.fixture
def store():
    """Put readings where the data plane puts them."""

    def put(device, readings):
        with connection.cursor() as cursor:
            for number, (time, channels) in enumerate(readings):
                cursor.execute("SELECT releve_ensure_partition(%s)", [time])
                cursor.execute(
                    "INSERT INTO reading VALUES (%s, %s, %s, %s, %s::jsonb, NULL)",
                    [device.id, time, number, time, channels],
                )
            latest = max(time for time, _ in readings)
            cursor.execute("INSERT INTO device_seen VALUES (%s, %s, %s)", [device.id, latest, latest])

    return put


def test_the_home_page_shows_each_devices_latest_values_with_their_units(browser, team, store):
    device = register_device(team=team, name="profilo-1", contract="profilometre")[0]
    now = datetime.now(UTC)
    store(device, [(now - timedelta(seconds=n), f'{{"temperature": {20.25 + n}, "humidite": 40}}') for n in range(5)])

    page = browser.get("/").content.decode()

    assert "profilo-1" in page
    assert '<span>20.25</span><span class="unit">°C</span>' in page
    assert page.count("<polyline") == 1  # the humidity did not change


def test_values_that_devices_send_never_become_markup(browser, device, store):
    store(device, [(NOW, '{"<b>x": "<script>alert(1)</script>"}')])

    for path in ("/", f"/devices/{device.id}/"):
        page = browser.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<b>x" not in page


def test_the_device_page_pages_through_every_reading_once(browser, device, store):
    store(device, [(NOW - timedelta(seconds=n // 2), json.dumps({"speed": n})) for n in range(120)])

    seen, path = [], f"/devices/{device.id}/"
    while path:
        page = browser.get(path).content.decode()
        seen += re.findall(r'<td class="number">(\d+)</td>', page)
        following = re.search(r'rel="next" href="(\?before=[^"]+)"', page)
        path = f"/devices/{device.id}/{following[1]}" if following else ""

    assert sorted(map(int, seen)) == list(range(120))


@pytest.mark.parametrize(
    "place", ["x", "2026-01-01~x", "2026-01-01T00:00:00~1", "2026-13-01T00:00:00Z~1", f"2026-01-01T00:00:00Z~{2**70}"]
)
def test_a_place_that_is_none_is_the_newest(browser, device, place):
    assert browser.get(f"/devices/{device.id}/", {"before": place}).status_code == 200


def test_the_quarantine_shows_bytes_that_are_no_text(browser, device):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO quarantine (device_id, received, contract, transport, field, reason, digest, payload)"
            " VALUES (%s, %s, 'gym', 'http', 'timestamp', 'too early', '\\x00', %s)",
            [device.id, NOW, b"\xff\xfe<i>" + b"x" * 1000],
        )

    page = browser.get(f"/devices/{device.id}/").content.decode()

    assert "too early" in page
    assert "&lt;i&gt;xxx" in page
    assert received.open_quarantine(device, limit=1)[0].is_cut


def test_the_first_administrator_is_made_with_the_code_and_signed_in(db):
    code, client = first_administrator_code(), Client()

    wrong = client.post("/welcome/", {"code": "wrong", "email": "ada@example.com", "password": PASSWORD})
    right = client.post("/welcome/", {"code": f" {code} ", "email": "ada@example.com", "password": PASSWORD})

    assert "wrong, or was used already" in wrong.content.decode()
    assert right.headers["Location"] == "/"
    assert client.get("/").status_code == 200


def test_the_code_works_once_and_never_in_an_address(db):
    code = first_administrator_code()

    Client().get("/welcome/", {"code": code, "email": "ada@example.com", "password": PASSWORD})
    Client().post("/welcome/", {"code": code, "email": "ada@example.com", "password": PASSWORD})
    again = Client().post("/welcome/", {"code": code, "email": "eve@example.com", "password": PASSWORD})

    assert "has its administrator already" in again.content.decode()


def test_guessing_the_code_is_made_to_wait(db, settings):
    first_administrator_code()

    for _ in range(settings.RELEVE.failures_allowed + 1):
        answer = Client().post("/welcome/", {"code": "guess", "email": "eve@example.com", "password": PASSWORD})

    assert "Too many attempts" in answer.content.decode()


@pytest.mark.parametrize(
    "path", ["/", "/team/", "/account/sign-ins/", "/about/", "/account/2fa/", "/account/password/change/"]
)
def test_every_page_speaks_the_browsers_language(browser, path):
    french = browser.get(path, headers={"accept-language": "fr-CA,fr;q=0.9"}).content.decode()
    english = browser.get(path, headers={"accept-language": "de"}).content.decode()

    assert '<html lang="fr">' in french
    assert "Aller au contenu" in french
    assert '<html lang="en">' in english


def test_the_language_can_be_switched_against_the_browsers(browser):
    browser.post("/language/", {"language": "fr", "next": "/"})

    assert '<html lang="fr">' in browser.get("/", headers={"accept-language": "en"}).content.decode()


def test_the_french_catalogue_is_complete_and_compiled():
    folder = resources.files("releve.control.pages").joinpath("locale", "fr", "LC_MESSAGES")
    text = folder.joinpath("django.po").read_text(encoding="utf-8")

    assert not re.findall(r'^msgstr(?:\[\d\])? ""\n\n', text, re.MULTILINE)
    assert "fuzzy" not in text
    with translation.override("fr"):
        assert translation.gettext("Skip to the content") == "Aller au contenu"


@pytest.mark.parametrize("path", ["/", "/account/login/", "/welcome/", "/api/docs/", "/api/redoc/"])
def test_no_page_lets_an_inline_script_or_a_foreign_one_run(db, path):
    answer = Client().get(path, follow=True)
    policy = answer.headers["Content-Security-Policy"]

    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"<script(?![^>]*(?:src=|application/json))", answer.content.decode())
    assert " style=" not in answer.content.decode()
    assert " onclick=" not in answer.content.decode()


def test_a_device_is_silent_once_it_missed_three_of_its_own_beats():
    every_ten_minutes = [NOW - timedelta(minutes=10 * n) for n in range(6)]

    assert _state(NOW - timedelta(minutes=29), every_ten_minutes) is rhythm.State.LIVE
    assert _state(NOW - timedelta(minutes=31), every_ten_minutes) is rhythm.State.SILENT
    assert _state(None, []) is rhythm.State.NEVER


def _state(last_seen, instants):
    return rhythm.state(is_enabled=True, last_seen=last_seen, received=instants, now=NOW)


def test_pages_and_lists_say_alike_whether_a_device_is_heard(browser, team, store):
    every_ten_minutes = register_device(team=team, name="slow-1", contract="generic")[0]
    now = datetime.now(UTC)
    store(every_ten_minutes, [(now - timedelta(minutes=8 + 10 * n), '{"n": 1}') for n in range(5)])
    quick = register_device(team=team, name="quick-1", contract="generic")[0]
    store(quick, [(now - timedelta(minutes=2, seconds=n), '{"n": 1}') for n in range(5)])

    page = browser.get("/").content.decode()
    listed = {row["name"]: row["state"] for row in browser.get("/api/v1/devices").json()["data"]}

    assert listed == {"slow-1": "active", "quick-1": "silent"}
    assert page.count('class="state live"') == page.count('class="state silent"') == 1


def test_a_devices_page_shows_what_its_counter_counts_in_and_text_among_its_numbers(browser, team):
    device = register_device(team=team, name="esp-1", contract="generic")[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO boot_anchor (device_id, boot, uptime_ms, received, tick_us)"
            " VALUES (%s, now(), 5, now(), 1000000)",
            [device.id],
        )
        cursor.execute("INSERT INTO strange_text VALUES (%s, 'speed', '<fast>', now())", [device.id])

    page = browser.get(f"/devices/{device.id}/").content.decode()

    assert "counts in s, as its speed shows" in page
    assert "<code>speed</code>" in page
    assert "&lt;fast&gt;" in page


@pytest.mark.parametrize("values", [[], [1, 2], [5, 5, 5], ["a", "b", "c"], [True, False, True], [None, None, 1]])
def test_a_course_is_drawn_only_of_numbers_that_change(values):
    assert spark.points(values) == ""


@pytest.mark.parametrize(
    ("content", "english", "french"),
    [
        (1.5, "1.5", "1,5"),
        (-0.0001, "0", "0"),
        (1e-9, "0", "0"),
        (12, "12", "12"),
        (True, "yes", "oui"),
        ("auto", "auto", "auto"),
    ],
)
def test_values_are_written_as_the_language_writes_them(content, english, french):
    with translation.override("en"):
        assert instrument.value(content) == english
    with translation.override("fr"):
        assert instrument.value(content) == french


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("python-requests/2.31.0", "Python requests"),
        ("ESP32HTTPClient", "ESP32"),
        ("my own thing 3", "my own thing 3"),
        ("", "Unknown program"),
    ],
)
def test_a_program_is_named_in_words(user_agent, words):
    assert in_words(user_agent) == words


@pytest.mark.parametrize("kind", AuditKind.values)
def test_every_security_event_has_words_in_both_languages(kind):
    with translation.override("en"):
        english = event.in_words(kind)
    with translation.override("fr"):
        french = event.in_words(kind)

    assert len({kind, english, french}) == 3


def test_every_event_that_the_data_plane_keeps_is_one_that_the_audit_knows():
    plane = resources.files("releve")
    sources = [path.read_text("utf-8") for part in ("ingest", "query") for path in plane.joinpath(part).rglob("*.py")]
    kept = {kind for source in sources for kind in re.findall(r'(?:[._]audit\(|"kind": )"([a-z-]+)"', source)}

    assert {"mqtt-refused", "signed-in"} <= kept <= set(AuditKind.values)
