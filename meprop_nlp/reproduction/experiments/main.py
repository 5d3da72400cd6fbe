"""`main`: does top-k backpropagation keep the score, and what does it save (Tables 1 and 2)."""

from __future__ import annotations

from meprop_nlp.reproduction.columns import with_uas
from meprop_nlp.reproduction.corpus import FULL
from meprop_nlp.reproduction.experiment import Block, Experiment, Row
from meprop_nlp.reproduction.results import Table
from meprop_nlp.reproduction.settings import DEFAULTS, PAPERS, Scale, learning_rate, usual_k
from meprop_nlp.reproduction.verdict import Claim, faster, no_worse

__all__ = ["MAIN"]

_COLUMNS = ("best_epoch", "iterations", "dev", "test", "backward", "step", "seconds")
_KS = {"parsing": (20,), "tagging": (10,), "mnist": (20, 80)}
# (task, k or 0 for dense): backprop seconds an iteration and test score, with Adam (ICML 2017)
_PAPERS = {
    ("parsing", 0): "9,078 s, 89.84 UAS",
    ("parsing", 20): "489 s (18.6x), 90.01 UAS",
    ("tagging", 0): "16,167 s, 97.07",
    ("tagging", 10): "k 5: 247 s (65.4x), 97.12",
    ("mnist", 0): "170 s, 97.82",
    ("mnist", 20): "7.9 s (21.4x), 98.01",
}


def _judge(table: Table) -> list[Claim]:
    claims = []
    for row in table.block.rows:
        optimizer, _, which = row.key.partition(" ")
        if which != "dense":
            base = f"{optimizer} dense"
            claims += [
                no_worse(table, row.key, base),
                faster(table, row.key, base, column="backward"),
                faster(table, row.key, base, column="step"),
            ]
    return claims


def _papers(task: str, scale: Scale) -> Block:
    rows = []
    for optimizer, name in (("adam", "Adam"), ("adagrad", "AdaGrad")):
        settings = {"optimizer": optimizer, "learning_rate": learning_rate(task, optimizer)}
        for k in (0, *_KS[task]):
            kept = scale.width(k) if k else None
            rows.append(
                Row(
                    f"{optimizer} {f'k{k}' if k else 'dense'}",
                    f"{name}, {f'meProp, k {kept}' if kept else 'dense'}",
                    {**settings, "k": kept},
                    papers=_PAPERS.get((task, k), "") if optimizer == "adam" else "",
                )
            )
    return Block(task, FULL, PAPERS, tuple(rows), with_uas(task, _COLUMNS), _judge)


def _defaults(task: str, scale: Scale) -> Block:
    k = usual_k(task, DEFAULTS, scale)
    rows = (
        Row("adam dense", "dense", {}),
        Row("adam meprop", f"meProp, k {k}", {"k": k}),
    )
    return Block(task, FULL, DEFAULTS, rows, with_uas(task, _COLUMNS), _judge)


def _blocks(scale: Scale) -> tuple[Block, ...]:
    return (
        *(_papers(task, scale) for task in _KS),
        *(_defaults(task, scale) for task in ("parsing", "tagging")),
    )


MAIN = Experiment(
    "main",
    "Dense against meProp",
    "Does keeping only the k largest entries of each gradient keep the score, and what does it "
    "save (meProp, Tables 1 and 2)? The papers: within noise or better, and the linear layers' "
    "backpropagation 18 to 65 times as fast on baselines of about 1 GFLOP/s; a whole step about 3 "
    "times.",
    _blocks,
)
