"""Kill, fill and crowd the program at random, and check that nothing is lost or left over.

    python tools/torture [--seconds 3600] [--seed S] [--case N]

Trainings and annotations are struck by SIGKILL, SIGTERM, SIGHUP and SIGINT at random operations on
files and at random moments, meet full disks, slow pipes and each other; then they are resumed. What
they leave must be what an undisturbed run leaves, to the byte, and no file beside it. It prints its
seed; a case is told by the seed and its number. The exit status is 1 if there was a fault.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random, SystemRandom

import torch
from cases import KINDS, Case
from works import Works

from meprop_nlp.commands.run_training import run_training  # noqa: F401, loaded before forking
from meprop_nlp.training import run  # noqa: F401


def main() -> None:
    """Run cases until the time is over; report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600, help="how long")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    parser.add_argument("--case", type=int, help="only the case of this number")
    options = parser.parse_args()
    torch.set_num_threads(1)  # a forked process has none of the threads of this one
    print(f"seed {options.seed}", flush=True)
    started, faulty, done = time.monotonic(), 0, Counter[str]()
    # no TemporaryDirectory: a forked process would remove it when it exits
    place = Path(tempfile.mkdtemp(prefix="torture-"))
    try:
        works = Works(place)
        number = options.case or 1
        while True:
            case = _run(works, place / "case", options.seed, number, done)
            if case.faults:
                faulty += 1
                print(f"case {number}: {'; '.join(case.story)}")
                for fault in case.faults:
                    print(f"  FAULT {fault}")
                print(f"  again: python tools/torture --seed {options.seed} --case {number}")
                sys.stdout.flush()
            number += 1
            if options.case or time.monotonic() - started >= options.seconds:
                break
    finally:
        shutil.rmtree(place)
    for kind, n in sorted(done.items()):
        print(f"{n:6,}  {kind}")
    seconds = time.monotonic() - started
    print(f"{done.total():,} cases in {seconds:,.0f} s, seed {options.seed}, faulty: {faulty}")
    raise SystemExit(faulty > 0)


def _run(works: Works, folder: Path, seed: int, number: int, done: Counter[str]) -> Case:
    """Run a case in a folder of its own, and count its kind."""
    random = Random(f"{seed}/{number}")
    (kind,) = random.choices(list(KINDS), list(KINDS.values()))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    case = Case(random, works, folder)
    done[kind(case)] += 1
    return case


if __name__ == "__main__":
    main()
