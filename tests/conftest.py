"""What every test may use: treebanks, the native core, CoNLL text at random."""

from __future__ import annotations

import os
import random
import re
import signal
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from meprop_nlp import native
from meprop_nlp.data.conll.layout import CONLLU, Layout
from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import escaped, space_misc

# a suite that a shell starts in the background ignores Ctrl-C, and what it starts would too
signal.signal(signal.SIGINT, signal.default_int_handler)

# a busy machine is no fault
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

CORE = native.core()

MakeText = Callable[[random.Random, Layout], bytes]

VALUES = ["_", "a", "b|c=d", "é", "你好", "😀", " ", "a b", "1", "#", "x=1|conf=0.5|y", "\u00a0"]
FORMS = [value for value in VALUES if value != " "]
PIECES = (
    b"\t", b"\n", b"\r", b"\r\n", b"\0", b" ", b"#", b"_", b"-", b".", b"0", b"1", b"2", b"9",
    b"a", b"\n\n", b"\n \t\n", b"\n# c\n", b"\n# c\n\n", b"\xef\xbb\xbf",
    b"\xff", b"\xc3", b"\xa9", b"\xc0\x80", b"\xed\xa0\x80", b"\xe0\x80\x80", b"\xe2\x80",
    b"\xf4\x90\x80\x80", b"\xf0\x80\x80\x80", b"\xf0\x9f\x98",
)  # fmt: skip
FIELDS = (
    b"", b"_", b"0", b"01", b"3", b"99", b"2-3", b"1-1", b"3-2", b"1.1", b"0.1", b"1.0",
    b"1234567890", b"4294967297", b"-1", b" ", b"  ",
)  # fmt: skip


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under `make test-extras`, which installs every extra, a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("MEPROP_NLP_EXTRAS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real treebanks; the test is skipped where it is not."""
    default = Path(__file__).parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("MEPROP_NLP_DATA", default))
    if not (folder / "ud-english-ewt").is_dir():
        pytest.skip(f"no treebanks in {folder}; set MEPROP_NLP_DATA to run this test")
    return folder


@pytest.fixture(scope="session")
def suffixed() -> list[Sentence]:
    """A made-up treebank in which nouns with `di` are two words, and verbs with `di` are one.

    Only the noun or the verb before it says which, and almost each form occurs once. Most nouns
    have the vowels a and o, and most verbs e and i, but `tete` and `kidi` are nouns, and `pabo` and
    `koto` verbs.
    """
    rng = random.Random(1)
    odd = {"tete": "NOUN", "kidi": "NOUN", "pabo": "VERB", "koto": "VERB"}
    words = dict(odd)
    while len(words) < 900:
        upos, is_odd = rng.choice(["NOUN", "VERB"]), rng.random() < 0.2
        vowels = "ao" if (upos == "NOUN") != is_odd else "ei"
        word = "".join(rng.choice("ptkbdrs") + rng.choice(vowels) for _ in range(3))
        words.setdefault(word, upos)
    pairs = [(word, upos) for word, upos in words.items() if word not in odd]
    bare = [*rng.sample(pairs, 600), *odd.items()]
    suffixed = rng.sample(pairs, 500)
    lines = []
    each = [(*word, "") for word in bare] + [(*word, "di") for word in suffixed]
    for stem, upos, ending in each:
        form = stem + ending
        if ending and upos == "NOUN":
            lines += [f"1-2\t{form}" + "\t_" * 8, f"1\t{stem}\t{stem}\tNOUN" + "\t_" * 6]
            lines.append("2\tdi\ti\tAUX" + "\t_" * 5 + "\tSpaceAfter=No")
            lines[-1] = "2\tdi\ti\tAUX" + "\t_" * 6
            last = 3
        else:
            lines.append(f"1\t{form}\t{stem}\t{upos}" + "\t_" * 6)
            last = 2
        lines.append(f"{last}\t.\t.\tPUNCT" + "\t_" * 6)
        lines.append("")
    return list(read_text("\n".join(lines) + "\n"))


@pytest.fixture(params=CORE.instruction_sets() if CORE else ["none"])
def core(request: pytest.FixtureRequest):
    """The native core, with each of its instruction sets in use in turn."""
    if CORE is None:
        pytest.skip(native.why_missing())
    before = CORE.instruction_set()
    CORE.use_instruction_set(request.param)
    yield CORE
    CORE.use_instruction_set(before)


def clean_block(rng: random.Random, layout: Layout) -> list[str]:
    """The lines of one sentence, with its empty line."""
    n = rng.choice([1, 2, 3, 12])
    lines = ["# sent_id = \tñ" for _ in range(rng.randrange(3))]
    covered = 0
    for word in range(1, n + 1):
        others = ["_"] * (layout.width - 2)
        if layout.kind == "conllu" and word == 1 and rng.random() < 0.1:
            lines.append("\t".join(["0.1", "_", *others]))
        if layout.kind == "conllu" and word > covered and rng.random() < 0.2:
            covered = rng.randint(word, n)
            lines.append("\t".join([f"{word}-{covered}", rng.choice(FORMS), *others]))
        columns = [str(word), rng.choice(FORMS), *rng.choices(VALUES, k=layout.width - 2)]
        columns[6] = rng.choice(["_", str(rng.randint(0, n))])
        lines.append("\t".join(columns))
        if layout.kind == "conllu" and rng.random() < 0.1:
            lines.append("\t".join([f"{word}.{rng.randint(1, 12)}", "", *others]))
        if rng.random() < 0.05:
            lines.append("# between")
    return [*lines, ""]


def clean_text(rng: random.Random, layout: Layout) -> bytes:
    """A few sentences as the core takes them."""
    blocks = [clean_block(rng, layout) for _ in range(rng.randint(1, 4))]
    return "".join(f"{line}\n" for block in blocks for line in block).encode()


def messy_text(rng: random.Random, layout: Layout) -> bytes:
    """The same, with up to three places changed; not all changes are faults."""
    text = clean_text(rng, layout)
    for _ in range(rng.randint(0, 3)):
        lines = text.split(b"\n")
        at = rng.randrange(len(text) + 1)
        line = rng.randrange(len(lines))
        fields = lines[line].split(b"\t")
        kind = rng.randrange(9)
        if kind == 0:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + rng.choice(PIECES) + text[at + 1 :]
        elif kind == 2:
            text = b"\n".join([*lines[:line], *lines[line + 1 :]])
        elif kind == 3:
            text = b"\n".join([*lines[: line + 1], *lines[line:]])
        elif kind == 4:
            text = text[:at]
        elif kind == 5:
            text = rng.choice([b"\xef\xbb\xbf", b"\n", b"# carried\n\n", b" \n"]) + text
        elif kind == 6:
            text = text.replace(b"\n", rng.choice([b"\r\n", b"\r"]), rng.choice([1, 3, -1]))
        else:
            fields[rng.randrange(len(fields))] = rng.choice(FIELDS)
            lines[line] = b"\t".join(fields)
            text = b"\n".join(lines)
    return text


@pytest.fixture(
    scope="session",
    params=[CONLLU, Layout("conllx", 10), Layout("conllx", 8)],
    ids=lambda layout: f"{layout.kind}{layout.width}",
)
def layout(request: pytest.FixtureRequest) -> Layout:
    """Each layout that the core reads."""
    layout: Layout = request.param
    return layout


@pytest.fixture(scope="session")
def make_clean() -> MakeText:
    """Makes text as the core takes it."""
    return clean_text


@pytest.fixture(scope="session")
def make_messy() -> MakeText:
    """Makes text that may be faulty."""
    return messy_text


class PlainTokenizer:
    """Makes words of text without having learnt it: runs of letters, and other characters alone.

    A sentence ends with a full stop or a paragraph.
    """

    def conllu(self, text: str) -> str:
        """The words as CoNLL-U, from which the text can be put together."""
        tokens = list(re.finditer(r"\w+|[^\w\s]", text))
        if not tokens:
            return ""
        ends = [token.start() for token in tokens[1:]] + [len(text)]
        lines: list[str] = []
        number, begins = 1, True
        for token, end in zip(tokens, ends, strict=True):
            if number == 1:
                lines += ["# newpar"] * begins
            spaces = text[token.end() : end]
            misc = space_misc(spaces)
            if lines == ["# newpar"] and token.start():
                misc = f"SpacesBefore={escaped(text[: token.start()])}" + f"|{misc}" * (misc != "_")
            lines.append(f"{number}\t{token[0]}" + "\t_" * 7 + f"\t{misc}")
            number += 1
            begins = re.search(r"\n\s*\n", spaces) is not None
            if begins or token[0] == "." or token is tokens[-1]:
                lines.append("")
                number = 1
        return "".join(f"{line}\n" for line in lines)


@pytest.fixture(scope="session")
def tokenizer() -> PlainTokenizer:
    """A tokenizer for models that have none."""
    return PlainTokenizer()


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Imports a script of benchmarks/ by name; PyTorch's threads are afterwards as before."""
    import torch

    threads = torch.get_num_threads()
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    yield import_module
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def make_encoder() -> Callable[..., Path]:
    """Write a tiny pretrained encoder with random weights into a folder; return the folder.

    Its pieces are letters, and a few words. `kind` is bert, roberta, whose pieces are bytes, or
    gpt2, which is no encoder; `config` takes settings of its configuration.
    """
    reason = "transformers is not installed: pip install 'meprop-nlp[transformers]'"
    transformers = pytest.importorskip("transformers", reason=reason)
    import tokenizers
    import torch
    from tokenizers import models, normalizers, pre_tokenizers, processors

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]

    def make(folder: Path, kind: str = "bert", *, seed: int = 5, **config: Any) -> Path:
        if kind == "bert":
            letters = "abcdefghijklmnopqrstuvwxyz.!"
            pieces = [*specials, *letters, *(f"##{x}" for x in letters), "the", "dog", "##ing"]
            made = tokenizers.Tokenizer(
                models.WordPiece({p: n for n, p in enumerate(pieces)}, unk_token="[UNK]")
            )
            made.normalizer = normalizers.BertNormalizer(lowercase=True)
            made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        else:
            pieces = [*specials, *sorted(pre_tokenizers.ByteLevel.alphabet()), "\u0120t"]
            vocab = {p: n for n, p in enumerate(pieces)}
            made = tokenizers.Tokenizer(models.BPE(vocab, [("\u0120", "t")]))
            made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        ends = [("[CLS]", 2), ("[SEP]", 3)]
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=ends
        )
        names = dict(zip(["pad", "unk", "cls", "sep"], specials, strict=True))
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_object=made, **{f"{name}_token": piece for name, piece in names.items()}
        )
        tokenizer.save_pretrained(folder)
        settings = {
            "vocab_size": len(pieces), "hidden_size": 16, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": 20, "max_position_embeddings": 40,
            "pad_token_id": 0,
        }  # fmt: skip
        class_of = {"bert": "Bert", "roberta": "Roberta", "gpt2": "GPT2"}[kind]
        made_config = getattr(transformers, f"{class_of}Config")(**settings | config)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = getattr(transformers, f"{class_of}Model")(made_config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(3)  # so that the words around a word matter
        model.save_pretrained(folder)
        return folder

    return make
