"""`PretrainedEncoder`: the hidden states of a pretrained transformer for each word.

It needs the packages torch and transformers (`meprop-nlp[transformers]`), which are imported only
when an encoder is made.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError

from meprop_nlp.errors import ConfigError, DataError, is_lack_of, missing_extra
from meprop_nlp.files import replacing_folder
from meprop_nlp.models.encoder_folder import (
    FINE_TUNED,
    EncoderCard,
    EncoderFolder,
    demand_replaceable_folder,
)
from meprop_nlp.models.parts import Array
from meprop_nlp.models.windows import windows

WINDOW = 512  # the most pieces read at once, also where an encoder could read more
# Of a batch, padding included: enough to fill matrix products, small enough to stay in the cache.
BATCH_PIECES = 1024


class _Passage(NamedTuple):
    """A window of a sentence, ready to be read.

    Attributes:
        pieces: those of all its words, without special tokens.
        words: (taken,) the words whose states are taken from it, counted over all sentences.
        firsts, ends: (taken,) the pieces of each of these words, the first and the one after the
            last.
    """

    pieces: list[int]
    words: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


class PieceBatch(NamedTuple):
    """Passages that are read at once: B of them, padded to T pieces.

    Attributes:
        ids: (B, T) the pieces, with special ones before and after them.
        mask: (B, T) 1 for a piece, 0 for padding.
        words: (n,) the numbers of the words whose states are taken from them.
        firsts, ends: (n,) the pieces of each of these words among all B x T, the first and the one
            after the last.
    """

    ids: npt.NDArray[np.int64]
    mask: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


class PretrainedEncoder:
    """An encoder of Hugging Face transformers in a local folder; safe to use from several threads.

    Nothing is downloaded, no code of the folder is run, and only safetensors are read.

    Args:
        folder: holds config.json, model.safetensors and the files of a fast tokenizer.
        device: where it runs, as torch names it.

    Attributes:
        card: what it is, for the header of a model file.

    Raises:
        ConfigError: there is no such folder, it holds no encoder, or transformers is not installed.
        DataError: the folder cannot be used.
    """

    def __init__(self, folder: str | os.PathLike[str], *, device: str = "cpu") -> None:
        found = EncoderFolder(folder)
        self._path, self._device = found.path, device
        with _quiet():
            self._load()
        self._prefix, self._suffix = self._special_pieces()
        self._room = self._window() - len(self._prefix) - len(self._suffix)
        self._lock = Lock()
        one = np.ones((1, 1), np.int64)
        layers, width = self._hidden_states(np.zeros_like(one), one).shape[-2:]
        self.card = EncoderCard(
            folder=os.fspath(folder),
            name=found.name,
            fingerprint=found.fingerprint(),
            licence=found.licence,
            layers=layers,
            width=width,
        )

    def states(self, sentences: Sequence[Sequence[str]]) -> Array:
        """Return all hidden states of all words: (words, layers, width) float32.

        Arguments and errors are as for `batches`.
        """
        n_words = sum(map(len, sentences))
        states = np.zeros((n_words, self.card.layers, self.card.width), np.float32)
        for words, some in self.batches(sentences):
            states[words] = some
        return states

    def batches(
        self, sentences: Sequence[Sequence[str]]
    ) -> Iterator[tuple[npt.NDArray[np.int64], Array]]:
        """Yield the hidden states of all words, a batch at a time, sentences of like length first.

        A word has the mean over its pieces; one without pieces has zeros. A sentence that is too
        long is cut into `windows`; of a word that is too long, only the beginning is read.

        Args:
            sentences: the forms of the words.

        Yields:
            The numbers of some words, counted over all sentences, (n,), and the embeddings and the
            states of each layer for them: (n, layers, width).

        Raises:
            DataError: the states are not finite.
        """
        for batch in self.pieces(sentences):
            yield batch.words, self._states_of(batch)

    def pieces(self, sentences: Sequence[Sequence[str]]) -> Iterator[PieceBatch]:
        """Yield what `batches` reads, without reading it."""
        passages = self._passages(sentences)
        passages.sort(key=lambda passage: len(passage.pieces))
        n_special = len(self._prefix) + len(self._suffix)
        batch: list[_Passage] = []
        for passage in passages:
            if batch and (len(batch) + 1) * (len(passage.pieces) + n_special) > BATCH_PIECES:
                yield self._padded(batch)
                batch = []
            batch.append(passage)
        if batch:
            yield self._padded(batch)

    @property
    def network(self) -> Any:
        """Return the torch module of the encoder, in evaluation mode and without gradients."""
        return self._model

    def running(self, network: Any) -> PretrainedEncoder:
        """Return an encoder that reads with another network of the same kind, as that is then.

        Args:
            network: a copy of `network`, which may be trained meanwhile.
        """
        other = copy.copy(self)
        other._model = network
        return other

    def write(self, folder: Path) -> EncoderCard:
        """Write the encoder as it is now into a folder, at once or not at all; return its card.

        The files of the tokenizer, the model card and the licence are copied. The folder is marked
        as that of a fine-tuned encoder, and replaces one that is marked so.

        Raises:
            ConfigError: there is another folder of that name.
            DataError: it cannot be written.
        """
        demand_replaceable_folder(folder)
        with replacing_folder(folder) as new, _quiet():
            try:
                self._model.save_pretrained(new)
            except SafetensorError as error:
                raise OSError(str(error)) from None
            for path in EncoderFolder(self._path).companions():
                shutil.copyfile(path, new / path.name)
            origin = {
                "trained_from": self.card.name,
                "fingerprint": self.card.fingerprint,
                "licence": self.card.licence,
                "changes": "the weights were trained further by meprop_nlp",
            }
            (new / FINE_TUNED).write_text(json.dumps(origin, indent=2) + "\n", encoding="utf-8")
        found = EncoderFolder(folder)
        return replace(
            self.card, folder=os.fspath(folder), fingerprint=found.fingerprint(), fine_tuned=True
        )

    def _load(self) -> None:
        """Load the tokenizer and the network, in evaluation mode.

        Raises:
            ConfigError, DataError: see `PretrainedEncoder`.
        """
        import torch
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        path = str(self._path)
        with self._errors_of("config.json"):
            config = AutoConfig.from_pretrained(path, **options)
        self._demand_encoder(config)
        with self._errors_of("the tokenizer"):
            self._tokenizer = AutoTokenizer.from_pretrained(path, use_fast=True, **options)
            if self._tokenizer.is_fast and _lacks_prefix_space(self._tokenizer):
                # RoBERTa's class wants to be told, the general one does not heed it
                self._tokenizer = AutoTokenizer.from_pretrained(
                    path, use_fast=True, add_prefix_space=True, **options
                )
                _add_prefix_space(self._tokenizer)
        if not self._tokenizer.is_fast:
            raise DataError(
                f"{self._path}: has no fast tokenizer, which says which word a piece belongs to; "
                "expected tokenizer.json"
            )
        # weights that the folder lacks, such as an unused pooler's, are the same each time
        with self._errors_of("the weights"), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model, loading = AutoModel.from_pretrained(
                path, config=config, use_safetensors=True, output_loading_info=True, **options
            )
        missing = sorted(name for name in loading["missing_keys"] if "pooler" not in name)
        if missing:
            raise DataError(
                f"{self._path}: the weights lack {len(missing)} of the arrays of "
                f"{type(model).__name__}, such as {missing[0]}; copy the folder again"
            )
        self._model = model.float().eval().requires_grad_(False).to(self._device)
        n_rows = self._model.get_input_embeddings().num_embeddings
        n_pieces = max(self._tokenizer.get_vocab().values()) + 1
        if n_pieces > n_rows:
            raise DataError(
                f"{self._path}: the tokenizer has {n_pieces:,} pieces, but the encoder embeddings "
                f"for {n_rows:,}; expected the tokenizer that the encoder was trained with"
            )

    def _demand_encoder(self, config: Any) -> None:
        """Raise ConfigError unless a configuration is that of an encoder."""
        from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

        found = ""
        if getattr(config, "is_encoder_decoder", False):
            found = "an encoder with a decoder"
        # a decoder reads only what stands before a word; many do not say that they are one, but
        # what learns to fill gaps reads both sides
        elif (
            getattr(config, "is_decoder", False)
            or config.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
        ):
            found = "a decoder, or no model of text"
        if found:
            raise ConfigError(
                f"{self._path}: holds a {config.model_type}, which is {found}; expected an encoder "
                "such as BERT, RoBERTa or DeBERTa for `pretrained`"
            )

    @contextmanager
    def _errors_of(self, part: str) -> Iterator[None]:
        """Turn an error of transformers into a DataError.

        Raises:
            DataError: instead of any error.
        """
        try:
            yield
        except Exception as error:  # it raises nearly every kind
            said = " ".join(str(error).split()) or repr(error)
            if len(said) > 200:
                said = said[:200] + " ..."
            raise DataError(
                f"{self._path}: {part} cannot be loaded by transformers: {said}"
            ) from None

    def _window(self) -> int:
        """Return the most pieces that are read at once, special ones included."""
        from torch import nn

        most = [WINDOW, self._tokenizer.model_max_length]
        most.append(getattr(self._model.config, "max_position_embeddings", 0) or WINDOW)
        for name, module in self._model.named_modules():
            if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
                # RoBERTa's positions begin after the padding's
                unused = 0 if module.padding_idx is None else module.padding_idx + 1
                most.append(module.num_embeddings - unused)
        return int(min(most))

    def _special_pieces(self) -> tuple[list[int], list[int]]:
        """Return what the tokenizer puts before a sentence and after it."""
        with_them, bare = (
            self._tokenizer([["a"]], is_split_into_words=True, add_special_tokens=special)
            for special in (True, False)
        )
        whole, own = with_them["input_ids"][0], bare["input_ids"][0]
        for start in range(len(whole) - len(own) + 1):
            if whole[start : start + len(own)] == own:
                return whole[:start], whole[start + len(own) :]
        raise DataError(f"{self._path}: the tokenizer changes words where it adds special tokens")

    def _passages(self, sentences: Sequence[Sequence[str]]) -> list[_Passage]:
        """Return the windows of all sentences."""
        found, first = [], 0
        for length, pieces in zip(map(len, sentences), self._pieces(sentences), strict=True):
            sizes = [len(word) for word in pieces]
            for window in windows(sizes, self._room) if length else []:
                bounds = np.cumsum([0, *sizes[window.start : window.end]])
                taken = np.array(window.taken) - window.start
                words = first + window.start + taken
                inside = [piece for word in pieces[window.start : window.end] for piece in word]
                found.append(_Passage(inside, words, bounds[taken], bounds[taken + 1]))
            first += length
        return found

    def _pieces(self, sentences: Sequence[Sequence[str]]) -> Iterator[list[list[int]]]:
        """Yield the pieces of each word of each sentence."""
        texts = [[_valid(form) for form in sentence] for sentence in sentences]
        filled = [text for text in texts if text]
        if filled:
            with self._lock:  # the tokenizer's settings are shared
                encoded = self._tokenizer(
                    filled, is_split_into_words=True, add_special_tokens=False, verbose=False
                )
        n_done = 0
        for text in texts:
            words: list[list[int]] = [[] for _ in text]
            if text:
                ids = encoded["input_ids"][n_done]
                for piece, word in zip(ids, encoded.word_ids(n_done), strict=True):
                    if len(words[word]) < self._room:
                        words[word].append(piece)
                n_done += 1
            yield words

    def _padded(self, batch: Sequence[_Passage]) -> PieceBatch:
        """Return some passages as they are read."""
        n_special = len(self._prefix) + len(self._suffix)
        lengths = [len(passage.pieces) + n_special for passage in batch]
        longest = max(1, *lengths)
        padding = self._tokenizer.pad_token_id or 0
        ids = np.full((len(batch), longest), padding, np.int64)
        for row, passage, length in zip(ids, batch, lengths, strict=True):
            row[:length] = [*self._prefix, *passage.pieces, *self._suffix]
        starts = [n * longest + len(self._prefix) for n in range(len(batch))]
        firsts, ends = (
            np.concatenate([s + places for s, places in zip(starts, each, strict=True)])
            for each in ([p.firsts for p in batch], [p.ends for p in batch])
        )
        mask = np.arange(longest) < np.array(lengths)[:, None]
        words = np.concatenate([passage.words for passage in batch])
        return PieceBatch(ids, mask.astype(np.int64), words, firsts, ends)

    def _states_of(self, batch: PieceBatch) -> Array:
        """Return the states of the words of a batch: (n, layers, width)."""
        firsts, ends = batch.firsts, batch.ends
        hidden = self._hidden_states(batch.ids, batch.mask)
        hidden = hidden.reshape(-1, *hidden.shape[2:])  # (passages x longest, layers, width)
        states = np.zeros((len(firsts), *hidden.shape[1:]), np.float32)
        for n in range(int((ends - firsts).max(initial=0))):  # the n-th piece of all words
            has = np.flatnonzero(firsts + n < ends)
            states[has] += hidden[firsts[has] + n]
        states /= np.maximum(ends - firsts, 1)[:, None, None]
        if not np.isfinite(states).all():
            raise DataError(
                f"{self._path}: the encoder gives states that are not finite; copy the folder again"
            )
        return states

    def _hidden_states(self, ids: npt.NDArray[np.int64], mask: npt.NDArray[np.int64]) -> Array:
        """Return the embeddings and the states of each layer: (B, T, layers, width).

        Args:
            ids, mask: (B, T), see `PieceBatch`.

        Raises:
            DataError: the layers differ in shape.
        """
        import torch

        # not in inference mode: what a network keeps of it could not be trained with
        with self._lock, torch.no_grad(), _evaluating(self._model):
            output = self._model(
                input_ids=torch.from_numpy(ids).to(self._device),
                attention_mask=torch.from_numpy(mask).to(self._device),
                output_hidden_states=True,
            )
            shapes = {tuple(layer.shape) for layer in output.hidden_states}
            if len(shapes) > 1:
                raise DataError(
                    f"{self._path}: the hidden states have the shapes "
                    f"{', '.join(map(str, sorted(shapes)))}, expected one shape for all layers"
                )
            stacked: Array = torch.stack(output.hidden_states, 2).cpu().numpy()
        return stacked


@contextmanager
def _evaluating(network: Any) -> Iterator[None]:
    """Within the block a network that is being trained is in evaluation mode."""
    was_training = network.training
    if was_training:
        network.eval()
    try:
        yield
    finally:
        if was_training:
            network.train()


def _valid(form: str) -> str:
    """Return a form as UTF-8 can have it."""
    return form.encode("utf-8", "replace").decode()


def _lacks_prefix_space(tokenizer: Any) -> bool:
    """Whether a tokenizer of bytes reads a word as if no space stood before it, as in a text."""
    return any(not step["add_prefix_space"] for step in _byte_steps(_settings_of(tokenizer)))


def _add_prefix_space(tokenizer: Any) -> None:
    """Let a tokenizer of bytes read each word as if a space stood before it."""
    settings = _settings_of(tokenizer)
    for step in _byte_steps(settings):
        step["add_prefix_space"] = True
    backend = tokenizer.backend_tokenizer
    backend.pre_tokenizer = type(backend).from_str(json.dumps(settings)).pre_tokenizer


def _settings_of(tokenizer: Any) -> dict[str, Any]:
    """Return the settings of a fast tokenizer, as its file has them."""
    return dict(json.loads(tokenizer.backend_tokenizer.to_str()))


def _byte_steps(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a tokenizer that cut a text into bytes before it looks for pieces."""
    before = settings["pre_tokenizer"] or {}
    steps = before.get("pretokenizers", [before])
    return [step for step in steps if step.get("type") == "ByteLevel"]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from writing to the terminal.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import torch  # noqa: F401
        import transformers
    except ModuleNotFoundError as error:
        if not is_lack_of(error, "torch", "transformers"):
            raise
        raise ConfigError(missing_extra(str(error.name), "transformers", "`pretrained`")) from None
    logging = transformers.utils.logging
    verbosity, had_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if had_bar:
            logging.enable_progress_bar()
