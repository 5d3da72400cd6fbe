"""Drawn trees: an arc for each head, text that is no markup, any script and length."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.tree_svg import MOST_WORDS, tree_svg
from meprop_nlp.data.word import UNSET, EmptyNode, MultiwordToken, Word

ANY_TEXT = st.text(min_size=1, max_size=8)


@st.composite
def sentences(draw: st.DrawFn) -> list[Word]:
    n = draw(st.integers(0, 12))
    heads = st.integers(UNSET, n + 1)  # also of words that are not there
    return [
        Word(i, draw(ANY_TEXT), upos=draw(ANY_TEXT), head=draw(heads), deprel=draw(ANY_TEXT))
        for i in range(1, n + 1)
    ]


def texts(svg: str) -> list[Any]:
    return [element.text for element in ElementTree.fromstring(svg) if element.tag.endswith("text")]


def places(svg: str, forms: list[str]) -> list[float]:
    found = {e.text: float(e.attrib["x"]) for e in ElementTree.fromstring(svg) if e.text}
    return [found[form] for form in forms]


def paths(svg: str) -> list[str]:
    return [element.attrib["d"] for element in ElementTree.fromstring(svg) if "d" in element.attrib]


def lines(svg: str) -> list[str]:
    return [path for path in paths(svg) if not path.endswith("Z")]


def arrows(svg: str) -> int:
    return len(paths(svg)) - len(lines(svg))


def test_words_tags_and_labels_are_written() -> None:
    words = ["Time", "flies", "."]
    sentence = Sentence.from_words(
        words, upos=["NOUN", "VERB", "_"], xpos=["NN", "_", "."], head=[2, 0, 2],
        deprel=["nsubj", "root", "_"],
    )  # fmt: skip
    svg = tree_svg(sentence.words)
    assert texts(svg) == ["Time", "NOUN", "flies", "VERB", "root", ".", ".", "nsubj"]
    assert len(lines(svg)) == arrows(svg) == 3
    assert "currentColor" in svg
    left, middle, right = places(svg, words)
    assert left < middle < right
    assert sentence._repr_html_() == f'<div style="overflow-x: auto">{svg}</div>'


def test_markup_in_a_word_stays_text() -> None:
    forms = ["</svg><script>alert(1)</script>", '" onload="x', "&lt;", "a\0\x1b\ufffe\ud800b"]
    svg = tree_svg(
        [Word(i, form, upos=form, head=0, deprel=form) for i, form in enumerate(forms, 1)]
    )
    assert "<script" not in svg
    assert texts(svg)[::3] == [*forms[:3], "a\ufffd\ufffd\ufffd\ufffdb"]
    assert set(ElementTree.fromstring(svg).attrib) == {
        "role", "aria-label", "width", "height", "viewBox", "font-family", "fill"
    }  # fmt: skip


@given(sentences())
def test_any_sentence_gives_well_formed_svg_with_an_arrow_for_each_arc(words: list[Word]) -> None:
    svg = tree_svg(words)
    n_arcs = sum(0 <= word.head <= len(words) and word.head != word.id for word in words)
    assert len(lines(svg)) == arrows(svg) == n_arcs
    assert len(texts(svg)) >= 2 * len(words) - sum(word.upos == "_" for word in words)
    svg.encode()


@given(sentences())
def test_arcs_of_one_height_share_no_place(words: list[Word]) -> None:
    taken: dict[str, list[tuple[float, float]]] = {}
    for path in lines(tree_svg(words)):
        if not (turn := re.search(r"Q\S+ ([\d.]+),([\d.]+) H([\d.]+)", path)):
            continue  # of a root
        first, height, last = turn.groups()
        taken.setdefault(height, []).append(tuple(sorted((float(first), float(last)))))  # type: ignore[arg-type]
    for spans in taken.values():
        assert all(left[1] <= right[0] for left, right in pairwise(sorted(spans)))


def marked(svg: str, kind: str) -> list[str]:
    """The texts that are marked as wrong or as gold, in order."""
    return [
        "".join(element.itertext())
        for element in ElementTree.fromstring(svg).iter()
        if element.attrib.get("class") == kind and "d" not in element.attrib
    ]


def test_what_is_wrong_is_marked_beside_what_is_gold() -> None:
    words = Sentence.from_words(
        ["a", "b", "c", "d"], upos=["X", "Y", "Z", "X"], head=[0, 1, 2, 1],
        deprel=["root", "obj", "obl", "x"],
    ).words  # fmt: skip
    wrong = {
        1: {"upos": "NOUN", "xpos": "NN"},
        2: {"deprel": "iobj"},
        3: {"head": 1},
        4: None,
    }
    svg = tree_svg(words, wrong)
    assert marked(svg, "wrong") == ["X", "d", "obj", "obl"]
    assert marked(svg, "gold") == ["NOUN", "iobj", "obl"]
    found = ElementTree.fromstring(svg)
    dashed = [e.attrib["d"] for e in found if "stroke-dasharray" in e.attrib]
    assert len(dashed) == 1
    assert len(lines(svg)) == arrows(svg) == 5  # four of the system, and one of gold
    words_at = next(float(e.attrib["y"]) for e in found if e.text == "a")
    gold_arc = next(e for e in found if e.attrib.get("class") == "gold" and e.get("fill") == "none")
    assert min(float(y) for y in re.findall(r",([\d.]+)", gold_arc.attrib["d"])) > words_at
    # whoever sees no colours sees lines below, dashes, underlines and italics
    assert all(
        {"text-decoration", "font-style", "stroke-dasharray", "stroke-width"} & e.attrib.keys()
        for e in found.iter()
        if "class" in e.attrib and not e.attrib.get("d", "Z").endswith("Z")
    )


def test_gold_roots_and_heads_elsewhere() -> None:
    words = Sentence.from_words(["a", "b"], head=[2, 0], deprel=["x", "root"]).words
    svg = tree_svg(words, {1: {"head": 0, "deprel": "root"}, 2: {"head": UNSET, "deprel": "y"}})
    assert marked(svg, "wrong") == ["root", "x"]
    assert marked(svg, "gold") == ["root"]  # of the other there is no arc to draw
    assert tree_svg(words, {}) == tree_svg(words)


@given(sentences(), st.data())
def test_any_marks_give_well_formed_svg_with_all_gold_arcs(
    words: list[Word], data: st.DataObject
) -> None:
    values = st.fixed_dictionaries(
        {}, optional={"head": st.integers(UNSET, len(words)), "upos": ANY_TEXT, "deprel": ANY_TEXT}
    )
    wrong = data.draw(st.dictionaries(st.integers(1, 12), st.none() | values))
    svg = tree_svg(words, wrong)
    heads = [wrong[word.id]["head"] for word in words if "head" in (wrong.get(word.id) or {})]
    own = [word.id for word in words if "head" in (wrong.get(word.id) or {})]
    n_gold = sum(head != UNSET and head != i for head, i in zip(heads, own, strict=True))
    n_arcs = sum(0 <= word.head <= len(words) and word.head != word.id for word in words)
    assert len(lines(svg)) == arrows(svg) == n_arcs + n_gold
    height = float(ElementTree.fromstring(svg).attrib["height"])
    numbers = [float(e.attrib["y"]) for e in ElementTree.fromstring(svg) if "y" in e.attrib]
    assert all(0 < y < height for y in numbers)


@pytest.mark.parametrize(
    ("forms", "leftwards"),
    [
        (["12", "הוא", "x"], True),
        (["(", "كتاب", ")"], True),
        (["It", "הוא"], False),
        (["12", "."], False),
        (["你", "好"], False),
    ],
)
def test_scripts_from_right_to_left_stand_so(forms: list[str], leftwards: bool) -> None:
    svg = tree_svg(Sentence.from_words(forms).words)
    found = places(svg, forms)
    assert found == sorted(found, reverse=leftwards)
    assert ('direction="rtl"' in svg) is leftwards


def token(first: int, last: int, form: str) -> MultiwordToken:
    return MultiwordToken(first, last, (f"{first}-{last}", form, *"_" * 8))


def node(after: int, form: str, upos: str = "_", xpos: str = "_") -> EmptyNode:
    return EmptyNode(after, (f"{after}.1", form, "_", upos, xpos, *"_" * 5))


@pytest.mark.parametrize("forms", [["da", "me", "lo", "ya"], ["של", "ה", "ב", "ל"]])
def test_a_bracket_below_the_words_of_a_token_has_its_form(forms: list[str]) -> None:
    words = Sentence.from_words(forms, head=[0, 1, 1, 1], deprel=["x"] * 4).words
    plain = tree_svg(words)
    for form in ("T", "a-form-much-longer-than-its-words-are"):
        svg = tree_svg(words, multiword_tokens=[token(2, 3, form)])
        (bracket,) = [path for path in lines(svg) if " H" in path and "Q" not in path]
        numbers = re.search(r"M([\d.]+),([\d.]+) V([\d.]+) H([\d.]+)", bracket)
        assert numbers
        left, top, bottom, right = map(float, numbers.groups())
        first, second, third, fourth = sorted(places(svg, forms))
        assert first < left < second < third < right < fourth
        found = next(e for e in ElementTree.fromstring(svg) if e.text == form)
        assert float(found.attrib["x"]) == pytest.approx((left + right) / 2)
        base = next(float(e.attrib["y"]) for e in ElementTree.fromstring(svg) if e.text == forms[0])
        height = float(ElementTree.fromstring(svg).attrib["height"])
        assert base < top < bottom < float(found.attrib["y"]) < height
        assert height > float(ElementTree.fromstring(plain).attrib["height"])
        assert right - left >= len(form) * 13 * 0.62 - 0.01
        assert arrows(svg) == arrows(plain)


def test_gold_arcs_are_below_the_brackets() -> None:
    words = Sentence.from_words(["a", "b"], head=[0, 1], deprel=["root", "x"]).words
    svg = tree_svg(words, {1: {"head": 2}}, multiword_tokens=[token(1, 2, "ab")])
    token_y = next(float(e.attrib["y"]) for e in ElementTree.fromstring(svg) if e.text == "ab")
    gold = [
        e.attrib["d"]
        for e in ElementTree.fromstring(svg)
        if e.get("class") == "gold" and e.get("fill") == "none"
    ]
    assert gold
    assert min(float(y) for y in re.findall(r"[V,]([\d.]+)", " ".join(gold))) > token_y


def test_empty_nodes_stand_between_the_words_fainter_and_without_arcs() -> None:
    words = Sentence.from_words(["a", "b"], head=[0, 1], deprel=["root", "x"]).words
    nodes = [node(1, "y", "NOUN", "NN"), node(1, "z", xpos="VB"), node(0, "_"), node(2, "w")]
    svg = tree_svg(words, empty_nodes=nodes)
    found = places(svg, ["(_)", "a", "(y)", "(z)", "b", "(w)"])
    assert found == sorted(found)
    assert places(svg, ["NOUN", "VB"]) == places(svg, ["(y)", "(z)"])
    assert paths(svg) != paths(tree_svg(words))  # they take room
    assert len(paths(svg)) == len(paths(tree_svg(words)))
    faint = [e.text for e in ElementTree.fromstring(svg) if e.get("class") == "empty"]
    assert faint == ["(y)", "(z)", "(_)", "(w)"]
    assert all(
        "opacity" in e.attrib for e in ElementTree.fromstring(svg) if e.get("class") == "empty"
    )


def test_tokens_and_nodes_beyond_the_words_that_are_drawn_are_left_out() -> None:
    n = MOST_WORDS + 9
    words = [Word(i, "w") for i in range(1, n + 1)]
    tokens = [token(MOST_WORDS - 1, n, "cut"), token(MOST_WORDS + 1, n, "beyond")]
    nodes = [node(MOST_WORDS, "last"), node(MOST_WORDS + 1, "beyond"), *[node(1, "x")] * 500]
    shown = texts(tree_svg(words, multiword_tokens=tokens, empty_nodes=nodes))
    assert "cut" in shown
    assert "beyond" not in shown
    assert "(last)" in shown
    assert shown.count("(x)") == MOST_WORDS - 1


def test_a_notebook_shows_tokens_and_empty_nodes() -> None:
    text = "1-2\tab\t_\t_" + "\t_" * 6 + "\n1\ta" + "\t_" * 8 + "\n2\tb" + "\t_" * 8
    (sentence,) = read_text(text + "\n2.1\tc" + "\t_" * 8 + "\n\n")
    (svg,) = re.findall("<svg.*</svg>", sentence._repr_html_())
    assert texts(svg) == ["a", "b", "(c)", "ab"]


def test_a_long_sentence_is_drawn_up_to_a_bound() -> None:
    n = MOST_WORDS + 9
    words = [Word(i, f"w{i}", head=min(i + 1, n), deprel="x") for i in range(1, n)]
    words += [Word(n, "end", head=1, deprel="x")]
    svg = tree_svg(words)
    shown = texts(svg)
    assert f"w{MOST_WORDS}" in shown
    assert f"w{MOST_WORDS + 1}" not in shown
    assert shown[-1] == "…"
    assert len(lines(svg)) == MOST_WORDS - 1


def test_many_arcs_above_each_other_stay_on_the_page() -> None:
    words = [Word(i, "w", head=0 if i == 1 else 1) for i in range(1, 300)]
    height = float(ElementTree.fromstring(tree_svg(words)).attrib["height"])
    assert height < 600


def test_no_words_give_an_empty_drawing() -> None:
    assert texts(tree_svg([])) == []
