"""`benchmark`."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meprop_nlp.commands import console, tables
from meprop_nlp.commands.model_files import model_path
from meprop_nlp.commands.options import TAGGER_MODEL, Json, Loading, Reading
from meprop_nlp.commands.printing import print_json
from meprop_nlp.commands.streams import (
    ANY_TRAINING,
    COMMAND_OF,
    demand_model,
    demand_rereadable,
    load_model,
    loadings_of,
    read_all,
)
from meprop_nlp.config import TrainingConfig
from meprop_nlp.errors import ConfigError, number_of

if TYPE_CHECKING:
    from meprop_nlp.models.speed import Speeds


def benchmark(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            parser=model_path,
            help=f"A model of {ANY_TRAINING}; or en, the English model of the package.",
        ),
    ],
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A CoNLL file in UTF-8, also packed; no trees needed."),
    ],
    tagger: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=model_path,
            help="Tag with this model before the parser MODEL.",
        ),
    ] = None,
    rounds: Annotated[
        int, typer.Option(help="Number of timings of each step; their medians are shown.")
    ] = 5,
    *,
    loading: Loading,
    input_format: Annotated[str, Reading],
    threads: Annotated[int, TrainingConfig],
    json: Json = False,
) -> None:
    """Measure how fast a model annotates a file.

    Words/s of reading, tagging, parsing and writing, each and together, in memory, with one thread
    and with --threads; a small file is repeated, a large one cut short. Then the cost of `tag`,
    `parse` or `annotate` in a process of its own: time to start (a run on one sentence) and peak
    memory (on the whole file). Nothing else should run meanwhile.
    """
    from meprop_nlp.models.file import noun_of
    from meprop_nlp.models.model import load
    from meprop_nlp.models.speed import decoding_kernels, measure
    from meprop_nlp.native import is_available
    from meprop_nlp.threads import usable_threads

    reading = Reading(input_format=input_format)
    demand_rereadable(file, "FILE")
    if rounds < 1:
        raise ConfigError(f"--rounds is {rounds}, expected a whole number of at least 1")
    n = usable_threads(threads)
    demand_model(model)
    own, taggers = loadings_of(loading, [model, tagger])
    models = [load(model, pretrained=own.pretrained, treebank=own.treebank_id)]
    paths = {models[0].task: model}
    if tagger is not None:
        if models[0].task != "parser":
            found = noun_of(models[0].task)
            raise ConfigError(f"--tagger goes with a parser as MODEL; found a {found}")
        models.insert(0, load_model(tagger, "tagger", TAGGER_MODEL, loading=taggers))
        paths = {"tagger": tagger, **paths}
    if not is_available():
        console.note(f"on {decoding_kernels()}; this is the slow path")
    counts = sorted({1, n})
    speeds = measure(file, models, threads=counts, rounds=rounds, input_format=input_format)
    result = {
        "file": file,
        "words": speeds.words,
        "sentences": speeds.sentences,
        "timed_words": speeds.timed_words,
        "rounds": speeds.rounds,
        "kernels": decoding_kernels(),
        "threads": n,
        "words_per_second": {
            step: {str(t): round(speed) for t, speed in by_threads.items()}
            for step, by_threads in speeds.words_per_second.items()
        },
        **_process_costs(paths, file, loading, reading, n, rounds),
        "model_bytes": {task: path.stat().st_size for task, path in paths.items()},
    }
    if json:
        print_json(result)
    else:
        print(_lines(result, speeds))


def _process_costs(
    paths: dict[str, Path],
    file: str,
    loading: Loading,
    reading: Reading,
    threads: int,
    rounds: int,
) -> dict[str, Any]:
    """Return the costs of a command: its time on one sentence, its memory on all of them."""
    # imported here: at the top they would delay the start of every command
    import tempfile
    from statistics import median

    from meprop_nlp.commands.processes import peak_bytes, seconds
    from meprop_nlp.data.conll.writing import write

    task = [*paths][-1]  # of the model that runs last
    words: list[str | Path] = [COMMAND_OF[task], "--model", paths[task].absolute()]  # never a name
    if len(paths) > 1:
        words += ["--tagger", paths["tagger"].absolute()]
    for name, value in loading.to_dict().items():
        if value is not None:
            words += [f"--{name.replace('_', '-')}", value]
    words += ["--input-format", reading.input_format, "--threads", str(threads), "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        sentence = Path(folder, "sentence")
        write(islice(read_all([file], reading), 1), sentence)
        starts = [seconds([*words, sentence]) for _ in range(rounds)]
        peak = peak_bytes([*words, file], Path(folder, "status"))
    return {"start_seconds": round(median(starts), 4), "peak_bytes": peak}


def _lines(result: dict[str, Any], speeds: Speeds) -> str:
    """Return the result in plain text."""
    rows = [
        [step, *(f"{speed:,.0f}" for speed in by_threads.values())]
        for step, by_threads in speeds.words_per_second.items()
    ]
    heads = [number_of(int(n), "thread") for n in result["words_per_second"]["together"]]
    peak = result["peak_bytes"]
    sizes = [f"{task} {n_bytes / 1e6:.1f} MB" for task, n_bytes in result["model_bytes"].items()]
    facts = {
        "file": f"{result['file']}: {speeds.words:,} words in {speeds.sentences:,} sentences",
        "timed": f"{speeds.timed_words:,} words a round, medians of {speeds.rounds}",
        "kernels": result["kernels"],
        "start": f"{result['start_seconds']:.3f} s for one sentence, the process included",
        "memory": "not known on this system"
        if peak is None
        else f"{peak / 1e6:.0f} MB at most, {heads[-1]}",
        "models": ", ".join(sizes),
    }
    return f"{tables.table(['Words/s', *heads], rows)}\n\n{tables.name_lines(facts)}"
