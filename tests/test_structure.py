"""The house rules that a machine can check: who imports whom, what is public, what loads torch."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import meprop_nlp
from meprop_nlp.cli import _COMMANDS

PACKAGE = Path(meprop_nlp.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = {path: ".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in FILES}

# Which parts of the package a part may import, beside itself: imports run down only.
GROUND = {"config", "settings", "errors", "files", "kinds", "native", "signals", "threads"}
PARTS = {name.partition(".")[0] for name in NAMES.values()}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    **dict.fromkeys(GROUND - {"errors"}, GROUND),
    "data": GROUND,
    "nn": GROUND,
    "simplify": GROUND | {"nn"},
    "parsing": GROUND | {"data"},
    "scoring": GROUND | {"data"},
    "models": GROUND | {"data", "parsing", "scoring"},
}
MAY_IMPORT["training"] = MAY_IMPORT["models"] | {"models", "nn", "simplify"}
MAY_IMPORT["views"] = MAY_IMPORT["models"] | {"models"}
MAY_IMPORT["serve"] = MAY_IMPORT["views"] | {"views"}
MAY_IMPORT["integrations"] = MAY_IMPORT["training"] | {"training"}
MAY_IMPORT["commands"] = MAY_IMPORT["integrations"] | {"integrations", "serve", "views", "__init__"}
MAY_IMPORT["cli"] = MAY_IMPORT["commands"] | {"commands"}
MAY_IMPORT["__main__"] = {"cli"}
WITHOUT_TORCH = {
    *GROUND, "scoring", "data", "parsing", "models", "views", "serve", "integrations", "commands",
    "cli", "__main__", "__init__",
}  # fmt: skip
LAZY_ABOUT_TORCH = {
    "models.pretrained",
    "training.joint_model",
    "training.parser",
    "training.tagger",
    "training.trainable",
}
# The only folders that call the native core.
NEAR_THE_CORE = ("nn.backends.", "models.", "data.conll.")
# Questions that only nn/backends/choose.py asks of a tensor.
WHERE_TENSORS_LIVE = {"is_cuda", "is_cpu", "is_autocast_enabled", "get_num_threads"}
# What only extras install; the modules that need it can be imported only where it is.
EXTRAS = {"h11", "python_multipart", "starlette", "uvicorn"}
MOST_MODULES = 25  # in a folder; commands/ has a file for each command
MOST_FILES = 860  # tracked by git; 690 before views, serve, integrations and the manual


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(nodes: Iterator[ast.AST], package: tuple[str, ...]) -> Iterator[str]:
    """Full names of the modules that the nodes import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join(base + ([node.module] if node.module else []))
            yield module
            # `from meprop_nlp.data import conll` imports a module too
            yield from (f"{module}.{alias.name}" for alias in node.names)


def parts_imported(path: Path) -> set[str]:
    """The parts of our package that a file imports, wherever in the file."""
    package = ("meprop_nlp", *path.relative_to(PACKAGE).parts[:-1])
    names = [name.split(".") for name in imported(ast.walk(tree(path)), package)]
    ours = [name for name in names if name[0] == "meprop_nlp"]
    return {name[1] if len(name) > 1 and name[1] in PARTS else "__init__" for name in ours}


def at_import_time(module: ast.Module) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported: no functions, nothing for type checkers."""
    pending: list[ast.AST] = [module]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
            continue
        yield node
        pending += ast.iter_child_nodes(node)


def imports_torch(nodes: Iterator[ast.AST]) -> bool:
    names = {name.partition(".")[0] for name in imported(nodes, ("meprop_nlp",))}
    return not names.isdisjoint({"torch", "transformers"})  # which imports torch


each_file = pytest.mark.parametrize("path", FILES, ids=NAMES.values())


@each_file
def test_imports_run_down_only(path: Path) -> None:
    part = NAMES[path].partition(".")[0]
    if part == "__init__":
        return  # it names everything, and loads it on first use
    assert parts_imported(path) <= MAY_IMPORT[part] | {part}


@each_file
def test_package_knows_neither_experiments_nor_benchmarks(path: Path) -> None:
    names = {name.partition(".")[0] for name in imported(ast.walk(tree(path)), ("meprop_nlp",))}
    assert names.isdisjoint({"experiments", "benchmarks"})


@each_file
def test_heads_never_know_the_model(path: Path) -> None:
    if NAMES[path].startswith("models.heads."):
        names = set(imported(ast.walk(tree(path)), ("meprop_nlp", "models", "heads")))
        assert "meprop_nlp.models.model" not in names


@each_file
def test_only_three_folders_call_the_native_core(path: Path) -> None:
    if not NAMES[path].startswith(NEAR_THE_CORE):
        assert "meprop_nlp.native.core" not in set(imported(ast.walk(tree(path)), ("meprop_nlp",)))


@each_file
def test_one_door_asks_where_tensors_live(path: Path) -> None:
    name = NAMES[path]
    if name.startswith(("nn.", "simplify.")) and not name.startswith("nn.backends."):
        asked = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        assert asked.isdisjoint(WHERE_TENSORS_LIVE)
        assert "device.type" not in path.read_text(encoding="utf-8")


def test_folders_stay_small() -> None:
    folders = Counter(path.parent for path in FILES if path.name != "__init__.py")
    large = {folder.name for folder, n_modules in folders.items() if n_modules > MOST_MODULES}
    assert large <= {"commands"}


def test_repository_stays_small() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    if listed.returncode or not listed.stdout:
        pytest.skip("not in a git checkout")
    assert len(listed.stdout.splitlines()) <= MOST_FILES


@each_file
def test_torch_is_loaded_only_where_networks_are(path: Path) -> None:
    if NAMES[path] in LAZY_ABOUT_TORCH:
        assert not imports_torch(at_import_time(tree(path)))
        package = ("meprop_nlp", NAMES[path].partition(".")[0])
        names = imported(at_import_time(tree(path)), package)
        ours = {".".join(name.split(".")[1:3]) for name in names if name.startswith("meprop_nlp.")}
        allowed = {name for name in ours if name.partition(".")[0] in WITHOUT_TORCH}
        assert ours <= allowed | LAZY_ABOUT_TORCH
    elif NAMES[path].partition(".")[0] in WITHOUT_TORCH:
        assert not imports_torch(ast.walk(tree(path)))


@each_file
def test_file_opens_with_a_docstring(path: Path) -> None:
    assert ast.get_docstring(tree(path))


@each_file
def test_only_the_command_line_prints(path: Path) -> None:
    if NAMES[path].partition(".")[0] in ("cli", "commands"):
        return
    calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    assert "print" not in {call.id for call in calls if isinstance(call, ast.Name)}


@each_file
def test_only_commands_and_the_display_of_training_write_to_standard_error(path: Path) -> None:
    if NAMES[path].partition(".")[0] in ("cli", "commands") or NAMES[path] == "training.display":
        return
    attributes = {ast.unparse(n) for n in ast.walk(tree(path)) if isinstance(n, ast.Attribute)}
    assert "sys.stderr" not in attributes


@each_file
def test_nothing_is_pickled(path: Path) -> None:
    module = tree(path)
    names = {name.partition(".")[0] for name in imported(ast.walk(module), ("meprop_nlp",))}
    assert names.isdisjoint({"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve"})
    attributes = {ast.unparse(n) for n in ast.walk(module) if isinstance(n, ast.Attribute)}
    assert attributes.isdisjoint({"torch.load", "torch.save", "np.load", "np.save"})


def test_public_names_are_sorted_and_resolve() -> None:
    assert meprop_nlp.__all__ == sorted(meprop_nlp.__all__)
    for name in meprop_nlp.__all__:
        value = getattr(meprop_nlp, name)
        assert value.__name__ == name
        assert value.__doc__
    assert set(dir(meprop_nlp)) == {*meprop_nlp.__all__, "__version__"}
    assert set(meprop_nlp._HOMES) == set(meprop_nlp.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Tagge'"):
        _ = meprop_nlp.Tagge  # type: ignore[attr-defined]


def test_type_checkers_see_the_same_public_names() -> None:
    (block,) = [node for node in tree(PACKAGE / "__init__.py").body if isinstance(node, ast.If)]
    seen = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: f"meprop_nlp.{home}" for name, home in meprop_nlp._HOMES.items()}


@pytest.mark.parametrize("path", FILES, ids=NAMES.values())
def test_names_in_all_exist(path: Path) -> None:
    name = NAMES[path].removesuffix("__init__").strip(".")
    if name.startswith("nn.backends.triton_"):
        pytest.importorskip("triton", reason="Triton is not installed")
    try:
        module = importlib.import_module(f"meprop_nlp.{name}".strip("."))
    except ModuleNotFoundError as error:
        is_told = name.startswith("integrations.") and "pip install 'meprop-nlp[" in str(error)
        if not is_told and str(error.name).partition(".")[0] not in EXTRAS:
            raise
        pytest.skip(str(error))  # the library that it is for is an extra
    missing = [public for public in getattr(module, "__all__", ()) if not hasattr(module, public)]
    assert not missing


LOADED = "; import sys; sys.stderr.write(repr({'torch', 'pandas', 'rich'} & set(sys.modules)))"
HELP = """
import runpy, sys
sys.argv = ["meprop-nlp", *{arguments}]
try:
    runpy.run_module("meprop_nlp.cli", run_name="__main__")
except SystemExit as end:
    sys.stderr.write(f"{{end.code}} {{'torch' in sys.modules}}")
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=PACKAGE.parent,
    )


def test_importing_the_package_loads_no_torch() -> None:
    assert python("import meprop_nlp" + LOADED).stderr == "set()"


def test_reading_and_predicting_load_no_torch() -> None:
    names = "read, write, load, evaluate, Tagger, DependencyParser, JointModel"
    code = (
        f"from meprop_nlp import {names}; import sys; sys.stderr.write(str('torch' in sys.modules))"
    )
    assert python(code).stderr == "False"


@pytest.mark.parametrize("arguments", [["--help"], ["train-tagger", "--help"], ["tag", "--help"]])
def test_help_loads_no_torch(arguments: list[str]) -> None:
    done = python(HELP.format(arguments=arguments))
    assert done.stderr.endswith("0 False")
    assert "Usage" in done.stdout


CALLED = """
import runpy, sys
sys.argv = ["meprop-nlp", "tag", "--help"]
try:
    runpy.run_module("meprop_nlp.cli", run_name="__main__")
except SystemExit:
    sys.stderr.write(" ".join(m for m in sys.modules if m.startswith("meprop_nlp.commands.")))
    sys.stderr.write("".join(f" {m}" for m in ("pydantic", "rich", "torch") if m in sys.modules))
"""


def test_a_command_is_not_kept_waiting_for_the_others() -> None:
    loaded = {name.rpartition(".")[2] for name in python(CALLED).stderr.split()}
    others = {name.replace("-", "_") for name in _COMMANDS} - {"tag"}
    assert "tag" in loaded
    assert not loaded & {*others, "run_training", "pydantic", "rich", "torch"}


def test_a_word_that_is_no_command_is_told_about_all_of_them() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "meprop_nlp.cli", "parze"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=PACKAGE.parent,
    )
    assert done.returncode == 2
    assert "parse" in done.stderr
