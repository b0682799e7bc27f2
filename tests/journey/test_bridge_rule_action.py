"""AWS IoT's HTTPS rule action against a real server: the handshake first, then messages with the bridge's token."""

import json

import httpx
import pytest

ADDRESS = "/api/v1/bridge/aws-iot"
ARN = "arn:aws:iot:eu-west-1:123456789012:ruledestination/http/7a280e37-b9c6-47a2-a751-0703693f46e4"
LINK = "https://iot.eu-west-1.amazonaws.com/confirmdestination/AYADeMXLrPrNY2wqJAKsFNn-NBJndA"
QUESTION = {
    "arn": ARN,
    "confirmationToken": "AYADeMXLrPrNY2wqJAKsFNn-NBJndA",
    "enableUrl": LINK,
    "messageType": "DestinationConfirmation",
}
ASKING = {"x-amz-rules-engine-message-type": "DestinationConfirmation", "x-amz-rules-engine-destination-arn": ARN}
TOKEN = {"Authorization": "Bearer the-token-of-the-rule"}
TEAM = "Fleet"


@pytest.fixture(scope="module")
def aws(module_server, tmp_path_factory):
    """A server with one rule action, and its device `car1`."""
    folder = tmp_path_factory.mktemp("aws")
    (folder / "token").write_text("the-token-of-the-rule\n")
    config = folder / "bridge.toml"
    config.write_text(f'[[rule_action]]\nname = "aws"\nteam = "{TEAM}"\ntoken_file = "token"\n')
    return module_server(RELEVE_BRIDGE_CONFIG=str(config))


@pytest.fixture(scope="module")
def module_server(installation):
    """Starts a server that the tests of this file share."""
    from tests.journey.conftest import end, start  # noqa: PLC0415 - its fixtures are found by pytest, these are not

    running = []

    def make(**settings):
        running.append(start(installation(), **settings))
        return running[-1]

    yield make
    for each in running:
        end(each)


def post(server, document, headers=TOKEN, path=ADDRESS):
    return httpx.post(f"{server.url}{path}", json=document, headers=headers, timeout=20)


def test_the_question_of_aws_is_kept_for_an_administrator_and_answered_by_nobody_else(aws):
    asked = post(aws, QUESTION, ASKING, f"{ADDRESS}/?confirmationToken=AYADeMXLrPrNY2wqJAKsFNn-NBJndA")
    admin, viewer = aws.add_account(team=TEAM), aws.add_account("viewer", team=TEAM)

    assert asked.status_code == 200
    shown = httpx.get(f"{aws.url}{ADDRESS}", headers=aws.bearer(admin)).json()["confirmations"]
    assert [(each["arn"], each["enable_url"]) for each in shown] == [(ARN, LINK)]
    assert httpx.get(f"{aws.url}{ADDRESS}", headers=aws.bearer(viewer)).status_code == 403
    assert httpx.get(f"{aws.url}{ADDRESS}").status_code == 401
    of_another_team = aws.bearer(aws.add_account(team="Others"))
    assert httpx.get(f"{aws.url}{ADDRESS}", headers=of_another_team).status_code == 403
    assert LINK in aws.command("bridge", "--confirmations").stdout


@pytest.mark.parametrize(
    "change",
    [
        {"enableUrl": "https://example.com/confirmdestination/x"},
        {"enableUrl": "https://iot.eu-west-1.amazonaws.com.example.com/confirmdestination/x"},
        {"enableUrl": "http://iot.eu-west-1.amazonaws.com/confirmdestination/x"},
        {"arn": "arn:aws:s3:::bucket"},
        {"confirmationToken": 7},
        {"confirmationToken": "x" * 20_000},
    ],
)
def test_a_question_that_is_not_of_aws_is_refused(aws, change):
    assert post(aws, QUESTION | change, ASKING).status_code in (413, 422)


def test_a_reading_is_stored_for_the_device_that_the_rule_names_and_once(aws):
    car = aws.add_device(team=TEAM)
    message = {"speed": 12.5, "time": 1_767_225_600_250, "device": car["name"], "topic": "cars/car1/telemetry"}

    first, again = post(aws, message), post(aws, message)

    assert (first.status_code, again.status_code) == (200, 200)
    assert (first.json()["stored"], again.json()["duplicate"]) == (1, 1)
    rows = aws.query("SELECT channels::jsonb FROM fresh_reading WHERE device_id = %s", car["id"])
    assert rows == [({"speed": 12.5},)]


def test_a_batch_holds_readings_of_several_devices_and_contracts(aws):
    car, pi = aws.add_device(team=TEAM), aws.add_device("gym", team=TEAM)
    gym = json.loads(
        '{"machine_id": 1, "timestamp": "2026-01-01T00:00:00", "acceleration_x": 0, "acceleration_y": 0,'
        ' "acceleration_z": 9.8, "repetitions": 1, "series_time": 1.5, "rest_time": 0}'
    )

    answer = post(aws, [{"n": 1, "device": car["name"]}, {**gym, "device": pi["name"], "contract": "gym"}])

    assert answer.json()["stored"] == 2


def test_what_can_never_be_stored_is_kept_so_that_aws_need_not_send_it_again(aws):
    foreign = aws.add_device(team="Others")

    for message in ({"n": 1}, {"n": 1, "device": "nobody"}, {"n": 1, "device": foreign["name"]}):
        answer = post(aws, message)

        assert (answer.status_code, answer.json()["quarantined"]) == (200, 1)
    assert aws.query("SELECT count(*) FROM fresh_reading WHERE device_id = %s", foreign["id"]) == [(0,)]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic dGhl"}])
def test_without_the_token_nothing_is_taken(aws, headers):
    assert post(aws, {"n": 1, "device": "car1"}, headers).status_code == 401


def test_without_a_configuration_the_address_does_not_exist(server):
    assert post(server, QUESTION, ASKING).status_code == 404
    assert post(server, {"n": 1, "device": "car1"}).status_code == 404
    assert httpx.get(f"{server.url}{ADDRESS}", headers=server.bearer(server.add_account())).status_code == 404


def test_the_api_document_describes_the_messages_and_the_question_before_them(server):
    accept = {"Accept": "application/vnd.oai.openapi+json"}
    route = httpx.get(f"{server.url}/api/schema/", headers=accept).json()["paths"][ADDRESS]

    assert set(route) == {"get", "post"}
    assert route["post"]["parameters"][0]["schema"]["enum"] == [ASKING["x-amz-rules-engine-message-type"]]
    assert route["post"]["security"] == [{"ruleAction": []}, {}]


def test_a_token_file_that_is_missing_is_told_before_anything_starts(command, own_data_dir, tmp_path):
    config = tmp_path / "bridge.toml"
    config.write_text(f'[[rule_action]]\nname = "aws"\nteam = "{TEAM}"\ntoken_file = "gone"\n')

    done = command("up", "--port", "0", "--data-dir", str(own_data_dir), RELEVE_BRIDGE_CONFIG=str(config))

    assert done.returncode == 1
    assert "rule_action 'aws': token_file: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not own_data_dir.exists()
