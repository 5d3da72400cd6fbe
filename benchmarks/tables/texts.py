"""The tables of models that read raw text."""

from __future__ import annotations

from typing import Any

from tables.markdown import markdown
from tables.published import PUBLISHED, SCORES_OF_TEXT
from tables.speed import pace_conditions, times_spacy

PACE_OF_TEXT = ["", "words/s", "times spaCy's", "tokenizer alone, words/s"]
PACE_OF_TEXT += ["first tree", "peak memory", "file"]


def raw_text_table(runs: dict[str, Any], treebank: str, part: str) -> str:
    """Return the scores from raw text on a part of a treebank, beside what is published of test."""
    rows = [
        [
            name,
            *(f"{found['scores'][s]:.2f}" if s in found["scores"] else "" for s in SCORES_OF_TEXT),
            f"{found['bytes'] / 1e6:.1f} MB",
        ]
        for name, found in runs.get(treebank, {}).get(part, {}).items()
    ]
    rows += [
        [f"{name}, published{'' if part == 'test' else ' (test)'}"]
        + [scores.get(score, "") for score in SCORES_OF_TEXT]
        + [""]
        for name, scores in PUBLISHED.get(treebank, {}).items()
    ]
    return markdown(["", *SCORES_OF_TEXT.values(), "file"], rows)


def text_pace_rows(pace: dict[str, Any]) -> list[list[str]]:
    """Return a row for each system: what `PACE_OF_TEXT` names."""
    speeds, tokenizers = pace["words_per_second"], pace["tokenizer"]["words_per_second"]
    rows = []
    for name, speed in speeds.items():
        spacy = times_spacy(name, speeds)
        if name not in tokenizers:  # a peer
            rows.append([name, f"{speed:,}", spacy, *[""] * 4])
            continue
        peak = pace["peak"]["bytes"][name]
        rows.append(
            [
                name,
                f"{speed:,}",
                spacy,
                f"{tokenizers[name]:,}",
                f"{pace['first_tree']['process'][name][1]:.2f} s",
                "not known" if peak is None else f"{peak / 1e6:.0f} MB",
                f"{pace['bytes'][name] / 1e6:.1f} MB",
            ]
        )
    return rows


def text_pace(pace: dict[str, Any]) -> str:
    """Return the pace from text to trees, and what it was measured on."""
    more = f"; peak memory over {pace['peak']['megabytes']:g} MB of text"
    return f"{markdown(PACE_OF_TEXT, text_pace_rows(pace))}\n\n{pace_conditions(pace, more)}"
