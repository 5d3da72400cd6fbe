"""Each model learns a few sentences by heart, survives its file, and decodes as it was trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from meprop_nlp.config import (
    ACTIVATIONS,
    TRANSITION_SYSTEMS,
    Settings,
)
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.models.heads.tree_numpy import NumpyParser
from meprop_nlp.models.model import load
from meprop_nlp.models.packing import rounded
from meprop_nlp.models.words import SentenceWords
from meprop_nlp.parsing.features import extract, extract_labels
from meprop_nlp.training.heads.tags import TaggerTask
from meprop_nlp.training.heads.tree import ParserTask
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import EpochRecord
from meprop_nlp.training.weights import arrays_of

from ..parsing.walking import apply_checked

CPU = torch.device("cpu")
COLUMNS = {
    "tagger": ("upos", "xpos"),
    "parser": ("head", "deprel"),
    "joint": ("lemma", "upos", "xpos", "head", "deprel"),
}
SCORES = {
    "tagger": ("upos", "xpos"),
    "parser": ("uas", "las", "lcm"),
    "joint": ("upos", "xpos", "lemmas", "uas", "las", "lcm"),
}
STEPS = {
    "tagger": {"batch_size": 4, "learning_rate": 0.03, "epochs": 40},
    "parser": {"batch_size": 40, "learning_rate": 0.03, "epochs": 30},
    "joint": {"batch_size": 10, "learning_rate": 0.03, "epochs": 60},
}
CUTS = {"first_cut_epoch": 6, "keep": 0.6, "own_teacher": False}


def blank(sentence: Sentence, task: str) -> Sentence:
    """The sentence without what the model is to predict."""
    n = len(sentence)
    return sentence.with_columns(
        **{name: [-1] * n if name == "head" else ["_"] * n for name in COLUMNS[task]}
    )


@pytest.fixture(
    scope="module", params=[f"{task}{how}" for how in ("", "-simplified") for task in COLUMNS]
)
def overfit(
    request: pytest.FixtureRequest,
    train: Callable[..., Any],
    treebank: list[Sentence],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Any, list[EpochRecord], Path]:
    """Task, trained model, its records, its file."""
    task, _, simplified = request.param.partition("-")
    output = tmp_path_factory.mktemp(request.param) / "model.safetensors"
    records: list[EpochRecord] = []
    config = {"hidden": 16, "dropout": 0.0, "word_dropout": 0.0}
    if task == "joint":
        config |= {"part_dropout": 0.0, "smoothing": 0.0, "lemma_dim": 16}
        config |= {"layers": 1, "arc_dim": 16, "label_dim": 16}
    model = train(
        task,
        config=config,
        training=STEPS[task],
        k=6,
        simplify=CUTS if simplified else None,
        output=output,
        hooks=Hooks(on_record=lambda r: records.append(r) if isinstance(r, EpochRecord) else None),
    )
    assert any(n < 16 for n in records[-1].neurons.values()) == bool(simplified)
    return task, model, records, output


def test_loss_falls_and_scores_are_perfect(overfit: Any, treebank: list[Sentence]) -> None:
    task, model, records, _ = overfit
    assert records[-1].loss < 0.1 < 1.0 < records[0].loss
    scores = model.evaluate(treebank)
    assert [getattr(scores, name) for name in SCORES[task]] == [100] * len(SCORES[task])


def test_predictions_are_the_gold_columns(overfit: Any, treebank: list[Sentence]) -> None:
    task, model, _, _ = overfit
    for gold in treebank:
        predicted = model(blank(gold, task))
        for column in COLUMNS[task]:
            assert predicted.column(column) == gold.column(column)
        assert predicted.forms == gold.forms


def test_model_is_the_same_after_save_and_load(
    overfit: Any, treebank: list[Sentence], tmp_path: Path
) -> None:
    task, model, _, output = overfit
    saved = tmp_path / "deep" / "copy.safetensors"
    model.save(saved)
    assert saved.read_bytes() == output.read_bytes()
    expected = [str(sentence) for sentence in model.pipe(treebank)]
    for again in (load(saved), type(model).load(output)):
        assert again.task == task
        assert [str(sentence) for sentence in again.pipe(treebank)] == expected
        assert again.file.header == model.file.header


def test_stream_gives_what_single_sentences_give(
    overfit: Any, treebank: list[Sentence], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, model, _, _ = overfit
    forms = [["zebras", *a.forms[::-1], "Ünseen"][: 1 + n % 9] for n, a in enumerate(treebank * 3)]
    tags = [["NOUN"] * len(each) for each in forms]
    pairs = zip(forms, tags, strict=True)
    new = [Sentence.from_words(each, upos=nouns, xpos=nouns) for each, nouns in pairs]
    sentences = [*treebank, *new]
    single = [str(model(sentence)) for sentence in sentences]
    assert [str(sentence) for sentence in model.pipe(iter(sentences))] == single
    # in batches of two, each with a sentence and its copy
    monkeypatch.setattr("meprop_nlp.models.model.in_batches", lambda s: ([x, next(s)] for x in s))
    doubled = (sentence for sentence in sentences for _ in range(2))
    found = [str(sentence) for sentence in model.pipe(doubled)]
    assert found == [text for text in single for _ in range(2)]


def test_pipe_is_lazy_and_keeps_all_other_text(overfit: Any) -> None:
    task, model, _, _ = overfit
    assert list(model.pipe([])) == []

    def endless() -> Any:
        while True:
            columns = {"misc": ["A=b", "_"], "lemma": ["it", "rain"], "xpos": ["PRP", "VBZ"]}
            columns["upos"] = ["PRON", "VERB"]
            yield Sentence.from_words(["It", "rains"], **columns)

    first = next(model.pipe(endless()))
    assert first.column("misc") == ["A=b", "_"]
    assert first.column("lemma") == ["it", "rain"]  # the joint model predicts the same
    assert first.column(COLUMNS[task][0])[1] not in ("_", -1)


def test_sentence_without_words_is_refused_by_its_index(
    overfit: Any, treebank: list[Sentence]
) -> None:
    _, model, _, _ = overfit
    empty = Sentence([], comments=["# nothing"])
    with pytest.raises(DataError, match=r"`items\[1\]`: a sentence needs at least one word"):
        list(model.pipe([treebank[0], empty]))
    with pytest.raises(DataError, match="`given`: a sentence needs at least one word"):
        model(empty)


def randomize(network: torch.nn.Module, seed: int) -> None:
    """Weights large enough that every part of the network matters."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.4, generator=generator)
    network.eval()


def round_as_stored(network: torch.nn.Module) -> None:
    """Give the network the weights that a model file would give back."""
    stored = rounded(arrays_of(network))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.from_numpy(stored[name]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("columns", [("upos",), ("xpos", "upos")])
def test_frozen_tagger_tags_as_the_network(
    treebank: list[Sentence], columns: tuple[str, ...], seed: int
) -> None:
    settings = Settings.of(
        "tagger", hidden=9, word_dim=5, feature_dim=3, columns=columns, k=2, batch_size=3
    )
    task = TaggerTask(treebank, [], settings, CPU)
    randomize(task.network, seed)
    round_as_stored(task.network)
    expected: dict[str, dict[int, str]] = {column: {} for column in columns}
    for batch in task.batches(np.random.default_rng(seed)):
        with torch.no_grad():
            logits = task.network(
                task.forms.rows[task.form_of[torch.from_numpy(batch.words)]], batch.batch_sizes
            )
        for column in columns:
            tags = [task.tags[column][i] for i in logits[column].argmax(1).tolist()]
            expected[column].update(zip(batch.words.tolist(), tags, strict=True))
    predicted = list(task.frozen().pipe(treebank))
    for column in columns:
        actual = [tag for sentence in predicted for tag in sentence.column(column)]
        assert actual == [expected[column][place] for place in range(len(actual))]
        assert len(set(actual)) > 1


def network_parse(
    task: ParserTask, sentence: Sentence
) -> tuple[list[np.ndarray], list[int], list[int]]:
    """Greedy parsing, one state at a time, with the torch network."""
    system = task.system
    state = system.initial(len(sentence))
    forms = torch.from_numpy(task.lexicon.encode(sentence.forms))
    tags, offset = [], 0
    for name, vocab in task.tags.items():
        tags.append([offset + vocab.index(tag) for tag in sentence.column(name)])
        offset += len(vocab)
    tag_rows = torch.tensor(tags).T
    scores = []
    while not state.is_terminal():
        positions = extract(state, b0_has_children=system.b0_has_children)
        labels = torch.tensor([extract_labels(state, positions)])
        # ROOT is row 0, NULL row 1, word 1 row 2
        index = torch.tensor([[{0: 0, -1: 1}.get(p, p + 1) for p in positions]])
        with torch.no_grad():
            logits = task.network(forms, tag_rows, index, index, labels)[0].numpy()
        scores.append(logits)
        valid = [i for i in range(system.n_transitions) if system.is_valid(state, i)]
        apply_checked(system, state, max(valid, key=lambda i: logits[i]))
    return scores, *state.tree()


@pytest.mark.parametrize("system", TRANSITION_SYSTEMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_frozen_parser_scores_as_the_network(
    crossing: list[Sentence],
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    activation: str,
    layers: int,
) -> None:
    network = {"layers": layers, "activation": activation, "transition_system": system}
    settings = Settings.of(
        "parser", hidden=9, embedding_dim=5, k=2, batch_size=30, seed=1, **network
    )
    task = ParserTask(crossing, [], settings, CPU)
    randomize(task.network, seed=layers)
    with torch.no_grad():  # a cube of large numbers loses the digits we compare
        for table in (task.network.words, task.network.features, task.network.tags):
            table.weight *= 0.3
    round_as_stored(task.network)
    frozen = NumpyParser(task.frozen().file, task.lexicon)
    recorded: list[np.ndarray] = []
    score = frozen.score

    def record(hidden: np.ndarray) -> np.ndarray:
        recorded.append(score(hidden))
        return recorded[-1]

    monkeypatch.setattr(frozen, "score", record)
    for sentence in crossing:
        recorded.clear()
        trees = frozen.parse(SentenceWords([sentence]))
        expected, *tree = network_parse(task, sentence)
        actual = np.concatenate(recorded)
        bound = 1e-5 * max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(actual, np.stack(expected), rtol=1e-4, atol=bound)
        assert [trees.heads.tolist(), trees.labels.tolist()] == tree
