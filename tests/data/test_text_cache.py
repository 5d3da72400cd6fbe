"""Results are kept for short texts only."""

from __future__ import annotations

from meprop_nlp.data.text_cache import LONGEST, cached_by_text


def test_long_texts_are_not_kept() -> None:
    calls: list[str] = []

    @cached_by_text(2)
    def size(text: str, more: int = 0) -> int:
        calls.append(text)
        return len(text) + more

    long = "x" * (LONGEST + 1)
    assert [size("a"), size("a"), size("a", 1), size(long), size(long)] == [1, 1, 2, 257, 257]
    assert calls == ["a", "a", long, long]
