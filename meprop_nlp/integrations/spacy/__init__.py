"""Our models in spaCy pipelines: the factories of the components and of the tokenizer.

    nlp = spacy.blank("en")
    nlp.add_pipe("meprop", config={"model": "en"})

spaCy imports this module whenever it makes a pipeline, on each machine that has both packages, so
that it must be quick and never fail: models and all that reads them are imported by the factories.
"""

# Annotations stay objects here: spaCy validates configurations by them.
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional

from meprop_nlp.errors import is_lack_of, missing_extra

try:
    from spacy.language import Language
    from spacy.util import registry
except ModuleNotFoundError as error:
    if not is_lack_of(error, "spacy"):
        raise
    raise ModuleNotFoundError(missing_extra("spaCy", "spacy"), name="spacy") from None

if TYPE_CHECKING:
    from meprop_nlp.integrations.spacy.component import Component
    from meprop_nlp.integrations.spacy.tokenizer import DocTokenizer

_DEFAULTS = {"model": "en", "pretrained": None, "treebank": None}
_TAGS = ["token.pos", "token.tag", "token.morph", "token.lemma"]
_TREE = ["token.dep", "token.head", "token.is_sent_start", "doc.sents"]
_TAG_WEIGHTS = {"tag_acc": 0.5, "pos_acc": 0.2, "morph_acc": 0.1, "lemma_acc": 0.2}
_TREE_WEIGHTS = {"dep_uas": 0.5, "dep_las": 0.5, "sents_f": 0.0}


@Language.factory(
    "meprop",
    assigns=_TAGS + _TREE,
    default_config=_DEFAULTS,
    default_score_weights={name: w / 2 for name, w in (_TAG_WEIGHTS | _TREE_WEIGHTS).items()},
)
def make_annotator(
    nlp: Language,
    name: str,
    model: str,
    pretrained: Optional[str],  # noqa: UP045  # as spaCy's validation wants it
    treebank: Optional[str],  # noqa: UP045
) -> "Component":
    """Return a component that writes all that a model predicts: tags, lemmas, a tree.

    Args:
        nlp: the pipeline.
        name: the component's name in it.
        model: a model file, or the name of a model that comes with the package. It is read when it
            is first needed; a saved pipeline has a copy of it.
        pretrained, treebank: as for `meprop_nlp.load`.

    Raises:
        CheckpointError: the file is there, and is no model. That it is missing is said when the
            component is used first, because a saved pipeline does not need it.
    """
    from meprop_nlp.integrations.spacy.component import Component

    return Component(nlp.vocab, name, None, model, pretrained, treebank)


@Language.factory(
    "meprop_tagger",
    assigns=_TAGS,
    default_config=_DEFAULTS,
    default_score_weights=_TAG_WEIGHTS,
)
def make_tagger(
    nlp: Language,
    name: str,
    model: str,
    pretrained: Optional[str],  # noqa: UP045
    treebank: Optional[str],  # noqa: UP045
) -> "Component":
    """Return a component that writes tags, and lemmas if the model has them.

    Arguments and errors are those of `make_annotator`.
    """
    from meprop_nlp.integrations.spacy.component import Component

    return Component(nlp.vocab, name, ("tags", "lemmas"), model, pretrained, treebank)


@Language.factory(
    "meprop_parser",
    assigns=_TREE,
    default_config=_DEFAULTS,
    default_score_weights=_TREE_WEIGHTS,
)
def make_parser(
    nlp: Language,
    name: str,
    model: str,
    pretrained: Optional[str],  # noqa: UP045
    treebank: Optional[str],  # noqa: UP045
) -> "Component":
    """Return a component that writes trees; it reads the tags that a Doc has.

    Arguments and errors are those of `make_annotator`.
    """
    from meprop_nlp.integrations.spacy.component import Component

    return Component(nlp.vocab, name, ("tree",), model, pretrained, treebank)


@registry.tokenizers("meprop_tokenizer.v1")
def make_tokenizer(model: str = "en") -> Callable[[Language], "DocTokenizer"]:
    """Return a function that makes the tokenizer of a pipeline.

    Args:
        model: as for `make_annotator`.

    Raises:
        CheckpointError: as for `make_annotator`.
    """

    def make(nlp: Any) -> "DocTokenizer":
        from meprop_nlp.integrations.spacy.tokenizer import DocTokenizer

        return DocTokenizer(nlp.vocab, model)

    return make
