"""`print_json`: print a result for other programs to read."""


def print_json(value: object) -> None:
    """Print a value as JSON."""
    from json import dumps

    print(dumps(value, ensure_ascii=False, indent=2))
