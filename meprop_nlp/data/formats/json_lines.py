"""JSON lines: an object a sentence, each on a line of its own.

    {"id": "weblog-1", "text": "It rains.", "tokens": [{"id": 1, "form": "It", "lemma": "it", ...

The tokens are as from `Sentence.to_dict`: what CoNLL writes as `_` is left out, and a multiword
token stands before its words, with their ids as its own, `[3, 4]`.
"""

import json
from typing import Any

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import COLUMNS

_ENCODER = json.JSONEncoder(ensure_ascii=False)


def to_json(sentence: Sentence) -> str:
    """Return a sentence as one line of JSON.

    `id` is its `sent_id`, or null. DEPS and MISC are there only where the sentence was read from
    CoNLL-U. Empty nodes are listed apart in `empty_nodes`, where there are any.
    """
    tokens = sentence.to_dict()
    if sentence.layout.kind != "conllu":  # in CoNLL-X the columns hold PHEAD and PDEPREL
        tokens = [{k: v for k, v in token.items() if k not in ("deps", "misc")} for token in tokens]
    found: dict[str, Any] = {"id": sentence.sent_id, "text": sentence.text, "tokens": tokens}
    if sentence.empty_nodes:
        found["empty_nodes"] = [_node(node.columns) for node in sentence.empty_nodes]
    return _ENCODER.encode(found) + "\n"


def _node(columns: tuple[str, ...]) -> dict[str, str]:
    """Return the columns of an empty node that have a value, and always its form."""
    named = zip(COLUMNS, columns, strict=True)
    return {name: value for name, value in named if value != "_" or name == "form"}
