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
            yield about._replace(unless_given=_default(about), help=f"{about.help} {text}")
        elif name not in one:
            yield about._replace(help=f"{about.help} Only with `encoder` {second}.")


def _either(about: Setting, other: Setting, encoder: str) -> Setting:
    """Return the description of a setting that is `other` in the network with `encoder`."""
    text, default = about.help, _default(about)
    if text != other.help:
        text = f"{text} With `encoder` {encoder}: {other.help}"
    if default == _default(other):
        return about._replace(help=text)
    default = f"{default or 'none'}; with `encoder` {encoder}, {_default(other) or 'none'}"
    return about._replace(help=text, unless_given=default)


def _default(about: Setting) -> str:
    """Return the default of a setting in words; nothing where it is None."""
    return str(about.unless_given or ("" if about.default is None else about.default))
