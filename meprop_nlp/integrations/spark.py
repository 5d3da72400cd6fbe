"""`annotate_udf`: a function of text columns for Spark, with the model kept in each worker."""

# Spark reads the types of the function below from its annotations, which must not be texts
from collections.abc import Iterator
from typing import Any

from meprop_nlp.errors import ConfigError, is_lack_of, missing_extra
from meprop_nlp.integrations.texts import annotated_texts, demand_choices, model_of
from meprop_nlp.models.model import Model


def annotate_udf(
    model: Model | str, *, output_format: str = "conllu", on_error: str = "fail"
) -> Any:
    """Return a pandas UDF that annotates a column of texts.

    The model is broadcast, so that only the driver needs its file; a Python worker takes it once
    for all its tasks. The package must be installed on all machines.

    >>> annotated = annotate_udf("en")  # doctest: +SKIP
    >>> table.withColumn("annotated", annotated("text")).write.parquet("out")  # doctest: +SKIP

    Args:
        model: a model, its file, or the name of one that comes with the package. It must have a
            tokenizer.
        output_format: `conllu`; or `json`, an object a sentence, each in a line.
        on_error: what becomes of a text that cannot be annotated, such as one with a NUL character
            in it: `fail` raises, `null` gives null in its place.

    Raises:
        ConfigError: PySpark is not installed, no session is running, a choice is none, or the
            model takes no texts.
        CheckpointError: there is no such model.
    """
    try:
        from pyspark import SparkContext  # first, so that it is named where nothing is installed

        import pandas as pd  # isort: skip
        from pyspark.sql.functions import pandas_udf  # isort: skip
    except ModuleNotFoundError as error:
        if not is_lack_of(error, "pyspark", "pandas", "pyarrow"):
            raise
        name = "PySpark" if is_lack_of(error, "pyspark") else str(error.name)
        raise ConfigError(missing_extra(name, "spark")) from None
    demand_choices(output_format, on_error)
    found = model_of(model)
    context = SparkContext._active_spark_context
    if context is None:
        raise ConfigError(
            "no Spark session is running here; begin one first, with SparkSession.builder"
        )
    shared = context.broadcast(found)

    def annotated(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        kept = shared.value  # read once in a worker
        for texts in batches:
            given = [text if isinstance(text, str) else None for text in texts]
            made = annotated_texts(kept, given, output_format=output_format, on_error=on_error)
            yield pd.Series(made, index=texts.index, dtype=object)

    return pandas_udf(annotated, "string")
