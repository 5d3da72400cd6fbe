"""`TokenSpans`: where the tokens of a text stand, and the text as CoNLL-U with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, pairwise, repeat
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.spaces import escaped, space_misc

_EMPTY = "\t" + "_\t" * 7  # LEMMA to DEPS
_ONE_SPACE, _NO_SPACE = space_misc(" "), space_misc("")

_Places = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]


class TokenSpans(NamedTuple):
    """Where the tokens of a text stand: n of them; the last one ends a sentence.

    Attributes:
        starts, stops: the first character of each, and the one after its last: (n,).
        has_spaces: which have white space in them: (n,).
        ends_sentence, ends_paragraph: which are the last of one: (n,).
    """

    starts: _Places
    stops: _Places
    has_spaces: _Flags
    ends_sentence: _Flags
    ends_paragraph: _Flags

    def forms(self, text: str) -> list[str]:
        """Return the forms of the tokens; any white space in one is a space: n of them."""
        spans = zip(self.starts.tolist(), self.stops.tolist(), strict=True)
        forms = [text[start:stop] for start, stop in spans]
        for place in np.flatnonzero(self.has_spaces).tolist():
            forms[place] = " ".join(forms[place].split())
        return forms

    def miscs(self, text: str, forms: Sequence[str], offset: int | None = None) -> list[str]:
        """Return the MISC of the tokens, which keeps the white space: n of them.

        Args:
            forms: those of `forms`.
            offset: how many characters precede the text, to have `TokenRange=START:END` too.
        """
        starts, stops = self.starts.tolist(), self.stops.tolist()
        gaps = zip(stops, [*starts[1:], len(text)], strict=True)
        miscs = [
            _NO_SPACE
            if stop == following
            else _ONE_SPACE
            if (after := text[stop:following]) == " "
            else space_misc(after)
            for stop, following in gaps
        ]
        for place in np.flatnonzero(self.has_spaces).tolist():
            whole = text[starts[place] : stops[place]]
            if whole != forms[place]:
                miscs[place] = _joined(f"SpacesInToken={escaped(whole)}", miscs[place])
        if starts[0]:
            miscs[0] = _joined(miscs[0], f"SpacesBefore={escaped(text[: starts[0]])}")
        if offset is not None:
            miscs = [
                _joined(misc, f"TokenRange={offset + start}:{offset + stop}")
                for start, stop, misc in zip(starts, stops, miscs, strict=True)
            ]
        return miscs

    def conllu(
        self,
        text: str,
        forms: Sequence[str],
        words: Mapping[int, Sequence[str]],
        offset: int | None = None,
    ) -> str:
        """Return the sentences as CoNLL-U, with `# newpar` and `# text`.

        Args:
            forms: those of `forms`.
            words: of the multiword tokens, by their place.
            offset: as for `miscs`.
        """
        # a column at a time: to make the lines of each token in turn takes twice as long
        first_ids = self._first_ids(words)
        named = [f"{number}" for number in range(int(first_ids.max()) + 1)]
        ids = [named[number] for number in first_ids.tolist()]
        ends = self.miscs(text, forms, offset)  # what is after the columns in between
        for place, parts in words.items():
            number = int(first_ids[place])
            ids[place] = f"{number}-{number + len(parts) - 1}"
            lines = (f"\n{n}\t{part}{_EMPTY}_" for n, part in enumerate(parts, number))
            ends[place] += "".join(lines)
        starts, stops = self.starts.tolist(), self.stops.tolist()
        new_paragraph = [True, *self.ends_paragraph.tolist()]
        after_sentences = (np.flatnonzero(self.ends_sentence) + 1).tolist()
        for first, after in pairwise([0, *after_sentences]):
            plain = " ".join(text[starts[first] : stops[after - 1]].split())
            comments = "# newpar\n" if new_paragraph[first] else ""
            ids[first] = f"{comments}# text = {plain}\n{ids[first]}"
            ends[after - 1] += "\n"
        tokens = zip(ids, repeat("\t"), forms, repeat(_EMPTY), ends, repeat("\n"), strict=False)
        return "".join(chain.from_iterable(tokens))

    def _first_ids(self, words: Mapping[int, Sequence[str]]) -> _Places:
        """Return the ID of the first word of each token: (n,)."""
        counts = np.ones(len(self.starts), np.int64)
        counts[list(words)] = [len(parts) for parts in words.values()]
        before = np.cumsum(counts) - counts
        lasts = np.flatnonzero(self.ends_sentence)
        sizes = np.diff(lasts, prepend=-1)
        return before - np.repeat(before[lasts - sizes + 1], sizes) + 1


def _joined(*miscs: str) -> str:
    return "|".join(misc for misc in miscs if misc != "_")
