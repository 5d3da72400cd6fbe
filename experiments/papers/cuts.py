"""What is cut: `simplify`, meSimp, and `fair`, what a sceptic would try instead of it.

`fair` compares networks of the same final size, or trained for the same seconds.
"""

from math import ceil
from statistics import fmean

from experiments.claims import MARGIN, better, no_worse, smaller
from experiments.conditions import machine
from experiments.data import FULL
from experiments.results import Result
from experiments.settings import (
    DEFAULT_K,
    DEFAULTS,
    PAPERS,
    late_cut,
    late_training,
    paper_cut,
    paper_cycle,
)
from experiments.table import Changes, Figure, Row, Table
from meprop_nlp.config import SIMPLIFY_EPOCHS, Criterion, SimplifyConfig

DENSE = "dense, uncut"
COLUMNS = ("neurons", "dev", "test", "bytes", "decode", "seconds", "best_epoch")
# k and prune_rate; the first pair is the papers'
CUTS = {
    "parsing": ((20, 0.1), (20, 0.06), (50, 0.1)),
    "tagging": ((20, 0.1), (20, 0.2), (50, 0.2)),
    "mnist": ((160, 0.1), (80, 0.1), (80, 0.05)),
}
# what the papers report, and the share of the neurons that are left
PAPERS_NUMBERS = {
    "parsing": ("51 neurons: 89.80 -> 90.11 UAS", 0.102),
    "tagging": ("60 neurons: 97.22 -> 97.25", 0.12),
    "mnist": ("154 neurons: 98.20 -> 98.31", 0.308),
}
KEPT = (0.1, 0.4)  # shares of the neurons, beside the default
FIGURE = Figure("Neurons left", "epoch", columns=("neurons",), epochs=True)


def _papers(task: str) -> Table:
    papers, share = PAPERS_NUMBERS[task]
    rows = [Row(DENSE, {})]
    for k, rate in CUTS[task]:
        label = f"meSimp, k {k}, prune rate {rate:g}"
        rows.append(Row(label, paper_cut(task, k, rate), papers if len(rows) == 1 else ""))
    cut = rows[1].label
    claims = smaller(cut, DENSE, share=share), no_worse(cut, DENSE)
    # decoding is measured in words
    columns = [name for name in COLUMNS if task != "mnist" or name != "decode"]
    cycle = paper_cycle(task)
    note = (
        f"A cut network is trained for {4 * cycle} epochs: {cycle} with cuts, {cycle} without, "
        "and both again."
    )
    return Table(task, FULL, PAPERS, rows, columns, claims, FIGURE, note)


def _defaults(task: str) -> Table:
    k = DEFAULT_K[task]
    cut = f"`--simplify`, k {k}"
    rows = [Row(DENSE, {}), Row(f"meProp, k {k}, uncut", {"k": k}), Row(cut, late_cut(task, k))]
    rows += [Row(f"`--simplify --keep {s:g}`, k {k}", late_cut(task, k, keep=s)) for s in KEPT]
    claims = (
        smaller(cut, DENSE, share=SimplifyConfig().keep),
        no_worse(cut, DENSE, column="dev"),
        no_worse(cut, DENSE),
    )
    note = f"`--simplify` trains for {SIMPLIFY_EPOCHS} epochs, with no patience."
    return Table(task, FULL, DEFAULTS, rows, COLUMNS, claims, FIGURE, note)


FAIR_COLUMNS = ("neurons", "epochs", "seconds", "dev", "test", "decode")
MOST_EPOCHS = 200
# by how much a cut network must be above a small one to be worth it
ABOVE_SMALL = {"parsing": 0.5, "tagging": MARGIN["upos"]}
SMALL = "small from scratch, same epochs"
SMALL_SAME_TIME = "small from scratch, same seconds"
DENSE_SAME_TIME = "dense, for the seconds of meProp"
# other ways of pruning, without a teacher, as is usual elsewhere
OTHERS: dict[Criterion, str] = {
    "hits": "cutting neurons that are seldom in the top k",
    "magnitude": "magnitude pruning with fine-tuning",
    "reconstruction": "cutting by reconstruction, with fine-tuning",
    "random": "random cutting with fine-tuning",
}
# meSimp with another criterion
DISTILLED: dict[Criterion, str] = {
    "reconstruction": "meSimp, by reconstruction",
    "taylor": "meSimp, by the effect on the loss",
    "random": "meSimp, at random",
}
NOTE = (
    "meSimp keeps the neurons with the largest incoming weights, and the whole network is the "
    "teacher of what is left, with a third of the dropout. Pruning with fine-tuning is done as is "
    "usual elsewhere, without a teacher and with full dropout. The last rows are meSimp with "
    "another criterion; *by reconstruction* keeps the neurons from which the layer's effect on its "
    "readers can best be reconstructed, by least squares. Magnitude became the default because it "
    "is the simplest of these four and the best on the parser's dev set; that choice flatters its "
    "dev score a little. All rows follow meSimp's schedule and k. A small network is as wide as "
    "what meSimp left with the same seed (the mean of a tagger's two directions), and is trained "
    "with lazy Adam, too. The epochs for the same seconds are computed from the seconds measured "
    "with that seed, rounded up, and the learning rate falls to zero over just these epochs. Only "
    "the first two rows stop early (patience)."
)


def _epochs(result: Result | None) -> int:
    return len(result["epochs"]) if result else 0


def _same_time(like: Result | None, other: Result | None) -> int | None:
    """Return for how many epochs the other can be trained in the same seconds, rounded up.

    None if they were trained on different machines.
    """
    if not (like and other) or machine(like["conditions"]) != machine(other["conditions"]):
        return None
    an_epoch = float(other["training_seconds"]) / len(other["epochs"])
    return max(1, min(MOST_EPOCHS, ceil(float(like["training_seconds"]) / an_epoch)))


def _small(task: str, cut: Result | None, epochs: int | None) -> Changes | None:
    """Return the changes for a network from scratch, as wide as the layers of a cut one."""
    if not (cut and epochs):
        return None
    hidden = max(1, round(fmean(cut["neurons"].values())))
    return {"hidden": hidden, **late_training(task), "epochs": epochs}


def _dense(epochs: int | None) -> Changes | None:
    return {"epochs": epochs, "patience": 0} if epochs else None


def _fair(task: str) -> Table:
    k, above = DEFAULT_K[task], ABOVE_SMALL[task]
    meprop, cut = f"meProp, k {k}, uncut", f"meSimp (`--simplify`), k {k}"
    rows = [
        Row(DENSE, {}),
        Row(meprop, {"k": k}),
        Row(cut, late_cut(task, k)),
        Row(SMALL, lambda find: _small(task, find(cut), _epochs(find(cut)))),
        Row(
            SMALL_SAME_TIME,
            lambda find: _small(task, find(cut), _same_time(find(cut), find(SMALL))),
        ),
        Row(DENSE_SAME_TIME, lambda find: _dense(_same_time(find(meprop), find(DENSE)))),
    ]
    rows += [
        Row(label, late_cut(task, k, criterion=criterion, own_teacher=False))
        for criterion, label in OTHERS.items()
    ]
    rows += [Row(label, late_cut(task, k, criterion=c)) for c, label in DISTILLED.items()]
    claims = (
        better(cut, SMALL_SAME_TIME, by=above, column="dev"),
        # dev flatters the best of more epochs
        better(cut, SMALL_SAME_TIME, by=above),
        better(cut, SMALL, column="dev"),
        *(better(cut, label, column="dev") for label in (*OTHERS.values(), *DISTILLED.values())),
        better(meprop, DENSE_SAME_TIME, column="dev"),
        better(meprop, DENSE_SAME_TIME),
    )
    return Table(task, FULL, DEFAULTS, rows, FAIR_COLUMNS, claims, note=NOTE)


SIMPLIFY = (*map(_papers, CUTS), *map(_defaults, DEFAULT_K))
FAIR = tuple(map(_fair, DEFAULT_K))
