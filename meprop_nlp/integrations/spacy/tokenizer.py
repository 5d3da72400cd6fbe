"""`DocTokenizer`: the tokenizer of a model as that of a pipeline; `sentence_starts` of any Doc."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, cast

from spacy.tokens import Doc
from spacy.util import minibatch
from spacy.vocab import Vocab

from meprop_nlp.data.lines import demand_text
from meprop_nlp.errors import ConfigError
from meprop_nlp.integrations.spacy.owner import ModelOwner
from meprop_nlp.models.inputs import TextTokenizer
from meprop_nlp.models.model import Model
from meprop_nlp.models.tokenizer import Tokenizer

_PLACE = re.compile(r"TokenRange=(\d+):(\d+)")
_BETWEEN = "\n\n"  # parts paragraphs, each of which is read for itself


class DocTokenizer(ModelOwner):
    """Makes Docs of texts, with the tokens and sentences that a model finds.

    The words of a multiword token become tokens where they are the parts of its text, as `ca n't`;
    where they are not, as `de le` of `du`, the multiword token is one token. So `doc.text` is the
    text, whatever is in it. White space that is not one space after a token is a token.

    Args:
        vocab: the pipeline's.
        source: see `ModelOwner`.
    """

    def __init__(self, vocab: Vocab, source: str) -> None:
        self.vocab = vocab
        super().__init__(source, None, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.vocab, self.source, self.loaded())

    def _use(self, model: Model) -> None:
        if model.tokenizer is None:
            raise ConfigError(
                f"{self.source} has no tokenizer; give another as `model`, or leave the tokenizer "
                "to spaCy: the components take its tokens"
            )
        super()._use(model)

    def __call__(self, text: str) -> Doc:
        """Return the Doc of a text.

        Raises:
            CheckpointError, ConfigError: the model cannot be read, or has no tokenizer.
            DataError: there is half of a pair of surrogates in the text.
        """
        return next(self.pipe([text]))

    def pipe(self, texts: Iterable[str], batch_size: int = 128) -> Iterator[Doc]:
        """Yield the Doc of each text; those of a batch are read together."""
        for batch in minibatch(texts, size=batch_size):
            batch = list(batch)
            for n, text in enumerate(batch):
                demand_text(text, f"text {n + 1}")
            found = _tokens(batch, cast(Tokenizer, self.loaded().tokenizer))
            for text, tokens in zip(batch, found, strict=True):
                yield self._doc(text, tokens)

    def _doc(self, text: str, tokens: Sequence[_Token]) -> Doc:
        words: list[str] = []
        spaces: list[bool] = []
        starts: list[bool] = []

        def add(word: str, *, starts_sentence: bool = False) -> None:
            words.append(word)
            spaces.append(False)
            starts.append(starts_sentence or len(words) == 1)

        def add_gap(gap: str) -> None:
            if words and gap.startswith(" "):
                spaces[-1], gap = True, gap[1:]
            if gap:
                add(gap)

        end = 0
        for number, token in enumerate(tokens):
            add_gap(text[end : token.start])
            for n, word in enumerate(token.words):
                # white space at the beginning of the text is in the first sentence
                begins = token.begins_sentence and n == 0 and number > 0
                add(word, starts_sentence=begins)
            end = token.end
        add_gap(text[end:])
        return Doc(self.vocab, words=words, spaces=spaces, sent_starts=starts)


class _Token(NamedTuple):
    """A token of a text.

    Attributes:
        start, end: of its characters in the text.
        words: its words, which put together are its text.
        begins_sentence: whether it is the first of a sentence.
    """

    start: int
    end: int
    words: Sequence[str]
    begins_sentence: bool


def sentence_starts(docs: Sequence[Doc], tokenizer: TextTokenizer | None) -> list[list[int]]:
    """Return at which tokens of each Doc sentences begin.

    Args:
        tokenizer: finds the sentences of Docs that have none; None: each of these is one sentence.
    """
    starts: list[list[int]] = []
    open_ends: list[int] = []
    for n, doc in enumerate(docs):
        if not len(doc):
            starts.append([])
        elif doc.has_annotation("SENT_START"):
            starts.append([sentence.start for sentence in doc.sents])
        else:
            starts.append([0])
            open_ends.append(n)
    if tokenizer is not None and open_ends:
        found = _tokens([docs[n].text for n in open_ends], cast(Tokenizer, tokenizer))
        for n, tokens in zip(open_ends, found, strict=True):
            places = [token.idx for token in docs[n]]
            begins = [token.start for token in tokens if token.begins_sentence]
            for place in begins[1:]:
                i = bisect_left(places, place)
                # a boundary within a token is none
                if i < len(places) and places[i] == place and i > starts[n][-1]:
                    starts[n].append(i)
    return starts


def _tokens(texts: Sequence[str], tokenizer: Tokenizer) -> list[list[_Token]]:
    """Return the tokens of each text; the texts are read together, each as a text of its own."""
    offsets = [0]
    for text in texts:
        offsets.append(offsets[-1] + len(text) + len(_BETWEEN))
    joined = _BETWEEN.join(texts)
    found: list[list[_Token]] = [[] for _ in texts]
    n = 0
    begins = True  # a sentence, with the next token
    start = end = waiting = 0  # waiting: words to come of a multiword token
    words: list[str] = []
    for line in tokenizer.conllu(joined, first=0).split("\n"):
        if not line:
            begins = True
            continue
        if line[0] == "#":
            continue
        number, form, *_, misc = line.split("\t")
        if waiting:
            words.append(form)
            waiting -= 1
        else:
            place = _PLACE.search(misc)
            assert place is not None
            start, end = map(int, place.groups())
            first, dash, last = number.partition("-")
            words = []
            if dash:
                waiting = int(last) - int(first) + 1
        if waiting:
            continue
        while start >= offsets[n + 1]:
            n += 1
        text = texts[n]
        inside = slice(start - offsets[n], end - offsets[n])
        whole = text[inside]
        parts = words if words and "".join(words) == whole else [whole]
        found[n].append(_Token(inside.start, inside.stop, parts, begins))
        begins = False
    return found


def _rebuilt(cls: type[DocTokenizer], vocab: Vocab, source: str, model: Model) -> DocTokenizer:
    tokenizer = cls(vocab, source)
    tokenizer._use(model)
    return tokenizer
