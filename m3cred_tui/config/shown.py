"""Showing what is set, without any secret."""

from m3cred_tui.config.key_shape import masked, prefix_of
from m3cred_tui.config.key_source import FromCommand, FromFile, Given, Sealed
from m3cred_tui.config.setup import Entry, Setup
from m3cred_tui.model.text import clean

KINDS: dict[type, str] = {
    Given: "environment",
    FromCommand: "command",
    FromFile: "file",
    Sealed: "sealed",
}
"""What a source of a secret key is called in JSON."""

NOT_SET = "not set"

_LOOPBACK = "http://127.0.0.1:PORT/callback"
_WORDS = {
    "environment": "set, {}",
    "command": "printed by: {}",
    "file": "in the file {}",
    "sealed": "sealed by m3cred",
}


def value_text(setup: Setup, name: str) -> str:
    """Return a value of a setup as a line for people."""
    entry: Entry[object] = getattr(setup, name)
    value = entry.value
    if value is None:
        is_loopback = name == "redirect_uri" and not setup.destination.livemode
        unset = _LOOPBACK if is_loopback else NOT_SET
        return "wrong" if entry.problem else unset
    if kind := KINDS.get(type(value)):
        return _WORDS[kind].format(source_text(value))
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return clean(str(value))


def source_text(source: object) -> str:
    """Return what may be seen of a source of a secret key."""
    match source:
        case Given(key):
            return prefix_of(key)
        case FromCommand(command):
            return masked(clean(command))
        case FromFile(path):
            return masked(clean(str(path), most=4096))
    return ""
