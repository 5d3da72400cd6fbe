"""A treebank at a release: its address, its files in a folder, all of them or none."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.data.ud.release import LATEST_RELEASE, Treebank
from meprop_nlp.errors import ConfigError, DataError

from .archives import FILES, TREE, member_link, serving, tar_gz

TOY = Treebank("UD_German-Toy", "r2.17")


def contents(folder: Path) -> dict[str, str]:
    """All that is in a folder, hidden files too."""
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["UD_German-GSD", "German-GSD"])
@pytest.mark.parametrize("release", ["r2.9", "2.9"])
def test_address_is_that_of_the_archive_at_the_tag(name: str, release: str) -> None:
    address = "https://github.com/UniversalDependencies/UD_German-GSD/archive/refs/tags/r2.9.tar.gz"
    assert Treebank.of(name, release).url() == address
    assert Treebank.of("UD_Old_East_Slavic-TOROT").release == LATEST_RELEASE


@pytest.mark.parametrize(
    "name", ["", "German", "UD_German", "../UD_a-b", "UD_a-b/c", "UD_a-b\n", "-"]
)
def test_name_that_can_be_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="expected a name as on universaldependencies"):
        Treebank.of(name)


@pytest.mark.parametrize("release", ["", "2", "main", "r2.17/..", "2.17\n", "r2.x"])
def test_release_that_can_be_none_is_refused(release: str) -> None:
    with pytest.raises(ConfigError, match="`release` is"):
        Treebank.of("UD_German-GSD", release)


@pytest.mark.parametrize(
    "server",
    [
        *("", "server", "ftp://server", "https://", "http://[::1", "file.tar.gz", "http://a b"),
        *("http://a..b/", f"http://{'a' * 64}/"),
    ],
)
def test_address_that_is_none_is_refused(server: str) -> None:
    with pytest.raises(ConfigError, match="`server` is"):
        TOY.url(server)


def test_address_of_an_archive_is_taken_as_it_is() -> None:
    assert TOY.url("http://server/a.tgz?version=1") == "http://server/a.tgz?version=1"
    assert TOY.url("http://server/ud/") == (
        "http://server/ud/UD_German-Toy/archive/refs/tags/r2.17.tar.gz"
    )


def test_files_come_with_their_checksums(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with serving() as server:
        found = TOY.download(folder, server=server.url)
    assert contents(folder) == FILES
    assert found.sha256 == hashlib.sha256(server.content).hexdigest()
    assert found.files == {
        folder / name: hashlib.sha256(text.encode()).hexdigest()
        for name, text in sorted(FILES.items())
    }
    assert found.of_role("train") == [folder / "de_toy-ud-train.conllu"]
    assert server.asked[0][0] == "/UD_German-Toy/archive/refs/tags/r2.17.tar.gz"


def test_parts_of_a_large_treebank_are_in_order(tmp_path: Path) -> None:
    names = [f"de_toy-ud-train-{part}.conllu" for part in ("b-1", "a-2", "a-1")]
    with serving(content=tar_gz(dict.fromkeys(names, TREE))) as server:
        found = TOY.download(tmp_path, server=server.url)
    assert found.of_role("train") == [tmp_path / name for name in sorted(names)]
    assert found.of_role("dev") == []


def test_checksum_is_demanded(tmp_path: Path) -> None:
    with serving() as server:
        right = hashlib.sha256(server.content).hexdigest()
        TOY.download(tmp_path / "right", server=server.url, sha256=right.upper())
        with pytest.raises(DataError, match=f"has the SHA-256 {right}, expected 0000"):
            TOY.download(tmp_path / "wrong", server=server.url, sha256="0" * 64)
        with pytest.raises(ConfigError, match="expected 64 hexadecimal digits"):
            TOY.download(tmp_path / "wrong", server=server.url, sha256="0" * 63)
    assert contents(tmp_path / "right") == FILES
    assert not (tmp_path / "wrong").exists()


@pytest.mark.parametrize(
    "content",
    [b"<html>", tar_gz()[:-20], tar_gz({}), tar_gz(None, member_link("UD/x-ud-dev.conllu"))],
    ids=["no archive", "cut short", "empty", "link"],
)
def test_bad_archive_leaves_nothing(content: bytes, tmp_path: Path) -> None:
    with serving(content=content) as server:
        with pytest.raises(DataError) as caught:
            TOY.download(tmp_path / "toy", server=server.url)
        assert str(caught.value).startswith(f"{TOY.url(server.url)}: ")
    assert not list(tmp_path.iterdir())


def test_stopped_download_goes_on(tmp_path: Path) -> None:
    content = tar_gz(FILES | {"de_toy-ud-train.conllu": "".join(map(str, range(99_999)))})
    with serving(content=content, cut=60_000) as server:
        with pytest.raises(DataError, match="the next try goes on from there"):
            TOY.download(tmp_path, server=server.url)
        assert all(path.name.startswith(".") for path in tmp_path.iterdir())
        server.cut = None
        found = TOY.download(tmp_path, server=server.url)
    assert server.asked[-1][1]["Range"].startswith("bytes=")
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert sorted(contents(tmp_path)) == sorted(FILES)


def test_what_a_killed_download_has_unpacked_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".UD_German-Toy-r2.17.tar.gz.unpacked"
    left.mkdir()
    (left / "de_toy-ud-old.conllu").write_text(TREE)
    with serving() as server:
        TOY.download(tmp_path, server=server.url)
    assert contents(tmp_path) == FILES
    assert not left.exists()


def test_files_that_are_there_stay_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "de_toy-ud-dev.conllu").write_text("mine")
    with serving() as server:
        with pytest.raises(DataError, match="is there already; give another folder, or `force`"):
            TOY.download(tmp_path, server=server.url)
        assert not server.asked
        assert contents(tmp_path) == {"de_toy-ud-dev.conllu": "mine"}
        TOY.download(tmp_path, server=server.url, force=True)
    assert contents(tmp_path) == FILES


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", ["README.md", "LICENSE", "LICENCE.txt"])
def test_readme_of_the_user_is_not_replaced(name: str, force: bool, tmp_path: Path) -> None:
    mine = {name: "mine"} | ({"de_other-ud-dev.conllu": "mine"} if force else {})
    for file, text in mine.items():
        (tmp_path / file).write_text(text)
    with serving() as server:
        with pytest.raises(DataError, match=f"{name} is there already, and no file of UD_German"):
            TOY.download(tmp_path, server=server.url, force=force)
        assert not server.asked
    assert contents(tmp_path) == mine


def test_readme_of_the_treebank_is_replaced_if_forced(tmp_path: Path) -> None:
    with serving() as server:
        TOY.download(tmp_path, server=server.url)
        (tmp_path / "README.md").write_text("older")
        TOY.download(tmp_path, server=server.url, force=True)
    assert contents(tmp_path) == FILES


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_in_the_way_is_named(kind: str, tmp_path: Path) -> None:
    place: Any = tmp_path / "toy"
    if kind == "file":
        place.write_text("mine")
    else:
        (place / "LICENSE.txt").mkdir(parents=True)
    with serving() as server, pytest.raises(DataError, match=f"is a {kind}"):
        TOY.download(place, server=server.url, force=True)
    assert not server.asked
    assert place.is_file() or [path.name for path in place.iterdir()] == ["LICENSE.txt"]


def test_unknown_treebank_says_where_the_names_are(tmp_path: Path) -> None:
    with serving(status=404) as server, pytest.raises(DataError) as caught:
        TOY.download(tmp_path / "toy", server=server.url)
    assert str(caught.value).endswith(
        ": the server answers 404 Not Found; UD_German-Toy has no release r2.17, or there is no "
        "treebank of this name; universaldependencies.org lists them"
    )
    assert not list(tmp_path.iterdir())
