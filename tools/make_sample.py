"""Writes the sample treebank: `python tools/make_sample.py`. The same bytes on every run."""

from __future__ import annotations

import argparse
from pathlib import Path

from sample_grammar.treebank import write

TARGET = Path(__file__).resolve().parent.parent / "meprop_nlp" / "data" / "sample"


def main() -> None:
    """Write train.conllu, dev.conllu, test.conllu and README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET, help="folder to write to")
    write(parser.parse_args().out)


if __name__ == "__main__":
    main()
