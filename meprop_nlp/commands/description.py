"""The description of a model file in plain text."""

from collections.abc import Mapping
from typing import Any

from meprop_nlp.commands.tables import name_lines
from meprop_nlp.config import (
    LEARNING_RATES,
    OF_SCHEDULE,
    OPTIMIZER_RATES,
    PRUNE_RATES,
    TAG_COLUMNS,
)
from meprop_nlp.errors import number_of, printable
from meprop_nlp.models.encoder_folder import EncoderCard
from meprop_nlp.models.file import TOKENIZER
from meprop_nlp.scoring.names import SCORE_NAMES


def model_lines(description: Mapping[str, Any]) -> str:
    """Return a description by `models.file.describe`, with what matters most first."""
    rest = dict(description)
    training = dict(rest.pop("training", {}))
    config = dict(rest.pop("config", {}))
    lines: list[tuple[str, str]] = [
        ("file", rest.pop("file")),
        ("size", f"{rest.pop('bytes'):,} bytes, format version {rest.pop('format_version')}"),
    ]
    kind = [str(rest.pop(name)) for name in ("task", "kind") if name in rest]
    lines.append(("holds", " ".join(kind)))
    if "heads" in config and isinstance(config.get("layers"), int):
        layers = number_of(config["layers"], "BiLSTM layer")
        lines.append(("heads", f"{', '.join(config['heads'])}, over {layers}"))
    scores, epoch = rest.pop("scores", {}), training.pop("epoch", None)
    shown = _in_words(scores)
    if epoch is not None:
        reached = f", on dev, words given: {shown}" if shown else ""
        lines.append(("trained", f"epoch {epoch}{reached}"))
    data = training.pop("data", {})
    counts = [
        f"{data[role]['sentences']:,} {role}"
        for role in ("train", "dev")
        if data.get(role, {}).get("sentences")
    ]
    if counts:
        lines.append(("sentences", ", ".join(counts)))
    neurons = rest.pop("neurons", {})
    if neurons:
        lines.append(("neurons", "  ".join(f"{name} {width:,}" for name, width in neurons.items())))
    if TOKENIZER in rest:
        lines.append(("tokenizer", _tokenizer(rest.pop(TOKENIZER))))
    if "pretrained" in rest:
        card = EncoderCard.from_dict(rest.pop("pretrained"))
        lines.append(("pretrained", _encoder(card)))
    labels, kernels = rest.pop("labels", []), rest.pop("kernels", "")
    if "vector_forms" in rest:
        forms, width = (_shown(rest.pop(name, None)) for name in ("vector_forms", "vector_width"))
        lines.append(("vectors", f"of {forms} word forms, {width} values each"))
    for name, value in rest.items():
        lines.append((name.replace("_", " "), _shown(value)))
    if labels:
        lines.append(("labels", f"{len(labels)}: {', '.join(labels)}"))
    if kernels:  # about this installation, not about the file
        lines.append(("kernels", f"{kernels} (what training runs on here)"))
    # a stranger's text must not write to the terminal what is no text
    parts = [name_lines({name: printable(value) for name, value in lines})]
    loop = dict(training.pop("training", {}))
    meprop = training.get("meprop") or {}
    if meprop and not meprop.get("k"):
        meprop = {"k": "none, plain backpropagation"}
    simplify = dict(training.get("simplify") or {})
    _fill_in(str(description.get("task")), description, config, simplify, loop)
    for heading, settings in (
        ("network", config),
        ("meProp", meprop),
        ("meSimp", simplify),
        ("training", loop),
    ):
        if settings:
            shown = ", ".join(f"{name} {_shown(value)}" for name, value in settings.items())
            parts.append(f"{heading} settings: {printable(shown)}")
    return "\n".join(parts)


def _fill_in(
    task: str,
    description: Mapping[str, Any],
    config: dict[str, Any],
    simplify: dict[str, Any],
    loop: dict[str, Any],
) -> None:
    """Put the values that were in use in the place of defaults, and leave out what was not in use.

    A default that depends on more than the settings, such as the size of the treebank, stays.
    """
    if config.get("columns") == []:
        config["columns"] = [name for name in TAG_COLUMNS if f"{name}_values" in description]
    dropout = config.get("dropout")
    if isinstance(dropout, float) and config.get("input_dropout", 0) is None:
        config["input_dropout"] = dropout / 2
    other = {"late": "paper", "paper": "late"}.get(str(simplify.get("schedule")))
    for name in OF_SCHEDULE.get(other or "", ()):
        simplify.pop(name, None)
    if simplify.get("prune_rate", 0) is None:
        simplify["prune_rate"] = PRUNE_RATES.get(task)
    if loop.get("learning_rate", 0) is None:
        rates = OPTIMIZER_RATES | LEARNING_RATES.get(task, {})
        loop["learning_rate"] = rates.get(str(loop.get("optimizer")))


def _encoder(card: EncoderCard) -> str:
    """Return the pretrained encoder that a model needs, in words."""
    where = f"in training it was in {card.folder}"
    if card.fine_tuned:
        where = f"trained with the model, in {card.folder} beside it"
    return (
        f"{card.name} (licence: {card.licence}), {card.layers} layers of {card.width}, "
        f"fingerprint {card.fingerprint}; {where}"
    )


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "default"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "+".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _tokenizer(tokenizer: Mapping[str, Any]) -> str:
    parts = [number_of(tokenizer["characters"], "character")]
    if endings := tokenizer["multiword_endings"]:
        parts.append(f"{number_of(endings, 'ending')} of multiword tokens")
    if scores := tokenizer["scores"]:
        parts.append(f"on the text of dev: {_in_words(scores)}")
    return ", ".join(parts)


def _in_words(scores: Mapping[str, float]) -> str:
    return "  ".join(
        f"{SCORE_NAMES[name]} {scores[name]:.2f}"
        for name in SCORE_NAMES
        if scores.get(name) is not None
    )
