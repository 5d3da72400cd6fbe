"""Dependency trees from constituency trees: heads, labels, and the agreement on real trees."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.penn.brackets import Tree, parse_trees, read_trees
from meprop_nlp.data.penn.dependencies import arc_label, to_sentence, to_sentences
from meprop_nlp.data.penn.head_rules import HEAD_RULES
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_projective, is_tree
from meprop_nlp.scoring.metrics import evaluate

# those of Penn2Malt
DEPRELS = (
    "AMOD", "DEP", "NMOD", "OBJ", "P", "PMOD", "PRD", "ROOT", "SBAR", "SUB", "VC", "VMOD",
)  # fmt: skip


def converted(text: str) -> Sentence:
    (sentence,) = to_sentences(parse_trees(text.split("\n")))
    return sentence


# "word head label" of each word, for sentences written for this test
SENTENCES = {
    """( (S (NP-SBJ (DT The) (JJ old) (NN cook)) (VP (MD may) (VP (VB need) (NP (PRP$ her)
       (NN pan)) (NP-TMP (NN tomorrow)))) (. .)))""": (
        "The cook NMOD; old cook NMOD; cook may SUB; may - ROOT; need may VC; her pan NMOD; "
        "pan need OBJ; tomorrow need VMOD; . may P"
    ),
    """( (S (NP-SBJ-1 (NNP Ann)) (VP (VBZ is) (ADJP-PRD (RB very) (JJ fond) (PP (IN of)
       (NP (NNP Bob) (CC and) (NNP Cy))))) (. !)))""": (
        "Ann is SUB; is - ROOT; very fond AMOD; fond is PRD; of fond AMOD; Bob Cy NMOD; "
        "and Cy NMOD; Cy of PMOD; ! is P"
    ),
    """( (S (NP-SBJ (PRP We)) (VP (VBP know) (SBAR (IN that) (S (NP-SBJ (PRP it))
       (VP (VBZ rains))))) (PRN (-LRB- -LRB-) (ADVP (RB here)) (-RRB- -RRB-))))""": (
        "We know SUB; know - ROOT; that know VMOD; it rains SUB; rains that SBAR; "
        "-LRB- here P; here know VMOD; -RRB- here P"
    ),
    """( (S (NP-SBJ-1 (NNS Cats)) (VP (VBP want) (S (NP-SBJ (-NONE- *-1)) (VP (TO to)
       (VP (VB run) (CC and) (VB hide)))))))""": (
        "Cats want SUB; want - ROOT; to run VMOD; run want VMOD; and run VMOD; hide run VMOD"
    ),
    "( (UCP (NP (NN tea)) (CC or) (ADJP (JJ cold))))": "tea - ROOT; or tea DEP; cold tea DEP",
}


@pytest.mark.parametrize("text", SENTENCES)
def test_heads_and_labels(text: str) -> None:
    words = converted(text).words
    forms = ["-", *(word.form for word in words)]
    arcs = [f"{word.form} {forms[word.head]} {word.deprel}" for word in words]
    assert arcs == SENTENCES[text].split("; ")


@pytest.mark.parametrize(
    ("phrase", "child", "head", "label"),
    [
        ("S", "NP-SBJ-2", "VP", "SUB"),
        ("S", "S-SBJ", "VP", "SUB"),
        ("SQ", "NP-SBJ", "VBZ", "SUB"),
        ("VP", "NP-PRD", "VBZ", "PRD"),
        ("VP", "PP-LOC-PRD", "VBZ", "PRD"),
        ("VP", "NP", "VBZ", "OBJ"),
        ("VP", "NP-2", "VBZ", "OBJ"),
        ("VP", "NP-CLR", "VBZ", "OBJ"),
        *(("VP", f"NP-{role}", "VBZ", "VMOD") for role in ("TMP", "ADV", "EXT", "LOC", "MNR")),
        ("S", "NP", "VP", "VMOD"),
        ("VP", "VP", "VBZ", "VC"),
        ("SQ", "VP", "VBZ", "VC"),
        ("VP", "VP", "VP", "VMOD"),
        ("SBAR", "S", "IN", "SBAR"),
        ("SBAR", "S", "WHNP", "SBAR"),
        ("SBAR", "RB", "IN", "VMOD"),
        ("VP", "RP", "VBZ", "VMOD"),
        ("SINV", "S-TPC-1", "VP", "VMOD"),
        *((phrase, "JJ", "NN", "NMOD") for phrase in ("NP", "NX", "NAC", "WHNP")),
        *((phrase, "RB", "JJ", "AMOD") for phrase in ("ADJP", "ADVP", "QP", "WHADJP", "WHADVP")),
        *((phrase, "NP", "IN", "PMOD") for phrase in ("PP", "WHPP")),
        *((phrase, "RB", "NP", "DEP") for phrase in ("FRAG", "PRN", "UCP", "RRC", "X", "")),
        *(("NP", mark, "NN", "P") for mark in (",", ".", ":", "``", "''", "-LRB-", "-RRB-")),
        ("NP", "$", "CD", "NMOD"),
    ],
)
def test_label_of_an_arc(phrase: str, child: str, head: str, label: str) -> None:
    assert arc_label(phrase, child, head) == label
    assert label in DEPRELS


def test_words_keep_their_tags_and_forms_in_both_tag_columns() -> None:
    sentence = converted("( (NP (CD 3\\/4) (JJ|NN back)\n (-NONE- *) (-LRB- -LCB-)))")
    assert sentence.forms == ["3\\/4", "back", "-LCB-"]
    assert sentence.column("xpos") == sentence.column("upos") == ["CD", "JJ|NN", "-LRB-"]
    assert (sentence.line, sentence.layout.kind, sentence.layout.width) == (1, "conllx", 10)


def test_a_tree_of_traces_is_not_a_sentence() -> None:
    (tree,) = parse_trees(["( (S (NP-SBJ (-NONE- *)) (VP (-NONE- *?*))))"])
    assert to_sentence(tree) is None
    assert list(to_sentences([tree])) == []


TAGS = ["NN", "VBD", "IN", ",", "-NONE-", "-LRB-", "MD", "TO", "CD", "POS"]
PHRASES = ["", *HEAD_RULES, *(f"{phrase}-SBJ-1" for phrase in HEAD_RULES)]


@st.composite
def made_up_trees(draw: st.DrawFn) -> Tree:
    n = draw(st.integers(1, 30))
    # in preorder, the parent of a node is the previous node or an ancestor of it
    parents = [-1]
    for node in range(1, n):
        above = [node - 1]
        while above[-1] > 0:
            above.append(parents[above[-1]])
        parents.append(draw(st.sampled_from(above)))
    phrases = set(parents)
    labels = [draw(st.sampled_from(PHRASES if i in phrases else TAGS)) for i in range(n)]
    return Tree(labels, parents, [None if i in phrases else f"w{i}" for i in range(n)])


@given(made_up_trees())
def test_any_tree_becomes_one_projective_tree_of_its_words(tree: Tree) -> None:
    sentence = to_sentence(tree)
    spoken = tree.without_traces()
    if sentence is None or spoken is None:
        assert sentence is spoken is None
        return
    assert sentence.forms == [form for form in spoken.forms if form is not None]
    heads = sentence.column("head")
    assert is_tree(heads, single_root=True)
    assert is_projective(heads)
    assert set(sentence.column("deprel")) <= set(DEPRELS)
    assert [word.deprel == "ROOT" for word in sentence.words] == [head == 0 for head in heads]


@given(made_up_trees())
def test_the_words_of_a_phrase_are_a_subtree(tree: Tree) -> None:
    spoken, sentence = tree.without_traces(), to_sentence(tree)
    if spoken is None or sentence is None:
        return
    word_ids = [[] if form is None else [int(form[1:])] for form in spoken.forms]
    for node in range(len(word_ids) - 1, 0, -1):
        word_ids[spoken.parents[node]] += word_ids[node]
    ids = {int(word.form[1:]): word for word in sentence.words}
    for inside in word_ids:
        words = {ids[i].id for i in inside}
        assert sum(sentence.words[i - 1].head not in words for i in words) == 1


def test_depth_has_no_limit() -> None:
    depth = 20_000
    sentence = converted("(S (NN w) " * depth + "(NN x)" + ")" * depth)
    assert len(sentence) == depth + 1


def test_read_distinguishes_bracketed_trees_from_conll(tmp_path: Path) -> None:
    path = tmp_path / "wsj_0001.mrg"
    path.write_text("\n\n" + "\n".join(SENTENCES) + "\n")
    sentences = list(read(path, trees=True))
    assert sentences == [converted(text) for text in SENTENCES]
    assert [sentence.line for sentence in sentences] == [3, 5, 7, 9, 11]
    assert {sentence.path for sentence in sentences} == {str(path)}
    path.write_text("(\t(\n)\t)\n\n")  # Malt-TAB with a bracket as its first word
    assert [sentence.forms for sentence in read(path)] == [["(", ")"]]


def test_agreement_with_the_penn_treebank_sample(shared_data: Path) -> None:
    folder = shared_data / "ptb-sample"
    if not folder.is_dir():
        pytest.skip(f"no Penn Treebank sample in {folder}")
    gold = [s for role in ("train", "dev", "test") for s in read(folder / f"{role}.conllx")]
    files = sorted((folder / "mrg").glob("*.mrg"))
    ours = [s for path in files for s in to_sentences(read_trees(path))]
    assert len(ours) == len(gold) == 3914
    assert [s.forms for s in ours] == [s.forms for s in gold]
    assert [s.column("xpos") for s in ours] == [s.column("xpos") for s in gold]
    assert evaluate(gold, ours).uas == 100.0
