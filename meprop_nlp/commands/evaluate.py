"""`evaluate`."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from meprop_nlp.commands import console
from meprop_nlp.commands.model_files import model_option, model_path
from meprop_nlp.commands.options import TAGGER_MODEL, Json, Keeping, Loading, Reading
from meprop_nlp.commands.pages import write_page
from meprop_nlp.commands.printing import print_json
from meprop_nlp.commands.score_tables import nothing_left, score_lines
from meprop_nlp.commands.streams import (
    demand_model,
    demand_other_file,
    load_model,
    loadings_of,
    read_all,
)
from meprop_nlp.commands.tag_supply import missing_columns
from meprop_nlp.data.word import lacking
from meprop_nlp.errors import ConfigError, DataError

if TYPE_CHECKING:
    from meprop_nlp.data.sentence import Sentence
    from meprop_nlp.models.model import Model
    from meprop_nlp.scoring.metrics import OnPassage
    from meprop_nlp.scoring.scores import Scores


def evaluate(
    gold: Annotated[
        str,
        typer.Argument(metavar="GOLD", help="The file with the correct annotation; - is stdin."),
    ],
    system: Annotated[
        str | None,
        typer.Argument(metavar="SYSTEM", help="File to score, instead of a --model."),
    ] = None,
    model: Annotated[
        Path | None,
        model_option(
            help="Score this model's annotation of GOLD; en is the English model of the package.",
        ),
    ] = None,
    tagger: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=model_path,
            help="Tag with this model before the parser --model; without it GOLD's tags are used.",
        ),
    ] = None,
    *,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            "--tokenize",
            help="Let the --model find sentences, tokens and words too, in the running text of "
            "GOLD: its tokens, with an empty line between paragraphs.",
        ),
    ] = False,
    keeping: Keeping,
    loading: Loading,
    exclude_punct: Annotated[
        bool, typer.Option("--exclude-punct", help="Leave punctuation out of the parsing scores.")
    ] = False,
    trees: Annotated[
        bool | None,
        typer.Option(
            "--trees/--no-trees",
            help="Whether the trees of SYSTEM are scored. Unless given, if GOLD has trees.",
        ),
    ] = None,
    min_las: Annotated[
        float | None, typer.Option(help="Exit with status 1 if LAS is below this, in percent.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a page of the trees too, as view does: SYSTEM beside GOLD."
        ),
    ] = None,
    reading: Reading,
    json: Json = False,
) -> None:
    """Score a file or a model against a gold file.

    A model is given the words of the gold file, or with --raw its text alone.
    Counts like the official scorer of Universal Dependencies: Tokens, Sentences, Words, UPOS, XPOS,
    UFeats, AllTags, Lemmas, UAS, LAS, CLAS, MLAS, BLEX; also complete trees (UCM, LCM), and arcs by
    label, sentence length and distance.
    """
    if (system is None) == (model is None):
        raise ConfigError(
            "give either the file to score, or --model; found "
            + ("neither" if system is None else "both")
        )
    of_models = {
        "--tagger": tagger is not None,
        "--keep": bool(keeping.keep),
        "--raw": raw,
        "--pretrained": loading.pretrained is not None,
        "--treebank-id": loading.treebank_id is not None,
    }
    for option, is_given in of_models.items():
        if is_given and model is None:
            raise ConfigError(f"{option} goes with --model")
    if trees is not None and model is not None:
        raise ConfigError("--trees goes with SYSTEM; a --model is scored in what it predicts")
    if raw and keeping.keep:
        raise ConfigError("--raw goes without --keep: text has no columns")
    if gold == system == "-":
        raise ConfigError("standard input (-) can be the gold file or the file to score, not both")
    collected = None
    if html is not None:
        from meprop_nlp.views.differences import Differences

        if str(html) == "-":
            raise ConfigError("--html needs a file, since standard output has the scores")
        demand_other_file(html, [gold, system, model, tagger])
        collected = Differences()
    counting = _Counting(exclude_punct, None if collected is None else collected.add)
    if model is None:
        correct, found = read_all([gold], reading), read_all([system or ""], reading)
        scores = counting.scores(correct, found, trees=trees)
    else:
        models = _loaded(model, tagger, loading)
        if raw:
            with console.library_warnings():
                scores = _score_raw(gold, models, reading, counting)
        else:
            scores = _score_models(gold, models, reading, keeping.keep, counting)
    if min_las is not None and "las" not in scores.annotated:
        raise ConfigError("--min-las needs trees: a gold file with heads, and a parser as --model")
    if collected is not None:
        title = f"{system or model} and {gold}"
        write_page(collected.compared(scores), html, title=title, scores=scores)
    if json:
        print_json(scores.to_dict())
    else:
        print(score_lines(scores))
    if min_las is not None and not scores.counts["las"].gold:
        raise DataError(f"there is no LAS to hold against --min-las. {nothing_left(scores)}")
    if min_las is not None and scores.las < min_las:
        raise DataError(f"LAS is {scores.las:.2f}, below --min-las {min_las:.2f}")


class _Counting(NamedTuple):
    """How words are counted, for `scoring.metrics.evaluate`."""

    exclude_punct: bool
    on_passage: OnPassage | None

    def scores(self, gold: Iterable[Sentence], found: Iterable[Sentence], **options: Any) -> Scores:
        """Return the scores of what was found."""
        from meprop_nlp.scoring.metrics import evaluate as score

        return score(gold, found, **self._asdict(), **options, pairs=True)


def _loaded(model: Path, tagger: Path | None, loading: Loading) -> list[Model]:
    """Return the models that annotate the words, in order.

    Raises:
        ConfigError: there is a tagger before a model that is no parser.
        CheckpointError, DataError: see `load`.
    """
    from meprop_nlp.models.file import noun_of
    from meprop_nlp.models.model import load

    demand_model(model)
    own, taggers = loadings_of(loading, [model, tagger])
    predictor = load(model, pretrained=own.pretrained, treebank=own.treebank_id)
    if tagger is None:
        return [predictor]
    if predictor.task != "parser":
        noun = noun_of(predictor.task)
        raise ConfigError(f"--tagger goes with a parser as --model; found a {noun}")
    return [load_model(tagger, "tagger", TAGGER_MODEL, loading=taggers), predictor]


def _score_models(
    gold: str,
    models: Sequence[Model],
    reading: Reading,
    keep: Sequence[str],
    counting: _Counting,
) -> Scores:
    """Score what models make of the words of a gold file."""
    from meprop_nlp.data.annotation import Annotation
    from meprop_nlp.models.words import SentenceWords

    *taggers, predictor = models
    predictor.demand_kept(keep)
    scored = set(predictor.predicted_besides(keep))
    # a joint model is scored on gold without trees too, and on gold that is partly annotated
    is_joint = predictor.task == "joint"
    trees = None if is_joint else predictor.task == "parser"
    sentences = list(read_all([gold], reading, trees=bool(trees)))
    predicted: Iterable[Sentence] = sentences
    for tagger in taggers:
        predicted = tagger.annotated(predicted)
        scored |= set(tagger.predicted)
    if predictor.needs and not taggers:
        missing = missing_columns(SentenceWords(sentences), predictor.needs)
        if missing:
            raise DataError(
                f"{gold} has no {lacking(missing)}, which the parser reads; give --tagger MODEL"
            )
    # what the model does not predict is copied from gold; a score of 100 % would be misleading
    return counting.scores(
        sentences,
        predictor.annotated(predicted, keep=keep),
        trees=trees,
        annotation=Annotation(sentences) if is_joint else None,
    ).only(scored)


def _score_raw(
    gold: str,
    models: Sequence[Model],
    reading: Reading,
    counting: _Counting,
) -> Scores:
    """Score what models make of the running text of a gold file."""
    from meprop_nlp.data.annotation import Annotation
    from meprop_nlp.data.conll.reading import read_text
    from meprop_nlp.data.tokens.boundaries import raw_text
    from meprop_nlp.models.annotate import annotate, tokenizer_of
    from meprop_nlp.scoring.scores import SEGMENTATION

    if tokenizer_of(models) is None:
        raise ConfigError(
            "--raw needs a tokenizer, but the model has no tokenizer; use one that was trained "
            "with --heads tokens,tags,lemmas,tree"
        )
    filled: set[str] = set()
    for model in models:
        if missing := [column for column in model.reads if column not in filled]:
            raise DataError(
                f"text has no {lacking(missing)}, which the parser reads; give --tagger MODEL"
            )
        filled.update(model.fills)
    parses = "head" in filled
    sentences = list(read_all([gold], reading, trees=None if parses else False))
    text = io.BytesIO(raw_text(sentences).encode())
    found = (
        sentence
        for piece in annotate(text, models, input_format="text")
        for sentence in read_text(piece.text.decode(), input_format="conllu")
    )
    return counting.scores(
        sentences,
        found,
        trees=None if parses else False,
        annotation=Annotation(sentences),
    ).only({*SEGMENTATION, *(name for model in models for name in model.predicted)})
