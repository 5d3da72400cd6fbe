"""The JSON interface: texts, words or CoNLL-U in, the objects of `annotate` out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.models.model import Model
from meprop_nlp.serve import task

from .conftest import JSON, Client

pytestmark = pytest.mark.extras

TEXT = "The dog barks. It is Peter's cat."
CONLLU = "# sent_id = x\n1\tIt\t_\t_\t_\t_\t_\t_\t_\t_\n2\trains\t_\t_\t_\t_\t_\t_\t_\t_\n\n"


def test_text_gives_what_the_command_writes(client: Client, english: Model) -> None:
    reply = client.annotate(text=TEXT)
    assert reply.status == 200
    assert reply.headers["content-type"] == JSON
    assert reply.json == {"model": "english-ewt", "sentences": english(TEXT).to_dict()}


def test_words_and_conllu_keep_their_sentences(client: Client, english: Model) -> None:
    words = [["It", "rains", "."], ["New York", "#", "1"]]
    assert client.annotate(tokens=words).json["sentences"] == [
        english(sentence).to_dict() for sentence in words
    ]
    (sentence,) = read_text(CONLLU)
    assert client.annotate(conllu=CONLLU).json["sentences"] == [english(sentence).to_dict()]


def test_several_texts_give_as_many_documents(client: Client, english: Model) -> None:
    texts = ["It rains.", "", "中文。 \u05e9\u05dc\u05d5\u05dd", " "]
    assert client.annotate(texts=texts).json == {
        "model": "english-ewt",
        "documents": [{"sentences": english(text).to_dict()} for text in texts],
    }
    assert client.annotate(texts=[]).json["documents"] == []


def test_nothing_gives_no_sentences(client: Client) -> None:
    for request in ({"text": ""}, {"tokens": []}, {"conllu": ""}):
        assert client.annotate(**request).json["sentences"] == []


def test_heads_choose_what_is_predicted(client: Client) -> None:
    (sentence,) = client.annotate(text="It rains.", heads=["tree"], model="en").json["sentences"]
    assert set(sentence["tokens"][0]) == {"id", "form", "head", "deprel"}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "expected one of text, texts, tokens, conllu; found none of them"),
        ({"text": "a", "texts": ["b"]}, "found text and texts"),
        ({"text": "a", "txt": "b"}, "unknown key 'txt'"),
        ({"text": 3}, "`text` is 3, expected text"),
        ({"text": None}, "`text` is None, expected text"),
        ({"text": "\ud800"}, r"`text` is '\ud800', expected text"),
        ({"text": "a\0"}, "NUL"),
        ({"texts": "a"}, "`texts` is 'a', expected a list of texts"),
        ({"texts": ["a", 1]}, "expected a list of texts"),
        ({"texts": ["a"] * 10_001}, "over 10,000 texts"),
        ({"tokens": ["It", "rains"]}, "expected a list of sentences, each a list of words"),
        ({"tokens": [[]]}, "expected a list of sentences"),
        ({"tokens": [["a\tb"]]}, r"`tokens` is 'a\tb', expected words without tab"),
        ({"tokens": [[" "]]}, "expected words"),
        ({"tokens": [["a"] * 1001]}, "longer than 1000 words"),
        ({"conllu": "1\tIt"}, "data:1: found 2 columns"),
        ({"text": "a", "heads": []}, "`heads` is [], expected some of tags, lemmas, tree"),
        ({"text": "a", "heads": ["tre"]}, "`heads` is ['tre'], expected some of tags"),
        ({"text": "a", "heads": "tree"}, "expected a list of texts"),
        ({"text": "a", "model": "x"}, "The requested model 'x' does not exist."),
        ({"text": "a", "model": 1}, "`model` is 1, expected text"),
    ],
)
def test_wrong_requests_are_told_what_is_wrong(
    client: Client, request_: dict[str, Any], message: str
) -> None:
    reply = client.annotate(**request_)
    assert (reply.status, reply.headers["content-type"]) == (400, JSON)
    assert message in reply.json["error"]
    assert not client.reports


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"text": NaN}', "not JSON: NaN"),
        (b'{"text": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"[1]", "not a JSON object"),
    ],
)
def test_bodies_that_are_no_json_are_refused(client: Client, body: bytes, message: str) -> None:
    reply = client("POST", "/annotate", body, content_type=JSON)
    assert reply.status == 400
    assert message in reply.json["error"]


def test_another_content_type_is_refused(client: Client) -> None:
    reply = client("POST", "/annotate", b'{"text": "a"}', content_type="text/plain")
    assert reply.status == 415
    assert (
        reply.json["error"] == "Unsupported Content-Type 'text/plain', expected application/json."
    )
    assert client.get("/annotate").status == 405


def test_description_names_what_there_is(client: Client) -> None:
    found = client.get("/openapi.json").json
    assert found["info"]["version"] == "1.2.3"
    for path, methods in found["paths"].items():
        for method in methods:
            assert client(method.upper(), path).status not in (404, 405, 500), path
    schemas = found["components"]["schemas"]
    referred = {part.split('"')[0] for part in json.dumps(found).split("#/components/schemas/")[1:]}
    assert referred == set(schemas)


def test_tokens_are_worked_on_in_slices(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = [["It", "rains", "."], ["# global.columns = ID FORM"]] * 20
    whole = client.annotate(tokens=tokens).body
    slices: list[str] = []
    annotated = task.Task._annotated

    def noted(self: task.Task, conllu: str, first_line: int) -> str:
        slices.append(conllu)
        return annotated(self, conllu, first_line)

    monkeypatch.setattr(task, "SLICE", 100)
    monkeypatch.setattr(task.Task, "_annotated", noted)
    assert client.annotate(tokens=tokens).body == whole
    assert len(slices) >= 10
    found = [
        [token["form"] for token in sentence["tokens"]]
        for sentence in json.loads(whole)["sentences"]
    ]
    assert found == tokens
