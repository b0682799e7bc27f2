"""Requests are handed over to the control process as a good proxy does it: streaming, bounded, and without lies."""

import asyncio
import contextlib
import json
import re
from pathlib import Path

import pytest

from releve.http.request import Disconnected, Limits, Request
from releve.protocol.problem import TooLarge, TooSlow
from releve.serve.hand_over import connection as connections
from releve.serve.hand_over import desk as desks
from releve.serve.hand_over import introduction, watch
from releve.serve.hand_over.address import Address, connecting, listening
from releve.serve.hand_over.desk import Desk
from releve.serve.hand_over.pool import Connections, ControlAway, Crowded
from releve.serve.hand_over.watch import Watch

PROOF = "known to us alone"
WITHIN_S = 20
PAGE = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"


class Control:
    """A control process that does what a test wants, on a unix socket."""

    def __init__(self, path):
        self.path = path
        self.requests = []
        self.answers = asyncio.Queue()
        self.gone = asyncio.Event()
        self.connections = 0
        self._serving = set()

    async def __aenter__(self):
        self._server = await asyncio.start_unix_server(self._serve, sock=listening(self.path))
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader, writer):
        self.connections += 1
        self._serving.add(asyncio.current_task())
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head + await self._body(head, reader))
                answer = await self.answers.get()
                if answer is None:
                    break
                if callable(answer):
                    await answer(reader, writer)
                else:
                    writer.write(answer)
                    await writer.drain()
        self.gone.set()

    async def _body(self, head, reader):
        length = re.search(rb"content-length: (\d+)", head)
        if length:
            return await reader.readexactly(int(length[1]))
        return await reader.readuntil(b"0\r\n\r\n") if b"transfer-encoding: chunked" in head else b""


class Client:
    """What a client sends, piece by piece, and what it gets."""

    def __init__(self, *, body=(), leaves=None):
        self._body = [*body]
        self._leaves = leaves or asyncio.Event()
        self.sent = []
        self.takes = asyncio.Event()
        self.takes.set()

    async def receive(self):
        if self._body:
            piece = self._body.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self._body)}
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        await self.takes.wait()
        self.sent.append(message)

    @property
    def head(self):
        return self.sent[0]

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.sent[1:])


def request(client, method="GET", path=b"/pages", headers=(), limits=None):
    scope = {
        "type": "http",
        "method": method,
        "path": path.decode(),
        "raw_path": path,
        "query_string": b"a=%20b",
        "http_version": "1.1",
        "scheme": "https",
        "client": ("203.0.113.7", 4711),
        "headers": [(b"host", b"releve.example"), *headers],
    }
    return Request(scope, client.receive, path=path.decode(), limits=limits or Limits(1000, 10.0), id="r-1")


@pytest.fixture
async def control(tmp_path):
    async with Control(tmp_path / "control.sock") as running:
        yield running


@pytest.fixture
async def desk(control):
    address = Address(path=control.path)
    lent, questions = Connections(address, most=3), Connections(address)
    yield Desk(lent, Watch(questions, proof=PROOF), proof=PROOF)
    lent.close()
    questions.close()


async def answered(desk, asked, client):
    async with asyncio.timeout(WITHIN_S):
        await desk.answer(asked, client.send)


async def test_the_answer_comes_back_as_it_is_and_the_connection_is_used_again(control, desk):
    for _ in range(2):
        client = Client()
        control.answers.put_nowait(PAGE)
        await answered(desk, request(client), client)

        assert client.head["status"] == 200
        assert (b"content-type", b"text/plain") in client.head["headers"]
        assert client.body == b"hello"
    assert control.connections == 1


async def test_who_asks_goes_along_and_what_the_client_says_of_it_does_not(control, desk):
    client = Client()
    control.answers.put_nowait(PAGE)
    forged = introduction.asking("session", proof="guess")
    headers = [(introduction.HEADER, forged), (b"connection", b"x"), (b"x-forwarded-for", b"198.51.100.1")]
    await answered(desk, request(client, headers=headers), client)

    line, *lines = control.requests[0].decode().splitlines()
    written = [
        value for name, _, value in (each.partition(": ") for each in lines) if name == introduction.HEADER.decode()
    ]
    assert line == "GET /pages?a=%20b HTTP/1.1"
    assert [json.loads(each) for each in written] == [[PROOF, "203.0.113.7", 4711, "https", "1.1", "r-1", ""]]
    assert "connection: x" not in lines
    scope = {"headers": [(introduction.HEADER, written[0].encode()), (b"host", b"h")], "type": "http"}
    read = introduction.read(scope, proof=PROOF)
    opened = introduction.opened(scope, read)
    assert (opened["client"], opened["scheme"], opened["headers"]) == (
        ("203.0.113.7", 4711), "https", [(b"host", b"h")]
    )  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(introduction.HEADER, b"nonsense")],
        [(introduction.HEADER, introduction.asking("session", proof="guess"))],
        [(introduction.HEADER, introduction.asking("session", proof=PROOF))] * 2,
    ],
)
def test_without_one_proof_of_ours_there_is_no_letter(headers):
    assert introduction.read({"headers": headers}, proof=PROOF) is None


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ([(b"content-length", b"6")], b"abcdef"),
        ([(b"transfer-encoding", b"chunked")], b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"),
    ],
)
async def test_a_body_is_passed_on_piece_by_piece(control, desk, headers, sent):
    client = Client(body=[b"abc", b"def"])
    control.answers.put_nowait(PAGE)
    await answered(desk, request(client, "POST", headers=headers), client)

    assert control.requests[0].partition(b"\r\n\r\n")[2] == sent


@pytest.mark.parametrize("headers", [[(b"content-length", b"1001")], [(b"transfer-encoding", b"chunked")]])
async def test_a_body_beyond_the_limit_is_refused(desk, headers):
    client = Client(body=[b"x" * 600, b"x" * 600])

    with pytest.raises(TooLarge):
        await answered(desk, request(client, "POST", headers=headers), client)


async def test_a_body_that_does_not_arrive_in_time_is_refused(desk):
    client = Client()

    with pytest.raises(TooSlow):
        await answered(
            desk, request(client, "POST", headers=[(b"content-length", b"6")], limits=Limits(1000, 0.05)), client
        )


async def test_a_client_that_hangs_up_is_hung_up_on_at_the_control_process(control, desk):
    leaves = asyncio.Event()
    client = Client(leaves=leaves)
    asking = asyncio.create_task(answered(desk, request(client), client))
    async with asyncio.timeout(WITHIN_S):
        while not control.requests:  # noqa: ASYNC110 - the other side is a test's own
            await asyncio.sleep(0.01)

    async def wait_for_its_end(reader, _writer):
        await reader.read()

    control.answers.put_nowait(wait_for_its_end)
    leaves.set()

    with pytest.raises(Disconnected):
        await asking
    await asyncio.wait_for(control.gone.wait(), WITHIN_S)


async def test_an_answer_that_breaks_off_cuts_the_client_too(control, desk):
    client = Client()

    async def half(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    control.answers.put_nowait(half)

    with pytest.raises(Disconnected):
        await answered(desk, request(client), client)
    assert not any(message.get("more_body") is False for message in client.sent[1:])


async def test_a_slow_client_holds_back_a_long_answer_and_no_more_than_a_bound_of_it_is_kept(control, desk):
    client = Client()
    client.takes.clear()
    written = 0

    async def for_ever(_reader, writer):
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(1000):
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await writer.drain()
            written += 0x10000
        writer.write(b"0\r\n\r\n")

    control.answers.put_nowait(for_ever)
    asking = asyncio.create_task(answered(desk, request(client), client))
    before = -1
    async with asyncio.timeout(WITHIN_S):
        while written == 0 or written != before:
            before = written
            await asyncio.sleep(0.1)

    assert written < 2 * desks.MOST_BYTES + 20 * connections.BUFFERED_BYTES  # and what the sockets hold

    client.takes.set()
    await asking
    assert len(client.body) == 1000 * 0x10000


async def test_clients_that_read_nothing_hold_no_connection_to_the_control_process(control, desk):
    deaf = [Client() for _ in range(10)]  # more than may be handed over at once
    waiting = []
    body = b"x" * 1_000_000
    for client in deaf:
        client.takes.clear()
        control.answers.put_nowait(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        before = len(control.requests)
        waiting.append(asyncio.create_task(answered(desk, request(client), client)))
        async with asyncio.timeout(WITHIN_S):
            while len(control.requests) == before or desk._connections._lent:  # noqa: ASYNC110 - a test's own
                await asyncio.sleep(0.01)

    good = Client()
    control.answers.put_nowait(PAGE)
    await answered(desk, request(good), good)

    assert good.body == b"hello"
    for client in deaf:
        client.takes.set()
    await asyncio.gather(*waiting)
    assert {client.body for client in deaf} == {body}


async def test_the_head_alone_is_answered_without_waiting_for_a_body(control, desk):
    client = Client()
    control.answers.put_nowait(PAGE.removesuffix(b"hello"))
    await answered(desk, request(client, "HEAD"), client)

    assert client.head["status"] == 200
    assert (b"content-length", b"5") in client.head["headers"]
    assert client.body == b""


async def test_a_connection_that_was_closed_meanwhile_is_replaced_without_the_client_noticing(control, desk):
    for answers in ([PAGE], [None, PAGE]):  # the kept connection is closed by the second request
        client = Client()
        for each in answers:
            control.answers.put_nowait(each)
        await answered(desk, request(client), client)
        assert client.body == b"hello"


async def test_what_may_have_been_done_is_not_done_again(control, desk):
    client = Client(body=[b"abc"])
    control.answers.put_nowait(None)

    with pytest.raises(ControlAway):
        await answered(desk, request(client, "POST", headers=[(b"content-length", b"3")]), client)
    assert len(control.requests) == 1


@pytest.mark.parametrize(
    ("headers", "language", "says"),
    [
        ([(b"accept-language", b"fr-FR,fr;q=0.9")], "fr", "Indisponible"),
        ([(b"accept-language", b"de")], "en", "Not available"),
        ([(b"accept-language", b"en"), (b"cookie", b"django_language=fr")], "fr", "appareils"),
    ],
)
async def test_while_it_is_away_a_browser_gets_a_page_in_its_language(tmp_path, headers, language, says):
    address = Address(path=tmp_path / "nobody.sock")
    desk = Desk(Connections(address), Watch(Connections(address), proof=PROOF), proof=PROOF)
    client = Client()
    await answered(desk, request(client, headers=[(b"accept", b"text/html,*/*"), *headers]), client)

    assert client.head["status"] == 503
    assert (b"retry-after", b"2") in client.head["headers"]
    assert f'lang="{language}"' in client.body.decode()
    assert says in client.body.decode()


async def test_while_it_is_away_a_program_gets_a_problem(tmp_path):
    address = Address(path=tmp_path / "nobody.sock")
    desk = Desk(Connections(address), Watch(Connections(address), proof=PROOF), proof=PROOF)
    client = Client()

    with pytest.raises(ControlAway) as caught:
        await answered(desk, request(client, headers=[(b"accept", b"application/json")]), client)
    assert caught.value.status == 503
    assert "Devices go on" in caught.value.detail


async def test_one_that_stands_still_is_known_to_be_away_and_nobody_waits_for_it(control, desk, monkeypatch):
    monkeypatch.setattr(watch, "SILENT_S", 0.1)
    monkeypatch.setattr(watch, "LOOK_S", 0.1)
    await asyncio.sleep(0.2)
    client = Client()

    with pytest.raises(ControlAway):
        await answered(desk, request(client), client)
    assert ["does not answer" in reason for reason in await desk._watch.reasons()] == [True]


async def test_no_more_requests_are_handed_over_than_are_allowed_at_once(control, desk):
    clients = [Client() for _ in range(3)]
    waiting = [asyncio.create_task(answered(desk, request(client), client)) for client in clients]
    async with asyncio.timeout(WITHIN_S):
        while len(control.requests) < 3:  # noqa: ASYNC110 - the other side is a test's own
            await asyncio.sleep(0.01)
    one_more = Client()

    with pytest.raises(Crowded):
        await answered(desk, request(one_more), one_more)

    for _ in clients:
        control.answers.put_nowait(PAGE)
    await asyncio.gather(*waiting)
    assert [client.body for client in clients] == [b"hello"] * 3


def test_a_socket_in_a_folder_with_a_very_long_name_is_found_and_is_for_its_user_alone(tmp_path):
    folder = tmp_path.joinpath(*["a-folder-with-quite-a-long-name"] * 5)
    folder.mkdir(parents=True)
    path = folder / "control.sock"

    with listening(path) as listener:
        listener.listen()
        with connecting(path) as connection:
            assert connection.getpeername()
        assert Path(path).stat().st_mode & 0o777 == 0o600
