"""Annotate random sentences for some time with a tagger, parsers, a joint model and a tokenizer.

stream.py CORE SECONDS    # CORE: the build of the core to use
"""

from __future__ import annotations

import io
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tools")]

from core_at import use_core  # noqa: E402

use_core(Path(sys.argv[1]))

from models.models import (  # noqa: E402
    random_joint,
    random_parser,
    random_sentences,
    random_tagger,
    with_tokenizer,
)

from meprop_nlp.models.annotate import annotate  # noqa: E402
from meprop_nlp.models.model import Model  # noqa: E402

READER = Model(with_tokenizer(random_joint(1, tree="transitions")))
CHAINS = [
    [Model(random_tagger(1)), Model(random_parser(2, tag_columns=("upos",)))],
    [Model(random_joint(3, tree="graph"))],
    [READER],
]


def main() -> None:
    """Print how many sentences there were, and the memory at the first and after the last."""
    start, n, round_ = time.monotonic(), 0, 0
    first = 0
    while time.monotonic() - start < float(sys.argv[2]):
        round_ += 1
        sentences = random_sentences(round_, [1, 2, 3, 5, 8, 13, 21, 34] * 8)
        text = "".join(map(str, sentences)).encode()
        for models in CHAINS:
            for _ in annotate(io.BytesIO(text), models, confidence=True):
                pass
            n += len(sentences)
        plain = "\n".join(" ".join(sentence.forms) for sentence in sentences).encode()
        for _ in annotate(io.BytesIO(plain), [READER], input_format="text"):
            pass
        n += len(sentences)
        if round_ == 20:
            first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    last = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{n:,} sentences; peak memory {first:,} kB after 20 rounds, {last:,} kB at the end")


main()
