"""Repositories: downloads by huggingface_hub from a Hub on this machine, and what is uploaded.

The Hub itself cannot be reached from tests. Downloads are those of the real library over HTTP, from
a server that answers as the Hub does. Uploads meet a stand-in, whose methods have the signatures of
the library's.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = pytest.mark.extras
huggingface_hub = pytest.importorskip(
    "huggingface_hub", reason="huggingface_hub is not installed: meprop-nlp[hub]"
)

from meprop_nlp import Model, load  # noqa: E402
from meprop_nlp.errors import CheckpointError, DataError  # noqa: E402

ROOT = Path(__file__).parents[3]
COMMIT = {"main": "a" * 40, "v1": "b" * 40}
TOKEN = "hf_secret"


class Hub(BaseHTTPRequestHandler):
    """Answers what huggingface_hub asks for when it downloads a snapshot."""

    repositories: dict[str, dict[str, bytes]]  # the files of each, by name
    asked: list[str]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        path = self.path.partition("?")[0].removeprefix("/api/models/").strip("/").split("/")
        name, (kind, revision, *rest) = "/".join(path[:2]), (*path[2:], "revision", "main")[:3]
        rest = path[4:]
        held = self.repositories.get(name)
        commits = {**COMMIT, **{commit: commit for commit in COMMIT.values()}}
        if held is None or (
            name.startswith("private/") and self.headers.get("Authorization") != f"Bearer {TOKEN}"
        ):
            return self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if revision not in commits:
            return self._answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        commit = commits[revision]
        if kind == "revision":
            siblings = [{"rfilename": file} for file in held]
            body = json.dumps({"id": name, "sha": commit, "siblings": siblings}).encode()
            return self._answer(200, body, {"Content-Type": "application/json"})
        if kind == "tree":
            tree = [
                {"type": "file", "path": file, "size": len(content), "oid": "0" * 40}
                for file, content in held.items()
            ]
            return self._answer(
                200, json.dumps(tree).encode(), {"Content-Type": "application/json"}
            )
        content = held.get("/".join(rest))
        if content is None:
            return self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})
        if commit == COMMIT["v1"] and rest == ["config.json"]:
            content = b'{"v": 1}'
        etag = hashlib.sha256(content).hexdigest()
        return self._answer(200, content, {"X-Repo-Commit": commit, "ETag": f'"{etag}"'})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Any]:
    """A Hub with a model, a private one, and a repository that has only a pickle."""
    load("en").save_pretrained(tmp_path / "written")
    held = {p.name: p.read_bytes() for p in (tmp_path / "written").iterdir()}
    held["evil.py"] = b"raise SystemExit"
    repositories = {
        "owner/model": held,
        "private/model": held,
        "owner/pickle": {"pytorch_model.bin": b"PK\x03\x04", "config.json": b"{}"},
    }
    handler = type("Own", (Hub,), {"repositories": repositories, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield SimpleNamespace(
        endpoint=f"http://127.0.0.1:{server.server_port}", asked=handler.asked, server=server
    )
    server.shutdown()
    server.server_close()
    thread.join()


def run(code: str, hub: Any, home: Path) -> str:
    """Run code in a process whose Hub is ours; return what it prints."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "*",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=environment,
        cwd=home.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_models_are_downloaded_kept_and_refused(hub: Any, tmp_path: Path) -> None:
    code = """
from meprop_nlp import Model, MePropError
print(Model.from_pretrained("owner/model", cache_dir="kept")(["It", "rains"]).column("upos"))
Model.from_pretrained("owner/model", cache_dir="kept", revision="v1")
for name, options in [
    ("private/model", {}), ("owner/pickle", {}), ("owner/none", {}),
    ("owner/model", {"revision": "v9"}),
]:
    try:
        Model.from_pretrained(name, **options)
    except MePropError as error:
        print(type(error).__name__, error)
print(Model.from_pretrained("private/model", token="hf_secret").task)
"""
    lines = run(code, hub, tmp_path / "home").splitlines()
    assert len(lines) == 6, lines
    assert (lines[0], lines[5]) == ("['PRON', 'VERB']", "joint")
    assert all(line.startswith("CheckpointError ") for line in lines[1:5])
    gave_none = "there is no such folder or file, and the Hugging Face Hub gave no such model: "
    assert f"private/model: {gave_none}" in lines[1]
    assert "owner/pickle: there is no model.safetensors in the repository" in lines[2]
    assert f"owner/none: {gave_none}" in lines[3]
    assert f"owner/model: {gave_none}" in lines[4]
    snapshots = tmp_path / "kept" / "models--owner--model" / "snapshots"
    assert {p.name for p in snapshots.iterdir()} == {*COMMIT.values()}
    for snapshot in snapshots.iterdir():  # nothing that nobody needs, and no code
        assert {p.name for p in snapshot.iterdir()} == {"config.json", "model.safetensors"}
    assert not any("evil" in request or "pytorch_model" in request for request in hub.asked)

    asked = len(hub.asked)
    code = """
from meprop_nlp import Model, MePropError
print(Model.from_pretrained("owner/model", cache_dir="kept", local_files_only=True).task)
try:
    Model.from_pretrained("owner/pickle", cache_dir="kept", local_files_only=True)
except MePropError as error:
    print(error)
"""
    lines = run(code, hub, tmp_path / "home").splitlines()
    assert lines[0] == "joint"
    assert "owner/pickle: there is no such folder or file, and the Hugging Face" in lines[1]
    assert len(hub.asked) == asked  # the network was not used

    code = 'from meprop_nlp import Model; Model.from_pretrained("owner/model", cache_dir="kept"{})'
    run(code.format(""), hub, tmp_path / "home")
    downloads = [r for r in hub.asked[asked:] if r.startswith("GET /owner/model/resolve/")]
    assert not downloads
    run(code.format(", force_download=True"), hub, tmp_path / "home")
    assert any(r.startswith("GET /owner/model/resolve/") for r in hub.asked[asked:])


def test_hub_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    nowhere = SimpleNamespace(endpoint="http://127.0.0.1:9")
    code = """
from meprop_nlp import Model, MePropError
try:
    Model.from_pretrained("owner/model")
except MePropError as error:
    print(type(error).__name__, error)
"""
    (line,) = run(code, nowhere, tmp_path / "home").splitlines()
    assert line.startswith("CheckpointError owner/model: there is no such folder or file, and the")


class Api:
    """Takes what is uploaded; refuses what the library's own methods would not take."""

    def __init__(self, hub: Any, has_card: bool) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.uploaded: dict[str, bytes] = {}
        self._hub, self._has_card = hub, has_card

    def __call__(self, **arguments: Any) -> Api:
        inspect.signature(self._hub).bind(**arguments)
        self.calls.append(("HfApi", arguments))
        return self

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **arguments: Any) -> Any:
            bound = inspect.signature(getattr(self._hub, name)).bind(self, *given, **arguments)
            self.calls.append((name, {k: v for k, v in bound.arguments.items() if k != "self"}))
            if name == "upload_folder":
                folder = Path(arguments["folder_path"])
                self.uploaded = {p.name: p.read_bytes() for p in folder.iterdir()}
                return SimpleNamespace(commit_url="https://example.org/commit/1")
            return self._has_card if name == "file_exists" else None

        return call


@pytest.mark.parametrize("has_card", [False, True])
def test_folder_is_uploaded(has_card: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(huggingface_hub.HfApi, has_card)
    monkeypatch.setattr(huggingface_hub, "HfApi", api)
    model = load("en")
    address = model.push_to_hub("owner/model", token="t", private=True, revision="dev")
    assert address == "https://example.org/commit/1"
    calls = dict(api.calls)
    assert calls["HfApi"] == {"token": "t"}
    assert calls["create_repo"] == {"repo_id": "owner/model", "private": True, "exist_ok": True}
    upload = calls["upload_folder"]
    assert upload["revision"] == "dev"
    assert upload["create_pr"] is False
    assert upload["ignore_patterns"] == (["README.md"] if has_card else None)
    assert api.uploaded.keys() == {"model.safetensors", "config.json", "README.md", "NOTICE"}
    assert Model.from_bytes(api.uploaded["model.safetensors"]).fills == model.fills
    assert not Path(upload["folder_path"]).exists()


def test_failed_upload_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(Api):
        def __getattr__(self, name: str) -> Any:
            raise OSError("401 Client Error.\n\nInvalid token")

    monkeypatch.setattr(huggingface_hub, "HfApi", Refusing(huggingface_hub.HfApi, False))
    with pytest.raises(DataError) as caught:
        load("en").push_to_hub("owner/model")
    assert str(caught.value) == "owner/model: cannot be uploaded: 401 Client Error; Invalid token"


def test_download_has_arguments_that_the_library_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    signature = inspect.signature(huggingface_hub.snapshot_download)
    given: dict[str, Any] = {}

    def download(*args: Any, **arguments: Any) -> str:
        given.update(signature.bind(*args, **arguments).arguments)
        raise ValueError("enough")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(CheckpointError, match="enough"):
        Model.from_pretrained("owner/model", revision="v1", token=False, local_files_only=True)
    assert given["repo_id"] == "owner/model"
    assert (given["revision"], given["token"], given["local_files_only"]) == ("v1", False, True)
    assert not any("bin" in pattern or "py" in pattern for pattern in given["allow_patterns"])
