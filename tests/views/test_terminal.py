"""Trees in the terminal: the drawing is parsed back to the heads that it was drawn from."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import UNSET
from meprop_nlp.views.terminal import MOST_COLUMNS, arc_lines, cells, terminal_tree

UP, DOWN = set("┘┴┤┼"), set("┐┬┤┼")  # ends that go up, and that go down


def heads_drawn(lines: list[str]) -> list[int]:
    """Read the heads from a drawing: follow each vertical line, and see who comes to it.

    It knows nothing of how lines are placed, only what a reader is told: a word's own line goes to
    the outermost end in its row, and the one word at a line for which that is not so is the head.
    """
    outermost = [
        max((x for x, c in enumerate(line) if c in UP | DOWN), default=0) for line in lines
    ]
    heads = [0 if line[0] == "●" else UNSET for line in lines]
    for x in range(len(lines[0]) if lines else 0):
        column = [line[x] for line in lines]
        y = 0
        while y < len(column):
            if column[y] not in DOWN - UP:
                assert column[y] not in UP | {"│"}, "a line that nothing begins"
                y += 1
                continue
            joined = [y]
            while column[y] in DOWN or column[y] == "│":
                y += 1
                if column[y] != "│":
                    assert column[y] in UP, "a line that is cut off"
                    joined.append(y)
            y += 1
            own = [row for row in joined if lines[row][0] == "◄" and outermost[row] == x]
            (head,) = set(joined) - set(own)
            for row in own:
                assert heads[row] == UNSET, "a word with two heads"
                heads[row] = head + 1
    return heads


@st.composite
def forests(draw: st.DrawFn) -> list[int]:
    """Heads of any shape without circles: some words are roots, and some have no head."""
    n = draw(st.integers(1, 14))
    order = draw(st.permutations(range(n)))
    heads = [0] * n
    for place, i in enumerate(order):
        options = [UNSET, 0, *(j + 1 for j in order[:place])]
        heads[i] = draw(st.sampled_from(options[2:] * 3 + options))
    return heads


@given(forests())
def test_heads_can_be_read_from_the_drawing(heads: list[int]) -> None:
    lines = arc_lines(heads)
    assert heads_drawn(lines) == heads
    assert len({len(line) for line in lines}) == 1
    for line, head in zip(lines, heads, strict=True):
        assert (line[0] == "◄") == (head > 0)


@given(st.lists(st.integers(-1, 9), min_size=1, max_size=9))
def test_circles_are_cut_and_all_else_is_drawn(heads: list[int]) -> None:
    n = len(heads)
    lines = arc_lines(heads)
    drawn = heads_drawn(lines)
    for i, (head, found) in enumerate(zip(heads, drawn, strict=True)):
        cut = lines[i][0] == "↻"
        assert found == (UNSET if cut else head)
        if cut:  # its head is no word, or the way up from it comes back to it
            way, j = set(), head
            while 1 <= j <= n and j not in way:
                way.add(j)
                j = heads[j - 1]
            assert head > n or i + 1 in way


def test_a_deep_tree_is_drawn() -> None:
    n = 300
    lines = arc_lines([0, *range(1, n)])
    assert heads_drawn(lines) == [0, *range(1, n)]


def test_arcs_that_would_be_too_far_out_are_left_out() -> None:
    n = 2_000
    chain = [0, *range(1, n)]
    lines = arc_lines(chain)
    assert max(map(len, lines)) == 2 * MOST_COLUMNS + 1
    drawn = heads_drawn(lines)
    left_out = [line[0] == "…" for line in lines]
    assert 0 < sum(left_out) < n // 2
    assert drawn == [
        UNSET if without else head for head, without in zip(chain, left_out, strict=True)
    ]
    sentence = Sentence.from_words(["a"] * n, head=chain, deprel=["x"] * n)
    last = terminal_tree(sentence).splitlines()[-1]
    assert last.startswith("# … the arc would be too far out")


def test_a_sentence_without_words_is_drawn() -> None:
    assert terminal_tree(Sentence([])) == "# text = \n"


def test_arcs_over_fewer_words_stand_inside() -> None:
    # the dependents of words 1 and 3, whichever is looked at first
    inside, outside = arc_lines([0, 1, 0, 3, 1, 1])[3], arc_lines([0, 1, 0, 3, 1, 1])[5]
    assert inside.index("┘") < outside.index("┘")


def test_a_drawing_by_hand() -> None:
    sentence = Sentence.from_words(
        ["The", "dogs", "bark", "."], upos=["DET", "NOUN", "VERB", "PUNCT"], head=[2, 3, 0, 3],
        deprel=["det", "nsubj", "root", "punct"],
    )  # fmt: skip
    assert terminal_tree(sentence) == (
        "# text = The dogs bark .\n"
        "1  The   DET    ◄─┐    2  det\n"
        "2  dogs  NOUN   ◄─┴─┐  3  nsubj\n"
        "3  bark  VERB   ●───┤  0  root\n"
        "4  .     PUNCT  ◄───┘  3  punct\n"
    )


def test_tokens_of_several_words_and_empty_nodes_have_rows_that_lines_pass_by() -> None:
    (sentence,) = read_text(
        "0.1\t_\t_\tPRON" + "\t_" * 6 + "\n"
        "1-2\tDame\t_\t_" + "\t_" * 6 + "\n"
        "1\tDa\t_\tVERB\t_\t_\t0\troot\t_\t_\n"
        "2\tme\t_\tPRON\t_\t_\t1\tiobj\t_\t_\n"
        "2.1\tdas\t_\t_\tV" + "\t_" * 5 + "\n"
        "3\teso\t_\tPRON\t_\t_\t1\tobj\t_\t_\n\n"
    )
    drawn = terminal_tree(sentence, {2: {"upos": "X"}})
    assert drawn == (
        "# text = Dame eso\n"
        "0.1  (_)    PRON\n"
        "1-2  Dame\n"
        "  1  Da     VERB  ●─┐  0  root\n"
        "  2  me     PRON  ◄─┤  1  iobj  ✗ gold: X\n"
        "2.1  (das)  V       │\n"
        "  3  eso    PRON  ◄─┘  1  obj\n"
    )
    coloured = terminal_tree(sentence, {2: {"upos": "X"}}, colours=True)
    assert "\x1b[2m1-2  Dame\x1b[0m\n" in coloured
    assert re.sub(r"\x1b\[\d*m", "", coloured) == drawn


def test_crossing_arcs_pass_beneath_each_other() -> None:
    assert arc_lines([3, 4, 0, 3]) == ["◄───┐", "◄─┐ │", "●─│─┤", "◄─┴─┘"]


def test_what_is_wrong_is_told_beside_the_word(spoilt: list[Sentence]) -> None:
    wrong = {1: {"upos": "NOUN"}, 2: {"head": 1, "deprel": "x"}, 3: None, 4: {"head": UNSET}}
    plain = terminal_tree(spoilt[0], wrong, ["a", "b"])
    lines = plain.splitlines()
    assert lines[2].endswith("✗ gold: NOUN")
    assert lines[3].endswith("✗ gold: 1 x")
    assert lines[4].endswith("✗ not in gold")
    assert lines[5].endswith("✗ gold: elsewhere obj")
    assert "✗" not in lines[6]
    assert lines[-1] == "✗ gold has here too: a b"
    assert "\x1b" not in plain
    coloured = terminal_tree(spoilt[0], wrong, ["a", "b"], colours=True)
    assert "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[\d*m", "", coloured) == plain


def test_columns_stand_below_each_other_in_any_script(odd: list[Sentence]) -> None:
    for sentence in odd:
        rows = terminal_tree(sentence).splitlines()[2 if sentence.sent_id else 1 :]
        rows = [row for row in rows if re.search("[◄●]", row)]  # of words
        arcs = [next(x for x, c in enumerate(row) if c in "◄●") for row in rows]
        assert len({cells(row[:x]) for row, x in zip(rows, arcs, strict=True)}) == 1


@pytest.mark.parametrize(
    ("text", "expected"), [("dog", 3), ("买书", 4), ("e\u0301", 1), ("", 0), ("😀", 2), ("הקטן", 4)]
)
def test_cells(text: str, expected: int) -> None:
    assert cells(text) == expected


def test_nothing_in_a_word_steers_the_terminal() -> None:
    sentence = Sentence.from_words(
        ["\x1b[31mred", "a\x07\x9b", "x" * 5000], upos=["\x1b]0;t", "b", "c"]
    )
    drawn = terminal_tree(sentence)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", drawn)
    assert max(map(len, drawn.splitlines()[1:])) < 100
