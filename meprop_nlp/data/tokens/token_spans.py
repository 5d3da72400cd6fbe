"""`TokenSpans`: where the tokens of a text stand, and the text as CoNLL-U with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, pairwise, repeat
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.spaces import escaped, space_misc
from meprop_nlp.data.tokens.alphabet import code_points

_EMPTY = "\t" + "_\t" * 7  # LEMMA to DEPS
_ONE_SPACE, _NO_SPACE = space_misc(" "), space_misc("")

_Places = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]


class TokenSpans(NamedTuple):
    """Where the tokens of a text stand: n of them; the last one ends a sentence.

    Attributes:
        places: of all characters that are not white space; each belongs to a token: (m,).
        lasts: the last character of each token, among the places: (n,).
        ends_sentence, ends_paragraph: which are the last of one: (n,).
    """

    places: _Places
    lasts: _Places
    ends_sentence: _Flags
    ends_paragraph: _Flags

    @property
    def starts(self) -> _Places:
        """The first character of each: (n,)."""
        return self.places[self._firsts]

    @property
    def stops(self) -> _Places:
        """The character after the last one of each: (n,)."""
        return self.places[self.lasts] + 1

    @property
    def has_spaces(self) -> _Flags:
        """Which have white space in them: (n,)."""
        flags: _Flags = self.stops - self.starts > self.lasts - self._firsts + 1
        return flags

    @property
    def _firsts(self) -> _Places:
        return np.concatenate([[0], self.lasts[:-1] + 1])

    def forms(self, text: str) -> list[str]:
        """Return the forms of the tokens; any white space in one is a space: n of them."""
        spans = zip(self.starts.tolist(), self.stops.tolist(), strict=True)
        forms = [text[start:stop] for start, stop in spans]
        for place in np.flatnonzero(self.has_spaces).tolist():
            forms[place] = _with_single_spaces(forms[place])
        return forms

    def miscs(self, text: str, offset: int | None = None) -> list[str]:
        """Return the MISC of the tokens, which keeps the white space: n of them.

        Args:
            offset: how many characters precede the text, to have `TokenRange=START:END` too.
        """
        starts, stops = self.starts.tolist(), self.stops.tolist()
        nexts = [*starts[1:], len(text)]
        miscs = [
            _NO_SPACE if stop == following else _ONE_SPACE
            for stop, following in zip(stops, nexts, strict=True)
        ]
        for place, misc in self._unusual_miscs(text).items():
            miscs[place] = misc
        if offset is not None:
            miscs = [
                _joined(misc, f"TokenRange={offset + start}:{offset + stop}")
                for start, stop, misc in zip(starts, stops, miscs, strict=True)
            ]
        return miscs

    def _unusual_miscs(self, text: str) -> dict[int, str]:
        """Return the MISC of the tokens that are not followed by one space or by nothing.

        And of those that have white space in them, and of the first one if some precedes it.
        """
        starts, stops, has_spaces = self.starts, self.stops, self.has_spaces
        nexts = np.append(starts[1:], len(text))
        # the last character of the text is not read where nothing follows the last token
        after = code_points(text)[np.minimum(stops, len(text) - 1)]
        unusual = has_spaces | (nexts - stops > 1) | ((nexts > stops) & (after != ord(" ")))
        unusual[0] |= starts[0] > 0
        miscs = {}
        for place in np.flatnonzero(unusual).tolist():
            start, stop = int(starts[place]), int(stops[place])
            misc = space_misc(text[stop : nexts[place]])
            if has_spaces[place]:
                whole = text[start:stop]
                if whole != _with_single_spaces(whole):
                    misc = _joined(f"SpacesInToken={escaped(whole)}", misc)
            if place == 0 and start:
                misc = _joined(misc, f"SpacesBefore={escaped(text[:start])}")
            miscs[place] = misc
        return miscs

    def conllu(
        self,
        text: str,
        words: Mapping[int, Sequence[str]],
        offset: int | None = None,
        *,
        native: ModuleType | None = None,
    ) -> str:
        """Return the sentences as CoNLL-U, with `# newpar` and `# text`.

        Args:
            words: of the multiword tokens, by their place.
            offset: as for `miscs`.
            native: the native core, which writes the same in a third of the time, but no offsets.
        """
        if native is None or offset is not None:
            return self._conllu(text, words, offset)
        miscs = self._unusual_miscs(text)
        details = [
            (place, _encoded(miscs.get(place, "")), [*map(_encoded, words.get(place, ()))])
            for place in sorted({*miscs, *words})
        ]
        sentence_lasts = np.flatnonzero(self.ends_sentence)
        begins = np.append(True, self.ends_paragraph[sentence_lasts[:-1]]).astype(np.int32)
        lines: bytes = native.write_tokens(
            code_points(text), self.places, self.lasts, sentence_lasts, begins, details
        )
        return lines.decode("utf-8", "surrogatepass")

    def _conllu(self, text: str, words: Mapping[int, Sequence[str]], offset: int | None) -> str:
        # a column at a time: to make the lines of each token in turn takes twice as long
        first_ids = self._first_ids(words)
        named = [f"{number}" for number in range(int(first_ids.max()) + 1)]
        ids = [named[number] for number in first_ids.tolist()]
        ends = self.miscs(text, offset)  # what is after the columns in between
        for place, parts in words.items():
            number = int(first_ids[place])
            ids[place] = f"{number}-{number + len(parts) - 1}"
            lines = (f"\n{n}\t{part}{_EMPTY}_" for n, part in enumerate(parts, number))
            ends[place] += "".join(lines)
        starts, stops = self.starts.tolist(), self.stops.tolist()
        new_paragraph = [True, *self.ends_paragraph.tolist()]
        after_sentences = (np.flatnonzero(self.ends_sentence) + 1).tolist()
        for first, after in pairwise([0, *after_sentences]):
            plain = _with_single_spaces(text[starts[first] : stops[after - 1]])
            comments = "# newpar\n" if new_paragraph[first] else ""
            ids[first] = f"{comments}# text = {plain}\n{ids[first]}"
            ends[after - 1] += "\n"
        tokens = zip(
            ids, repeat("\t"), self.forms(text), repeat(_EMPTY), ends, repeat("\n"), strict=False
        )
        return "".join(chain.from_iterable(tokens))

    def _first_ids(self, words: Mapping[int, Sequence[str]]) -> _Places:
        """Return the ID of the first word of each token: (n,)."""
        counts = np.ones(len(self.lasts), np.int64)
        counts[list(words)] = [len(parts) for parts in words.values()]
        before = np.cumsum(counts) - counts
        lasts = np.flatnonzero(self.ends_sentence)
        sizes = np.diff(lasts, prepend=-1)
        return before - np.repeat(before[lasts - sizes + 1], sizes) + 1


def _joined(*miscs: str) -> str:
    return "|".join(misc for misc in miscs if misc != "_")


def _with_single_spaces(text: str) -> str:
    return " ".join(text.split())


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
