"""The estimators with scikit-learn's own tools: clones, searches, folds, pipelines and checks."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest

pytestmark = pytest.mark.extras
pytest.importorskip("sklearn", reason="scikit-learn is not installed: meprop-nlp[sklearn]")

from joblib import Parallel, delayed  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import NotFittedError, SkipTestWarning  # noqa: E402
from sklearn.model_selection import (  # noqa: E402
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import Pipeline  # noqa: E402
from sklearn.utils.estimator_checks import (  # noqa: E402
    check_estimator,
    estimator_checks_generator,
)

from meprop_nlp import read  # noqa: E402
from meprop_nlp.data.sample.treebank import sample_treebank  # noqa: E402
from meprop_nlp.data.sentence import Sentence  # noqa: E402
from meprop_nlp.errors import ConfigError, DataError  # noqa: E402
from meprop_nlp.integrations.sklearn import (  # noqa: E402
    JointEstimator,
    ParserEstimator,
    TaggerEstimator,
)
from meprop_nlp.training.display import TrainingDisplay  # noqa: E402

ROOT = Path(__file__).parents[2]
SENTENCES = list(read(sample_treebank("train")))[:24]
WORDS = [sentence.forms for sentence in SENTENCES]
TAGS = [sentence.column("upos") for sentence in SENTENCES]
PAIRS = [list(zip(words, tags, strict=True)) for words, tags in zip(WORDS, TAGS, strict=True)]
TREES = [
    list(zip(s.column("head"), s.column("deprel"), strict=True)) for s in SENTENCES
]  # fmt: skip
TINY = {
    "tagger": {"hidden": 8, "epochs": 2, "settings": {"word_dim": 8, "feature_dim": 4}},
    "parser": {
        "hidden": 16,
        "epochs": 3,
        "learning_rate": 0.02,
        "settings": {"embedding_dim": 8, "batch_size": 32},
    },
    "joint": {
        "hidden": 8,
        "epochs": 1,
        "settings": {"layers": 1, "word_dim": 8, "arc_dim": 8, "label_dim": 8, "lemma_dim": 8},
    },
}
ESTIMATORS: dict[str, Any] = {
    "tagger": TaggerEstimator(**TINY["tagger"]),
    "parser": ParserEstimator(**TINY["parser"]),
    "joint": JointEstimator(**TINY["joint"]),
}
X_AND_Y: dict[str, tuple[Any, Any]] = {
    "tagger": (WORDS, TAGS),
    "parser": (PAIRS, TREES),
    "joint": (SENTENCES, None),
}
each = pytest.mark.parametrize("task", ESTIMATORS)


def same(some: Any, others: Any) -> bool:
    return [str(x) for x in some] == [str(x) for x in others]


@each
def test_fits_predicts_and_scores(task: str) -> None:
    X, y = X_AND_Y[task]  # noqa: N806
    estimator = clone(ESTIMATORS[task])
    assert estimator.fit(X, y) is estimator
    predicted = estimator.predict(X)
    assert predicted.shape == (len(X),)
    assert [len(one) for one in predicted] == [len(words) for words in WORDS]
    score = estimator.score(X, y)
    assert 0 < score <= 1
    # what is learnt may stand in the Sentences too
    again = clone(estimator).fit(SENTENCES)
    assert same(again.predict(X), predicted)
    assert again.score(SENTENCES) == score
    assert repr(estimator).startswith(type(estimator).__name__)


def test_tagger_predicts_tags_and_is_scored_by_their_share() -> None:
    estimator = TaggerEstimator(
        hidden=16, epochs=30, learning_rate=0.02, settings={"batch_size": 4, "word_dropout": 0.0}
    )
    predicted = estimator.fit(WORDS, TAGS).predict(WORDS)
    pairs = zip(
        [t for tags in predicted for t in tags], [t for ts in TAGS for t in ts], strict=True
    )
    share = np.mean([tag == gold for tag, gold in pairs])
    assert estimator.score(WORDS, TAGS) == pytest.approx(share)
    assert share > 0.8
    xpos = TaggerEstimator(column="xpos", **TINY["tagger"]).fit(SENTENCES)
    assert {*xpos.predict(WORDS)[0]} <= {t for s in SENTENCES for t in s.column("xpos")}
    assert 0 <= xpos.score(SENTENCES) <= 1


def test_parser_predicts_trees() -> None:
    estimator = clone(ESTIMATORS["parser"]).fit(PAIRS, TREES)
    (arcs,) = estimator.predict([[("It", "PRON"), ("rains", "VERB"), (".", "PUNCT")]])
    assert [head for head, _ in arcs].count(0) == 1
    assert all(isinstance(label, str) for _, label in arcs)
    estimator.set_params(metric="uas")
    assert (
        estimator.score(PAIRS, TREES) >= clone(estimator).fit(PAIRS, TREES).score(SENTENCES) - 1e-9
    )


def test_joint_model_predicts_sentences() -> None:
    estimator = clone(ESTIMATORS["joint"]).fit(SENTENCES)
    (sentence,) = estimator.predict([["It", "rains"]])
    assert isinstance(sentence, Sentence)
    assert sentence[0].upos != "_"
    assert 0 in sentence.column("head")
    assert estimator.model_.tokenizer is None
    scores = {m: estimator.set_params(metric=m).score(SENTENCES) for m in ("upos", "lemmas", "uas")}
    assert all(0 < share < 1 for share in scores.values())
    assert clone(estimator).fit(WORDS, SENTENCES).score(WORDS, SENTENCES) == scores["uas"]
    tags = JointEstimator(heads=("tags",), **TINY["joint"] | {"settings": {"layers": 1}})
    assert 0 < tags.fit(SENTENCES).score(SENTENCES) <= 1
    with pytest.raises(ConfigError, match="`metric` is las, which this model does not predict"):
        tags.set_params(metric="las").score(SENTENCES)
    with pytest.raises(ConfigError, match="`metric` is 'f1', expected one of upos"):
        tags.set_params(metric="f1").score(SENTENCES)


@each
def test_parameters_are_got_set_and_cloned(task: str) -> None:
    estimator = ESTIMATORS[task]
    parameters = estimator.get_params()
    assert parameters["hidden"] == TINY[task]["hidden"]
    other = clone(estimator)
    assert other is not estimator
    assert other.get_params() == parameters
    other.set_params(hidden=3, random_state=7)
    assert (other.hidden, other.random_state) == (3, 7)
    with pytest.raises(ValueError, match="Invalid parameter 'hiden'"):
        other.set_params(hiden=3)
    fitted = clone(estimator).fit(*X_AND_Y[task])
    assert not hasattr(clone(fitted), "model_")


@each
def test_constructor_only_stores(task: str) -> None:
    anything = object()
    estimator = type(ESTIMATORS[task])(hidden=anything, settings=anything)
    assert estimator.hidden is anything
    assert vars(estimator).keys() == estimator.get_params().keys()


@each
def test_estimator_that_is_not_fitted_says_so(task: str) -> None:
    X, y = X_AND_Y[task]  # noqa: N806
    estimator = clone(ESTIMATORS[task])
    for call in (lambda: estimator.predict(X), lambda: estimator.score(X, y)):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            call()


def test_one_seed_gives_one_model() -> None:
    bytes_of = [
        TaggerEstimator(random_state=seed, **TINY["tagger"]).fit(WORDS, TAGS).model_.to_bytes()
        for seed in (1, 1, 2)
    ]
    assert bytes_of[0] == bytes_of[1] != bytes_of[2]


def test_dev_chooses_the_epoch() -> None:
    estimator = TaggerEstimator(**TINY["tagger"]).fit(WORDS[:20], TAGS[:20], dev=SENTENCES[20:])
    assert estimator.model_.file.header["scores"]["upos"] == pytest.approx(
        100 * estimator.score(SENTENCES[20:]), abs=0.01
    )


@each
def test_folds_are_scored_and_predicted(task: str) -> None:
    X, y = X_AND_Y[task]  # noqa: N806
    scores = cross_val_score(ESTIMATORS[task], X, y, cv=3, error_score="raise")
    assert scores.shape == (3,)
    assert (scores >= 0).all()
    assert scores.max() > 0
    if task == "tagger":
        predicted = cross_val_predict(ESTIMATORS[task], X, y, cv=KFold(3))
        assert [len(tags) for tags in predicted] == [len(words) for words in X]


def test_grid_is_searched(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr(TrainingDisplay, "is_seen", staticmethod(lambda: True))
    grid = {"hidden": [4, 8], "settings": [{"word_dim": 4}, {"word_dim": 8}]}
    search = GridSearchCV(TaggerEstimator(epochs=1), grid, cv=2, error_score="raise")
    search.fit(WORDS, TAGS)
    assert search.best_params_["hidden"] in (4, 8)
    assert search.best_estimator_.score(WORDS, TAGS) == search.score(WORDS, TAGS)
    assert len(search.cv_results_["mean_test_score"]) == 4
    assert len(search.predict(WORDS[:2])) == 2
    assert capsys.readouterr() == ("", "")


def test_parts_of_lists_and_pipelines_of_one_step() -> None:
    few, rest, few_y, _ = train_test_split(WORDS, TAGS, train_size=6, random_state=0)
    pipeline = Pipeline([("tagger", TaggerEstimator(**TINY["tagger"]))])
    pipeline.set_params(tagger__hidden=4)
    assert len(pipeline.fit(few, few_y).predict(rest)) == len(rest)


@each
def test_fitted_estimator_is_pickled_by_the_bytes_of_its_model(task: str) -> None:
    X, y = X_AND_Y[task]  # noqa: N806
    estimator = clone(ESTIMATORS[task]).fit(X, y)
    content = pickle.dumps(estimator)
    assert b"__metadata__" in content  # of safetensors
    assert b"numpy" not in content
    again = pickle.loads(content)
    assert same(again.predict(X), estimator.predict(X))
    assert again.get_params() == estimator.get_params()


def test_fitted_estimators_work_in_other_processes() -> None:
    estimator = TaggerEstimator(**TINY["tagger"]).fit(WORDS, TAGS)
    done = Parallel(n_jobs=2)(delayed(estimator.predict)(part) for part in (WORDS[:9], WORDS[9:]))
    assert same([tags for part in done for tags in part], estimator.predict(WORDS))


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ("It rains", None, r"`X` is of type str, expected a list of sentences"),
        (SENTENCES[0], None, r"`X` is of type Sentence, expected a list"),
        (3, None, r"`X` is of type int"),
        ([], None, r"`X` is empty"),
        (np.zeros((3, 2)), None, r"`X` is of type ndarray with 2 dimensions"),
        (["It rains"], [["X"]], r"`X\[0\]` is a text, expected one sentence"),
        (WORDS, None, r"`y` is None, which goes with Sentences .* give TaggerEstimator what"),
        (WORDS, TAGS[:3], r"`y` has 3 items, and `X` has 24 sentences"),
        (WORDS[:1], [TAGS[0][:-1]], r"`y\[0\]`: "),
        (WORDS[:1], ["NOUN"], r"`y\[0\]` is of type str, expected a list of tags"),
        ([[("It", "PRON", 3)]], None, r"`X\[0\]` is not a list of \(word, UPOS\) pairs"),
    ],
)
def test_what_is_no_list_of_sentences_is_refused(X: Any, y: Any, message: str) -> None:  # noqa: N803
    with pytest.raises(DataError, match=message):
        TaggerEstimator(**TINY["tagger"]).fit(X, y)


def test_wrong_targets_and_settings_are_refused() -> None:
    with pytest.raises(DataError, match=r"`y\[0\]` is not a list of \(head, relation\) pairs"):
        ParserEstimator().fit(PAIRS[:1], [TAGS[0]])
    with pytest.raises(DataError, match=r"`y\[0\]` is no Sentence with the words"):
        JointEstimator().fit(WORDS[:1], SENTENCES[1:2])
    with pytest.raises(ConfigError, match=r"`hidden` is 0"):
        TaggerEstimator(hidden=0).fit(WORDS, TAGS)
    with pytest.raises(ConfigError, match=r"hiden"):
        TaggerEstimator(settings={"hiden": 3}).fit(WORDS, TAGS)
    with pytest.raises(ConfigError, match=r"`settings` has seed; .* the seed as `random_state`"):
        TaggerEstimator(settings={"seed": 3}).fit(WORDS, TAGS)
    parser = clone(ESTIMATORS["parser"]).fit(PAIRS, TREES)
    with pytest.raises(DataError, match="has no UPOS"):
        parser.predict(WORDS)


# scikit-learn checks estimators on matrices of numbers. Here each row is read as a sentence, so
# that what it checks of copies, pickles, parameters and orders is checked of ours. What is left:
CANNOT_APPLY = {
    "check_estimator_sparse_array": "a sparse matrix is refused as no list of sentences",
    "check_estimator_sparse_matrix": "a sparse matrix is refused as no list of sentences",
    "check_estimator_sparse_tag": "a sparse matrix is refused as no list of sentences",
}
SKIPPED = {"check_array_api_input": "needs SCIPY_ARRAY_API in the environment"}  # for arrays too


def of_matrices(estimator: Any) -> Any:
    """The estimator as one that takes rows of numbers for sentences, and predicts a number each."""

    def sentences(matrix: Any, labels: Any = None) -> list[Sentence]:
        if not isinstance(matrix, np.ndarray):
            raise TypeError(f"{type(matrix).__name__} is no list of sentences")
        made = []
        for row, label in zip(matrix, [0] * len(matrix) if labels is None else labels, strict=True):
            n = len(row)
            words = [f"w{round(10 * x)}" for x in np.asarray(row, float).tolist()]
            made.append(
                Sentence.from_words(
                    words, lemma=words, upos=["NOUN" if label else "VERB"] * n, xpos=["N"] * n,
                    head=[*range(n)], deprel=["root", *["dep"] * (n - 1)],
                )
            )  # fmt: skip
        return made

    class OfMatrices(type(estimator)):  # type: ignore[misc]
        def __sklearn_tags__(self) -> Any:
            tags = super().__sklearn_tags__()
            tags.input_tags.two_d_array = True
            return tags

        def fit(self, X: Any, y: Any = None) -> Any:  # noqa: N803
            return super().fit(sentences(X, y))

        def predict(self, X: Any) -> Any:  # noqa: N803
            predicted = super().predict(sentences(X))
            return np.array([zlib.crc32(str(one).encode()) for one in predicted])

        def score(self, X: Any, y: Any = None) -> float:  # noqa: N803
            return super().score(sentences(X, y))

    name = f"{type(estimator).__name__}OfMatrices"
    OfMatrices.__name__ = OfMatrices.__qualname__ = name
    globals()[name] = OfMatrices  # for pickle
    return OfMatrices(**estimator.get_params())


@each
def test_checks_of_scikit_learn_pass_except_those_that_cannot_apply(task: str) -> None:
    outcome: dict[str, set[str]] = {"passed": set(), "failed": set(), "skipped": set()}
    said: dict[str, str] = {}
    for estimator, check in estimator_checks_generator(of_matrices(ESTIMATORS[task])):
        name = check.func.__name__
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the checks themselves
            try:
                check(estimator)
            except SkipTest:
                outcome["skipped"].add(name)
            except Exception as error:
                outcome["failed"].add(name)
                said[name] = f"{type(error).__name__}: {error}"
            else:
                outcome["passed"].add(name)
    assert outcome["failed"] == CANNOT_APPLY.keys(), said
    assert outcome["skipped"] == SKIPPED.keys()
    assert len(outcome["passed"]) > 25


@each
def test_check_estimator_accepts_what_the_tags_say(task: str) -> None:
    with pytest.warns(SkipTestWarning, match="Can't test estimator"):
        results = check_estimator(ESTIMATORS[task])
    assert {result["status"] for result in results} == {"passed"}


def test_missing_scikit_learn_is_told_in_one_line() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "try:\n    import meprop_nlp.integrations.sklearn\n"
        "except ModuleNotFoundError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True,
        cwd=ROOT,
    )  # fmt: skip
    expected = "scikit-learn is not installed; install it with: pip install 'meprop-nlp[sklearn]'\n"
    assert done.stdout == expected
