"""The Python of the manual's pages runs, from the top of a page to its end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {path.stem: path for path in sorted(DOCS.glob("*.md"))}


def run_python(page: Path) -> dict[str, object]:
    """Run the Python blocks of a page in order, as one program; return its names."""
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S):
        exec(code, names)
    return names


def test_layers_train_and_shrink_as_the_page_says() -> None:
    names = run_python(PAGES["layers"])
    assert names["loss"] < 0.5 * names["first_loss"]  # type: ignore[operator]
    assert all(16 <= width < 200 for width in names["widths"])  # type: ignore[attr-defined]
    assert [names["network"][n].out_features for n in (0, 2)] == [24, 24]  # type: ignore[index]
    for record in names["records"]:  # type: ignore[attr-defined]
        assert record.after < record.before == 100
    assert names["dense_again"].weight.equal(names["dense"].weight)  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_page_with_python_is_run(page: Path) -> None:
    # the page on integrations is run by tests/integrations/test_pages.py
    run = page.stem in ("layers", "integrations")
    assert run or "```python" not in page.read_text(encoding="utf-8")


def test_each_promise_names_tests_that_there_are() -> None:
    page = PAGES["reliability"].read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ \|.*\|(.*)\|$", page, flags=re.M)
    assert len(rows) >= 15
    for row in rows:
        file = None
        for path, name in re.findall(r"`(?:tests/([\w/]+(?:\.py)?))?(?:::)?(test_\w+)?`", row):
            file = DOCS.parent / "tests" / path if path else file
            assert file is not None, row
            assert file.exists(), row
            assert not name or f"def {name}(" in file.read_text(encoding="utf-8"), name
        assert file is not None, row
