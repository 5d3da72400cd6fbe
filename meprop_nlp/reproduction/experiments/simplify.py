"""`simplify`: what meSimp leaves of a network, and what that costs and saves."""

from __future__ import annotations

from meprop_nlp.config import SIMPLIFY_EPOCHS, SimplifyConfig
from meprop_nlp.reproduction.corpus import FULL
from meprop_nlp.reproduction.experiment import Block, Experiment, Figure, Row
from meprop_nlp.reproduction.experiments.cuts import late_cut, paper_cut, paper_cycle
from meprop_nlp.reproduction.results import Table
from meprop_nlp.reproduction.settings import DEFAULTS, PAPERS, Scale, epochs_of, usual_k
from meprop_nlp.reproduction.verdict import Claim, no_worse, smaller

__all__ = ["SIMPLIFY"]

_COLUMNS = ("neurons", "dev", "test", "bytes", "decode", "seconds", "best_epoch")
# k and prune_rate; the first is the papers' own
_CUTS = {
    "parsing": ((20, 0.1), (20, 0.06), (50, 0.1)),
    "tagging": ((20, 0.1), (20, 0.2), (50, 0.2)),
    "mnist": ((160, 0.1), (80, 0.1), (80, 0.05)),
}
_PAPERS = {
    "parsing": "51 neurons: 89.80 -> 90.11 UAS",
    "tagging": "60 neurons: 97.22 -> 97.25",
    "mnist": "154 neurons: 98.20 -> 98.31",
}
_PAPERS_SHARE = {"parsing": 0.102, "tagging": 0.12, "mnist": 0.308}
_KEPT = (0.1, 0.4)  # beside the default


def _judge_papers(table: Table) -> list[Claim]:
    return [
        smaller(table, "cut", share=_PAPERS_SHARE[table.block.task], of="dense"),
        no_worse(table, "cut", "dense"),
    ]


def _papers(task: str, scale: Scale) -> Block:
    cycle = paper_cycle(epochs_of(task, FULL, scale))
    rows = [Row("dense", "dense, uncut", {})]
    for number, (k, rate) in enumerate(_CUTS[task]):
        kept = scale.width(k)
        rows.append(
            Row(
                f"cut{number or ''}",
                f"meSimp, k {kept}, prune rate {rate:g}",
                paper_cut(kept, rate, cycle),
                papers="" if number else _PAPERS[task],
            )
        )
    # the pace of decoding is that of words
    columns = tuple(name for name in _COLUMNS if task != "mnist" or name != "decode")
    figures = _figures(task, "papers")
    note = (
        f"A cut network is trained for {4 * cycle} epochs: {cycle} with cuts, {cycle} without, "
        "and both again."
    )
    return Block(task, FULL, PAPERS, tuple(rows), columns, _judge_papers, figures, note=note)


def _judge_defaults(table: Table) -> list[Claim]:
    return [
        smaller(table, "cut", share=SimplifyConfig().keep, of="dense"),
        no_worse(table, "cut", "dense", column="dev"),
        no_worse(table, "cut", "dense"),
    ]


def _defaults(task: str, scale: Scale) -> Block:
    k = usual_k(task, DEFAULTS, scale)
    rows = (
        Row("dense", "dense, uncut", {}),
        Row("meprop", f"meProp, k {k}, uncut", {"k": k}),
        Row("cut", f"`--simplify`, k {k}", late_cut(scale, k)),
        *(
            Row(
                f"keep{keep}",
                f"`--simplify --keep {keep:g}`, k {k}",
                late_cut(scale, k, keep=keep),
            )
            for keep in _KEPT
        ),
    )
    figures = _figures(task, "defaults")
    note = f"`--simplify` trains for {scale.epochs_of(SIMPLIFY_EPOCHS)} epochs, with no patience."
    return Block(task, FULL, DEFAULTS, rows, _COLUMNS, _judge_defaults, figures, note=note)


def _figures(task: str, kind: str) -> tuple[Figure, ...]:
    title = "Neurons left"
    return (Figure(f"simplify-{task}-{kind}", title, "epoch", columns=("neurons",), epochs=True),)


def _blocks(scale: Scale) -> tuple[Block, ...]:
    return (
        *(_papers(task, scale) for task in _CUTS),
        *(_defaults(task, scale) for task in ("parsing", "tagging")),
    )


SIMPLIFY = Experiment(
    "simplify",
    "Cutting the network (meSimp)",
    "How small does a network get when neurons that are seldom in the top k are cut while it "
    "trains, and what does it lose (meSimp, section 4)? The papers: about a tenth of the neurons, "
    "at no loss. At the papers' settings the cut follows the reference's schedule, two stages from "
    "the first epoch on; at our defaults it is what `--simplify` does.",
    _blocks,
)
