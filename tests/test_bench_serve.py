"""`bench_serve`: that it runs, stores what the table needs, and counts what is lost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp import native

pytestmark = pytest.mark.extras
pytest.importorskip("uvicorn", reason="needs meprop-nlp[serve]")
needs_core = pytest.mark.skipif(native.core() is None, reason=native.why_missing())


@needs_core
def test_quick_run_loses_nothing(
    script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench, path = script("bench_serve"), tmp_path / "serve.json"
    bench.main(["--quick", "--output", str(path)])
    found = json.loads(path.read_text(encoding="utf-8"))
    assert (found["clients"], found["lost"]) == (8, 0)
    assert found["requests"] > 0
    assert found["ms"]["p50"] <= found["ms"]["p99"] <= found["ms"]["p100"]
    assert "| clients | seconds | requests | lost |" in capsys.readouterr().out


@needs_core
def test_answers_that_differ_are_lost(script: Any, tmp_path: Path) -> None:
    bench = script("bench_serve")
    n_asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal n_asked
        while head := await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(int(head.partition(b"Content-Length: ")[2]))
            n_asked += 1
            wrong = b"x" if n_asked > 300 and n_asked % 2 else b""
            body = b'{"result": "# newdoc"}' + wrong
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    async def measured() -> dict[str, Any]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        found: dict[str, Any] = await bench.measure(port, 2, 0.5, bench.sample_treebank("dev"))
        server.close()
        return found

    found = asyncio.run(measured())
    assert found["requests"] + found["lost"] > 2
    assert abs(found["requests"] - found["lost"]) <= 302


def test_percentiles_are_values_that_were_measured(script: Any) -> None:
    percentile = script("bench_serve").percentile
    ordered = [float(n) for n in range(1, 101)]
    assert [percentile(ordered, p) for p in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert percentile([3.0], 50) == percentile([3.0], 99) == 3
