"""`hybrid`: the oracles that the parser can learn from."""

from experiments.claims import better
from experiments.data import FULL
from experiments.settings import DEFAULT_K, DEFAULTS
from experiments.table import Row, Table

# each oracle in a transition system for which it is defined, after the static one of that system
ORACLES = (
    ("static", "arc-standard"),
    ("hybrid", "arc-standard"),
    ("static", "arc-hybrid"),
    ("dynamic", "arc-hybrid"),
)


def _label(oracle: str, system: str) -> str:
    return f"{oracle} oracle, {system}"


def _table() -> Table:
    k = DEFAULT_K["parsing"]
    rows = [
        Row(_label(oracle, system), {"k": k, "oracle": oracle, "transition_system": system})
        for oracle, system in ORACLES
    ]
    claims = [
        better(_label(oracle, system), _label("static", system))
        for oracle, system in ORACLES
        if oracle != "static"
    ]
    columns = ("best_epoch", "dev", "test_uas", "test", "seconds")
    return Table("parsing", FULL, DEFAULTS, rows, columns, claims)


HYBRID = (_table(),)
