"""Run random models over random sentences in the core, in NumPy and in PyTorch, and compare.

    tools/differential.py [SECONDS]          # goes on where the last campaign stopped
    tools/differential.py --case NUMBER      # one case again

A case is a model and some sentences, or a text, all made from its number. A campaign counts the
sentences too: each makes a pair with its model. What the core and NumPy find must be the same. So
must what PyTorch finds, with the network of the trainings, whose weights are not rounded to digits:
there, NumPy has so many digits that rounding is too small to see. Where two choices are as good but
for rounding, either is right.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from models.models import (  # noqa: E402
    LEXICON,
    TEXT_CHARACTERS,
    random_joint,
    random_parser,
    random_sentences,
    random_tagger,
    random_tokenizer,
)
from models.test_native_joint import assert_same, assert_same_states  # noqa: E402

from meprop_nlp.config import (  # noqa: E402
    TRANSITION_SYSTEMS,
    JointConfig,
    MePropConfig,
    ParserConfig,
    TaggerConfig,
    TokenizerConfig,
)
from meprop_nlp.data.characters import Characters  # noqa: E402
from meprop_nlp.data.lemma_script import apply_script  # noqa: E402
from meprop_nlp.data.tokens.alphabet import Alphabet  # noqa: E402
from meprop_nlp.data.tokens.boundaries import N_ENDS  # noqa: E402
from meprop_nlp.data.trees import find_cycle  # noqa: E402
from meprop_nlp.data.vocab import Vocab  # noqa: E402
from meprop_nlp.models import digits  # noqa: E402
from meprop_nlp.models import model as model_module  # noqa: E402
from meprop_nlp.models import tokenizer as tokenizer_module  # noqa: E402
from meprop_nlp.models.file import ModelFile  # noqa: E402
from meprop_nlp.models.heads import state_tags  # noqa: E402
from meprop_nlp.models.heads.in_step import InStep, Trees  # noqa: E402
from meprop_nlp.models.heads.tags import NativeTagger, NumpyTagger  # noqa: E402
from meprop_nlp.models.heads.tree_native import NativeParser  # noqa: E402
from meprop_nlp.models.heads.tree_numpy import NumpyParser, rows_of_tags  # noqa: E402
from meprop_nlp.models.model import Model  # noqa: E402
from meprop_nlp.models.tokenizer import Tokenizer, _Characters  # noqa: E402
from meprop_nlp.models.vectors import WordVectors  # noqa: E402
from meprop_nlp.models.words import SentenceWords, joined  # noqa: E402
from meprop_nlp.native import core, why_missing  # noqa: E402
from meprop_nlp.parsing.features import STATE_WORDS, extract, extract_labels  # noqa: E402
from meprop_nlp.parsing.projectivity import deprojectivize  # noqa: E402
from meprop_nlp.parsing.spanning_tree import spanning_tree  # noqa: E402
from meprop_nlp.training.encoder import Encoder, Inputs, Ngrams, Spellings  # noqa: E402
from meprop_nlp.training.heads.graph import GraphNetwork  # noqa: E402
from meprop_nlp.training.heads.head import States, Widths  # noqa: E402
from meprop_nlp.training.heads.lemmas import LemmasNetwork  # noqa: E402
from meprop_nlp.training.heads.state_tags import TagsNetwork  # noqa: E402
from meprop_nlp.training.heads.tags import TaggerNetwork  # noqa: E402
from meprop_nlp.training.heads.transitions import TransitionNetwork  # noqa: E402
from meprop_nlp.training.heads.tree import ParserNetwork  # noqa: E402
from meprop_nlp.training.layout import Layout  # noqa: E402
from meprop_nlp.training.tokenizer import TokenizerNetwork  # noqa: E402

SEED = 24
PLACE = ROOT / "build" / "differential.txt"  # the number of the next case, and the sentences so far
CPU = torch.device("cpu")
SURE = 0.501  # of a choice; below, rounding may decide
CORE: Any = core()

Rng = np.random.Generator


@contextlib.contextmanager
def fine_digits() -> Iterator[None]:
    """Run models in NumPy, with so many digits that rounding is too small to see.

    Low probabilities of tags stay as they are.
    """
    with (
        patch.object(digits, "STATE_DIGITS", 1 << 20),
        patch.object(digits, "WEIGHT_DIGITS", 1 << 20),
        patch.object(state_tags, "FLAT", 0),
        in_numpy(),
    ):
        yield


@contextlib.contextmanager
def in_numpy() -> Iterator[None]:
    """Run joint models and tokenizers without the core."""
    with (
        patch.object(model_module, "core", lambda: None),
        patch.object(tokenizer_module, "core", lambda: None),
    ):
        yield


def lengths(rng: Rng, most: int) -> list[int]:
    """The lengths of some sentences; now and then there is none."""
    found: list[int] = rng.integers(1, most + 1, rng.integers(0, 31)).tolist()
    return found


def load(network: nn.Module, file: ModelFile, prefix: str = "") -> None:
    """Give a network the weights of a file, whose names begin with `prefix`."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.from_numpy(file.arrays[prefix + name]))
    network.eval()


def sure(probabilities: Tensor) -> np.ndarray:
    """Which choices are no matter of rounding."""
    found: np.ndarray = probabilities.max(1).values.numpy() > SURE
    return found


# tagger


def compare_taggers(rng: Rng) -> int:
    """Tags and their confidence; return the number of sentences, as the others do."""
    units = int(rng.integers(1, 41))
    file = random_tagger(int(rng.integers(1 << 32)), units=(units, units))
    words = SentenceWords(random_sentences(int(rng.integers(1 << 32)), lengths(rng, 14)))
    network = NumpyTagger(file, LEXICON)
    in_numpy = network.tag(words, confidence=True)
    native = NativeTagger(network, CORE).tag(words, confidence=True)
    assert in_numpy.confidence is not None
    assert native.confidence is not None
    is_sure = in_numpy.confidence > SURE
    np.testing.assert_allclose(native.confidence, in_numpy.confidence, rtol=1e-3, atol=1e-5)
    assert (native.ids == in_numpy.ids)[is_sure].all()

    torch_network = TaggerNetwork(
        len(LEXICON.forms),
        int(LEXICON.feature_offsets[-1]),
        {name: len(values) for name, values in network.tags.items()},
        TaggerConfig.from_dict(file.header["config"]),
        MePropConfig(),
    )
    load(torch_network, file)
    rows = torch.from_numpy(LEXICON.encode(words.column("form")))
    for first, last in pairwise(words.bounds.tolist()):
        ones = torch.ones(last - first, dtype=torch.int64)
        for column, logits in enumerate(torch_network(rows[first:last], ones).values()):
            found = logits.softmax(1)
            np.testing.assert_allclose(
                in_numpy.confidence[column, first:last], found.max(1).values, rtol=1e-3, atol=1e-5
            )
            same = found.argmax(1).numpy() == in_numpy.ids[column, first:last]
            assert same[is_sure[column, first:last]].all()
    return len(words.bounds) - 1


# parser


def compare_parsers(rng: Rng) -> int:
    """Heads and labels, exactly: the weights are such that no sum is rounded."""
    system = str(rng.choice(TRANSITION_SYSTEMS))
    activation = str(rng.choice(["relu", "cube"]))
    file = random_parser(
        int(rng.integers(1 << 32)),
        labels=int(rng.integers(2, 30)),
        hidden=int(rng.integers(1, 40)),
        # cubes of cubes soon have more digits than float32
        layers=1 if activation == "cube" else int(rng.integers(1, 4)),
        activation=activation,
        transition_system=system,
        tag_columns=("upos", "xpos"),
    )
    words = SentenceWords(random_sentences(int(rng.integers(1 << 32)), lengths(rng, 14)))
    network = NumpyParser(file, LEXICON)
    in_numpy = network.parse(words, confidence=True)
    native = NativeParser(network, CORE).parse(words, confidence=True)
    by_torch = torch_trees(file, network, words)
    assert in_numpy.confidence is not None
    for trees in (native, by_torch):
        assert trees.confidence is not None
        assert trees.heads.tolist() == in_numpy.heads.tolist()
        assert trees.labels.tolist() == in_numpy.labels.tolist()
        np.testing.assert_allclose(trees.confidence, in_numpy.confidence, rtol=1e-4, atol=1e-6)
    assert_trees(words, native.heads)
    return len(words.bounds) - 1


def torch_trees(file: ModelFile, parser: NumpyParser, words: SentenceWords) -> Trees:
    """What the network of the trainings says of each state."""
    system = parser.system
    network = ParserNetwork(
        len(LEXICON.forms),
        int(LEXICON.feature_offsets[-1]),
        len(file.arrays["tags.weight"]),
        len(parser.labels),
        system.n_transitions,
        ParserConfig.from_dict(file.header["config"]),
        MePropConfig(),
    )
    load(network, file)
    forms = torch.from_numpy(LEXICON.encode(words.column("form")))
    keys = joined(words, list(parser.tags))
    tags = torch.from_numpy(rows_of_tags(keys, parser.tags).astype(np.int32))
    firsts = words.bounds.tolist()

    def score(sentences: Any, states: Any) -> np.ndarray:
        index, labels = [], []
        for sentence, state in zip(sentences, states, strict=True):
            places = extract(state, b0_has_children=system.b0_has_children)
            # ROOT is row 0, NULL row 1, the first word row 2
            index.append([{0: 0, -1: 1}.get(p, firsts[sentence] + p + 1) for p in places])
            labels.append(extract_labels(state, places))
        at = torch.tensor(index, dtype=torch.int32)
        scores: Tensor = network(forms, tags, at, at, torch.tensor(labels, dtype=torch.int32))
        return scores.numpy()

    return InStep(system, words.bounds, score).parse(confidence=True)


def assert_trees(words: SentenceWords, heads: np.ndarray) -> None:
    """Each sentence has one root and no circle."""
    for first, last in pairwise(words.bounds.tolist()):
        tree = heads[first:last].tolist()
        assert tree.count(0) == 1
        assert not find_cycle(tree)


# joint model


def compare_joint_models(rng: Rng, tree: str) -> int:
    """Tags, lemmas, trees and their confidence."""
    small, wide = (int(n) for n in rng.integers(1, 40, 2))
    spelled = int(rng.integers(1, 20))
    layers = int(rng.integers(1, 4))
    units = [(small, small)] * layers
    n_tags = (int(rng.integers(1, 20)), int(rng.integers(1, 20)))
    file = random_joint(
        int(rng.integers(1 << 32)),
        units=units,
        hidden=small,
        heads=("tags", "lemmas", "tree"),
        lemma_dim=wide,
        tag_dim=int(rng.integers(1, 20)),
        arc_dim=int(rng.integers(1, 40)),
        label_dim=int(rng.integers(1, 40)),
        labels=int(rng.integers(2, 20)),
        scripts=int(rng.integers(1, 20)),
        spelling=(spelled, spelled),
        spelling_dim=spelled,
        n_tags=n_tags,
        vector_width=int(rng.integers(0, 9)),
        tree=tree,
        system=str(rng.choice(TRANSITION_SYSTEMS)),
    )
    words = SentenceWords(random_sentences(int(rng.integers(1 << 32)), lengths(rng, 30)))
    native = Model(file)
    with in_numpy():
        plain = Model(file)
    assert native.encoder is not None
    assert plain.encoder is not None
    assert_same_states(native.encoder(words).context, plain.encoder(words).context)
    # of the same states, as one that is between two digits may be rounded up or down
    plain.encoder = native.encoder
    found = native.annotate(words, confidence=True)
    assert found.heads is not None
    assert_trees(words, found.heads)
    compared = plain.annotate(words, confidence=True)
    if tree == "graph":
        assert_same(found, compared)
    else:
        assert_same_but_trees(found, compared)
    with fine_digits():
        exact = Model(file)
        assert exact.encoder is not None
        states = exact.encoder(words)
        answers = torch_answers(file, words, exact)
        if len(words.bounds) < 2:
            return 0
        np.testing.assert_allclose(states.context, answers["context"], atol=1e-4)
        compare_with_torch(words, exact, exact.annotate(words, confidence=True), answers)
    return len(words.bounds) - 1


def assert_same_but_trees(found: Any, expected: Any) -> None:
    """Compare tags and lemmas; of transitions, one that is a close call changes all others."""
    for name in [name for name in expected.confidence if name != "ArcConf"]:
        values = expected.confidence[name]
        is_sure = values > SURE
        np.testing.assert_allclose(found.confidence[name][is_sure], values[is_sure], atol=1e-4)
        column = "lemma" if name == "LemmaConf" else name.removesuffix("Conf").lower()
        pairs = (np.array(p.texts[column].to_list(), object) for p in (found, expected))
        assert np.equal(*pairs)[is_sure].all()


def torch_answers(file: ModelFile, words: SentenceWords, model: Model) -> dict[str, Any]:
    """What the networks of the trainings say, by sentence after sentence."""
    config = JointConfig.from_dict(file.header["config"])
    characters = Characters(Vocab.from_list(file.header["characters"]))
    vectors = WordVectors.of(file)
    encoder = Encoder(
        len(LEXICON.forms),
        int(LEXICON.feature_offsets[-1]),
        len(characters),
        config,
        MePropConfig(),
        0 if vectors is None else vectors.width,
    )
    load(encoder, file, "encoder.")
    n_tags = {name: len(values) for name, values in file.header["tags"].items()}
    widths = Widths(encoder.input_width, encoder.width, sum(n_tags.values()))
    tags = TagsNetwork(encoder.width, n_tags)
    lemmas = LemmasNetwork(widths, len(file.header["scripts"]), config)
    head: Any = model.heads["tree"]
    tree: nn.Module
    if config.tree == "graph":
        tree = GraphNetwork(widths, len(file.header["labels"]), config, MePropConfig())
    else:
        tree = TransitionNetwork(widths, head.system.n_transitions, config, MePropConfig())
    for name, network in (("tags", tags), ("lemmas", lemmas), ("tree", tree)):
        load(network, file, f"{name}.")

    collected: dict[str, list[Any]] = {"context": [], "tags": [], "lemmas": [], "tree": []}
    forms = words.column("form")
    for first, last in pairwise(words.bounds.tolist()):
        own = forms[first:last]
        every = np.arange(len(own))
        rows, starts = Ngrams(own, config.ngram_rows, CPU).of(every)
        inputs = Inputs(
            torch.from_numpy(LEXICON.encode(own)),
            rows,
            starts,
            Spellings(own, characters, CPU).of(every),
            torch.from_numpy(every),
            torch.ones(len(own), dtype=torch.int64),
            None if vectors is None else torch.from_numpy(vectors(own)),
        )
        layout = Layout.of(inputs.batch_sizes, CPU)
        alone, layers = encoder(inputs)
        states = States(alone, layers[-1], layout)
        collected["context"].append(states.context)
        collected["tags"].append(tags(states))
        collected["lemmas"].append(lemmas(states))
        collected["tree"].append(tree(states))
    answers: dict[str, Any] = dict(collected)
    if collected["context"]:
        for name in ("context", "lemmas"):
            answers[name] = torch.cat(collected[name])
        answers["tags"] = {
            column: torch.cat([each[column] for each in collected["tags"]]) for column in n_tags
        }
    return answers


def compare_with_torch(
    words: SentenceWords, model: Model, found: Any, answers: dict[str, Any]
) -> None:
    """Compare what NumPy predicts with what PyTorch's networks say."""
    header = model.file.header
    for column, logits in answers["tags"].items():
        chances = logits.softmax(1)
        is_sure = sure(chances)
        np.testing.assert_allclose(
            found.confidence[f"{column.upper()}Conf"], chances.max(1).values, atol=1e-3
        )
        tags = [header["tags"][column][n] for n in chances.argmax(1).tolist()]
        same = np.array(found.texts[column].to_list(), object) == np.array(tags, object)
        assert same[is_sure].all()
    chances = answers["lemmas"].softmax(1)
    np.testing.assert_allclose(found.confidence["LemmaConf"], chances.max(1).values, atol=1e-3)
    scripts = [header["scripts"][n] for n in chances.argmax(1).tolist()]
    columns = scripts, words.column("form"), found.texts["lemma"].to_list(), sure(chances).tolist()
    for script, form, lemma, is_sure in zip(*columns, strict=True):
        expected = apply_script(script, form)
        assert not is_sure or expected is None or lemma == expected
    head: Any = model.heads["tree"]
    for (first, last), answer in zip(pairwise(words.bounds.tolist()), answers["tree"], strict=True):
        own = found.heads[first:last]
        if header["config"]["tree"] == "graph":
            scores = answer.arcs.numpy()
            best = spanning_tree(scores)
            every = np.arange(last - first)
            # of two trees that are equally good, each may be built
            np.testing.assert_allclose(
                scores[every, own].sum(), scores[every, best].sum(), rtol=1e-3, atol=1e-2
            )
            continue
        sentence = np.array([0, last - first])
        trees = InStep(head.system, sentence, scored_by(answer)).parse(confidence=True)
        close = np.abs(trees.confidence - found.confidence["ArcConf"][first:last]).max() > 1e-3
        heads = trees.heads.tolist()
        if head.system.projective:
            # labels may be in the pseudo-projective encoding, which moves heads in the end
            heads = deprojectivize(heads, [head.labels[n] for n in trees.labels.tolist()])[0]
        assert close or heads == own.tolist()


def scored_by(answer: Any) -> Callable[..., np.ndarray]:
    """Score states by what PyTorch's network gives of each word."""
    n = len(answer.rows)

    def score(_: Any, states: Any) -> np.ndarray:
        found = [
            # ROOT and no word are the last two rows
            [w - 1 if w > 0 else n - 2 - w for w in extract(state)[: len(STATE_WORDS)]]
            for state in states
        ]
        scores: Tensor = answer.score(answer.rows, torch.tensor(found))
        return scores.numpy()

    return score


# tokenizer


def compare_tokenizers(rng: Rng) -> int:
    """What ends after each character, and the CoNLL-U of it."""
    file = random_tokenizer(int(rng.integers(1 << 32)), spaces_within=bool(rng.integers(2)))
    characters = list("abcAB.,'? \n\u4e00\u00e9\U0001f600\u00a0")
    text = "".join(rng.choice(characters, rng.integers(0, 400)))
    native = Tokenizer(file)
    with in_numpy():
        plain = Tokenizer(file)
    with fine_digits():
        exact = Tokenizer(file)
    read = _Characters.of(text)
    if not len(read.places):
        assert native.conllu(text) == plain.conllu(text) == ""
        return 0
    numbers = native.alphabet.numbers(read.read)
    bounds = np.array([0, len(numbers)])
    network = TokenizerNetwork(
        Alphabet(TEXT_CHARACTERS), TokenizerConfig(character_dim=5, hidden=7, k=0)
    )
    load(network, file, "tokenizer.")
    logits = network(torch.from_numpy(numbers.astype(np.int64))[:, None])[:, 0]
    assert logits.shape == (len(numbers), N_ENDS)
    with fine_digits():
        states = exact._read(numbers, bounds)
        scores = exact._output.product(states) + exact._bias
    np.testing.assert_allclose(scores, logits, atol=2e-3)
    states = plain._read(numbers, bounds)
    assert_same_states(native._read(numbers, bounds), states)
    ordered = np.sort(plain._output.product(states) + plain._bias, 1)
    # a state may be rounded up by the core and down by NumPy, and the next ones feel it
    is_sure = ordered[:, -1] - ordered[:, -2] > 0.3
    with in_numpy():
        assert (native._scored(native._read(numbers, bounds)) == plain._scored(states))[
            is_sure
        ].all()
        if is_sure.all():
            assert native.conllu(text) == plain.conllu(text)
    return 1


KINDS: dict[str, Callable[[Rng], int]] = {
    "tagger": compare_taggers,
    "parser": compare_parsers,
    "joint model, graph": lambda rng: compare_joint_models(rng, "graph"),
    "joint model, transitions": lambda rng: compare_joint_models(rng, "transitions"),
    "tokenizer": compare_tokenizers,
}


def run(case: int) -> int:
    """Run a case on one of the core's instruction sets; return its number of sentences."""
    rng = np.random.default_rng([SEED, case])
    CORE.use_instruction_set(str(rng.choice(CORE.instruction_sets())))
    with torch.no_grad(), np.errstate(all="ignore"):
        return KINDS[kind_of(case)](rng)


def kind_of(case: int) -> str:
    """Return what a case compares."""
    return list(KINDS)[case % len(KINDS)]


def main() -> None:
    """Run cases until the time is over; print how many there were in all campaigns."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    parser.add_argument("--case", type=int)
    arguments = parser.parse_args()
    if CORE is None:
        sys.exit(why_missing())
    torch.set_num_threads(1)
    if arguments.case is not None:
        run(arguments.case)
        print(f"case {arguments.case} of seed {SEED}, {kind_of(arguments.case)}: the same")
        return
    case, pairs = map(int, PLACE.read_text().split()) if PLACE.exists() else (0, 0)
    PLACE.parent.mkdir(exist_ok=True)
    start = time.monotonic()
    while time.monotonic() - start < arguments.seconds:
        try:
            pairs += run(case)
        except Exception:
            print(f"case {case} of seed {SEED}, {kind_of(case)}, differs; again with --case {case}")
            raise
        case += 1
        PLACE.write_text(f"{case} {pairs}")
    print(
        f"seed {SEED}: cases 0 to {case - 1}, {pairs:,} pairs of a model and a sentence or a text, "
        "are the same in the core, NumPy and PyTorch"
    )


if __name__ == "__main__":
    main()
