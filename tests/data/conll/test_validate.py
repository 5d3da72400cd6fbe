"""The full check: codes of errors and of warnings."""

from __future__ import annotations

import io
import os
import random
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from udtools import Validator

from meprop_nlp.data.conll.validate import validate

HEAD = "# sent_id = s1\n# text = a b\n"
A = "1\ta\t_\tX\t_\t_\t0\troot\t_\t_\n"
B = "2\tb\t_\tX\t_\t_\t1\tdep\t_\t_\n"
GOOD = HEAD + A + B + "\n"

NODE = "{}\ta\t_\tX\t_\t_\t_\t_\t0:root\t_\n"


def feats(value: str) -> str:
    return GOOD.replace("X\t_\t_", "X\t_\t" + value, 1)


def deps(value: str) -> str:
    return GOOD.replace("root\t_", "root\t" + value)


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
    "NFD": (GOOD.replace("b", "e\u0301"), [("unicode-normalization", i) for i in (2, 4)]),
    "NFD in a comment": ("# e\u0301\n" + GOOD, [("unicode-normalization", 1)]),
    "replacement character": (GOOD.replace("X", "\ufffd", 1), [("invalid-utf", 3)]),
    "empty column": (GOOD.replace("X", "", 1), [("empty-column", 3)]),
    "space in a tag": (GOOD.replace("X", "X ", 1), [("invalid-whitespace", 3)]),
    "space before a lemma": (GOOD.replace("a\t_", "a\t a", 1), [("leading-whitespace", 3)]),
    "space after a lemma": (GOOD.replace("a\t_", "a\ta ", 1), [("trailing-whitespace", 3)]),
    "two spaces": (GOOD.replace("a\t_", "a\ta  a", 1), [("repeated-whitespace", 3)]),
    "token with a space": (
        HEAD + "1-2\ta b" + "\t_" * 8 + "\n" + A + B + "\n",
        [("invalid-whitespace-mwt", 3)],
    ),
    "empty lines": ("\n" + GOOD + "\n", [("empty-sentence", 1)]),
    "comments by themselves": ("# a\n\n" + GOOD, [("empty-sentence", 2)]),
    "comment among words": (HEAD + A + "# c\n" + B + "\n", [("misplaced-comment", 4)]),
    "empty node 1.2": (HEAD + A + NODE.format("1.2") + B + "\n", [("misplaced-empty-node", 4)]),
    "empty node in a token": (
        "1-2\tab" + "\t_" * 8 + "\n" + NODE.format("0.1") + A + B + "\n",
        [("misplaced-empty-node", 2)],
    ),
    "unknown tag": (GOOD.replace("X", "noun", 1), [("unknown-upos", 3)]),
    "word without a tag": (GOOD.replace("X", "_", 1), [("unknown-upos", 3)]),
    "no tags": (GOOD.replace("X", "_"), []),
    "feature of no form": (feats("Case"), [("invalid-feature", 3)]),
    "features not in order": (feats("Number=Sing|Case=Nom"), [("unsorted-features", 3)]),
    "feature twice": (feats("Case=Acc|Case=Nom"), [("repeated-feature", 3)]),
    "value twice": (feats("Case=Acc,Acc"), [("repeated-feature-value", 3)]),
    "values not in order": (feats("Case=Nom,Acc"), [("unsorted-feature-values", 3)]),
    "features": (feats("Case=Acc,Nom|Number[psor]=Sing"), []),
    "label in capitals": (GOOD.replace("\tdep", "\tDEP"), [("invalid-deprel", 4)]),
    "arc without a label": (deps("0"), [("invalid-deps", 3)]),
    "head that is none": (deps("x:root"), [("invalid-ehead", 3)]),
    "head that is not there": (deps("1.1:root"), [("unknown-ehead", 3)]),
    "label of digits": (deps("0:7"), [("invalid-edeprel", 3)]),
    "arcs not in order": (deps("2:a|0:root"), [("unsorted-deps", 3)]),
    "labels not in order": (deps("2:b|2:a"), [("unsorted-deps-2", 3)]),
    "arc twice": (deps("2:a|2:a"), [("repeated-deps", 3)]),
    "arc to itself": (deps("1:a"), [("deps-self-loop", 3)]),
    "arcs": (deps("0:root|2:nmod:\u0441_\u043d\u0430:gen"), []),
    "token with a tag": (
        HEAD + "1-2\ta b\t_\tX".replace(" b", "") + "\t_" * 6 + "\n" + A + B + "\n",
        [("text-form-mismatch", 1), ("mwt-nonempty-field", 3)],
    ),
    "empty node with a head": (
        HEAD + A + NODE.format("1.1").replace("_\t_\t0:", "1\t_\t0:") + B + "\n",
        [("empty-node-nonempty-field", 4)],
    ),
    "interval of one": (
        HEAD + "1-1\ta" + "\t_" * 8 + "\n" + A + B + "\n",
        [("invalid-word-interval", 3)],
    ),
    "interval of one, above a comment": (
        HEAD + "1-1\ta" + "\t_" * 8 + "\n# between\n" + A + B + "\n",
        [("misplaced-comment", 4), ("invalid-word-interval", 3)],
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
# what is allowed in the format, and not in Universal Dependencies, or is no mistake for sure
WARNINGS = {
    "multiple-roots", "0-is-not-root", "root-is-not-0", "non-unique-sent-id", "text-form-mismatch",
    "invalid-word-interval", "unknown-upos", "invalid-feature", "unsorted-features",
    "repeated-feature", "repeated-feature-value", "unsorted-feature-values", "invalid-deprel",
    "invalid-deps", "invalid-ehead", "unknown-ehead", "invalid-edeprel", "unsorted-deps",
    "unsorted-deps-2", "repeated-deps", "deps-self-loop", "mwt-nonempty-field",
    "empty-node-nonempty-field",
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_finding_has_the_code_of_the_official_validator(name: str) -> None:
    text, expected = CASES[name]
    findings = list(validate(io.BytesIO(text.encode())))
    assert [(f.code, f.problem.line) for f in findings][: len(expected) or None] == expected
    for finding in findings:
        assert finding.severity == ("warning" if finding.code in WARNINGS else "error")


def test_other_layouts_are_not_held_to_the_format_of_conllu() -> None:
    text = "1\ta b\t_\tnn\t_\t_\t0\tROOT\r\n"
    findings = list(validate(io.BytesIO(text.encode())))
    assert [(f.code, f.severity) for f in findings] == [
        ("non-unix-newline", "warning"), ("missing-empty-line", "warning"),
    ]  # fmt: skip


def test_text_that_ends_early_is_shown_where_it_ends() -> None:
    (finding,) = validate(io.BytesIO(GOOD.replace("= a b", "= a").encode()))
    assert "the text comment has 'a' where the words make 'a b'" in str(finding)


def test_finding_reads_like_an_error_with_its_code() -> None:
    [finding] = validate(io.StringIO(CASES["two roots"][0]))
    expected = "<stream>:4: sentence s1: 2 words have HEAD 0, expected one [multiple-roots]"
    assert str(finding) == expected


# our codes for findings of the official validator that have other ones there
OTHER_CODES = {
    "invalid-word-id": {"word-id-sequence", "reversed-word-interval"},
    "invalid-line": {"word-id-sequence", "number-of-columns", "byte-order-mark", "unreadable"},
    "word-interval-out": {"word-id-sequence", "overlapping-word-intervals"},
    "misplaced-word-interval": {"overlapping-word-intervals"},
    "empty-sentence": {"comments-at-end", "missing-words", "word-id-sequence"},
    "number-of-columns": {"unreadable", "misplaced-comment"},
    "empty-column": {"unknown-head", "word-id-sequence"},
    "invalid-whitespace": {"unknown-head", "word-id-sequence"},
}


@cache
def official_validator() -> Validator:
    return Validator(lang="ud", level=1)


def official(text: str, folder: Path) -> set[str]:
    """Return the codes that the official validator finds at level 1."""
    path = folder / "checked.conllu"
    path.write_bytes(text.encode())
    told = io.StringIO()
    validator = official_validator()
    validator.incfg["output"] = told
    validator.validate_files([str(path)])
    return set(re.findall(r"^\[Line .*?\[L1 \w+ ([-\w]+)\]", told.getvalue(), re.MULTILINE))


def missed(text: str, codes: set[str]) -> set[str]:
    """Return the codes that we do not find."""
    findings = list(validate(io.BytesIO(text.encode()), trees=False))
    ours = {finding.code for finding in findings}
    # a sentence that cannot be read is not looked at further
    if any(code in ours for code in UNREAD):
        return set() if all(f.severity == "error" for f in findings if f.code in UNREAD) else codes
    return {code for code in codes if not ours & {code, *OTHER_CODES.get(code, ())}}


UNREAD = {
    "unreadable", "word-id-sequence", "number-of-columns", "unknown-head", "missing-words",
    "reversed-word-interval", "overlapping-word-intervals", "misplaced-word-interval",
    "word-interval-out", "misplaced-empty-node", "empty-column", "invalid-character",
}  # fmt: skip


PUT = ["", *"\t\n_ #1-.|=:x0", "\u0301", "\ufffd", "\r", "\u00a0"]


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 1 << 32))
def test_official_validator_finds_nothing_more_in_broken_files(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    text = WHOLE
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(text))
        text = text[:place] + rng.choice(PUT) + text[place + rng.randint(0, 2) :]
    try:
        codes = official(text, tmp_path)
    except IndexError:  # it breaks off at U+FFFD in an eleventh column
        return
    findings = list(validate(io.BytesIO(text.encode()), input_format="conllu", trees=False))
    assert not codes or any(finding.severity == "error" for finding in findings), codes
    assert missed(text, codes) == set()


WHOLE = (
    HEAD + A + B + "\n" + "# sent_id = s2\n# text = ab c\n"
    + "1-2\tab" + "\t_" * 8 + "\n" + A.replace("root\t_", "root\t0:root")
    + NODE.format("1.1") + NODE.format("1.2") + B.replace("dep\t_", "dep\t1.1:dep")
    + "3\tc\t_\tX\t_\tCase=Acc,Nom\t1\tdep\t1:dep\tSpaceAfter=No\n\n"
)  # fmt: skip


def test_cases_of_the_official_validator_are_judged_as_there(tmp_path: Path) -> None:
    folder = os.environ.get("UDTOOLS_CASES")
    if folder is None:
        pytest.skip("UDTOOLS_CASES names no folder: tests/test-cases of udtools' source archive")
    cases = sorted([*Path(folder).glob("invalid-level1/*"), *Path(folder).glob("valid/*")])
    assert len(cases) > 40
    otherwise = []
    for case in cases:
        text = case.read_bytes().decode()
        codes = official(text, tmp_path)
        findings = validate(case, trees=False)
        if bool(codes) != any(finding.severity == "error" for finding in findings):
            otherwise.append(case.name)
    assert otherwise == []


@pytest.mark.parametrize("name", ["ud-english-ewt/dev.conllu", "ud-turkish-imst/dev.conllu"])
def test_released_treebank_has_no_errors(shared_data: Path, name: str) -> None:
    assert [f for f in validate(shared_data / name) if f.severity == "error"] == []
