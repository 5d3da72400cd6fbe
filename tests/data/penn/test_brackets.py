"""Bracketed trees: trees are read unchanged, and faults are reported with their line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.penn.brackets import Tree, parse_trees, read_trees
from meprop_nlp.errors import ConlluError, DataError

SENTENCE = """
( (S
    (NP-SBJ-1 (NNP Ann) )
    (VP (VBZ wants)
      (S
        (NP-SBJ (-NONE- *-1) )
        (VP (TO to)
          (VP (VB sleep) ))))
    (-LRB- -LRB-) (. .) ))
"""

LABELS = st.sampled_from(["S", "NP-SBJ", "NP=2", "-LRB-", "ADVP|PRT", "$", ",", "X"])
FORMS = st.sampled_from(["Ann", "*", "*T*-1", "0", "3\\/4", "-LRB-", "é", "\u00a0", "\u2028", "#"])

# a nested tree: (label, form) or (label, [trees])
Nested = tuple[str, "str | list[Nested]"]


@st.composite
def nested_trees(draw: st.DrawFn) -> Nested:
    word = st.tuples(LABELS, FORMS)
    return draw(
        st.recursive(word, lambda part: st.tuples(LABELS, st.lists(part, min_size=1, max_size=4)))
    )


def as_text(tree: Nested) -> str:
    label, inside = tree
    if isinstance(inside, str):
        return f"({label} {inside})"
    return f"({label}\n  {' '.join(as_text(part) for part in inside)} )"


def size(tree: Nested) -> int:
    return 1 if isinstance(tree[1], str) else 1 + sum(size(part) for part in tree[1])


def trees_of(text: str) -> list[Tree]:
    return list(parse_trees(text.split("\n"), path="a.mrg"))


def test_a_tree_over_several_lines_is_read_unchanged() -> None:
    (tree,) = trees_of(SENTENCE)
    labels = "S NP-SBJ-1 NNP VP VBZ S NP-SBJ -NONE- VP TO VP VB -LRB- ."
    assert tree.labels == labels.split()
    assert tree.parents == [-1, 0, 1, 0, 3, 3, 5, 6, 5, 8, 8, 10, 0, 0]
    words = [form for form in tree.forms if form is not None]
    assert words == ["Ann", "wants", "*-1", "to", "sleep", "-LRB-", "."]
    assert (tree.path, tree.line, tree.label) == ("a.mrg", 2, "S")


def test_traces_and_constituents_of_traces_are_removed() -> None:
    (tree,) = trees_of(SENTENCE)
    spoken = tree.without_traces()
    assert spoken is not None
    assert str(spoken) == (
        "( (S (NP-SBJ-1 (NNP Ann)) (VP (VBZ wants) (S (VP (TO to) (VP (VB sleep))))) "
        "(-LRB- -LRB-) (. .)) )"
    )
    (empty,) = trees_of("( (S (NP (-NONE- *)) (VP (-NONE- *?*))))")
    assert empty.without_traces() is None


def test_outer_brackets_may_be_missing_or_hold_several_constituents() -> None:
    bare, several = trees_of("(NP (NN x)) ( (NN a) (NN b) )")
    assert (bare.labels, bare.parents) == (["NP", "NN"], [-1, 0])
    assert (several.labels, several.parents) == (["", "NN", "NN"], [-1, 0, 0])
    assert trees_of(str(several)) == [several]


def test_several_trees_may_share_a_line_and_know_their_lines() -> None:
    assert [tree.line for tree in trees_of("( (A a)) ( (B b))\n\n( (C\n c))")] == [1, 1, 3]


@given(st.lists(nested_trees(), max_size=3))
def test_printed_trees_are_read_again(trees: list[Nested]) -> None:
    read = trees_of("\n".join(f"( {as_text(tree)} )" for tree in trees))
    assert [len(tree.labels) for tree in read] == [size(tree) for tree in trees]
    for tree, original in zip(read, trees, strict=True):
        assert "".join(str(tree).split(" ")) == "".join(
            f"( {as_text(original)} )".replace("\n", "").split(" ")
        )
        assert trees_of(str(tree)) == [tree]


@given(nested_trees())
def test_only_traces_are_removed(original: Nested) -> None:
    (tree,) = trees_of(as_text(original).replace("(X ", "(-NONE- "))
    kept = [
        form
        for form, label in zip(tree.forms, tree.labels, strict=True)
        if form is not None and label != "-NONE-"
    ]
    spoken = tree.without_traces()
    assert [form for form in (spoken.forms if spoken else []) if form is not None] == kept
    if spoken:
        assert "-NONE-" not in spoken.labels
        parents = set(spoken.parents)
        assert all((i in parents) == (form is None) for i, form in enumerate(spoken.forms))


@given(st.lists(st.sampled_from(["(", ")", "(", ")", "NP", "a", "\n", " ", "\0", "é"])))
def test_any_text_is_trees_or_an_error_with_its_line(pieces: list[str]) -> None:
    lines = " ".join(pieces).split("\n")
    try:
        trees = list(parse_trees(lines, path="a.mrg"))
    except ConlluError as error:
        (problem,) = error.problems
        assert problem.path == "a.mrg"
        assert 1 <= problem.line <= len(lines)
        return
    # without an error, every bracket and word belongs to a tree
    assert sum(len(tree.labels) + (not tree.label) for tree in trees) <= pieces.count("(")
    forms = [form for tree in trees for form in tree.forms if form is not None]
    labels = [label for tree in trees for label in tree.labels if label]
    assert len(forms) + len(labels) == sum(piece in ("NP", "a", "é") for piece in pieces)


def test_depth_has_no_limit() -> None:
    depth = 100_000
    (tree,) = trees_of("( " + "(S " * depth + "(NN x)" + ")" * depth + " )")
    assert len(tree.labels) == depth + 1
    assert tree.without_traces() == tree
    assert len(str(tree)) > 4 * depth


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("( (S\n (NP (NN a))\n", 3, "ends inside of the tree that begins in line 1, with 2 brack"),
        ("( (S (NN a)))\n)", 2, "a ) too many"),
        ("( (S\n (NP )))", 2, "the empty constituent (NP)"),
        ("( (S (NN)))", 1, "the empty constituent (NN)"),
        ("()", 1, "empty brackets ()"),
        ("( (S (NN a)\n b))", 2, "found 'b', a word without a tag, in the brackets of S"),
        ("( (S the dog))", 1, "found 'dog', a word without a tag"),
        ("( (S the\n(NN dog)))", 2, "found a constituent after 'the' in the brackets of S"),
        ("( (S (NN a)))\nThe", 2, "found 'The' outside of a tree"),
        ("\n1\tIt\t_\t_", 2, "found '1' outside of a tree, expected (; is this a file of brack"),
        ("( (S (NN a))\n( (S (NN b)))", 2, "a bracket without a label inside of the tree that beg"),
        ("( (S ( (NN a))))", 1, "without a label"),
        ("( (S (NN a))\n( (S\n (NN b)))", 2, "that begins in line 1, expected a category"),
        ("( (S (NN a\0)))", 1, "NUL"),
    ],
)
def test_fault_is_reported_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ConlluError) as raised:
        trees_of(text)
    assert f"a.mrg:{line}: " in str(raised.value)
    assert message in str(raised.value)


def test_files_are_decompressed_and_must_be_text(tmp_path: Path) -> None:
    path = tmp_path / "a.mrg.gz"
    path.write_bytes(gzip.compress(SENTENCE.encode()))
    assert list(read_trees(path)) == trees_of(SENTENCE)
    path.write_bytes(b"( (NN a))\n( (NN \xe9))\n")
    with pytest.raises(ConlluError, match=r"a\.mrg\.gz:2: byte 16 is not valid UTF-8"):
        list(read_trees(path))
    (_, tree) = read_trees(path, encoding="latin-1")
    assert tree.forms == ["é"]
    with pytest.raises(DataError, match="no such file"):
        list(read_trees(tmp_path / "b.mrg"))


def test_trees_are_yielded_before_the_end_of_the_file() -> None:
    first = next(parse_trees(iter(["( (NN a))", "( (NN"])))
    assert first.forms == ["a"]
