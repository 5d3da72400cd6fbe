"""`Results`: the results of finished cells, one line of JSON each in `results.jsonl`."""

import fcntl
import json
from pathlib import Path
from typing import Any

from experiments.cell import Cell, key_of
from meprop_nlp.errors import DataError

Result = dict[str, Any]


class Results:
    """The results in a folder, whose folder `work` has the models of unfinished cells.

    Several processes may add results at the same time, and each sees those of the others. Of two
    results for the same cell the last one counts. If a process is killed while it writes, half a
    line is left at the end: it is ignored, and removed when the next result is added.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "results.jsonl"
        self._found: dict[str, Result] = {}
        self._offset = self._line = 0  # of the end of the part that has been read

    def get(self, cell: Cell) -> Result | None:
        """Return the result of a cell; None if it is not finished."""
        self._read()
        return self._found.get(cell.key)

    def add(self, cell: Cell, result: Result) -> None:
        """Store the result of a cell, and remove the files of its training from `work`."""
        line = json.dumps({"cell": cell.name, **result}, separators=(",", ":")).encode() + b"\n"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
                if file.write(line) < len(line):
                    raise OSError("the disk is full")
        except OSError as error:
            raise DataError(f"{self.path}: cannot be written: {error.strerror or error}") from None
        self.clear_work(cell)

    def work(self, cell: Cell) -> Path:
        """Return where the model of an unfinished cell is kept."""
        return self.folder / "work" / f"{cell.name}.safetensors"

    def clear_work(self, cell: Cell) -> None:
        """Remove the model, log and checkpoint of a cell."""
        for ending in (".safetensors", ".jsonl", ".checkpoint.safetensors"):
            self.work(cell).with_name(cell.name + ending).unlink(missing_ok=True)

    def _read(self) -> None:
        """Read the complete lines that have been added since the last call."""
        if not self.path.exists() or self.path.stat().st_size <= self._offset:
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        for line in content[: content.rfind(b"\n") + 1].splitlines(keepends=True):
            self._offset += len(line)
            self._line += 1
            try:
                result = json.loads(line)
                fingerprint = result["corpus"]["fingerprint"]
                self._found[key_of(result["task"], fingerprint, result["settings"])] = result
            except (ValueError, TypeError, KeyError) as error:
                raise DataError(
                    f"{self.path}:{self._line}: is no result of the experiments ({error!r}); "
                    "remove the line, and the cell is trained again"
                ) from None
