"""The table of heads: each task that can be trained, by name."""

from __future__ import annotations

from meprop_nlp.training.heads.sentences import SentenceTask
from meprop_nlp.training.heads.tags import TaggerTask
from meprop_nlp.training.heads.tree import ParserTask

__all__ = ["TASKS"]

TASKS: dict[str, type[SentenceTask]] = {"tagger": TaggerTask, "parser": ParserTask}
