"""JSON lines: all columns, multiword tokens and empty nodes, one sentence a line."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.layout import Layout
from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.formats.json_lines import to_json
from meprop_nlp.data.sentence import Sentence

CONLLU = """\
# sent_id = weblog-1
# text = Il va au bal.
1\tIl\tlui\tPRON\t_\tPerson=3\t2\tnsubj\t2:nsubj\t_
2\tva\taller\tVERB\tV\t_\t0\troot\t0:root\t_
3-4\tau\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
3\tà\t_\t_\t_\t_\t_\t_\t_\t_
4\tle\t_\t_\t_\t_\t_\t_\t_\t_
4.1\t_\tbal\tNOUN\t_\t_\t_\t_\t2:obl\t_

"""


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(to_json(sentence)) for sentence in read_text(text)]


def test_all_columns_come_out() -> None:
    [found] = objects(CONLLU)
    assert (found["id"], found["text"]) == ("weblog-1", "Il va au bal.")
    assert found["tokens"][0] == {
        "id": 1, "form": "Il", "lemma": "lui", "upos": "PRON", "feats": "Person=3",
        "head": 2, "deprel": "nsubj", "deps": "2:nsubj",
    }  # fmt: skip
    assert [token["id"] for token in found["tokens"]] == [1, 2, [3, 4], 3, 4]
    assert found["tokens"][1]["head"] == 0
    assert found["tokens"][2:4] == [
        {"id": [3, 4], "form": "au", "misc": "SpaceAfter=No"},
        {"id": 3, "form": "à"},
    ]
    [node] = found["empty_nodes"]
    assert node == {"id": "4.1", "form": "_", "lemma": "bal", "upos": "NOUN", "deps": "2:obl"}


def test_an_underscore_may_be_a_form() -> None:
    [found] = objects("1\t_" + "\t_" * 8 + "\n\n")
    assert (found["id"], found["text"]) == (None, "_")
    assert found["tokens"] == [{"id": 1, "form": "_"}]
    assert "empty_nodes" not in found


def test_other_layouts_have_no_deps_and_no_misc() -> None:
    words = Sentence.from_words(["It"], upos=["PRON"], deps=["1"], misc=["root"])
    [sentence] = read_text(words.to_text(), input_format="conllx")
    assert sentence.layout == Layout("conllx", 10)
    assert json.loads(to_json(sentence))["tokens"] == [{"id": 1, "form": "It", "upos": "PRON"}]


FORMS = st.text(st.sampled_from('a"\\\u2028\x0b\x1fé😀 /')).filter(lambda form: form.strip(" "))


@given(forms=st.lists(FORMS, min_size=1))
def test_a_sentence_is_one_line_and_comes_back(forms: list[str]) -> None:
    text = to_json(Sentence.from_words(forms))
    assert text.index("\n") == len(text) - 1
    assert [token["form"] for token in json.loads(text)["tokens"]] == forms
    assert all(character in text for character in "".join(forms) if character in "é😀")
