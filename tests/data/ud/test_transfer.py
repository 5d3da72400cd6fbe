"""A file from a server on loopback: whole, in parts, of another version, cut short, without end."""

from __future__ import annotations

import io
import json
import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.data.ud import transfer as module
from meprop_nlp.data.ud.transfer import Transfer
from meprop_nlp.errors import DataError

from .archives import Server, serving

CONTENT = bytes(range(256)) * 2000


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("no_proxy", "")


def transfer_of(server: Server, path: Path, **settings: Any) -> Transfer:
    arguments = {"timeout": 10, "largest": 1 << 20, "if_missing": "look elsewhere"} | settings
    return Transfer(f"{server.url}/file", path / "file", **arguments)


def failure(transfer: Transfer) -> str:
    """What the error says without the address."""
    with pytest.raises(DataError) as caught:
        transfer.run()
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{transfer.url}: ")


@pytest.mark.parametrize("chunked", [False, True])
def test_file_comes_whole(chunked: bool, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    with serving(content=CONTENT, chunked=chunked) as server:
        transfer_of(server, tmp_path).run(lambda *progress: seen.append(progress))
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), None if chunked else len(CONTENT))
    assert [n for n, _ in seen] == sorted({n for n, _ in seen})


def test_length_of_any_length_is_no_length(tmp_path: Path) -> None:
    # waiting for bytes that never come may end in an error
    with serving(content=CONTENT, length="9" * 5000) as server, suppress(DataError):
        transfer_of(server, tmp_path, timeout=1).run()
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("chunked", [False, True])
def test_next_try_asks_only_for_the_rest(chunked: bool, tmp_path: Path) -> None:
    with serving(content=CONTENT, chunked=chunked, cut=100_000) as server:
        transfer = transfer_of(server, tmp_path)
        message = failure(transfer)
        kept = transfer.kept_bytes
        assert 90_000 < kept <= 100_000
        assert message.endswith(f"; {kept:,} bytes are kept, and the next try goes on from there")
        server.cut = None
        transfer.run()
    assert (tmp_path / "file").read_bytes() == CONTENT
    headers = server.asked[-1][1]
    assert (headers["Range"], headers["If-Range"]) == (f"bytes={kept}-", '"one"')


def test_other_version_starts_from_the_beginning(tmp_path: Path) -> None:
    with serving(content=CONTENT, cut=100_000) as server:
        transfer = transfer_of(server, tmp_path)
        failure(transfer)
        server.cut, server.tag, server.content = None, '"two"', CONTENT[::-1]
        transfer.run()
    assert (tmp_path / "file").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("tag", [None, 'W/"weak"', '"\u00e9"'])
def test_nothing_is_kept_of_a_file_without_a_version(tag: str | None, tmp_path: Path) -> None:
    with serving(content=CONTENT, cut=100_000, tag=tag) as server:
        assert "kept" not in failure(transfer_of(server, tmp_path))
    assert not list(tmp_path.iterdir())


def test_whole_file_is_fetched_anew(tmp_path: Path) -> None:
    with serving(content=CONTENT) as server:
        transfer = transfer_of(server, tmp_path)
        transfer.run()
        transfer.run()  # the server has nothing more to send: 416
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert ["Range" in headers for _, headers in server.asked] == [False, True, False]


def test_another_part_than_asked_for_is_refused(tmp_path: Path) -> None:
    with serving(content=CONTENT, cut=100_000) as server:
        transfer = transfer_of(server, tmp_path)
        failure(transfer)
        server.part = "bytes 0-99/100"
        assert "another part of the file" in failure(transfer)


@pytest.mark.parametrize(
    "note", ["", "{", "[]", '{"url": 1}', '{"url": "URL", "version": "a\\nb"}', "x" * 20_000]
)
def test_foreign_note_beside_the_file_is_not_believed(note: str, tmp_path: Path) -> None:
    with serving(content=CONTENT) as server:
        transfer = transfer_of(server, tmp_path)
        transfer.path.write_bytes(b"begun")
        note = note.replace("URL", transfer.url)
        (tmp_path / "file.version").write_text(note, encoding="utf-8")
        transfer.run()
    assert transfer.path.read_bytes() == CONTENT
    assert "Range" not in server.asked[0][1]
    assert json.loads((tmp_path / "file.version").read_text())["version"] == '"one"'


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "the server answers 404 Not Found; look elsewhere"),
        (500, "the server answers 500 Internal Server Error"),
        (599, "the server answers 599"),
    ],
)
def test_refusal_is_told_in_one_line(status: int, message: str, tmp_path: Path) -> None:
    with serving(status=status) as server:
        assert failure(transfer_of(server, tmp_path)) == message
    assert not list(tmp_path.iterdir())


def test_stream_without_end_is_given_up(tmp_path: Path) -> None:
    with serving(content=CONTENT, endless=True) as server:
        assert "sends more than 1,048,576 bytes" in failure(transfer_of(server, tmp_path))
    assert not list(tmp_path.iterdir())


def test_server_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    with serving(wait=threading.Event()) as server:
        message = failure(transfer_of(server, tmp_path, timeout=0.2))
    assert message == "no answer within 0.2 seconds"


def test_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    server = Server(url=f"http://127.0.0.1:{port}")
    assert failure(transfer_of(server, tmp_path)) == "cannot be reached: Connection refused"


def test_ctrl_c_keeps_what_came(tmp_path: Path) -> None:
    def stop(n_bytes: int, total: int | None) -> None:
        if n_bytes > 100_000:
            raise KeyboardInterrupt

    with serving(content=CONTENT) as server:
        transfer = transfer_of(server, tmp_path)
        with pytest.raises(KeyboardInterrupt):
            transfer.run(stop)
        assert transfer.kept_bytes > 100_000
        transfer.run()
    assert transfer.path.read_bytes() == CONTENT
    assert "Range" in server.asked[-1][1]


def test_full_disk_is_not_taken_for_a_broken_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("this system has no /dev/full")
    monkeypatch.setattr(Transfer, "_begin", lambda self, answer: None)
    (tmp_path / "file").symlink_to("/dev/full")
    with serving(content=CONTENT) as server:
        message = failure(transfer_of(server, tmp_path))
    assert message == f"{tmp_path / 'file'}: cannot be written: No space left on device"


def test_proxy_of_the_environment_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(content=CONTENT) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        transfer_of(Server(url="http://treebanks.invalid"), tmp_path).run()
    assert proxy.asked[0][0] == "http://treebanks.invalid/file"
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_redirect_is_followed_with_the_range(tmp_path: Path) -> None:
    with serving(content=CONTENT, cut=100_000) as server:
        transfer = transfer_of(server, tmp_path)
        failure(transfer)
        server.cut, server.location = None, f"{server.url}/elsewhere"
        transfer.run()
    assert transfer.path.read_bytes() == CONTENT
    assert (server.asked[-1][0], "Range" in server.asked[-1][1]) == ("/elsewhere", True)


@pytest.mark.parametrize("address", ["file:///etc/hosts", "ftp://server/file"])
def test_redirect_out_of_http_is_not_followed(address: str, tmp_path: Path) -> None:
    with serving(location=address) as server:
        message = failure(transfer_of(server, tmp_path))
    assert not (tmp_path / "file").exists()
    # file is refused by the standard library
    assert "302 Found" in message or message.endswith("leads from http to an address with ftp")


@pytest.mark.parametrize("address", ["http://a..b/", "http://[::1/", "http://b\u00fc..b/"])
def test_redirect_to_what_is_no_address_is_told(address: str, tmp_path: Path) -> None:
    with serving(location=address) as server:
        message = failure(transfer_of(server, tmp_path))
    assert message.endswith("the server leads to an address that is not valid")


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/\u00fc/", "http://a..b/"])
def test_address_that_cannot_be_asked_for_is_told(address: str, tmp_path: Path) -> None:
    message = failure(Transfer(address, tmp_path / "file", 10, 1 << 20, ""))
    assert message.startswith("cannot be fetched: the address is not valid; ")
    assert "written as %C3%BC" in message


def test_redirect_from_https_to_http_is_not_followed() -> None:
    request = module.urllib.request.Request("https://server/file")
    follow = module._Redirects().redirect_request
    with pytest.raises(module.HTTPException, match="from https to an address with http"):
        follow(request, io.BytesIO(), 302, "", {}, "http://server/file")
    assert follow(request, io.BytesIO(), 302, "", {}, "https://other/file") is not None


def test_file_of_this_machine_is_copied(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(CONTENT)
    url = (tmp_path / "there").as_uri()
    Transfer(url, tmp_path / "file", 10, 1 << 20, "").run()
    assert (tmp_path / "file").read_bytes() == CONTENT
    with pytest.raises(DataError, match="no such file; look elsewhere"):
        Transfer(f"{url}-not", tmp_path / "other", 10, 1 << 20, "look elsewhere").run()
