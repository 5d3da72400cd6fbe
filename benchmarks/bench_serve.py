"""How many requests the server answers, and how fast, with many clients at a time.

    python benchmarks/bench_serve.py [--clients 64] [--seconds 60]

Starts `meprop-nlp serve` in a process of its own. Each client sends three sentences of UD English
EWT's dev file, waits for tags, lemmas and trees, and sends the next three on the same connection.
Every answer is compared with the one that a single client gets before; one that is missing, refused
or different is lost. The clients take some of the processor's time themselves. Nothing else should
run meanwhile. Writes benchmarks/results/serve.json; benchmarks/readme.py makes the table.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from conditions import arguments, conditions, refuse_without_core, save
from tables.speed import serve_table

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.sample.treebank import sample_treebank

TEXTS, SENTENCES = 200, 3
PROGRAM = "from meprop_nlp.cli import main; main()"


class Server:
    """The server that is measured."""

    def __init__(self, threads: int, folder: str) -> None:
        self._log = Path(folder, "log")
        options = ["serve", "--model", "en", "--port", "0", "--threads", str(threads), "--quiet"]
        with self._log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *options], stderr=stream
            )
        deadline = time.monotonic() + 60
        while not (found := re.search(r"on http://[\d.]+:(\d+)", self._log.read_text())):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not start: {self._log.read_text()}")
            time.sleep(0.05)
        self.port = int(found[1])

    def memory(self) -> int:
        """Return the most bytes of memory that it has taken."""
        status = Path(f"/proc/{self.process.pid}/status")
        found = re.search(r"VmHWM:\s+(\d+)", status.read_text() if status.exists() else "")
        return int(found[1]) * 1024 if found else 0

    def end(self) -> None:
        """End it; exit if it does not end as it should."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        if status != 128 + signal.SIGTERM:
            raise SystemExit(f"the server ended with status {status}: {self._log.read_text()}")


class Client:
    """A client that keeps its connection, and opens another where it is lost."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def answer(self, request: bytes) -> bytes:
        """Send a request; return the body of the answer, nothing if it is not one.

        Raises:
            OSError, EOFError: the connection is lost.
        """
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        try:
            self._writer.write(request)
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await self._reader.readexactly(int(length[1]) if length else 0)
        except BaseException:
            self.close()
            raise
        return body if head.startswith(b"HTTP/1.1 200 ") else b""

    def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def requests_of(path: Path) -> list[tuple[bytes, int]]:
    """Return requests made of the sentences of a file, each with its number of words."""
    sentences = list(read(path))[: TEXTS * SENTENCES]
    found = []
    for first in range(0, len(sentences), SENTENCES):
        part = sentences[first : first + SENTENCES]
        text = " ".join(sentence.text for sentence in part)
        body = urlencode({"tokenizer": "", "tagger": "", "parser": "", "data": text}).encode()
        head = (
            "POST /process HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        found.append((head.encode() + body, sum(map(len, part))))
    return found


async def measure(port: int, n_clients: int, seconds: float, path: Path) -> dict[str, object]:
    """Let clients ask for some time; return what came of it."""
    requests = requests_of(path)
    alone = Client(port)
    expected = [await alone.answer(request) for request, _ in requests]
    alone.close()
    if not all(b'"result": "# newdoc' in answer for answer in expected):
        raise SystemExit("a single client does not get what it asks for")
    latencies: list[float] = []
    n_words = lost = 0
    begun = time.perf_counter()

    async def ask(number: int) -> None:
        nonlocal n_words, lost
        client, place = Client(port), number * 7
        while time.perf_counter() - begun < seconds:
            place = (place + 1) % len(requests)
            request, size = requests[place]
            sent = time.perf_counter()
            try:
                answer = await client.answer(request)
            except (OSError, EOFError):
                answer = b""
            if answer == expected[place]:
                latencies.append(time.perf_counter() - sent)
                n_words += size
            else:
                lost += 1
        client.close()

    await asyncio.gather(*map(ask, range(n_clients)))
    passed = time.perf_counter() - begun
    latencies.sort()
    return {
        "clients": n_clients,
        "seconds": round(passed, 2),
        "requests": len(latencies),
        "lost": lost,
        "words_a_request": round(sum(size for _, size in requests) / len(requests), 1),
        "requests_per_second": round(len(latencies) / passed, 1),
        "words_per_second": round(n_words / passed),
        "ms": {f"p{p}": round(1000 * percentile(latencies, p), 1) for p in (50, 95, 99, 100)},
    }


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the smallest of some ordered values that so many percent of them do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    refuse_without_core()

    def more(parser: argparse.ArgumentParser) -> None:
        treebanks = Path(os.environ.get("MEPROP_NLP_DATA", "data"))
        parser.add_argument("--data", type=Path, default=treebanks / "ud-english-ewt")
        parser.add_argument("--clients", type=int, default=64)
        parser.add_argument("--seconds", type=float, default=60)

    options = arguments(__doc__.splitlines()[0], "serve", words, more)
    threads = options.threads or os.cpu_count() or 1
    path = options.data / "dev.conllu"
    if options.quick:
        options.clients, options.seconds, path = 8, 1.0, sample_treebank("dev")
    with tempfile.TemporaryDirectory() as folder:
        server = Server(threads, folder)
        try:
            results = asyncio.run(measure(server.port, options.clients, options.seconds, path))
            results["bytes_of_memory"] = server.memory()
        finally:
            server.end()
    results["conditions"] = {**conditions(), "threads": threads}
    print(serve_table(results))
    save(results, options.output)
    if results["lost"]:
        raise SystemExit(f"{results['lost']} requests were lost")


if __name__ == "__main__":
    main()
