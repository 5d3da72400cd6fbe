"""`in_batches`: split a stream of sentences into batches of bounded size."""

from collections.abc import Iterable, Iterator

from meprop_nlp.data.sentence import Sentence

BATCH_WORDS = 4000
BATCH_SENTENCES = 256


def in_batches(
    sentences: Iterable[Sentence],
    *,
    max_words: int = BATCH_WORDS,
    max_sentences: int = BATCH_SENTENCES,
) -> Iterator[list[Sentence]]:
    """Yield sentences in batches, in order; a sentence of over `max_words` is a batch of its own.

    When the stream raises an error, the sentences before it are yielded first.
    """
    batch: list[Sentence] = []
    words = 0
    try:
        for sentence in sentences:
            if batch and (words + len(sentence) > max_words or len(batch) == max_sentences):
                yield batch
                batch, words = [], 0
            batch.append(sentence)
            words += len(sentence)
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
