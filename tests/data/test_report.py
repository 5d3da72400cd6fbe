"""The report counts sentences, words, trees and tags, and warns of likely mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence


def test_ewt_dev_has_the_published_counts(shared_data: Path) -> None:
    report = TreebankReport(read(shared_data / "ud-english-ewt" / "dev.conllu", trees=True))
    assert (report.sentences, report.words, len(report.upos)) == (2001, 25147, 17)
    assert (report.multiword_tokens, report.empty_nodes, report.without_tree) == (359, 4, 0)
    assert report.warnings == []
    assert str(report).startswith("2,001 sentences, 25,147 words, 359 multiword tokens, 4 empty")


def test_each_kind_of_tree_is_counted() -> None:
    heads = [[2, 0, 2, 2], [3, 4, 0, 3], [0, 0, 1, 1], [0, -1, 1, 1]]
    report = TreebankReport(Sentence.from_words("abcd", head=h) for h in heads)
    assert (report.trees, report.without_tree) == (3, 1)
    assert (report.nonprojective, report.several_roots) == (2, 1)
    text = "4 sentences, 16 words; 66.7 % non-projective; 1 with several roots; 1 without a tree"
    assert str(report) == text


def test_empty_report_and_skipped_sentences() -> None:
    report = TreebankReport()
    assert str(report) == "0 sentences, 0 words"
    report.skip()
    assert str(report) == "0 sentences, 0 words; 1 faulty sentence skipped"


def test_one_sentence_and_one_word() -> None:
    report = TreebankReport([Sentence.from_words(["a"], upos=["X"], xpos=["Y"], head=[0])])
    assert str(report).startswith("1 sentence, 1 word; 1 UPOS, 1 XPOS; 0.0 % non-projective")


@pytest.mark.parametrize(("tags", "warned"), [(51, True), (50, False)])
def test_warning_of_a_column_with_too_many_tags(tags: int, warned: bool) -> None:
    words = Sentence.from_words(["w"] * 100, xpos=[f"T{i % tags}" for i in range(100)])
    assert ["XPOS tags" in warning for warning in TreebankReport([words]).warnings] == [
        True
    ] * warned


def test_warning_of_root_alone() -> None:
    for deprels, count in ((["root", "root"], 1), (["root", "dep"], 0), (["_", "_"], 0)):
        sentence = Sentence.from_words(["a", "b"], head=[0, 1], deprel=deprels)
        assert len(TreebankReport([sentence]).warnings) == count


def test_warning_of_mixed_normal_forms() -> None:
    composed, decomposed = ["\u00e9"], ["e\u0301"]
    for forms, count in ((composed, 0), (decomposed, 0), (composed + decomposed, 1)):
        assert len(TreebankReport([Sentence.from_words(forms)]).warnings) == count
