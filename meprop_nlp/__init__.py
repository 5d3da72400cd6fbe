"""meprop_nlp: tags, lemmas and dependency trees, learnt by sparse backpropagation (meProp).

The public names are resolved on first use, so that importing the package loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meprop_nlp.config import JointConfig as JointConfig
    from meprop_nlp.config import Knowledge as Knowledge
    from meprop_nlp.config import MePropConfig as MePropConfig
    from meprop_nlp.config import ParserConfig as ParserConfig
    from meprop_nlp.config import Settings as Settings
    from meprop_nlp.config import SimplifyConfig as SimplifyConfig
    from meprop_nlp.config import TaggerConfig as TaggerConfig
    from meprop_nlp.config import TrainingConfig as TrainingConfig
    from meprop_nlp.data.conll.reading import read as read
    from meprop_nlp.data.conll.writing import write as write
    from meprop_nlp.data.document import Document as Document
    from meprop_nlp.data.sentence import Sentence as Sentence
    from meprop_nlp.data.tokenlist import from_tokenlist as from_tokenlist
    from meprop_nlp.data.tokenlist import to_tokenlist as to_tokenlist
    from meprop_nlp.errors import MePropError as MePropError
    from meprop_nlp.models.model import Model as Model
    from meprop_nlp.models.model import freeze as freeze
    from meprop_nlp.models.model import load as load
    from meprop_nlp.nn.bilstm import BiLSTM as BiLSTM
    from meprop_nlp.nn.linear import MePropLinear as MePropLinear
    from meprop_nlp.nn.lstm import MePropLSTM as MePropLSTM
    from meprop_nlp.scoring.metrics import evaluate as evaluate
    from meprop_nlp.simplify.simplifier import Simplifier as Simplifier
    from meprop_nlp.training.joint_model import JointModel as JointModel
    from meprop_nlp.training.parser import DependencyParser as DependencyParser
    from meprop_nlp.training.records import EpochRecord as EpochRecord
    from meprop_nlp.training.tagger import Tagger as Tagger

__version__ = "0.1.0"

_HOMES = {
    "BiLSTM": "nn.bilstm",
    "DependencyParser": "training.parser",
    "Document": "data.document",
    "EpochRecord": "training.records",
    "JointConfig": "config",
    "JointModel": "training.joint_model",
    "Knowledge": "config",
    "MePropConfig": "config",
    "MePropError": "errors",
    "MePropLSTM": "nn.lstm",
    "MePropLinear": "nn.linear",
    "Model": "models.model",
    "ParserConfig": "config",
    "Sentence": "data.sentence",
    "Settings": "config",
    "Simplifier": "simplify.simplifier",
    "SimplifyConfig": "config",
    "Tagger": "training.tagger",
    "TaggerConfig": "config",
    "TrainingConfig": "config",
    "evaluate": "scoring.metrics",
    "freeze": "models.model",
    "from_tokenlist": "data.tokenlist",
    "load": "models.model",
    "read": "data.conll.reading",
    "to_tokenlist": "data.tokenlist",
    "write": "data.conll.writing",
}

__all__ = [
    "BiLSTM",
    "DependencyParser",
    "Document",
    "EpochRecord",
    "JointConfig",
    "JointModel",
    "Knowledge",
    "MePropConfig",
    "MePropError",
    "MePropLSTM",
    "MePropLinear",
    "Model",
    "ParserConfig",
    "Sentence",
    "Settings",
    "Simplifier",
    "SimplifyConfig",
    "Tagger",
    "TaggerConfig",
    "TrainingConfig",
    "evaluate",
    "freeze",
    "from_tokenlist",
    "load",
    "read",
    "to_tokenlist",
    "write",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
