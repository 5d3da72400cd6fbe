"""The full check: codes of errors and of warnings."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from meprop_nlp.data.conll.validate import validate

HEAD = "# sent_id = s1\n# text = a b\n"
A = "1\ta\t_\tX\t_\t_\t0\troot\t_\t_\n"
B = "2\tb\t_\tX\t_\t_\t1\tdep\t_\t_\n"
GOOD = HEAD + A + B + "\n"

CASES = {
    "nothing": (GOOD, []),
    "bom": ("\ufeff" + GOOD, [("byte-order-mark", 1)]),
    "crlf": (GOOD.replace("\n", "\r\n"), [("non-unix-newline", 0)]),
    "no final empty line": (GOOD[:-1], [("missing-empty-line", 4)]),
    "spaces in empty line": (GOOD[:-1] + " \n", [("pseudo-empty-line", 5)]),
    "two roots": (GOOD.replace("\t1\tdep", "\t0\troot"), [("multiple-roots", 4)]),
    "0 is not root": (GOOD.replace("\troot", "\tdep"), [("0-is-not-root", 3)]),
    "root is not 0": (GOOD.replace("\tdep", "\troot"), [("root-is-not-0", 4)]),
    "same sent_id": (GOOD + GOOD, [("non-unique-sent-id", 6)]),
    "text differs": (GOOD.replace("= a b", "= ab"), [("text-form-mismatch", 1)]),
    "NFD": (GOOD.replace("b", "e\u0301"), [("unicode-normalization", 4)]),
    "empty column": (GOOD.replace("X", "", 1), [("empty-column", 3)]),
    "space at the edge": (GOOD.replace("X", "X ", 1), [("trailing-whitespace", 3)]),
    "interval of one": (
        HEAD + "1-1\ta" + "\t_" * 8 + "\n" + A + B + "\n",
        [("invalid-word-interval", 3)],
    ),
    "interval of one, above a comment": (
        HEAD + "1-1\ta" + "\t_" * 8 + "\n# between\n" + A + B + "\n",
        [("invalid-word-interval", 3)],
    ),
    "comments at the end": (GOOD + "# that was all\n\n", [("comments-at-end", 0)]),
    "no word": ("0.1\ta" + "\t_" * 8 + "\n\n" + GOOD, [("missing-words", 1)]),
    "cycle": (GOOD.replace("\t0\t", "\t2\t"), [("non-tree", 3)]),
    "head out of range": (GOOD.replace("\t1\t", "\t7\t"), [("unknown-head", 4)]),
    "gap": (GOOD.replace("2\tb", "3\tb"), [("word-id-sequence", 4)]),
    "columns": (GOOD.replace("_\t1\tdep", "1\tdep"), [("number-of-columns", 4)]),
    "format": (A[:-3], [("unreadable", 1)]),
    "reversed": (HEAD + A + "3-2\tb" + "\t_" * 8 + "\n" + B, [("reversed-word-interval", 4)]),
}
ERRORS = ["no word", "cycle", "head out of range", "gap", "columns", "format", "reversed"]


@pytest.mark.parametrize("name", CASES)
def test_finding_has_the_code_of_the_official_validator(name: str) -> None:
    text, expected = CASES[name]
    findings = list(validate(io.BytesIO(text.encode())))
    assert [(f.code, f.problem.line) for f in findings][: len(expected) or None] == expected
    severity = "error" if name in ERRORS else "warning"
    assert all(finding.severity == severity for finding in findings[:1])


def test_text_that_ends_early_is_shown_where_it_ends() -> None:
    (finding,) = validate(io.BytesIO(GOOD.replace("= a b", "= a").encode()))
    assert "the text comment has 'a' where the words make 'a b'" in str(finding)


def test_finding_reads_like_an_error_with_its_code() -> None:
    [finding] = validate(io.StringIO(CASES["two roots"][0]))
    expected = "<stream>:4: sentence s1: 2 words have HEAD 0, expected one [multiple-roots]"
    assert str(finding) == expected


@pytest.mark.parametrize("name", ["ud-english-ewt/dev.conllu", "ud-turkish-imst/dev.conllu"])
def test_released_treebank_has_no_errors(shared_data: Path, name: str) -> None:
    assert [f for f in validate(shared_data / name) if f.severity == "error"] == []
