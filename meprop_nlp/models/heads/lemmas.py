"""The lemma head: chooses the edit script that turns each form into its lemma.

What the treebank says about the lemmas that the best scripts make counts beside their scores, see
`Evidence`. Words whose best script leads by so much that no other can win are not looked at twice.
"""

from collections.abc import Collection, Sequence
from types import ModuleType
from typing import NamedTuple

import numpy as np

from meprop_nlp.config import JointConfig
from meprop_nlp.data.lemma_script import apply_script, check_script
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.text_cache import cached_by_text
from meprop_nlp.models.digits import DigitWeight, Product
from meprop_nlp.models.encoder import SharedEncoder, States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import Head
from meprop_nlp.models.heads.joint_native import NativeLemmas, TagWeight, leaky_relu
from meprop_nlp.models.heads.lemma_evidence import NO_TAG, Evidence
from meprop_nlp.models.heads.state_tags import softmax
from meprop_nlp.models.native_encoder import FormLayer, NativeStates
from meprop_nlp.models.parts import (
    Array,
    demand_inputs,
    demand_size,
    demand_texts,
    numbers_of_tags,
    tag_lists,
    take,
)
from meprop_nlp.models.prediction import Indices, Prediction, TextColumn, Values
from meprop_nlp.models.words import Words

CACHED_LEMMAS = 1 << 16
MOST_KEYS = 1 << 30  # numbers for a script and a tag together
N_BEST = 8  # scripts that are looked at where it is open which is best


class Judged(NamedTuple):
    """The lemma that a script makes of a word.

    Attributes:
        lemma: None if the form is too short for the script.
        evidence: what is to be added to the script's score.
        lead: by how much its score must exceed the next one to be chosen without a second look.
    """

    lemma: str | None
    evidence: float
    lead: float


class Candidates(NamedTuple):
    """The best scripts of some words, the best first: (N, scripts) each.

    Attributes:
        scripts: the numbers of the scripts.
        scores: their logits, up to a constant of the word.
    """

    scripts: Indices
    scores: Array


class LemmasHead(Head):
    """Predicts LEMMA.

    Attributes:
        scripts: the edit scripts that it chooses from.
        evidence: weighs what is known of lemmas; None in a model that knows nothing of them.
    """

    name = "lemmas"
    activity = "lemmatizing"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.config = JointConfig.from_dict(file.header["config"])
        self.reads, self.fills, self.scores = (), ("lemma",), ("lemmas",)
        self._numbers_of_tags = numbers_of_tags(file)
        self.scripts: list[str] = file.header["scripts"]
        demand_texts("lemma scripts", self.scripts)
        for script in self.scripts:
            check_script(script)
        arrays = file.arrays
        weight = take(arrays, "lemmas.hidden.weight", None, None)
        self._hidden = weight.T, take(arrays, "lemmas.hidden.bias", len(weight))
        self._native: NativeLemmas | None = None
        self._output = (
            take(arrays, "lemmas.output.weight", len(self.scripts), len(weight)).T,
            take(arrays, "lemmas.output.bias", len(self.scripts)),
        )
        self.evidence = Evidence.of(file)
        self._upos, self._first_upos = [NO_TAG], 0
        if self.evidence is not None:
            self._upos, self._first_upos = _upos_of(file)
        demand_size("pairs of script and UPOS", len(self.scripts) * len(self._upos), MOST_KEYS)
        self._judged = cached_by_text(CACHED_LEMMAS)(self._judge)

    def prepare(self, native: ModuleType | None, encoder: SharedEncoder) -> FormLayer | None:
        weight, bias = self._hidden
        width, end = encoder.width, encoder.width + encoder.input_width
        sizes = self._numbers_of_tags
        demand_inputs("lemmas.hidden.weight", len(weight), end + sum(sizes))
        self._context = DigitWeight.of(weight[:width])
        if native is None:
            return None
        tags = TagWeight(weight[end:], sizes) if sizes else None
        self._native = NativeLemmas(native, weight[:width], tags, self._output)
        return FormLayer(weight[width:end], bias)

    def annotate(
        self,
        words: Words,
        states: States | None = None,
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Prediction:
        assert states is not None
        forms, tags = words.column("form"), self.tags(states)
        if isinstance(states, NativeStates) and self._native is not None:
            scripts, sure, lead = self._native.choose(states, confidence=confidence)
            ids, firsts = self._native.number_pairs(states, self._keys(scripts, tags))
        else:
            probabilities = self.probabilities(states)
            scripts, sure, lead = _best(probabilities, confidence=confidence)
            ids, firsts = _number_pairs(forms, self._keys(scripts, tags))
        # words with the same form, script and tag have the same lemma, unless it is open which
        each = [
            self._judged(forms[n], script, tag)
            for n, script, tag in zip(
                firsts, scripts[firsts].tolist(), tags[firsts].tolist(), strict=True
            )
        ]
        lemmas = [judged.lemma for judged in each]
        needed = np.array([judged.lead for judged in each], np.float32)
        rows = np.flatnonzero(lead < needed[ids]).astype(np.int32)
        if len(rows):
            chosen, shares = self._choose_among(
                [forms[n] for n in rows.tolist()],
                tags[rows].tolist(),
                self.candidates(forms, states, rows),
                confidence=confidence and self.evidence is not None,
            )
            ids[rows] = np.arange(len(lemmas), len(lemmas) + len(rows))
            lemmas += chosen
            if shares and sure is not None:
                sure[rows] = shares
        if None in lemmas:
            refused = [n for n, number in enumerate(ids.tolist()) if lemmas[number] is None]
            short = [forms[n] for n in refused]
            others = self._next_lemmas(short, states.only(refused, short))
            for n, lemma in zip(refused, others, strict=True):
                ids[n] = len(lemmas)
                lemmas.append(lemma)
        values = Values(lemma or "_" for lemma in lemmas)  # no word has the id of None any more
        return Prediction(
            {"lemma": TextColumn(values, ids)},
            confidence={} if sure is None else {"LemmaConf": sure},
        )

    def _keys(self, scripts: Indices, tags: Indices) -> Indices:
        """Return a number for each pair of script and tag: (N,)."""
        return scripts * np.int32(len(self._upos)) + tags

    def tags(self, states: States) -> Indices:
        """Return the number of each word's UPOS; zeros where the model predicts none: (N,)."""
        if len(self._upos) == 1:
            return np.zeros(len(states.context), np.int32)
        assert states.tags is not None  # the head that gives them has run
        own = states.tags[:, self._first_upos : self._first_upos + len(self._upos)]
        numbers: Indices = own.argmax(1).astype(np.int32)
        return numbers

    def tag_texts(self, states: States) -> list[str]:
        """Return the UPOS by which a word's lemmas are known: N of them."""
        return [self._upos[number] for number in self.tags(states).tolist()]

    def lemma(self, form: str, script: int) -> str | None:
        """Return the lemma that a script makes of a form; None if the form is too short for it.

        A lemma that begins or ends with a space, as of a form with one inside, is none either.
        """
        lemma = apply_script(self.scripts[script], form)
        return None if lemma is not None and lemma != lemma.strip() else lemma

    def candidates(
        self, forms: Sequence[str], states: States, rows: Indices | None = None
    ) -> Candidates:
        """Return the best scripts of some words, or of all.

        Args:
            forms: of all words.
            rows: the words.
        """
        chosen = np.arange(len(forms), dtype=np.int32) if rows is None else rows
        n_best = min(N_BEST, len(self.scripts))
        if isinstance(states, NativeStates) and self._native is not None:
            return Candidates(*self._native.rank(states, chosen, n_best))
        own = states.only(chosen.tolist(), [forms[n] for n in chosen.tolist()])
        probabilities = self.probabilities(own)
        order = np.argsort(-probabilities, 1, kind="stable")[:, :n_best]
        scores = np.log(np.take_along_axis(probabilities, order, 1))
        return Candidates(order.astype(np.int32), scores)

    def _choose_among(
        self,
        forms: Sequence[str],
        tags: Sequence[int],
        candidates: Candidates,
        *,
        confidence: bool,
    ) -> tuple[list[str | None], list[float]]:
        """Return the lemmas of words for which the scripts' scores do not decide.

        Returns:
            The lemmas, None where the form is too short for all of these scripts; and how sure
            they are, if asked for.
        """
        weight = self.evidence.score_weight if self.evidence else 1.0
        most = self.evidence.most if self.evidence else 0.0
        lemmas: list[str | None] = []
        shares: list[float] = []
        for form, tag, scripts, scores in zip(
            forms, tags, candidates.scripts.tolist(), candidates.scores.tolist(), strict=True
        ):
            best: str | None = None
            totals: list[float] = []
            top = -np.inf
            for script, score in zip(scripts, scores, strict=True):
                if score + most < top and not confidence:
                    break  # the later ones have lower scores
                judged = self._judged(form, script, tag)
                if judged.lemma is None:
                    continue
                total = score + judged.evidence
                totals.append(total)
                if total > top:
                    best, top = judged.lemma, total
            lemmas.append(best)
            if confidence:
                exponentials = np.exp(weight * (np.array(totals) - top))
                # none of the scripts that were likely fits: what is taken in their place is a guess
                shares.append(float(1 / exponentials.sum()) if totals else 0.0)
        return lemmas, shares

    def _judge(self, form: str, script: int, tag: int) -> Judged:
        text, lemma = self.scripts[script], self.lemma(form, script)
        if lemma is None:
            return Judged(None, 0.0, np.inf)
        if self.evidence is None:
            return Judged(lemma, 0.0, -np.inf)
        return Judged(lemma, *self.evidence.weigh(form, self._upos[tag], text, lemma))

    def _next_lemmas(self, forms: Sequence[str], states: States) -> list[str]:
        """Return the lemmas of forms that are too short for their best scripts."""
        lemmas = []
        for form, probabilities in zip(forms, self.probabilities(states, _times), strict=True):
            order = np.argsort(-probabilities, kind="stable").tolist()
            found = (self.lemma(form, script) for script in order)
            lemmas.append(next((lemma for lemma in found if lemma is not None), form))
        return lemmas

    def probabilities(self, states: States, times: Product = np.matmul) -> Array:
        """Return the probability of each script for each word; `times` multiplies matrices."""
        weight, bias = self._hidden
        width, n_forms = states.context.shape[1], states.forms.shape[1]
        hidden = self._context.product(states.context, times) + bias
        hidden += times(states.forms, weight[width : width + n_forms])[states.form_of]
        if self._numbers_of_tags:
            assert states.tags is not None
            hidden += times(states.tags, weight[width + n_forms :])
        weight, bias = self._output
        return softmax(times(leaky_relu(hidden), weight) + bias)


def _times(left: Array, right: Array) -> Array:
    # for a few rows: BLAS would wake its threads, which then spin beside ours
    product: Array = np.einsum("ij,jk->ik", left, right)
    return product


def _upos_of(file: ModelFile) -> tuple[list[str], int]:
    """Return the UPOS tags of a model, and the place of the first among the tags of all columns."""
    first = 0
    if "tags" in file.header["config"]["heads"]:
        for column, values in tag_lists(file.header["tags"]).items():
            if column == "upos":
                return values, first
            first += len(values)
    return [NO_TAG], 0


def _best(probabilities: Array, *, confidence: bool) -> tuple[Indices, Array | None, Array]:
    """Return the best script of each word, its probability if asked for, and its lead: (N,)."""
    scripts = probabilities.argmax(1).astype(np.int32)
    best = probabilities.max(1)
    others = probabilities.copy()
    others[np.arange(len(others)), scripts] = 0
    lead: Array = np.log(best) - np.log(others.max(1))
    return scripts, np.ascontiguousarray(best) if confidence else None, lead


def _number_pairs(forms: Sequence[str], keys: Indices) -> tuple[Indices, list[int]]:
    """Number the distinct pairs of form and key.

    Returns:
        The number of each word's pair, and the first word of each pair.
    """
    numbers: dict[tuple[str, int], int] = {}
    firsts: list[int] = []
    ids = np.empty(len(forms), np.int32)
    for n, pair in enumerate(zip(forms, keys.tolist(), strict=True)):
        ids[n] = numbers.setdefault(pair, len(numbers))
        if len(firsts) < len(numbers):
            firsts.append(n)
    return ids, firsts
