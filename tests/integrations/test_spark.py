"""`annotate_udf` on a local Spark of two workers."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import meprop_nlp
from meprop_nlp import load
from meprop_nlp.errors import CheckpointError, ConfigError
from meprop_nlp.models.boxed import model_file

pytestmark = [
    pytest.mark.extras,
    pytest.mark.slow,
    # PySpark 4.3 leaves the socket to its JVM open
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
pytest.importorskip("pyspark", reason="needs meprop-nlp[spark]")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java", allow_module_level=True)

from pyspark.sql import SparkSession  # noqa: E402

from meprop_nlp.integrations.spark import annotate_udf  # noqa: E402

TEXTS = [f"Time flies {n} times. It rains." for n in range(40)]


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    root = str(Path(meprop_nlp.__file__).parents[1])
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.executorEnv.PYTHONPATH", root)
        .config("spark.executorEnv.OMP_NUM_THREADS", "1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "5")
        .getOrCreate()
    )
    yield session
    session.stop()


def annotated(spark: Any, texts: list[str | None], udf: Any) -> list[str | None]:
    table = spark.createDataFrame(list(enumerate(texts)), "n int, text string").repartition(4)
    made = table.withColumn("annotated", udf("text")).collect()
    return [row["annotated"] for row in sorted(made)]


def test_two_workers_annotate_what_only_the_driver_has_a_model_for(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(model_file("en"), tmp_path / "mine.safetensors")
    monkeypatch.chdir(tmp_path)
    udf = annotate_udf("mine.safetensors")
    Path("mine.safetensors").unlink()
    monkeypatch.chdir("/")
    expected = [str(document) for document in load("en").pipe(TEXTS)]
    assert annotated(spark, [*TEXTS], udf) == expected
    assert "\tVERB\t" in expected[0]


def test_formats_and_what_is_no_text(spark: Any) -> None:
    texts = ["It rains.", None, "", "a\0b"]
    udf = annotate_udf(load("en"), output_format="json", on_error="null")
    first = load("en")("It rains.")[0].to_json() + "\n"
    assert annotated(spark, texts, udf) == [first, None, "", None]
    with pytest.raises(Exception, match="NUL character"):
        annotated(spark, texts, annotate_udf("en"))


def test_what_cannot_work_is_said_before_anything_is_sent(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`output_format` is 'xml', expected conllu or json"):
        annotate_udf("en", output_format="xml")
    with pytest.raises(CheckpointError):
        annotate_udf(str(tmp_path / "none.safetensors"))
