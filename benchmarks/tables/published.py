"""The treebanks, the scores that tables show, and what others reach."""

from __future__ import annotations

EWT, IMST = "ud-english-ewt", "ud-turkish-imst"  # folders
# the scores of the joint model at the head of docs/accuracy.md, and below
SUMMARY = {
    "upos": "UPOS",
    "xpos": "XPOS",
    "ufeats": "UFeats",
    "lemmas": "Lemmas",
    "uas": "UAS",
    "las": "LAS",
}
JOINT = {**SUMMARY, "clas": "CLAS", "mlas": "MLAS", "blex": "BLEX"}
# the scores from raw text
SCORES_OF_TEXT = {"tokens": "Tokens", "sentence_spans": "Sentences", "words": "Words", **SUMMARY}
# spaCy 3.8.18, `init config --pipeline tagger,morphologizer,parser --optimize efficiency`, trained
# on the same file; tokens given; scored by udtools' udeval
SPACY = {"upos": 94.53, "xpos": 93.65, "ufeats": 95.23, "uas": 86.40, "las": 83.18}
SPACY_BYTES, SPACY_MINUTES = 8_200_000, 22  # on one core, with other trainings beside it
# from raw text, on test: UDPipe 1 with its models of UD 2.5, the better sentences with paragraphs
# like ours; Stanza with vectors and a language model
PUBLISHED: dict[str, dict[str, dict[str, str]]] = {
    EWT: {
        "UDPipe 1": {
            **{"sentence_spans": "77.4 to 86.9", "words": "98.9", "upos": "93.3", "xpos": "92.8"},
            **{"ufeats": "94.2", "lemmas": "95.5", "uas": "80.2", "las": "77.0"},
        },
        "Stanza 1.5.1": {
            **{"tokens": "99.2", "sentence_spans": "89.2", "upos": "96.2", "lemmas": "96.6"},
            **{"las": "86.8"},
        },
    },
    IMST: {
        "UDPipe 1": {
            **{"sentence_spans": "97.0", "words": "98.3", "upos": "91.6", "xpos": "90.7"},
            **{"ufeats": "88.5", "lemmas": "90.0", "uas": "62.2", "las": "55.1"},
        },
        "Stanza 1.5.1": {
            **{"tokens": "99.9", "sentence_spans": "98.2", "upos": "93.4", "lemmas": "95.6"},
            **{"las": "64.1"},
        },
    },
}
# UDPipe 1 with its model of UD 2.5, tokens given, as its authors published it
PUBLISHED_OF_TOKENS = {"UDPipe 1": {"upos": "94.4", "lemmas": "96.4", "las": "81.1"}}
