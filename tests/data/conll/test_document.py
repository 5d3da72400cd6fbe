"""The core's CoNLL reader and writer against those in Python."""

from __future__ import annotations

import io
import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meprop_nlp import native
from meprop_nlp.data.conll.layout import CONLLU, Layout
from meprop_nlp.data.conll.reading import read_blocks
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import COLUMNS, UNSET
from meprop_nlp.errors import DataError

CORE: Any = native.core()
pytestmark = pytest.mark.skipif(CORE is None, reason=native.why_missing())

# Texts that the fuzzer found worth keeping, by name; each character stands for one byte.
CORPUS = json.loads(Path(__file__).with_name("corpus.json").read_text(encoding="utf-8"))

seeds = st.integers(0, 2**32)


def python_reads(text: bytes, layout: Layout) -> list[Sentence] | None:
    """Return the sentences; None if there is a fault or another layout."""
    try:
        blocks = list(read_blocks(io.BytesIO(text), input_format=layout.kind))
    except DataError:
        return None
    good = all(isinstance(block, Sentence) and block.layout == layout for block in blocks)
    return blocks if good else None  # type: ignore[return-value]


def native_columns(document: Any) -> list[list[str]]:
    """Return the columns of each word, with HEAD as an integer."""
    columns = [document.column(i) for i in range(8)]
    columns[6] = [UNSET if head == "_" else int(head) for head in columns[6]]
    return [list(word) for word in zip(*columns, strict=True)]


def python_columns(sentences: list[Sentence]) -> list[list[Any]]:
    """Return the columns of each word of the sentences."""
    return [
        [str(word.id), *(getattr(word, name) for name in COLUMNS[1:8])]
        for sentence in sentences
        for word in sentence.words
    ]


def written(sentences: list[Sentence]) -> bytes:
    """Return the text of a file with these sentences."""
    return "".join(map(str, sentences)).encode()


def unchanged(document: Any) -> bytes:
    """Return the text of the document, written without changes."""
    return CORE.write_document(document, [], None, "keep", [])


def check_agreement(text: bytes, layout: Layout) -> bool:
    """Assert that the two readers agree; return whether the core accepted the text."""
    document = CORE.read_document(text, *layout[:2])
    sentences = python_reads(text, layout)
    if document is None:
        # the core may refuse only faults, NUL, and text that is not written back unchanged
        assert sentences is None or written(sentences) != text or b"\0" in text
        return False
    assert sentences is not None
    ends = document.sentences.tolist()
    assert ends[0] == 0
    assert [last - first for first, last in pairwise(ends)] == [len(s) for s in sentences]
    assert (document.n_sentences, document.n_words) == (len(sentences), ends[-1])
    assert native_columns(document) == python_columns(sentences)
    assert unchanged(document) == written(sentences) == text
    return True


class TestReading:
    @given(seeds)
    @settings(max_examples=100)
    def test_valid_text_is_accepted(self, make_clean: Any, layout: Layout, seed: int) -> None:
        assert check_agreement(make_clean(random.Random(seed), layout), layout)

    @given(seeds)
    @settings(max_examples=400)
    def test_no_other_text_is_accepted(self, make_messy: Any, layout: Layout, seed: int) -> None:
        check_agreement(make_messy(random.Random(seed), layout), layout)

    @given(st.binary())
    def test_any_bytes_are_read_or_refused(self, layout: Layout, text: bytes) -> None:
        check_agreement(text, layout)

    @pytest.mark.parametrize("name", CORPUS)
    def test_text_found_by_the_fuzzer(self, name: str, layout: Layout) -> None:
        check_agreement(CORPUS[name].encode("latin-1"), layout)

    def test_empty_text_has_no_sentences(self) -> None:
        document = CORE.read_document(b"", "conllu", 10)
        assert (document.n_words, document.n_sentences) == (0, 0)
        assert unchanged(document) == b""

    @pytest.mark.parametrize("length", [*range(40, 90), 200, 5000])
    def test_every_length_of_line(self, length: int) -> None:
        form = "x" * (length - 20)
        rest = "\t_" * 8
        text = f"1\t{form}{rest}\n2\té{rest}\n\n".encode()
        assert CORE.read_document(text, "conllu", 10).column(1) == [form, "é"]
        for at in range(len(text)):
            for other in (b"\r", b"\0", b"\xff"):
                wrong = text[:at] + other + text[at + 1 :]
                assert CORE.read_document(wrong, "conllu", 10) is None

    def test_long_sentence(self) -> None:
        lines = [f"{i}\tw\t_\t_\t_\t_\t{i - 1}\t_\t_\t_\n" for i in range(1, 20_001)]
        assert CORE.read_document("".join([*lines, "\n"]).encode(), "conllu", 10).n_words == 20_000
        lines[-1] = lines[-1].replace("\t19999\t", "\t20001\t")
        assert CORE.read_document("".join([*lines, "\n"]).encode(), "conllu", 10) is None


class TestWriting:
    @given(seeds, st.sampled_from(["keep", "empty", "tree"]))
    @settings(max_examples=200)
    def test_changes_are_those_of_with_columns(
        self, make_clean: Any, layout: Layout, seed: int, deps: str
    ) -> None:
        rng = random.Random(seed)
        text = make_clean(rng, layout)
        document = CORE.read_document(text, *layout[:2])
        sentences = python_reads(text, layout)
        assert sentences is not None
        places = rng.sample([1, 2, 3, 4, 5, 7], rng.randint(0, 6))
        table = ["N", "X|é", "long" * 9]
        ids = {at: [rng.randrange(3) for _ in range(document.n_words)] for at in places}
        heads = [rng.randint(-1, len(s)) for s in sentences for _ in s.words]
        new_heads = rng.random() < 0.5
        deps = "empty" if layout.kind == "conllx" and deps == "tree" else deps

        expected = b""
        start = 0
        for sentence in sentences:
            end = start + len(sentence)
            changes: dict[str, Any] = {
                COLUMNS[at]: [table[i] for i in ids[at][start:end]] for at in places
            }
            if new_heads:
                changes["head"] = heads[start:end]
            changed = sentence.with_columns(**changes)
            if deps == "empty" or (deps == "tree" and not sentence.has_enhanced_graph):
                changed = changed.with_columns(deps=["_"] * len(sentence))
            elif deps == "tree":
                arcs = [f"{w.head}:{w.deprel}" if w.head >= 0 else "_" for w in changed.words]
                changed = changed.with_columns(deps=arcs)
            expected += str(changed).encode()
            start = end

        texts = [
            (at, [value.encode() for value in table], np.array(ids[at], np.int32)) for at in places
        ]
        given_heads = np.array(heads, np.int32) if new_heads else None
        assert CORE.write_document(document, texts, given_heads, deps, []) == expected

    @given(seeds, st.lists(st.floats(0, 1e6, width=32), min_size=1))
    def test_attributes_are_added_to_misc(
        self, make_clean: Any, seed: int, values: list[float]
    ) -> None:
        text = make_clean(random.Random(seed), CONLLU)
        document = CORE.read_document(text, *CONLLU[:2])
        given_values = np.resize(np.array(values, np.float32), document.n_words)
        other = np.full(document.n_words, 0.5, np.float32)
        attributes = [(b"conf", given_values), (b"arc", other)]
        changed = CORE.write_document(document, [], None, "keep", attributes)
        expected = [
            "|".join(
                [part for part in misc.split("|") if misc != "_" and not part.startswith("conf=")]
                + [f"conf={abs(value):.4f}", "arc=0.5000"]
            )
            for misc, value in zip(document.column(9), given_values.tolist(), strict=True)
        ]
        again = CORE.read_document(changed, *CONLLU[:2])
        assert again.column(9) == expected
        assert [again.column(i) for i in range(9)] == [document.column(i) for i in range(9)]

    def test_attribute_of_the_same_name_is_replaced(self) -> None:
        text = "1\ta" + "\t_" * 7 + "\tp=1|Space=No|p=2|pp=3|p\n\n"
        document = CORE.read_document(text.encode(), *CONLLU[:2])
        values = np.array([0.9731], np.float32)
        changed = CORE.write_document(document, [], None, "keep", [(b"p", values)])
        assert changed.endswith(b"\tSpace=No|pp=3|p=0.9731\n\n")


@pytest.mark.parametrize("name", ["ud-english-ewt", "ud-turkish-imst"])
def test_treebank_is_accepted(shared_data: Path, name: str) -> None:
    text = (shared_data / name / "test.conllu").read_bytes()
    assert check_agreement(text, CONLLU)
