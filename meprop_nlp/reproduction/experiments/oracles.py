"""`hybrid`: the oracles that the parser can learn from."""

from __future__ import annotations

from meprop_nlp.config import ORACLES, TRANSITION_SYSTEMS, ParserConfig
from meprop_nlp.errors import ConfigError
from meprop_nlp.reproduction.corpus import FULL
from meprop_nlp.reproduction.experiment import Block, Experiment, Row
from meprop_nlp.reproduction.results import Table
from meprop_nlp.reproduction.settings import DEFAULTS, Scale, usual_k
from meprop_nlp.reproduction.verdict import Claim, better

__all__ = ["HYBRID"]


def _works(oracle: str, system: str) -> bool:
    try:
        ParserConfig.from_dict({"oracle": oracle, "transition_system": system})
    except ConfigError:
        return False
    return True


def _rows(k: int) -> tuple[Row, ...]:
    """A row for each oracle, in the first transition system that has it and static beside it."""
    rows: dict[str, Row] = {}
    for oracle in ORACLES:
        system = next(system for system in TRANSITION_SYSTEMS if _works(oracle, system))
        for name in ("static", oracle):
            key = f"{name} {system}"
            changes = {"k": k, "oracle": name, "transition_system": system}
            rows[key] = Row(key, f"{name} oracle, {system}", changes)
    return tuple(rows.values())


def _judge(table: Table) -> list[Claim]:
    others = (row.key for row in table.block.rows if not row.key.startswith("static "))
    return [better(table, key, f"static {key.partition(' ')[2]}", by=0.0) for key in others]


def _blocks(scale: Scale) -> tuple[Block, ...]:
    columns = ("best_epoch", "dev", "test_uas", "test", "seconds")
    rows = _rows(usual_k("parsing", DEFAULTS, scale))
    return (Block("parsing", FULL, DEFAULTS, rows, columns, _judge),)


HYBRID = Experiment(
    "hybrid",
    "Oracles",
    "Where two transitions are right, does it help to learn both (hybrid; Ren and Sun, arXiv "
    "1711.10163)? The paper: yes, for a BiLSTM parser. And to learn from the states that the "
    "parser's own mistakes lead to (dynamic; Goldberg and Nivre 2012)?",
    _blocks,
)
