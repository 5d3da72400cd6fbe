"""Too much, too long, too slow, too many: each is refused, and nothing stays behind."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from meprop_nlp.serve.udpipe import Answer

from .conftest import FORM, JSON, Client, Reply

pytestmark = pytest.mark.extras

MakeClient = Callable[..., Client]
RAIN = b"tokenizer=&data=It+rains."


@pytest.fixture
def make_app_module(make_client: MakeClient) -> Any:
    """The module that answers requests, for tests that put another work in the place of its own."""
    from meprop_nlp.serve import app

    return app


@pytest.fixture
def busy() -> Iterator[Callable[[Client], None]]:
    """Occupy the only worker of a client's server, until the test ends."""
    ready = threading.Event()

    def blocking() -> Generator[None, None, None]:
        ready.wait(20)
        return
        yield

    def occupy(client: Client) -> None:
        client.service.workers.submit(blocking())

    occupy.ready = ready  # type: ignore[attr-defined]
    yield occupy
    ready.set()


def nothing_left(client: Client) -> bool:
    """Whether all places were given back."""
    control = client.service._control
    return (control.requests, control.held) == (0, 0)


def test_largest_body_is_taken_and_a_larger_one_refused(make_client: MakeClient) -> None:
    client = make_client(max_body=1)
    for size, status in ((1024, 200), (1025, 413)):
        body = b"data=%23" + b"a" * (size - 8)
        declared = {"content_length": str(size)}
        for headers in ({}, declared):
            reply = client("POST", "/process", body, content_type=FORM, **headers)
            assert reply.status == status
            assert status == 200 or "expected at most 1 KiB" in reply.text
    assert nothing_left(client)


def test_body_larger_than_declared_is_refused_while_it_comes(make_client: MakeClient) -> None:
    client = make_client(max_body=1)
    pieces: list[bytes | None] = [b"a" * 600] * 4
    reply = asyncio.run(client.send("POST", "/process", pieces, content_type=FORM))
    assert reply.status == 413
    assert nothing_left(client)


def test_body_that_does_not_come_is_not_waited_for(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from meprop_nlp.serve import middleware

    monkeypatch.setattr(middleware, "_DISCARD_SECONDS", 0.1)
    client = make_client(client_timeout=0.1)
    reply = asyncio.run(client.send("POST", "/process", [b"data=", None], content_type=FORM))
    assert (reply.status, reply.text) == (408, "The request did not arrive in 0.1 seconds.\n")
    assert nothing_left(client)


def test_requests_beyond_the_queue_are_asked_to_come_again(
    make_client: MakeClient, busy: Any
) -> None:
    client = make_client(queue=2, n_workers=1)
    busy(client)

    async def send() -> list[Reply]:
        first = [
            asyncio.ensure_future(client.send("POST", "/process", [RAIN], content_type=FORM))
            for _ in range(2)
        ]
        await asyncio.sleep(0.05)
        refused = [
            await client.send("POST", path, [RAIN], content_type=kind)
            for path, kind in (("/process", FORM), ("/annotate", JSON))
        ]
        health = await client.send("GET", "/healthz", [b""])
        busy.ready.set()
        return [*await asyncio.gather(*first), *refused, health]

    *taken, text, other, health = asyncio.run(send())
    assert [reply.status for reply in taken] == [200, 200]
    for reply in (text, other):
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert text.text == "The server is busy, please try again later.\n"
    assert other.json == {"error": "The server is busy, please try again later."}
    assert (health.json["requests"], health.json["waiting"]) == (2, 2)
    assert nothing_left(client)


def test_request_that_never_had_its_turn_is_asked_to_come_again(
    make_client: MakeClient, busy: Any
) -> None:
    client = make_client(timeout=0.1, n_workers=1)
    busy(client)
    reply = client("POST", "/process", RAIN, content_type=FORM)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert reply.text == "The server was busy for 0.1 seconds.\n"
    assert nothing_left(client)
    assert client.service.workers.waiting == 0


@pytest.fixture
def endless(make_app_module: Any, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Put work that never ends in the place of annotating; the event is set when it is closed."""
    closed = threading.Event()

    def work(*_: object) -> Generator[None, None, Answer]:
        try:
            while True:
                yield
        finally:
            closed.set()

    monkeypatch.setattr(make_app_module, "process", work)
    return closed


def test_work_that_takes_too_long_is_given_up(
    make_client: MakeClient, endless: threading.Event
) -> None:
    client = make_client(timeout=0.1)
    reply = client("POST", "/process", RAIN, content_type=FORM)
    assert reply.status == 504
    assert "took longer than 0.1 seconds; send less" in reply.text
    assert endless.wait(5)
    assert nothing_left(client)


def test_work_ends_when_the_client_leaves(
    make_client: MakeClient, endless: threading.Event
) -> None:
    client = make_client()

    async def leave() -> Reply:
        leaves = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, leaves.set)
        return await client.send("POST", "/process", [RAIN], content_type=FORM, leaves=leaves)

    assert asyncio.run(leave()).status == 0
    assert endless.wait(5)
    assert nothing_left(client)
    assert " 499 0 bytes " in client.log[0]


def test_internal_error_reaches_the_log_and_not_the_client(
    client: Client, make_app_module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: object) -> Generator[None, None, Answer]:
        raise RuntimeError("secret of /home/me")
        yield

    monkeypatch.setattr(make_app_module, "process", work)
    reply = client("POST", "/process", RAIN, content_type=FORM)
    assert reply.status == 500
    found = re.fullmatch(
        r"An internal error occurred; the log has it as ([0-9a-f]{8})\.\n", reply.text
    )
    assert found
    (report,) = client.reports
    assert report.startswith(f"internal error {found[1]}:\nTraceback")
    assert "RuntimeError: secret of /home/me" in report
    assert found[1] in client.log[0]
    assert nothing_left(client)


def test_lack_of_memory_is_a_busy_server(
    client: Client, make_app_module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: object) -> Generator[None, None, Answer]:
        raise MemoryError
        yield

    monkeypatch.setattr(make_app_module, "process", work)
    assert client("POST", "/process", RAIN, content_type=FORM).status == 503
    assert nothing_left(client)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8001", 200),
        ("127.0.0.1:8001", 200),
        ("[::1]:8001", 200),
        ("evil.example", 421),
        ("evil.example:8001", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_only_known_hosts_are_answered(make_client: MakeClient, host: str, status: int) -> None:
    client = make_client(hosts=("127.0.0.1", "localhost", "[::1]"))
    assert client("GET", "/models", host=host).status == status
    assert make_client(hosts=("localhost", "*"))("GET", "/models", host=host).status == 200


def test_web_pages_of_others_may_not_read_the_answers(make_client: MakeClient) -> None:
    def allowed(client: Client, origin: str) -> str | None:
        reply = client("GET", "/models", origin=origin)
        assert reply.headers["x-content-type-options"] == "nosniff"
        return reply.headers.get("access-control-allow-origin")

    assert allowed(make_client(), "https://a.example") is None
    chosen = make_client(allow_origin=["https://a.example"])
    assert allowed(chosen, "https://a.example") == "https://a.example"
    assert allowed(chosen, "https://b.example") is None
    assert allowed(make_client(allow_origin=["*"]), "https://b.example") == "*"


def test_browser_may_ask_before_it_sends_json(make_client: MakeClient) -> None:
    asked = {"origin": "https://a.example", "access_control_request_method": "POST"}
    reply = make_client(allow_origin=["*"])("OPTIONS", "/annotate", **asked)
    assert reply.status == 204
    assert reply.headers["access-control-allow-headers"] == "Content-Type"
    assert reply.headers["access-control-allow-methods"] == "GET, POST"
    assert make_client()("OPTIONS", "/annotate", **asked).status == 405


def test_health_says_what_the_server_is_at(client: Client) -> None:
    reply = client.get("/healthz")
    found = reply.json
    assert reply.status == 200
    assert found.pop("uptime") >= 0
    assert found == {
        "status": "ok", "version": "1.2.3", "models": ["english-ewt", "tags"],
        "requests": 0, "waiting": 0,
    }  # fmt: skip
    client.service.is_draining = True
    reply = client.get("/healthz")
    assert (reply.status, reply.json["status"]) == (503, "stopping")


def test_log_has_a_line_for_each_request_and_not_what_is_in_it(client: Client) -> None:
    client.get("/process", data="secret", tokenizer="")
    client("GET", "/no\nwhere".replace("\n", "%0a"))
    first, second = client.log
    assert re.fullmatch(r"127\.0\.0\.1 GET /process 200 \d+ bytes \d+ ms [0-9a-f]{8}", first)
    assert re.fullmatch(r"127\.0\.0\.1 GET /no%0awhere 404 9 bytes \d+ ms [0-9a-f]{8}", second)


def test_answers_in_several_threads_are_those_of_one(make_client: MakeClient) -> None:
    texts = [f"The {n}. dog sees {'a cat and ' * (n % 7)}rain. It is late." for n in range(60)]
    serial = make_client(n_workers=1)
    expected = [serial.annotate(text=text).body for text in texts]
    parallel = make_client(n_workers=8)

    async def send() -> list[bytes]:
        sent = [
            parallel.send(
                "POST", "/annotate", [json.dumps({"text": t}).encode()], content_type=JSON
            )
            for t in texts
        ]
        return [reply.body for reply in await asyncio.gather(*sent)]

    assert asyncio.run(send()) == expected


def test_clients_that_send_slowly_keep_nobody_out(make_client: MakeClient) -> None:
    client = make_client(queue=1)

    async def send() -> Reply:
        slow = [
            asyncio.ensure_future(
                client.send("POST", "/process", [b"data=", None], content_type=FORM)
            )
            for _ in range(5)
        ]
        await asyncio.sleep(0.05)
        reply = await client.send("POST", "/process", [RAIN], content_type=FORM)
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return reply

    assert asyncio.run(send()).status == 200
    assert nothing_left(client)


def test_large_slow_uploads_are_ended_when_they_keep_others_out(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from meprop_nlp.serve import admission, middleware

    monkeypatch.setattr(middleware, "_DISCARD_SECONDS", 0.1)
    client = make_client()
    control = client.service._control
    control.most_bytes = 16_000

    async def send() -> list[Reply]:
        large = [b"data=" + b"a" * 995, None]
        slow = [
            asyncio.ensure_future(client.send("POST", "/process", large, content_type=FORM))
            for _ in range(16)
        ]
        await asyncio.sleep(0.05)
        assert control.held == 16_000
        refused = await client.send("POST", "/process", [RAIN], content_type=FORM)
        monkeypatch.setattr(admission, "PATIENCE", 0.0)
        taken = await client.send("POST", "/process", [RAIN], content_type=FORM)
        done, _ = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return [refused, taken, *(each.result() for each in done)]

    refused, taken, *ended = asyncio.run(send())
    assert (refused.status, taken.status) == (503, 200)
    assert [(reply.status, reply.headers["retry-after"]) for reply in ended] == [(503, "1")]
    assert nothing_left(client)


def test_answer_that_is_read_slowly_is_ended_when_it_keeps_others_out(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from meprop_nlp.serve import admission

    monkeypatch.setattr(admission, "PATIENCE", 0.0)
    client = make_client()
    control = client.service._control
    app = client.app

    async def stalled(scope: Any, receive: Any, send: Any) -> None:
        async def send_slowly(message: Any) -> None:
            if message.get("body"):
                await asyncio.sleep(3600)

        await app(scope, receive, send_slowly)

    async def send() -> Reply:
        client.app = stalled
        slow = asyncio.ensure_future(client.send("POST", "/process", [RAIN], content_type=FORM))
        async with asyncio.timeout(20):
            while not control.waiting_for_clients or control.requests == 0:
                await asyncio.sleep(0.01)
            client.app = app
            control.most_bytes = control.held
            taken = await client.send("POST", "/process", [RAIN], content_type=FORM)
            await slow
        return taken

    assert asyncio.run(send()).status == 200
    assert sorted(line.split()[3] for line in client.log) == ["200", "499"]
    assert nothing_left(client)


@pytest.mark.parametrize("path", ["/process", "/annotate"])
def test_answer_that_grows_too_large_is_given_up(path: str, make_client: MakeClient) -> None:
    client = make_client()
    client.service._control.most_bytes = 20_000
    text = "It rains. " * 200
    if path == "/process":
        reply = client.form(path, data=text, tokenizer="", tagger="", parser="")
    else:
        reply = client.annotate(text=text)
    assert reply.status == 413
    assert "The answer is too large; send less at a time." in reply.text
    assert nothing_left(client)


@pytest.mark.parametrize("sizes", [[], [1, 2, 3], [70_000, 1], [200_000, 65_536, 5, 0, 65_530, 9]])
def test_answer_is_sent_as_it_is(
    sizes: list[int], client: Client, make_app_module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = [bytes([65 + n]) * size for n, size in enumerate(sizes)]

    def work(*_: object) -> Generator[None, None, Answer]:
        return Answer(pieces, "application/json")
        yield

    monkeypatch.setattr(make_app_module, "process", work)
    reply = client("POST", "/process", RAIN, content_type=FORM)
    assert reply.body == b"".join(pieces)
    assert reply.headers["content-length"] == str(sum(sizes))
    assert reply.headers["content-type"] == "application/json"
    assert nothing_left(client)
