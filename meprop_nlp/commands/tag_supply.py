"""`TagSupply`: where the tags come from that a parser reads: the file, or a tagger before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from meprop_nlp.commands import console
from meprop_nlp.commands.options import TAGGER_MODEL
from meprop_nlp.commands.streams import load_model
from meprop_nlp.data.word import lacking
from meprop_nlp.errors import DataError

if TYPE_CHECKING:
    from meprop_nlp.models.annotate import Piece
    from meprop_nlp.models.model import Model
    from meprop_nlp.models.words import Words


class TagSupply:
    """The models that annotate files; where a file has no tags, a tagger is run first.

    Args:
        models: the models that the user has named, in the order in which they run.
        quiet: whether to say nothing of the tagger.

    Attributes:
        needs: the columns that a model needs and none before it fills; see `Model.needs`.
    """

    def __init__(self, models: Sequence[Model], *, quiet: bool = False) -> None:
        self.named, self.quiet = models, quiet
        filled: set[str] = set()
        self.needs: list[str] = []
        for model in models:
            self.needs += (column for column in model.needs if column not in filled)
            filled.update(model.fills)
        self._tagger: Model | None = None

    def of_file(self, path: str) -> FileTags:
        """Return the supply of one file, by its name in messages."""
        return FileTags(self, path)

    def tagger(self) -> Model | None:
        """Return the tagger at its usual place; None if there is none."""
        if self._tagger is None and TAGGER_MODEL.exists():
            self._tagger = load_model(TAGGER_MODEL, "tagger", TAGGER_MODEL)
        return self._tagger


class FileTags:
    """The supply of tags for one file."""

    def __init__(self, supply: TagSupply, path: str) -> None:
        self._supply, self._path = supply, path
        self._needs: list[str] = []  # what each sentence must have, unless a tagger runs first

    def models(self, words: Words) -> Sequence[Model]:
        """Return the models for a file that begins with these words.

        The first sentence decides: how much else is at hand depends on how fast a pipe is written.

        Raises:
            DataError: the words lack a column, and there is no tagger that fills it.
        """
        supply = self._supply
        missing = missing_columns(words, supply.needs, n_words=int(words.bounds[1]))
        if not missing:
            self._needs = supply.needs
            return supply.named
        lack = f"{self._path} has no {lacking(missing)}, which the parser reads"
        tagger = supply.tagger()
        if tagger is None or not set(missing) <= set(tagger.fills):
            raise DataError(f"{lack}; give --tagger MODEL to tag it first")
        if not supply.quiet:
            console.note(f"{lack}: tagging it with {TAGGER_MODEL} first")
        return [tagger, *supply.named]

    def watched(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Pass pieces on, up to a sentence without some tags in a file that has them.

        Raises:
            DataError: there is such a sentence.
        """
        n_before = 0
        for piece in pieces:
            if self._needs:
                untagged = _first_untagged(piece.words, self._needs)
                if untagged is not None:
                    number, missing = untagged
                    raise DataError(
                        f"{self._path}: sentence {n_before + number + 1:,} has no "
                        f"{lacking(missing)}, which the parser reads; give --tagger MODEL to "
                        "tag all of them first"
                    )
            n_before += len(piece.words.bounds) - 1
            yield piece


def missing_columns(
    words: Words, columns: Iterable[str], *, n_words: int | None = None
) -> list[str]:
    """Return those of the columns that hold only `_`, in the first words if a number is given."""
    return [c for c in columns if all(tag == "_" for tag in words.column(c)[:n_words])]


def _first_untagged(words: Words, columns: Iterable[str]) -> tuple[int, list[str]] | None:
    """Return the index of the first sentence in which a column is empty, and these columns."""
    tags = {column: words.column(column) for column in columns}
    gaps = {column: values for column, values in tags.items() if "_" in values}
    if not gaps:
        return None
    for number, (start, end) in enumerate(pairwise(words.bounds.tolist())):
        missing = [
            column
            for column, values in gaps.items()
            if end > start and {"_"}.issuperset(values[start:end])
        ]
        if missing:
            return number, missing
    return None
