"""`begin_alike`: all processes of a training begin with the same data, settings and weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from meprop_nlp.errors import ConfigError
from meprop_nlp.training.checkpoint import Checkpoint, differences
from meprop_nlp.training.distribution.ranks import Ranks
from meprop_nlp.training.loop import Trainer


def begin_alike(
    ranks: Ranks, trainer: Trainer, settings: Mapping[str, Any], *, resumed: bool
) -> None:
    """Demand the settings of the first process in the others; where it goes on, they do too.

    Args:
        settings: what must be the same: settings, and checksums of the data.
        resumed: whether this process has read a checkpoint; only the first one does.

    Raises:
        ConfigError: this process has other settings or other data than the first.
    """
    mine = json.loads(json.dumps(settings))
    theirs = ranks.agreed(mine)
    found = differences(theirs, mine)
    if ranks.any(bool(found)):
        raise ConfigError(
            "the processes of this training do not read the same data with the same settings"
            + (f"; {found}" if found else ", says another of them")
        )
    if not ranks.agreed(resumed):
        ranks.demand_alike(trainer.task.network)
        return
    state = Checkpoint.of(trainer, {}) if ranks.is_first else None
    parts = {} if state is None else state.arrays
    head = ranks.agreed(
        None
        if state is None
        else {
            "progress": state.progress,
            "arrays": [[n, a.dtype.str, a.shape, a.nbytes] for n, a in parts.items()],
        }
    )
    arrays = {}
    for name, dtype, shape, n_bytes in head["arrays"]:
        data = ranks.sent(parts[name].tobytes() if ranks.is_first else b"", n_bytes)
        arrays[name] = np.frombuffer(data, dtype).reshape(shape)
    if not ranks.is_first:
        Checkpoint({}, head["progress"], arrays).restore(trainer)
    ranks.demand_alike(trainer.task.network)
