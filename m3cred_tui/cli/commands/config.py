"""``m3cred config``: show what is set for each destination, change it, try it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from m3cred_tui.cli.ending import DONE, FAILED, WRONG_USAGE, failed, misused
from m3cred_tui.cli.output.json import error_fields, put_json
from m3cred_tui.cli.output.prompts import (
    PassphraseEmpty,
    PassphraseUnusable,
    asked,
    from_descriptor,
    unlock,
)
from m3cred_tui.cli.output.streams import complain, put
from m3cred_tui.config.editor import SettingsEditor
from m3cred_tui.config.entered import NothingEntered
from m3cred_tui.config.key_source import FromFile, KeySource, Sealed, described
from m3cred_tui.config.problems import UnknownName, prefix_of, prefixes_of
from m3cred_tui.config.settings import NotSetUp, obstacle, settings_from
from m3cred_tui.config.setup import Origin
from m3cred_tui.config.table import (
    SECRET_KEY,
    SECRET_KEY_SEALED,
    STORE,
    Kind,
    groups,
    setting_named,
)
from m3cred_tui.model.credential import DESTINATIONS
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean_path
from m3cred_tui.store.identity import IdentityFile

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from m3cred_tui.config.setup import Entry, Setup
    from m3cred_tui.config.table import Group, Setting
    from m3cred_tui.model.credential import Destination
    from m3cred_tui.model.secret import Secret

    Json = dict[str, object]
    Verb = Callable[["argparse.Namespace", SettingsEditor], int]


class KeyNotRead(Problem, code="KeyNotRead"):
    """The secret key could not be read from the terminal or standard input."""

    text = "The secret key cannot be read: {reason}."
    reason: str


def run(chosen: argparse.Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    if chosen.demo:
        return misused("the demo Stripe needs no settings; leave out --demo.")
    settings = settings_from(os.environ)
    places = settings.locations
    editor = SettingsEditor(settings, IdentityFile(places.identity, places.data))
    try:
        return _VERBS[chosen.verb](chosen, editor)
    except UnknownName as misnamed:
        if chosen.verb not in {"set", "unset"}:
            raise
        failed(misnamed, as_json=chosen.json)
        return WRONG_USAGE


def _show(chosen: argparse.Namespace, editor: SettingsEditor) -> int:
    setups = [editor.setup(one) for one in groups()]
    if chosen.json:
        put_json(setups_fields(setups, editor.file))
    else:
        for line in setups_text(setups, editor.file).splitlines():
            begins = len(line) - len(line.lstrip())
            put(line, sys.stdout, hanging=max(begins, 4) if begins else 0)
    return DONE


def _path(_chosen: argparse.Namespace, editor: SettingsEditor) -> int:
    _say(str(editor.file))
    return DONE


def _set(chosen: argparse.Namespace, editor: SettingsEditor) -> int:
    group, setting = setting_named(chosen.name)
    if setting.is_secret:
        return _seal(chosen, editor, group)
    values = [" ".join(chosen.values)] if setting.kind is Kind.NUMBERS else chosen.values
    if len(values) != 1 or not values[0]:
        what = "a value" if not any(values) else "one value, in quotes"
        return misused(f"{chosen.name} takes {what}: m3cred config set --help")
    gone = editor.change(group, setting, values[0])
    _say(f"{chosen.name} is set in {clean_path(editor.file)}.")
    _tell_gone(gone, setting.name)
    _warn_of_no_file(setting.check(values[0], group.subject))
    _tell_what_goes_before(editor, group, setting)
    return DONE


def _seal(chosen: argparse.Namespace, editor: SettingsEditor, group: Group) -> int:
    if chosen.values:
        return misused(
            f"a secret key is not taken from the command line, which other users and "
            f"the shell's history can see: m3cred config set {chosen.name} asks for it, or "
            "reads it from standard input."
        )
    key = _key_entered(group)
    # Checked before anybody is asked for a passphrase, too.
    SECRET_KEY.check(key.reveal(), group.subject)
    unlock(editor.identity, chosen.passphrase_fd)
    gone = editor.change(group, SECRET_KEY, key.reveal())
    _say(f"The secret key of {group.label} is sealed; {clean_path(editor.file)} says so.")
    _tell_gone(gone, SECRET_KEY_SEALED.name)
    _tell_what_goes_before(editor, group, SECRET_KEY)
    return DONE


def _key_entered(group: Group) -> Secret:
    prefixes = " or ".join(f"{one}…" for one in prefixes_of(group.subject))
    try:
        if sys.stdin.isatty():
            return asked(f"Secret key of {group.label} ({prefixes}), not shown: ")
        return from_descriptor(sys.stdin.fileno())
    except PassphraseEmpty:
        raise NothingEntered("secret key") from None
    except PassphraseUnusable as unusable:
        raise KeyNotRead(unusable.reason) from None


def _unset(chosen: argparse.Namespace, editor: SettingsEditor) -> int:
    group, setting = setting_named(chosen.name)
    if editor.change(group, setting, None):
        _say(f"{chosen.name} is removed from {clean_path(editor.file)}.")
    else:
        _say(f"{chosen.name} is not in {clean_path(editor.file)}; nothing was changed.")
    _tell_what_goes_before(editor, group, setting)
    return DONE


def _check(chosen: argparse.Namespace, editor: SettingsEditor) -> int:
    setups = [editor.setup(one) for one in groups()]
    setups = [one for one in setups if one.group is not STORE]
    if any(isinstance(one[SECRET_KEY].value, Sealed) for one in setups):
        unlock(editor.identity, chosen.passphrase_fd)
    touched = [one.destination for one in setups if one.is_touched]
    results = [(one, _tried(editor, one)) for one in touched or DESTINATIONS]
    if chosen.json:
        put_json({"destinations": [_result_fields(*one) for one in results]})
    else:
        for destination, result in results:
            # NotSetUp names the destination itself.
            label = "" if isinstance(result, NotSetUp) else f"{destination.label}: "
            _say(f"{label}{'ok, ' if isinstance(result, str) else ''}{result}")
    return DONE if all(isinstance(result, str) for _, result in results) else FAILED


def _tried(editor: SettingsEditor, destination: Destination) -> str | Problem:
    """Return the prefix of a destination's key, or what is wrong."""
    try:
        return prefix_of(editor.settings.platform(destination, editor.identity).secret_key)
    except Problem as problem:
        return problem


def _result_fields(destination: Destination, result: str | Problem) -> Json:
    is_ok = isinstance(result, str)
    return {
        "code": destination.code,
        "ok": is_ok,
        "secretKey": result if is_ok else None,
        "error": None if isinstance(result, str) else error_fields(result),
    }


def _tell_gone(names: Iterable[str], source: str) -> None:
    """Say which sources of the secret key are gone, now that it is from this one."""
    for name in names:
        if name == SECRET_KEY_SEALED.name:
            _say("The secret key that m3cred had sealed is removed.")
        else:
            used = "the sealed key" if source == SECRET_KEY_SEALED.name else source
            _say(f"{name} is removed: {used} is used.")


def _tell_what_goes_before(
    editor: SettingsEditor, group: Group, setting: Setting[object]
) -> None:
    """Say that the environment has a value, too, if it has."""
    entry = editor.setup(group)[group.value_of(setting)]
    if entry.origin is Origin.ENVIRONMENT:
        _say(f"{entry.place} is set in the environment, and takes precedence over it.")


def _warn_of_no_file(value: object) -> None:
    """Warn where the key file that was entered is not there; it may come later."""
    if not isinstance(value, FromFile):
        return
    try:
        value.path.stat()
    except FileNotFoundError:
        complain(f"{clean_path(value.path)} is not there yet.")
    except OSError:
        pass  # m3cred config check says what it is


def _say(line: str) -> None:
    put(line, sys.stdout)


def setups_text(setups: Iterable[Setup], path: Path) -> str:
    """Return what is set, for people."""
    there = "" if path.exists() else " (not there yet)"
    blocks = [f"{clean_path(path)}{there}"]
    blocks += ("\n".join(_block(one)) for one in setups)
    return "\n\n".join(blocks) + "\n"


def setups_fields(setups: Sequence[Setup], path: Path) -> Json:
    """Return the same for scripts; docs/configuration.md has the schema."""
    return {
        "path": str(path),
        "exists": path.exists(),
        "destinations": [_setup_fields(one) for one in setups if one.group is not STORE],
        "store": {
            setting.name: _entry_fields(entry)
            for one in setups
            if one.group is STORE
            for setting, entry in one.entries.items()
        },
    }


def _block(setup: Setup) -> Iterator[str]:
    yield f"{setup.group.label}: {setup.state}"
    lines = [*setup.lines()]
    wide = max(len(setting.name) for setting, _, _ in lines)
    widest = max(len(text) for _, text, _ in lines)
    for setting, text, origin in lines:
        yield f"  {setting.name:{wide}}  {text:{widest}}  {origin}".rstrip()
        if problem := setup[setting].problem:
            yield f"  {'':{wide}}  {problem}"


def _setup_fields(setup: Setup) -> Json:
    problem = obstacle(setup)
    return {
        "code": setup.destination.code,
        "label": setup.group.label,
        "setUp": problem is None,
        "missing": [one.name for one in setup.missing],
        "error": error_fields(problem) if problem else None,
        "settings": {one.name: _entry_fields(entry) for one, entry in setup.entries.items()},
    }


def _entry_fields(entry: Entry[object]) -> Json:
    fields: Json = {"origin": entry.origin, "place": entry.place}
    value = entry.value
    if isinstance(value, KeySource):
        kind, shown = described(value)
        fields |= {"source": kind, "value": shown}
    else:
        fields["value"] = list(value) if isinstance(value, tuple) else value
    return fields | {"error": error_fields(entry.problem) if entry.problem else None}


_VERBS: dict[str | None, Verb] = {
    None: _show,
    "path": _path,
    "set": _set,
    "unset": _unset,
    "check": _check,
}
