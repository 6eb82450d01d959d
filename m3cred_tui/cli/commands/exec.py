"""``m3cred exec``: run a command with a credential's key in its environment."""

import asyncio
import os
import shutil
import signal
import sys
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress

from m3cred_tui.cli.ending import misused
from m3cred_tui.cli.output.streams import complain
from m3cred_tui.cli.selecting import how_to_renew, opened, selected
from m3cred_tui.cli.wiring import upkeep_of
from m3cred_tui.listing.columns import NAME, Row, local
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.text import clean
from m3cred_tui.store.problems import plain_reason
from m3cred_tui.system.process import as_started, restore_umask, without_ours
from m3cred_tui.upkeep.account import Access

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127
"""The statuses that a shell gives (POSIX, 2.8.2)."""

_STANDARD = 2

_REFUSED = {Outcome.REVOKED, Outcome.WRONG_KEY, Outcome.NO_PERMISSION}
_ACCOUNT = "{account}"
_WARNING = (
    "STRIPE_API_KEY is the secret key of the platform {0}. It acts on the platform's own "
    "account in every request that does not name {1} as its Stripe-Account."
)


def run(chosen: Namespace) -> int:
    """Run the command in place of this process; return only if that fails."""
    command = chosen.command_line
    is_marked = command[:1] == ["--"]
    if is_marked:
        command = command[1:]
    if not command or (command[0].startswith("-") and not is_marked):
        return misused("say which command to run: m3cred exec NAME -- COMMAND")
    if chosen.demo:
        return misused(
            "the demo Stripe is a part of this m3cred, which the command would replace; run "
            "m3cred demo-stripe --env, paste its lines here, and create one without --demo."
        )
    here = opened(demo=chosen.demo)
    row = selected(here.store, chosen.name)
    with upkeep_of(chosen, here) as upkeep:
        access = asyncio.run(upkeep.access(row.id, by_platform=chosen.platform_key))
    _close_descriptor(chosen.passphrase_fd)
    _warn_of_check(here.store.checks.read().get(row.id), row, demo=chosen.demo)
    if access.platform_id:
        complain(_WARNING.format(access.platform_id, access.account_id))
    command = [word.replace(_ACCOUNT, access.account_id) for word in command]
    has_token = not here.store.team  # which it would open all of the team's credentials with
    return _replaced_by(command, environment(as_started(), access, has_token=has_token))


def _warn_of_check(check: CheckResult | None, row: Row, *, demo: bool) -> None:
    """Say what the last check found wrong with the credential, which is used all the same."""
    if check is not None and check.outcome in _REFUSED:
        told = check.told_with(how_to_renew(row, demo=demo))
        found = f"The check of {local(check.at)} found “{NAME.of(row)}”"
        complain(f"{found} {check.label}. {told}")


def environment(
    environ: Mapping[str, str], access: Access, *, has_token: bool
) -> dict[str, str]:
    """Return the command's environment: this one with the key, without m3cred's variables."""
    key = {"STRIPE_API_KEY": access.key.reveal(), "STRIPE_ACCOUNT": access.account_id}
    return without_ours(environ, has_token=has_token) | key


def _close_descriptor(number: int | None) -> None:
    """Do not pass the passphrase's descriptor, and the rest of its data, to the command."""
    if number is None:
        return
    with suppress(OSError):
        if number > _STANDARD:
            os.close(number)
        else:  # otherwise the next file that a program opens would take its number
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, number)


def _replaced_by(command: list[str], environ: Mapping[str, str]) -> int:
    """Replace this process by the command; return the status if that fails."""
    # Python ignores these two, and the command would inherit that.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    restore_umask()
    try:
        if module := sys.modules.get("m3cred_tui.cli.team"):
            module.before_another_program()
        os.execvpe(command[0], command, environ)  # noqa: S606 - intentionally without a shell
    except (OSError, ValueError) as error:
        return _not_run(command[0], error, environ)


def _not_run(program: str, error: OSError | ValueError, environ: Mapping[str, str]) -> int:
    shown = f"“{clean(program, most=200)}”"
    is_there = shutil.which(program, os.F_OK, environ.get("PATH")) is not None
    if isinstance(error, FileNotFoundError | NotADirectoryError) and not is_there:
        complain(f"the command {shown} was not found.")
        return _NOT_FOUND
    reason = plain_reason(error) if isinstance(error, OSError) else "it has a null character"
    if isinstance(error, FileNotFoundError):
        reason = "the program that is to interpret it is not there"
    complain(f"the command {shown} cannot be run: {reason}.")
    return _NOT_EXECUTABLE
