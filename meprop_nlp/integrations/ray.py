"""`annotate`: the texts of a Ray dataset, annotated by workers that keep the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meprop_nlp.errors import ConfigError, is_lack_of, missing_extra
from meprop_nlp.integrations.texts import annotated_texts, demand_choices, model_of
from meprop_nlp.models.model import Model

if TYPE_CHECKING:
    from ray.data import Dataset


def annotate(
    dataset: Dataset,
    model: Model | str,
    *,
    column: str = "text",
    output_column: str = "annotated",
    output_format: str = "conllu",
    on_error: str = "fail",
    workers: int | None = None,
    batch_size: int = 64,
    **options: Any,
) -> Dataset:
    """Return a dataset with one more column: its texts annotated.

    It is computed lazily, by workers of one CPU each, which are given the model once. The model
    goes to them with the work, so that only the driver needs its file; the package must be
    installed on all machines.

    >>> texts = ray.data.read_parquet("s3://bucket/texts/")  # doctest: +SKIP
    >>> annotate(texts, "en").write_parquet("s3://bucket/annotated/")  # doctest: +SKIP

    Args:
        dataset: has a column of texts; None among them stays None.
        model: a model, its file, or the name of one that comes with the package. It must have a
            tokenizer.
        column: of the texts.
        output_column: of the annotated texts.
        output_format: `conllu`; or `json`, an object a sentence, each in a line.
        on_error: what becomes of a text that cannot be annotated, such as one with a NUL character
            in it: `fail` raises, `null` gives None in its place.
        workers: how many; None: as many as the cluster has CPUs, begun as they are needed.
        batch_size: rows that a worker takes at a time.
        options: of `Dataset.map_batches`.

    Raises:
        ConfigError: Ray is not installed, a choice is none, or the model takes no texts.
        CheckpointError: there is no such model.
    """
    try:
        import ray
        from ray.data import ActorPoolStrategy
    except ModuleNotFoundError as error:
        if not is_lack_of(error, "ray", "pandas", "pyarrow", "fsspec"):  # the others: of ray[data]
            raise
        name = "Ray" if is_lack_of(error, "ray") else str(error.name)
        raise ConfigError(missing_extra(name, "ray")) from None
    demand_choices(output_format, on_error)
    found = model_of(model)
    if workers is None:
        most = max(1, int(ray.cluster_resources().get("CPU", 1)))
        pool = ActorPoolStrategy(min_size=1, max_size=most)
    else:
        pool = ActorPoolStrategy(size=workers)
    return dataset.map_batches(
        _Worker,
        fn_constructor_args=(ray.put(found), column, output_column, output_format, on_error),
        batch_size=batch_size,
        batch_format="pyarrow",
        compute=pool,
        **{"num_cpus": 1} | options,
    )


class _Worker:
    """Annotates batches of rows with a model that it keeps."""

    def __init__(
        self, model: Any, column: str, output_column: str, output_format: str, on_error: str
    ) -> None:
        import ray

        self._model: Model = ray.get(model) if isinstance(model, ray.ObjectRef) else model
        self._column, self._output_column = column, output_column
        self._output_format, self._on_error = output_format, on_error

    def __call__(self, batch: Any) -> Any:
        import pyarrow as pa

        texts = batch.column(self._column).to_pylist()
        made = annotated_texts(
            self._model, texts, output_format=self._output_format, on_error=self._on_error
        )
        return batch.append_column(self._output_column, pa.array(made, pa.large_string()))
