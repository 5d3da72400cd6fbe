"""What the official validator of Universal Dependencies, udtools, finds in a file."""

import io
from collections.abc import Iterable
from typing import Any

from meprop_nlp.data.conll.validate import Finding, in_order
from meprop_nlp.data.source import Source, opened, source_name
from meprop_nlp.errors import ConfigError, DataError, Problem, is_lack_of, missing_extra

LEVELS = (1, 2, 3, 4, 5)
READ = ("auto", "conllu")  # the input formats of files that it reads
UNIVERSAL = "ud"  # the language in whose place only the universal guidelines hold
_OURS = {"empty-node", "comments-at-end", "byte-order-mark"}  # warnings that it has no test for


class OfficialValidator:
    """The validator of udtools, at one level and for one language.

    Args:
        level: of its tests, from 1, the format, to 5, what a language allows.
        lang: ISO 639 code of the language, whose features, relations and auxiliaries are allowed;
            `ud` allows what all languages have.

    Attributes:
        version: of udtools.

    Raises:
        ConfigError: udtools is missing, or knows no such level or language.
    """

    def __init__(self, level: int, lang: str = UNIVERSAL) -> None:
        if level not in LEVELS:
            raise ConfigError(f"`level` is {level}, expected one of {', '.join(map(str, LEVELS))}")
        try:
            from importlib.metadata import version

            from udtools.validator import Validator
        except ModuleNotFoundError as error:
            if not is_lack_of(error, "udtools"):
                raise
            message = missing_extra("udtools, the official validator,", "ud", "`level`")
            raise ConfigError(message) from None
        self.level, self.lang = level, lang
        self.version = version("udtools")
        self._validator: Any = Validator(lang=lang, level=level, output=None)
        if lang != UNIVERSAL and not self._validator.data.is_known_language(lang):
            raise ConfigError(
                f"`lang` is {lang!r}, which udtools {self.version} has no rules for; expected the "
                f"ISO 639 code of a language, such as en, or {UNIVERSAL}"
            )

    def findings(self, source: Source) -> list[Finding]:
        """Return its errors and warnings about a file of CoNLL-U.

        Raises:
            DataError: if the file cannot be opened, is not UTF-8, or is more than the validator
                can read.
        """
        from udtools.state import State

        path = source_name(source)
        state = State()
        with opened(source) as stream:
            text = io.TextIOWrapper(io.BytesIO(b"" if stream is None else stream.read()), "utf-8")
            try:
                self._validator.validate_file_handle(text, state)
            except UnicodeDecodeError as error:
                raise DataError(f"{path}: not UTF-8, which udtools needs: {error}") from None
            except Exception as error:  # it is written for treebanks, and not for any bytes
                place = f"{path}:{state.sentence_line}"
                message = f"{place}: udtools {self.version} ends here: {type(error).__name__}: "
                raise DataError(f"{message}{error}") from error
        self._validator.validate_end(state)
        return [_finding(incident, path) for incident in state.error_tracker]


def merged(ours: Iterable[Finding], official: Iterable[Finding], level: int) -> list[Finding]:
    """Return the findings of both, by line.

    What both have found in a line is said once, in our words. From level 2 on our warnings are
    errors, as they are in that validator; it may not have said so, since it stops at the first
    fault of a sentence that would mislead its other tests.
    """
    if level > 1:
        ours = [each if each.code in _OURS else each._replace(severity="error") for each in ours]
    found = list(ours)
    known = set(map(_key, found))
    return in_order([*found, *(each for each in official if _key(each) not in known)])


def _finding(incident: Any, path: str) -> Finding:
    message = " ".join(str(incident.message).split())
    problem = Problem(path, int(incident.lineno), message, incident.sentid or None)
    return Finding(incident.testid, "error" if incident.is_error() else "warning", problem)


def _key(finding: Finding) -> tuple[int | None, str]:
    return finding.problem.line, finding.code
