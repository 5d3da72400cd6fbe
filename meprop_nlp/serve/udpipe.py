"""UDPipe's REST interface: `/models` and `/process`, as its clients know them."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from typing import NamedTuple

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import text_of
from meprop_nlp.errors import DataError
from meprop_nlp.models.model import Model
from meprop_nlp.serve.errors import RequestError
from meprop_nlp.serve.served_models import ServedModel, ServedModels
from meprop_nlp.serve.task import Task, Tokenizing

INPUTS = ("conllu", "generic_tokenizer", "horizontal", "vertical")
OUTPUTS = ("conllu", "horizontal", "plaintext", "vertical")
_FOREIGN = ("epe", "matxin")  # forms that UDPipe has and we have not


class Answer(NamedTuple):
    """The body of a response, in pieces, and its type.

    The pieces are not joined: for a while there would be twice as much.
    """

    pieces: list[bytes]
    media_type: str

    @property
    def size(self) -> int:
        """The bytes of the body."""
        return sum(map(len, self.pieces))


def process(
    parameters: Mapping[str, str], hold: Callable[[int], None], models: ServedModels
) -> Generator[None, None, Answer]:
    """Answer `/process`, a slice at a time.

    Args:
        hold: is told how many bytes each piece of the answer has.

    Raises:
        RequestError: a parameter is missing or unknown, or the data cannot be read.
    """
    if "data" not in parameters:
        raise RequestError(400, "The parameter 'data' is required.")
    served = models.find(parameters.get("model"))
    task = _task(parameters, served)
    start = {
        "model": served.name,
        "acknowledgements": list(served.acknowledgements),
        "result": "",
    }
    pieces = [json.dumps(start, indent=1, ensure_ascii=False)[:-3].encode()]
    try:
        for piece in task.pieces(parameters["data"]):
            # a piece of a text in JSON, so that no slice has to take all of the result
            pieces.append(json.dumps(piece, ensure_ascii=False)[1:-1].encode())
            hold(len(pieces[-1]))
            yield
    except DataError as error:
        raise RequestError(400, f"Cannot process the input: {error}") from None
    pieces.append(b'"\n}\n')
    return Answer(pieces, "application/json")


def _task(parameters: Mapping[str, str], served: ServedModel) -> Task:
    """Return what a request wants done."""
    input_name, tokenizing = _read_input(parameters, served)
    return Task(
        models=_models(parameters, served),
        input_format=input_name,
        tokenizer=served.tokenizer,
        tokenizing=tokenizing,
        write=_writer(parameters.get("output") or "conllu"),
    )


def _read_input(parameters: Mapping[str, str], served: ServedModel) -> tuple[str, Tokenizing]:
    """Return the format of the data by our name, and how text becomes words."""
    name, _, options = (parameters.get("input") or "conllu").partition("=")
    if name not in INPUTS:
        raise _unknown("input", name, INPUTS)
    is_text = "tokenizer" in parameters or name == "generic_tokenizer"
    if not is_text:
        return name, Tokenizing()
    if served.tokenizer is None:
        raise RequestError(
            400,
            f"The model '{served.name}' has no tokenizer; give words, with input=conllu, "
            "input=horizontal or input=vertical, and without tokenizer.",
        )
    given = {option.partition("=")[0] for option in parameters.get("tokenizer", options).split(";")}
    return "text", Tokenizing(
        ranges="ranges" in given,
        presegmented="presegmented" in given,
        normalized_spaces="normalized_spaces" in given,
    )


def _models(parameters: Mapping[str, str], served: ServedModel) -> tuple[Model, ...]:
    """Return the heads that are asked for, as a model; none if nothing is to be predicted."""
    heads: list[str] = []
    for parameter, own in (
        ("tagger", served.tagging),
        ("parser", tuple(name for name in served.model.heads if name == "tree")),
    ):
        if parameter in parameters:
            if not own:
                raise RequestError(400, f"The model '{served.name}' has no {parameter}.")
            heads += own
    if not heads:
        return ()
    return (served.model.only(*heads),)


def _writer(output: str) -> Callable[[Sentence], str] | None:
    """Return what writes a sentence; None: CoNLL-U."""
    name, _, options = output.partition("=")
    if name not in OUTPUTS:
        raise _unknown("output", name, OUTPUTS)
    paragraphs = "paragraphs" in options.split(";")
    match name:
        case "horizontal":
            return lambda sentence: _before(sentence, paragraphs) + _horizontal(sentence)
        case "vertical":
            return lambda sentence: _before(sentence, paragraphs) + _vertical(sentence)
        case "plaintext":
            if "normalized_spaces" in options.split(";"):
                return lambda sentence: _before(sentence, True) + sentence.text + "\n"
            return lambda sentence: text_of([sentence])
    return None


def _horizontal(sentence: Sentence) -> str:
    # words, as UDPipe writes them, not tokens
    return " ".join(form.replace(" ", "\u00a0") for form in sentence.forms) + "\n"


def _vertical(sentence: Sentence) -> str:
    return "".join(f"{form}\n" for form in sentence.forms) + "\n"


def _before(sentence: Sentence, paragraphs: bool) -> str:
    """Return an empty line before a paragraph that is not the first of a document."""
    if not paragraphs:
        return ""
    marks = [comment.split()[1:2] for comment in sentence.comments]
    is_first = ["newdoc"] in marks
    return "\n" if ["newpar"] in marks and not is_first else ""


def _unknown(parameter: str, name: str, known: tuple[str, ...]) -> RequestError:
    expected = ", ".join(known)
    if name in _FOREIGN:
        return RequestError(
            400, f"The {parameter} format '{name}' is UDPipe's alone; this server has {expected}."
        )
    return RequestError(400, f"Unknown {parameter} format '{name}'; this server has {expected}.")
