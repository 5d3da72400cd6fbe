"""The wheel of `make wheel`, in an environment that has nothing else, and no compiler."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
WHEELS = sorted((ROOT / "dist").glob("*manylinux*_x86_64.whl"))
REQUIREMENTS = ROOT / "dist" / "requirements-annotate.txt"
MOST_MEGABYTES = 100  # of all that annotating needs, as files on disk
TEXT = "Time flies. Fruit flies like a banana.\n"
TRAINING = ("train", "--train", "train.conllu", "--dev", "none", "--epochs", "1", "--hidden", "8",
            "--layers", "1", "--heads", "tags", "-o", "m.safetensors")  # fmt: skip


@pytest.fixture(scope="module")
def wheel() -> Path:
    if not WHEELS or not REQUIREMENTS.exists():
        pytest.skip("there is no wheel in dist/; make it with: make wheel")
    return WHEELS[-1]


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and what annotating needs, installed in an empty environment."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=True, symlinks=True)
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-compile")
    for what in (("--no-deps", wheel), ("-r", REQUIREMENTS)):
        subprocess.run([*map(str, pip), *map(str, what)], check=True)
    return folder


def ran(
    environment: Path, *arguments: object, **options: object
) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder of its own, with nothing on the path but the environment."""
    (environment / "work").mkdir(exist_ok=True)
    program = environment / "bin" / "meprop-nlp"
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [str(program), *map(str, arguments)], cwd=environment / "work", text=True,
        capture_output=True, env={"PATH": str(environment / "bin")}, check=False, **options,
    )  # fmt: skip


def test_auditwheel_accepts_it(wheel: Path) -> None:
    pytest.importorskip("auditwheel", reason="needs meprop-nlp[wheels]")
    shown = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", str(wheel)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "manylinux_2_17_x86_64" in shown
    assert "manylinux_2_17_x86_64" in wheel.name
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert f"-{tag}-{tag}-" in wheel.name


def test_it_annotates_without_torch_and_without_a_compiler(environment: Path) -> None:
    python = environment / "bin" / "python"
    found = subprocess.run([python, "-c", "import torch"], capture_output=True, check=False)
    assert found.returncode == 1
    result = ran(environment, "annotate", input=TEXT)
    assert result.returncode == 0, result.stderr
    words = [line.split("\t") for line in result.stdout.splitlines() if line[:1].isdigit()]
    assert " ".join(word[1] for word in words) == "Time flies . Fruit flies like a banana ."
    assert {word[3] for word in words} >= {"NOUN", "VERB", "DET", "PUNCT"}
    assert [word[7] for word in words].count("root") == 2
    assert "native" in ran(environment, "info", "en").stdout
    (environment / "work" / "a.conllu").write_text(result.stdout)
    assert "LAS" in ran(environment, "evaluate", "a.conllu", "a.conllu").stdout
    assert ran(environment, "validate", "a.conllu").returncode == 0


def test_training_without_torch_is_refused_in_a_line(environment: Path) -> None:
    result = ran(environment, "train", "--epochs", 1)
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert line == "error: this needs PyTorch, which annotating does without: pip install torch"


def test_all_that_annotating_needs_is_light(environment: Path) -> None:
    site = next((environment / "lib").glob("python*")) / "site-packages"
    others = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
    files = [
        path
        for package in site.iterdir()
        if not package.name.startswith(others)
        for path in (package.rglob("*") if package.is_dir() else [package])
    ]
    megabytes = sum(p.stat().st_size for p in files if "__pycache__" not in p.parts) / 1e6
    assert megabytes < MOST_MEGABYTES
    assert {path.suffix for path in files} >= {".so", ".safetensors"}


def test_with_all_its_dependencies_it_trains(environment: Path) -> None:
    site = next((environment / "lib").glob("python*")) / "site-packages"
    # torch is gigabytes; that of the tests stands in, behind what the wheel has brought
    path = site / "torch_of_the_tests.pth"
    path.write_text(sysconfig.get_paths()["purelib"] + os.linesep)
    try:
        made = ran(environment, "annotate", input=TEXT).stdout
        (environment / "work" / "train.conllu").write_text(made)
        result = ran(environment, *TRAINING)
        assert result.returncode == 0, result.stderr
        assert "next: meprop-nlp annotate FILE" in result.stderr
    finally:
        path.unlink()
