"""The tokenizer: nothing of a text is lost, whatever its weights say; NumPy and core agree."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.conll.validate import validate
from meprop_nlp.data.document import Document
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import text_of
from meprop_nlp.data.tokens.composition import LONGEST_FORM, Composition
from meprop_nlp.data.tokens.splits import Splits
from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models import tokenizer as module
from meprop_nlp.models.file import TOKENIZER, ModelFile
from meprop_nlp.models.model import Model, load
from meprop_nlp.models.tokenizer import (
    COMPOSITION,
    MOST_TOKENS,
    Tokenizer,
    composition_arrays,
    part_of,
)

from .models import random_joint, random_tokenizer

OF_THE_TEXT = {"unicode-normalization", "invalid-utf"}  # faults of its characters, which stay
WHITE_SPACE = " \t\n\r\x0b\x0c\x1c\x85\xa0\u2003\u2028\u3000"
TEXTS = st.text(
    st.one_of(
        st.sampled_from("ab.?'C0 \n" + WHITE_SPACE),
        st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"),
    )
)


@pytest.fixture(scope="module", params=[False, True])
def tokenizers(request: pytest.FixtureRequest) -> list[Tokenizer]:
    return [Tokenizer(random_tokenizer(n, spaces_within=request.param)) for n in range(4)]


@given(TEXTS)
@settings(max_examples=300)
def test_the_text_comes_back_character_by_character(tokenizers: list[Tokenizer], text: str) -> None:
    for tokenizer in tokenizers:
        found = list(read_text(tokenizer.conllu(text), input_format="conllu"))
        assert text_of(found) == (text if text.strip() else "")
        for sentence in found:
            assert sentence.text == sentence.joined_text()


@given(TEXTS.filter(str.strip))
def test_what_is_written_is_valid(tokenizers: list[Tokenizer], text: str) -> None:
    for tokenizer in tokenizers:
        with_trees = Document(read_text(tokenizer.conllu(text), input_format="conllu"))
        again = Document(read_text(with_trees.to_conllu(), input_format="conllu"))
        assert again.to_conllu() == with_trees.to_conllu() == tokenizer.conllu(text)
        found = validate(io.StringIO(tokenizer.conllu(text)), input_format="conllu", trees=False)
        assert {f.code for f in found if f.severity == "error"} <= OF_THE_TEXT


@given(TEXTS)
def test_tokens_do_not_reach_over_white_space(text: str) -> None:
    never = Tokenizer(random_tokenizer(1, bias=[99, 0, 0, 0, 0]))
    found = list(read_text(never.conllu(text), input_format="conllu"))
    tokens = [form for sentence in found for form, _ in sentence.tokens()]
    assert tokens == text.split()


@given(TEXTS, st.integers(0, 10**12))
def test_tokens_say_where_they_stood(text: str, first: int) -> None:
    tokenizer = Tokenizer(random_tokenizer(2))
    found = list(read_text(tokenizer.conllu(text, first=first), input_format="conllu"))
    for sentence in found:
        for form, misc in sentence.tokens():
            stood = next(a for a in misc.split("|") if a.startswith("TokenRange="))
            start, end = (int(n) - first for n in stood.removeprefix("TokenRange=").split(":"))
            assert text[start:end] == form
    assert text_of(found) == (text if text.strip() else "")


def test_an_empty_line_ends_a_paragraph() -> None:
    never = Tokenizer(random_tokenizer(1, bias=[99, 0, 0, 0, 0]))
    text = "a b\nc\n\nd\r\n \t\r\ne\r\nf\n\n\n"
    found = list(read_text(never.conllu(text), input_format="conllu"))
    assert [sentence.text for sentence in found] == ["a b c", "d", "e f"]
    assert [sentence.comments[0] for sentence in found] == ["# newpar"] * 3


def test_the_end_of_a_text_ends_a_sentence_whatever_the_network_says() -> None:
    never = Tokenizer(random_tokenizer(1, bias=[99, 0, 0, 0, 0]))
    assert len(list(read_text(never.conllu("no full stop")))) == 1
    assert never.conllu("") == never.conllu(" \n\n ") == ""


def test_a_sentence_is_no_longer_than_is_stated() -> None:
    never = Tokenizer(random_tokenizer(1, bias=[99, 0, 0, 0, 0]))
    text = "a " * (2 * MOST_TOKENS + 5)
    found = list(read_text(never.conllu(text), input_format="conllu"))
    assert [len(sentence) for sentence in found] == [MOST_TOKENS, MOST_TOKENS, 5]
    assert text_of(found) == text


def test_multiword_tokens_are_split() -> None:
    always = Tokenizer(random_tokenizer(1, bias=[0, 0, 99, 0, 0]))  # each character is one
    found = next(read_text(always.conllu("abc"), input_format="conllu"))
    assert [token.form for token in found.multiword_tokens] == []  # too short to be split
    never = Tokenizer(random_tokenizer(1, bias=[99, 0, 0, 0, 0]))
    found = next(read_text(never.conllu("x Abc y"), input_format="conllu"))
    assert found.forms == ["x", "Ab", "c", "y"]  # always split, whatever the network says
    assert [(t.first, t.last, t.form) for t in found.multiword_tokens] == [(2, 3, "Abc")]
    assert found.text == "x Abc y"


def composed(sentences: list[Sentence], *, bias: Any = None) -> ModelFile:
    """A tokenizer that judges tokens by their forms, as it has learnt from a treebank."""
    composition = Composition.build(sentences)
    assert composition is not None
    file = random_tokenizer(1, bias=bias)
    file.header[TOKENIZER]["splits"] = Splits.build(sentences).to_dict()
    return replace(file, arrays={**file.arrays, **composition_arrays(composition)})


def test_tokens_are_judged_by_their_forms_whatever_the_network_says(
    suffixed: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    never = Tokenizer(composed(suffixed, bias=[99, 0, 0, 0, 0]))
    text = "Tetedi pabodi tete KIDIDI Tetedi tete"
    found = next(read_text(never.conllu(text), input_format="conllu"))
    assert found.forms == ["Tete", "di", "pabodi", "tete", "KIDI", "DI", "Tete", "di", "tete"]
    assert found.text == text
    whole = [f"{'a' * LONGEST_FORM}tetedi", "tete"]  # too long to be looked at, and one word
    assert never.words_of(whole, np.ones(2, np.bool_)) == {}
    # what is kept has a bound, and changes nothing
    monkeypatch.setattr(module, "MOST_FORMS", 2)
    again = Tokenizer(composed(suffixed, bias=[99, 0, 0, 0, 0]))
    assert again.conllu(text) == never.conllu(text)
    assert len(again._kept) <= 2


def test_a_composition_that_does_not_fit_is_refused(suffixed: list[Sentence]) -> None:
    for name in ("bias", "texts", "counts"):
        file = composed(suffixed)
        del file.arrays[f"{COMPOSITION}{name}"]
        with pytest.raises(CheckpointError, match="has no weights"):
            Tokenizer(file)
    file = composed(suffixed)
    file.arrays[f"{COMPOSITION}texts"] = np.arange(9, dtype=np.uint8)
    with pytest.raises(CheckpointError, match="compressed"):
        Tokenizer(file)
    for name in ("weight", "bias"):
        file = composed(suffixed)
        array = file.arrays[f"{COMPOSITION}{name}"]
        file.arrays[f"{COMPOSITION}{name}"] = array[:-1]
        with pytest.raises(CheckpointError, match="expected"):
            Tokenizer(file)
        file.arrays[f"{COMPOSITION}{name}"] = np.full_like(array, np.nan)
        with pytest.raises(MePropError, match="not finite"):
            Tokenizer(file)
    file = composed(suffixed)
    file.arrays[f"{COMPOSITION}counts"][-1] = -1
    with pytest.raises(CheckpointError, match="not a table of forms"):
        Tokenizer(file)


def test_spaces_within_a_token_are_kept() -> None:
    header = random_tokenizer(1, spaces_within=True, bias=[99, 0, 0, 0, 0])
    found = list(read_text(Tokenizer(header).conllu("a \n b  c"), input_format="conllu"))
    assert found[0].forms == ["a b c"]
    assert text_of(found) == "a \n b  c"


def test_a_token_with_a_space_is_one_word() -> None:
    bias = [0, 0, 99, 0, 0]  # all tokens are several words
    tokenizer = Tokenizer(random_tokenizer(1, spaces_within=True, bias=bias))
    split = np.ones(2, np.bool_)
    assert tokenizer.splits.words("b c") == ["b ", "c"]
    assert tokenizer.words_of(["abc", "b c"], split) == {0: ["ab", "c"]}


@pytest.mark.parametrize("seed", range(5))
def test_the_core_finds_what_numpy_finds(
    seed: int, core: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(seed)
    text = "".join(rng.choice(list("abcAB.,'? \n\u4e00\u00e9\U0001f600"), 5000))
    native = Tokenizer(random_tokenizer(seed)).conllu(text)
    monkeypatch.setattr(module, "core", lambda: None)
    assert Tokenizer(random_tokenizer(seed)).conllu(text) == native


def test_windows_agree_with_reading_the_whole_text(monkeypatch: pytest.MonkeyPatch) -> None:
    # of the state at the end of a margin little is left at its beginning
    rng = np.random.default_rng(3)
    text = "".join(rng.choice(list("abcAB.,'? "), 4000))
    tokenizer = Tokenizer(random_tokenizer(3))
    in_windows = tokenizer.conllu(text)
    monkeypatch.setattr(module, "WINDOW", 5000)
    assert len(set(in_windows.split("\n")) ^ set(tokenizer.conllu(text).split("\n"))) < 20


@given(st.lists(st.text("abC.,' \n", min_size=1).filter(str.strip), min_size=2, max_size=5))
def test_each_paragraph_is_read_for_itself(paragraphs: list[str]) -> None:
    tokenizer = Tokenizer(random_tokenizer(1))
    parts = [f"{paragraph.strip()}\n\n" for paragraph in paragraphs]
    whole = tokenizer.conllu("".join(parts))
    assert whole == "".join(map(tokenizer.conllu, parts))


@pytest.mark.parametrize(
    ("name", "value"),
    [("characters", ["a"]), ("splits", {"rules": {"s": 1}, "always": []}), ("splits", 5)],
)
def test_a_crafted_header_is_refused(name: str, value: object, tmp_path: Any) -> None:
    file = random_tokenizer(1)
    file.header[TOKENIZER][name] = value
    joint = random_joint(1)
    whole = ModelFile({**joint.header, **file.header}, {**joint.arrays, **file.arrays})
    from meprop_nlp.models.file import write_model_file

    write_model_file(tmp_path / "m.safetensors", whole.header, whole.arrays)
    with pytest.raises(CheckpointError, match=r"m\.safetensors"):
        load(tmp_path / "m.safetensors")


@pytest.mark.parametrize("name", list(random_tokenizer(1).arrays))
def test_arrays_that_do_not_fit_are_refused(name: str) -> None:
    file = random_tokenizer(1)
    rest = {key: array for key, array in file.arrays.items() if key != name}
    with pytest.raises(CheckpointError, match=r"has no weights|inputs|expected"):
        Tokenizer(ModelFile(file.header, rest))
    wide = np.pad(file.arrays[name], [(0, 1)] * file.arrays[name].ndim)
    with pytest.raises(CheckpointError, match=r"expected"):
        Tokenizer(ModelFile(file.header, {**rest, name: wide}))
    nan = np.full_like(file.arrays[name], np.nan)
    with pytest.raises(MePropError, match="not finite"):
        Tokenizer(ModelFile(file.header, {**rest, name: nan}))


def test_a_model_takes_texts_with_its_tokenizer() -> None:
    file, joint = random_tokenizer(1, bias=[99, 0, 0, 0, 0]), random_joint(1)
    model = Model(ModelFile({**joint.header, **file.header}, {**joint.arrays, **file.arrays}))
    document = model("the old man\n\nthe boats")
    assert isinstance(document, Document)
    assert [sentence.forms for sentence in document] == [["the", "old", "man"], ["the", "boats"]]
    assert document.text == "the old man\n\nthe boats"
    assert all(word.upos != "_" for sentence in document for word in sentence)
    part = part_of(model.file)
    assert part is not None
    assert Tokenizer(part).conllu("the old") == "".join(
        map(str, read_text(Tokenizer(file).conllu("the old"), input_format="conllu"))
    )
    assert part_of(joint) is None
    assert Tokenizer.of(joint) is None
