"""`k`, `selection` and `width`: how many entries, which ones, and why not a small network."""

from __future__ import annotations

from meprop_nlp.reproduction.columns import with_uas
from meprop_nlp.reproduction.corpus import SWEEP
from meprop_nlp.reproduction.experiment import Block, Experiment, Figure, Row
from meprop_nlp.reproduction.results import Table
from meprop_nlp.reproduction.settings import PAPERS, Scale
from meprop_nlp.reproduction.verdict import Claim, faster, no_worse, worse

__all__ = ["KEPT", "SELECTION", "WIDTH"]

_TASKS = ("parsing", "mnist")
_KS = (5, 10, 20, 50, 100, 200)  # of 500: 1 to 40 %; 100 % is the dense network
_SELECTION_KS = (5, 20, 100)
_WIDTHS = (5, 10, 20, 50, 100)
_DENSE = Row("dense", "dense", {})
_SMALL = 20  # the papers' k for parsing, 4 %
# meProp, Table 3: networks of hidden size k from scratch, and meProp with that k
_TABLE_3 = {
    ("parsing", "wide20"): "h 20: 88.37 UAS",
    ("parsing", "top20"): "k 20: 90.01 UAS",
}


def _distinct(ks: tuple[int, ...], scale: Scale) -> list[tuple[int, int]]:
    """Pairs of k at 500 neurons and k at this scale, each of the latter once."""
    scaled: dict[int, int] = {}
    for k in ks:
        scaled[scale.width(k)] = k
    return [(k, kept) for kept, k in scaled.items()]


def _top(k: int, kept: int, *, mode: str = "example", name: str = "top", papers: str = "") -> Row:
    label = {"top": "top-k", "random": "random k", "unified": "unified top-k"}[name]
    changes = {"k": kept, "topk_mode": mode}
    return Row(f"{name}{k}", f"{label}, k {kept}", changes, label, kept, papers)


def _judge_k(table: Table) -> list[Claim]:
    kept = [row.key for row in table.block.rows if row.key.startswith("top")]
    # at a small scale several k are the same, and the last of them has the key
    small = [key for key in kept if key in (f"top{_SMALL}", "top50")] or kept[:1]
    return [
        *(no_worse(table, key, "dense") for key in small),
        faster(table, small[0], "dense", column="backward", times=2),
    ]


def _k_blocks(scale: Scale) -> tuple[Block, ...]:
    rows = (*(_top(k, kept) for k, kept in _distinct(_KS, scale)), _DENSE)
    columns = ("dev", "test", "backward", "step", "best_epoch", "seconds")
    return tuple(
        Block(
            *(task, SWEEP, PAPERS, rows, with_uas(task, columns), _judge_k),
            (
                Figure(
                    f"k-{task}",
                    "How many entries are kept",
                    f"k, of {scale.hidden} neurons",
                    columns=("test", "backward"),
                    log=True,
                    level="dense",
                ),
            ),
        )
        for task in _TASKS
    )


def _judge_selection(table: Table) -> list[Claim]:
    ks = [row.key.removeprefix("top") for row in table.block.rows if row.key.startswith("top")]
    return [
        *(worse(table, f"random{k}", f"top{k}", by=0.5) for k in ks[:2]),
        *(no_worse(table, f"unified{k}", f"top{k}") for k in ks[1:3]),
    ]


def _selection_blocks(scale: Scale) -> tuple[Block, ...]:
    rows = tuple(
        _top(k, kept, mode=mode, name=name)
        for mode, name in (("example", "top"), ("random", "random"), ("unified", "unified"))
        for k, kept in _distinct(_SELECTION_KS, scale)
    )
    columns = ("dev", "test", "backward", "step", "seconds")
    return tuple(
        Block(
            *(task, SWEEP, PAPERS, (*rows, _DENSE), with_uas(task, columns), _judge_selection),
            (
                Figure(
                    f"selection-{task}",
                    "Which entries are kept",
                    f"k, of {scale.hidden} neurons",
                    log=True,
                    level="dense",
                ),
            ),
        )
        for task in _TASKS
    )


def _judge_width(table: Table) -> list[Claim]:
    small = [row.key.removeprefix("wide") for row in table.block.rows if "wide" in row.key]
    return [worse(table, f"wide{k}", f"top{k}", by=0.5) for k in small[:3]]


def _width_blocks(scale: Scale) -> tuple[Block, ...]:
    blocks = []
    for task in _TASKS:
        pairs = _distinct(_WIDTHS, scale)
        narrow = [
            Row(
                f"wide{k}",
                f"{kept} neurons, dense",
                {"hidden": kept},
                "that many neurons, dense",
                kept,
                _TABLE_3.get((task, f"wide{k}"), ""),
            )
            for k, kept in pairs
        ]
        top = [_top(k, kept, papers=_TABLE_3.get((task, f"top{k}"), "")) for k, kept in pairs]
        figure = Figure(
            f"width-{task}",
            f"Top-k of {scale.hidden} neurons against k neurons",
            "k, or neurons",
            log=True,
            level="dense",
        )
        columns = with_uas(task, ("dev", "test", "backward", "step", "seconds"))
        rows = (*narrow, *top, _DENSE)
        blocks.append(Block(task, SWEEP, PAPERS, rows, columns, _judge_width, (figure,)))
    return tuple(blocks)


KEPT = Experiment(
    "k",
    "How many entries are kept",
    "From 1 % of the gradient to all of it: score and backward time (meProp, Figure 4 left). The "
    "papers: a few percent are enough.",
    _k_blocks,
)
SELECTION = Experiment(
    "selection",
    "Which entries are kept",
    "The k largest of each example, k at random, and the k largest of the whole minibatch (meProp, "
    "Figure 4 middle, and section 2.3). The papers: random k loses at small k, unified does not.",
    _selection_blocks,
)
WIDTH = Experiment(
    "width",
    "A k-wide network from scratch",
    "If k entries are enough, would k neurons be (meProp, Table 3 and Figure 4 right)? The papers: "
    "no, different examples need different neurons.",
    _width_blocks,
)
