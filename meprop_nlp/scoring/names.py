"""What each score is called where a person reads it."""

SCORE_NAMES = {
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
    "accuracy": "Accuracy",
}
