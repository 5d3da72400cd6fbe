"""Check that frozen models tag and parse as the PyTorch networks that they were made from.

    python benchmarks/check_frozen.py MODEL... [--files dev.conllu test.conllu]

Each model's network is built in PyTorch again, cut to its widths, given the stored weights, and
decodes greedily. The words that get another tag, head or label from the frozen model are counted,
and how many of them follow a tie: a choice where the network's two best scores are closer than
0.0001, so that another order of summation can change it. The exit status is 1 if others differ.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pack_sequence

from meprop_nlp.config import MePropConfig
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.head import Head
from meprop_nlp.models.heads.tags import TagsHead
from meprop_nlp.models.heads.tree import TreeHead
from meprop_nlp.models.model import Model, load
from meprop_nlp.models.words import SentenceWords
from meprop_nlp.parsing.features import extract, extract_labels
from meprop_nlp.training.heads.tags import TaggerNetwork
from meprop_nlp.training.heads.tree import ParserNetwork
from meprop_nlp.training.simplification.widths import shrink

DATA = Path("data/ud-english-ewt")
TIE = 1e-4
BATCH = 500  # sentences


def network_of(model: Model, head: Head) -> Any:
    """Return the network of a model's only head in PyTorch, for evaluation."""
    header, lexicon = model.file.header, model.lexicon
    rows = len(lexicon.forms), int(lexicon.feature_offsets[-1])
    network: Any
    if isinstance(head, TagsHead):
        sizes = {name: len(values) for name, values in head.tags.items()}
        network = TaggerNetwork(*rows, sizes, head.config, MePropConfig())
    elif isinstance(head, TreeHead):
        tags = max(1, sum(map(len, head.tags.values())))
        sizes = tags, len(head.labels), head.system.n_transitions
        network = ParserNetwork(*rows, *sizes, head.config, MePropConfig())
    else:
        raise SystemExit(f"no network is known here for the head {head.name}")
    shrink(network.simplified_layers(), header["neurons"])
    arrays = {name: torch.from_numpy(a.copy()) for name, a in model.file.arrays.items()}
    network.load_state_dict(arrays, strict=False)
    if missing := {name for name, _ in network.named_parameters()} - set(arrays):
        raise SystemExit(f"the model lacks {sorted(missing)}")
    return network.eval()


def tagged(
    model: Model, head: TagsHead, network: TaggerNetwork, sentences: Sequence[Sentence]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the network's tags and their margins over the second best: (all words, columns)."""
    rows = [torch.from_numpy(model.lexicon.encode(s.forms)).int() for s in sentences]
    packed = pack_sequence(rows, enforce_sorted=False)
    # the word that each packed row belongs to
    starts = np.cumsum([0, *map(len, rows)])
    places = pack_sequence(
        [torch.arange(a, b) for a, b in pairwise(starts)],
        enforce_sorted=False,
    ).data
    answers = np.empty((len(places), len(head.tags)), np.int64)
    margins = np.empty(answers.shape, np.float32)
    logits = network(packed.data, packed.batch_sizes)
    for column, name in enumerate(head.tags):
        best = logits[name].topk(2, dim=1)
        answers[places, column] = best.indices[:, 0].numpy()
        margins[places, column] = (best.values[:, 0] - best.values[:, 1]).numpy()
    return answers, margins


def parsed(
    model: Model, head: TreeHead, network: ParserNetwork, sentences: Sequence[Sentence]
) -> tuple[np.ndarray, np.ndarray]:
    """Return heads and labels (all words, 2), and for each word the least margin in its sentence.

    All sentences are parsed together, one transition at a time.
    """
    system = head.system
    states = [system.initial(len(s)) for s in sentences]
    forms = [form for s in sentences for form in s.forms]
    form_rows = torch.from_numpy(model.lexicon.encode(forms)).int()
    columns, offset = [], 0
    for name, vocab in head.tags.items():
        column = [offset + vocab.index(tag) for s in sentences for tag in s.column(name)]
        columns.append(column)
        offset += len(vocab)
    tag_rows = torch.tensor(columns, dtype=torch.int32).T
    starts = np.cumsum([0, *map(len, sentences)])
    closest = np.full(len(sentences), np.inf, np.float32)
    illegal = ~torch.from_numpy(system.masks.copy())
    while running := [i for i, state in enumerate(states) if not state.is_terminal()]:
        b0 = system.b0_has_children
        positions = [extract(states[i], b0_has_children=b0) for i in running]
        labels = [extract_labels(states[i], p) for i, p in zip(running, positions, strict=True)]
        words = torch.tensor(positions, dtype=torch.int32)
        first = torch.tensor(starts[running], dtype=torch.int32).unsqueeze(1)
        # ROOT is row 0, NULL row 1, then all words
        index = torch.where(words < 0, 1, torch.where(words == 0, 0, words + 1 + first))
        logits = network(form_rows, tag_rows, index, index, torch.tensor(labels).int())
        masks = torch.tensor([system.mask_index(states[i]) for i in running])
        best = logits.masked_fill(illegal[masks], -torch.inf).topk(2, dim=1)
        margins = (best.values[:, 0] - best.values[:, 1]).numpy()
        closest[running] = np.minimum(closest[running], margins)
        for i, transition in zip(running, best.indices[:, 0].tolist(), strict=True):
            system.apply_checked(states[i], transition)
    answers = np.array([pair for s in states for pair in zip(*s.tree(), strict=True)])
    return answers, np.repeat(closest, [len(s) for s in sentences])[:, None]


def differences(model: Model, sentences: Sequence[Sentence]) -> Iterator[tuple[int, int]]:
    """Yield for each batch how many words differ, and how many of these without a tie."""
    (head,) = model.heads.values()
    network = network_of(model, head)
    for start in range(0, len(sentences), BATCH):
        batch = sentences[start : start + BATCH]
        words = SentenceWords(batch)
        with torch.inference_mode():
            if isinstance(head, TagsHead):
                expected, margins = tagged(model, head, network, batch)
                frozen = head._tagger.tag(words).ids.T
            elif isinstance(head, TreeHead):
                expected, margins = parsed(model, head, network, batch)
                trees = head._parser.parse(words)
                frozen = np.stack([trees.heads, trees.labels], 1)
        other = frozen != expected
        yield int(other.any(1).sum()), int((other & (margins > TIE)).any(1).sum())


def main() -> None:
    """Compare, print a line for each model and file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", type=Path, nargs="+")
    files = [DATA / "dev.conllu", DATA / "test.conllu"]
    parser.add_argument("--files", type=Path, nargs="+", default=files)
    given = parser.parse_args()
    wrong = 0
    for path in given.files:
        sentences = [s for s in read(path) if len(s)]
        words = sum(map(len, sentences))
        for model_path in given.models:
            found = list(differences(load(model_path), sentences))
            differ, without_tie = (sum(counts) for counts in zip(*found, strict=True))
            wrong += without_tie
            print(
                f"{model_path.name} on {path.name}: {differ} of {words} words differ from the "
                f"network, {differ - without_tie} of them after a tie",
                flush=True,
            )
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
