"""Invalid arguments of the core's CoNLL reader and writer raise an exception and never crash."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from meprop_nlp import native
from meprop_nlp.data.conll.layout import CONLLU

CORE: Any = native.core()
pytestmark = pytest.mark.skipif(CORE is None, reason=native.why_missing())


def text_of(*lengths: int) -> bytes:
    """Return sentences of these lengths."""
    line = "\tw\t_\tX\t_\t_\t_\t_\t_\t_\n"
    return "".join("".join(f"{i}{line}" for i in range(1, n + 1)) + "\n" for n in lengths).encode()


def ints(*values: int) -> Any:
    return np.array(values, np.int32)


def floats(*values: float) -> Any:
    return np.array(values, np.float32)


class TestBorder:
    DOCUMENT = CORE and CORE.read_document(text_of(2, 1), *CONLLU[:2])
    CONLLX = CORE and CORE.read_document(text_of(2, 1), "conllx", 10)
    GOOD = (3, [b"X"], ints(0, 0, 0))

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ((b"", "tab", 4), ValueError),
            ((b"", "conllu", 8), ValueError),
            ((b"", "conllx", 9), ValueError),
            ((b"", "conllx", -1), ValueError),
            (("", "conllu", 10), TypeError),
            ((bytearray(), "conllu", 10), TypeError),
            ((None, "conllu", 10), TypeError),
            ((b"", 10, 10), TypeError),
        ],
    )
    def test_wrong_argument_of_reading(self, arguments: Any, error: type[Exception]) -> None:
        with pytest.raises(error):
            CORE.read_document(*arguments)

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"texts": [(0, [b"X"], ints(0, 0, 0))]}, ValueError),
            ({"texts": [(6, [b"X"], ints(0, 0, 0))]}, ValueError),
            ({"texts": [(10, [b"X"], ints(0, 0, 0))]}, ValueError),
            ({"texts": [(-1, [b"X"], ints(0, 0, 0))]}, ValueError),
            ({"texts": [(3, [b"X"], ints(0, 0))]}, ValueError),
            ({"texts": [(3, [b"X"], ints(0, 0, 0, 0))]}, ValueError),
            ({"texts": [(3, [b"X"], ints(0, 1, 0))]}, ValueError),
            ({"texts": [(3, [b"X"], ints(0, -1, 0))]}, ValueError),
            ({"texts": [(3, [], ints(0, 0, 0))]}, ValueError),
            ({"texts": [(3, [b""], ints(0, 0, 0))]}, ValueError),
            ({"texts": [(3, [b"X", b"a\tb"], ints(0, 0, 0))]}, ValueError),
            ({"texts": [(3, [b"a\nb"], ints(0, 0, 0))]}, ValueError),
            ({"texts": [(3, [b"a\0b"], ints(0, 0, 0))]}, ValueError),
            ({"texts": [GOOD, GOOD]}, ValueError),
            ({"texts": [(3, ["X"], ints(0, 0, 0))]}, TypeError),
            ({"texts": [(3, [b"X"], np.zeros(3, np.int64))]}, TypeError),
            ({"texts": [(3, [b"X"], np.zeros((3, 1), np.int32))]}, TypeError),
            ({"texts": [(3, [b"X"], ints(0, 1, 0, 1, 0)[::2])]}, TypeError),
            ({"texts": [(3, [b"X"])]}, TypeError),
            ({"texts": None}, TypeError),
            ({"heads": ints(0, 0)}, ValueError),
            ({"heads": ints(0, 3, 0)}, ValueError),
            ({"heads": ints(0, 1, 2)}, ValueError),
            ({"heads": ints(0, -2, 0)}, ValueError),
            ({"heads": np.zeros(3, np.int64)}, TypeError),
            ({"heads": [0, 0, 0]}, TypeError),
            ({"deps": "tre"}, ValueError),
            ({"deps": None}, TypeError),
            ({"deps": "empty", "texts": [(8, [b"X"], ints(0, 0, 0))]}, ValueError),
            ({"document": CONLLX, "deps": "tree"}, ValueError),
            ({"document": CONLLX, "attributes": [(b"p", floats(0, 0, 0))]}, ValueError),
            ({"document": None}, TypeError),
            ({"attributes": [(b"p", floats(0, 0))]}, ValueError),
            ({"attributes": [(b"p", floats(0, np.nan, 0))]}, ValueError),
            ({"attributes": [(b"p", floats(0, np.inf, 0))]}, ValueError),
            ({"attributes": [(b"p", floats(0, -1, 0))]}, ValueError),
            ({"attributes": [(b"p", np.zeros(3))]}, TypeError),
            ({"attributes": [(b"", floats(0, 0, 0))]}, ValueError),
            ({"attributes": [(b"p=", floats(0, 0, 0))]}, ValueError),
            ({"attributes": [(b"p|", floats(0, 0, 0))]}, ValueError),
            ({"attributes": [(b"p\t", floats(0, 0, 0))]}, ValueError),
            (
                {"attributes": [(b"p", floats(0, 0, 0))], "texts": [(9, [b"X"], ints(0, 0, 0))]},
                ValueError,
            ),
        ],
        # without a document's address: pytest-xdist wants the same ids in every process
        ids=lambda value: re.sub(r" at 0x\w+", "", str(value)),
    )
    def test_wrong_argument_of_writing(
        self, changes: dict[str, Any], error: type[Exception]
    ) -> None:
        given: dict[str, Any] = {"document": self.DOCUMENT, "texts": [self.GOOD], "heads": None}
        given |= {"deps": "keep", "attributes": []}
        assert CORE.write_document(**given)
        with pytest.raises(error):
            CORE.write_document(**(given | changes))

    def test_conllx_of_eight_columns_has_no_ninth(self) -> None:
        text = text_of(1).replace(b"\t_\t_\n", b"\n")
        document = CORE.read_document(text, "conllx", 8)
        with pytest.raises(ValueError, match="from FORM on"):
            CORE.write_document(document, [(8, [b"X"], ints(0))], None, "keep", [])
        with pytest.raises(ValueError, match="no such column"):
            document.column(8)

    def test_document_holds_its_text(self) -> None:
        document = CORE.read_document(text_of(3), *CONLLU[:2])
        starts = document.sentences
        with pytest.raises(ValueError, match="read-only"):
            starts[0] = 1
        del document
        assert starts.tolist() == [0, 3]

    def test_a_document_cannot_be_made_by_hand(self) -> None:
        with pytest.raises(TypeError):
            CORE.Document()
