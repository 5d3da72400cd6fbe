"""`download`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meprop_nlp.commands import console
from meprop_nlp.commands.options import Verbosity
from meprop_nlp.errors import ConfigError

if TYPE_CHECKING:
    from meprop_nlp.data.ud.release import Downloaded
    from meprop_nlp.data.ud.transfer import OnBytes


def download(
    treebank: Annotated[
        str,
        typer.Argument(
            metavar="TREEBANK", help="Its name on universaldependencies.org, as UD_German-GSD."
        ),
    ],
    release: Annotated[
        str | None,
        typer.Option(
            metavar="TAG",
            help="The release of Universal Dependencies. Unless given, r2.17, the newest that this "
            "version knows.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="Folder for the files; the default has the treebank's name.",
        ),
    ] = None,
    sha256: Annotated[
        str | None,
        typer.Option(
            metavar="HEX",
            help="What the archive's SHA-256 must be; otherwise nothing is kept.",
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="URL",
            help="Another server, laid out as github.com/UniversalDependencies; or the address of "
            "the .tar.gz archive. Also http and file.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files of the treebank that are there already.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait for an answer of the server.")
    ] = 30,
    *,
    verbosity: Verbosity,
) -> None:
    """Get a treebank of Universal Dependencies.

    From its repository at a release: train, dev and test, licence and readme. A download that was
    stopped goes on from there if the server can do that. Proxies are those of the environment
    (https_proxy). Prints the SHA-256 of the archive and of each file, and the command that trains
    on them.
    """
    # not imported above: no other command needs the network
    from meprop_nlp.data.ud.release import LATEST_RELEASE, SERVER, Treebank

    if not 0 < timeout < 1e6:
        raise ConfigError(f"--timeout is {timeout:g}, expected a number of seconds above 0")
    wanted = Treebank.of(treebank, LATEST_RELEASE if release is None else release)
    folder = Path(wanted.name) if output is None else output
    try:
        with _bar(f"{wanted.name} {wanted.release}", verbosity) as on_bytes:
            found = wanted.download(
                folder,
                server=SERVER if server is None else server,
                sha256=sha256,
                force=force,
                timeout=timeout,
                on_bytes=on_bytes,
            )
    except KeyboardInterrupt:
        if n_bytes := wanted.kept_bytes(folder):
            console.note(f"{n_bytes:,} bytes are kept; the same command goes on from there")
        raise
    print(f"{found.url}: SHA-256 {found.sha256}")
    for path, digest in found.files.items():
        print(f"{digest}  {path}")
    if not verbosity.quiet:
        console.note(_next_step(found))


@contextmanager
def _bar(title: str, verbosity: Verbosity) -> Iterator[OnBytes | None]:
    """Show how much has arrived, if on a terminal; yield what to call with each number of bytes."""
    if not verbosity.shows_bar:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn(title), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console.stderr(), transient=True) as progress:
        task = progress.add_task(title, total=None)

        def on_bytes(n_bytes: int, total: int | None) -> None:
            progress.update(task, completed=n_bytes, total=total)

        yield on_bytes


def _next_step(found: Downloaded) -> str:
    """Return what to do with the files: the command that trains on them."""
    roles = {role: found.of_role(role) for role in ("train", "dev", "test")}
    if not roles["train"]:
        return "the treebank has no training file; its other files are for evaluate"
    words = [
        word for role, paths in roles.items() for path in paths for word in (f"--{role}", path)
    ]
    return f"train a model with: {shlex.join(['meprop-nlp', 'train', *map(str, words)])}"
