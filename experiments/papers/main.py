"""`main`: does top-k backpropagation keep the score, and what does it save (Tables 1 and 2)."""

from experiments.claims import Judge, faster, no_worse
from experiments.data import FULL
from experiments.settings import DEFAULT_K, DEFAULTS, PAPERS, PAPERS_RATES
from experiments.table import Row, Table

COLUMNS = ["best_epoch", "iterations", "dev", "test_uas", "test", "backward", "step", "seconds"]
# by k, 0 for dense: seconds of backpropagation an iteration and test score with Adam (ICML 2017)
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


MAIN = (*map(_papers, PAPERS_NUMBERS), *map(_defaults, DEFAULT_K))
