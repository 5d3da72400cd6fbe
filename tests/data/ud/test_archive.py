"""Archives of treebanks: good ones, and those that would write elsewhere or fill the disk."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meprop_nlp.data.ud.archive import unpack
from meprop_nlp.errors import DataError

from .archives import FILES, TREE, tar, tar_gz


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def unpacked(content: bytes, folder: Path, **limits: int) -> dict[str, str]:
    """The files that come out of an archive, by name."""
    (folder / "a.tar.gz").write_bytes(content)
    target = folder / "out"
    target.mkdir()
    files = unpack(folder / "a.tar.gz", target, **limits)
    assert sorted(target.iterdir()) == files
    return {path.name: path.read_text(encoding="utf-8") for path in files}


def refusal(content: bytes, folder: Path, **limits: int) -> str:
    """Why an archive is refused; nothing was written outside the folder, and nothing but files."""
    with pytest.raises(DataError) as caught:
        unpacked(content, folder, **limits)
    assert {path.name for path in folder.iterdir()} == {"a.tar.gz", "out"}
    assert all(path.is_file() and not path.is_symlink() for path in (folder / "out").iterdir())
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("top", ["UD_German-Toy-r2.17/", "", "./"])
def test_files_of_a_treebank_come_out_as_they_went_in(top: str, tmp_path: Path) -> None:
    assert unpacked(tar_gz(top=top), tmp_path) == FILES


def test_large_treebank_is_in_parts(tmp_path: Path) -> None:
    names = ["x-ud-train-a-1.conllu", "x-ud-train-a-2.conllu", "x-ud-train-b-1.conllu"]
    assert unpacked(tar_gz(dict.fromkeys(names, TREE)), tmp_path) == dict.fromkeys(names, TREE)


def test_other_files_are_left_out(tmp_path: Path) -> None:
    others = {
        "CONTRIBUTING.md": "",
        "stats.xml": "",
        "not-to-release/x-ud-train.conllu": TREE,
        "x-ud-train.conllu.py": "",
        "eval.log": "",
    }
    links = [
        member("UD/not-to-release/link", tarfile.SYMTYPE, "/etc/passwd"),
        member("UD/README.md", tarfile.DIRTYPE),
        member("UD/x-ud-dev.conllu/", tarfile.DIRTYPE),
    ]
    assert unpacked(tar_gz(FILES | others, *links), tmp_path) == FILES


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (member("../x-ud-dev.conllu"), "outside its folder, '../x-ud-dev.conllu'"),
        (member("UD/../../x"), "outside its folder"),
        (member("/tmp/x-ud-dev.conllu"), "outside its folder"),
        (member("UD/x-ud-dev.conllu", tarfile.SYMTYPE, "/etc/passwd"), "a link or a device"),
        (member("UD/x-ud-dev.conllu", tarfile.LNKTYPE, "../x"), "a link or a device"),
        (member("UD/x-ud-dev.conllu", tarfile.FIFOTYPE), "a link or a device"),
        (member("UD/x-ud-dev.conllu", tarfile.CHRTYPE), "a link or a device"),
        (member("UD/README.md"), "holds README.md twice"),
        (member("other/README.md"), "holds README.md twice"),
    ],
)
def test_archive_that_writes_where_it_should_not_is_refused(
    bad: tarfile.TarInfo, message: str, tmp_path: Path
) -> None:
    assert message in refusal(tar_gz(None, bad), tmp_path)


def test_name_of_an_escape_sequence_is_not_printed(tmp_path: Path) -> None:
    message = refusal(tar_gz(None, member("../\x1b[2J\n")), tmp_path)
    assert message.isprintable()


def test_archive_without_a_treebank_is_refused(tmp_path: Path) -> None:
    files = {"README.md": "", "LICENSE.txt": ""}
    assert "holds no train, dev or test file" in refusal(tar_gz(files), tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>log in to this network</html>",
        tar(),
        gzip.compress(b"text " * 500),
        tar_gz()[:-1],
        tar_gz()[:-9],
        tar_gz()[:100],
        tar_gz()[:-8] + bytes(8),
    ],
    ids=["empty", "html", "tar", "gzip", "cut", "cut before the sum", "cut early", "wrong sum"],
)
def test_what_is_no_archive_or_is_damaged_is_refused(content: bytes, tmp_path: Path) -> None:
    message = refusal(content, tmp_path)
    assert "damaged, cut short, or no .tar.gz archive" in message


def test_archive_larger_than_a_treebank_is_given_up(tmp_path: Path) -> None:
    large = tar_gz(FILES | {"x-ud-train.conllu": TREE * 100_000})
    assert "larger than a treebank is" in refusal(large, tmp_path, largest=1 << 20)


def test_file_that_is_left_out_counts_too(tmp_path: Path) -> None:
    large = tar_gz(FILES | {"aside": TREE * 100_000})
    assert "larger than a treebank is" in refusal(large, tmp_path, largest=1 << 20)


@pytest.mark.parametrize("before", [b"", tar()[: 1024 * len(FILES)]], ids=["first", "later"])
def test_header_without_end_takes_no_memory(before: bytes, tmp_path: Path) -> None:
    header = member("UD/pax", tarfile.XHDTYPE)
    header.size = 1 << 30
    content = gzip.compress(before + header.tobuf(tarfile.USTAR_FORMAT) + bytes(1 << 26))
    tracemalloc.start()
    try:
        assert "larger than a file's header is" in refusal(content, tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 23
    finally:
        tracemalloc.stop()


def test_headers_within_headers_are_refused(tmp_path: Path) -> None:
    header = member("UD/pax", tarfile.XHDTYPE).tobuf(tarfile.USTAR_FORMAT)
    assert "damaged" in refusal(gzip.compress(header * 1500), tmp_path)


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meprop_nlp.data.ud.archive._MOST_MEMBERS", 3)
    assert "more than 3 files" in refusal(tar_gz(), tmp_path)


def test_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(tar_gz())
    with pytest.raises(DataError, match="cannot be written: No such file or directory"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "not there")


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_changed_bytes_are_unpacked_or_refused_and_write_nowhere_else(data: st.DataObject) -> None:
    content = bytearray(tar())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, 7 * 1024))
        content[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        content = bytearray(_with_checksums(bytes(content)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.tar.gz").write_bytes(gzip.compress(bytes(content), 1))
        (folder / "out").mkdir()
        with suppress(DataError):
            unpack(folder / "a.tar.gz", folder / "out")
        assert {path.name for path in folder.iterdir()} == {"a.tar.gz", "out"}
        assert all(p.is_file() and not p.is_symlink() for p in (folder / "out").iterdir())


def _with_checksums(content: bytes) -> bytes:
    """The blocks that were headers with the checksum of what is in them now."""
    stream, blocks = io.BytesIO(content), []
    while block := stream.read(512):
        if block[257:262] == b"ustar":
            total = sum(block[:148]) + 8 * 32 + sum(block[156:])
            block = block[:148] + b"%06o\0 " % total + block[156:]
        blocks.append(block)
    return b"".join(blocks)
