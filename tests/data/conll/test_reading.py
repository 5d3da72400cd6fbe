"""Reading and writing again: nothing is lost, and only the requested columns change."""

from __future__ import annotations

import io
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import conllu
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meprop_nlp.data.conll.layout import CONLLU, Layout
from meprop_nlp.data.conll.reading import read, read_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import UNSET, Word
from meprop_nlp.errors import ConlluError, DataError

FILES = [
    "ud-english-ewt/dev.conllu",
    "ud-turkish-imst/dev.conllu",
    "ptb-sample/dev.conllx",
    "conllx-spanish/esp.test",
]
SLOW_FILES = [
    "ud-english-ewt/train.conllu",
    "ud-english-ewt/test.conllu",
    "ud-turkish-imst/train.conllu",
    "ud-turkish-imst/test.conllu",
    "ptb-sample/train.conllx",
    "ptb-sample/test.conllx",
    "conllx-spanish/esp.train",
]

TURKISH = """\
# sent_id = t1
# text = Evdeyim.
1-2\tEvdeyim\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
1\tEvde\tev\tNOUN\tNoun\tCase=Loc|Number=Sing\t0\troot\t_\t_
2\tyim\ti\tAUX\tZero\tPerson=1\t1\tcop\t_\t_
2.1\tben\tben\tPRON\t_\t_\t_\t_\t1:nsubj\tCopyOf=-1
3\t.\t.\tPUNCT\tPunc\t_\t1\tpunct\t_\t_

"""

CONLLX = "1\tEl\tel\td\tda\tgen=m\t2\t_\t2\t_\n2\tfin\tfin\tn\tnc\t_\t0\tROOT\t0\tROOT\n\n"


def written(sentences: list[Sentence]) -> str:
    """Return the text of a file with these sentences."""
    return "".join(str(sentence) for sentence in sentences)


def kind(sentences: list[Sentence]) -> str:
    """Return the format the sentences were read in."""
    return sentences[0].layout.kind if sentences else "auto"


class TestRoundTrip:
    @pytest.mark.parametrize(
        "name", [*FILES, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW_FILES)]
    )
    def test_treebank_comes_back_byte_for_byte(self, shared_data: Path, name: str) -> None:
        expected = (shared_data / name).read_bytes()
        if not expected.endswith(b"\n\n"):
            expected += b"\n"  # the missing empty line is added
        actual = b"".join(str(s).encode() for s in read(shared_data / name, trees=True))
        assert actual == expected

    @pytest.mark.parametrize("text", [TURKISH, CONLLX])
    def test_block_comes_back(self, text: str) -> None:
        assert written(list(read_text(text * 3))) == text * 3

    FORM = st.text(
        st.characters(exclude_characters="\t\n\r\0", exclude_categories=["Cs"]), min_size=1
    )

    @given(st.lists(st.lists(FORM.filter(lambda form: form.strip(" ")), min_size=1), min_size=1))
    def test_any_form_comes_back(self, sentences: list[list[str]]) -> None:
        made = [Sentence.from_words(forms, misc=forms) for forms in sentences]
        back = list(read_text(written(made), input_format="conllu"))
        assert [sentence.forms for sentence in back] == sentences
        assert [sentence.column("misc") for sentence in back] == sentences
        from_bytes = read(io.BytesIO(written(made).encode()), input_format="conllu")
        assert [sentence.forms for sentence in from_bytes] == sentences

    @given(st.text(st.sampled_from("1234_-.\t\t\t\t#a \r\n\n\ufeff\0")), st.integers(1, 9))
    @example("\r\ufeff\t", 1)
    def test_any_text_is_read_or_refused_but_never_crashes(self, text: str, cap: int) -> None:
        with suppress(DataError):
            sentences = list(read(io.StringIO(text, newline=""), max_errors=cap))
            again = list(read_text(written(sentences), input_format=kind(sentences)))
            assert written(again) == written(sentences)


class TestOracle:
    @pytest.mark.parametrize("name", FILES[:2])
    def test_conllu_library_reads_the_same(self, shared_data: Path, name: str) -> None:
        text = (shared_data / name).read_text(encoding="utf-8")
        text = text[: text.index("\n\n", 200_000) + 2]
        expected = conllu.parse(text)
        actual = list(read_text(text))
        assert len(actual) == len(expected)
        for sentence, tokens in zip(actual, expected, strict=True):
            words = [token for token in tokens if isinstance(token["id"], int)]
            assert sentence.forms == [token["form"] for token in words]
            assert sentence.column("head") == [token["head"] for token in words]
            assert sentence.column("deprel") == [token["deprel"] for token in words]
            assert sentence.sent_id == tokens.metadata["sent_id"]
            assert sentence.text == tokens.metadata["text"]
            others = [token["id"] for token in tokens if not isinstance(token["id"], int)]
            assert len(sentence.multiword_tokens) == sum(i[1] == "-" for i in others)
            assert len(sentence.empty_nodes) == sum(i[1] == "." for i in others)


class TestLayouts:
    @pytest.mark.parametrize(
        ("text", "layout"),
        [
            (TURKISH[:-1], CONLLU),
            (CONLLX[:-1], Layout("conllx", 10)),
            ("1\ta\t_\tN\tN\t_\t0\tROOT\t_\t_\n", Layout("conllx", 10)),
            ("1\ta\t_\tN\tN\t_\t0\troot\t_\t_\n", CONLLU),
            ("1\ta\t_\tN\tN\t_\t0\tROOT\t_\tSpaceAfter=No\n", CONLLU),
            ("1\ta\t_\tN\tN\t_\t0\t_\t0:root\t_\n", CONLLU),
            ("1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n", CONLLU),
            ("1\ta\t_\tN\tN\t_\t0\tROOT\n", Layout("conllx", 8)),
            ("a\tN\t0\tROOT\n", Layout("tab", 4)),
            ("#\tN\t2\nb\tN\t0\n", Layout("tab", 3)),
            ("a\tN\t_\n", Layout("tab", 3)),
            ("a\tN\n#b\tN\n", Layout("tab", 2)),
        ],
    )
    def test_format_is_detected_from_the_first_sentence(self, text: str, layout: Layout) -> None:
        [sentence] = read_text(text)
        assert sentence.layout == layout
        assert str(sentence) == text + "\n"

    def test_file_name_decides_if_nothing_else_does(self, tmp_path: Path) -> None:
        for name, kind in (("a.conllx", "conllx"), ("a.conllu", "conllu")):
            (tmp_path / name).write_text("1\ta" + "\t_" * 8, encoding="utf-8")
            assert next(read(tmp_path / name)).layout == Layout(kind, 10)

    def test_name_decides_about_a_foreign_root_label_but_not_about_phead(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.conllu.gz"
        for phead, kind in (("_", "conllu"), ("0", "conllx")):
            path.write_text(f"1\ta\t_\tN\tN\t_\t0\tROOT\t{phead}\t_\n", encoding="utf-8")
            assert next(read(path)).layout.kind == kind

    def test_malt_tab_columns(self) -> None:
        [sentence] = read_text("Dogs\tNNS\t2\tnsubj\nbark\tVBP\t0\troot\n", trees=True)
        assert sentence.forms == ["Dogs", "bark"]
        assert sentence.column("xpos") == ["NNS", "VBP"]
        assert sentence.column("upos") == ["_", "_"]
        assert sentence.column("head") == [2, 0]
        assert sentence.column("deprel") == ["nsubj", "root"]

    def test_new_tags_and_heads_are_written_back_to_tab_columns(self) -> None:
        [sentence] = read_text("#\tX\t_\t_\nb\tX\t_\t_\n", input_format="tab")
        tagged = sentence.with_columns(xpos=["SYM", "NN"], head=[2, 0], deprel=["dep", "root"])
        assert str(tagged) == "#\tSYM\t2\tdep\nb\tNN\t0\troot\n\n"

    @pytest.mark.parametrize("width", [1, 2, 3, 4])
    def test_tab_layout_is_widened_for_new_columns(self, width: int) -> None:
        text = "\t".join(["a", "X", "0", "root"][:width]) + "\n"
        [sentence] = read_text(text, input_format="tab")
        assert str(sentence.with_columns(xpos=["NN"])).split("\t")[1].strip() == "NN"
        assert str(sentence.with_columns(upos=["NOUN"])).split("\t")[1].strip() == "NOUN"
        both = sentence.with_columns(upos=["NOUN"], xpos=["NN"], feats=["A=B"])
        assert str(both).split("\t")[1].strip() == "NN"
        parsed = str(sentence.with_columns(head=[0], deprel=["dep"]))
        assert parsed == f"a\t{'X' if width > 1 else '_'}\t0\tdep\n\n"
        assert str(sentence.with_columns(feats=["A=B"])) == text + "\n"

    def test_vertical_text_is_read_on_request_only(self) -> None:
        sentences = list(read_text("#\nb\n\n# c\n", input_format="tab"))
        assert [sentence.forms for sentence in sentences] == [["#", "b"], ["# c"]]
        assert sentences[0].with_columns(upos=["SYM", "X"]).to_text(CONLLU) == (
            "1\t#\t_\tSYM\t_\t_\t_\t_\t_\t_\n2\tb\t_\tX\t_\t_\t_\t_\t_\t_\n\n"
        )

    def test_comment_in_a_tab_file_is_kept(self) -> None:
        text = "# first\n\na\tN\n# mid\nb\tN\n\n"
        assert written(list(read_text(text))) == text.replace("\n\n", "\n", 1)

    def test_conllx_written_as_conllu_loses_phead(self) -> None:
        [sentence] = read_text(CONLLX)
        assert sentence.to_text(CONLLU).split("\n")[0].endswith("\t2\t_\t_\t_")

    def test_conllu_written_as_conllx_has_only_words(self) -> None:
        [sentence] = read_text(TURKISH)
        lines = sentence.to_text(Layout("conllx", 8)).split("\n")
        assert [line.count("\t") for line in lines] == [7, 7, 7, 0, 0]

    @pytest.mark.parametrize(
        ("text", "asked"), [(TURKISH, "tab"), (CONLLX, "tab"), ("a\tN\n", "conllu")]
    )
    def test_file_in_another_format_than_requested_is_refused(self, text: str, asked: str) -> None:
        with pytest.raises(DataError, match=r"found \d+ columns in .* expected"):
            list(read_text(text, input_format=asked))


class TestColumns:
    def test_only_the_named_columns_change(self) -> None:
        [sentence] = read_text(TURKISH)
        changed = sentence.with_columns(upos=["X", "Y", "Z"], head=[UNSET, 1, 0])
        expected = (
            TURKISH.replace("NOUN", "X").replace("AUX", "Y").replace("PUNCT", "Z")
            .replace("\t0\troot", "\t_\troot").replace("\t1\tpunct", "\t0\tpunct")
        )  # fmt: skip
        assert str(changed) == expected
        assert str(sentence) == TURKISH

    def test_column_that_is_none_does_not_change(self) -> None:
        [sentence] = read_text(TURKISH)
        assert str(sentence.with_columns(upos=None, head=None)) == TURKISH

    def test_new_head_in_conllx_drops_the_projective_one(self) -> None:
        [sentence] = read_text(CONLLX)
        assert sentence.with_columns(head=[0, 1]).column("deps") == ["_", "_"]
        assert sentence.with_columns(head=[0, 1]).column("misc") == ["_", "_"]
        assert sentence.with_columns(xpos=["a", "b"]).column("deps") == ["2", "0"]

    @pytest.mark.parametrize(
        "columns",
        [
            {"upos": ["X"]},
            {"upos": ["a\tb", "c"]},
            {"upos": ["", "c"]},
            {"upos": [1, 2]},
            {"form": ["a\n", "b"]},
            {"head": [3, 0]},
            {"head": ["1", "0"]},
            {"head": [-2, 0]},
            {"id": [1, 2]},
            {"tag": ["a", "b"]},
        ],
        ids=str,
    )
    def test_values_that_cannot_be_written_are_refused(self, columns: dict) -> None:
        sentence = Sentence.from_words(["a", "b"])
        with pytest.raises(DataError):
            sentence.with_columns(**columns)

    def test_unknown_column_is_refused(self) -> None:
        with pytest.raises(DataError, match="no column 'tag'; the columns are id, form"):
            Sentence.from_words(["a"]).column("tag")

    @pytest.mark.parametrize("forms", [[], ["a", ""], ["a\tb"], ["a\nb"]])
    def test_forms_that_cannot_be_written_are_refused(self, forms: list[str]) -> None:
        with pytest.raises(DataError):
            Sentence.from_words(forms)

    def test_words_can_be_changed_in_place(self) -> None:
        sentence = Sentence.from_words(["a", "b"])
        sentence.words[1].head = 1
        assert str(sentence).split("\n")[1] == "2\tb\t_\t_\t_\t_\t1\t_\t_\t_"


class TestSentence:
    def test_tokens_are_the_surface_tokens(self) -> None:
        [sentence] = read_text(TURKISH)
        assert sentence.tokens() == [("Evdeyim", "SpaceAfter=No"), (".", "_")]
        assert sentence.text == sentence.joined_text() == "Evdeyim."
        assert sentence.multiword_tokens[0][:2] == (1, 2)
        assert (sentence.empty_nodes[0].after, sentence.empty_nodes[0].form) == (2, "ben")

    def test_text_without_comment_is_joined_from_the_tokens(self) -> None:
        sentence = Sentence.from_words(["Yes", ",", "no"], misc=["SpaceAfter=No", "_", "_"])
        assert (sentence.text, sentence.sent_id) == ("Yes, no", None)

    def test_lines_of_words(self) -> None:
        sentence = list(read_text(TURKISH * 2))[1]
        assert (sentence.line, len(sentence)) == (9, 3)
        assert [sentence.word_line(i) for i in (1, 2, 3)] == [12, 13, 15]

    def test_sentences_are_equal_if_their_texts_are(self) -> None:
        first, second = read_text(TURKISH * 2)
        assert first == second
        assert first != second.with_columns(head=[0, 1, 2])
        assert first.words[0] == second.words[0] != second.words[1]

    @given(st.lists(st.integers(0, 5), min_size=6, max_size=6))
    def test_words_are_numbered_from_one(self, heads: list[int]) -> None:
        sentence = Sentence.from_words("abcdef", head=heads)
        assert all(after == before + 1 for before, after in pairwise(sentence.column("id")))
        assert sentence.words[0] == Word(1, "a", head=heads[0])


class TestPartialTrees:
    """`trees=None`: words may lack heads, and what heads there are must be part of a tree."""

    @pytest.mark.parametrize("heads", ["_ _ _", "2 0 _", "0 0 _", "_ 3 0", "2 0 2"])
    def test_heads_of_a_tree_or_none_are_read(self, heads: str) -> None:
        [sentence] = read_text(with_heads(heads), trees=None)
        expected = [-1 if head == "_" else int(head) for head in heads.split()]
        assert sentence.column("head") == expected

    @pytest.mark.parametrize(
        ("heads", "message"),
        [
            ("2 1 _", r"1: the heads go round in a circle: 1 'a' -> 2 'b' -> 1; expected a tree"),
            ("_ 2 0", r"2: the heads go round in a circle: 2 'b' -> 2"),
            ("_ 4 0", r"2: HEAD is '4', expected an integer from 0 to 3"),
            ("_ x 0", r"2: HEAD is 'x', expected an integer"),
        ],
    )
    def test_faults_have_their_line(self, heads: str, message: str) -> None:
        with pytest.raises(ConlluError, match=message):
            list(read_text(with_heads(heads), trees=None))


def with_heads(heads: str) -> str:
    lines = [
        f"{n}\t{form}\t_\t_\t_\t_\t{head}\t_\t_\t_"
        for n, (form, head) in enumerate(zip("abc", heads.split(), strict=True), start=1)
    ]
    return "\n".join([*lines, "", ""])
