"""A file is written whole or not at all, and only files are replaced."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.errors import DataError
from meprop_nlp.files import (
    demand_writable,
    remove_unfinished,
    remove_unfinished_folder,
    replacing,
    replacing_folder,
)
from meprop_nlp.models.file import write_model_file


class StoppedError(Exception):
    """What a test raises in the middle of writing."""


def test_file_is_there_only_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    with replacing(path) as temporary:
        temporary.write_text("text", encoding="utf-8")
        assert temporary.parent == path.parent
        assert temporary.suffix == ".txt"
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "text"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [StoppedError, KeyboardInterrupt])
def test_failing_block_leaves_the_old_file_and_no_temporary(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_full_disk_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    with (
        pytest.raises(DataError, match=r"a\.txt: cannot be written: No space left .*untouched"),
        replacing(path),
    ):
        raise OSError(28, "No space left on device")
    assert path.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_mode_of_the_old_file_stays_and_a_new_one_follows_the_umask(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch()
    old.chmod(0o640)
    for path in (old, new):
        with replacing(path) as temporary:
            temporary.write_bytes(b"x")
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert stat.S_IMODE(new.stat().st_mode) == 0o666 & ~mask


def test_link_stays_a_link(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    real, link = there / "real", tmp_path / "link"
    real.write_bytes(b"old")
    link.symlink_to(real)
    with replacing(link) as temporary:
        temporary.write_bytes(b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


# A pipe stands for devices too: a test that fails must not cost a machine its /dev/null.
@pytest.mark.parametrize("kind", ["folder", "pipe", "link to a pipe"])
def test_what_is_no_file_is_never_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "place"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    before = path.stat()
    expected = "is a folder, expected the name of a file" if kind == "folder" else "is no file but"
    with pytest.raises(DataError, match=expected), replacing(path) as temporary:
        temporary.write_bytes(b"x")
    with pytest.raises(DataError, match=expected):
        demand_writable(path)
    after = path.stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "sub" / "a.txt"
    with pytest.raises(DataError, match=r"a\.txt: cannot be written: Not a directory"):
        demand_writable(path)
    with pytest.raises(DataError, match="cannot be written"), replacing(path) as temporary:
        temporary.touch()


def test_demand_writable_makes_the_folder_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "models" / "a.st"
    demand_writable(path)
    assert list(path.parent.iterdir()) == []


def test_what_took_long_to_make_is_on_the_disk_before_it_replaces_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.st"
    path.write_bytes(b"old")
    synced: list[tuple[bool, bytes]] = []

    def fsync(handle: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(handle).st_mode), path.read_bytes()))

    monkeypatch.setattr(os, "fsync", fsync)
    with replacing(path) as temporary:
        temporary.write_bytes(b"quick")
    assert synced == []
    with replacing(path, durable=True) as temporary:
        temporary.write_bytes(b"new")
    assert synced == [(False, b"quick"), (True, b"new")]
    synced.clear()
    write_model_file(path, {"kind": "checkpoint"}, {})
    assert [is_folder for is_folder, _ in synced] == [False, True]


def test_folder_is_on_the_disk_before_it_replaces_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.encoder"
    synced: list[tuple[str, bool]] = []

    def fsync(handle: int) -> None:
        opened = Path(f"/proc/self/fd/{handle}").readlink()
        synced.append((os.path.relpath(opened, tmp_path), path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    with replacing_folder(path) as new:
        (new / "sub").mkdir()
        (new / "sub" / "weights").write_bytes(b"new")
    before = (".", "sub", "sub/weights")
    expected = {os.path.normpath(f"{new.name}/{name}") for name in before}
    assert {name for name, there in synced if not there} == expected
    assert synced[-1] == (".", True)


def write_durably(path: Path, is_folder: bool) -> None:
    if is_folder:
        with replacing_folder(path) as new:
            (new / "weights").write_bytes(b"new")
    else:
        with replacing(path, durable=True) as temporary:
            temporary.write_bytes(b"new")


def failing(monkeypatch: pytest.MonkeyPatch, number: int, *, files: bool, after: Path) -> None:
    """Make `fsync` fail for files or for folders, once there is a file or a folder."""

    def fsync(handle: int) -> None:
        if files == stat.S_ISREG(os.fstat(handle).st_mode) and after.exists():
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("is_folder", [False, True])
def test_content_that_cannot_be_put_on_the_disk_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_folder: bool
) -> None:
    path = tmp_path / "a.st"
    failing(monkeypatch, errno.EIO, files=True, after=tmp_path)
    with pytest.raises(DataError, match=r"a\.st: cannot be written: Input/output .*untouched"):
        write_durably(path, is_folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_folder", [False, True])
def test_what_is_replaced_is_not_said_to_be_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_folder: bool
) -> None:
    path = tmp_path / "a.st"
    failing(monkeypatch, errno.EIO, files=False, after=path)
    with pytest.raises(DataError, match=r"a\.st: cannot be written: Input/output error$"):
        write_durably(path, is_folder)
    assert [p.name for p in tmp_path.iterdir()] == ["a.st"]


@pytest.mark.parametrize("is_folder", [False, True])
@pytest.mark.parametrize("number", [errno.EINVAL, errno.EACCES, errno.EPERM])
def test_folder_that_cannot_be_put_on_the_disk_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_folder: bool
) -> None:
    path = tmp_path / "a.st"
    failing(monkeypatch, number, files=False, after=path)
    write_durably(path, is_folder)
    assert [p.name for p in tmp_path.iterdir()] == ["a.st"]


def test_files_are_replaced_as_windows_allows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, left = tmp_path / "a.st", tmp_path / ".a.st.abcdefgh.st"
    left.touch()
    open_, replace = os.open, Path.replace

    def open_no_folder(name: Any, *rest: Any, **options: Any) -> int:
        if Path(name).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_(name, *rest, **options)

    def fsync(handle: int) -> None:
        if not fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_RDWR:
            raise OSError(errno.EBADF, "Bad file descriptor")

    def replace_closed(self: Path, to: Path) -> Path:
        opened = (os.path.realpath(each) for each in Path("/proc/self/fd").iterdir())
        if os.path.realpath(self) in opened:
            raise PermissionError(errno.EACCES, "used by another process")
        return replace(self, to)

    with monkeypatch.context() as windows:
        windows.setattr(sys, "platform", "win32")
        windows.delattr(os, "O_NOFOLLOW")
        windows.setattr(os, "open", open_no_folder)
        windows.setattr(os, "fsync", fsync)
        windows.setattr(Path, "replace", replace_closed)
        demand_writable(path)
        remove_unfinished([path])
        with replacing(path, durable=True) as temporary:
            temporary.write_bytes(b"new")
    assert path.read_bytes() == b"new"
    assert {*tmp_path.iterdir()} == {path, left}


def test_file_that_another_process_takes_for_one_that_was_left_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[str, int]] = []
    make = tempfile.mkstemp

    def mkstemp(**options: Any) -> tuple[int, str]:
        handle, name = make(**options)
        if not taken:
            taken.append((name, os.open(name, os.O_RDONLY)))
            fcntl.flock(taken[0][1], fcntl.LOCK_EX)  # as `remove_unfinished` has it
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", mkstemp)
    path = tmp_path / "a.txt"
    with replacing(path) as temporary:
        temporary.write_bytes(b"new")
        ((name, handle),) = taken
        Path(name).unlink(missing_ok=True)
        os.close(handle)
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


# a file is written to a temporary one first, whose name is longer
@pytest.mark.parametrize("length", [246, 255])
def test_name_too_long_for_its_temporary_file_is_found_before(tmp_path: Path, length: int) -> None:
    path = tmp_path / ("n" * length)
    with pytest.raises(DataError, match="cannot be written: File name too long"):
        demand_writable(path)
    with pytest.raises(DataError, match="File name too long"), replacing(path) as temporary:
        temporary.touch()
    assert list(tmp_path.iterdir()) == []


def test_folder_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "above" / "a"

    def write(name: str, error: BaseException | None = None) -> None:
        with replacing_folder(path) as new:
            (new / name).write_text("text", encoding="utf-8")
            (new / name).chmod(0o600)
            if error is not None:
                raise error

    def found() -> list[str]:
        return [str(p.relative_to(path.parent)) for p in sorted(path.parent.rglob("*"))]

    write("one")
    assert found() == ["a", "a/one"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o777 & ~umask
    assert stat.S_IMODE((path / "one").stat().st_mode) == 0o666 & ~umask
    for error in (StoppedError(), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            write("two", error)
        assert found() == ["a", "a/one"]
    rename = Path.rename

    def fail_at_the_second(self: Path, target: Path) -> Path:
        if target == path and self.name != f"{path.name}.old" and not path.exists():
            monkeypatch.undo()  # the old folder may come back
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_at_the_second)
    with pytest.raises(DataError, match=r"a: cannot be written: No space left .*untouched"):
        write("two")
    assert found() == ["a", "a/one"]
    write("two")
    assert found() == ["a", "a/two"]


def test_unfinished_files_are_removed_unless_they_are_being_written_or_are_others(
    tmp_path: Path,
) -> None:
    path, other = tmp_path / "a.txt", tmp_path / "b.txt"
    kept = [".a.txt.txt", ".a.txt.notes.txt", ".a.txt.abcdefgh.md", ".b.txt.abcdefgh.txt"]
    for name in (*kept, ".a.txt.abcdefgh.txt", ".a.txt.a1_2b3c4.txt"):
        (tmp_path / name).touch()
    with replacing(path) as temporary:
        remove_unfinished([path])
        assert temporary.exists()
        assert {p.name for p in tmp_path.iterdir()} == {*kept, temporary.name}
    assert {p.name for p in tmp_path.iterdir()} == {*kept, "a.txt"}
    remove_unfinished([other, tmp_path / "nowhere" / "c", Path("/dev/stdout")])
    assert {p.name for p in tmp_path.iterdir()} == {*kept[:3], "a.txt"}


@pytest.mark.parametrize("there", [False, True])
def test_folder_that_was_moved_away_comes_back_after_a_kill(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "m.encoder"
    kept = [tmp_path / ".m.encoder.notes", tmp_path / ".m.encoder.abcdefgh.older"]
    for folder in (*kept, *([path] if there else [])):
        folder.mkdir()
    for name in (".m.encoder.abcdefgh", ".m.encoder.abcdefgh.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_text(name, encoding="utf-8")
    remove_unfinished_folder(path)
    assert {*tmp_path.iterdir()} == {path, *kept}
    assert [p.read_text(encoding="utf-8") for p in path.iterdir()] == (
        [] if there else [".m.encoder.abcdefgh.old"]
    )
