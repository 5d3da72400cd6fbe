"""`Component`: writes what a model predicts into the Docs of a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from spacy.pipeline import Pipe
from spacy.pipeline.dep_parser import parser_score
from spacy.scorer import Scorer
from spacy.tokens import Doc, Token
from spacy.util import minibatch
from spacy.vocab import Vocab

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError, DataError, MePropError
from meprop_nlp.integrations.spacy.docs import ROOT_LABEL, DocSentences, write_tags, write_tree
from meprop_nlp.integrations.spacy.owner import ModelOwner
from meprop_nlp.integrations.spacy.tokenizer import sentence_starts
from meprop_nlp.models.inputs import missing_columns
from meprop_nlp.models.model import Model

_ATTRIBUTES = {"upos": "pos", "xpos": "tag", "feats": "morph", "lemma": "lemma"}


class Component(ModelOwner, Pipe):
    """Annotates Docs, many sentences at a time; it is not trained by spaCy.

    Sentences are those that a Doc has. If it has none, the model's tokenizer finds them in its
    text, and without one the whole Doc is a sentence.

    Args:
        vocab: the pipeline's.
        name: the component's name in the pipeline.
        heads: what to predict, of the model's heads; None: all that it predicts.
        source, pretrained, treebank: see `ModelOwner`.
    """

    def __init__(
        self,
        vocab: Vocab,
        name: str,
        heads: tuple[str, ...] | None,
        source: str,
        pretrained: str | None = None,
        treebank: str | None = None,
    ) -> None:
        self.vocab, self.name, self.heads = vocab, name, heads
        self._annotator: Model | None = None
        super().__init__(source, pretrained, treebank)

    def __reduce__(self) -> tuple[Any, ...]:
        # pickled by the bytes of the model, once for all components that share it
        settings = (self.vocab, self.name, self.heads, self.source, self.pretrained, self.treebank)
        return _rebuilt, (type(self), settings, self.loaded())

    def annotator(self) -> Model:
        """Return the model with the heads whose columns are written."""
        self.loaded()  # and chooses
        assert self._annotator is not None
        return self._annotator

    def _use(self, model: Model) -> None:
        chosen = tuple(h for h in model.heads if self.heads is None or h in self.heads)
        if not chosen:
            lacks = "tree" if self.heads == ("tree",) else "tags"
            raise ConfigError(
                f"`{self.name}` needs a model that predicts {lacks}, and {self.source} predicts "
                f"{', '.join(model.fills)}; give another as `model`"
            )
        super()._use(model)
        self._annotator = model.only(*chosen)

    @property
    def labels(self) -> tuple[str, ...]:
        """The tags and relations that it writes; none before the model was read."""
        if self._annotator is None:
            return ()
        header = self._annotator.file.header
        found: dict[str, None] = {}
        for column in ("xpos", "upos"):
            if column in self._annotator.fills:
                values = [v for v in header.get("tags", {}).get(column, ()) if v[:1] not in "_<"]
                found.update(dict.fromkeys(values))
                break
        if "deprel" in self._annotator.fills:
            labels = (ROOT_LABEL if label == "root" else label for label in header["labels"])
            found.update(dict.fromkeys(labels))
        return tuple(found)

    def __call__(self, doc: Doc) -> Doc:
        """Annotate a Doc, and return it.

        Raises:
            CheckpointError, ConfigError: the model cannot be read; see `ModelOwner.loaded`.
            DataError: a sentence has more words than the model reads, or no tags, and the model
                needs them.
        """
        self._annotate([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Annotate a stream of Docs, in order; those of a batch together.

        Args:
            batch_size: the number of Docs in a batch.

        Raises:
            The errors of a call, unless the pipeline has an error handler, which gets the faulty
            Doc alone.
        """
        handle = self.get_error_handler()
        for docs in minibatch(stream, size=batch_size):
            docs = list(docs)
            try:
                self._annotate(docs)
            except Exception:
                for doc in docs:
                    try:
                        yield self(doc)
                    except Exception as error:
                        handle(self.name, self, [doc], error)
            else:
                yield from docs

    def _annotate(self, docs: Sequence[Doc]) -> None:
        model = self.annotator()
        starts = sentence_starts(docs, model.tokenizer)
        laid_out = [DocSentences(*given, model.reads) for given in zip(docs, starts, strict=True)]
        sentences = [sentence for doc in laid_out for sentence in doc.sentences]
        self._demand_tags(sentences, model)
        try:
            predicted = model.predict(sentences)
            for doc in laid_out:
                columns = [next(predicted) for _ in doc.sentences]
                if model.fills != ("head", "deprel"):
                    write_tags(doc, columns, model.fills)
                if "head" in model.fills:
                    write_tree(doc, columns)
        except DataError as error:
            raise DataError(f"`{self.name}`: {error}") from None

    def _demand_tags(self, sentences: Sequence[Sentence], model: Model) -> None:
        for sentence in sentences:
            if missing := missing_columns(sentence, model.needs):
                names = " and no ".join(f"token.{_ATTRIBUTES[column]}" for column in missing)
                raise DataError(
                    f"`{self.name}`: the sentence {sentence.text[:60]!r} has no {names}, which the "
                    "parser reads; put a tagger before it, such as `meprop_tagger`"
                )

    def score(self, examples: Iterable[Any], **kwargs: Any) -> dict[str, Any]:
        """Return the scores of `nlp.evaluate` for what the component writes.

        They are computed by spaCy, as for its own components: `dep_uas` and `dep_las` do not count
        the arcs of punctuation.
        """
        examples = list(examples)
        try:
            fills = self.annotator().fills
        except MePropError:
            return {}
        scores: dict[str, Any] = {}
        for column, attribute in _ATTRIBUTES.items():
            if column in fills:
                options = {"getter": _morph_key} if attribute == "morph" else {}
                scores |= Scorer.score_token_attr(examples, attribute, **options, **kwargs)
        if "feats" in fills:
            scores |= Scorer.score_token_attr_per_feat(
                examples, "morph", getter=_morph_key, **kwargs
            )
        if "head" in fills:
            scores |= parser_score(examples, **kwargs)
        return scores


def _morph_key(token: Token, attribute: str) -> int:
    key: int = getattr(token, attribute).key
    return key


def _rebuilt(cls: type[Component], settings: tuple[Any, ...], model: Model) -> Component:
    component = cls(*settings)
    component._use(model)
    return component
