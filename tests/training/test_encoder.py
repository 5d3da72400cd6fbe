"""The joint model's encoder: what it reads of each word, and each sentence by itself."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_sequence
from torch.testing import assert_close

from meprop_nlp.data.characters import Characters
from meprop_nlp.data.ngrams import hashed_ngrams
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.training.encoder import Ngrams, Spellings
from meprop_nlp.training.joint import JointTask

CPU = torch.device("cpu")
FORMS = ["I", "saw", "Zürich", "internationalizations" * 3, "😀", "a"]
Make = Callable[..., JointTask]


@given(st.lists(st.integers(0, len(FORMS) - 1), min_size=1, max_size=9))
def test_n_grams_of_a_minibatch_are_those_of_its_forms_in_turn(chosen: list[int]) -> None:
    rows, starts = Ngrams(FORMS, 211, CPU).of(np.array(chosen))
    bags = [hashed_ngrams(FORMS[n], 211) for n in chosen]
    assert rows.tolist() == [row for bag in bags for row in bag]
    assert starts.tolist() == list(accumulate(map(len, bags), initial=0))[:-1]


@given(st.lists(st.integers(0, len(FORMS) - 1), min_size=1, max_size=9))
def test_spellings_of_a_minibatch_are_packed_longest_first(chosen: list[int]) -> None:
    characters = Characters.build(FORMS, min_count=1)
    spelling = Spellings(FORMS, characters, CPU).of(np.array(chosen))
    spelled = [characters.spell([FORMS[n]])[0].tolist() for n in chosen]
    sizes = [sum(len(each) > t for each in spelled) for t in range(max(map(len, spelled)))]
    assert spelling.batch_sizes.tolist() == sizes
    starts = list(accumulate(sizes, initial=0))
    packed = spelling.characters.tolist()
    assert len(packed) == starts[-1]
    for place, each in zip(spelling.form_of.tolist(), spelled, strict=True):
        assert [packed[starts[t] + place] for t in range(len(each))] == each


def encoded(task: JointTask) -> dict[int, tuple[torch.Tensor, torch.Tensor]]:
    """What the encoder makes of each word, by its place in the treebank."""
    found = {}
    for batch in task.batches(np.random.default_rng(1)):
        with torch.no_grad():
            forms, (*_, context) = task.network.encoder(task._inputs(batch))
        found |= dict(zip(batch.words.tolist(), zip(forms, context, strict=True), strict=True))
    return found


def naive_input(task: JointTask, form: str) -> torch.Tensor:
    """The embeddings of a word form, looked up one by one, and its characters read alone."""
    encoder = task.network.encoder
    ((word, *features),) = task.lexicon.encode([form]).tolist()
    ngrams = [encoder.ngrams.weight[row] for row in hashed_ngrams(form, task.config.ngram_rows)]
    parts = [encoder.words.weight[word], *(encoder.features.weight[row] for row in features)]
    numbers, _ = task.characters.spell([form])
    spelled, _ = encoder.spelling.to_dense()(encoder.characters.weight[torch.from_numpy(numbers)])
    width = task.config.spelling_dim
    last = spelled[-1, :width], spelled[0, width:]
    return torch.cat([*parts, torch.stack(ngrams).mean(0), *last]).detach()


@pytest.mark.parametrize("training", [True, False])
def test_input_of_each_word_is_that_of_its_form_alone(
    make_joint: Make, treebank: list[Sentence], training: bool
) -> None:
    task = make_joint(treebank, seed=1, dropout=0.0 if training else 0.5)
    task.network.train(training)
    found = encoded(task)
    forms = [form for sentence in treebank for form in sentence.forms]
    assert sorted(found) == list(range(len(forms)))
    for place, form in enumerate(forms):
        assert_close(found[place][0], naive_input(task, form), rtol=1e-5, atol=1e-6)
    assert task.network.encoder.input_width == len(found[0][0])


@pytest.mark.parametrize("layers", [1, 3])
def test_states_are_those_of_each_sentence_read_alone(
    make_joint: Make, treebank: list[Sentence], layers: int
) -> None:
    task = make_joint(treebank, seed=2, layers=layers)
    found = encoded(task)
    ends = accumulate(map(len, treebank), initial=0)
    for sentence, (start, end) in zip(treebank, pairwise(ends), strict=True):
        states = torch.stack([naive_input(task, form) for form in sentence.forms])
        for layer in task.network.encoder.layers:
            dense = layer.to_dense()
            with torch.no_grad():
                packed, _ = dense(pack_sequence([states]))
            states = packed.data
        actual = torch.stack([found[place][1] for place in range(start, end)])
        assert_close(actual, states, rtol=1e-4, atol=1e-5)
    assert task.network.encoder.width == states.shape[1] == 12


def test_parts_of_a_word_are_dropped_whole(make_joint: Make, treebank: list[Sentence]) -> None:
    task = make_joint(treebank * 5, seed=3, part_dropout=0.3, batch_size=10**6)
    forms = [form for sentence in treebank * 5 for form in sentence.forms]
    inputs = {form: naive_input(task, form) for form in set(forms)}
    torch.manual_seed(5)
    dropped = 0
    config: Any = task.config
    features = [config.feature_dim] * 7
    widths = [config.word_dim, *features, config.ngram_dim, 2 * config.spelling_dim]
    bounds = [0, *accumulate(widths)]
    for place, (x, _) in encoded(task).items():
        whole = inputs[forms[place]]
        for start, end in pairwise(bounds):
            is_gone = not x[start:end].any()
            dropped += is_gone
            if not is_gone:
                assert torch.allclose(x[start:end], whole[start:end], rtol=1e-5, atol=1e-6)
    assert dropped / (len(widths) * len(forms)) == pytest.approx(0.3, abs=0.04)
    task.network.encoder.dropout_share = 0.0
    assert_close(encoded(task)[0][0], naive_input(task, forms[0]), rtol=1e-5, atol=1e-6)
