"""`Head`: one task of a frozen model, which predicts some columns of the words it reads."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from types import ModuleType
from typing import ClassVar

from meprop_nlp.config import JointConfig
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.models.encoder import SharedEncoder, States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.native_encoder import FormLayer
from meprop_nlp.models.prediction import Prediction
from meprop_nlp.models.words import Words
from meprop_nlp.settings import Config

TREE_SCORES = ("uas", "las", "clas", "ucm", "lcm")  # those that judge a tree


class Head(ABC):
    """One task of a frozen model, over plain arrays; safe to use from several threads.

    Attributes:
        name: the key of the head in `Model.heads`.
        activity: the name of its step in a table of speeds, such as "tagging".
        config: the settings it was trained with.
        reads: the columns that it reads besides FORM.
        needs: those of them in which each sentence must have a value: without one, the head would
            read what it has never seen.
        fills: the columns that it predicts.
        scores: the names of the scores that judge what it predicts, as in `scoring.scores`.
        feeds: whether later heads read what it writes into the encoder's states.
        most_words: how many words a sentence may have.
    """

    name: ClassVar[str]
    activity: ClassVar[str]
    config: Config
    reads: tuple[str, ...]
    needs: tuple[str, ...] = ()
    fills: tuple[str, ...]
    scores: tuple[str, ...]
    feeds: ClassVar[bool] = False
    most_words: ClassVar[int] = 100_000

    @staticmethod
    def serves(config: JointConfig) -> bool:
        """Return whether it is the head of its name in a joint model with this configuration."""
        return True

    @abstractmethod
    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        """Take the head's weights from a model file, on the native core where there is one.

        Raises:
            CheckpointError: a part is missing, or the parts do not fit together.
            MePropError: a weight is not finite, or a setting unknown.
        """

    def prepare(self, native: ModuleType | None, encoder: SharedEncoder) -> FormLayer | None:
        """Check the weights against the encoder, and pack them for the native core.

        A head that is in NumPy alone packs nothing.

        Args:
            native: the native core; None where there is none.
            encoder: the encoder of the states that the head will be given.

        Returns:
            The layer over the vectors of forms that the head has, if any. The native encoder
            computes its products, once for each form.

        Raises:
            CheckpointError: the weights do not fit the encoder.
        """
        return None

    @abstractmethod
    def annotate(
        self,
        words: Words,
        states: States | None = None,
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Prediction:
        """Predict the columns of all words.

        Args:
            states: what the shared encoder returned for the words, for a head that has none of its
                own.
            confidence: also return the softmax of each choice, by its attribute in MISC.
            keep: columns that stay as they are in `words`, and are not predicted. A head of which
                all columns are kept is called only if it feeds others.

        Raises:
            MePropError: the weights give scores that are not finite.
        """
