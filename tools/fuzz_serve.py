"""Sends strange requests to a server of its own, until the time is up.

    python tools/fuzz_serve.py [SECONDS] [--seed N]

Schemathesis makes requests of /openapi.json, right and wrong ones, and holds the answers against
it. Beside it, senders write bytes: damaged requests, multipart bodies, JSON, CoNLL-U and odd text
with every option, cut off, sent slowly or never read. A status of 500, a traceback in an answer or
in the log, an answer that is no JSON where it should be, a place that is never given back, or a
server that ends or grows beyond all measure is a finding. The bytes that led to it lie in
build/fuzz/serve, and the status is 1. Needs Schemathesis from PyPI.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from meprop_nlp.data.sample.treebank import sample_treebank

FOLDER = Path(__file__).parents[1] / "build" / "fuzz" / "serve"
STATUSES = {200, 400, 404, 405, 408, 413, 415, 421, 503, 504}
PATHS = ("/process", "/annotate", "/models", "/healthz", "/", "/services/udpipe/api/process", "/x")
SENDERS = 12
MOST_MEMORY = 1 << 30  # bytes that the server may take
# a small server, so that its limits are met
SERVER = (
    "from meprop_nlp.cli import main; main()", "serve", "--model", "en", "--port", "0",
    "--max-body", "1024", "--queue", "32", "--connections", "64", "--timeout", "20",
    "--client-timeout", "1", "--threads", "2",
)  # fmt: skip
ODD = (
    "a b.\n\r\t\0é\u0301א\u05d0ب\u200d\u200b\u00a0\u2028\u3000中文。😀\ufeff\x1f\x85'\"<>&=;%+\\|#_"
)


class Server:
    """The server that is tested, in a process of its own."""

    def __init__(self) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.log = FOLDER / "server.log"
        self._stream = self.log.open("wb")
        self.process = subprocess.Popen([sys.executable, "-c", *SERVER], stderr=self._stream)
        deadline = time.monotonic() + 60
        while not (found := re.search(r"on http://[\d.]+:(\d+)", self.text())):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"the server did not start: {self.text()}")
            time.sleep(0.1)
        self.port = int(found[1])

    def text(self) -> str:
        """Return its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def memory(self) -> int:
        """Return the bytes that it holds in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) * 1024 if found else 0

    def health(self) -> dict[str, object]:
        """Return what /healthz answers."""
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = talk(self.port, [request], read=True)
        found: dict[str, object] = json.loads(answer.partition(b"\r\n\r\n")[2])
        return found

    def end(self) -> int:
        """End it; return its status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self._stream.close()


def talk(port: int, pieces: list[bytes], *, read: bool, pause: float = 0.0) -> bytes:
    """Send pieces over a connection of their own; return the answer, if it is read."""
    with socket.create_connection(("127.0.0.1", port), timeout=40) as connection:
        with contextlib.suppress(OSError):  # the server may close first
            for piece in pieces:
                connection.sendall(piece)
                if pause:
                    time.sleep(pause)
        received = bytearray()
        with contextlib.suppress(OSError):
            while read and (piece := connection.recv(1 << 16)):
                received += piece
        return bytes(received)


class Sender(threading.Thread):
    """Sends made-up requests until it is told to stop."""

    def __init__(self, server: Server, seed: int) -> None:
        super().__init__(daemon=True)
        self.server, self.rng = server, random.Random(seed)
        self.statuses: Counter[int] = Counter()
        self.findings: list[str] = []
        self.stopping = threading.Event()
        sample = sample_treebank("dev").read_text(encoding="utf-8")
        self.sentences = sample.split("\n\n")[:50]

    def run(self) -> None:
        """Send one request after the other."""
        while not self.stopping.is_set() and self.server.process.poll() is None:
            pieces, read, pause = self.request()
            try:
                answer = talk(self.server.port, pieces, read=read, pause=pause)
            except OSError as error:
                if self.server.process.poll() is None and not isinstance(error, TimeoutError):
                    continue  # it has as many connections as it takes
                self.found(f"no answer: {error}", pieces)
                continue
            if read:
                self.judge(answer, pieces)

    def judge(self, answer: bytes, pieces: list[bytes]) -> None:
        """Hold an answer against what every answer must be."""
        for head in re.findall(rb"^HTTP/1\.1 (\d+)", answer, flags=re.M)[:1]:
            status = int(head)
            self.statuses[status] += 1
            if status not in STATUSES:
                self.found(f"status {status}", pieces)
        if b"Traceback" in answer:
            self.found("a traceback", pieces)
        start, _, body = answer.partition(b"\r\n\r\n")
        if b"application/json" in start and b"HTTP/1.1" not in body and body:
            try:
                json.loads(body)
            except ValueError:
                self.found("no JSON", pieces)

    def found(self, what: str, pieces: list[bytes]) -> None:
        """Keep what led to a finding."""
        path = FOLDER / f"finding-{len(self.findings)}.bin"
        path.write_bytes(b"".join(pieces))
        self.findings.append(f"{what}: {path}")

    def request(self) -> tuple[list[bytes], bool, float]:
        """Return a request in pieces, whether to read the answer, and the pause between pieces."""
        rng = self.rng
        kind = rng.randrange(6)
        if kind == 0:
            whole = rng.randbytes(rng.randrange(1, 3000))
        elif kind == 1:
            whole = self.http("/annotate", "application/json", self.json())
        elif kind == 2:
            body, content_type = self.multipart()
            whole = self.http("/process", content_type, body)
        elif kind == 3:
            body = "&".join(f"{n}={quote_plus(v)}" for n, v in self.parameters().items()).encode()
            whole = self.http("/process", "application/x-www-form-urlencoded", body)
        elif kind == 4:
            query = "&".join(f"{n}={quote_plus(v)}" for n, v in self.parameters().items())
            whole = f"GET /process?{query} HTTP/1.1\r\nHost: localhost\r\n".encode()
            whole += b"Connection: close\r\n\r\n"
        else:
            whole = self.http(rng.choice(PATHS), "text/plain", self.text().encode())
        if rng.random() < 0.3:
            whole = self.damaged(whole)
        chance = rng.random()
        if chance < 0.05:
            return [whole[: rng.randrange(len(whole) + 1)]], False, 0.0  # leaves
        if chance < 0.07:  # slow
            return [whole[i : i + 64] for i in range(0, min(len(whole), 640), 64)], True, 0.5
        return [whole], True, 0.0

    def http(self, path: str, content_type: str, body: bytes) -> bytes:
        """Return a request."""
        if self.rng.random() < 0.005:
            body += b"a" * (1 << 20)  # too large
        method = self.rng.choice(["POST"] * 8 + ["GET", "PUT", "HEAD", "OPTIONS"])
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += f"Content-Type: {content_type}\r\n"
        if self.rng.random() < 0.1:
            size = f"{len(body):x}\r\n".encode()
            return (
                head.encode()
                + b"Transfer-Encoding: chunked\r\n\r\n"
                + size
                + body
                + b"\r\n0\r\n\r\n"
            )
        length = len(body) + (self.rng.randrange(-3, 4) if self.rng.random() < 0.05 else 0)
        return f"{head}Content-Length: {length}\r\n\r\n".encode() + body

    def text(self) -> str:
        """Return a text."""
        rng = self.rng
        kind = rng.randrange(5)
        if kind == 0:
            return "".join(rng.choices(ODD, k=rng.randrange(400)))
        if kind == 1:
            return "\n\n".join(rng.choices(self.sentences, k=rng.randrange(1, 5))) + "\n\n"
        if kind == 2:
            whole = "\n\n".join(rng.choices(self.sentences, k=3)) + "\n\n"
            for _ in range(rng.randrange(1, 5)):
                place = rng.randrange(len(whole))
                whole = whole[:place] + rng.choice(ODD) + whole[place + rng.randrange(3) :]
            return whole
        if kind == 3:
            return rng.choice(ODD) * rng.randrange(20_000)
        words = re.findall(r"# text = (.*)", "\n".join(rng.choices(self.sentences, k=4)))
        return rng.choice([" ", "\n", "\n\n"]).join(words)

    def parameters(self) -> dict[str, str]:
        """Return parameters of UDPipe."""
        rng = self.rng
        choices = {
            "tokenizer": ["", "ranges", "presegmented", "normalized_spaces;ranges", "=;=;", "x"],
            "tagger": ["", "x"],
            "parser": ["", "x"],
            "input": ["conllu", "horizontal", "vertical", "generic_tokenizer", "epe", "", "x=y"],
            "output": [
                *("conllu", "horizontal", "vertical", "plaintext", "plaintext=normalized_spaces"),
                *("horizontal=paragraphs", "conllu=v2", "matxin", "", "x"),
            ],
            "model": ["en", "english", "english-ewt", "", "x", "\0"],
        }
        chosen = {n: rng.choice(v) for n, v in choices.items() if rng.random() < 0.5}
        return chosen | ({"data": self.text()} if rng.random() < 0.95 else {})

    def multipart(self) -> tuple[bytes, str]:
        """Return a multipart body, and its type."""
        rng = self.rng
        boundary = rng.choice(["x", "-----9051914041544843365972754266", "=", "a'()+_,-./:=?", ""])
        parts = []
        for name, value in self.parameters().items():
            file = '; filename="a.txt"' if rng.random() < 0.3 else ""
            kind = rng.choice(["", "Content-Type: text/plain; charset=utf-8\r\n", "X: y\r\n"])
            parts.append(
                f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{kind}\r\n'
                f"{value}\r\n"
            )
        return "".join([*parts, f"--{boundary}--\r\n"]).encode(), (
            f'multipart/form-data; boundary="{boundary}"'
        )

    def json(self) -> bytes:
        """Return JSON, or nearly."""
        rng = self.rng
        kind = rng.randrange(8)
        if kind == 0:
            return b"[" * rng.randrange(100_000)
        if kind == 1:
            return b'{"text": ' + b"9" * rng.randrange(10_000) + b"}"
        value: Any = rng.choice(
            [self.text(), [self.text(), self.text()], [["a", self.text()]], None, -1, {}, [[]]]
        )
        given = {rng.choice(["text", "texts", "tokens", "conllu", "x"]): value}
        if rng.random() < 0.3:
            given["heads"] = rng.choice([["tree"], ["tags", "tree"], [], ["x"], "tree", None])
        if rng.random() < 0.3:
            given["model"] = rng.choice(["en", "x", 3, None, "\ud800"])
        return json.dumps(given, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")

    def damaged(self, whole: bytes) -> bytes:
        """Return a request with some bytes changed."""
        changed = bytearray(whole)
        for _ in range(self.rng.randrange(1, 6)):
            place = self.rng.randrange(len(changed) + 1)
            piece = self.rng.choice(
                [b"", b"\0", b"\r\n", b"\xff", b":", b"\n", b"%", b"-", b"\x80"]
            )
            changed[place : place + self.rng.randrange(3)] = piece
        return bytes(changed)


def schemathesis(server: Server, seconds: float, seed: int) -> str:
    """Let Schemathesis test for some time; return what it found, nothing if that is nothing."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run"),
        f"http://127.0.0.1:{server.port}/openapi.json",
        *("--max-time", str(max(1, round(seconds))), "--seed", str(seed)),
        *("--request-timeout", "40", "--request-retries", "3", "--no-color", "--warnings", "off"),
        # which names models have, and what CoNLL-U is, no schema can say
        *("--exclude-checks", "positive_data_acceptance"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=FOLDER)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def main() -> None:
    """Test, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seconds", type=float, nargs="?", default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    begun = time.monotonic()
    server = Server()
    senders = [Sender(server, options.seed + n) for n in range(SENDERS)]
    for sender in senders:
        sender.start()
    findings: list[str] = []
    greatest, rounds = 0, 0
    while (left := options.seconds - (time.monotonic() - begun)) > 0 and not findings:
        if found := schemathesis(server, min(left, 300), options.seed + rounds):
            path = FOLDER / f"schemathesis-{rounds}.txt"
            path.write_text(found, encoding="utf-8")
            findings.append(f"schemathesis: {path}")
        rounds += 1
        if server.process.poll() is not None:
            findings.append(f"the server has ended with status {server.process.returncode}")
            break
        greatest = max(greatest, server.memory())
        if "internal" in server.text():
            findings.append(f"an internal error: {server.log}")
        findings += [found for sender in senders for found in sender.findings]
        print(f"{time.monotonic() - begun:.0f} s, {greatest / 1e6:.0f} MB", flush=True)
    for sender in senders:
        sender.stopping.set()
    for sender in senders:
        sender.join(60)
    statuses = sum((sender.statuses for sender in senders), Counter[int]())
    if server.process.poll() is None:
        time.sleep(5)  # for those that left, or were slow
        health = server.health()
        if health["requests"] or health["waiting"]:
            findings.append(f"places that were not given back: {health}")
        status = server.end()
        if status != 128 + signal.SIGTERM:
            findings.append(f"the server ended with status {status}")
    if greatest > MOST_MEMORY:
        findings.append(f"the server took {greatest / 1e6:.0f} MB")
    n_logged = server.text().count(" ms ")
    print(
        f"{time.monotonic() - begun:.0f} s, {n_logged:,} requests in the log, of which made of "
        f"bytes: {dict(sorted(statuses.items()))}; at most {greatest / 1e6:.0f} MB; findings: "
        f"{len(findings)}"
    )
    print("\n".join(findings), end="\n" if findings else "")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
