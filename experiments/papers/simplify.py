"""`simplify`: what meSimp leaves of a network, and what that costs and saves."""

from experiments.claims import no_worse, smaller
from experiments.data import FULL
from experiments.settings import DEFAULT_K, DEFAULTS, PAPERS, late_cut, paper_cut, paper_cycle
from experiments.table import Figure, Row, Table
from meprop_nlp.config import SIMPLIFY_EPOCHS, SimplifyConfig

COLUMNS = ("neurons", "dev", "test", "bytes", "decode", "seconds", "best_epoch")
# k and prune_rate; the first is the papers' own
CUTS = {
    "parsing": ((20, 0.1), (20, 0.06), (50, 0.1)),
    "tagging": ((20, 0.1), (20, 0.2), (50, 0.2)),
    "mnist": ((160, 0.1), (80, 0.1), (80, 0.05)),
}
# what the papers report, and which share of the neurons that is
PAPERS_NUMBERS = {
    "parsing": ("51 neurons: 89.80 -> 90.11 UAS", 0.102),
    "tagging": ("60 neurons: 97.22 -> 97.25", 0.12),
    "mnist": ("154 neurons: 98.20 -> 98.31", 0.308),
}
KEPT = (0.1, 0.4)  # beside the default
FIGURE = Figure("Neurons left", "epoch", columns=("neurons",), epochs=True)


def _papers(task: str) -> Table:
    papers, share = PAPERS_NUMBERS[task]
    rows = [Row("dense, uncut", {})]
    for k, rate in CUTS[task]:
        rows.append(Row(f"meSimp, k {k}, prune rate {rate:g}", paper_cut(task, k, rate)))
    rows[1] = rows[1]._replace(papers=papers)
    claims = (
        smaller(rows[1].label, "dense, uncut", share=share),
        no_worse(rows[1].label, "dense, uncut"),
    )
    # the pace of decoding is in words
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
    rows = [
        Row("dense, uncut", {}),
        Row(f"meProp, k {k}, uncut", {"k": k}),
        Row(cut, late_cut(k)),
    ]
    rows += [Row(f"`--simplify --keep {s:g}`, k {k}", late_cut(k, keep=s)) for s in KEPT]
    claims = (
        smaller(cut, "dense, uncut", share=SimplifyConfig().keep),
        no_worse(cut, "dense, uncut", column="dev"),
        no_worse(cut, "dense, uncut"),
    )
    note = f"`--simplify` trains for {SIMPLIFY_EPOCHS} epochs, with no patience."
    return Table(task, FULL, DEFAULTS, rows, COLUMNS, claims, FIGURE, note)


SIMPLIFY = (*map(_papers, CUTS), *map(_defaults, DEFAULT_K))
