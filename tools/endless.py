"""Send a long stream, made on the fly, through a command; print its memory and its pace.

    python tools/endless.py [--megabytes N] [--seconds N] KIND COMMAND ...

    python tools/endless.py --megabytes 10000 conllu tag -m models/tagger.safetensors
    python tools/endless.py --megabytes 300 text annotate -m en
    python tools/endless.py --megabytes 150 forms tag -m models/tagger.safetensors
    python tools/endless.py --megabytes 20 sentence tag -m models/tagger.safetensors
    python tools/endless.py --megabytes 1000 line tag -m models/tagger.safetensors

KIND is `conllu`, words with one new form a sentence; `text`, running text in paragraphs; `forms`,
words that are all new; `sentence`, all words in one sentence; or `line`, one line without an end.
COMMAND reads standard input. Words are counted in what it writes. The pace is in words for each
second of its processor time, which other work on the machine disturbs little.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO

BLOCK = 2_000_000  # bytes that are made at once, about
REPORTS = 12
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
TICKS = os.sysconf("SC_CLK_TCK")


def spelt(number: int) -> str:
    """Return a number as a word of its own."""
    syllables = []
    while True:
        number, place = divmod(number, len(CONSONANTS) * len(VOWELS))
        syllables.append(CONSONANTS[place // len(VOWELS)] + VOWELS[place % len(VOWELS)])
        if not number:
            return "".join(syllables)


def sentences(rng: random.Random, n: int) -> list[list[str]]:
    """Return sentences of common words, each with a place, `%s`, for a new one."""
    found = []
    for _ in range(n):
        words = [spelt(int(rng.expovariate(1 / 3000))) for _ in range(rng.randint(4, 30))]
        words[rng.randrange(len(words))] = "%s"
        found.append([*words, "."])
    return found


def rows(words: list[str]) -> str:
    """Return a sentence as CoNLL-U that nobody has annotated."""
    return "".join(f"{n}\t{word}" + "\t_" * 8 + "\n" for n, word in enumerate(words, start=1))


def pieces(kind: str) -> Iterator[str]:
    """Yield the pieces of an endless stream."""
    rng, number = random.Random(1), count(10**6)
    if kind == "line":
        while True:
            yield "a" * BLOCK
    if kind in ("forms", "sentence"):
        for start in count(0, 20):
            first = start if kind == "sentence" else 0
            words = "".join(
                f"{first + n}\t{spelt(next(number))}" + "\t_" * 8 + "\n" for n in range(1, 21)
            )
            yield words if kind == "sentence" else words + "\n"
    made = sentences(rng, 5000)
    written = [rows(words) + "\n" for words in made]
    if kind == "text":
        written = [" ".join(words).replace(" .", ". ") for words in made]
    while True:
        end = "\n\n" if kind == "text" else ""
        yield "".join(rng.choice(written) % spelt(next(number)) for _ in range(8)) + end


class Sender(threading.Thread):
    """Writes the stream to a command until it is long enough or takes too long."""

    def __init__(self, stream: IO[bytes], kind: str, limit: int, seconds: float) -> None:
        super().__init__(daemon=True)
        self._stream, self._kind, self._limit, self._seconds = stream, kind, limit, seconds
        self.sent = 0

    def run(self) -> None:
        """Write."""
        started, block, size = time.monotonic(), [], 0
        try:
            for piece in pieces(self._kind):
                block.append(piece)
                size += len(piece)
                if size < BLOCK:
                    continue
                self._stream.write("".join(block).encode())
                self.sent += size
                block, size = [], 0
                if self.sent >= self._limit or time.monotonic() - started >= self._seconds:
                    break
            self._stream.close()
        except BrokenPipeError:  # it has refused the stream
            pass


def peak(pid: int) -> float:
    """Return the largest memory that a process has had so far, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
    return int(line.split()[1]) / 1000


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", choices=("conllu", "text", "forms", "sentence", "line"))
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    child = subprocess.Popen(
        [sys.executable, "-m", "meprop_nlp.cli", *options.command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    limit = options.megabytes * 1_000_000
    sender = Sender(child.stdin, options.kind, limit, options.seconds)
    sender.start()
    words = last_words = 0
    last_seconds, memory = 0.0, 0.0
    started = last_report = time.monotonic()
    while chunk := os.read(child.stdout.fileno(), 1 << 20):
        words += chunk.count(b"\n") - chunk.count(b"\n\n") - chunk.count(b"\n#")
        now = time.monotonic()
        if now - last_report < options.seconds / REPORTS and sender.sent < limit:
            continue
        last_report = now
        seconds, memory = processor_seconds(child.pid), peak(child.pid)
        if seconds - last_seconds > 1:
            pace = (words - last_words) / (seconds - last_seconds)
            sent = sender.sent / 1e6
            print(
                f"{now - started:7,.0f} s  {sent:9,.0f} MB  {words:13,} words  "
                f"peak {memory:7,.0f} MB  {pace:9,.0f} words per CPU second",
                flush=True,
            )
            last_words, last_seconds = words, seconds
    print(f"sent {sender.sent / 1e6:,.0f} MB, {words:,} words, exit status {child.wait()}")


if __name__ == "__main__":
    main()
