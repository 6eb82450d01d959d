"""``m3cred show``: one credential, and how it goes into an Integration Configuration."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


class SecretsToNoTerminal(Problem):
    """Secrets were asked for where they would go into a file or another program."""

    def __init__(self) -> None:
        super().__init__(
            "Standard output is no terminal, and --reveal shows secrets; --reveal-to-pipe says "
            "that they are meant to go there."
        )


def add_arguments(parser: ArgumentParser) -> None:
    """Add which credential, and how much of it."""
    from m3cred_tui.cli.telling import add_json

    parser.description = (
        "Show a credential without its secrets, whether its sealed part opens and agrees, and "
        "the fields that it fills in a m3ter Integration Configuration."
    )
    parser.add_argument("name", metavar="NAME", help="its name, ID, or the beginning of its ID")
    parser.add_argument(
        "--integration",
        action="store_true",
        help="only what goes into an Integration Configuration, as JSON in the API's names",
    )
    parser.add_argument(
        "--reveal", action="store_true", help="the tokens, too, if this is a terminal"
    )
    parser.add_argument(
        "--reveal-to-pipe",
        action="store_true",
        help="the tokens, too, wherever standard output goes",
    )
    add_json(parser)


def run(chosen: Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    from m3cred_tui.cli.process import close_to_others
    from m3cred_tui.cli.telling import telling

    close_to_others()
    return telling(_show)(chosen)


def _show(chosen: Namespace) -> int:
    from m3cred_tui.cli.opening import opened
    from m3cred_tui.cli.selecting import selected
    from m3cred_tui.cli.showing import look, shown_json, shown_text
    from m3cred_tui.cli.telling import DONE, json_text, put_json
    from m3cred_tui.model.credential import Credential, integration_fields
    from m3cred_tui.store.problems import CredentialDamaged
    from m3cred_tui.upkeep.problems import StillPending

    is_revealed = chosen.reveal or chosen.reveal_to_pipe
    if is_revealed and not (chosen.reveal_to_pipe or sys.stdout.isatty()):
        raise SecretsToNoTerminal  # before anybody is asked for a passphrase
    here = opened(demo=chosen.demo)
    row = selected(here.store, chosen.name)
    if not isinstance(row, Credential):
        raise CredentialDamaged(row.id, row.reason)
    if row.account is None and (is_revealed or chosen.integration):
        raise StillPending(row.id)
    if chosen.integration:
        sys.stdout.write(json_text(integration_fields(row)) + "\n")
        return DONE
    if is_revealed or chosen.passphrase_fd is not None:
        here.unlock(chosen)
    shown = look(row, here.store, with_tokens=is_revealed)
    if chosen.json:
        put_json(shown_json(shown))
    else:
        sys.stdout.write(shown_text(shown))
    return DONE
