"""JSON lines: an object a sentence, each on a line of its own.

    {"id": "weblog-1", "text": "It rains.", "tokens": [{"id": 1, "form": "It", "lemma": "it", ...

A value that CoNLL writes as `_` is null. A multiword token stands before its words, and its `id` is
a list of the first and the last of them, as Stanza has it: `[3, 4]`.
"""

import json
from typing import Any

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import COLUMNS, UNSET, Word

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "))


def to_json(sentence: Sentence) -> str:
    """Return a sentence as one line of JSON.

    `id` is its `sent_id`, or null; `tokens` have all columns of CoNLL-U, those of enhanced graphs
    and MISC only where the sentence was read from CoNLL-U. Empty nodes are listed apart in
    `empty_nodes`, where there are any.
    """
    starts = {token.first: token for token in sentence.multiword_tokens}
    is_conllu = sentence.layout.kind == "conllu"
    tokens: list[dict[str, Any]] = []
    for word in sentence.words:
        token = starts.get(word.id)
        if token is not None:
            tokens.append(_token([token.first, token.last], token.columns))
        tokens.append(_word(word, is_conllu=is_conllu))
    found: dict[str, Any] = {"id": sentence.sent_id, "text": sentence.text, "tokens": tokens}
    if sentence.empty_nodes:
        found["empty_nodes"] = [
            _token(node.columns[0], node.columns) for node in sentence.empty_nodes
        ]
    return _ENCODER.encode(found) + "\n"


def _word(word: Word, *, is_conllu: bool) -> dict[str, Any]:
    value = _value
    return {
        "id": word.id,
        "form": word.form,
        "lemma": word.lemma if word.form == "_" else value(word.lemma),
        "upos": value(word.upos),
        "xpos": value(word.xpos),
        "feats": value(word.feats),
        "head": None if word.head == UNSET else word.head,
        "deprel": value(word.deprel),
        # in CoNLL-X these columns hold PHEAD and PDEPREL
        "deps": value(word.deps) if is_conllu else None,
        "misc": value(word.misc) if is_conllu else None,
    }


def _token(name: Any, columns: tuple[str, ...]) -> dict[str, Any]:
    """Return the object of a multiword token or an empty node."""
    values = dict(zip(COLUMNS, columns, strict=True))
    return {"id": name, "form": values["form"]} | {
        column: _value(values[column]) for column in COLUMNS[2:]
    }


def _value(text: str) -> str | None:
    return None if text == "_" else text
