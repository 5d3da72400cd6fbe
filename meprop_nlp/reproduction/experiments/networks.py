"""`dropout`, `layers` and `activation`: meProp beside a regulariser, and in other networks."""

from __future__ import annotations

from meprop_nlp.config import ACTIVATIONS
from meprop_nlp.reproduction.columns import with_uas
from meprop_nlp.reproduction.corpus import SWEEP
from meprop_nlp.reproduction.experiment import Block, Experiment, Figure, Row
from meprop_nlp.reproduction.results import Table
from meprop_nlp.reproduction.settings import PAPERS, Scale, usual_k
from meprop_nlp.reproduction.verdict import Claim, faster, no_worse

__all__ = ["ACTIVATION", "DROPOUT", "LAYERS"]

_RATE = 0.5
# hidden layers; the papers and the reference code count the output layer too: 2 to 5
_DEPTHS = (1, 2, 3, 4)
_OUTPUT_LAYERS = {"parsing": 0, "mnist": 1}  # that a task's own setting counts
_LAYERS_K, _LAYERS_DROPOUT = 25, 0.1
_TABLE_4 = {
    "dense dropout": "91.53 UAS",
    "meprop dropout": "k 40: 91.99 UAS",
    "dense": "89.84 UAS",
    "meprop": "k 20: 90.01 UAS",
}
_TABLE_5 = {
    **{"dense 1": "98.10", "meprop 1": "98.20", "dense 2": "98.21", "meprop 2": "98.37"},
    **{"dense 3": "98.10", "meprop 3": "98.15", "dense 4": "98.05", "meprop 4": "98.21"},
}


def _judge_dropout(table: Table) -> list[Claim]:
    return [
        no_worse(table, "meprop", "dense"),
        no_worse(table, "meprop dropout", "dense dropout"),
    ]


def _dropout_blocks(scale: Scale) -> tuple[Block, ...]:
    blocks = []
    for task in ("parsing", "mnist"):
        k = usual_k(task, PAPERS, scale)
        rows = tuple(
            Row(
                f"{key} dropout" if rate else key,
                f"{label}, dropout {rate:g}" if rate else f"{label}, no dropout",
                {"k": kept, "dropout": rate},
                papers=_TABLE_4.get(f"{key} dropout" if rate else key, "")
                if task == "parsing"
                else "",
            )
            for rate in (0.0, _RATE)
            for key, label, kept in (("dense", "dense", None), ("meprop", f"meProp, k {k}", k))
        )
        columns = with_uas(task, ("best_epoch", "dev", "test", "seconds"))
        blocks.append(Block(task, SWEEP, PAPERS, rows, columns, _judge_dropout))
    return tuple(blocks)


def _judge_layers(table: Table) -> list[Claim]:
    depths = [row.key.removeprefix("dense ") for row in table.block.rows if "dense" in row.key]
    return [
        *(no_worse(table, f"meprop {depth}", f"dense {depth}") for depth in depths),
        faster(table, f"meprop {depths[-1]}", f"dense {depths[-1]}", column="backward"),
    ]


def _layers_blocks(scale: Scale) -> tuple[Block, ...]:
    blocks = []
    for task in ("parsing", "mnist"):
        k = scale.width(_LAYERS_K)
        rows = tuple(
            Row(
                f"{key} {depth}",
                f"{label}, {depth} hidden",
                {
                    "k": kept,
                    "layers": depth + _OUTPUT_LAYERS[task],
                    "dropout": _LAYERS_DROPOUT,
                },
                label,
                depth,
                _TABLE_5[f"{key} {depth}"] if task == "mnist" else "",
            )
            for depth in _DEPTHS
            for key, label, kept in (("dense", "dense", None), ("meprop", f"meProp, k {k}", k))
        )
        figure = Figure(f"layers-{task}", "Depth", "hidden layers", columns=("test", "backward"))
        columns = with_uas(task, ("dev", "test", "backward", "step", "seconds"))
        blocks.append(Block(task, SWEEP, PAPERS, rows, columns, _judge_layers, (figure,)))
    return tuple(blocks)


def _judge_activation(table: Table) -> list[Claim]:
    return [
        no_worse(table, row.key, f"dense {row.key.partition(' ')[2]}")
        for row in table.block.rows
        if row.key.startswith("meprop")
    ]


def _activation_blocks(scale: Scale) -> tuple[Block, ...]:
    k = usual_k("parsing", PAPERS, scale)
    rows = tuple(
        Row(
            f"{key} {activation}{' dropout' if rate else ''}",
            f"{activation}, {label}{f', dropout {rate:g}' if rate else ''}",
            {"activation": activation, "k": kept, "dropout": rate},
        )
        for activation, rate in (*((name, 0.0) for name in ACTIVATIONS), ("relu", _RATE))
        for key, label, kept in (("dense", "dense", None), ("meprop", f"meProp, k {k}", k))
    )
    columns = with_uas("parsing", ("best_epoch", "dev", "test", "seconds"))
    return (Block("parsing", SWEEP, PAPERS, rows, columns, _judge_activation),)


ACTIVATION = Experiment(
    "activation",
    "Activations",
    "Does it hold for any activation of the parser's hidden layer? The papers do not say which one "
    "they have; Chen and Manning, whom they follow, have the cube.",
    _activation_blocks,
)
DROPOUT = Experiment(
    "dropout",
    "With and without dropout",
    "Does what meProp gives come on top of dropout (meProp, Table 4)? The papers: yes.",
    _dropout_blocks,
)
LAYERS = Experiment(
    "layers",
    "Deeper networks",
    "Does meProp hold with more hidden layers (meProp, Table 5, MNIST)? The papers: yes, for 2 to "
    "5 layers, the output layer counted, which are 1 to 4 hidden ones.",
    _layers_blocks,
)
