"""``m3cred config``: show what is set for each destination, change it, try it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from m3cred_tui.config.settings import Settings
    from m3cred_tui.model.credential import Destination
    from m3cred_tui.model.problem import Problem
    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.identity import IdentityFile

    Verb = Callable[["argparse.Namespace", "Settings"], int]


def tell_replaced(names: Iterable[str], source: str) -> None:
    """Say which sources of the secret key are gone, now that it is from this one."""
    from m3cred_tui.config.file import SEALED

    for name in names:
        if name == SEALED:
            say("The secret key that m3cred had sealed is removed.")
        else:
            used = "the sealed key" if source == SEALED else source
            say(f"{name} is removed: {used} is used.")


def tell_what_goes_before(settings: Settings, destination: Destination, name: str) -> None:
    """Say that the environment has a value, too, if it has."""
    from m3cred_tui.config.setup import Origin

    found = dict(settings.setup(destination).entries())
    entry = found["secret_key" if "secret_key" in name else name]
    if entry.origin is Origin.ENVIRONMENT:
        say(f"{entry.place} is set in the environment, and counts before it.")


def warn_of_no_file(text: str, destination: Destination) -> None:
    """Warn where the key file that was entered is not there; it may come later."""
    from m3cred_tui.config.key_source import FromFile, from_file
    from m3cred_tui.model.text import clean

    source = from_file(text, destination)
    if not isinstance(source, FromFile):
        return
    try:
        source.path.stat()
    except FileNotFoundError:
        shown = clean(str(source.path), most=4096)
        sys.stderr.write(f"m3cred: {shown} is not there yet.\n")
    except OSError:
        pass  # m3cred config check says what it is


def say(line: str) -> None:
    """Write a line for whoever has run the command."""
    sys.stdout.write(f"{line}\n")


def run(chosen: argparse.Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    from m3cred_tui.cli.ending import WRONG_USAGE, failed, misused
    from m3cred_tui.config.problems import UnknownName
    from m3cred_tui.config.settings import settings_from

    if chosen.demo:
        return misused("the demo Stripe needs no settings; leave out --demo.")
    try:
        return _VERBS[chosen.verb](chosen, settings_from(os.environ))
    except UnknownName as misnamed:
        if chosen.verb not in {"set", "unset"}:
            raise
        failed(misnamed, as_json=chosen.json)
        return WRONG_USAGE


def _show(chosen: argparse.Namespace, settings: Settings) -> int:
    from m3cred_tui.cli.ending import DONE
    from m3cred_tui.cli.output.config_report import setups_fields, setups_text
    from m3cred_tui.cli.output.json import put_json
    from m3cred_tui.model.credential import DESTINATIONS

    setups = [settings.setup(one) for one in DESTINATIONS]
    if chosen.json:
        put_json(setups_fields(setups, settings.locations))
    else:
        sys.stdout.write(setups_text(setups, settings.locations))
    return DONE


def _path(_chosen: argparse.Namespace, settings: Settings) -> int:
    from m3cred_tui.cli.ending import DONE

    sys.stdout.write(f"{settings.locations.settings}\n")
    return DONE


def _set(chosen: argparse.Namespace, settings: Settings) -> int:
    from m3cred_tui.cli.ending import DONE, misused
    from m3cred_tui.config.change import SECRET_KEY, set_value

    destination, name = _named(chosen.name)
    if name == SECRET_KEY:
        return _seal(chosen, settings, destination)
    values = chosen.values if name != "ports" else [" ".join(chosen.values)]
    if len(values) != 1 or not values[0]:
        what = "a value" if not any(values) else "one value, in quotes"
        return misused(f"{chosen.name} takes {what}: m3cred config set --help")
    replaced = set_value(settings.locations, destination, name, values[0])
    say(f"{chosen.name} is set in {_file(settings)}.")
    tell_replaced(replaced, name)
    if name == "secret_key_file":
        warn_of_no_file(values[0], destination)
    tell_what_goes_before(settings, destination, name)
    return DONE


def _seal(chosen: argparse.Namespace, settings: Settings, destination: Destination) -> int:
    from m3cred_tui.cli.ending import DONE, misused
    from m3cred_tui.cli.output.prompts import unlock
    from m3cred_tui.config.change import seal_key
    from m3cred_tui.config.entered import secret_key
    from m3cred_tui.config.file import SEALED
    from m3cred_tui.store.identity import IdentityFile

    if chosen.values:
        return misused(
            f"a secret key is not taken from the command line, which other users and "
            f"the shell's history can see: m3cred config set {chosen.name} asks for it, or "
            "reads it from standard input."
        )
    # Checked before anybody is asked for a passphrase, too.
    key = secret_key(_key_entered(destination).reveal(), destination)
    identity = IdentityFile(settings.locations.identity, settings.locations.data)
    unlock(identity, chosen.passphrase_fd)
    replaced = seal_key(settings.locations, destination, key, identity)
    say(f"The secret key of {destination.label} is sealed; {_file(settings)} says so.")
    tell_replaced(replaced, SEALED)
    tell_what_goes_before(settings, destination, chosen.name)
    return DONE


def _key_entered(destination: Destination) -> Secret:
    from m3cred_tui.cli.output.prompts import (
        PassphraseEmpty,
        PassphraseUnusable,
        asked,
        from_descriptor,
    )
    from m3cred_tui.config.problems import KeyNotRead, NothingEntered, prefixes_of

    prefixes = " or ".join(f"{one}…" for one in prefixes_of(destination))
    try:
        if sys.stdin.isatty():
            return asked(f"Secret key of {destination.label} ({prefixes}), not shown: ")
        return from_descriptor(sys.stdin.fileno())
    except PassphraseEmpty:
        raise NothingEntered("secret key") from None
    except PassphraseUnusable as unusable:
        raise KeyNotRead(unusable.reason) from None


def _unset(chosen: argparse.Namespace, settings: Settings) -> int:
    from m3cred_tui.cli.ending import DONE
    from m3cred_tui.config.change import unset_value

    destination, name = _named(chosen.name)
    if unset_value(settings.locations, destination, name):
        say(f"{chosen.name} is removed from {_file(settings)}.")
    else:
        say(f"{chosen.name} is not in {_file(settings)}; nothing was changed.")
    tell_what_goes_before(settings, destination, name)
    return DONE


def _check(chosen: argparse.Namespace, settings: Settings) -> int:
    from m3cred_tui.cli.ending import DONE, FAILED
    from m3cred_tui.cli.output.config_report import checks_fields, checks_text
    from m3cred_tui.cli.output.json import put_json
    from m3cred_tui.cli.output.prompts import unlock
    from m3cred_tui.config.key_source import Sealed
    from m3cred_tui.model.credential import DESTINATIONS
    from m3cred_tui.store.identity import IdentityFile

    setups = [settings.setup(one) for one in DESTINATIONS]
    identity = IdentityFile(settings.locations.identity, settings.locations.data)
    if any(isinstance(one.secret_key.value, Sealed) for one in setups):
        unlock(identity, chosen.passphrase_fd)
    touched = [one.destination for one in setups if one.is_touched]
    results = [(one, _tried(settings, one, identity)) for one in touched or DESTINATIONS]
    if chosen.json:
        put_json(checks_fields(results))
    else:
        sys.stdout.write(checks_text(results))
    failed = any(not isinstance(result, str) for _, result in results)
    return FAILED if failed else DONE


def _tried(
    settings: Settings, destination: Destination, identity: IdentityFile
) -> str | Problem:
    """Return the prefix of a destination's key, or what is wrong."""
    from m3cred_tui.config.problems import prefix_of
    from m3cred_tui.model.problem import Problem

    try:
        return prefix_of(settings.platform(destination, identity).secret_key)
    except Problem as problem:
        return problem


def _named(name: str) -> tuple[Destination, str]:
    """Return the destination and the setting; raises ``UnknownName``."""
    from m3cred_tui.config.change import SECRET_KEY
    from m3cred_tui.config.file import table_of
    from m3cred_tui.config.problems import UnknownName
    from m3cred_tui.config.setup import CHECKS
    from m3cred_tui.model.credential import DESTINATIONS

    known = {
        f"{table_of(destination)}.{setting}": (destination, setting)
        for destination in DESTINATIONS
        for setting in (*CHECKS, SECRET_KEY)
    }
    if name not in known:
        raise UnknownName("setting", name, known)
    return known[name]


def _file(settings: Settings) -> str:
    from m3cred_tui.model.text import clean

    return clean(str(settings.locations.settings), most=4096)


_VERBS: dict[str | None, Verb] = {
    None: _show,
    "path": _path,
    "set": _set,
    "unset": _unset,
    "check": _check,
}
