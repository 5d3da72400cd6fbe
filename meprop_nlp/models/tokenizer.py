"""`Tokenizer`: finds the sentences, tokens and words of a running text.

A BiLSTM reads the characters, and an output layer says for each what ends after it: a token, a
multiword token, a sentence (as in UDPipe, Straka et al. 2016, section 4.1). Where most multiword
tokens to come are new, their forms say which they are instead (`data.tokens.composition`). The
table of the characters is folded into the first layer's sums, as the words' is in the joint model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.spaces import escaped, space_misc
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
    N_ENDS,
    NOTHING,
    SENTENCE,
    TOKEN,
)
from meprop_nlp.data.tokens.composition import LONGEST_FORM, ROWS, Composition
from meprop_nlp.data.tokens.splits import Splits
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
WINDOW = 400  # characters that are decided together
MARGIN = 40  # further characters that are read on both sides
BATCH = 12_000  # characters that are decided before more are read, about
COMPOSITION = f"{PREFIX}composition."  # begins the names of what judges tokens by their forms
MOST_FORMS = 50_000  # whose words are kept
MOST_TOKENS = 1000  # of a sentence; after these it ends, whatever stands there

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
        native = core()
        if native is not None:
            self._read = NativeBiLSTM(layer, vectors, native)
            self._native = NativeEnds(native, weight, bias)

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
        return "".join(_written(text, characters, ends, self, first))

    def words_of(self, form: str, *, is_split: bool) -> list[str] | None:
        """Return the words of a token; None if it is one.

        Args:
            is_split: what the network says of it.
        """
        if self.composition is None:
            always = self.splits.always
            if is_split or (always and form.lower() in always):
                return self.splits.words(form)
            return None
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


def _written(
    text: str, characters: _Characters, ends: _Ends, tokenizer: Tokenizer, offset: int | None
) -> Iterator[str]:
    """Yield the lines of the tokens, sentence after sentence.

    Args:
        offset: how many characters precede the text, if tokens are to say where they stood.
    """
    places = characters.places
    lasts = np.flatnonzero(ends)
    stops = places[lasts] + 1
    starts = places[np.concatenate([[0], lasts[:-1] + 1])]
    nexts = np.append(starts[1:], len(text))
    kinds = ends[lasts]
    new_paragraph = np.concatenate([[True], characters.ends_paragraph[lasts[:-1]]])
    sentence_ends = np.flatnonzero(kinds >= SENTENCE) + 1
    split_ends = (kinds == MULTIWORD) | (kinds == MULTIWORD + SENTENCE - TOKEN)
    first = 0
    columns = (starts.tolist(), stops.tolist(), nexts.tolist(), split_ends.tolist())
    words_of = tokenizer.words_of
    spaces_within = tokenizer.spaces_within
    for end in sentence_ends.tolist():
        lines: list[str] = []
        joined: list[str] = []
        number = 0
        for start, stop, following, is_split in zip(*(c[first:end] for c in columns), strict=True):
            form = text[start:stop]
            if following == stop:
                after, misc = "", "SpaceAfter=No"
            elif following == stop + 1 and text[stop] == " ":
                after, misc = " ", "_"
            else:
                after = text[stop:following]
                misc = space_misc(after)
            if spaces_within and len(form.split()) > 1:
                whole, form = form, " ".join(form.split())
                if whole != form:
                    misc = f"SpacesInToken={escaped(whole)}" + ("" if misc == "_" else f"|{misc}")
            if start and first == 0 and not joined:
                before = f"SpacesBefore={escaped(text[:start])}"
                misc = before if misc == "_" else f"{misc}|{before}"
            if offset is not None:
                stood = f"TokenRange={offset + start}:{offset + stop}"
                misc = stood if misc == "_" else f"{misc}|{stood}"
            joined.append(form if not after else f"{form} ")
            split = words_of(form, is_split=is_split)
            if split is None:
                number += 1
                lines.append(f"{number}\t{form}\t_\t_\t_\t_\t_\t_\t_\t{misc}\n")
                continue
            lines.append(
                f"{number + 1}-{number + len(split)}\t{form}\t_\t_\t_\t_\t_\t_\t_\t{misc}\n"
            )
            for word in split:
                number += 1
                lines.append(f"{number}\t{word}\t_\t_\t_\t_\t_\t_\t_\t_\n")
        paragraph = "# newpar\n" if new_paragraph[first] else ""
        yield f"{paragraph}# text = {''.join(joined).rstrip(' ')}\n"
        yield from lines
        yield "\n"
        first = end


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
