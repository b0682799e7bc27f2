"""The bridge's file: strict, every complaint names its key, and no secret stands in it."""

import pytest
from click.testing import CliRunner

from releve.cli import bridge
from releve.ingest.bridge import credential
from releve.ingest.bridge.config import BadConfig, load, secret

BROKER = """
[[broker]]
name = "workshop"
url = "mqtt://127.0.0.1"
team = "Home"
"""
TOPIC = """
[[broker.topic]]
template = "cars/{device}/telemetry"
"""

RULE = """
[[rule_action]]
name = "aws"
team = "Home"
"""


@pytest.fixture
def read(tmp_path):
    """Writes a file and loads it."""

    def make(text):
        path = tmp_path / "bridge.toml"
        path.write_text(text)
        return load(path)

    return make


def test_a_minimal_file_has_defaults_that_lose_nothing(read):
    broker = read(BROKER + TOPIC).broker[0]

    assert (broker.port, broker.session, broker.version) == (1883, "releve-workshop", "5")
    assert broker.session_expiry_s >= 86_400


def test_files_are_looked_for_beside_the_configuration(read, tmp_path):
    (tmp_path / "secret").write_text("hunter2\n")

    broker = read(BROKER + 'username = "me"\npassword_file = "secret"\n' + TOPIC).broker[0]

    assert credential.password(broker) == "hunter2"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", r"no \[\[broker\]\]"),
        ("nonsense", "not TOML"),
        ("colour = 1", "unknown field `colour`"),
        (BROKER, "broker\\[0\\]: .*`topic`"),
        (BROKER + "colour = 1\n" + TOPIC, r"broker\[0\]: .*unknown field `colour`"),
        (BROKER + "window = 0\n" + TOPIC, r"broker\[0\]\.window"),
        (BROKER + 'version = "4"\n' + TOPIC, r"broker\[0\]\.version"),
        (BROKER + 'password = "x"\n' + TOPIC, r"broker\[0\]\.password: no secret .* password_file"),
        (BROKER + 'password_file = "x"\n' + TOPIC, r"broker\[0\]\.username: is required"),
        (BROKER + 'ca_file = "ca.crt"\n' + TOPIC, r"broker\[0\]\.ca_file: needs mqtts"),
        (BROKER + 'certificate_file = "c.crt"\n' + TOPIC, r"broker\[0\]\.key_file: .* go together"),
        (BROKER.replace("mqtt:", "http:") + TOPIC, r"broker\[0\]\.url: begins with one of mqtt"),
        (BROKER.replace("//", "//me:x@") + TOPIC, r"broker\[0\]\.url: holds a user name"),
        (BROKER.replace("127.0.0.1", "127.0.0.1:x") + TOPIC, r"broker\[0\]\.url"),
        (BROKER + TOPIC + 'device = "car1"', r"topic\[0\]\.device: say once"),
        (BROKER + TOPIC.replace("{device}", "+"), r"topic\[0\]\.device: say once"),
        (BROKER + TOPIC + 'contract = "tram"', r"topic\[0\]\.contract"),
        (BROKER + TOPIC + TOPIC, r"topic\[1\]\.template: a topic can match both"),
        (BROKER + TOPIC + BROKER + TOPIC, r"broker\[1\]\.name: 'workshop' stands twice"),
        ('[[rule_action]]\nname = "aws"\nteam = "Home"', r"rule_action\[0\]\.token_file"),
    ],
)
def test_a_wrong_key_is_named(read, text, complaint):
    with pytest.raises(BadConfig, match=complaint):
        read(text)


def test_an_empty_secret_is_refused(tmp_path, monkeypatch):
    (tmp_path / "empty").write_text("\n")
    monkeypatch.delenv("NOTHING_HERE", raising=False)

    for source in ({"file": str(tmp_path / "empty"), "variable": None}, {"file": None, "variable": "NOTHING_HERE"}):
        with pytest.raises(BadConfig, match="holds no secret"):
            secret(**source)


def test_a_certificate_that_is_not_there_is_named(read):
    broker = read(BROKER.replace("mqtt:", "mqtts:") + 'ca_file = "missing.crt"\n' + TOPIC).broker[0]

    with pytest.raises(BadConfig, match=r"ca_file: .*missing\.crt"):
        credential.tls(broker)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (BROKER + 'username = "me"\npassword_file = "gone"\n' + TOPIC, r"broker 'workshop': password_file: .*gone"),
        (BROKER + 'username = "me"\npassword_env = "GONE"\n' + TOPIC, r"broker 'workshop': password_env: .*GONE"),
        (RULE + 'token_file = "gone"', r"rule_action 'aws': token_file: .*gone: .*No such file"),
        (RULE + 'token_file = "empty"', r"rule_action 'aws': token_file: .*holds no secret"),
        (RULE + 'token_env = "GONE"', r"rule_action 'aws': token_env: .*GONE holds no secret"),
    ],
)
def test_a_file_or_variable_that_is_missing_is_told_with_its_entry(read, tmp_path, text, complaint):
    (tmp_path / "empty").touch()
    config = read(text)

    with pytest.raises(BadConfig, match=complaint):
        credential.check(config)


def test_checking_says_what_the_file_asks_for_and_shows_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("BROKER_PASSWORD", "hunter2")
    path = tmp_path / "bridge.toml"
    path.write_text(BROKER + 'username = "me"\npassword_env = "BROKER_PASSWORD"\n' + TOPIC)

    done = CliRunner().invoke(bridge.command, ["--config", str(path), "--check"])

    assert done.exit_code == 0, done.output
    assert "subscribe cars/+/telemetry" in done.output
    assert "plain text" in done.output
    assert "hunter2" not in done.output


def test_checking_a_wrong_file_fails_with_the_key(tmp_path):
    path = tmp_path / "bridge.toml"
    path.write_text(BROKER + "colour = 1\n" + TOPIC)

    done = CliRunner().invoke(bridge.command, ["--config", str(path), "--check"])

    assert done.exit_code == 1
    assert "colour" in done.output
