"""Repositories of the Hugging Face Hub: `fetched` reads one, `pushed` writes one."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from meprop_nlp.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    is_lack_of,
    missing_extra,
)
from meprop_nlp.models.boxed import boxed_models, in_words
from meprop_nlp.models.hub.folder import CARD, CONFIG, WEIGHTS, weights_in

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")  # as long as the Hub's
# all that a model may need, and nothing that could run code
_FILES = (
    CONFIG,
    WEIGHTS,
    "model.encoder/*.json",
    "model.encoder/*.safetensors",
    "model.encoder/*.txt",
    "model.encoder/*.model",
    "model.encoder/*.md",
)


def local_model(name: str | os.PathLike[str]) -> Path | None:
    """Return the model file of a folder, a file or a name of the package; None if there is none.

    Raises:
        CheckpointError: it is a folder without a model, or cannot be looked at.
    """
    boxed = boxed_models()
    if isinstance(name, str) and name in boxed:
        return boxed[name]
    path = Path(name)
    try:
        if path.is_dir():
            return weights_in(path)
        return path if path.exists() else None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise CheckpointError(f"{path}: {error.strerror}") from None


def fetched(
    name: str | os.PathLike[str],
    *,
    revision: str | None,
    cache_dir: str | os.PathLike[str] | None,
    force_download: bool,
    token: str | bool | None,
    local_files_only: bool,
) -> Path:
    """Return the model file of a repository, which is downloaded unless it was before.

    Args:
        name: of the repository, such as `owner/model`.
        revision: a branch, a tag or a commit; None: the main branch.
        cache_dir: where downloads are kept; None: where huggingface_hub keeps them.
        force_download: download also what is kept.
        token: for private repositories; None: the one of `hf auth login`, if any.
        local_files_only: use what is kept, without the network.

    Raises:
        CheckpointError: it is no name of a repository, or reads as one of a local file; there is
            no such one, it has no model, or it cannot be reached.
        ConfigError: huggingface_hub is not installed.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise CheckpointError(
            f"{os.fspath(name)}: there is no such folder or file; {in_words(boxed_models())}; a "
            "repository of the Hugging Face Hub is named as in owner/model"
        )
    folder = name.partition("/")[0]
    if name.endswith(".safetensors") or (folder != name and Path(folder).is_dir()):
        found = "" if name.endswith(".safetensors") else f", though {folder} is a folder here"
        raise CheckpointError(
            f"{name}: there is no such folder or file{found}; it was not looked for on the Hugging "
            "Face Hub, since it reads as a file's name"
        )
    hub = _hub(f"{name}: there is no such folder or file; to look on the Hugging Face Hub")
    try:
        folder = hub.snapshot_download(
            name,
            revision=revision,
            cache_dir=cache_dir,
            force_download=force_download,
            token=token,
            local_files_only=local_files_only,
            allow_patterns=[*_FILES],
            library_name="meprop-nlp",
        )
    except Exception as error:  # whatever its HTTP library raises
        raise CheckpointError(
            f"{name}: there is no such folder or file, and the Hugging Face Hub gave no such "
            f"model: {_beginning(error)}"
        ) from error
    try:
        return weights_in(Path(folder))
    except CheckpointError:
        at = f" at {revision}" if revision else ""
        raise CheckpointError(
            f"{name}: there is no {WEIGHTS} in the repository{at}, so that it has no model of "
            "meprop_nlp; upload one with `push_to_hub`"
        ) from None


def pushed(
    repo_id: str,
    write: Callable[[Path], None],
    *,
    revision: str | None,
    private: bool | None,
    token: str | bool | None,
    commit_message: str,
    create_pr: bool,
) -> str:
    """Upload a folder to a repository, which is made if there is none; return the commit's address.

    A model card that the repository has stays as it is.

    Args:
        repo_id: the repository's name, such as `owner/model`.
        write: writes the folder.
        revision: the branch; None: main.
        private: whether a new repository is private; None: as its owner has set.
        token: None: the one of `hf auth login`.
        create_pr: open a pull request in place of a commit.

    Raises:
        ConfigError: huggingface_hub is not installed, or this is no name of a repository.
        DataError: it cannot be uploaded.
    """
    if not isinstance(repo_id, str) or not _NAME.fullmatch(repo_id):
        raise ConfigError(f"`repo_id` is {repo_id!r}, expected a name such as owner/model")
    hub = _hub("uploading a model")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        write(folder)
        try:
            api = hub.HfApi(token=token)
            api.create_repo(repo_id, private=private, exist_ok=True)
            has_card = api.file_exists(repo_id, CARD, revision=revision)
            commit = api.upload_folder(
                repo_id=repo_id,
                folder_path=folder,
                revision=revision,
                commit_message=commit_message,
                create_pr=create_pr,
                ignore_patterns=[CARD] if has_card else None,
            )
        except Exception as error:  # whatever its HTTP library raises
            raise DataError(f"{repo_id}: cannot be uploaded: {_beginning(error)}") from error
    return str(commit.commit_url)


def _hub(purpose: str) -> Any:
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        if not is_lack_of(error, "huggingface_hub"):
            raise
        raise ConfigError(missing_extra("huggingface_hub", "hub", purpose)) from None
    return huggingface_hub


def _beginning(error: Exception) -> str:
    """Return the beginning of a message in one line: the library says first what HTTP says."""
    lines = [line.strip().rstrip(".:") for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines[:2]) or type(error).__name__
