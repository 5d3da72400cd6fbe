"""Files of any bytes are read with nothing lost, or refused with the reason.

`CHECKS` says what holds of any bytes that are taken for a kind of file. tools/fuzz/fuzz_inputs.py
looks for bytes of which it does not hold, and what it found worth keeping is in inputs.json.
"""

from __future__ import annotations

import io
import json
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from meprop_nlp.commands.description import model_lines
from meprop_nlp.data.conll.reading import read, read_text
from meprop_nlp.data.conll.validate import validate
from meprop_nlp.data.document import Document
from meprop_nlp.data.penn.brackets import parse_trees, read_trees
from meprop_nlp.data.penn.dependencies import to_sentence
from meprop_nlp.data.spaces import text_of
from meprop_nlp.data.text import read_texts
from meprop_nlp.data.trees import find_cycle
from meprop_nlp.data.vectors import read_vectors
from meprop_nlp.errors import CheckpointError, DataError
from meprop_nlp.models import file as model_file
from meprop_nlp.models.annotate import annotate
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.model import Model

from .models import random_joint, with_tokenizer

# each character stands for one byte
INPUTS = json.loads(Path(__file__).with_name("inputs.json").read_text(encoding="utf-8"))


def reader() -> Model:
    """A joint model of a few weights, with a tokenizer."""
    return Model(with_tokenizer(random_joint(1)))


MODEL = reader()


def annotated(content: bytes, input_format: str) -> str | None:
    """The bytes annotated, as CoNLL; None if they are refused."""
    try:
        pieces = list(annotate(io.BytesIO(content), [MODEL], input_format=input_format))
    except DataError:
        return None
    return b"".join(piece.text for piece in pieces).decode()


def check_text(content: bytes) -> bool:
    """As running text, the text comes back; as lines of words, what is written is CoNLL-U."""
    for kind in ("horizontal", "vertical", "auto"):
        written = annotated(content, kind)
        if written is not None and kind != "auto":
            list(read_text(written, input_format="conllu", trees=True))
    written = annotated(content, "text")
    try:
        # cut into small pieces, and read back in one
        text = "".join(chunk.text for chunk in read_texts(io.BytesIO(content), size=16, longest=32))
    except DataError:
        assert written is None
        return False
    assert written is not None
    sentences = list(read_text(written, input_format="conllu", trees=True))
    assert text_of(sentences) == (text if text.strip() else "")
    assert "".join(map(str, sentences)) == written
    return True


def check_conll(content: bytes) -> bool:
    """`read` and `annotate` agree on what is refused, which `validate` finds, and on the words."""
    for kind in ("auto", "conllx", "tab"):
        try:
            list(read(io.BytesIO(content), input_format=kind, on_error="skip"))
        except DataError:
            continue
    try:
        findings = list(validate(io.BytesIO(content), input_format="conllu", trees=False))
        wrong = any(finding.severity == "error" for finding in findings)
    except DataError:  # such as zero bytes, which no text has
        findings, wrong = [], True
    for finding in findings:
        assert "\n" not in str(finding)
    written = annotated(content, "conllu")
    try:
        sentences = list(read(io.BytesIO(content), input_format="conllu"))
    except DataError:
        assert wrong
        assert written is None
        return False
    assert written is not None
    document = Document(sentences)
    again = Document(read_text(document.to_conllu(), input_format="conllu"))
    assert again.to_conllu() == document.to_conllu()
    found = list(read_text(written, input_format="conllu", trees=True))
    assert [sentence.forms for sentence in found] == [sentence.forms for sentence in sentences]
    return True


def check_vectors(content: bytes) -> bool:
    """Rows of finite numbers, of one width, for forms in normal form C."""
    try:
        rows, width = read_vectors(io.BytesIO(content), ["a", "b", "\u00e9"], first=3)
    except DataError:
        return False
    assert width >= 1
    for form, row in rows.items():
        assert form
        assert unicodedata.is_normalized("NFC", form)
        assert (row.shape, row.dtype) == ((width,), np.float32)
        assert np.isfinite(row).all()
    return True


def check_brackets(content: bytes) -> bool:
    """Trees that are printed as they are read, and dependency trees of all their words."""
    try:
        trees = list(read_trees(io.BytesIO(content)))
    except DataError:
        return False
    for tree in trees:
        assert list(parse_trees([str(tree)])) == [tree]
        sentence = to_sentence(tree)
        if sentence is None:
            continue
        heads = [word.head for word in sentence]
        assert heads.count(0) == 1
        assert not find_cycle(heads)
        again = read_text(sentence.to_text(), input_format="conllx", trees=True)
        assert [other.forms for other in again] == [sentence.forms]
    return True


def check_header(content: bytes) -> bool:
    """A model file whose header says anything is described, or refused."""
    text = content.decode(errors="surrogateescape")
    try:
        header = json.loads(text)
        header["checksum"] = model_file._checksum(header, {})
        text = json.dumps(header)
    except (ValueError, TypeError, RecursionError):
        pass  # it is no header then, and said to be none
    whole = json.dumps({"__metadata__": {"meprop_nlp": text}}).encode()
    whole += b" " * (-len(whole) % 8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        path.write_bytes(len(whole).to_bytes(8, "little") + whole)
        taken = False
        for use in (model_file.describe, model_file.read_model_file, Model.load):
            try:
                found = use(path)
                if isinstance(found, dict):  # as `info` says it, on a terminal and as JSON
                    model_lines(found)
                    json.dumps(found)
            except CheckpointError:
                continue
            taken = True
            if isinstance(found, ModelFile):
                model_file.summary(found)
    return taken


CHECKS: dict[str, Callable[[bytes], bool]] = {
    "text": check_text,
    "conll": check_conll,
    "vectors": check_vectors,
    "brackets": check_brackets,
    "header": check_header,
}


@pytest.mark.parametrize("kind", CHECKS)
def test_inputs_that_the_fuzzer_found_are_read_or_refused(kind: str) -> None:
    taken = {CHECKS[kind](text.encode("latin-1")) for text in INPUTS[kind]}
    assert taken == {False, True}
