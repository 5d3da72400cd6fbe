"""The lemma head: chooses the edit script that turns each form into its lemma."""

from collections.abc import Collection

import numpy as np

from meprop_nlp.config import JointConfig
from meprop_nlp.data.lemma_script import apply_script, check_script
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.models.encoder import States
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import Head
from meprop_nlp.models.heads.state_tags import softmax
from meprop_nlp.models.parts import demand_texts, take
from meprop_nlp.models.prediction import Prediction, TextColumn, Values
from meprop_nlp.models.words import Words


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
        self.scripts: list[str] = file.header["scripts"]
        demand_texts("lemma scripts", self.scripts)
        for script in self.scripts:
            check_script(script)
        arrays = file.arrays
        weight = take(arrays, "lemmas.hidden.weight", None, None)
        self._hidden = weight.T, take(arrays, "lemmas.hidden.bias", len(weight))
        self._output = (
            take(arrays, "lemmas.output.weight", len(self.scripts), len(weight)).T,
            take(arrays, "lemmas.output.bias", len(self.scripts)),
        )

    def annotate(
        self,
        words: Words,
        states: States | None = None,
        *,
        confidence: bool = False,
        keep: Collection[str] = (),
    ) -> Prediction:
        assert states is not None
        weight, bias = self._hidden
        width, n_forms = states.context.shape[1], states.forms.shape[1]
        hidden = states.context @ weight[:width] + bias
        hidden += (states.forms @ weight[width : width + n_forms])[states.form_of]
        if states.tags is not None:
            hidden += states.tags @ weight[width + n_forms :]
        hidden = np.maximum(hidden, 0.1 * hidden)
        weight, bias = self._output
        probabilities = softmax(hidden @ weight + bias)
        forms = words.column("form")
        order = None
        lemmas = []
        for n, (form, best) in enumerate(zip(forms, probabilities.argmax(1).tolist(), strict=True)):
            lemma = apply_script(self.scripts[best], form)
            if lemma is None:  # the form is too short for it
                order = np.argsort(-probabilities[n], kind="stable").tolist()
                found = (apply_script(self.scripts[script], form) for script in order)
                lemma = next((text for text in found if text is not None), form)
            lemmas.append(lemma)
        numbers: dict[str, int] = {}
        ids = np.array([numbers.setdefault(lemma, len(numbers)) for lemma in lemmas], np.int32)
        sure = {"LemmaConf": np.ascontiguousarray(probabilities.max(1))} if confidence else {}
        return Prediction({"lemma": TextColumn(Values(numbers), ids)}, confidence=sure)
