"""One model for several threads, and in other processes: always the same results."""

from __future__ import annotations

import multiprocessing
import pickle
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.models import model as model_module
from meprop_nlp.models.batches import in_batches
from meprop_nlp.models.model import Model, freeze

from .models import FORMS, random_parser, random_sentences, random_tagger

MAKE = {"tagger": random_tagger, "parser": random_parser}
BATCHES = [random_sentences(seed, [1, 3, 12, 1, 30, 2]) for seed in range(40)]


def predicted(model: Model, n_batch: int, confidence: bool = False) -> str:
    """The sentences of one batch, as text."""
    return "".join(map(str, model.pipe(BATCHES[n_batch], confidence=confidence)))


@pytest.fixture(scope="module", params=MAKE)
def model(request: pytest.FixtureRequest) -> Model:
    """A tagger and a parser."""
    return freeze(MAKE[request.param](7))


@pytest.fixture
def switches() -> Iterator[None]:
    """Let threads take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("confidence", [False, True])
def test_threads_share_a_model(model: Model, confidence: bool) -> None:
    expected = [predicted(model, n, confidence) for n in range(len(BATCHES))]
    fresh = freeze(model.file)  # whose rows are not filled yet
    with ThreadPoolExecutor(8) as pool:
        actual = list(pool.map(lambda n: predicted(fresh, n, confidence), range(len(BATCHES))))
    assert actual == expected


def test_threads_fill_rows_of_many_words(model: Model, switches: None) -> None:
    rng = random.Random(3)
    texts = [[f"w{rng.randrange(300)}" for _ in range(30)] for _ in range(200)]
    expected = [str(model(words)) for words in texts]
    fresh = freeze(model.file)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda words: str(fresh(words)), texts)) == expected


def test_pipe_takes_lists_of_words_from_several_threads(model: Model) -> None:
    expected = [str(sentence) for sentence in model.pipe([FORMS, FORMS[:2]])]
    assert [str(model(words)) for words in (FORMS, FORMS[:2])] == expected
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: str(model(FORMS)), range(50))) == 50 * [expected[0]]


def test_batches_in_several_threads_come_in_order(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_module, "in_batches", partial(in_batches, max_words=20))
    sentences = [sentence for batch in BATCHES for sentence in batch]
    expected = list(map(str, model.annotated(sentences)))
    fresh = freeze(model.file)
    assert list(map(str, fresh.annotated(iter(sentences), threads=8))) == expected
    gold = list(model.annotated(reversed(sentences)))
    assert fresh.evaluate(gold, threads=3) == model.evaluate(gold)


def test_threads_raise_what_one_thread_does(model: Model) -> None:
    long = [Sentence.from_words(["a"] * (model.most_words + 1))]
    for threads in (1, 3):
        found = model.annotated([*BATCHES[0], *long], threads=threads)
        with pytest.raises(DataError, match="words"):
            list(found)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_models_go_to_other_processes(method: str, model: Model) -> None:
    expected = list(map(str, model.pipe(BATCHES[0])))
    context: Any = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        actual = list(map(str, pool.map(model, BATCHES[0], timeout=60)))
    assert actual == expected


def test_pickled_model_is_the_same(model: Model) -> None:
    copy = pickle.loads(pickle.dumps(model))
    assert type(copy) is type(model)
    assert predicted(copy, 0, confidence=True) == predicted(model, 0, confidence=True)
