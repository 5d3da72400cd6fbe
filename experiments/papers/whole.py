"""What is trained on whole treebanks: `main`, dense and meProp, and `hybrid`, the oracles."""

from experiments.claims import Judge, better, faster, no_worse
from experiments.data import FULL
from experiments.settings import DEFAULT_K, DEFAULTS, PAPERS, PAPERS_RATES
from experiments.table import Row, Table

COLUMNS = ["best_epoch", "iterations", "dev", "test_uas", "test", "backward", "step", "seconds"]
# by k, 0 for dense: seconds of backpropagation per iteration and test score, Adam (ICML 2017)
PAPERS_NUMBERS = {
    "parsing": {0: "9,078 s, 89.84 UAS", 20: "489 s (18.6x), 90.01 UAS"},
    "tagging": {0: "16,167 s, 97.07", 10: "k 5: 247 s (65.4x), 97.12"},
    "mnist": {0: "170 s, 97.82", 20: "7.9 s (21.4x), 98.01", 80: ""},
}


def _claims(meprop: str, dense: str) -> list[Judge]:
    return [
        no_worse(meprop, dense),
        faster(meprop, dense, column="backward"),
        faster(meprop, dense, column="step"),
    ]


def _papers(task: str) -> Table:
    rows: list[Row] = []
    claims: list[Judge] = []
    for optimizer, name in (("adam", "Adam"), ("adagrad", "AdaGrad")):
        settings = {"optimizer": optimizer, "learning_rate": PAPERS_RATES[task][optimizer]}
        for k, papers in PAPERS_NUMBERS[task].items():
            label = f"{name}, {f'meProp, k {k}' if k else 'dense'}"
            papers = papers if optimizer == "adam" else ""
            rows.append(Row(label, {**settings, "k": k or None}, papers))
            if k:
                claims += _claims(label, f"{name}, dense")
    return Table(task, FULL, PAPERS, rows, COLUMNS, claims)


def _defaults(task: str) -> Table:
    k = DEFAULT_K[task]
    rows = (Row("dense", {}), Row(f"meProp, k {k}", {"k": k}))
    return Table(task, FULL, DEFAULTS, rows, COLUMNS, _claims(rows[1].label, "dense"))


# each oracle with a transition system for which it is defined, and the static one beside it
ORACLES = (
    ("static", "arc-standard"),
    ("hybrid", "arc-standard"),
    ("static", "arc-hybrid"),
    ("dynamic", "arc-hybrid"),
)


def _hybrid() -> Table:
    rows, claims = [], []
    for oracle, system in ORACLES:
        label = f"{oracle} oracle, {system}"
        settings = {"oracle": oracle, "transition_system": system}
        rows.append(Row(label, {**settings, "k": DEFAULT_K["parsing"]}))
        if oracle != "static":
            claims.append(better(label, f"static oracle, {system}"))
    columns = ("best_epoch", "dev", "test_uas", "test", "seconds")
    return Table("parsing", FULL, DEFAULTS, rows, columns, claims)


MAIN = (*map(_papers, PAPERS_NUMBERS), *map(_defaults, DEFAULT_K))
HYBRID = (_hybrid(),)
