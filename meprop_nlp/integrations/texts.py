"""`annotated_texts`: texts in, annotated texts out, as the columns of large tables hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from meprop_nlp.data.document import Document
from meprop_nlp.data.formats.json_lines import to_json
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models.model import Model, load

OUTPUT_FORMATS = ("conllu", "json")
ON_ERROR = ("fail", "null")


def model_of(model: Model | str) -> Model:
    """Return a model that is given, or read from a file, or named, and takes texts.

    Raises:
        CheckpointError: there is no such model.
        ConfigError: it has no tokenizer.
    """
    found = model if isinstance(model, Model) else load(model)
    if found.tokenizer is None:
        raise ConfigError(
            "the model has no tokenizer, so that it takes no texts; train one with tokens among "
            "its `heads`"
        )
    return found


def demand_choices(output_format: str, on_error: str) -> None:
    """Raise ConfigError unless both are among the choices."""
    for name, value, choices in (
        ("output_format", output_format, OUTPUT_FORMATS),
        ("on_error", on_error, ON_ERROR),
    ):
        if value not in choices:
            raise ConfigError(f"`{name}` is {value!r}, expected {' or '.join(choices)}")


def annotated_texts(
    model: Model, texts: Sequence[str | None], *, output_format: str, on_error: str
) -> list[str | None]:
    """Return each text annotated; None stays None.

    Args:
        output_format: `conllu`; or `json`, an object a sentence, each in a line.
        on_error: what becomes of a text that cannot be annotated, such as one with a NUL character
            in it: `fail` raises, `null` gives None in its place.

    Raises:
        DataError: a text cannot be annotated.
    """
    places = [i for i, text in enumerate(texts) if text is not None]
    given = [cast(str, texts[i]) for i in places]
    found: list[str | None] = [None] * len(texts)
    try:
        made: Iterable[str | None] = list(_written(model, given, output_format))
    except DataError:
        if on_error == "fail":
            raise
        made = [_or_none(model, text, output_format) for text in given]
    for i, text in zip(places, made, strict=True):
        found[i] = text
    return found


def _written(model: Model, texts: Iterable[str], output_format: str) -> Iterator[str]:
    for document in model.pipe(texts):
        yield _as_text(document, output_format)


def _as_text(document: Document, output_format: str) -> str:
    if output_format == "json":
        return "".join(map(to_json, document))
    return str(document)


def _or_none(model: Model, text: str, output_format: str) -> str | None:
    try:
        return next(_written(model, [text], output_format))
    except DataError:
        return None
