"""JSON lines: an object a sentence, each on a line of its own.

    {"id": "weblog-1", "text": "It rains.", "tokens": [{"id": 1, "form": "It", "lemma": "it", ...

The objects are those of `Sentence.to_dict`.
"""

from meprop_nlp.data.sentence import Sentence


def to_json(sentence: Sentence) -> str:
    """Return a sentence as one line of JSON, with its line end."""
    return sentence.to_json() + "\n"
