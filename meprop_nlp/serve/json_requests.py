"""Our own interface: `/annotate`, from JSON to the objects that `--output-format json` writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from meprop_nlp.data.formats.json_lines import to_json
from meprop_nlp.data.lines import shortened
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models.model import Model
from meprop_nlp.models.tokenizer import Tokenizer
from meprop_nlp.serve import task as tasks
from meprop_nlp.serve.errors import RequestError
from meprop_nlp.serve.limits import MOST_TEXTS
from meprop_nlp.serve.served_models import ServedModel, ServedModels
from meprop_nlp.serve.task import Task
from meprop_nlp.serve.udpipe import Answer

GIVEN = ("text", "texts", "tokens", "conllu")
_KEYS = (*GIVEN, "model", "heads")
_NO_COLUMNS = "\t_" * 8
_LINE = len(f"1\t{_NO_COLUMNS}\n")  # characters of a word's line beside the word, at least
_COLUMN_ENDS = frozenset("\t\n\r\0")


def annotate(
    body: bytes, hold: Callable[[int], None], models: ServedModels
) -> Generator[None, None, Answer]:
    """Answer `/annotate`, a slice at a time.

    Args:
        hold: is told how many bytes each piece of the answer has.

    Raises:
        RequestError: the body is not the JSON that is expected, or cannot be annotated.
    """
    request = _request(body)
    served = models.find(request.get("model"))
    task = _task(request, _model(request.get("heads"), served), served.tokenizer)
    pieces = [f'{{"model": {json.dumps(served.name)}, '.encode()]
    texts: list[str] | None = request.get("texts")
    try:
        if texts is None:
            yield from _sentences(task, _data(request), pieces, hold)
        else:
            pieces.append(b'"documents": [')
            for number, text in enumerate(texts):
                pieces.append(b", {" if number else b"{")
                yield from _sentences(task, text, pieces, hold)
                pieces.append(b"}")
            pieces.append(b"]")
    except (ConfigError, DataError) as error:
        raise RequestError(400, str(error)) from None
    pieces.append(b"}\n")
    return Answer(pieces, "application/json")


def _sentences(
    task: Task, data: str | Iterable[str], pieces: list[bytes], hold: Callable[[int], None]
) -> Generator[None, None, None]:
    """Append `"sentences": [...]` of a text to the pieces."""
    pieces.append(b'"sentences": [')
    is_first = True
    for piece in task.pieces(data):
        if piece:
            lines = piece.rstrip("\n").replace("\n", ", ")
            pieces.append((lines if is_first else f", {lines}").encode())
            hold(len(pieces[-1]))
            is_first = False
        yield
    pieces.append(b"]")


def _task(request: dict[str, Any], model: Model, tokenizer: Tokenizer | None) -> Task:
    kind = next(name for name in GIVEN if name in request)
    input_format = {"tokens": "conllu", "texts": "text"}.get(kind, kind)
    return Task(
        models=(model,),
        input_format=input_format,
        tokenizer=tokenizer,
        write=to_json,
    )


def _data(request: dict[str, Any]) -> str | Iterator[str]:
    if "tokens" in request:
        return _conllu(request["tokens"])
    data: str = request.get("text", request.get("conllu", ""))
    return data


def _conllu(sentences: list[list[str]]) -> Iterator[str]:
    """Yield slices of CoNLL-U, of sentences that are taken out of their list."""
    lines: list[str] = []
    size = 0
    for place, forms in enumerate(sentences):
        sentences[place] = []
        lines += (f"{number}\t{form}{_NO_COLUMNS}\n" for number, form in enumerate(forms, start=1))
        lines.append("\n")
        size += sum(map(len, forms)) + len(forms) * _LINE
        if size >= tasks.SLICE:
            yield "".join(lines)
            lines, size = [], 0
    if lines:
        yield "".join(lines)


def _model(heads: list[str] | None, served: ServedModel) -> Model:
    if heads is None:
        return served.model
    unknown = [name for name in heads if name not in served.model.heads]
    if unknown or not heads:
        raise _wrong("heads", heads, f"some of {', '.join(served.model.heads)}")
    return served.model.only(*heads)


def _request(body: bytes) -> dict[str, Any]:
    """Return the object in the body, its values checked."""
    try:
        request = json.loads(body.decode(), parse_constant=_no_number)
    except UnicodeDecodeError:
        raise RequestError(400, "The body is not UTF-8.") from None
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"The body is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise RequestError(400, 'The body is not a JSON object, such as {"text": "It rains."}')
    if unknown := [key for key in request if key not in _KEYS]:
        raise RequestError(
            400, f"unknown key {shortened(unknown[0])!r}; the keys are {', '.join(_KEYS)}"
        )
    given = [name for name in GIVEN if name in request]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise RequestError(400, f"expected one of {', '.join(GIVEN)}; found {found}")
    for name in ("text", "conllu", "model"):
        if name in request and not _is_text(request[name]):
            raise _wrong(name, request[name], "text")
    for name in ("texts", "heads"):
        if name in request and not _is_list_of_texts(request[name]):
            raise _wrong(name, request[name], "a list of texts")
    if len(request.get("texts", ())) > MOST_TEXTS:
        raise RequestError(
            400, f"`texts` has over {MOST_TEXTS:,} texts; send them in several requests"
        )
    if "tokens" in request:
        _demand_sentences(request["tokens"])
    return request


def _demand_sentences(tokens: Any) -> None:
    is_list = isinstance(tokens, list) and all(isinstance(s, list) and s for s in tokens)
    if not is_list:
        raise _wrong(
            "tokens", tokens, 'a list of sentences, each a list of words: [["It", "rains"]]'
        )
    for sentence in tokens:
        for form in sentence:
            is_word = _is_text(form) and form.strip(" ") and _COLUMN_ENDS.isdisjoint(form)
            if not is_word:
                raise _wrong("tokens", form, "words without tab, line break or NUL")


def _is_text(value: Any) -> bool:
    """Whether this is a text, and not half of a pair of surrogates, which JSON can hold."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _wrong(name: str, value: Any, expected: str) -> RequestError:
    return RequestError(400, f"`{name}` is {shortened(repr(value))}, expected {expected}")
