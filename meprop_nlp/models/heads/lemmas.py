"""The lemma head: chooses the edit script that turns each form into its lemma."""

from collections.abc import Collection, Sequence
from types import ModuleType

import numpy as np

from meprop_nlp.config import JointConfig
from meprop_nlp.data.lemma_script import apply_script, check_script
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.text_cache import cached_by_text
from meprop_nlp.models.digits import DigitWeight, Product
from meprop_nlp.models.encoder import SharedEncoder, States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import Head
from meprop_nlp.models.heads.joint_native import NativeLemmas, leaky_relu
from meprop_nlp.models.heads.state_tags import softmax
from meprop_nlp.models.native_encoder import FormLayer, NativeStates
from meprop_nlp.models.parts import Array, demand_inputs, demand_texts, number_of_tags, take
from meprop_nlp.models.prediction import Indices, Prediction, TextColumn, Values
from meprop_nlp.models.words import Words

CACHED_LEMMAS = 1 << 16


class LemmasHead(Head):
    """Predicts LEMMA.

    Attributes:
        scripts: the edit scripts that it chooses from.
    """

    name = "lemmas"
    activity = "lemmatizing"

    def __init__(self, file: ModelFile, lexicon: Lexicon) -> None:
        self.config = JointConfig.from_dict(file.header["config"])
        self.reads, self.fills, self.scores = (), ("lemma",), ("lemmas",)
        self._n_tags = number_of_tags(file)
        self.scripts: list[str] = file.header["scripts"]
        demand_texts("lemma scripts", self.scripts)
        for script in self.scripts:
            check_script(script)
        arrays = file.arrays
        weight = take(arrays, "lemmas.hidden.weight", None, None)
        self._hidden = weight.T, take(arrays, "lemmas.hidden.bias", len(weight))
        self._native: NativeLemmas | None = None
        self._lemma = cached_by_text(CACHED_LEMMAS)(self._apply)
        self._output = (
            take(arrays, "lemmas.output.weight", len(self.scripts), len(weight)).T,
            take(arrays, "lemmas.output.bias", len(self.scripts)),
        )

    def prepare(self, native: ModuleType | None, encoder: SharedEncoder) -> FormLayer | None:
        weight, bias = self._hidden
        width, end = encoder.width, encoder.width + encoder.input_width
        demand_inputs("lemmas.hidden.weight", len(weight), end + self._n_tags)
        self._context = DigitWeight.of(weight[:width])
        if native is None:
            return None
        self._native = NativeLemmas(native, weight[:width], weight[end:], self._output)
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
        forms = words.column("form")
        if isinstance(states, NativeStates) and self._native is not None:
            scripts, sure = self._native.choose(states, confidence=confidence)
            ids, firsts = self._native.number_pairs(states, scripts)
        else:
            probabilities = self.probabilities(states)
            scripts = probabilities.argmax(1).astype(np.int32)
            sure = np.ascontiguousarray(probabilities.max(1)) if confidence else None
            ids, firsts = _number_pairs(forms, scripts)
        # words with the same form and script have the same lemma
        chosen = scripts[firsts].tolist()
        lemmas = [self._lemma(forms[n], script) for n, script in zip(firsts, chosen, strict=True)]
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

    def _apply(self, form: str, script: int) -> str | None:
        return apply_script(self.scripts[script], form)

    def _next_lemmas(self, forms: Sequence[str], states: States) -> list[str]:
        """Return the lemmas of forms that are too short for their best scripts."""
        lemmas = []
        for form, probabilities in zip(forms, self.probabilities(states, _times), strict=True):
            order = np.argsort(-probabilities, kind="stable").tolist()
            found = (apply_script(self.scripts[script], form) for script in order)
            lemmas.append(next((lemma for lemma in found if lemma is not None), form))
        return lemmas

    def probabilities(self, states: States, times: Product = np.matmul) -> Array:
        """Return the probability of each script for each word; `times` multiplies matrices."""
        weight, bias = self._hidden
        width, n_forms = states.context.shape[1], states.forms.shape[1]
        hidden = self._context.product(states.context, times) + bias
        hidden += times(states.forms, weight[width : width + n_forms])[states.form_of]
        if states.tags is not None:
            hidden += times(states.tags, weight[width + n_forms :])
        weight, bias = self._output
        return softmax(times(leaky_relu(hidden), weight) + bias)


def _times(left: Array, right: Array) -> Array:
    # for a few rows: BLAS would wake its threads, which then spin beside ours
    product: Array = np.einsum("ij,jk->ik", left, right)
    return product


def _number_pairs(forms: Sequence[str], scripts: Indices) -> tuple[Indices, list[int]]:
    """Number the distinct pairs of form and script.

    Returns:
        The number of each word's pair, and the first word of each pair.
    """
    numbers: dict[tuple[str, int], int] = {}
    firsts: list[int] = []
    ids = np.empty(len(forms), np.int32)
    for n, pair in enumerate(zip(forms, scripts.tolist(), strict=True)):
        ids[n] = numbers.setdefault(pair, len(numbers))
        if len(firsts) < len(numbers):
            firsts.append(n)
    return ids, firsts
