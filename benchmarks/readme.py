"""Write the tables of README.md and docs/ from benchmarks/results/*.json; `--check` compares.

The tables stand between `<!-- table: NAME -->` and `<!-- end -->`. What has not been measured says
so.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tables.front import front
from tables.joint import (
    joint_conditions,
    joint_pace,
    joint_step,
    joint_step_conditions,
    joint_summary,
    joint_table,
)
from tables.markdown import markdown
from tables.papers import conditions, table
from tables.published import EWT, IMST
from tables.speed import (
    decode_checks,
    decode_table,
    linear,
    linear_grid,
    lstm,
    serve_table,
    speed_conditions,
    training_summary,
)
from tables.teachers import teachers_recipe, teachers_table
from tables.texts import raw_text_table, text_pace

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
UNMEASURED = "Not measured yet."


def measured() -> dict[str, dict[str, Any]]:
    """Return what each of `FILES` holds, nothing where it is not there."""
    paths = {name: RESULTS / f"{name}.json" for name in FILES}
    return {
        name: json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for name, path in paths.items()
    }


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
