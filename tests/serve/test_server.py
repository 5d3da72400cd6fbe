"""A real server, in a process of its own: how it starts, ends, and treats strange clients."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.extras
pytest.importorskip("uvicorn", reason="needs meprop-nlp[serve]")
pytest.importorskip("starlette", reason="needs meprop-nlp[serve]")

ROOT = Path(__file__).parents[2]
REQUEST = b"POST /process HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
REQUEST += b"Content-Type: application/x-www-form-urlencoded\r\n"


class Server:
    """A server in a process of its own."""

    def __init__(self, log: Path, *options: object) -> None:
        self.log = log
        words = ["serve", "--model", "en", "--port", "0", *map(str, options)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "meprop_nlp.cli", *words], stderr=stream, env=environment
            )
        self.wait_for(r"on http://\S+:\d+ ")
        self.port = int(re.findall(r"on http://\S+:(\d+) ", self.text())[0])
        self.url = f"http://127.0.0.1:{self.port}"

    def text(self) -> str:
        """The log."""
        return self.log.read_text(encoding="utf-8")

    def wait_for(self, pattern: str) -> None:
        """Wait until the log has a line."""
        deadline = time.monotonic() + 60
        while not re.search(pattern, self.text()):
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.02)

    def get(self, path: str) -> Any:
        """Return the JSON at a path."""
        with urllib.request.urlopen(self.url + path, timeout=60) as reply:
            return json.load(reply)

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal; return its status."""
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers, and end them after the test."""
    servers: list[Server] = []

    def make(*options: object) -> Server:
        servers.append(Server(tmp_path / f"{len(servers)}.log", *options))
        return servers[-1]

    yield make
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the tests that do not end it."""
    server = Server(
        tmp_path_factory.mktemp("server") / "log",
        *("--client-timeout", 1, "--connections", 40, "--max-body", 64),
    )
    yield server
    assert server.end() == 128 + signal.SIGTERM
    assert "Traceback" not in server.text()


def read_all(connection: socket.socket) -> bytes:
    """Return all that comes until the connection is closed."""
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 16):
            received += piece
    return bytes(received)


def settled(server: Server) -> bool:
    """Whether no request is left in the server after a while."""
    for _ in range(100):
        health = server.get("/healthz")
        if (health["requests"], health["waiting"]) == (0, 0):
            return True
        time.sleep(0.05)
    return False


# lines of UDPipe's manual and of its REST interface's, but for the host and the port
CURL = [
    "curl URL/services/udpipe/api/models",
    "curl --data 'tokenizer=&tagger=&parser=&data=Children go home. They sing.' URL/process",
    "curl -F data=@input_file.txt -F model=english -F tokenizer= -F tagger= -F parser= "
    "URL/services/udpipe/api/process",
    "curl -F 'data=@input_file.txt' -F 'tokenizer=ranges' -F 'output=horizontal' URL/process",
    "curl -F data=@words.txt -F model=english -F input=horizontal -F tagger= -F parser= "
    "URL/services/udpipe/api/process",
    "curl 'URL/process?tokenizer&tagger&parser&data=Children%20go%20home.'",
    "curl -F data=@input_file.txt -F model=english -F tokenizer= -F tagger= -F parser= "
    "URL/services/udpipe/api/process | PYTHONIOENCODING=utf-8 PYTHON -c "
    "\"import sys,json; sys.stdout.write(json.load(sys.stdin)['result'])\"",
]


DOCUMENTED = re.findall(
    r"^    (curl .*)$", (ROOT / "docs" / "serve.md").read_text(encoding="utf-8"), flags=re.M
)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("line", DOCUMENTED)
def test_lines_of_curl_in_the_manual_work(line: str, shared: Server, tmp_path: Path) -> None:
    tmp_path.joinpath("input.txt").write_text("Children go home. They sing.\n")
    command = line.replace("http://127.0.0.1:8001", shared.url)
    assert command != line
    done = subprocess.run(
        ["bash", "-c", command.replace("curl ", "curl -sS --fail ")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) & {"default_model", "result", "sentences", "documents"}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("line", CURL)
def test_lines_of_curl_work_as_they_are(line: str, shared: Server, tmp_path: Path) -> None:
    tmp_path.joinpath("input_file.txt").write_text("Children go home. They sing.\n" * 50)
    tmp_path.joinpath("words.txt").write_text("Children go home .\nThey sing .\n")
    command = line.replace("URL", shared.url).replace("PYTHON -c", f"{sys.executable} -c")
    done = subprocess.run(
        ["bash", "-c", command.replace("curl ", "curl -sS --fail ")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    if "import sys" in line:
        assert done.stdout.count("# sent_id = ") == 100
    elif "models" in line:
        assert json.loads(done.stdout)["default_model"] == "english-ewt"
    else:
        assert "Children" in json.loads(done.stdout)["result"]


def test_curl_is_told_why_a_body_is_refused(shared: Server, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    tmp_path.joinpath("large.txt").write_bytes(b"a" * 3_000_000)
    for more in ([], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]):
        done = subprocess.run(
            ["curl", "-sS", "-F", "data=@large.txt", *more, f"{shared.url}/process"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
        )
        assert done.stdout == "The payload size is too large, expected at most 64 KiB.\n", more


def test_many_clients_get_the_answers_that_one_gets(start: Callable[..., Server]) -> None:
    server = start("--threads", 4)
    texts = [f"The {n}. dog sees {'a cat and ' * (n % 9)}rain. It is late." for n in range(16)]

    def process(text: str) -> str:
        data = f"tokenizer=&tagger=&parser=&data={urllib.parse.quote(text)}".encode()
        with urllib.request.urlopen(f"{server.url}/process", data, timeout=60) as reply:
            result: str = json.load(reply)["result"]
            return result

    expected = [process(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(process, texts)) == expected
    assert settled(server)


def test_clients_that_send_nothing_are_let_go(shared: Server) -> None:
    begun = time.monotonic()
    connections = [shared.connect() for _ in range(10)]
    connections[0].sendall(b"GET / HT")
    connections[1].sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
    for connection in connections:
        assert read_all(connection) == b""
        connection.close()
    assert 0.5 < time.monotonic() - begun < 30


def test_client_that_sends_a_byte_at_a_time_is_let_go(shared: Server) -> None:
    with shared.connect() as connection:
        connection.sendall(REQUEST + b"Content-Length: 1000\r\n\r\n")
        begun = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 20:
                connection.sendall(b"a")
                connection.settimeout(0.1)
                with contextlib.suppress(TimeoutError):
                    if connection.recv(1 << 16, socket.MSG_PEEK):
                        break
        connection.settimeout(60)
        assert b" 408 Request Timeout\r\n" in read_all(connection)
    assert settled(shared)


def test_second_request_of_a_connection_is_not_waited_for_either(shared: Server) -> None:
    with shared.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 OK\r\n" in connection.recv(1 << 16)
        connection.sendall(b"GET /hea")
        begun = time.monotonic()
        assert b"HTTP" not in read_all(connection)
        assert time.monotonic() - begun < 30


@pytest.mark.parametrize("line", [b"POST /models", b"GET /", b"POST /nowhere"])
def test_client_that_sends_on_after_its_answer_is_let_go(line: bytes, shared: Server) -> None:
    with shared.connect() as connection:
        connection.settimeout(10)
        connection.sendall(line + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n")
        if b"nowhere" not in line:
            assert b" 200 OK\r\n" in connection.recv(1 << 16)
        connection.sendall(b"a")  # now it waits for 98 more
        begun = time.monotonic()
        read_all(connection)
        assert time.monotonic() - begun < 8


def test_connection_goes_on_after_a_body_that_nobody_read(shared: Server) -> None:
    with shared.connect() as connection:
        for _ in range(2):
            connection.sendall(b"POST /models HTTP/1.1\r\nHost: localhost\r\n")
            connection.sendall(b"Content-Length: 3\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}\n"):
                answer += connection.recv(1 << 16)
            connection.sendall(b"abc")
            time.sleep(0.1)


def test_warning_of_the_library_is_in_the_log_once(start: Callable[..., Server]) -> None:
    server = start("--quiet")
    words = " ".join(f"qz{chr(97 + n % 26)}{chr(97 + n // 26)}vx" for n in range(300))
    for _ in range(2):
        data = f"tokenizer=&tagger=&data={urllib.parse.quote(words)}".encode()
        with urllib.request.urlopen(f"{server.url}/process", data, timeout=60) as reply:
            assert reply.status == 200
    assert server.end() == 128 + signal.SIGTERM
    assert server.text().count("the model knows") == 1
    assert "warning: the model knows" in server.text()


def test_clients_that_do_not_read_are_let_go(start: Callable[..., Server]) -> None:
    server = start("--client-timeout", 1, "--queue", 3)
    text = b"tokenizer=ranges&data=" + b"It+rains+in+the+town.+" * 20_000
    connections = []
    for _ in range(2):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(REQUEST + b"Content-Length: %d\r\n\r\n" % len(text) + text)
        connections.append(connection)
    server.wait_for(r"POST /process (499|200).*\n(.*\n)*.*POST /process (499|200)")
    assert settled(server)
    for connection in connections:
        assert len(read_all(connection)) < 5_000_000  # of the whole answer, which is longer
        connection.close()


def test_client_that_leaves_ends_its_work(start: Callable[..., Server]) -> None:
    server = start("--threads", 1)
    text = b"tokenizer=&tagger=&parser=&data=" + b"It+rains+in+the+town.%0A%0A" * 100_000
    with server.connect() as connection:
        connection.sendall(REQUEST + b"Content-Length: %d\r\n\r\n" % len(text) + text)
        while server.get("/healthz")["requests"] == 0:
            time.sleep(0.01)
    begun = time.monotonic()
    server.wait_for("POST /process 499 0 bytes")
    assert settled(server)
    assert time.monotonic() - begun < 20


def test_connections_beyond_the_limit_are_refused(shared: Server) -> None:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(shared.connect()) for _ in range(60)]
        answers = [read_all(connection) for connection in held]
    refused = [answer for answer in answers if answer]
    assert len(refused) >= 20
    assert all(b" 503 Service Unavailable\r\n" in answer for answer in refused)
    assert all(b"Retry-After: 1\r\n" in answer for answer in refused)
    assert settled(shared)


def test_bytes_that_are_no_request_are_refused(shared: Server) -> None:
    for sent in (
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\r\n\0" * 99,
    ):
        with shared.connect() as connection:
            connection.sendall(sent)
            answer = read_all(connection)
        assert answer == b"" or re.match(rb"HTTP/1\.1 4(00 Bad|21 Misdirected) Request\r\n", answer)
    with shared.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000)
        assert b" 400 Bad Request\r\n" in read_all(connection)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_lets_the_requests_at_work_be_finished(
    number: signal.Signals, start: Callable[..., Server]
) -> None:
    server = start("--threads", 1)
    text = b"tokenizer=&tagger=&parser=&data=" + b"It+rains+in+the+town.%0A%0A" * 10_000
    with server.connect() as connection, server.connect() as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 OK\r\n" in idle.recv(1 << 16)
        connection.sendall(REQUEST + b"Content-Length: %d\r\n\r\n" % len(text) + text)
        while server.get("/healthz")["requests"] == 0:
            time.sleep(0.01)
        server.process.send_signal(number)
        server.wait_for("stopping, once the requests at work are finished")
        answer = read_all(connection)
    assert b" 200 OK\r\n" in answer
    assert len(re.findall(rb"sent_id = \d+", answer)) == 10_000
    assert server.process.wait(60) == 128 + number
    assert "Traceback" not in server.text()


def test_second_signal_ends_it_at_once(start: Callable[..., Server]) -> None:
    server = start("--threads", 1, "--drain", 60)
    server.process.send_signal(signal.SIGTERM)
    server.wait_for("SIGTERM: stopping")
    assert server.end(signal.SIGINT) == 128 + signal.SIGTERM


def test_requests_that_outlast_the_grace_are_ended(start: Callable[..., Server]) -> None:
    server = start("--threads", 1, "--grace", 1)
    text = b"tokenizer=&tagger=&parser=&data=" + b"It+rains+in+the+town.%0A%0A" * 150_000
    with server.connect() as connection:
        connection.sendall(REQUEST + b"Content-Length: %d\r\n\r\n" % len(text) + text)
        while server.get("/healthz")["requests"] == 0:
            time.sleep(0.01)
        begun = time.monotonic()
        assert server.end() == 128 + signal.SIGTERM
        assert 0.9 < time.monotonic() - begun < 30


def test_health_says_that_it_stops_while_others_turn_away(start: Callable[..., Server]) -> None:
    server = start("--drain", 3)
    server.process.send_signal(signal.SIGTERM)
    server.wait_for("stopping")
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.get("/healthz")
    with refused.value as reply:
        assert reply.code == 503
        assert json.load(reply)["status"] == "stopping"
    assert server.get("/models")["default_model"] == "english-ewt"
    assert server.process.wait(60) == 128 + signal.SIGTERM


def test_port_in_use_is_said(start: Callable[..., Server], shared: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "meprop_nlp.cli", "serve", "-m", "en", "--port", str(shared.port)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"error: port {shared.port} of 127.0.0.1 is in use; choose another with --port, or "
        "--port 0 for any that is free\n"
    )


def test_other_addresses_are_warned_of(start: Callable[..., Server]) -> None:
    server = start("--host", "0.0.0.0")
    assert "warning: 0.0.0.0 can be reached from other machines" in server.text()
    request = urllib.request.Request(f"{server.url}/models", headers={"Host": "any.example"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        assert reply.status == 200


def test_loopback_answers_for_its_own_names_alone(shared: Server) -> None:
    request = urllib.request.Request(f"{shared.url}/models", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    with refused.value as reply:
        assert reply.code == 421
