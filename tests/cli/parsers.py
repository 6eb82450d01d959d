"""The parsers of all commands."""

import argparse
from collections.abc import Iterator


def parsers(of: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield the parser of each command, and of each of its own, with its words."""
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield one.prog.removeprefix("m3cred "), one
                yield from parsers(one)
