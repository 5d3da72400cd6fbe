"""The tables of docs/speed.md and docs/serve.md."""

from __future__ import annotations

from typing import Any

from tables.markdown import markdown


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


def times_spacy(name: str, speeds: dict[str, int]) -> str:
    """Return how many times as fast as spaCy a system is."""
    return f"{speeds[name] / speeds['spaCy']:.1f}" if "spaCy" in speeds else "not measured"


def pace_conditions(pace: dict[str, Any], more: str = "") -> str:
    """Return what a pace was measured on; `more`: what else, in words."""
    c = pace["conditions"]
    return (
        f"{c['cpu']}, {c['threads']} threads, {c['kernels']}; medians of {c['rounds']} rounds over "
        f"{pace['words']:,} words{more}; {c['date']}; commit {c['commit']}."
    )


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
