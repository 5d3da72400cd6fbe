"""`options_of`: the settings of a training as options, whichever encoder its network has."""

from collections.abc import Iterator

from meprop_nlp.config import ENCODERS, Settings
from meprop_nlp.settings import Setting


def options_of(task: str) -> Iterator[Setting]:
    """Yield the settings of all networks that a task can have, each once.

    The help of a setting says if only one of the networks has it, and what it is in each if that
    differs.
    """
    if task not in ENCODERS:
        yield from Settings.choices(task)
        return
    first, second = ENCODERS[task].choices
    one, two = (
        {about.name: about for about in Settings.choices(task, encoder)}
        for encoder in (first, second)
    )
    aliases: dict[str, str] = {}
    for name, about in one.items():
        if name in two:
            yield _either(about, two[name], second)
            continue
        # another name of this setting may be the name of one in the other network
        shared = [alias for alias in about.names if alias.replace("-", "_") in two]
        aliases |= {alias.replace("-", "_"): name for alias in shared}
        names = tuple(alias for alias in about.names if alias not in shared)
        yield about._replace(names=names, help=f"{about.help} Only with `encoder` {first}.")
    for name, about in two.items():
        if name in aliases:
            text = f"With `encoder` {first}, another name of `{aliases[name]}`."
            yield about._replace(varies=True, help=f"{_with_default(about)} {text}")
        elif name not in one:
            yield about._replace(help=f"{about.help} Only with `encoder` {second}.")


def _either(about: Setting, other: Setting, encoder: str) -> Setting:
    """Return the description of a setting that is `other` in the network with `encoder`."""
    varies, text = about.default != other.default, about.help
    if varies and text == other.help:
        text = text.removesuffix(".")
        text = (
            f"{text}; unless given, {about.default}, or {other.default} with `encoder` {encoder}."
        )
    elif varies:
        text = f"{_with_default(about)} With `encoder` {encoder}: {_with_default(other)}"
    elif text != other.help:
        text = f"{text} With `encoder` {encoder}: {other.help}"
    return about._replace(varies=about.varies or varies, help=text)


def _with_default(about: Setting) -> str:
    """Return the help of a setting with its default; without it where that depends on others."""
    if about.default is None:
        return about.help
    return f"{about.help.removesuffix('.')}; unless given, {about.default}."
