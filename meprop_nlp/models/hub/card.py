"""`model_card`: the README of a model's folder, which the Hub shows as its page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from meprop_nlp.config import TOKENS
from meprop_nlp.errors import ConfigError
from meprop_nlp.models.file import TOKENIZER, noun_of
from meprop_nlp.scoring.names import SCORE_NAMES

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_PREDICTS = {
    "tags": "parts of speech and features",
    "lemmas": "lemmas",
    "tree": "dependency trees",
    TOKENS: "sentences and words of a text",
}


def demand_metadata(language: str | None, licence: str | None) -> None:
    """Raise ConfigError unless these can stand in a model card as the Hub reads it."""
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise ConfigError(f"`language` is {language!r}, expected a code such as en or pt-BR")
    if licence is not None and not _LICENCE.fullmatch(licence):
        raise ConfigError(
            f"`licence` is {licence!r}, expected its identifier on the Hub, such as cc-by-sa-4.0, "
            "mit or other"
        )


def model_card(
    header: Mapping[str, Any],
    heads: tuple[str, ...],
    *,
    language: str | None = None,
    licence: str | None = None,
    notice: str | None = None,
) -> str:
    """Return the model card of a model, as Markdown with the Hub's metadata before it.

    Args:
        header: of the model file.
        heads: the names of the model's heads.
        language: the code of its language; None: unknown.
        licence: its identifier on the Hub; None: unknown.
        notice: the name of a file beside the card with what the licence demands, if there is one.

    Raises:
        ConfigError: the language or the licence is not written as the Hub expects it.
    """
    demand_metadata(language, licence)
    metadata = {
        "library_name": "meprop-nlp",
        "language": language,
        "license": licence,
        "pipeline_tag": "token-classification",
    }
    parts = [TOKENS, *heads] if TOKENIZER in header else [*heads]
    lines = ["---", *(f"{name}: {json.dumps(value)}" for name, value in metadata.items() if value)]
    lines += ["tags:", "- universal-dependencies", *(f"- {part}" for part in parts), "---", ""]
    noun = noun_of(header.get("task"))
    predicts = ", ".join(_PREDICTS.get(part, part) for part in parts)
    lines += [
        f"# {noun.capitalize()} of meprop_nlp",
        "",
        f"It predicts {predicts}, in the columns of CoNLL-U.",
        "",
        "```python",
        "from meprop_nlp import Model",
        "",
        'model = Model.from_pretrained("REPOSITORY")  # or this folder',
        'print(model(["It", "rains", "."]))',
        "```",
        "",
    ]
    if rows := _scores(header):
        lines += [
            "Scores on its dev set, by which its best epoch was chosen, with the words given:",
            "",
            "| score | % |",
            "|---|---:|",
            *rows,
            "",
        ]
    lines += _provenance(header)
    if licence is None:
        lines.append(
            "Its licence is not stated. It depends on the data that the model learnt from."
        )
    else:
        beside = "" if notice is None else f"; see {notice} beside this file"
        lines.append(f"Licence: {licence}{beside}.")
    return "\n".join([*lines, ""])


def _scores(header: Mapping[str, Any]) -> list[str]:
    scores = header.get("scores") or {}
    return [
        f"| {SCORE_NAMES[name]} | {value:.2f} |"
        for name, value in scores.items()
        if name in SCORE_NAMES and isinstance(value, int | float)
    ]


def _provenance(header: Mapping[str, Any]) -> list[str]:
    """Return what the file says of the data and of other models that this one learnt from."""
    data = (header.get("training") or {}).get("data") or {}
    sizes = [
        f"{size:,} {role} sentences"
        for role in ("train", "dev")
        if isinstance(size := (data.get(role) or {}).get("sentences"), int) and size
    ]
    lines = [f"Learnt from {', '.join(sizes)}."] if sizes else []
    if teachers := header.get("taught_with"):
        lines.append(f"Learnt also from: {', '.join(map(_escaped, teachers))}.")
    if encoder := header.get("pretrained"):
        lines.append(
            f"Reads the pretrained encoder {_escaped(encoder['name'])} "
            f"(licence: {_escaped(encoder['licence'])})."
        )
    return [*lines, ""] if lines else []


def _escaped(text: str) -> str:
    """Return a text of a stranger's file as it can stand in a line of Markdown."""
    return json.dumps(" ".join(str(text).split()), ensure_ascii=False)[1:-1].replace("<", "&lt;")
