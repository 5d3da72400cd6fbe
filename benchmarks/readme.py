"""Write the tables of README.md and docs/ from benchmarks/results/*.json; `--check` compares.

The tables stand between `<!-- table: NAME -->` and `<!-- end -->`. What has not been measured says
so.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENTS = (
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{name}.md"
        for name in ("papers", "speed", "accuracy", "teachers", "serve")
    ),
)
FILES = (
    *("treebanks", "linear", "lstm", "training", "decode", "joint", "teachers", "raw_text"),
    "serve",
)
NAMES = (
    "front",
    *("tagger", "parser", "ptb", "conditions", "linear", "linear-grid", "lstm"),
    *("training-step", "training-parser", "training-tagger", "speed-conditions"),
    *("training", "decode", "decode-peers", "decode-conditions"),
    *("joint", "joint-pace", "joint-dev", "joint-gold", "joint-test", "joint-conditions"),
    *("joint-step", "joint-step-conditions"),
    *("teachers-test", "teachers-dev", "teachers-recipe"),
    *("raw-text", "raw-text-turkish", "raw-text-pace"),
    *("serve", "serve-conditions"),
)
EWT, IMST = "ud-english-ewt", "ud-turkish-imst"  # folders
# the scores of the joint model at the head of docs/accuracy.md, and below
SUMMARY = {
    "upos": "UPOS",
    "xpos": "XPOS",
    "ufeats": "UFeats",
    "lemmas": "Lemmas",
    "uas": "UAS",
    "las": "LAS",
}
JOINT = {**SUMMARY, "clas": "CLAS", "mlas": "MLAS", "blex": "BLEX"}
# spaCy 3.8.18, `init config --pipeline tagger,morphologizer,parser --optimize efficiency`, trained
# on the same file; tokens given; scored by udtools' udeval
SPACY = {"upos": 94.53, "xpos": 93.65, "ufeats": 95.23, "uas": 86.40, "las": 83.18}
SPACY_BYTES, SPACY_MINUTES = 8_200_000, 22  # on one core, with other trainings beside it
# the systems of docs/teachers.md's recipe, as their runs are called and as the page calls them
RECIPE = {
    "spaCy": "spaCy, efficiency",
    "plain": "plain",
    "plain, simplified": "plain, simplified",
    "MiniLM": "teacher",
    "taught": "student",
    "taught, simplified": "student, simplified",
}
# the same ones in joint.json, by the names of their runs and of their pace
JOINT_RUNS = {"plain": "EWT, meProp", "plain, simplified": "EWT, simplified"}
# the end of the name of a run in joint.json from before the network had early outputs
EARLIER = ", without early outputs"
JOINT_PACES = {"plain": "uncut", "plain, simplified": "cut"}
PACE = ["", "words/s", "times spaCy's", "file", "dev UPOS", "dev LAS"]
# the scores from raw text, and those on test that others have published: UDPipe 1's with models of
# UD 2.5, the better sentences with paragraphs as ours; Stanza's with vectors and a language model
SCORES_OF_TEXT = {"tokens": "Tokens", "sentence_spans": "Sentences", "words": "Words", **SUMMARY}
PUBLISHED: dict[str, dict[str, dict[str, str]]] = {
    EWT: {
        "UDPipe 1": {
            **{"sentence_spans": "77.4 to 86.9", "words": "98.9", "upos": "93.3", "xpos": "92.8"},
            **{"ufeats": "94.2", "lemmas": "95.5", "uas": "80.2", "las": "77.0"},
        },
        "Stanza 1.5.1": {
            **{"tokens": "99.2", "sentence_spans": "89.2", "upos": "96.2", "lemmas": "96.6"},
            **{"las": "86.8"},
        },
    },
    IMST: {
        "UDPipe 1": {
            **{"sentence_spans": "97.0", "words": "98.3", "upos": "91.6", "xpos": "90.7"},
            **{"ufeats": "88.5", "lemmas": "90.0", "uas": "62.2", "las": "55.1"},
        },
        "Stanza 1.5.1": {
            **{"tokens": "99.9", "sentence_spans": "98.2", "upos": "93.4", "lemmas": "95.6"},
            **{"las": "64.1"},
        },
    },
}
# UDPipe 1 with its model of UD 2.5, tokens given, as its authors published it
PUBLISHED_OF_TOKENS = {"UDPipe 1": {"upos": "94.4", "lemmas": "96.4", "las": "81.1"}}
FRONT = {"plain": "`train`", "plain, simplified": "`train --simplify`"}
FRONT |= {"taught, simplified": "the same, with a teacher", "spaCy": RECIPE["spaCy"]}
PACE_OF_TEXT = ["", "words/s", "times spaCy's", "tokenizer alone, words/s"]
PACE_OF_TEXT += ["first tree", "peak memory", "file"]
UNMEASURED = "Not measured yet."


def measured() -> dict[str, dict[str, Any]]:
    """Return what each of `FILES` holds, nothing where it is not there."""
    paths = {name: RESULTS / f"{name}.json" for name in FILES}
    return {
        name: json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for name, path in paths.items()
    }


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table, numbers to the right."""
    marks = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, marks, *rows])


def cells(result: dict[str, Any], scores: list[str], *, tagged: bool) -> list[str]:
    """Return one model's row, but for its name; `tagged`: with what predicted tags give, if any."""
    las = [f"{found['las']:.2f}" for found in result.get("tagged", {}).values()]
    return [
        " + ".join(str(width) for width in result["neurons"]),
        f"{result['bytes'] / 1e6:.1f} MB",
        *(f"{result[part][name]:.2f}" for part in ("dev", "test") for name in scores),
        *(las or ["", ""] if tagged else []),
        f"{result['seconds']:.0f}",
        f"{result['backward_seconds']:.0f}",
    ]


def table(results: dict[str, Any], prefix: str, scores: dict[str, str]) -> str:
    """Return the table of the runs whose name begins with `prefix`."""
    heads = [f"{part} {shown}" for part in ("dev", "test") for shown in scores.values()]
    chosen = {name: result for name, result in results.items() if name.startswith(prefix)}
    tagged = any("tagged" in result for result in chosen.values())
    if tagged:
        heads += ["dev LAS, predicted tags", "test LAS, predicted tags"]
    rows = [
        [name.removeprefix(prefix).lstrip(", "), *cells(result, list(scores), tagged=tagged)]
        for name, result in chosen.items()
    ]
    return markdown(["", "neurons", "file", *heads, "seconds", "of which backward"], rows)


def conditions(results: dict[str, Any]) -> str:
    """Return what the figures were measured on: each machine, with the commits of its variants."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for name, result in results.items():
        c = result["conditions"]
        line = (
            f"{c['cpu']}, {c['cores']} cores, threads: {c['threads']}; Python "
            f"{c['python']}, torch {c['torch']}, numpy {c['numpy']}; one run each, seed 1"
        )
        commits = found.setdefault(line, {})
        commits.setdefault(c["commit"], {})[name.split(", ")[1]] = None
    lines = []
    for line, commits in found.items():
        of = [f"{commit} ({', '.join(variants)})" for commit, variants in commits.items()]
        lines.append(f"{line}; commit {', '.join(of)}.")
    return "Measured on " + " ".join(lines)


def linear(results: dict[str, Any]) -> str:
    """Return the table of the linear layer's main shapes: medians, and how many times as fast."""
    columns = ["batch x in -> out, k", "forward, `nn.Linear` ms", "ours ms"]
    columns += ["backward, `nn.Linear` ms", "`example` ms", "times as fast"]
    columns += ["`unified` ms", "times as fast"]
    rows = []
    for row in results["main"]:
        forward, backward = row["forward"], row["backward"]
        cells = [forward["ms"]["dense"], forward["ms"]["example"], backward["ms"]["dense"]]
        shown = [f"{quartiles[1]:.1f}" for quartiles in cells]
        for mode in ("example", "unified"):
            shown += [f"{backward['ms'][mode][1]:.1f}", f"{backward['speedup'][mode]:.2f}"]
        rows.append([f"{row['batch']} x {row['in']} -> {row['out']}, {row['k']}", *shown])
    return markdown(columns, rows)


def linear_grid(results: dict[str, Any]) -> str:
    """Return how many times as fast ours is, over the layers of the grid, by k and batch."""
    grid: dict[str, dict[int, list[float]]] = {}
    for row in results["grid"]:
        for kept, speedup in row["backward"]["speedup"].items():
            grid.setdefault(kept, {}).setdefault(row["batch"], []).append(speedup)
    batches = list(dict.fromkeys(row["batch"] for row in results["grid"]))
    rows = [
        [kept, *(f"{min(by_batch[b]):.2f} to {max(by_batch[b]):.2f}" for b in batches)]
        for kept, by_batch in grid.items()
    ]
    made = markdown(["entries kept", *(f"batch {b}" for b in batches)], rows)
    layers = dict.fromkeys(f"{row['in']} -> {row['out']}" for row in results["grid"])
    return f"{made}\n\nThe layers are {', '.join(layers)}."


def lstm(results: dict[str, Any]) -> str:
    """Return the table of the LSTM: the median of `nn.LSTM`, and how many times as fast ours is."""
    all_names = [name for row in results["rows"] for name in row["backward"]["speedup"]]
    names = [name for name in dict.fromkeys(all_names) if "unified" not in name]
    columns = ["lengths, units", "`nn.LSTM` runs", "forward, `nn.LSTM` ms", "times as fast"]
    columns += ["backward, `nn.LSTM` ms", *(f"k {name}" for name in names), "both, k 10"]
    rows = []
    for row in results["rows"]:
        forward, backward = row["forward"], row["backward"]
        both = {name: forward["ms"][name][1] + backward["ms"][name][1] for name in backward["ms"]}
        speedups = [backward["speedup"].get(name) for name in names]
        rows.append(
            [
                f"{row['lengths']}, {row['units']}",
                row["nn.LSTM"],
                f"{forward['ms']['dense'][1]:.1f}",
                f"{forward['speedup']['10']:.2f}",
                f"{backward['ms']['dense'][1]:.1f}",
                *("" if speedup is None else f"{speedup:.2f}" for speedup in speedups),
                f"{both['dense'] / both['10']:.2f}",
            ]
        )
    batches = dict.fromkeys(
        f"{row['batch']} sequences of up to {row['steps']} steps and {row['in']} inputs"
        for row in results["rows"]
    )
    return f"{markdown(columns, rows)}\n\nBatches of {', '.join(batches)}."


def speed_conditions(results: dict[str, dict[str, Any]], names: tuple[str, ...]) -> str:
    """Return what the speeds were measured on, and which of them where it was not all the same."""
    parts = {name: results[name] for name in names if results[name]}
    for name in [name for name in parts if "conditions" not in parts[name]]:
        # measured one by one, each with what it was measured on
        parts |= {f"{name} ({part})": result for part, result in parts.pop(name).items()}
    lines: dict[str, list[str]] = {}
    for name, result in parts.items():
        c = result["conditions"]
        line = (
            f"{c['cpu']}, {c['cores']} cores, {c['threads']} threads; Python {c['python']}, "
            f"torch {c['torch']}, numpy {c['numpy']}; kernels: {c['kernels']}; {c['date']}; "
            f"commit {c['commit']}."
        )
        lines.setdefault(line, []).append(name)
    if len(lines) == 1:
        return f"Measured on {next(iter(lines))}"
    return " ".join(f"Measured for {', '.join(names)} on {line}" for line, names in lines.items())


def decode_table(results: dict[str, Any]) -> str:
    """Return what was measured of decoding, without what it was to reach."""
    columns, rows = results["table"]["columns"], results["table"]["rows"]
    kept = [i for i, name in enumerate(columns) if name not in ("at least", "aim")]
    return markdown([columns[i] for i in kept], [[row[i] for i in kept] for row in rows])


def decode_checks(results: dict[str, Any]) -> str:
    """Return how many words the decoder was held against NumPy on, and how many differed."""
    checks = results["checks"]
    words = sum(check["words"] for check in checks)
    differing = sum(check["differ"] for check in checks)
    return (
        f"Medians over {results['words']:,} words, {results['conditions']['rounds']} rounds. "
        f"Checked first: {differing or 'none'} of {words:,} words, dev's and test's for each "
        "model, got another tag, head or relation than from plain NumPy. "
        f"The uncut parser's weights: {results['uncut']['weights']}."
    )


def training_summary(training: dict[str, Any]) -> str:
    """Return the whole trainings in a few columns, of the tables that say more."""
    wanted = ("", "neurons", "dev LAS", "dev UPOS", "seconds to best dev", "against dense")
    rows = []
    for task in ("parser", "tagger"):
        if task not in training:
            continue
        columns = training[task]["columns"]
        for row in training[task]["rows"]:
            cells = dict(zip(columns, row, strict=True))
            score = next(f"{name[4:]} {cells[name]}" for name in wanted[2:4] if name in cells)
            rest = [cells[name] for name in ("neurons", "seconds to best dev", "against dense")]
            rows.append([f"{task}, {cells['']}", score, *rest])
    return markdown(["", "dev", "neurons", "seconds to best dev", "against dense"], rows)


def joint_summary(runs: dict[str, list[dict[str, Any]]]) -> str:
    """Return the joint model's scores on EWT's test file, with spaCy's beside them."""
    chosen = {name: seeds for name, seeds in runs.items() if name.startswith("EWT")}
    rows = [
        [
            name.removeprefix("EWT, "),
            *(_spread([seed["test"][score] for seed in seeds]) for score in SUMMARY),
            f"{mean(seed['bytes'] for seed in seeds) / 1e6:.1f} MB",
        ]
        for name, seeds in chosen.items()
    ]
    spacy = [f"{SPACY[score]:.2f}" if score in SPACY else "" for score in SUMMARY]
    rows.append(["spaCy, efficiency", *spacy, "8.2 MB"])
    return markdown(["EWT test", *SUMMARY.values(), "file"], rows)


def joint_table(runs: dict[str, list[dict[str, Any]]], part: str) -> str:
    """Return all scores of the joint model on a part, means with the deviation over seeds."""
    rows = []
    for name, seeds in runs.items():
        found = [[seed[part][score] for seed in seeds if score in seed[part]] for score in JOINT]
        neurons = " + ".join(str(width) for width in seeds[0]["neurons"])
        cells = [_spread(values) for values in found]
        rows.append([name, str(len(seeds)), *cells, neurons])
    return markdown(["", "seeds", *JOINT.values(), "neurons"], rows)


def teachers_table(runs: dict[str, list[dict[str, Any]]], part: str) -> str:
    """Return the scores of models with knowledge beside their treebank, with size and minutes."""
    rows = []
    for name, seeds in runs.items():
        found = [[seed[part][score] for seed in seeds if score in seed[part]] for score in SUMMARY]
        cells = [_spread(values) for values in found]
        size = mean(seed["bytes"] for seed in seeds) / 1e6
        minutes = mean(seed["seconds_of_epochs"] for seed in seeds) / 60
        rows.append([name, str(len(seeds)), *cells, f"{size:.1f}", f"{minutes:.0f}"])
    return markdown(["", "seeds", *SUMMARY.values(), "MB", "minutes"], rows)


def joint_conditions(runs: dict[str, list[dict[str, Any]]]) -> str:
    """Return what the joint models were trained with, and on."""
    lines: dict[str, dict[str, None]] = {}
    for name, seeds in runs.items():
        for seed in seeds:
            c = seed["conditions"]
            line = (
                f"{c['cpu']}, {c['cores']} cores, {c['threads']} threads; Python {c['python']}, "
                f"torch {c['torch']}, numpy {c['numpy']}; {c['date']}; commit {c['commit']}"
            )
            lines.setdefault(line, {})[f"{name}: `{seed['command']}`"] = None
    return "Trained on " + " ".join(f"{line} ({', '.join(of)})." for line, of in lines.items())


def pace_rows(pace: dict[str, Any]) -> list[list[str]]:
    """Return a row for each system: words/s, times as fast as spaCy, bytes, dev scores."""
    speeds, dev, sizes = pace["words_per_second"], pace["dev"], pace["bytes"]
    return [
        [
            name,
            f"{speed:,}",
            f"{speed / speeds['spaCy']:.1f}" if "spaCy" in speeds else "not measured",
            f"{sizes[name] / 1e6:.1f} MB" if name in sizes else "",
            *(f"{dev[name][score]:.2f}" for score in ("upos", "las")),
        ]
        for name, speed in speeds.items()
    ]


def joint_pace(pace: dict[str, Any]) -> str:
    """Return the pace of joint models and of spaCy, and what it was measured on."""
    c = pace["conditions"]
    made = markdown(PACE, pace_rows(pace))
    return (
        f"{made}\n\n{c['cpu']}, {c['threads']} threads, {c['kernels']}; medians of {c['rounds']} "
        f"rounds over {pace['words']:,} words; {c['date']}; commit {c['commit']}."
    )


def joint_step(steps: dict[str, Any]) -> str:
    """Return the time of a training step of the joint model, with each kind of layers."""
    columns = {
        f"{kernels.removeprefix('native, ')}, {threads} thread{'s' * (threads != '1')}": times
        for kernels, found in steps.items()
        for threads, times in found["milliseconds"].items()
    }
    first = next(iter(columns.values()))
    dense = "plain backprop"
    rows = [
        [
            name,
            *(
                f"{times[name]:.0f} ms ({times[dense] / times[name]:.2f})" if name in times else ""
                for times in columns.values()
            ),
        ]
        for name in first
    ]
    return markdown(["", *columns], rows)


def joint_step_conditions(steps: dict[str, Any]) -> str:
    """Return what the steps were measured on."""
    made = []
    for found in steps.values():
        c = found["conditions"]
        made.append(
            f"{c['kernels']}: minibatches of {found['words']} words, medians of {found['steps']} "
            f"steps; {c['cpu']}; {c['date']}; commit {c['commit']}."
        )
    return " ".join(made)


def raw_text_table(runs: dict[str, Any], treebank: str, part: str) -> str:
    """Return the scores from raw text on a part of a treebank, beside what is published of test."""
    rows = [
        [
            name,
            *(f"{found['scores'][s]:.2f}" if s in found["scores"] else "" for s in SCORES_OF_TEXT),
            f"{found['bytes'] / 1e6:.1f} MB",
        ]
        for name, found in runs.get(treebank, {}).get(part, {}).items()
    ]
    rows += [
        [f"{name}, published{'' if part == 'test' else ' (test)'}"]
        + [scores.get(score, "") for score in SCORES_OF_TEXT]
        + [""]
        for name, scores in PUBLISHED.get(treebank, {}).items()
    ]
    return markdown(["", *SCORES_OF_TEXT.values(), "file"], rows)


def text_pace_rows(pace: dict[str, Any]) -> list[list[str]]:
    """Return a row for each system: what `PACE_OF_TEXT` names."""
    speeds, tokenizers = pace["words_per_second"], pace["tokenizer"]["words_per_second"]
    rows = []
    for name, speed in speeds.items():
        spacy = f"{speed / speeds['spaCy']:.1f}" if "spaCy" in speeds else "not measured"
        if name not in tokenizers:  # a peer
            rows.append([name, f"{speed:,}", spacy, *[""] * 4])
            continue
        peak = pace["peak"]["bytes"][name]
        rows.append(
            [
                name,
                f"{speed:,}",
                spacy,
                f"{tokenizers[name]:,}",
                f"{pace['first_tree']['process'][name][1]:.2f} s",
                "not known" if peak is None else f"{peak / 1e6:.0f} MB",
                f"{pace['bytes'][name] / 1e6:.1f} MB",
            ]
        )
    return rows


def joint_runs(results: dict[str, dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the plain models of joint.json by their names in the recipe, the newest of each."""
    runs = results["joint"].get("runs", {})
    found = {n: runs.get(name) or runs.get(name + EARLIER) for n, name in JOINT_RUNS.items()}
    return {name: seeds for name, seeds in found.items() if seeds}


def recipe(results: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what was measured of each system of the recipe: scores on test, cost, pace.

    Systems without scores or without a pace are left out. One that was not timed beside the others
    has the pace of joint.json, as times spaCy's: `beside` is False.
    """
    pace, joint = results["teachers"]["pace"], results["joint"]
    runs = joint_runs(results) | results["teachers"].get("runs", {})
    speeds = pace["words_per_second"]
    found: dict[str, dict[str, Any]] = {}
    for name, label in RECIPE.items():
        speed = speeds.get(name) or _elsewhere(name, joint.get("pace"), speeds)
        if name == "spaCy":
            scores, size, minutes = SPACY, SPACY_BYTES, SPACY_MINUTES
        elif seeds := runs.get(name):
            scores = {score: mean(s["test"][score] for s in seeds) for score in ("upos", "las")}
            size = pace["bytes"].get(name) or round(mean(seed["bytes"] for seed in seeds))
            minutes = mean(seed["seconds_of_epochs"] for seed in seeds) / 60
        else:
            continue
        if speed is None:
            continue
        found[name] = {
            **{"label": label, "upos": scores["upos"], "las": scores["las"], "minutes": minutes},
            **{"bytes": size, "transformer_bytes": pace["transformer_bytes"].get(name, 0)},
            **{"words_per_second": speed, "beside": name in speeds},
        }
    return found


def _elsewhere(name: str, pace: dict[str, Any] | None, speeds: dict[str, int]) -> int | None:
    """Return a pace measured in another run, in which spaCy was as fast as in that of `speeds`."""
    theirs = pace["words_per_second"] if pace else {}
    system = JOINT_PACES.get(name)
    if "spaCy" not in speeds or not {system, "spaCy"} <= theirs.keys():
        return None
    return round(speeds["spaCy"] * theirs[system] / theirs["spaCy"])


def megabytes(system: dict[str, Any]) -> str:
    """Return the size of a system of `recipe`, the transformer apart."""
    own = f"{system['bytes'] / 1e6:.1f}"
    if not system["transformer_bytes"]:
        return own
    return f"{own} + {system['transformer_bytes'] / 1e6:.1f}"


def teachers_recipe(results: dict[str, dict[str, Any]]) -> str:
    """Return the table of the recipe's systems, what it was measured on, and the picture."""
    pace, systems = results["teachers"]["pace"], recipe(results)
    rows = [
        [
            system["label"],
            f"{system['upos']:.2f}",
            f"{system['las']:.2f}",
            f"{system['minutes']:.0f}",
            megabytes(system),
            f"{system['words_per_second']:,}" + ("" if system["beside"] else " *"),
        ]
        for system in systems.values()
    ]
    c = pace["conditions"]
    notes = (
        f"{c['cpu']}, {c['threads']} threads, {c['kernels']}; medians of {c['rounds']} rounds over "
        f"{pace['words']:,} words"
    )
    if any(system["transformer_bytes"] for system in systems.values()):
        notes += f", with a transformer over {pace['slow_words']:,}"
    notes += f"; {c['date']}; commit {c['commit']}."
    if not all(system["beside"] for system in systems.values()):
        notes += " * From another run, as times spaCy's; hollow in the picture."
    columns = ["", "UPOS", "LAS", "minutes", "MB", "words/s"]
    picture = "![LAS on test against words/s](teachers.svg)"
    return f"{markdown(columns, rows)}\n\n{notes}\n\n{picture}"


def front(results: dict[str, dict[str, Any]]) -> str:
    """Return the README's table: scores and speed on EWT's test file, with the systems beside us.

    What others have published has no speed: it was not measured here.
    """
    rows = []
    shown = ("upos", "lemmas", "las")
    # the plain models trained beside the teachers are of the teachers' age
    runs = results["teachers"].get("runs", {}) | joint_runs(results)
    systems = recipe(results)
    for name, label in FRONT.items():
        if name in systems:
            system = systems[name]
            pace = f"{system['words_per_second']:,}" + ("" if system["beside"] else " *")
            tests = [seed["test"] for seed in runs.get(name, ())] or [system]
            cells = [_mean([test[s] for test in tests if s in test]) for s in shown]
            rows.append([label, "tokens", *cells, pace, megabytes(system)])
    for name, published in PUBLISHED_OF_TOKENS.items():
        cells = [published[score] for score in shown]
        rows.append([f"{name}, published", "tokens", *cells, "", ""])
    texts, name = results["raw_text"], "English model of the package"
    found = texts.get("runs", {}).get(EWT, {}).get("test", {}).get(name)
    if found and "pace" in texts:
        cells = [f"{found['scores'][score]:.2f}" for score in shown]
        pace = f"{texts['pace']['words_per_second'][name]:,}"
        size = f"{found['bytes'] / 1e6:.1f}"
        rows.append(["English model in the box", "text", *cells, pace, size])
    for name, published in PUBLISHED[EWT].items():
        cells = [published[score] for score in shown]
        rows.append([f"{name}, published", "text", *cells, "", ""])
    return markdown(["EWT test", "given", "UPOS", "Lemmas", "LAS", "words/s", "MB"], rows)


def text_pace(pace: dict[str, Any]) -> str:
    """Return the pace from text to trees, and what it was measured on."""
    c = pace["conditions"]
    made = markdown(PACE_OF_TEXT, text_pace_rows(pace))
    return (
        f"{made}\n\n{c['cpu']}, {c['threads']} threads, {c['kernels']}; medians of {c['rounds']} "
        f"rounds over {pace['words']:,} words; peak memory over {pace['peak']['megabytes']:g} MB "
        f"of text; {c['date']}; commit {c['commit']}."
    )


def _mean(values: list[float]) -> str:
    return f"{mean(values):.2f}" if values else ""


def _spread(values: list[float]) -> str:
    deviation = f" ({stdev(values):.2f})" if len(values) > 1 else ""
    return _mean(values) + deviation


def tables(results: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return all tables by the names they have in the documents."""
    tags = {"upos": "UPOS", "xpos": "XPOS", "ufeats": "UFeats"}
    treebanks, training = results["treebanks"], results["training"]
    made: dict[str, str] = {}
    if treebanks:
        made["tagger"] = table(treebanks, "EWT tagger", tags)
        made["parser"] = table(treebanks, "EWT parser", {"uas": "UAS", "las": "LAS"})
        made["ptb"] = table(treebanks, "PTB sample parser", {"uas": "UAS"})
        made["conditions"] = conditions(treebanks)
    if results["linear"]:
        made["linear"] = linear(results["linear"])
        made["linear-grid"] = linear_grid(results["linear"])
    if results["lstm"]:
        made["lstm"] = lstm(results["lstm"])
    for task in ("step", "parser", "tagger"):
        if task in training:
            made[f"training-{task}"] = markdown(training[task]["columns"], training[task]["rows"])
    if training:
        made["training"] = training_summary(training)
    made["speed-conditions"] = speed_conditions(results, ("linear", "lstm", "training"))
    decode = results["decode"]
    if decode:
        made["decode"] = f"{decode_table(decode)}\n\n{decode_checks(decode)}"
        made["decode-peers"] = markdown(**decode["peers_table"])
        made["decode-conditions"] = speed_conditions(results, ("decode",))
    joint = results["joint"].get("runs", {})
    if joint:
        made["joint"] = joint_summary(joint)
        made["joint-dev"] = joint_table(joint, "dev")
        made["joint-gold"] = joint_table(joint, "dev, gold tags kept")
        made["joint-test"] = joint_table(joint, "test")
        made["joint-conditions"] = joint_conditions(joint)
    if runs := results["teachers"].get("runs", {}):
        made["teachers-test"] = teachers_table(runs, "test")
        made["teachers-dev"] = teachers_table(runs, "dev")
    if "pace" in results["teachers"]:
        made["teachers-recipe"] = teachers_recipe(results)
        made["front"] = front(results)

    runs_of_text = results["raw_text"].get("runs", {})
    for name, treebank in (("raw-text", EWT), ("raw-text-turkish", IMST)):
        if runs_of_text.get(treebank, {}).get("test"):
            made[name] = raw_text_table(runs_of_text, treebank, "test")
    if "pace" in results["raw_text"]:
        made["raw-text-pace"] = text_pace(results["raw_text"]["pace"])
    if results["serve"]:
        made["serve"] = serve_table(results["serve"])
        made["serve-conditions"] = speed_conditions(results, ("serve",))
    if "step" in results["joint"]:
        made["joint-step"] = joint_step(results["joint"]["step"])
        made["joint-step-conditions"] = joint_step_conditions(results["joint"]["step"])
    if "pace" in results["joint"]:
        made["joint-pace"] = joint_pace(results["joint"]["pace"])
    return {name: made.get(name) or UNMEASURED for name in NAMES}


def serve_table(results: dict[str, Any]) -> str:
    """Return what came of many clients at the server."""
    columns = ["clients", "seconds", "requests", "lost", "requests/s", "words/s"]
    columns += ["median, ms", "95 %", "99 %", "slowest", "memory"]
    row = [
        str(results["clients"]),
        f"{results['seconds']:.0f}",
        f"{results['requests']:,}",
        str(results["lost"]),
        f"{results['requests_per_second']:.0f}",
        f"{results['words_per_second']:,}",
        *(f"{milliseconds:.0f}" for milliseconds in results["ms"].values()),
        f"{results['bytes_of_memory'] / 1e6:.0f} MB",
    ]
    made = markdown(columns, [row])
    return f"{made}\n\nEach request has {results['words_a_request']:.0f} words on average."


def filled(text: str, results: dict[str, dict[str, Any]]) -> str:
    """Return a document with its tables made of `results`."""
    for name, made in tables(results).items():
        pattern = rf"(<!-- table: {name} -->\n).*?(<!-- end -->)"
        before, after = r"\g<1>", r"\n\g<2>"
        text = re.sub(pattern, before + made.replace("\\", r"\\") + after, text, flags=re.S)
    return text


def main() -> None:
    """Write or check."""
    results = measured()
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        new = filled(text, results)
        if "--check" in sys.argv and text != new:
            raise SystemExit(f"{path.name}: tables differ; run benchmarks/readme.py")
        if text != new:
            path.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
