"""The cases: each does one kind of harm, chosen by a random generator, and returns the faults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

from child import Blow, Child, Ended
from works import ANNOTATIONS, MODEL, TRAININGS, Undisturbed, Works, contents

from meprop_nlp.errors import MePropError
from meprop_nlp.models.file import read_model_file

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@dataclass(slots=True)
class Case:
    """One case.

    Attributes:
        random: all that is chosen comes from it.
        works: what can be run.
        folder: an empty one, for what is written.
        story: what was done, in words.
        faults: what was wrong.
        killed: whether a process had no time to clean up.
    """

    random: Random
    works: Works
    folder: Path
    story: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    killed: bool = False

    def start(self, words: list[str], **options: Any) -> Child:
        """Start a command."""
        return Child(words, self.folder, self.works.notes, **options)

    def demand(self, right: bool, fault: str) -> None:
        """Note a fault unless something is as it should be."""
        if not right:
            self.faults.append(fault)

    def blow(self, undisturbed: Undisturbed) -> Blow:
        """Choose a signal and its moment."""
        number = self.random.choice(SIGNALS)
        if self.random.random() < 0.6:
            return Blow(number, event=self.random.randint(1, max(1, undisturbed.n_events)))
        return Blow(number, seconds=self.random.uniform(0, undisturbed.seconds))

    def demand_ended(self, ended: Ended, number: int) -> None:
        """Check how a command ended that was sent a signal."""
        self.story.append(f"ended with {ended.status}")
        fitting = {0, -signal.SIGKILL} if number == signal.SIGKILL else {0, 128 + number}
        # before the program has begun, a signal has its usual effect
        early = ended.status == -number and not ended.has_begun
        self.demand(ended.status in fitting or early, f"status {ended.status}: {ended.said!r}")
        self.demand("Traceback" not in ended.said, f"a traceback: {ended.said!r}")
        self.killed |= number == signal.SIGKILL or early  # until a run has begun again, and ended
        self.demand_whole(hidden=self.killed)

    def demand_whole(self, *, hidden: bool) -> None:
        """Check that every file can be read to its end.

        Args:
            hidden: whether hidden files may be left over, as by a kill.
        """
        for path in sorted(self.folder.rglob("*")):
            name = str(path.relative_to(self.folder))
            if name.startswith(".") or "/." in name:
                self.demand(hidden, f"{name} is left over")
            elif path.suffix == ".safetensors":
                try:
                    read_model_file(path)
                except MePropError as error:
                    self.faults.append(str(error))
            elif path.suffix == ".jsonl":
                try:
                    for line in path.read_text(encoding="utf-8").splitlines():
                        json.loads(line)
                except ValueError as error:
                    self.faults.append(f"{name}: {error}")

    def demand_same(self, expected: dict[str, bytes]) -> None:
        """Check that the folder holds the files of an undisturbed run, and no other."""
        found = contents(self.folder)
        stray = sorted(found.keys() - expected.keys())
        missing = sorted(expected.keys() - found.keys())
        self.demand(not stray, f"left over: {stray}")
        self.demand(not missing, f"missing: {missing}")
        for name in sorted(found.keys() & expected.keys()):
            self.demand(found[name] == expected[name], f"{name} differs from the undisturbed run")


def killed_training(case: Case) -> str:
    """A training is struck up to three times, and resumed to its end."""
    name = case.random.choice(list(TRAININGS))
    undisturbed = case.works.undisturbed(name)
    words = case.works.training(name, case.folder / MODEL)
    resume = False
    for _ in range(case.random.randint(1, 3)):
        blow = case.blow(undisturbed)
        case.story.append(f"{blow}{', resumed' if resume else ''}")
        child = case.start([*words, *(["--resume"] if resume else [])], blow=blow)
        ended = child.wait()
        if ended.status == 2 and resume and "there is no" in ended.said:
            case.story.append("nothing to resume")
            resume = False
            continue
        case.demand_ended(ended, blow.number)
        resume = True
    _finish(case, words, undisturbed, resume=resume)
    return f"killed training, {name}"


def _finish(case: Case, words: list[str], undisturbed: Undisturbed, *, resume: bool) -> None:
    """Run a training to its end, and check that it ends as if never disturbed."""
    ended = case.start([*words, "--resume"]).wait() if resume else None
    if ended is None or (ended.status == 2 and "there is no" in ended.said):
        if contents(case.folder) == undisturbed.files:
            return  # the last signal came too late
        case.story.append("started anew")
        ended = case.start(words).wait()
    case.demand(ended.status == 0, f"at the end status {ended.status}: {ended.said!r}")
    case.demand_same(undisturbed.files)


def full_disk_training(case: Case) -> str:
    """A training meets a full disk, then there is room, and it is resumed."""
    name = case.random.choice(list(TRAININGS))
    undisturbed = case.works.undisturbed(name)
    words = case.works.training(name, case.folder / MODEL)
    largest = max(map(len, undisturbed.files.values()))
    with ExitStack() as stack:
        limit = None
        disk = _small_disk(stack, case, case.random.randint(8, 6 * largest // 1024 + 16))
        if not disk:
            limit = case.random.randint(1_000, 3 * largest)  # its messages count too
            case.story.append(f"files of at most {limit} bytes")
        ended = case.start(words, limit=limit).wait()
        case.story.append(f"ended with {ended.status}")
        told = ended.status == 0 or (
            ended.status == 1 and "error: " in ended.said and "cannot be written" in ended.said
        )
        case.demand(told, f"status {ended.status}: {ended.said!r}")
        case.demand("Traceback" not in ended.said, f"a traceback: {ended.said!r}")
        case.demand_whole(hidden=False)
        if disk:
            subprocess.run(["mount", "-o", "remount,size=256m", str(case.folder)], check=True)
        _finish(case, words, undisturbed, resume=True)
    return f"full disk, {name}"


def _small_disk(stack: ExitStack, case: Case, kilobytes: int) -> bool:
    """Mount a file system of this size on the folder, if we may."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(case.folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        return False
    if done.returncode:
        return False
    case.story.append(f"a disk of {kilobytes} kB")
    stack.callback(subprocess.run, ["umount", "-l", str(case.folder)], check=False)
    return True


def two_trainings(case: Case) -> str:
    """Two trainings at once: with one output one is refused; with two, neither minds the other."""
    one, other = case.random.choice(list(TRAININGS)), case.random.choice(list(TRAININGS))
    same = case.random.random() < 0.5
    outputs = [case.folder / MODEL, case.folder / (MODEL if same else "n.safetensors")]
    names = [one, one if same else other]
    wanted = [case.works.undisturbed(name).files for name in names]
    children = []
    for name, output in zip(names, outputs, strict=True):
        children.append(case.start(case.works.training(name, output)))
        time.sleep(case.random.uniform(0, 0.3))
    ended = [child.wait() for child in children]
    statuses = sorted(each.status for each in ended)
    case.story.append(f"{'one output' if same else 'two outputs'}, statuses {statuses}")
    said = [each.said[-400:] for each in ended]
    if not same:
        case.demand(statuses == [0, 0], f"statuses {statuses}: {said}")
        renamed = {name.replace("m.", "n.", 1): content for name, content in wanted[1].items()}
        case.demand_same(wanted[0] | renamed)
        return "two trainings, two outputs"
    refused = any("another training writes here" in each.said for each in ended)
    late = statuses == [0, 0] and max(e.seconds for e in ended) > sum(e.seconds for e in ended) / 2
    case.demand((statuses == [0, 2] and refused) or late, f"statuses {statuses}: {said}")
    case.demand_same(wanted[0])
    return "two trainings, one output"


def killed_annotation(case: Case) -> str:
    """Annotating into a file is struck: the file is as before or whole; then it is made again."""
    name = case.random.choice(list(ANNOTATIONS))
    undisturbed = case.works.annotated(name)
    output, before = case.folder / "out", b"before"
    if case.random.random() < 0.5:
        output.write_bytes(before)
    words = case.works.annotation(name, output)
    for _ in range(case.random.randint(1, 2)):
        blow = case.blow(undisturbed)
        case.story.append(str(blow))
        case.demand_ended(case.start(words, blow=blow).wait(), blow.number)
        if output.exists():
            fitting = output.read_bytes() in (before, undisturbed.files["out"])
            case.demand(fitting, "the output is half-written")
    ended = case.start(words).wait()
    case.demand(ended.status == 0, f"at the end status {ended.status}: {ended.said!r}")
    case.demand_same(undisturbed.files)
    return f"killed output, {name}"


def killed_results(case: Case) -> str:
    """Annotating many files into a folder is struck, and goes on with those that are missing."""
    undisturbed = case.works.annotated("tag")
    sources = case.works.place / "sources"
    if not sources.exists():
        sources.mkdir()
        for number in range(6):
            (sources / f"{number}.conllu").write_bytes(case.works.words_file.read_bytes())
    wanted = {f"{number}.conllu": undisturbed.files["out"] for number in range(6)}
    words = case.works.annotation("tag", f"{case.folder}/", sources)
    for _ in range(case.random.randint(1, 3)):
        seconds = case.random.uniform(0, 2 * undisturbed.seconds)
        number = case.random.choice(SIGNALS)
        event = case.random.randint(1, 6 * undisturbed.n_events)
        at_event = case.random.random() < 0.6
        blow = Blow(number, event=event) if at_event else Blow(number, seconds=seconds)
        case.story.append(str(blow))
        case.demand_ended(case.start(words, blow=blow).wait(), number)
        for path in case.folder.glob("*"):
            if not path.name.startswith("."):
                whole = path.read_bytes() == wanted.get(path.name)
                case.demand(whole, f"{path.name} is half-written")
    ended = case.start(words).wait()
    case.demand(ended.status == 0, f"at the end status {ended.status}: {ended.said!r}")
    case.demand_same(wanted)
    return "killed results in a folder"


def full_disk_annotation(case: Case) -> str:
    """The output of an annotation does not fit: the old one stays."""
    name = case.random.choice(list(ANNOTATIONS))
    undisturbed = case.works.annotated(name)
    output = case.folder / "out"
    output.write_bytes(b"before")
    limit = case.random.randint(1, len(undisturbed.files["out"]) - 1)
    case.story.append(f"files of at most {limit} bytes")
    ended = case.start(case.works.annotation(name, output), limit=limit).wait()
    told = ended.status == 1 and f"{output}: cannot be written" in ended.said
    case.demand(told, f"status {ended.status}: {ended.said!r}")
    case.demand_same({"out": b"before"})
    return f"full disk, {name}"


def slow_pipes(case: Case) -> str:
    """A slow writer before, and a slow reader after: what comes out is the same."""
    name = case.random.choice(["annotate", "tag", "parse"])
    expected = case.works.annotated(name).files["out"]
    text = case.works.words_file.read_bytes()
    n_pieces, pause = case.random.randint(2, 40), case.random.uniform(0, 0.02)
    closes = case.random.random() < 0.25
    case.story.append(f"{n_pieces} pieces{', the reader leaves' if closes else ''}")
    (read_in, write_in), (read_out, write_out) = os.pipe(), os.pipe()
    words = case.works.annotation(name, "-", Path("-"))
    child = case.start(words, stdin=read_in, stdout=write_out)
    os.close(read_in)
    os.close(write_out)

    def feed() -> None:
        size = len(text) // n_pieces + 1
        with suppress(BrokenPipeError), os.fdopen(write_in, "wb", buffering=0) as stream:
            for start in range(0, len(text), size):
                stream.write(text[start : start + size])
                time.sleep(pause)

    feeder = Thread(target=feed)
    feeder.start()
    found = b""
    with os.fdopen(read_out, "rb", buffering=0) as stream:
        while piece := stream.read(case.random.randint(1, 20_000)):
            found += piece
            if closes:
                break
            time.sleep(pause)
    ended = child.wait()
    feeder.join()
    case.demand(ended.status == 0, f"status {ended.status}: {ended.said!r}")
    same = expected.startswith(found) if closes else found == expected
    case.demand(same, f"{len(found)} bytes came out, not the {len(expected)} of a file")
    return f"slow pipes, {name}"


def two_annotations(case: Case) -> str:
    """Two annotations into one file: it is whole in the end."""
    name = case.random.choice(list(ANNOTATIONS))
    expected = case.works.annotated(name).files
    words = case.works.annotation(name, case.folder / "out")
    children = [case.start(words) for _ in range(2)]
    for ended in [child.wait() for child in children]:
        case.demand(ended.status == 0, f"status {ended.status}: {ended.said!r}")
    case.demand_same(expected)
    return f"two outputs at once, {name}"


# with how often each comes
KINDS: dict[Callable[[Case], str], int] = {
    killed_training: 10,
    full_disk_training: 3,
    two_trainings: 2,
    killed_annotation: 3,
    killed_results: 2,
    full_disk_annotation: 1,
    slow_pipes: 2,
    two_annotations: 1,
}
