"""`Store`: results of finished cells, one JSON file each, and the place of those at work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from meprop_nlp.errors import DataError
from meprop_nlp.files import replacing
from meprop_nlp.reproduction.cell import Cell

__all__ = ["Result", "Store"]

Result = dict[str, Any]
FORMAT = 1


class Store:
    """A folder of results.

    `cells/NAME.json` is there when the cell is finished, and whole; `work/` holds models and
    checkpoints of cells that are not.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Result] = {}

    def work(self, cell: Cell) -> Path:
        """Return where the model of a cell at work is kept."""
        return self.folder / "work" / f"{cell.name}.safetensors"

    def get(self, cell: Cell) -> Result | None:
        """Return the result of a cell; None where it is not finished.

        Raises:
            DataError: the file is no result.
        """
        path = self.folder / "cells" / f"{cell.name}.json"
        if cell.name not in self._known and not path.exists():
            return None
        result = self._result(path)
        return result if cell.fits(result["settings"]) else None

    def put(self, cell: Cell, result: Result) -> None:
        """Keep a result and remove what the training left in `work/`.

        Raises:
            DataError: the folder cannot be written to.
        """
        stored = {"format": FORMAT, "cell": cell.name, **result}
        with replacing(self.folder / "cells" / f"{cell.name}.json") as temporary:
            temporary.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        self._known[cell.name] = stored
        self.clear_work(cell)

    def clear_work(self, cell: Cell) -> None:
        """Remove model, log and checkpoint of a cell."""
        model = self.work(cell)
        for path in (model, *(model.parent / f"{cell.name}{end}" for end in _BESIDE)):
            path.unlink(missing_ok=True)

    def all(self) -> list[Result]:
        """Return every result in the folder, by name."""
        return [self._result(path) for path in sorted((self.folder / "cells").glob("*.json"))]

    def _result(self, path: Path) -> Result:
        """Read a file, the first time it is asked for."""
        if path.stem not in self._known:
            self._known[path.stem] = self._read(path)
        return self._known[path.stem]

    @staticmethod
    def _read(path: Path) -> Result:
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
            if result["format"] > FORMAT:
                raise DataError(
                    f"{path}: format {result['format']}, this meprop_nlp reads up to {FORMAT}; "
                    "use the version that wrote it, or another --out"
                )
            missing = {"cell", "settings", "epochs", "dev", "test", "conditions"} - result.keys()
        except (OSError, ValueError, TypeError, KeyError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"{path}: is no result of reproduce ({error}); remove it, and the cell is trained "
                "again"
            ) from None
        if missing:
            raise DataError(
                f"{path}: is no result of reproduce (it lacks {', '.join(sorted(missing))}); "
                "remove it, and the cell is trained again"
            )
        return dict(result)


_BESIDE = (".jsonl", ".checkpoint.safetensors")
