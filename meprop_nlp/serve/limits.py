"""`Limits`: how much the server takes on, and how long it waits."""

from dataclasses import dataclass

from meprop_nlp.settings import Config, Heading, setting

KIB = 1024
BODIES = 16  # requests of the greatest size that are in memory before no more are let in
LEAST_HELD = 1 << 26  # bytes that may be held at least, however small a request must be
MOST_PARAMETERS = 100  # of one request
MOST_TEXTS = 10_000  # of one JSON request
MOST_WORDS = 1000  # of a given sentence, as UDPipe's server has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(Config):
    """How much the server takes on, and how long it waits."""

    heading = Heading.RUN

    max_body: int = setting(
        4096,
        at_least=1,
        at_most=1 << 20,
        help="Greatest size of a request, in KiB; a larger one is refused with status 413.",
    )
    queue: int = setting(
        256,
        at_least=1,
        at_most=100_000,
        help="How many requests may be at work or waiting, once they have been sent; a further one "
        "is refused with status 503, and the client is asked to come again.",
    )
    connections: int = setting(
        512,
        at_least=1,
        at_most=100_000,
        help="How many connections may be open; a further one is closed with status 503.",
    )
    timeout: float = setting(
        60.0,
        above=0,
        at_most=86_400,
        help="Seconds that a request may wait and be worked on; then it ends with status 503 or "
        "504.",
    )
    client_timeout: float = setting(
        30.0,
        above=0,
        at_most=86_400,
        help="Seconds that a client may take to send a request, or pause while it reads the "
        "answer.",
    )
    grace: int = setting(
        30,
        at_least=0,
        at_most=86_400,
        help="Seconds in which requests may be finished once the server is asked to stop.",
    )
    drain: float = setting(
        0.0,
        at_least=0,
        in_words="a number of seconds of at least 0",
        help="Seconds for which the server still takes requests once it is asked to stop, while "
        "/healthz answers 503, so that a load balancer can turn to another.",
    )
    allow_host: list[str] | None = setting(
        None,
        metavar="NAME",
        help="Further name that requests may be addressed to, such as nlp.example.org; * is any. "
        "It may be given again. On a loopback address only its own names are taken, so that no web "
        "page can reach the server by another.",
    )
    allow_origin: list[str] | None = setting(
        None,
        metavar="ORIGIN",
        help="Where web pages come from that may read the answers, such as https://example.org; "
        "* is anywhere. It may be given again.",
    )

    @property
    def most_bytes(self) -> int:
        """The greatest size of a request in bytes."""
        return self.max_body * KIB

    @property
    def most_held(self) -> int:
        """How many bytes requests may hold together before no more are let in."""
        return max(BODIES * self.most_bytes, LEAST_HELD)
