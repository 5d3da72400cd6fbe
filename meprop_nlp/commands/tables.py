"""Results as plain text: aligned tables of scores, and what a model file holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meprop_nlp.scoring.scores import Arcs, Scores

__all__ = ["NAMES", "model_lines", "name_lines", "score_lines", "summary", "table"]

NAMES = {
    "words": "Words",
    "upos": "UPOS",
    "xpos": "XPOS",
    "feats": "UFeats",
    "ufeats": "UFeats",
    "uas": "UAS",
    "las": "LAS",
    "clas": "CLAS",
    "ucm": "UCM",
    "lcm": "LCM",
}

_OF_SENTENCES = ("ucm", "lcm")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return an aligned table in plain text: the first column to the left, the others right."""
    cells = [list(columns), *[list(row) for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def score_lines(scores: Scores) -> str:
    """Return an evaluation as tables: the metrics, then by label, length and distance."""
    parsing = "uas" in scores.annotated
    parts = [
        table(
            ["Metric", "Precision", "Recall", "F1", "Aligned"],
            [
                [
                    NAMES[name],
                    *(f"{value:.2f}" for value in (c.precision, c.recall, c.f1)),
                    "" if name in ("words", *_OF_SENTENCES) else f"{c.aligned_accuracy:.2f}",
                ]
                for name, c in scores.counts.items()
                if name in scores.annotated
            ],
        )
    ]
    if parsing:
        by = {
            "Label": scores.by_deprel,
            "Sentence length": scores.by_length,
            "Arc distance": scores.by_distance,
        }
        parts += [_arc_table(name, rows) for name, rows in by.items()]
    confusions = scores.top_confusions(10)
    if confusions:
        rows = [[f"{gold} -> {system}", f"{count:,}"] for gold, system, count in confusions]
        parts.append(table(["Wrong tags: gold -> system", "Words"], rows))
    parts.append(f"{scores.sentences:,} sentence{'' if scores.sentences == 1 else 's'}.")
    if parsing:
        parts[-1] += (
            f" Punctuation is {'not counted' if scores.exclude_punct else 'counted'} in the "
            f"parsing metrics;\nLAS and CLAS compare relations "
            f"{'without' if scores.strip_subtypes else 'with'} subtypes."
        )
    return "\n\n".join(parts)


def _arc_table(name: str, rows: Any) -> str:
    arcs: dict[str, Arcs] = dict(rows)
    if name == "Label":
        arcs = dict(sorted(arcs.items(), key=lambda item: (-item[1].gold, item[0])))
    return table(
        [name, "Words", "UAS", "LAS"],
        [[key, f"{row.gold:,}", f"{row.uas:.2f}", f"{row.las:.2f}"] for key, row in arcs.items()],
    )


def summary(scores: Scores) -> str:
    """Return the scores that were counted on one line."""
    return "  ".join(
        f"{NAMES[name]} {count.recall if name in _OF_SENTENCES else count.f1:.2f}"
        for name, count in scores.counts.items()
        if name in scores.annotated and name != "words"
    )


def model_lines(description: Mapping[str, Any]) -> str:
    """Return what `models.file.describe` says, in the order in which a person asks."""
    rest = dict(description)
    training = dict(rest.pop("training", {}))
    config = rest.pop("config", {})
    lines: list[tuple[str, str]] = [
        ("file", rest.pop("file")),
        ("size", f"{rest.pop('bytes'):,} bytes, format version {rest.pop('format_version')}"),
    ]
    kind = [str(rest.pop(name)) for name in ("task", "kind") if name in rest]
    lines.append(("holds", " ".join(kind)))
    scores, epoch = rest.pop("scores", {}), training.pop("epoch", None)
    shown = "  ".join(f"{NAMES[name]} {scores[name]:.2f}" for name in NAMES if name in scores)
    if epoch is not None:
        lines.append(("trained", f"epoch {epoch}" + (f", on dev {shown}" if shown else "")))
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
    labels, kernels = rest.pop("labels", []), rest.pop("kernels", "")
    for name, value in rest.items():
        lines.append((name.replace("_", " "), _shown(value)))
    if labels:
        lines.append(("labels", f"{len(labels)}: {', '.join(labels)}"))
    if kernels:  # of this installation, not of the file
        lines.append(("kernels", f"{kernels} (what training runs on here)"))
    parts = [name_lines(dict(lines))]
    loop = training.pop("training", {})
    meprop = training.get("meprop") or {}
    if meprop and not meprop.get("k"):
        meprop = {"k": "none, plain backpropagation"}
    for heading, settings in (
        ("network", config),
        ("meProp", meprop),
        ("meSimp", training.get("simplify")),
        ("training", loop),
    ):
        if settings:
            shown = ", ".join(f"{name} {_shown(value)}" for name, value in settings.items())
            parts.append(f"{heading} settings: {shown}")
    return "\n".join(parts)


def name_lines(values: Mapping[str, Any]) -> str:
    """Return one line for each name and its value, the values below each other."""
    width = max(map(len, values)) + 2
    return "\n".join(f"{name:<{width}}{value}" for name, value in values.items())


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "default"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "+".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
