"""What each score is called where a person reads it."""

SCORE_NAMES = {
    "tokens": "Tokens",
    "sentence_spans": "Sentences",
    "words": "Words",
    "upos": "UPOS",
    "xpos": "XPOS",
    "feats": "UFeats",
    "ufeats": "UFeats",
    "alltags": "AllTags",
    "lemmas": "Lemmas",
    "uas": "UAS",
    "las": "LAS",
    "clas": "CLAS",
    "mlas": "MLAS",
    "blex": "BLEX",
    "ucm": "UCM",
    "lcm": "LCM",
    "accuracy": "Accuracy",
}
