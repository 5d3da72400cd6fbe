"""`cached_by_text`: functions of a text that keep their results, in bounded memory."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, TypeVar

LONGEST = 256  # characters of a text whose result is kept

Rest = ParamSpec("Rest")
Result = TypeVar("Result")
Function = Callable[Concatenate[str, Rest], Result]


def cached_by_text(size: int) -> Callable[[Function[Rest, Result]], Function[Rest, Result]]:
    """Return a decorator that keeps the last results of a function of a text.

    Those of a long text are computed each time: `size` of them could fill the memory, and texts
    that come again are short.

    Args:
        size: how many results are kept.
    """

    def decorate(function: Function[Rest, Result]) -> Function[Rest, Result]:
        cached = lru_cache(size)(function)

        @wraps(function)
        def call(text: str, *args: Rest.args, **kwargs: Rest.kwargs) -> Result:
            if len(text) > LONGEST:
                return function(text, *args, **kwargs)
            return cached(text, *args, **kwargs)  # type: ignore[arg-type]

        return call  # type: ignore[return-value]

    return decorate
