"""What is varied on small data: how many entries are kept, which ones, and the network."""

from experiments.claims import faster, no_worse, worse
from experiments.data import SWEEP
from experiments.settings import HIDDEN, PAPERS, PAPERS_K
from experiments.table import Figure, Row, Table
from meprop_nlp.config import ACTIVATIONS

TASKS = ("parsing", "mnist")
SPEEDS = ("dev", "test_uas", "test", "backward", "step", "seconds")
SCORES = ("best_epoch", "dev", "test_uas", "test", "seconds")
DENSE = Row("dense", {})
K_LABEL = f"k, of {HIDDEN} neurons"

KS = (5, 10, 20, 50, 100, 200)  # of 500: 1 to 40 %; 100 % is the dense network
SELECTION_KS = (5, 20, 100)
WIDTHS = (5, 10, 20, 50, 100)
# meProp, Table 3: networks of hidden size k from scratch, and meProp with that k
TABLE_3 = {"20 neurons, dense": "h 20: 88.37 UAS", "top-k, k 20": "k 20: 90.01 UAS"}


def _kept(k: int, mode: str = "example", papers: str = "") -> Row:
    name = {"example": "top-k", "random": "random k", "unified": "unified top-k"}[mode]
    return Row(f"{name}, k {k}", {"k": k, "topk_mode": mode}, papers, name, k)


def _k(task: str) -> Table:
    claims = (
        no_worse("top-k, k 20", "dense"),
        no_worse("top-k, k 50", "dense"),
        faster("top-k, k 20", "dense", column="backward", times=2),
    )
    figure = Figure("How many entries are kept", K_LABEL, ("test", "backward"), sweep=True)
    columns = ("dev", "test_uas", "test", "backward", "step", "best_epoch", "seconds")
    return Table(task, SWEEP, PAPERS, (*map(_kept, KS), DENSE), columns, claims, figure)


def _selection(task: str) -> Table:
    small, middle, large = SELECTION_KS
    claims = (
        *(worse(f"random k, k {k}", f"top-k, k {k}", by=0.5) for k in (small, middle)),
        *(no_worse(f"unified top-k, k {k}", f"top-k, k {k}") for k in (middle, large)),
    )
    figure = Figure("Which entries are kept", K_LABEL, sweep=True)
    modes = ("example", "random", "unified")
    rows = (*(_kept(k, mode) for mode in modes for k in SELECTION_KS), DENSE)
    return Table(task, SWEEP, PAPERS, rows, SPEEDS, claims, figure)


def _width(task: str) -> Table:
    papers = TABLE_3 if task == "parsing" else {}
    rows = []
    for k in WIDTHS:
        label = f"{k} neurons, dense"
        series = "that many neurons, dense"
        rows.append(Row(label, {"hidden": k}, papers.get(label, ""), series, k))
    rows += [_kept(k, papers=papers.get(f"top-k, k {k}", "")) for k in WIDTHS]
    claims = [worse(f"{k} neurons, dense", f"top-k, k {k}", by=0.5) for k in WIDTHS[:3]]
    figure = Figure(f"Top-k of {HIDDEN} neurons against k neurons", "k, or neurons", sweep=True)
    return Table(task, SWEEP, PAPERS, (*rows, DENSE), SPEEDS, claims, figure)


DROPOUT_RATE = 0.5
# meProp, Table 4: without dropout and with it, dense and meProp
TABLE_4 = ("89.84 UAS", "k 20: 90.01 UAS", "91.53 UAS", "k 40: 91.99 UAS")


def _dropout(task: str) -> Table:
    rows, claims = [], []
    k, papers = PAPERS_K[task], iter(TABLE_4 if task == "parsing" else [""] * 4)
    for rate in (0.0, DROPOUT_RATE):
        suffix = f"dropout {rate:g}" if rate else "no dropout"
        dense, meprop = f"dense, {suffix}", f"meProp, k {k}, {suffix}"
        rows.append(Row(dense, {"k": None, "dropout": rate}, next(papers)))
        rows.append(Row(meprop, {"k": k, "dropout": rate}, next(papers)))
        claims.append(no_worse(meprop, dense))
    return Table(task, SWEEP, PAPERS, rows, SCORES, claims)


# hidden layers; the papers and the reference code also count the output layer: 2 to 5
DEPTHS = (1, 2, 3, 4)
OUTPUT_LAYERS = {"parsing": 0, "mnist": 1}  # counted by the setting of a task
LAYERS_K, LAYERS_DROPOUT = 25, 0.1
# meProp, Table 5: dense and meProp by depth
TABLE_5 = (("98.10", "98.20"), ("98.21", "98.37"), ("98.10", "98.15"), ("98.05", "98.21"))


def _layers(task: str) -> Table:
    rows, claims = [], []
    dense, meprop = "dense", f"meProp, k {LAYERS_K}"
    for depth, papers in zip(DEPTHS, TABLE_5, strict=True):
        settings = {"layers": depth + OUTPUT_LAYERS[task], "dropout": LAYERS_DROPOUT}
        suffix = f", {depth} hidden"
        for name, k, text in zip((dense, meprop), (None, LAYERS_K), papers, strict=True):
            text = text if task == "mnist" else ""
            rows.append(Row(name + suffix, {**settings, "k": k}, text, name, depth))
        claims.append(no_worse(meprop + suffix, dense + suffix))
    claims.append(faster(meprop + suffix, dense + suffix, column="backward"))
    figure = Figure("Depth", "hidden layers", columns=("test", "backward"))
    return Table(task, SWEEP, PAPERS, rows, SPEEDS, claims, figure)


def _activation() -> Table:
    rows, claims = [], []
    k = PAPERS_K["parsing"]
    for activation, rate in (*((name, 0.0) for name in ACTIVATIONS), ("relu", DROPOUT_RATE)):
        settings = {"activation": activation, "dropout": rate}
        suffix = f", dropout {rate:g}" if rate else ""
        dense, meprop = f"{activation}, dense{suffix}", f"{activation}, meProp, k {k}{suffix}"
        rows += [Row(dense, {**settings, "k": None}), Row(meprop, {**settings, "k": k})]
        claims.append(no_worse(meprop, dense))
    return Table("parsing", SWEEP, PAPERS, rows, SCORES, claims)


KEPT = tuple(map(_k, TASKS))
SELECTION = tuple(map(_selection, TASKS))
WIDTH = tuple(map(_width, TASKS))
DROPOUT = tuple(map(_dropout, TASKS))
ACTIVATION = (_activation(),)
LAYERS = tuple(map(_layers, TASKS))
