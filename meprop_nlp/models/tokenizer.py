"""`Tokenizer`: finds the sentences, tokens and words of a running text.

A BiLSTM reads the characters, and an output layer says for each what ends after it: a token, a
multiword token, a sentence (as in UDPipe, Straka et al. 2016, section 4.1). Where most multiword
tokens to come are new, their forms say which they are instead (`data.tokens.composition`). The
table of the characters is folded into the first layer's sums, as the words' is in the joint model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.tokens.alphabet import (
    CATEGORIES,
    PARAGRAPH,
    SPACE,
    Alphabet,
    code_points,
    white_space,
)
from meprop_nlp.data.tokens.boundaries import (
    MULTIWORD,
    MULTIWORD_SENTENCE,
    N_ENDS,
    NOTHING,
    SENTENCE,
    TOKEN,
)
from meprop_nlp.data.tokens.composition import LONGEST_FORM, ROWS, Composition
from meprop_nlp.data.tokens.splits import Splits
from meprop_nlp.data.tokens.token_spans import TokenSpans
from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.digits import DigitWeight
from meprop_nlp.models.encoder import DigitBiLSTM, Recurrence
from meprop_nlp.models.file import TOKENIZER, ModelFile
from meprop_nlp.models.heads.joint_native import NativeEnds
from meprop_nlp.models.native_encoder import NativeBiLSTM
from meprop_nlp.models.packing import pack_texts, unpack_texts
from meprop_nlp.models.parts import Array, demand_inputs, take
from meprop_nlp.native import core

PREFIX = f"{TOKENIZER}."  # begins the names of its arrays
WINDOW = 800  # characters that are decided together
MARGIN = 40  # further characters that are read on both sides
BATCH = 12_000  # characters that are decided before more are read, about
COMPOSITION = f"{PREFIX}composition."  # begins the names of what judges tokens by their forms
MOST_FORMS = 50_000  # whose words are kept
MOST_TOKENS = 1000  # of a sentence; after these it ends, whatever stands there

Words = dict[int, list[str]]
_Ends = npt.NDArray[np.uint8]


class Tokenizer:
    """Finds the sentences, tokens and words of texts; safe to use from several threads.

    Args:
        file: the content of a model file.

    Attributes:
        alphabet: numbers the characters.
        splits: turns multiword tokens into words.
        composition: says which tokens are several words; None: the network does.
        spaces_within: whether a token may have a space in it.

    Raises:
        CheckpointError: a part is missing or does not fit the others.
        MePropError: a weight is not finite.
    """

    @np.errstate(all="ignore")  # an overflow shows in the scores
    def __init__(self, file: ModelFile) -> None:
        header, arrays = file.header[TOKENIZER], file.arrays
        characters = header["characters"]
        if not isinstance(characters, str):
            raise CheckpointError("the characters of the model's tokenizer are not a text")
        self.alphabet = Alphabet(characters)
        try:
            self.splits = Splits.from_dict(header["splits"])
        except ValueError as error:
            raise CheckpointError(str(error)) from None
        self.composition = _composition(arrays)
        self._kept: dict[str, list[str] | None] = {}
        self.spaces_within = header["spaces_within"] is True
        n_known = len(self.alphabet.characters)
        known = take(arrays, f"{PREFIX}characters.weight", n_known + 1, None)
        by_category = take(arrays, f"{PREFIX}categories.weight", len(CATEGORIES), known.shape[1])
        # the first row is that of characters without one of their own
        own = np.concatenate([np.zeros(len(CATEGORIES), np.int64), np.arange(1, n_known + 1)])
        vectors = known[own] + by_category[self.alphabet.category_of]
        layer = DigitBiLSTM(arrays, vectors.shape[1], prefix=f"{PREFIX}layer.", reads_states=False)
        weight = take(arrays, f"{PREFIX}output.weight", N_ENDS, None).T
        bias = take(arrays, f"{PREFIX}output.bias", N_ENDS)
        demand_inputs(f"{PREFIX}output", len(weight), layer.units)
        self._read: Recurrence = partial(layer, vectors)
        self._output, self._bias = DigitWeight.of(weight), bias
        self._native: NativeEnds | None = None
        self._core = core()
        if self._core is not None:
            self._read = NativeBiLSTM(layer, vectors, self._core)
            self._native = NativeEnds(self._core, weight, bias)

    @classmethod
    def of(cls, file: ModelFile) -> Tokenizer | None:
        """Return the tokenizer of a model; None if it has none."""
        return cls(file) if TOKENIZER in file.header else None

    def conllu(self, text: str, *, first: int | None = None, presegmented: bool = False) -> str:
        """Return a text as CoNLL-U, with `# newpar` and `# text`, and its white space in MISC.

        An empty line, or white space with two line ends in it, is between paragraphs; all other
        white space is a space. The text begins and ends a paragraph. See `data.spaces` for MISC.

        Args:
            first: write `TokenRange=START:END` into the MISC of each token, where its characters
                stand in the whole text, of which so many precede this part; None: do not.
            presegmented: each line is a sentence, whatever stands in it.
        """
        characters = _Characters.of(text)
        if not len(characters.places):
            return ""
        ends = self._ends(characters, presegmented=presegmented)
        spans = characters.spans(ends)
        forms = spans.forms(text)
        is_split = (ends == MULTIWORD) | (ends == MULTIWORD_SENTENCE)
        words = self.words_of(forms, is_split[ends != NOTHING])
        return spans.conllu(text, words, first, native=self._core)

    def words_of(self, forms: Sequence[str], is_split: npt.NDArray[np.bool_]) -> Words:
        """Return the words of those tokens that are several, by their place.

        Args:
            forms: of all n tokens.
            is_split: what the network says of each: (n,).
        """
        if self.composition is not None:
            found = ((place, self._composed(form)) for place, form in enumerate(forms))
        else:
            places = set(np.flatnonzero(is_split).tolist())
            if always := self.splits.always:
                lower = map(str.lower, forms)
                places.update(place for place, form in enumerate(lower) if form in always)
            found = ((place, self.splits.words(forms[place])) for place in places)
        # in CoNLL-U a multiword token has no space
        return {
            place: words for place, words in found if words is not None and " " not in forms[place]
        }

    def _composed(self, form: str) -> list[str] | None:
        """Return the words of a token whose form says whether it is several; None if it is one."""
        assert self.composition is not None
        try:
            return self._kept[form]
        except KeyError:
            pass
        found = None
        if self.composition.is_multiword(form):
            found = self.splits.words(form, self.composition.knows)
        if len(form) <= LONGEST_FORM:
            if len(self._kept) >= MOST_FORMS:
                self._kept.clear()
            self._kept[form] = found
        return found

    @np.errstate(all="ignore")
    def _ends(self, characters: _Characters, *, presegmented: bool) -> _Ends:
        """Return what ends after each character that is not white space: (n,)."""
        numbers = self.alphabet.numbers(characters.read)
        separators = np.flatnonzero(characters.read == ord(PARAGRAPH))
        ends = self._predicted(numbers, separators)[characters.is_text]
        before_space = np.append(np.diff(characters.places) > 1, True)
        if self.spaces_within:
            before_space &= ends != NOTHING
            before_space[-1] = True
        ends[before_space] = np.maximum(ends[before_space], TOKEN)
        whole = characters.ends_paragraph
        if presegmented:
            whole = characters.ends_line
            ends[(ends >= SENTENCE) & ~whole] -= SENTENCE - TOKEN
        last = whole & (ends < SENTENCE)
        ends[last] = np.maximum(ends[last], TOKEN) + (SENTENCE - TOKEN)
        return _with_bounded_sentences(ends)

    def _predicted(
        self, numbers: npt.NDArray[np.int32], separators: npt.NDArray[np.int64]
    ) -> _Ends:
        """Return what the network says of each character: (n,).

        Each paragraph is read for itself, so that what is found does not depend on where a text was
        cut into parts, which are whole paragraphs.

        Args:
            separators: where the paragraphs begin and end; the first and the last character too.
        """
        found = np.zeros(len(numbers), np.uint8)
        windows: list[_Window] = []
        length = 0
        for first, last in pairwise(separators.tolist()):
            for start in range(first, last + 1, WINDOW):
                stop = min(start + WINDOW, last + 1)
                windows.append(
                    _Window(max(first, start - MARGIN), start, stop, min(last + 1, stop + MARGIN))
                )
                length += stop - start
                if length >= BATCH:
                    self._read_windows(numbers, windows, found)
                    windows, length = [], 0
        self._read_windows(numbers, windows, found)
        return found

    def _read_windows(
        self, numbers: npt.NDArray[np.int32], windows: Sequence[_Window], found: _Ends
    ) -> None:
        """Write into `found` what the network says of the characters of some windows."""
        if not windows:
            return
        sizes = [window.stop_reading - window.begin for window in windows]
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        rows = np.concatenate([numbers[w.begin : w.stop_reading] for w in windows])
        ends = self._scored(self._read(rows, bounds))
        for window, bound in zip(windows, bounds.tolist(), strict=False):
            place = bound + window.start - window.begin
            found[window.start : window.stop] = ends[place : place + window.stop - window.start]

    def _scored(self, states: Array) -> _Ends:
        """Return the end with the best score for each of some states: (n,)."""
        if self._native is not None:
            return self._native.choose(states)
        scores = self._output.product(states) + self._bias
        best: _Ends = scores.argmax(1).astype(np.uint8)
        return best


class _Window(NamedTuple):
    """Characters that are decided together, and those that are read for it.

    Attributes:
        begin, stop_reading: the first character that is read, and the one after the last.
        start, stop: the first that is decided, and the one after the last.
    """

    begin: int
    start: int
    stop: int
    stop_reading: int


class _Characters(NamedTuple):
    """The characters of a text, as they are read.

    Attributes:
        read: code points, white space as one `SPACE` or `PARAGRAPH`; (m,).
        is_text: which of those are not white space: (m,).
        places: where in the text those are: (n,).
        ends_line: which of them are the last of a line: (n,).
        ends_paragraph: which of them are the last of a paragraph: (n,).
    """

    read: npt.NDArray[np.uint32]
    is_text: npt.NDArray[np.bool_]
    places: npt.NDArray[np.int64]
    ends_line: npt.NDArray[np.bool_]
    ends_paragraph: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, text: str) -> _Characters:
        codes = code_points(text)
        is_space = white_space(codes)
        places = np.flatnonzero(~is_space)
        # line ends up to each place; CRLF is one
        breaks = codes == ord("\n")
        breaks |= (codes == ord("\r")) & (np.append(codes[1:], 0) != ord("\n"))
        counted = np.concatenate([[0], np.cumsum(breaks)])
        between = np.diff(counted[places], append=counted[-1] + 2)  # after each character
        spaced = np.diff(places, append=len(codes) + 1) > 1
        ends_paragraph = between > 1
        if len(places):
            ends_paragraph[-1] = True
        separated = spaced | ends_paragraph
        # each character, and a separator after some, and a paragraph's at the beginning
        targets = 1 + np.arange(len(places)) + np.concatenate([[0], np.cumsum(separated)[:-1]])
        if not len(places):
            targets = targets[:0]
        read = np.full(1 + len(places) + int(separated.sum()), ord(SPACE), np.uint32)
        read[0] = ord(PARAGRAPH)
        read[targets] = codes[places]
        read[targets[ends_paragraph] + 1] = ord(PARAGRAPH)
        is_text = np.zeros(len(read), np.bool_)
        is_text[targets] = True
        return cls(read, is_text, places, between > 0, ends_paragraph)

    def spans(self, ends: _Ends) -> TokenSpans:
        """Return where the tokens stand, given what ends after each character: (n,)."""
        lasts = np.flatnonzero(ends)
        is_last = ends[lasts] >= SENTENCE
        return TokenSpans(self.places, lasts, is_last, self.ends_paragraph[lasts])


def _with_bounded_sentences(ends: _Ends) -> _Ends:
    """End sentences after `MOST_TOKENS` tokens."""
    token_ends = np.flatnonzero(ends)
    is_last = ends[token_ends] >= SENTENCE
    lasts = np.flatnonzero(is_last)
    sizes = np.diff(lasts, prepend=-1)
    for last, size in zip(lasts[sizes > MOST_TOKENS], sizes[sizes > MOST_TOKENS], strict=True):
        first = last - size + 1
        forced = token_ends[first + MOST_TOKENS - 1 : last : MOST_TOKENS]
        ends[forced] += SENTENCE - TOKEN
    return ends


def composition_arrays(composition: Composition) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of what judges tokens by their forms."""
    return {
        f"{COMPOSITION}weight": composition.weight,
        f"{COMPOSITION}bias": np.array([composition.bias], np.float32),
        f"{COMPOSITION}texts": pack_texts(*composition.texts()),
        f"{COMPOSITION}counts": composition.counts(),
    }


def _composition(arrays: Mapping[str, npt.NDArray[Any]]) -> Composition | None:
    """Return what judges tokens by their forms; None if the model has none."""
    if f"{COMPOSITION}weight" not in arrays:
        return None
    weight = take(arrays, f"{COMPOSITION}weight", ROWS)
    bias = take(arrays, f"{COMPOSITION}bias", 1)
    texts = take(arrays, f"{COMPOSITION}texts", None, dtype=np.uint8)
    counts = take(arrays, f"{COMPOSITION}counts", None, dtype=np.int32)
    try:
        lists = [part.decode().split("\n") for part in unpack_texts(texts, texts.nbytes)]
        return Composition.of_tables(lists, counts, weight, float(bias[0]))
    except ValueError as error:
        raise CheckpointError(str(error)) from None


def part_of(file: ModelFile) -> ModelFile | None:
    """Return the tokenizer of a model as a file of its own; None if the model has none."""
    if TOKENIZER not in file.header:
        return None
    arrays = {name: array for name, array in file.arrays.items() if name.startswith(PREFIX)}
    return ModelFile({TOKENIZER: file.header[TOKENIZER]}, arrays)
