"""Sentences that are hard to show, and a system's annotation of them with known mistakes."""

from __future__ import annotations

import pytest

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.sentence import Sentence

# Hebrew, Chinese, markup, a multiword token and an empty node, words without heads
ODD = """\
# sent_id = he-1
# text = הילד הקטן אכל תפוח אדום.
1	הילד	ילד	NOUN	NN	Gender=Masc	3	nsubj	_	_
2	הקטן	קטן	ADJ	JJ	_	1	amod	_	_
3	אכל	אכל	VERB	VB	Tense=Past	0	root	_	_
4	תפוח	תפוח	NOUN	NN	_	3	obj	_	_
5	אדום	אדום	ADJ	JJ	_	4	amod	_	SpaceAfter=No
6	.	.	PUNCT	.	_	3	punct	_	_

# sent_id = zh-1
1	我	我	PRON	PN	_	3	nsubj	_	SpaceAfter=No
2	昨天	昨天	NOUN	NT	_	3	obl:tmod	_	SpaceAfter=No
3	买	买	VERB	VV	_	0	root	_	SpaceAfter=No
4	书	书	NOUN	NN	_	3	obj	_	SpaceAfter=No
5	。	。	PUNCT	PU	_	3	punct	_	_

# sent_id = "><img src=x onerror="hacked=1">
# note = </script><script>window.hacked = 1</script>
# text = <b onmouseover="hacked=1">x</b>
1	</script><script>window.hacked=1</script>	_	NOUN	"><img	_	2	nsubj	_	_
2	"><img/src=x/onerror=hacked=1>	<!--	VERB	``	_	0	"><svg/onload=hacked=1>	_	_
3	<!--<script>	_	NOUN	_	_	2	obj	_	_

# sent_id = es-1
1-3	Dámelo	_	_	_	_	_	_	_	_
1	Da	dar	VERB	_	Mood=Imp|Number=Sing|Person=2|VerbForm=Fin	0	root	0:root	_
2	me	yo	PRON	_	Case=Dat|Number=Sing	1	iobj	1:iobj	_
3	lo	él	PRON	_	Case=Acc|Number=Sing	1	obj	1:obj	_
4	ya	ya	ADV	_	_	1	advmod	1:advmod	SpaceAfter=No
4.1	da	dar	VERB	_	_	_	_	1:conj	_
5	.	.	PUNCT	_	_	1	punct	1:punct	_

"""


@pytest.fixture(scope="session")
def odd() -> list[Sentence]:
    """Sentences in scripts from right to left and without spaces, of markup, of several tokens."""
    return list(read_text(ODD))


@pytest.fixture(scope="session")
def spoilt(odd: list[Sentence]) -> list[Sentence]:
    """The same with mistakes: in the first four, and none in the third."""
    he, zh, markup, es = odd
    return [
        he.with_columns(head=[3, 4, 0, 3, 4, 3], upos=["PROPN", *he.column("upos")[1:]]),
        zh.with_columns(deprel=["obj", "obl", "root", "nsubj", "punct"]),
        markup,
        es.with_columns(
            head=[5, 1, 1, 1, 0],
            feats=["Mood=Ind|Number=Sing|Person=2|VerbForm=Fin", *es.column("feats")[1:]],
        ),
    ]
