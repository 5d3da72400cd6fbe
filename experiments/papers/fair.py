"""`fair`: what a sceptic would try instead, at the same final size or for the same seconds."""

from math import ceil
from statistics import fmean

from experiments.claims import MARGIN, better
from experiments.conditions import machine
from experiments.data import FULL
from experiments.results import Result
from experiments.settings import DEFAULT_K, DEFAULTS, late_cut
from experiments.table import Changes, Row, Table
from meprop_nlp.config import LATE_TRAINING, Criterion

COLUMNS = ("neurons", "epochs", "seconds", "dev", "test", "decode")
MOST_EPOCHS = 200
# by how much a cut network must be above a small one to be worth it
ABOVE_SMALL = {"parsing": 0.5, "tagging": MARGIN["upos"]}
DENSE, SMALL = "dense, uncut", "small from scratch, same epochs"
SMALL_SAME_TIME = "small from scratch, same seconds"
DENSE_SAME_TIME = "dense, for the seconds of meProp"
# other ways of pruning as they are done elsewhere, without a teacher
OTHERS: dict[Criterion, str] = {
    "hits": "cutting whoever is seldom in the top k",
    "magnitude": "magnitude pruning with fine-tuning",
    "reconstruction": "cutting by reconstruction, with fine-tuning",
    "random": "random cutting with fine-tuning",
}
# and meSimp as it is here, with another criterion
DISTILLED: dict[Criterion, str] = {
    "reconstruction": "meSimp, by reconstruction",
    "taylor": "meSimp, by what the loss would lose",
    "random": "meSimp, by chance",
}
NOTE = (
    "meSimp keeps the neurons with the largest incoming weights, and the whole network teaches "
    "what is left, with a third of the dropout. Pruning with fine-tuning is done as elsewhere, "
    "without a teacher and with all of the dropout; the last rows do all that meSimp does but "
    "for the choice of neurons: by reconstruction are chosen those from which what the layer "
    "gives its readers is best made up, by least squares. Magnitude became the default as the "
    "best of these four on the parser's dev and the simplest; that choice flatters its figure "
    "on dev a little. All follow "
    "its schedule and its k. A small network has the width that meSimp left with the same "
    "seed, the mean of a tagger's two directions, and is trained with lazy Adam as that is. "
    "Epochs for the same seconds are computed from the seconds measured with that seed, "
    "rounded up, and the learning rate falls to zero over just these epochs. Only the first "
    "two rows stop early (patience)."
)


def _epochs(result: Result | None) -> int:
    return len(result["epochs"]) if result else 0


def _same_time(like: Result | None, other: Result | None) -> int | None:
    """How many epochs of another training take the seconds of one, rounded up in its favour.

    None if that cannot be said, as they were trained on different machines.
    """
    if not (like and other) or machine(like["conditions"]) != machine(other["conditions"]):
        return None
    an_epoch = other["training_seconds"] / len(other["epochs"])
    epochs: int = ceil(like["training_seconds"] / an_epoch)
    return max(1, min(MOST_EPOCHS, epochs))


def _small(cut: Result | None, epochs: int | None) -> Changes | None:
    """A network from scratch of the size that a cut one has left, the mean of its layers."""
    if not (cut and epochs):
        return None
    hidden = max(1, round(fmean(cut["neurons"].values())))
    return {"hidden": hidden, "epochs": epochs, **LATE_TRAINING}


def _dense(epochs: int | None) -> Changes | None:
    return {"epochs": epochs, "patience": 0} if epochs else None


def _table(task: str) -> Table:
    k, above = DEFAULT_K[task], ABOVE_SMALL[task]
    meprop, cut = f"meProp, k {k}, uncut", f"meSimp (`--simplify`), k {k}"
    rows = [
        Row(DENSE, {}),
        Row(meprop, {"k": k}),
        Row(cut, late_cut(k)),
        Row(SMALL, lambda find: _small(find(cut), _epochs(find(cut)))),
        Row(SMALL_SAME_TIME, lambda find: _small(find(cut), _same_time(find(cut), find(SMALL)))),
        Row(DENSE_SAME_TIME, lambda find: _dense(_same_time(find(meprop), find(DENSE)))),
    ]
    rows += [
        Row(label, late_cut(k, criterion=criterion, teacher=False))
        for criterion, label in OTHERS.items()
    ]
    rows += [Row(label, late_cut(k, criterion=c)) for c, label in DISTILLED.items()]
    claims = (
        better(cut, SMALL_SAME_TIME, by=above, column="dev"),
        # the best of more epochs on dev flatters dev
        better(cut, SMALL_SAME_TIME, by=above),
        better(cut, SMALL, column="dev"),
        *(better(cut, label, column="dev") for label in (*OTHERS.values(), *DISTILLED.values())),
        better(meprop, DENSE_SAME_TIME, column="dev"),
        better(meprop, DENSE_SAME_TIME),
    )
    return Table(task, FULL, DEFAULTS, rows, COLUMNS, claims, note=NOTE)


FAIR = tuple(map(_table, DEFAULT_K))
