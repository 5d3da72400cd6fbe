"""The page as a file: what it holds, and that nothing in it can be more than text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.scoring.metrics import evaluate
from meprop_nlp.views.differences import Differences
from meprop_nlp.views.page import page

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.S)


def data_of(html: str) -> Any:
    (found,) = DATA.findall(html)
    return json.loads(found)


def test_it_holds_the_lines_of_the_file(odd: list[Sentence]) -> None:
    data = data_of("".join(page(odd, title="odd.conllu")))
    assert (data["title"], data["scores"], data["confusions"]) == ("odd.conllu", None, {})
    held = "".join(f"{block}\n\n" for block in data["sentences"])
    assert held == "".join(map(str, odd))
    assert list(read_text(held)) == odd


def test_with_gold_it_holds_what_is_wrong(odd: list[Sentence], spoilt: list[Sentence]) -> None:
    found = Differences()
    scores = evaluate(odd, spoilt, on_passage=found.add, pairs=True)
    data = data_of("".join(page(found.compared(scores), title="x", scores=scores)))
    assert data["scores"][-4][0] == "MLAS"
    assert dict(data["scores"])["UPOS"] == 100 * 18 / 19
    assert data["confusions"]["upos"][0] == ["NOUN", "NOUN", 5]
    assert ["NOUN", "PROPN", 1] in data["confusions"]["upos"]
    assert ["Mood=Imp", "Mood=Ind", 1] in data["confusions"]["feats"]
    lines, wrong, missing = data["sentences"][0]
    assert lines == str(spoilt[0]).strip("\n")
    assert (wrong, missing) == ({"1": {"upos": "NOUN"}, "2": {"head": 1}}, [])
    assert data["sentences"][2][1] == {}


def test_it_loads_nothing_and_runs_only_its_own_scripts(odd: list[Sentence]) -> None:
    html = "".join(page(odd, title='"><script>hacked</script>'))
    assert not re.search(r"""\b(?:src|href)\s*=|@import|url\(""", DATA.sub("", html))
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.S)
    (style,) = re.findall(r"<style>(.*?)</style>", html, flags=re.S)
    assert len(scripts) == 1
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">', html)
    for kind, content in (("script", scripts[0]), ("style", style)):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert html.count("<script") == html.count("</script") == 2
    assert "<title>&quot;&gt;&lt;script&gt;hacked&lt;/script&gt;</title>" in html


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3))
def test_any_text_comes_through_and_stays_text(forms: list[str]) -> None:
    unwanted = re.compile(r"[\t\n\r\0\x0b\x0c\x1c-\x1e\x85\u2028\u2029 ]")
    forms = [unwanted.sub("", form) or "x" for form in forms]
    sentence = Sentence.from_words(forms)
    html = "".join(page([sentence], title=forms[0]))
    html.encode()  # no half of a character is left
    assert html.count("<script") == html.count("</script") == 2
    (block,) = data_of(html)["sentences"]
    assert [line.split("\t")[1] for line in block.split("\n")] == forms


def test_what_would_end_the_script_or_a_line_of_it_is_escaped() -> None:
    forms = ["</script>", "<!--", "]]>", "&lt;", "a\u2028b", "\\u003c", "\ufffe"]
    html = "".join(page([Sentence.from_words(forms)], title="x"))
    (held,) = DATA.findall(html)
    assert not re.search("[<>&\u2028\ufffe]", held)
    (block,) = data_of(html)["sentences"]
    assert [line.split("\t")[1] for line in block.split("\n")] == forms


def test_other_layouts_become_conllu() -> None:
    tab = list(read_text("a\tX\t2\tdep\nb\tY\t0\troot\n", input_format="tab"))
    data = data_of("".join(page(tab, title="x")))
    assert data["sentences"] == ["1\ta\t_\t_\tX\t_\t2\tdep\t_\t_\n2\tb\t_\t_\tY\t_\t0\troot\t_\t_"]
