"""The lines of README and docs/ that install the package do what the pages say.

`pip` and `venv` lines are run as they stand, those of a block together, each block in a folder and
an environment that are new and empty. Only `.` is replaced: in `pip install .` the wheel of
`make wheel` stands in for the clone, so that nothing is compiled. `dist/` holds that wheel, and
torch is the one that runs the tests, in a package without content: its own has gigabytes. What is
not run stands in `NOT_RUN` with the reason.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from .test_pages import PAGES, not_run
from .test_wheel import REQUIREMENTS, ROOT, TEXT, TRAINING, WHEELS

RUN = ("README", "installing")  # the pages whose lines are run
NETWORK, COMPILER = "needs the network", "compiles the core: `make test-wheel` and .ci/run do it"
EXTRA = "brings large packages: `make test-extras` installs them"
# Lines by how they begin
NOT_RUN = {
    "git clone REPOSITORY": NETWORK,
    "make wheel": COMPILER,
    "pip install -e .[peers]": EXTRA,
    **{
        f"pip install 'meprop-nlp[{extra}]'": EXTRA
        for extra in ("hub", "ray", "serve", "sklearn", "spacy", "spark", "tensorboard")
    },
    "pip install 'meprop-nlp[transformers]'": EXTRA,
}
STAND_IN = "torch-{0}+tests-py3-none-any.whl"
VERSION = "2.13.0"


class Block(NamedTuple):
    """The install lines that follow each other on a page, and those in the text below them."""

    page: str
    lines: list[str]


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page that install, each with the commands in backticks after it."""
    found: list[Block] = []
    for block, inline in re.findall(
        r"((?:^ {4,}(?:git clone|python3 -m venv|pip|make wheel|docker)\b.*\n)+)"
        r"|`(pip install [^`]+)`",
        PAGES[page],
        flags=re.M,
    ):
        if block:
            found.append(Block(page, [line.strip() for line in block.splitlines()]))
        elif found:
            found[-1].lines.append(inline)
        else:
            found.append(Block(page, [inline]))
    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
TO_RUN = [block for block in BLOCKS if block.page in RUN]


def torch_of_the_tests(folder: Path) -> Path:
    """A wheel of torch that holds a path to the tests' packages, behind those installed."""
    path = folder / STAND_IN.format(VERSION)
    info = f"torch-{VERSION}+tests.dist-info"
    files = {
        "torch_of_the_tests.pth": sysconfig.get_paths()["purelib"] + "\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: torch\nVersion: {VERSION}+tests\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (files | {f"{info}/RECORD": record}).items():
            archive.writestr(name, text)
    return path


def run_block(lines: list[str], folder: Path, wheel: Path) -> Path:
    """Run the lines of a block in a new folder, like a shell; return the environment made."""
    (folder / "dist").mkdir()
    for file in (wheel, REQUIREMENTS):
        (folder / "dist" / file.name).symlink_to(file)
    links = folder / "links"
    links.mkdir()
    torch_of_the_tests(links)
    constraints = folder / "constraints.txt"
    constraints.write_text(f"torch=={VERSION}+tests\n")
    script = ["set -eu"]
    if not any("-m venv" in line for line in lines):
        script.append("python3 -m venv .venv && . .venv/bin/activate")
    for line in lines:
        if not not_run(line, NOT_RUN):
            script.append(re.sub(r"^pip install \.$", f"pip install '{wheel}'", line))
    (folder / "python").mkdir()
    (folder / "python" / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    environment = os.environ | {
        "PATH": f"{folder / 'python'}:/usr/bin:/bin",
        "PIP_CONSTRAINT": str(constraints),
        "PIP_FIND_LINKS": str(links),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        ["sh", "-c", "\n".join(script)], cwd=folder, env=environment, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / ".venv" / "bin"


@pytest.mark.slow
@pytest.mark.parametrize("block", TO_RUN, ids=lambda block: f"{block.page}: {block.lines[-1]}")
def test_lines_install_a_program_that_annotates_and_where_torch_comes_along_trains(
    block: Block, tmp_path: Path
) -> None:
    if not WHEELS or not REQUIREMENTS.exists():
        pytest.skip("there is no wheel in dist/; make it with: make wheel")
    bin_folder = run_block(block.lines, tmp_path, WHEELS[-1])

    def ran(*words: str, given: str = "") -> str:
        done = subprocess.run(
            [bin_folder / words[0], *words[1:]], cwd=tmp_path, text=True, input=given,
            capture_output=True, env={"PATH": str(bin_folder)}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    annotated = ran("meprop-nlp", "annotate", "--model", "en", given=TEXT)
    assert annotated.count("\troot\t") == 2
    site = ran("python", "-c", "import meprop_nlp; print(meprop_nlp.__file__)")
    assert site.startswith(str(tmp_path))
    if any("--no-deps" in line for line in block.lines):
        assert not list(tmp_path.glob(".venv/lib/*/site-packages/torch*"))
        ran("python", "-c", "import starlette, uvicorn, multipart")
    else:
        (tmp_path / "train.conllu").write_text(annotated)
        ran("meprop-nlp", *TRAINING)
        assert (tmp_path / "m.safetensors").exists()


def test_each_install_line_is_run_or_has_a_reason() -> None:
    assert {block.page for block in TO_RUN} == set(RUN)
    lines = [(block.page, line) for block in BLOCKS for line in block.lines]
    for page, line in lines:
        is_run = page in RUN and line.startswith(("pip install ", "python3 -m venv "))
        assert is_run != bool(not_run(line, NOT_RUN)), f"{page}: {line}"
    for known, reason in NOT_RUN.items():
        assert any(line.startswith(known) for _, line in lines), known
        assert reason
    assert [line for _, line in lines].count("pip install .") == 2


def test_extras_in_the_pages_are_those_of_the_package() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for block in BLOCKS:
        for line in block.lines:
            for extra in re.findall(r"\[(\w+)\]", line):
                assert f"\n{extra} = [" in pyproject, line
