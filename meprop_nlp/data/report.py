"""`TreebankReport`: statistics of a treebank, counted one sentence at a time."""

import unicodedata
from collections.abc import Iterable

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.trees import is_projective
from meprop_nlp.data.word import ROOT, UNSET
from meprop_nlp.errors import Problem, number_of

_MANY_TAGS = 1000  # tag sets have tens or hundreds of tags; the largest of UD under a thousand
_KEPT_PROBLEMS = 20


class TreebankReport:
    """Statistics of the sentences passed to `add`; `str()` shows them in one line.

    Attributes:
        sentences, words, multiword_tokens, empty_nodes: their numbers.
        trees: the number of sentences in which every word has a head.
        nonprojective, several_roots: the number of these trees that are non-projective, or have
            several roots.
        skipped: the number of faulty sentences left out; `problems` holds the first 20 faults.
        upos, xpos, feats, deprel: the distinct values, without `_`.
    """

    def __init__(self, sentences: Iterable[Sentence] = ()) -> None:
        self.sentences = 0
        self.words = 0
        self.multiword_tokens = 0
        self.empty_nodes = 0
        self.trees = 0
        self.nonprojective = 0
        self.several_roots = 0
        self.skipped = 0
        self.problems: list[Problem] = []
        self.upos: set[str] = set()
        self.xpos: set[str] = set()
        self.feats: set[str] = set()
        self.deprel: set[str] = set()
        self._composed = 0
        self._decomposed = 0
        for sentence in sentences:
            self.add(sentence)

    def add(self, sentence: Sentence) -> None:
        """Count one sentence."""
        words = sentence.words
        self.sentences += 1
        self.words += len(words)
        self.multiword_tokens += len(sentence.multiword_tokens)
        self.empty_nodes += len(sentence.empty_nodes)
        self.upos.update([word.upos for word in words])
        self.xpos.update([word.xpos for word in words])
        self.feats.update([word.feats for word in words])
        self.deprel.update([word.deprel for word in words])
        for seen in (self.upos, self.xpos, self.feats, self.deprel):
            seen.discard("_")
        heads = [word.head for word in words]
        if UNSET not in heads:
            self.trees += 1
            self.nonprojective += not is_projective(heads)
            self.several_roots += heads.count(ROOT) > 1
        for word in words:
            if not word.form.isascii():
                if unicodedata.is_normalized("NFC", word.form):
                    self._composed += not unicodedata.is_normalized("NFD", word.form)
                else:
                    self._decomposed += 1

    def skip(self, problems: Iterable[Problem] = ()) -> None:
        """Count one sentence that was left out; keep its faults if fewer than 20 are kept."""
        self.skipped += 1
        self.problems += list(problems)[: _KEPT_PROBLEMS - len(self.problems)]

    @property
    def without_tree(self) -> int:
        """The number of sentences in which some word has no head."""
        return self.sentences - self.trees

    @property
    def warnings(self) -> list[str]:
        """Signs of mistakes in a file that is valid; one sentence each."""
        found = []
        for name, values in (("UPOS", self.upos), ("XPOS", self.xpos)):
            share = len(values) / self.words if self.words else 0.0
            if len(values) > _MANY_TAGS or (share > 0.1 and len(values) > 50):
                found.append(
                    f"{len(values):,} different {name} tags on {self.words:,} words: "
                    "is this column really a tag?"
                )
        if self.deprel == {"root"}:
            found.append(
                "every relation is root: a parser trained on this writes dep on arcs between words"
            )
        if self._composed and self._decomposed:
            found.append(
                f"{self._decomposed:,} words spell accents as separate characters (Unicode NFD), "
                f"{self._composed:,} as one (NFC): are they from two sources?"
            )
        return found

    def __str__(self) -> str:
        parts = [f"{number_of(self.sentences, 'sentence')}, {number_of(self.words, 'word')}"]
        if self.multiword_tokens:
            parts[0] += f", {number_of(self.multiword_tokens, 'multiword token')}"
        if self.empty_nodes:
            parts[0] += f", {number_of(self.empty_nodes, 'empty node')}"
        labels = [
            f"{len(values):,} {name}"
            for name, values in (
                ("UPOS", self.upos), ("XPOS", self.xpos), ("FEATS", self.feats),
                ("deprels", self.deprel),
            )
            if values
        ]  # fmt: skip
        if labels:
            parts.append(", ".join(labels))
        if self.trees:
            parts.append(f"{100 * self.nonprojective / self.trees:.1f} % non-projective")
            parts.append(f"{self.several_roots:,} with several roots")
        if self.without_tree:
            parts.append(f"{self.without_tree:,} without a tree")
        if self.skipped:
            parts.append(f"{number_of(self.skipped, 'faulty sentence')} skipped")
        return "; ".join(parts)
