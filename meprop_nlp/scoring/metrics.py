"""Evaluate a system's tags and trees against the gold standard.

Segmentation metrics, if the files split text differently:

- Tokens, Sentences: those of the system that cover the same characters as one of the gold file.
- Words: words of the system that are words of the gold file.

Tagging metrics, over words (see Nivre et al. 2020 for the columns):

- UPOS:    words with the gold universal tag.
- XPOS:    words with the gold language-specific tag.
- UFeats:  words with the gold features; only the 21 universal features count, in any order.
- AllTags: words that are right for UPOS, XPOS and UFeats.
- Lemmas:  words with the gold lemma; any lemma is right where the gold lemma is `_`.

Parsing metrics, over words, or over content words for CLAS, MLAS and BLEX:

- UAS:  words with the gold head ("unlabeled attachment score").
- LAS:  words with the gold head and relation; subtypes, which follow a colon in the relation, are
  ignored by default ("labeled attachment score").
- CLAS: LAS over the words with a content relation, such as `nsubj` or `obl`, as opposed to a
  function relation, such as `case` or `punct` (Nivre and Fang 2017).
- MLAS: CLAS over words that are also right for UPOS and UFeats, and have the same function words,
  which are right in the same way: dependents such as `case` or `det`, but not `punct`.
- BLEX: CLAS over words that are also right for Lemmas.
- UCM, LCM: sentences in which every word is right for UAS, or for LAS ("complete match").

Each metric is the harmonic mean (F1) of precision, correct / words of the system, and recall,
correct / gold words. If both files have the same words, all three are the accuracy. This is the
definition of the CoNLL 2018 shared task (Zeman et al. 2018, section 5); its official program, now
`udtools.udeval`, computes the same numbers. UCM and LCM are shares of the gold sentences in which a
word is counted. Where nothing is counted there is no number, neither 0 nor 100.

With an `Annotation` of gold sentences in which some columns are partly annotated, UPOS, XPOS,
UFeats, UAS and LAS are over the words that are annotated, UCM and LCM over the sentences with such
words, and metrics of several columns are not scored.
"""

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter

from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.conll.block import circle_faults, tree_faults
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.penn.punctuation import is_punctuation
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.text_cache import cached_by_text
from meprop_nlp.data.trees import roots
from meprop_nlp.data.word import ROOT, UNSET, Word
from meprop_nlp.errors import ConlluError, DataError, Problem
from meprop_nlp.scoring.alignment import Aligned, Passage, align
from meprop_nlp.scoring.rightness import (
    base_relation,
    features_right,
    lemma_right,
    universal_features,
)
from meprop_nlp.scoring.scores import (
    COMBINED,
    CONFUSED,
    METRICS,
    SEGMENTATION,
    Arcs,
    Count,
    Scores,
    distance_bucket,
    length_bucket,
)

CONTENT_DEPRELS = frozenset({
    "acl", "advcl", "advmod", "amod", "appos", "ccomp", "compound", "conj", "csubj", "dep",
    "discourse", "dislocated", "expl", "fixed", "flat", "goeswith", "iobj", "list", "nmod", "nsubj",
    "nummod", "obj", "obl", "orphan", "parataxis", "reparandum", "root", "vocative", "xcomp",
})  # fmt: skip

FUNCTION_DEPRELS = frozenset({"aux", "case", "cc", "clf", "cop", "det", "mark"})


OnPassage = Callable[[Passage, Mapping[str, Count]], object]


def evaluate(
    gold: str | os.PathLike[str] | Iterable[Sentence],
    system: str | os.PathLike[str] | Iterable[Sentence],
    *,
    exclude_punct: bool = False,
    strip_subtypes: bool = True,
    trees: bool | None = None,
    multiple_roots: bool | None = None,
    annotation: Annotation | None = None,
    on_passage: OnPassage | None = None,
    pairs: bool = False,
) -> Scores:
    """Score a system's sentences against the gold standard.

    Both must hold the same text, but may split it into words and sentences differently.

    >>> evaluate("gold.conllu", "system.conllu").las  # doctest: +SKIP
    86.19

    Args:
        gold: the gold sentences, or a file of them.
        system: the sentences of the system, or a file of them.
        exclude_punct: exclude punctuation from UAS, LAS, UCM, LCM and the tables of arcs, but not
            from the tagging metrics. A word is punctuation if its gold UPOS is PUNCT or, if gold
            has no universal tags, if its tag is a punctuation tag of the Penn Treebank or its
            form is all Unicode punctuation (`data.penn.punctuation`). A word of the system without
            a partner is judged by its own tag.
        strip_subtypes: compare relations without their subtypes, as the official program does.
        trees: whether to score heads and relations; None: if the first gold sentence has heads.
        multiple_roots: whether a sentence may have several roots; None: in CoNLL-X and tab files
            only, since they are an error in CoNLL-U, also for the official program.
        annotation: of the gold sentences, whose words may lack annotation then. None: all words
            count, and all must have a head where heads are scored.
        on_passage: called after each aligned passage, with it and the counts up to its end.
        pairs: whether to count which value of each column met which, for `Scores.pairs`.

    Raises:
        ConlluError: if the texts differ, or the heads of a sentence are not a tree; with file and
            line.
        DataError: if there are no gold sentences, an argument is neither a file nor sentences, or a
            file cannot be read.
    """
    gold, system = _sentences(gold, "gold"), _sentences(system, "system")
    if annotation is not None:
        partial = annotation.partial()
        annotation = annotation if partial.keys() & _COUNTED else None
        if trees is None and "head" in partial:
            trees = True
    tally = _Tally(exclude_punct, strip_subtypes, annotation, with_pairs=pairs)
    gold = iter(gold)
    first = next(gold, None)
    if first is None:
        raise DataError("no sentences in the gold file, expected at least one to score against")
    gold = itertools.chain([first], gold)
    if trees is None:
        trees = _has_heads(first)
        gold = gold if trees else _without_heads(gold, first)
    gold, system = (
        _checked(side, trees, multiple_roots, partial=annotation is not None)
        for side in (gold, system)
    )
    for passage in align(gold, system):
        tally.spans(passage)
        for aligned in passage.sentences:
            tally.tags(aligned)
            if trees:
                tally.arcs(aligned)
        for word in passage.unaligned:
            tally.unaligned(word)
        if on_passage is not None:
            on_passage(passage, tally.counts())
    return tally.scores()


def _sentences(given: object, name: str) -> Iterable[Sentence]:
    """Return the sentences of an argument, which may be a file."""
    if isinstance(given, str | os.PathLike):
        return read(given)
    if not isinstance(given, Iterable):
        raise DataError(f"`{name}` is of type {type(given).__name__}, expected a file or Sentences")
    return (_sentence(one, f"{name}[{i}]") for i, one in enumerate(given))


def _sentence(given: object, name: str) -> Sentence:
    if isinstance(given, Sentence):
        return given
    advice = "; give the file itself in its place" if isinstance(given, str | os.PathLike) else ""
    raise DataError(f"`{name}` is of type {type(given).__name__}, expected a Sentence{advice}")


def _has_heads(sentence: Sentence) -> bool:
    return any(word.head != UNSET for word in sentence.words)


def _without_heads(sentences: Iterable[Sentence], first: Sentence) -> Iterator[Sentence]:
    """Yield the sentences; raise ConlluError at one with heads, since the first has none."""
    for sentence in sentences:
        if _has_heads(sentence):
            message = f"has heads, and the sentence at line {first.line} has none; expected all"
            message += " or none, so that it is clear what to score"
            raise ConlluError([Problem(sentence.path, sentence.line, message, sentence.sent_id)])
        yield sentence


def _checked(
    sentences: Iterable[Sentence], trees: bool, multiple_roots: bool | None, *, partial: bool
) -> Iterator[Sentence]:
    """Yield the sentences; if they must be trees, raise ConlluError at the first that is not.

    Args:
        partial: whether words may lack heads.
    """
    for sentence in sentences:
        if trees:
            if not partial and not _has_heads(sentence):
                message = "has no heads, and trees are scored; without them: `trees=False`"
                raise ConlluError(
                    [Problem(sentence.path, sentence.line, message, sentence.sent_id)]
                )
            faults = circle_faults(sentence) if partial else tree_faults(sentence)
            if faults:
                raise ConlluError([fault.problem(sentence.path) for fault in faults])
            allowed = sentence.layout.kind != "conllu" if multiple_roots is None else multiple_roots
            if not allowed:
                _refuse_several_roots(sentence)
        yield sentence


def _refuse_several_roots(sentence: Sentence) -> None:
    found = roots([word.head for word in sentence.words])
    if len(found) > 1:
        shown = ", ".join(str(root) for root in found[:5]) + (", ..." if len(found) > 5 else "")
        message = f"{len(found)} words have HEAD 0 (words {shown}), CoNLL-U allows one root"
        line = sentence.word_line(found[1])
        raise ConlluError([Problem(sentence.path, line, message, sentence.sent_id)])


def _tags_right(gold: Word, system: Word) -> bool:
    return gold.upos == system.upos and features_right(gold, system)


@cached_by_text(1 << 14)
def _has_content(deprel: str) -> bool:
    """Return whether the relation is one of content words."""
    return deprel.partition(":")[0] in CONTENT_DEPRELS


@cached_by_text(1 << 14)
def _has_function(deprel: str) -> bool:
    """Return whether the relation is one of function words, except punctuation."""
    return deprel.partition(":")[0] in FUNCTION_DEPRELS


_COLUMNS = {"upos": "upos", "xpos": "xpos", "ufeats": "feats", "lemmas": "lemma"}
# the columns of which words without annotation are not counted
_COUNTED = {"upos", "xpos", "feats", "head", "deprel"}


class _Tally:
    """The counts of the sentences so far."""

    def __init__(
        self,
        exclude_punct: bool,
        strip_subtypes: bool,
        annotation: Annotation | None,
        *,
        with_pairs: bool,
    ) -> None:
        self.exclude_punct = exclude_punct
        self.strip_subtypes = strip_subtypes
        self.annotation = annotation
        self.sentences = 0
        self.trees = 0  # sentences with arcs to score
        self.correct: Counter[str] = Counter()
        self.gold: Counter[str] = Counter()  # by what a metric is counted over, see `scores`
        self.system: Counter[str] = Counter()
        self.aligned: Counter[str] = Counter()
        self.annotated = set(SEGMENTATION)
        self.confusions: Counter[tuple[str, str]] = Counter()
        # (gold, system) values, right ones too, where they are asked for
        columns = CONFUSED if with_pairs else ()
        self.pairs: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in columns}
        # the rows of the tables: [gold, heads, labels, system]
        self.tables: dict[str, dict[str, list[int]]] = {"deprel": {}, "length": {}, "distance": {}}

    def _base(self, deprel: str) -> str:
        return base_relation(deprel) if self.strip_subtypes else deprel

    def _row(self, table: str, name: str) -> list[int]:
        return self.tables[table].setdefault(name, [0, 0, 0, 0])

    def _known(self, words: list[Word], column: str) -> list[bool]:
        """Return which gold words are annotated in a column."""
        if self.annotation is None:
            return [True] * len(words)
        return self.annotation.of(words, column)

    def _count(self, over: str, n_gold: int, n_pairs: int) -> None:
        """Count gold words, and those of them that have a partner."""
        self.gold[over] += n_gold
        self.system[over] += n_pairs
        self.aligned[over] += n_pairs

    def spans(self, passage: Passage) -> None:
        """Count the tokens and sentences of a passage."""
        for metric in ("tokens", "sentence_spans"):
            count: Count = getattr(passage, metric)
            self.correct[metric] += count.correct
            self.gold[metric] += count.gold
            self.system[metric] += count.system
            self.aligned[metric] += count.aligned

    def tags(self, aligned: Aligned) -> None:
        """Count the tags and lemmas of one gold sentence."""
        upos = xpos = ufeats = alltags = lemmas = pairs = 0
        self.sentences += 1
        words, partners = aligned.gold.words, aligned.partners
        known = {column: self._known(words, column) for column in ("upos", "xpos", "feats")}
        for gold, system, has_upos, has_xpos, has_feats in zip(
            words, partners, *known.values(), strict=True
        ):
            if system is None:
                continue
            pairs += 1
            upos_right = has_upos and gold.upos == system.upos
            xpos_right = has_xpos and gold.xpos == system.xpos
            feats_right = has_feats and features_right(gold, system)
            upos += upos_right
            xpos += xpos_right
            ufeats += feats_right
            alltags += upos_right and xpos_right and feats_right
            lemmas += lemma_right(gold, system)
            tags = (gold.xpos, system.xpos) if gold.upos == "_" else (gold.upos, system.upos)
            if tags[0] != tags[1] and has_xpos:  # true where either tag is annotated
                self.confusions[tags] += 1
        self.correct.update(
            words=pairs, upos=upos, xpos=xpos, ufeats=ufeats, alltags=alltags, lemmas=lemmas
        )
        self._count("words", len(words), pairs)
        for column, flags in known.items():
            met = [
                (gold, system)
                for gold, system, flag in zip(words, partners, flags, strict=True)
                if flag and system is not None
            ]
            self._count(column, sum(flags), len(met))
            if column in self.pairs:
                value = attrgetter(column)
                self.pairs[column].update((value(gold), value(system)) for gold, system in met)
        for metric, column in _COLUMNS.items():
            if metric not in self.annotated and set(aligned.gold.column(column)) != {"_"}:
                self.annotated.add(metric)

    def arcs(self, aligned: Aligned) -> None:
        """Count the heads and relations of one gold sentence."""
        arcs = labels = uas = las = 0
        labelled = False
        label_right_of: list[bool] = []
        of_length = self._row("length", length_bucket(len(aligned.gold)))
        words = aligned.gold.words
        has_head, has_label = self._known(words, "head"), self._known(words, "deprel")
        rows = zip(words, aligned.partners, aligned.heads_right, strict=True)
        for i, (gold, system, head_right) in enumerate(rows):
            deprel = self._base(gold.deprel)
            found = None if system is None else self._base(system.deprel)
            head_right = head_right and system is not None and system.head != UNSET
            label_right = head_right and deprel == found
            label_right_of.append(label_right)
            labelled = labelled or (has_label[i] and deprel != "_")
            if not has_head[i] or (self.exclude_punct and is_punctuation(gold)):
                continue
            arcs += 1
            uas += head_right
            self._count("arcs", 1, found is not None)
            if not has_label[i]:
                continue
            labels += 1
            las += label_right
            self._count("labels", 1, found is not None)
            if found is not None:
                self._row("deprel", found)[3] += 1
                if "deprel" in self.pairs:
                    self.pairs["deprel"][deprel, found] += 1
            distance = 0 if gold.head == ROOT else abs(gold.head - gold.id)
            of_distance = self._row("distance", distance_bucket(distance))
            for row in (self._row("deprel", deprel), of_distance, of_length):
                row[0] += 1
                row[1] += head_right
                row[2] += label_right
        self.annotated |= {"uas", "ucm"}
        if labelled:
            self.annotated |= {"las", "lcm"}
        self.correct.update(uas=uas, las=las)
        if arcs:
            self.trees += 1
            self.correct.update(ucm=uas == arcs, lcm=las == labels)
        if self.annotation is None:
            self.annotated |= {"clas"} if labelled else set()
            self._content(aligned, label_right_of)

    def _content(self, aligned: Aligned, label_right: list[bool]) -> None:
        """Count CLAS, MLAS and BLEX of one gold sentence.

        Args:
            label_right: for each gold word, whether its head and its relation are right.
        """
        words, partners = aligned.gold.words, aligned.partners
        right = [  # head, relation, UPOS and features
            has_label and system is not None and _tags_right(gold, system)
            for gold, system, has_label in zip(words, partners, label_right, strict=True)
        ]
        # of each gold word: the number of its function words, and of those that are right
        function_words, right_function_words = [0] * len(words), [0] * len(words)
        for gold, is_right in zip(words, right, strict=True):
            if _has_function(gold.deprel) and gold.head > 0:
                function_words[gold.head - 1] += 1
                right_function_words[gold.head - 1] += is_right
        content = pairs = clas = mlas = blex = 0
        for i, (gold, system) in enumerate(zip(words, partners, strict=True)):
            if not _has_content(gold.deprel):
                continue
            content += 1
            if system is None:
                continue
            pairs += 1
            if label_right[i]:
                clas += 1
                blex += lemma_right(gold, system)
                if right[i] and right_function_words[i] == function_words[i]:
                    found = sum(_has_function(word.deprel) for word in aligned.dependents[i])
                    mlas += found == function_words[i]
        self.correct.update(clas=clas, mlas=mlas, blex=blex)
        self.gold["clas"] += content
        self.aligned["clas"] += pairs
        self.system["clas"] += sum(
            _has_content(word.deprel) for word in partners if word is not None
        )

    def unaligned(self, word: Word) -> None:
        """Count a word of the system without a gold word."""
        for over in ("words", "upos", "xpos", "feats"):
            self.system[over] += 1
        if _has_content(word.deprel):
            self.system["clas"] += 1
        if not (self.exclude_punct and is_punctuation(word)):
            self.system["arcs"] += 1
            self.system["labels"] += 1
            self._row("deprel", self._base(word.deprel))[3] += 1

    def counts(self) -> dict[str, Count]:
        """Return the counts of each metric so far."""
        # what each metric is counted over, if it is not words
        over = {"upos": "upos", "xpos": "xpos", "ufeats": "feats"}
        over |= {"uas": "arcs", "las": "labels", "clas": "clas", "mlas": "clas", "blex": "clas"}
        over |= {"tokens": "tokens", "sentence_spans": "sentence_spans"}
        counts = {}
        for metric in METRICS:
            key = over.get(metric, "words")
            gold, system, aligned = self.gold[key], self.system[key], self.aligned[key]
            if metric in ("ucm", "lcm"):
                gold = system = aligned = self.trees
            counts[metric] = Count(self.correct[metric], gold, system, aligned)
        return counts

    def scores(self) -> Scores:
        """Return the final scores."""
        for metric, (first, *others) in COMBINED.items():
            has_both = first in self.annotated and not self.annotated.isdisjoint(others)
            if has_both and self.annotation is None:
                self.annotated.add(metric)
        return Scores(
            self.counts(),
            sentences=self.sentences,
            annotated=frozenset(self.annotated),
            by_deprel=self._table("deprel"),
            by_length=self._table("length"),
            by_distance=self._table("distance"),
            confusions=self.confusions,
            pairs=self._annotated_pairs(),
            exclude_punct=self.exclude_punct,
            strip_subtypes=self.strip_subtypes,
        )

    def _annotated_pairs(self) -> dict[str, Counter[tuple[str, str]]]:
        """Return the pairs of the columns that gold has annotation for, features one by one."""
        return {
            column: _feature_pairs(pairs) if column == "feats" else pairs
            for column, pairs in self.pairs.items()
            if CONFUSED[column] in self.annotated
        }

    def _table(self, name: str) -> dict[str, Arcs]:
        """Return the rows of a table in order: relations by frequency, buckets by size."""
        table = self.tables[name]
        if name == "deprel":
            order = sorted(table, key=lambda row: (-table[row][0], row))
        else:
            order = sorted(table, key=_bucket_order)
        return {row: Arcs(*table[row]) for row in order}


def _feature_pairs(pairs: Mapping[tuple[str, str], int]) -> Counter[tuple[str, str]]:
    """Return the pairs of universal features, given those of FEATS; `Case=_` is one that lacks."""
    found: Counter[tuple[str, str]] = Counter()
    for (gold, system), n in pairs.items():
        sides = [_features(gold), _features(system)]
        for name in sides[0].keys() | sides[1].keys():
            values = (f"{name}={side.get(name, '_')}" for side in sides)
            found[next(values), next(values)] += n
    return found


def _features(feats: str) -> dict[str, str]:
    pairs = (feature.partition("=") for feature in universal_features(feats).split("|") if feature)
    return {name: value for name, _, value in pairs}


def _bucket_order(name: str) -> int:
    return 0 if name == "root" else int(name.partition("-")[0].rstrip("+"))
