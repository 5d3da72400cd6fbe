"""`RequestError`: a request that is answered with an error; `ClientGoneError`: one that is not."""

from meprop_nlp.errors import MePropError


class RequestError(MePropError):
    """A request cannot be answered as it is, or not now.

    Attributes:
        status: the status of the response.
        retry_after: in how many seconds the same request may succeed; None: never, as it is.
    """

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class ClientGoneError(Exception):
    """The client has closed the connection, so that nobody waits for the answer."""
