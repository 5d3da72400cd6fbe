"""`annotate`, and other commands with a joint model: what is replaced, and what is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.data.conll.reading import read, read_text
from meprop_nlp.data.conll.writing import write
from meprop_nlp.data.sentence import Sentence

TAGS = ("upos", "xpos", "feats")
TAB, CONLLX = "Go\tVB\n\n", "1\tGo" + "\t_" * 6 + "\n\n"
PLUS = "# global.columns = ID FORM\n1\tGo\n\n"
ALL = ("form", "lemma", *TAGS, "head", "deprel", "deps", "misc")


def annotated(run: Any, command: str, *arguments: object) -> dict[str, list[str]]:
    """The columns of all words that a command writes."""
    result = run(command, *arguments)
    assert result.exit_code == 0, result.stderr
    return columns(read_text(result.stdout))


def columns(sentences: Any) -> dict[str, list[str]]:
    every = list(sentences)
    return {name: [value for s in every for value in s.column(name)] for name in ALL}


def changed(before: dict[str, list[str]], after: dict[str, list[str]]) -> set[str]:
    return {name for name in ALL if before[name] != after[name]}


def retagged(path: Path, target: Path, **tags: str) -> Path:
    """The file with one tag for all words in some columns."""
    sentences: list[Sentence] = [
        sentence.with_columns(**{name: [tag] * len(sentence) for name, tag in tags.items()})
        for sentence in read(path)
    ]
    write(sentences, target)
    return target


@pytest.fixture
def blank(small: Path, tmp_path: Path) -> Path:
    """The small treebank without tags."""
    return retagged(small, tmp_path / "blank.conllu", upos="_", xpos="_", feats="_")


@pytest.fixture
def gold(small: Path) -> dict[str, list[str]]:
    return columns(read(small))


# what is replaced


@pytest.mark.parametrize(
    ("command", "options", "replaced"),
    [
        ("annotate", "", {"lemma", *TAGS, "head", "deprel"}),
        ("annotate", "--heads tags", {*TAGS}),
        ("annotate", "--heads lemmas", {"lemma"}),
        ("annotate", "--heads tree,tags", {*TAGS, "head", "deprel"}),
        ("annotate", "--keep upos,lemma", {"xpos", "feats", "head", "deprel"}),
        ("annotate", "--keep upos,xpos,feats --heads tags,tree", {"head", "deprel"}),
        ("annotate", "--keep upos --heads tags", {"xpos", "feats"}),
        ("tag", "", {*TAGS}),
        ("parse", "", {"head", "deprel"}),
    ],
)
@pytest.mark.parametrize("threads", [1, 3])
def test_columns_that_are_predicted_are_replaced_and_no_others(
    command: str,
    options: str,
    replaced: set[str],
    threads: int,
    run: Any,
    joint: Path,
    small: Path,
    gold: dict[str, list[str]],
) -> None:
    found = annotated(run, command, "-m", joint, *options.split(), "-t", threads, small)
    assert changed(gold, found) == replaced


def test_confidence_is_that_of_what_is_predicted(run: Any, joint: Path, small: Path) -> None:
    first = run("annotate", "-m", joint, "--confidence", small).stdout.split("\n")[2]
    for name in ("UPOS", "XPOS", "FEATS", "Lemma", "Arc"):
        assert f"{name}Conf=" in first
    options = ("--confidence", "--keep", "upos", "--heads", "tags,tree")
    first = run("annotate", "-m", joint, *options, small).stdout.split("\n")[2]
    names = [part.partition("=")[0] for part in first.split("\t")[9].split("|")]
    assert names == ["XPOSConf", "FEATSConf", "ArcConf"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (TAB, "--keep upos,xpos", "FORM TAG, with no upos to keep; leave it out of --keep"),
        (TAB, "--confidence", "FORM TAG, with no MISC for --confidence; leave it out"),
        (CONLLX, "--confidence", "the columns of CoNLL-X, with no MISC for"),
        (CONLLX, "--confidence -t 3", "the columns of CoNLL-X, with no MISC for"),
        (PLUS, "--keep xpos", "CoNLL-U Plus, with no xpos to keep"),
    ],
)  # fmt: skip
def test_columns_that_a_file_does_not_have_are_neither_kept_nor_written(
    text: str, options: str, message: str, run: Any, joint: Path
) -> None:
    result = run("annotate", "-m", joint, *options.split(), stdin=text)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_columns_that_a_file_has_are_kept(run: Any, joint: Path) -> None:
    kept = run("annotate", "-m", joint, "--keep", "xpos", stdin="Go\tODD\n\n")
    assert (kept.exit_code, kept.stdout.split("\t")[:2]) == (0, ["Go", "ODD"])
    assert "UPOSConf=" in run("annotate", "-m", joint, "--confidence", stdin=PLUS).stdout


def test_deps_change_only_beside_a_new_tree(run: Any, joint: Path) -> None:
    line = "1\tGo\tgo\tVERB\tVB\t_\t0\troot\t0:old\t_\n\n"
    assert "\t0:old\t" in run("annotate", "-m", joint, "--heads", "tags", stdin=line).stdout
    assert "\t0:old\t" not in run("annotate", "-m", joint, stdin=line).stdout


def test_other_formats_stay_what_they_are(run: Any, joint: Path) -> None:
    tab = "The\tDT\ndog\tNN\n\nbarks\tVBZ\n\n"
    result = run("annotate", "-m", joint, "--heads", "tags", stdin=tab)
    fields = [line.split("\t") for line in result.stdout.split("\n")]
    assert [each[0] for each in fields] == ["The", "dog", "", "barks", "", ""]
    assert all(len(each) in (1, 2) for each in fields)


# what is read


def test_trees_and_lemmas_follow_the_tags_that_are_kept(
    run: Any, joint: Path, small: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.conllu"
    write(
        [s.with_columns(**{name: s.column(name)[::-1] for name in TAGS}) for s in read(small)],
        wrong,
    )
    options = ("annotate", "-m", joint, "--confidence")
    plain = [annotated(run, *options, path) for path in (small, wrong)]
    assert plain[0] == plain[1]  # its own tags
    options += ("--keep", "upos,xpos,feats")
    one, two = (annotated(run, *options, path) for path in (small, wrong))
    assert "head" in changed(one, two)
    confidence = [
        [misc.partition("LemmaConf=")[2].partition("|")[0] for misc in found["misc"]]
        for found in (plain[0], one, two)
    ]
    assert confidence[0] != confidence[1] != confidence[2]


def test_tags_that_are_missing_or_unknown_are_the_models_own(
    run: Any, joint: Path, blank: Path, small: Path, tmp_path: Path
) -> None:
    own = annotated(run, "annotate", "-m", joint, small)
    odd = retagged(small, tmp_path / "odd", upos="ODD", xpos="ODD", feats="Odd=Yes")
    for path in (blank, odd):
        found = annotated(run, "annotate", "-m", joint, "--keep", "upos,xpos,feats", path)
        assert changed(own, found) == {*TAGS}


def test_kept_columns_are_read_one_by_one(
    run: Any, joint: Path, small: Path, tmp_path: Path
) -> None:
    own = annotated(run, "annotate", "-m", joint, small)
    same = tmp_path / "same.conllu"
    sentences = list(read(small))
    start = 0
    for n, sentence in enumerate(sentences):
        end = start + len(sentence)
        sentences[n] = sentence.with_columns(upos=own["upos"][start:end])
        start = end
    write(sentences, same)
    kept = annotated(run, "annotate", "-m", joint, "--keep", "upos", same)
    assert changed(kept, own) <= {"head", "deprel", "lemma"}  # certain of the same UPOS


def test_parse_reads_the_tags_of_the_file(run: Any, joint: Path, small: Path, blank: Path) -> None:
    kept = annotated(run, "annotate", "-m", joint, "--keep", "upos,xpos,feats", small)
    own = annotated(run, "annotate", "-m", joint, small)
    assert kept["head"] != own["head"]
    assert annotated(run, "parse", "-m", joint, small)["head"] == kept["head"]
    result = run("parse", "-m", joint, blank)
    assert result.stderr == ""  # it has tags of its own
    parsed = columns(read_text(result.stdout))
    assert (parsed["head"], set(parsed["upos"])) == (own["head"], {"_"})


def test_tagger_before_a_joint_parser_is_read(
    run: Any, joint: Path, tagger: Path, blank: Path, tmp_path: Path
) -> None:
    tagged = tmp_path / "tagged.conllu"
    assert run("tag", "-m", tagger, blank, "-o", tagged).exit_code == 0
    expected = run("parse", "-m", joint, tagged).stdout
    assert run("parse", "-m", joint, "--tagger", tagger, blank).stdout == expected


def test_joint_model_is_a_tagger_for_a_parser(
    run: Any, joint: Path, parser: Path, blank: Path, tmp_path: Path
) -> None:
    tagged = tmp_path / "tagged.conllu"
    assert run("tag", "-m", joint, blank, "-o", tagged).exit_code == 0
    expected = run("parse", "-m", parser, tagged).stdout
    assert run("parse", "-m", parser, "--tagger", joint, blank).stdout == expected


# what is refused


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("annotate -m JOINT --heads tags,x SMALL", 2, "expected any of tokens, tags, lemmas, tree"),
        ("annotate -m JOINT --keep deprel SMALL", 2, "expected any of upos, xpos, feats, lemma"),
        ("annotate -m JOINT --keep upos --heads tree SMALL -t 257", 2, "--threads is 257"),
        ("annotate -m JOINT --heads lemmas --keep lemma SMALL", 2, "all that would be predicted"),
        ("annotate -m BARE --keep lemma SMALL", 2, "--keep is lemma, expected some of upos"),
        ("annotate -m BARE --heads tree SMALL", 2, "--heads is tree, expected some of this model"),
        ("annotate -m TAGGER SMALL", 1, "is a tagger, expected a joint model"),
        ("annotate -m PARSER SMALL", 1, "is a parser, expected a joint model"),
        ("tag -m PARSER SMALL", 1, "is a parser, expected a tagger or a joint model"),
        ("parse -m BARE SMALL", 1, "is a joint model with the heads tags, and has no tree"),
        (
            "annotate -m nowhere SMALL",
            1,
            "one with: meprop-nlp train --train FILE -o nowhere",
        ),
        ("annotate -m JOINT nowhere", 1, "nowhere: no such file"),
        ("annotate -m SMALL SMALL", 1, "file of train, train-tagger or train-parser"),
        ("annotate -m JOINT SMALL -o JOINT", 2, "is an input file too"),
        ("evaluate SMALL SMALL --keep upos", 2, "--keep goes with --model"),
        ("evaluate SMALL -m PARSER --keep upos", 2, "expected no column for this model"),
        ("evaluate SMALL -m JOINT --tagger TAGGER", 2, "found a joint model"),
        ("benchmark JOINT SMALL --tagger TAGGER", 2, "found a joint model"),
    ],
)
def test_what_cannot_be_is_refused(
    words: str,
    status: int,
    message: str,
    run: Any,
    joint: Path,
    tagger: Path,
    parser: Path,
    small: Path,
    bare: Path,
) -> None:
    named = {"JOINT": joint, "TAGGER": tagger, "PARSER": parser, "SMALL": small, "BARE": bare}
    result = run(*(named.get(word, word) for word in words.split()))
    assert result.exit_code == status
    assert message in result.stderr
    assert result.stdout == ""


@pytest.fixture(scope="module")
def bare(train_joint: Any, treebank: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A joint model with tags only."""
    path = tmp_path_factory.mktemp("models") / "bare.safetensors"
    options = ("--heads", "tags", "--epochs", 1, "-q", "-o", path)
    assert train_joint("--train", treebank, "--dev", "none", *options).exit_code == 0
    return path


# scores and descriptions


def test_evaluate_scores_all_heads_or_those_that_are_not_kept(
    run: Any, joint: Path, small: Path
) -> None:
    def f1(*options: object) -> dict[str, float]:
        found = json.loads(run("evaluate", small, "-m", joint, *options, "--json").stdout)
        return {name: m["f1"] for name, m in found["metrics"].items() if m is not None}

    plain, kept = f1(), f1("--keep", "upos,xpos,feats")
    assert {"upos", "xpos", "ufeats", "uas", "las", "clas"} <= set(plain)
    assert not {"upos", "xpos", "ufeats"} & set(kept)
    assert kept["uas"] != plain["uas"]


def test_tags_are_scored_where_gold_has_no_trees(
    run: Any, joint: Path, small: Path, tmp_path: Path
) -> None:
    flat = tmp_path / "flat.conllu"
    bare = [s.with_columns(head=[-1] * len(s), deprel=["_"] * len(s)) for s in read(small)]
    write(bare, flat)
    result = run("evaluate", flat, "-m", joint)
    assert result.exit_code == 0, result.stderr
    assert "\nUPOS " in result.stdout
    assert "\nUAS " not in result.stdout


def test_info_names_heads_and_layers_and_counts_scripts(run: Any, joint: Path) -> None:
    described = run("info", joint).stdout
    assert "\nholds          joint model\n" in described
    assert "\nheads          tags, lemmas, tree, over 1 BiLSTM layer\n" in described
    assert "\nlemma scripts  " in described
    assert json.loads(run("info", joint, "--json").stdout).keys().isdisjoint({"scripts", "tags"})


def test_benchmark_times_each_head(run: Any, joint: Path, small: Path) -> None:
    result = run("benchmark", joint, small, "--rounds", 1, "-t", 1, "--json")
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)
    assert list(figures["words_per_second"]) == [
        "reading", "encoding", "tagging", "lemmatizing", "parsing", "writing", "together",
    ]  # fmt: skip
    assert figures["model_bytes"] == {"joint": joint.stat().st_size}


# tags that a parser needs

UNTAGGED = "1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
TAGGED = "1\ta\t_\tX\tX\t_\t_\t_\t_\t_\n\n"


def test_parser_refuses_words_without_tags(
    run: Any,
    parser: Path,
    blank: Path,
    small: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    lack = "has no UPOS and no XPOS, which the parser reads; give --tagger MODEL"
    for arguments, text, where in (([], UNTAGGED, "<stdin>"), ([blank], None, str(blank))):
        result = run("parse", "-m", parser, *arguments, stdin=text)
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"error: {where} {lack}" in result.stderr
    result = run("parse", "-m", parser, "-t", 3, small, blank)
    assert result.exit_code == 1
    assert result.stdout == run("parse", "-m", parser, small).stdout
    assert f"error: {blank} {lack}" in result.stderr
    result = run("evaluate", blank, "-m", parser)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"error: {blank} {lack}" in result.stderr


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_parser_uses_the_tagger_at_its_usual_place(
    threads: int,
    encoding: str,
    run: Any,
    parser: Path,
    tagger: Path,
    blank: Path,
    small: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tagger.safetensors").write_bytes(tagger.read_bytes())
    for path in (blank, small):
        path.with_name(path.name + ".x").write_text(path.read_text("utf-8"), encoding)
    blank, small = blank.with_name(blank.name + ".x"), small.with_name(small.name + ".x")
    options = ("-m", parser, "-t", threads, "--encoding", encoding)
    expected = run("parse", *options, "--tagger", tagger, blank).stdout
    expected += run("parse", *options, small).stdout
    result = run("parse", *options, blank, small)
    assert (result.exit_code, result.stdout) == (0, expected)
    assert result.stderr == (
        f"{blank} has no UPOS and no XPOS, which the parser reads: tagging it with "
        "models/tagger.safetensors first\n"
    )
    assert run("parse", *options, blank, small, "-q").stderr == ""
    result = run("parse", *options, blank, "-o", "models/tagger.safetensors")
    assert result.exit_code == 2
    assert "is an input file too" in result.stderr


def test_sentence_without_tags_among_others_is_refused(run: Any, parser: Path) -> None:
    result = run("parse", "-m", parser, stdin=TAGGED * 2 + UNTAGGED * 2)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: <stdin>: sentence 3 has no UPOS and no XPOS, which the parser")
    for tags, lacking in (("_\tX", "UPOS"), ("X\t_", "XPOS")):
        one_tag = TAGGED.replace("X\tX", tags)
        result = run("parse", "-m", parser, stdin=TAGGED + one_tag + UNTAGGED)
        assert result.exit_code == 1
        assert f"<stdin>: sentence 2 has no {lacking}, which the parser" in result.stderr
    gaps = TAGGED[:-1] + UNTAGGED.replace("1", "2")
    result = run("parse", "-m", parser, stdin=TAGGED + gaps)
    assert (result.exit_code, result.stderr) == (0, "")


def test_one_column_without_tags_is_refused_or_tagged(
    run: Any, parser: Path, tagger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    half = TAGGED.replace("X\tX", "X\t_")
    result = run("parse", "-m", parser, stdin=half)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: <stdin> has no XPOS, which the parser reads; give ")
    (tmp_path / "half.conllu").write_text(half.replace("_\t_\t_\t_\n", "0\troot\t_\t_\n"))
    result = run("evaluate", "half.conllu", "-m", parser)
    assert result.exit_code == 1
    assert "half.conllu has no XPOS, which the parser reads" in result.stderr
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tagger.safetensors").write_bytes(tagger.read_bytes())
    half += TAGGED  # the first sentence decides
    result = run("parse", "-m", parser, stdin=half)
    assert result.exit_code == 0
    assert result.stdout == run("parse", "-m", parser, "--tagger", tagger, stdin=half).stdout


def test_faulty_sentence_before_the_words_is_reported_as_ever(run: Any, parser: Path) -> None:
    faulty = "1\ta\tb\n\n"
    result = run("parse", "-m", parser, stdin=TAGGED + faulty)
    assert result.exit_code == 1
    assert "error: <stdin>:3: " in result.stderr
    result = run("parse", "-m", parser, "--on-error", "skip", stdin=TAGGED + faulty + TAGGED)
    assert result.exit_code == 0
    assert result.stdout.count("\n\n") == 2
