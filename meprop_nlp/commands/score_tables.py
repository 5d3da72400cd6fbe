"""Scores in plain text: the tables of an evaluation, and a summary in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meprop_nlp.commands.tables import table
from meprop_nlp.errors import number_of, printable
from meprop_nlp.scoring.names import SCORE_NAMES
from meprop_nlp.scoring.scores import SEGMENTATION, shown

if TYPE_CHECKING:
    from meprop_nlp.scoring.scores import Arcs, Scores


def score_lines(scores: Scores) -> str:
    """Return the tables of an evaluation: metrics, then scores by label, length and distance."""
    parsing = "uas" in scores.annotated
    parts = [str(scores)]
    if parsing:
        by = {
            "Label": scores.by_deprel,
            "Sentence length": scores.by_length,
            "Arc distance": scores.by_distance,
        }
        parts += [_arc_table(name, rows) for name, rows in by.items()]
    for name in scores.pairs:
        if confusions := scores.top_confusions(10, name):
            rows = [
                [printable(f"{gold} -> {system}"), f"{count:,}"]
                for gold, system, count in confusions
            ]
            parts.append(table([f"Wrong {name.upper()}: gold -> system", "Words"], rows))
    parts.append(f"{number_of(scores.sentences, 'sentence')}.")
    if scores.annotated <= set(SEGMENTATION):
        parts[-1] += " Gold has no tags, lemmas or trees that could be scored."
    if parsing:
        parts[-1] += (
            f" Punctuation is {'not counted' if scores.exclude_punct else 'counted'} in the "
            f"parsing metrics;\nrelations are compared "
            f"{'without' if scores.strip_subtypes else 'with'} subtypes."
        )
        if not scores.counts["uas"].gold:
            parts[-1] += "\n" + nothing_left(scores)
    return "\n\n".join(parts)


def nothing_left(scores: Scores) -> str:
    """Return a sentence for an evaluation in which the parsing metrics count no word."""
    words = scores.counts["words"].gold
    return (
        f"No word is left to count in the parsing metrics: punctuation is excluded, which all "
        f"{number_of(words, 'word')} of gold are."
    )


def _arc_table(name: str, rows: Any) -> str:
    arcs: dict[str, Arcs] = dict(rows)
    if name == "Label":
        arcs = dict(sorted(arcs.items(), key=lambda item: (-item[1].gold, item[0])))
    return table(
        [name, "Words", "UAS", "LAS"],
        [
            [printable(key), f"{row.gold:,}", shown(row.uas), shown(row.las)]
            for key, row in arcs.items()
        ],
    )


def summary(scores: Scores) -> str:
    """Return the scores of an evaluation in one line."""
    return "  ".join(
        f"{SCORE_NAMES[name]} {shown(getattr(scores, name))}"
        for name in scores.counts
        if name in scores.annotated and name not in SEGMENTATION
    )
