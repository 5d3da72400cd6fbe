"""Chunks: whatever the cuts, sentences, line numbers and errors are those of `read`."""

from __future__ import annotations

import gzip
import io
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meprop_nlp import native
from meprop_nlp.data.conll import chunks
from meprop_nlp.data.conll.chunks import Chunk, read_chunks, read_documents
from meprop_nlp.data.conll.layout import Layout
from meprop_nlp.data.conll.reading import read, read_blocks
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError

LINE = "1\ta\t_\t_\t_\t_\t0\t_\t_\t_\n"
seeds = st.integers(0, 2**32)
needs_core = pytest.mark.skipif(native.core() is None, reason=native.why_missing())


class Dripping(io.BytesIO):
    """A stream that yields a few bytes at a time."""

    def __init__(self, text: bytes, drop: int) -> None:
        super().__init__(text)
        self.drop = drop

    def read1(self, size: int | None = -1) -> bytes:
        return super().read1(self.drop)


def outcomes(blocks: Iterable[Any]) -> list[Any]:
    """Return (path, line, last line, text) of each sentence, the faults, and the final error."""
    seen: list[Any] = []
    try:
        for block in blocks:
            if isinstance(block, Sentence):
                seen.append((block.path, block.line, block.word_line(len(block)), str(block)))
            else:
                seen.append(block)
    except DataError as error:
        seen.append((type(error), str(error).partition(";")[0]))
    return seen


def in_chunks(source: Any, size: int, input_format: str = "auto") -> Iterator[Any]:
    """Yield the blocks of all chunks."""
    for chunk in read_chunks(source, size=size, input_format=input_format):
        yield from chunk.blocks()


def merged(items: Iterable[Any]) -> str:
    """Return the text of documents and sentences."""
    core: Any = native.core()
    return "".join(
        str(item)
        if isinstance(item, Sentence)
        else core.write_document(item, [], None, "keep", []).decode()
        for item in items
    )


def written(items: Iterable[Any]) -> str:
    """Return the text, or the message of the error."""
    try:
        return merged(items)
    except DataError as error:
        return str(error)


class TestCutting:
    @given(seeds, st.integers(1, 400), st.integers(1, 70))
    @settings(max_examples=300)
    def test_blocks_do_not_depend_on_the_size_of_chunks(
        self, make_messy: Any, layout: Layout, seed: int, size: int, drop: int
    ) -> None:
        text = make_messy(random.Random(seed), layout)
        expected = outcomes(read_blocks(io.BytesIO(text), input_format=layout.kind))
        assert outcomes(in_chunks(Dripping(text, drop), size, layout.kind)) == expected
        assert outcomes(in_chunks(io.BytesIO(text), 1 << 18, layout.kind)) == expected

    @given(st.text(st.sampled_from("#10. a\n\n\n\r"), max_size=60), st.integers(1, 30))
    @settings(max_examples=300)
    def test_chunks_add_up_to_the_file(self, text: str, size: int) -> None:
        offset, line, joined = 0, 1, b""
        for chunk in read_chunks(Dripping(text.encode(), 5), size=size, input_format="tab"):
            assert (chunk.offset, chunk.first_line) == (offset, line)
            assert chunk.data
            offset += len(chunk.data)
            line += len(chunk.data.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"))
            line -= 1
            joined += chunk.data
        assert joined == text.encode()

    @given(seeds, st.integers(1, 300), st.sampled_from(["fail", "skip"]))
    @settings(max_examples=200)
    def test_documents_and_sentences_are_those_of_read(
        self, make_messy: Any, layout: Layout, seed: int, size: int, on_error: str
    ) -> None:
        text = make_messy(random.Random(seed), layout)
        expected, actual = [], []
        reports = TreebankReport(), TreebankReport()
        options: Any = {"input_format": layout.kind, "on_error": on_error, "max_errors": 3}
        errors = []
        for into, items in (
            (expected, read(io.BytesIO(text), **options, report=reports[0])),
            (
                actual,
                read_documents(Dripping(text, 9), **options, report=reports[1], size=size),
            ),
        ):
            try:
                into.extend(items)
                errors.append("")
            except DataError as error:
                errors.append(str(error).partition(";")[0])
        assert errors[0] == errors[1]
        assert merged(actual) == merged(expected)
        assert reports[0].problems == reports[1].problems
        assert reports[0].skipped == reports[1].skipped

    def test_comments_stay_with_their_sentence(self) -> None:
        text = f"{LINE}\n# a\n\n# b\n \n# c\n{LINE}\n# d\n\n".encode() * 3
        parts = [chunk.data for chunk in read_chunks(Dripping(text, 1), size=1)]
        assert len(parts) > 3
        assert all(part.endswith(LINE.encode() + b"\n") for part in parts[:-1])
        assert outcomes(in_chunks(Dripping(text, 1), 1)) == outcomes(read_blocks(io.BytesIO(text)))

    @pytest.mark.parametrize(
        "text",
        [
            f"\ufeff# a\n\n{LINE}\n",
            f"\ufeff\ufeff# a\n\n{LINE}\n",
            f"\ufeff\ufeff\n{LINE}\n\n",
            f"\ufeff\n# a\n\n{LINE}\n",
            f"# a\n0.1{LINE[1:]}\n{LINE}\n",
            f"{LINE}\r\r# a\n\n{LINE}\n",
            f"{LINE}\n{LINE}\n{LINE}\n".replace("\n", "\r\n") + "x",
            f"{LINE}\n \n\t\n{LINE} x\n\n# a\n \n{LINE}",
            f"{LINE}\n\ufeff{LINE}\n{LINE}\n",
        ],
    )
    @pytest.mark.parametrize("drop", [1, 2, 3, 7])
    def test_difficult_places_to_cut(self, text: str, drop: int) -> None:
        expected = outcomes(read_blocks(io.BytesIO(text.encode())))
        outcome = written(read(io.BytesIO(text.encode())))
        for size in range(1, len(text)):
            assert outcomes(in_chunks(Dripping(text.encode(), drop), size)) == expected
            assert written(read_documents(Dripping(text.encode(), drop), size=size)) == outcome

    def test_block_larger_than_a_chunk(self) -> None:
        lines = [LINE.replace("1", str(i), 1) for i in range(1, 5001)]
        block = ("".join(lines) + "\n").encode()
        text = block + (LINE + "\n").encode() * 10_000
        first, *others = [len(chunk.data) for chunk in read_chunks(Dripping(text, 70), size=1000)]
        assert len(block) <= first <= 2 * len(block)
        assert max(others) < 1100

    def test_file_of_comments_only(self) -> None:
        text = b"# a\n\n# b\n"
        [chunk] = read_chunks(io.BytesIO(text), size=1)
        assert (chunk.layout, list(chunk.blocks()), chunk.document()) == (None, [], None)

    def test_empty_file(self) -> None:
        assert list(read_chunks(io.BytesIO(b""))) == []

    def test_tab_columns(self) -> None:
        text = b"a\tN\n\n# c\n\nb\tN\n"
        parts = list(read_chunks(Dripping(text, 1), size=1))
        assert [chunk.layout for chunk in parts] == [Layout("tab", 2)] * 2
        assert [chunk.document() for chunk in parts] == [None] * 2
        assert outcomes(in_chunks(io.BytesIO(text), 1)) == outcomes(read_blocks(io.BytesIO(text)))

    def test_sentences_before_a_damaged_part_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "a.gz"
        rng = random.Random(0)
        text = "".join(LINE.replace("a", str(rng.random())) + "\n" for _ in range(20_000))
        path.write_bytes(gzip.compress(text.encode())[:-9000])
        expected = outcomes(read_blocks(path))
        assert len(expected) > 10_000
        assert outcomes(in_chunks(path, 1 << 18)) == expected
        assert "damaged" in expected[-1][1]

    def test_chunk_is_yielded_before_the_input_ends(self) -> None:
        given = []

        class Pipe(io.RawIOBase):
            def readable(self) -> bool:
                return True

            def readinto(self, buffer: Any) -> int:
                given.append(len(buffer))
                piece = (LINE + "\n").encode()[: len(buffer)]
                buffer[: len(piece)] = piece
                return len(piece)

        first = next(read_chunks(io.BufferedReader(Pipe()), size=1000))
        assert len(first.data) < 1100
        assert len(given) < 60


class TestFastPath:
    @needs_core
    @given(seeds, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(0, 4), st.booleans())
    def test_line_ends_and_byte_order_mark_do_not_matter(
        self, make_clean: Any, layout: Layout, seed: int, line_end: str, ends: int, mark: bool
    ) -> None:
        text = make_clean(random.Random(seed), layout).decode()
        changed = text.removesuffix("\n\n") + "\n" * ends
        changed = "\ufeff" * mark + changed.replace("\n", line_end)
        [chunk] = read_chunks(io.BytesIO(changed.encode()), input_format=layout.kind)
        assert chunk.layout == layout
        assert merged([chunk.document()]) == text

    @needs_core
    @pytest.mark.parametrize(
        "name", [f"ud-{name}/{split}.conllu" for name in ("english-ewt", "turkish-imst")
                 for split in ("train", "dev", "test")]
        + ["conllx-spanish/esp.test", "ptb-sample/dev.conllx"],
    )  # fmt: skip
    def test_every_chunk_of_a_treebank_is_a_document(self, shared_data: Path, name: str) -> None:
        path = shared_data / name
        documents = [chunk.document() for chunk in read_chunks(path)]
        assert None not in documents
        text = path.read_bytes()
        assert merged(documents).encode() == text.rstrip(b"\n") + b"\n\n"
        assert len(documents) >= len(text) // (1 << 19)

    @needs_core
    def test_threads_parse_chunks_in_parallel(self) -> None:
        text = (LINE + "\n").encode() * 20_000
        parts = list(read_chunks(io.BytesIO(text), size=1 << 16))
        assert len(parts) > 3
        with ThreadPoolExecutor(2) as pool:
            assert merged(pool.map(Chunk.document, parts)).encode() == text

    def test_without_the_core_sentences_are_yielded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(chunks, "core", lambda: None)
        text = (LINE + "\n").encode() * 2
        assert list(read_documents(io.BytesIO(text))) == list(read(io.BytesIO(text)))
