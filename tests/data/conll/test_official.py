"""What the official validator adds to ours."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from meprop_nlp.data.conll.official import OfficialValidator, merged
from meprop_nlp.data.conll.validate import Finding, in_order, validate
from meprop_nlp.errors import ConfigError, DataError, Problem

A = "1\tWe\twe\tPRON\t_\tCase=Nom|PronType=Prs\t2\tnsubj\t_\t_\n"
B = "2\tsang\tsing\tVERB\t_\tMood=Ind|VerbForm=Fin\t0\troot\t_\t_\n"
GOOD = f"# sent_id = s1\n# text = We sang\n{A}{B}\n"


def found(text: str, level: int, lang: str = "ud") -> list[tuple[str, int | None]]:
    findings = OfficialValidator(level, lang).findings(io.BytesIO(text.encode()))
    return [(each.code, each.problem.line) for each in findings]


def test_good_file_has_no_findings_at_any_level() -> None:
    for level in (1, 2, 3, 4, 5):
        assert found(GOOD, level, "en") == []


def test_each_level_adds_tests() -> None:
    with_two_subjects = GOOD.replace("2\tsang", "2\tsing\tsing\tX\t_\t_\t3\tnsubj\t_\t_\n3\tsang")
    with_two_subjects = with_two_subjects.replace("Prs\t2", "Prs\t3").replace(
        "We sang", "We sing sang"
    )
    assert found(with_two_subjects, 2) == []
    assert ("too-many-subjects", 5) in found(with_two_subjects, 3)
    odd = GOOD.replace("Case=Nom", "Case=Elf")
    assert found(odd, 3) == []
    assert found(odd, 4, "en") == [("feature-value-unknown", 3)]


def test_language_decides_what_is_allowed() -> None:
    locative = GOOD.replace("Case=Nom", "Case=Loc")
    assert found(locative, 4, "tr") == []
    assert [code for code, _ in found(locative, 4, "en")] == ["feature-value-unknown"]


def test_a_finding_of_both_is_said_once_in_our_words() -> None:
    text = GOOD.replace("VERB", "WERB").replace("nsubj", "foo")
    ours = list(validate(io.BytesIO(text.encode())))
    official = OfficialValidator(2).findings(io.BytesIO(text.encode()))
    both = merged(ours, official, 2)
    assert len({(each.code, each.problem.line) for each in both}) == len(both)
    upos = next(each for each in both if each.code == "unknown-upos")
    assert upos.severity == "error"
    assert upos.problem in {each.problem for each in ours}
    assert "unknown-upos" in {each.code for each in official}


def test_our_warnings_stay_warnings_at_level_1() -> None:
    ours = list(validate(io.BytesIO(GOOD.replace("VERB", "WERB").encode())))
    assert [each.severity for each in merged(ours, [], 1)] == ["warning"]
    assert [each.severity for each in merged(ours, [], 2)] == ["error"]


def test_findings_are_in_the_order_of_lines() -> None:
    findings = [Finding("c", "error", Problem("f", line, "m")) for line in (9, 2, None, 5)]
    assert [each.problem.line for each in in_order(findings)] == [2, 5, 9, None]
    ours, official = findings[:2], [Finding("d", "error", Problem("f", 3, "m")), findings[0]]
    both = merged(ours, official, 1)
    assert [(each.code, each.problem.line) for each in both] == [("c", 2), ("d", 3), ("c", 9)]


def test_level_and_language_are_checked() -> None:
    with pytest.raises(ConfigError, match="`level` is 6, expected one of 1, 2, 3, 4, 5"):
        OfficialValidator(6)
    with pytest.raises(ConfigError, match=r"`lang` is 'xx', which udtools .* has no rules for"):
        OfficialValidator(2, "xx")


def test_missing_udtools_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "udtools.validator", None)
    with pytest.raises(ConfigError, match=r"pip install 'meprop-nlp\[ud\]'"):
        OfficialValidator(2)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_bytes(GOOD.encode() + b"\xff")
    with pytest.raises(DataError, match=r"a\.conllu: not UTF-8"):
        OfficialValidator(2).findings(path)


def test_a_failure_of_the_validator_names_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    validator = OfficialValidator(2)

    def fail(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(validator._validator, "check_deps_all_or_none", fail)
    with pytest.raises(DataError, match=r":3: udtools .* ends here: KeyError"):
        validator.findings(io.BytesIO(GOOD.encode()))
