"""A model says once that it hardly knows the words of a text, and not of one in its language."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import pytest

from meprop_nlp import Document, Model, load, read
from meprop_nlp.data import familiarity
from meprop_nlp.data.lexicon import Lexicon
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.models.annotate import annotate

DATA = Path(os.environ.get("MEPROP_NLP_DATA", "../shared/data"))
SPANISH = """El sol salía apenas cuando el viejo salió de la casa con su perro. No había dormido en
toda la noche y quería ir al río para pescar allí. Su mujer se quedó en casa y preparaba la comida
para los niños, que pronto volverían de la escuela. Nadie sabía que aquel día todo iba a cambiar. En
la ciudad se hablaba mucho de lo que el gobierno quiere hacer con el dinero de los vecinos."""
GERMAN = """Die Sonne ging gerade auf, als der alte Mann mit seinem Hund aus dem Haus trat. Er hatte
die ganze Nacht nicht geschlafen und wollte nun an den Fluss gehen, um dort zu fischen. Seine Frau
blieb zu Hause und kochte das Mittagessen für die Kinder, die bald aus der Schule kommen würden."""
TURKISH = """Yaşlı adam köpeğiyle evden çıktığında güneş yeni doğuyordu. Bütün gece uyumamıştı ve
şimdi balık tutmak için nehre gitmek istiyordu. Karısı evde kaldı ve yakında okuldan dönecek olan
çocuklar için öğle yemeğini pişirdi. O gün her şeyin değişeceğini kimse bilmiyordu. Şehirde
hükümetin parayla ne yapmak istediği çok konuşuluyordu, ama köylülerin çoğu buna inanmıyordu."""  # noqa: RUF001


@pytest.fixture
def english() -> Model:
    return load("en")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if (record.name, record.levelno) == ("meprop_nlp", logging.WARNING)
    ]


@pytest.mark.parametrize("text", [SPANISH, GERMAN, TURKISH], ids=["es", "de", "tr"])
def test_another_language_is_noticed_once(
    text: str, english: Model, caplog: pytest.LogCaptureFixture
) -> None:
    english(text)
    (message,) = warnings(caplog)
    assert "another language" in message
    list(english.pipe([text, text]))
    assert len(warnings(caplog)) == 1


def test_sentences_given_one_by_one_are_one_text(
    english: Model, caplog: pytest.LogCaptureFixture
) -> None:
    for n, sentence in enumerate(SPANISH.split(". "), start=1):
        english(sentence.split())
        assert len(warnings(caplog)) == (n >= 4)  # with the fourth there are fifty words


def test_its_own_language_is_not(english: Model, caplog: pytest.LogCaptureFixture) -> None:
    treebanks = [read(sample_treebank(role)) for role in ("train", "dev", "test")]
    sentences = list(chain.from_iterable(treebanks))
    list(english.pipe(sentences))
    english(Document(sentences[:40]))
    assert not warnings(caplog)


def test_few_words_are_not_judged(english: Model, caplog: pytest.LogCaptureFixture) -> None:
    english(SPANISH.split(". ")[0])
    english(["1999", "...", "%"] * 100)  # no words at all
    assert not warnings(caplog)


def test_each_file_is_looked_at(
    english: Model, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for _ in range(30):
        list(annotate(sample_treebank("train"), [english]))
    assert not warnings(caplog)
    file = tmp_path / "es.txt"
    file.write_text(SPANISH, encoding="utf-8")
    list(annotate(file, [english], threads=2))
    assert len(warnings(caplog)) == 1


def test_texts_at_the_same_time_are_counted_apart(
    english: Model, caplog: pytest.LogCaptureFixture
) -> None:
    """A text that begins amid another one's words takes none of them away."""
    first = english.familiarity.of_a_text()
    words = chain.from_iterable(sentence.forms for sentence in read(sample_treebank("train")))

    def forms() -> Iterator[str]:
        for n, form in enumerate(words):
            if n > 200:
                return
            if n == 55:
                list(annotate(io.BytesIO(b"Zxcv qwrt\n\n"), [english], input_format="text"))
            yield form

    first.note(200, forms())
    assert first._n_words > 100
    assert not warnings(caplog)


def test_short_texts_between_do_not_begin_a_stream_anew(
    english: Model, caplog: pytest.LogCaptureFixture
) -> None:
    for sentence in SPANISH.split(". "):
        english(sentence.split())
        list(annotate(io.BytesIO(b"It rains."), [english], input_format="text"))
    assert len(warnings(caplog)) == 1


def test_one_warning_for_all_threads(english: Model, caplog: pytest.LogCaptureFixture) -> None:
    def given(_: int) -> None:
        list(annotate(io.BytesIO(SPANISH.encode()), [english], input_format="text"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(given, range(12)))
    assert len(warnings(caplog)) == 1


def test_a_model_of_a_small_treebank_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    forms = [form for s in read(sample_treebank("train")) for form in s.forms]
    watch = familiarity.Familiarity(Lexicon.build(forms))
    assert not watch.looks
    watch.note(200, SPANISH.split())
    large = Lexicon.build([*forms, *map(str, range(familiarity.FEWEST_FORMS))])
    assert not warnings(caplog)
    familiarity.Familiarity(large).note(200, SPANISH.split())
    assert len(warnings(caplog)) == 1


def test_later_words_of_a_stream_are_seldom_looked_at(english: Model) -> None:
    watch = english.familiarity
    watch.note(2_000, ["the"] * 2_000)
    assert not watch.looks
    watch.note(familiarity.PASSED_OVER - 1, iter(()))
    assert not watch.looks
    watch.note(1, iter(()))
    assert watch.looks


@pytest.mark.skipif(not DATA.is_dir(), reason="no treebanks: MEPROP_NLP_DATA")
def test_no_stretch_of_dev_is_taken_for_another_language(english: Model) -> None:
    """Whatever place of dev a text began at, and however long it was."""
    forms = [word for s in read(DATA / "ud-english-ewt" / "dev.conllu") for word in s.forms]
    told: list[int] = []
    for start in range(0, len(forms) - 100, 25):
        watch = familiarity.Familiarity(english.lexicon)
        watch._tell = lambda *_: told.append(start)  # type: ignore[method-assign] # noqa: B023
        for place in range(start, min(start + 400, len(forms)), 20):
            watch.note(20, forms[place : place + 20])
    assert not told
