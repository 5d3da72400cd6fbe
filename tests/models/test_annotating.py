"""`annotate`: the same bytes through documents, through sentences, and on any threads."""

from __future__ import annotations

import functools
import gzip
import io
import random
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meprop_nlp import native
from meprop_nlp.data import source as opening
from meprop_nlp.data.conll.chunks import Chunk, read_chunks
from meprop_nlp.data.conll.layout import Layout
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.models import annotate as annotating
from meprop_nlp.models.annotate import Piece
from meprop_nlp.models.head import Head
from meprop_nlp.models.heads.graph import GraphHead
from meprop_nlp.models.heads.tree import TreeHead
from meprop_nlp.models.model import Model, freeze
from meprop_nlp.models.words import DocumentWords

from .models import random_parser, random_tagger

needs_core = pytest.mark.skipif(native.core() is None, reason=native.why_missing())
seeds = st.integers(0, 2**32)
sizes = st.integers(1, 600)
few = settings(deadline=None, max_examples=25)


class Models(NamedTuple):
    tagger: Model | None
    parser: Model | None

    def in_order(self) -> list[Model]:
        return [model for model in self if model is not None]


def models(*, tags: tuple[str, ...] | None, reads: tuple[str, ...] | None) -> Models:
    """Models that predict and read these columns; None without the model.

    Five of the parser's labels, the last of them lifted.
    """
    tagger = None if tags is None else freeze(random_tagger(1, columns=tags))
    parser = None if reads is None else freeze(random_parser(3, tag_columns=reads, exact=False))
    return Models(tagger, parser)


COMBINATIONS = {
    "tag": {"tags": ("upos", "xpos"), "reads": None},
    "parse": {"tags": None, "reads": ("xpos", "upos")},
    "both": {"tags": ("xpos", "upos"), "reads": ("upos",)},
    "mixed": {"tags": ("upos",), "reads": ("xpos", "upos")},
    "apart": {"tags": ("xpos",), "reads": ("upos",)},
    "untagged": {"tags": ("upos",), "reads": ()},
}


@pytest.fixture(scope="module", params=COMBINATIONS)
def some(request: pytest.FixtureRequest) -> Models:
    """Each combination of models in turn."""
    return models(**COMBINATIONS[request.param])


def collected(pieces: Iterable[Any]) -> tuple[bytes, str | None]:
    """The text of pieces or sentences, and the error that they end with."""
    texts: list[bytes] = []
    try:
        for piece in pieces:
            texts.append(piece.text if isinstance(piece, Piece) else str(piece).encode())
    except DataError as error:
        # the hint depends on how much more of the text was at hand
        return b"".join(texts), re.sub("not valid UTF-8; .*", "not valid UTF-8", str(error))
    return b"".join(texts), None


def read_and_piped(
    text: bytes, models: Models, *, confidence: bool, **options: Any
) -> Iterator[Sentence]:
    """What `annotate` should return, made sentence by sentence with `pipe` alone."""
    for sentence in read(io.BytesIO(text), **options):
        for model in models.in_order():
            (sentence,) = model.annotated([sentence], confidence=confidence)
        yield sentence


def annotated(
    text: bytes,
    models: Models,
    *,
    size: int,
    slow: bool = False,
    **options: Any,
) -> tuple[bytes, str | None]:
    """What `annotate` returns in chunks of `size` bytes, with or without native documents."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_PIECE", size)
        patch.setattr(annotating, "read_chunks", functools.partial(read_chunks, size=size))
        if slow:
            patch.setattr(Chunk, "document", lambda chunk: None)
        return collected(annotating.annotate(io.BytesIO(text), models.in_order(), **options))


MakeText = Callable[[random.Random, Layout], bytes]


def several(seed: int, layout: Layout, make_clean: MakeText, make_messy: MakeText) -> bytes:
    """A file whose faults, if any, may be in its middle and in several places."""
    rng = random.Random(seed)
    makers = rng.choices([make_clean, make_messy], [3, 1], k=rng.randint(1, 6))
    return b"".join(make(rng, layout) for make in makers)


@few
@given(
    seed=seeds,
    size=sizes,
    confidence=st.booleans(),
    on_error=st.sampled_from(["fail", "skip"]),
    max_errors=st.sampled_from([1, 2, 20]),
    threads=st.sampled_from([1, 2, 5]),
)
def test_any_text_comes_out_as_read_and_piped(
    make_clean: MakeText,
    make_messy: MakeText,
    layout: Layout,
    some: Models,
    seed: int,
    size: int,
    confidence: bool,
    on_error: str,
    max_errors: int,
    threads: int,
) -> None:
    text = several(seed, layout, make_clean, make_messy)
    options: dict[str, Any] = {"on_error": on_error}
    options |= {"max_errors": max_errors, "confidence": confidence}
    expected = collected(read_and_piped(text, some, **options))
    for slow in (False, True):
        found = annotated(text, some, size=size, slow=slow, threads=threads, **options)
        refused = found[1] or ""
        if "looks like text" in refused:
            assert found[0] == b""  # two columns with spaces are text, too
        elif "with no MISC for `confidence`" in refused:
            assert confidence
            assert found[0] == b""
        else:
            assert found == expected


@pytest.mark.parametrize("misc", ["|a||b|", "||", "A=1||ArcConf=0.5|"])
def test_empty_attributes_make_room_for_new_ones(misc: str, some: Models) -> None:
    text = f"1\ta\t_\tDET\tDT\t_\t0\troot\t_\t{misc}\n\n".encode()
    options: dict[str, Any] = {"confidence": True, "input_format": "conllu"}
    expected = collected(read_and_piped(text, some, **options))
    assert b"|\n" not in expected[0]
    assert b"||" not in expected[0]
    for slow in (False, True):
        assert annotated(text, some, size=1 << 16, slow=slow, **options) == expected


@pytest.mark.parametrize("columns", ["a", "a\tDT", "a\tDT\t0", "a\tDT\t0\troot"])
def test_files_of_words_and_tabs(columns: str, some: Models) -> None:
    text = f"{columns}\n\n".encode() * 9
    options: dict[str, Any] = {"confidence": False, "input_format": "tab"}
    expected = collected(read_and_piped(text, some, **options))
    assert expected[1] is None
    refused = annotated(text, some, size=20, **options | {"confidence": True})
    assert "with no MISC for `confidence`" in (refused[1] or "")
    for threads in (1, 2, 5):
        assert annotated(text, some, size=20, threads=threads, **options) == expected


MULTIWORD = "1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n"
WORDS = "1\tthe\t_\tDET\tDT\t_\t2\tdet\t2:det\tA=b\n2\tman\t_\tNOUN\tNN\t_\t0\troot\t0:root\t_\n"
EMPTY_NODE = "2.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t2:conj\t_\n"


@pytest.mark.parametrize(
    "text",
    [
        MULTIWORD + WORDS + EMPTY_NODE + "\n",
        "# sent_id = 1\n" + WORDS,
        "\ufeff# text = é\n" + WORDS + "\n",
        (WORDS + "\n" + WORDS + "\n").replace("\n", "\r\n"),
        (WORDS + "\n" + WORDS + "\n").replace("\n", "\r"),
        "# only\n\n# comments\n\n" + WORDS + "\n# at the end\n\n",
        "# nothing else\n\n",
        WORDS.replace("A=b", "") + "\n",
        "\n\n\n" + WORDS + "\n\n\n" + WORDS + "\n\n",
        "",
    ],
)
def test_what_a_file_may_hold_besides_words(text: str, some: Models) -> None:
    options = {"confidence": True}
    expected = collected(read_and_piped(text.encode(), some, **options))
    assert expected[1] is None
    for size in (1, 1000):
        for slow in (False, True):
            assert annotated(text.encode(), some, size=size, slow=slow, **options) == expected


@needs_core
def test_clean_chunks_are_documents_and_the_others_are_not(some: Models) -> None:
    seen: list[bool] = []
    original = Chunk.document

    def watched(chunk: Chunk) -> Any:
        document = original(chunk)
        seen.append(document is not None)
        return document

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chunk, "document", watched)
        text = f"{WORDS}\n" * 3 + "1\tfaulty\n\n" + f"{WORDS}\n" * 3
        annotated(text.encode(), some, size=1, on_error="skip")
    assert seen[0]
    assert seen[-1]
    assert seen.count(False) == 1


@needs_core
def test_lifted_labels_are_taken_down_on_both_ways() -> None:
    both = models(tags=None, reads=("upos",))
    assert both.parser is not None
    rng = random.Random(5)
    forms = ["the", "old", "man", "boats", "."]
    lines = (
        "".join(
            f"{n}\t{rng.choice(forms)}\t_\tDET\t_\t_\t_\t_\t_\t_\n" for n in range(1, length + 1)
        )
        for length in rng.choices(range(1, 20), k=40)
    )
    text = "\n".join([*lines, ""]).encode()
    # the network itself does choose lifted labels
    head = both.parser.heads["tree"]
    assert isinstance(head, TreeHead)
    lifted = head.labels.index("acl\u2191obj")
    [chunk] = read_chunks(io.BytesIO(text))
    assert (head._parser.parse(DocumentWords(chunk.document())).labels == lifted).any()
    fast = annotated(text, both, size=500)
    assert fast == annotated(text, both, size=500, slow=True)
    assert "\u2191" not in fast[0].decode()


@needs_core
@few
@given(seed=seeds)
def test_reference_kernels_give_the_same(make_clean: MakeText, layout: Layout, seed: int) -> None:
    text = make_clean(random.Random(seed), layout)
    combination = COMBINATIONS["mixed"]
    fast = annotated(text, models(**combination), size=400)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("data.conll.chunks", "models.heads.tags", "models.heads.tree"):
            patch.setattr(f"meprop_nlp.{module}.core", lambda: None)
        slow = annotated(text, models(**combination), size=400)
    assert fast == slow


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("slow", [False, True])
def test_what_is_whole_before_a_file_breaks_off_comes_out(
    threads: int, slow: bool, some: Models
) -> None:
    whole = f"{WORDS}\n".encode() * 2000
    packed = gzip.compress(whole, 0)
    broken = packed[: len(packed) // 2]
    texts, error = annotated(broken, some, size=999, slow=slow, threads=threads)
    assert error is not None
    assert "cut off" in error
    assert texts == collected(read_and_piped(broken, some, confidence=False))[0]
    assert len(texts) > 10_000


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_faults_are_reported_as_by_read(threads: int, some: Models) -> None:
    faults = ["1\tfaulty\n\n", "2\tx\t_\t_\t_\t_\t0\t_\t_\t_\n\n", "1\t" + 9 * "\t" + "\n\n"]
    text = "".join(fault + f"{WORDS}\n" * 3 for fault in ["", *faults]).encode()
    reports = []
    for source in (read, annotating.annotate):
        report = TreebankReport()
        options: dict[str, Any] = {"on_error": "skip", "report": report}
        if source is read:
            list(read(io.BytesIO(text), **options))
        else:
            annotated(text, some, size=60, threads=threads, **options)
        reports.append((report.skipped, report.problems))
    assert reports[0] == reports[1]
    assert reports[0][0] == 3


def test_text_streams_and_other_encodings(some: Models) -> None:
    text = f"# é\n{WORDS}\n1\tfaulty\n\n"
    expected = collected(read_and_piped(text.encode(), some, confidence=False))
    models = some.in_order()
    assert collected(annotating.annotate(io.StringIO(text), models)) == expected
    latin = io.BytesIO(text.encode("latin-1"))
    assert collected(annotating.annotate(latin, models, encoding="latin-1")) == expected


@pytest.mark.parametrize("threads", [1, 3])
def test_header_of_a_sentence_left_out_is_written(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Head, "most_words", 3)
    tagger = freeze(random_tagger(1, columns=("upos",)))
    header, rest = "# global.columns = ID FORM X\n", "1\tman\tx\n\n"
    faulty, long = "1\ta\n\n", "".join(f"{i}\ta\tx\n" for i in range(1, 5)) + "\n"
    (upos,) = tagger(["man"]).column("upos")
    expected = "# global.columns = ID FORM X UPOS\n" + f"1\tman\tx\t{upos}\n\n" * 2
    for start in ("", faulty, long, faulty + long + faulty):
        text = header + start + rest * 2
        for source, encoding in (
            (io.BytesIO(text.encode()), "utf-8"),
            (io.BytesIO(text.encode()), "latin-1"),
            (io.StringIO(text), "utf-8"),
        ):
            pieces = annotating.annotate(
                source, [tagger], on_error="skip", encoding=encoding, threads=threads
            )
            assert b"".join(piece.text for piece in pieces).decode() == expected
        if native.core() is not None:
            chunks = read_chunks(io.BytesIO(text.encode()), size=1)
            monkeypatch.setattr(annotating, "read_chunks", lambda *_, c=chunks, **__: c)
            pieces = annotating.annotate(
                io.BytesIO(text.encode()), [tagger], on_error="skip", threads=threads
            )
            assert b"".join(piece.text for piece in pieces).decode() == expected
            monkeypatch.setattr(annotating, "read_chunks", read_chunks)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("slow", [False, True])
def test_sentence_that_is_too_long_is_a_fault_at_its_line(
    slow: bool, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Head, "most_words", 3)
    if slow:
        monkeypatch.setattr(Chunk, "document", lambda chunk: None)
    tagger = freeze(random_tagger(1, columns=("upos",)))
    words = [["the", "old", "man"], ["the", "old", "old", "man"], ["the", "man"]]
    text = "# c\n" + "".join(Sentence.from_words(each).to_text() for each in words)
    message = "<stream>:6: a sentence of 4 words, expected at most 3; is there an empty line after"

    def annotated(source: Any, **options: Any) -> list[Piece]:
        return list(annotating.annotate(source, [tagger], threads=threads, **options))

    for source in (io.BytesIO(text.encode()), io.StringIO(text)):
        with pytest.raises(DataError, match=message):
            annotated(source)
    report = TreebankReport()
    pieces = annotated(io.BytesIO(text.encode()), on_error="skip", report=report)
    assert sum(map(len, pieces)) == 5
    assert report.skipped == 1
    latin = {"encoding": "latin-1", "on_error": "skip"}
    chosen = annotating.annotate(
        io.BytesIO(text.encode()), lambda words: [tagger], report=report, **latin
    )
    assert [piece.text for piece in chosen] == [b"".join(piece.text for piece in pieces)]
    assert report.skipped == 2
    assert GraphHead.most_words == 10_000
