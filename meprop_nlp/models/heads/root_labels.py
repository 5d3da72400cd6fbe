"""`RootLabels`: the label `root` on the arc from ROOT and on no other, whatever the weights say."""

import numpy as np
import numpy.typing as npt

from meprop_nlp.models.prediction import Indices

# the label of Universal Dependencies for an arc of which nothing more is known
GENERAL = "dep"


class RootLabels:
    """Which labels are for roots, among those of a parser.

    The data may have `root` on other arcs too, or no other label, and a network may choose any.

    Args:
        relations: the labels by index.

    Attributes:
        relations: the labels, and `dep` behind them if they have `root`, and no `dep`.
    """

    def __init__(self, relations: list[str]) -> None:
        self.relations = list(relations)
        self._root = relations.index("root") if "root" in relations else None
        if self._root is not None and GENERAL not in relations:
            self.relations.append(GENERAL)
        self._is_root = np.array(
            [relation.partition(":")[0] == "root" for relation in self.relations], np.bool_
        )

    def corrected(self, labels: Indices, heads: Indices) -> Indices:
        """Return the labels of N arcs: (N,), those with a wrong `root` or none corrected."""
        if self._root is None:
            return labels
        from_root = heads == 0
        wrong: npt.NDArray[np.bool_] = self._is_root[labels] != from_root
        if not wrong.any():
            return labels
        general = self.relations.index(GENERAL)
        correct: Indices = np.where(wrong, np.where(from_root, self._root, general), labels)
        return correct.astype(labels.dtype)
