"""The lines of the form that sets a destination up."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from m3cred_tui.config.problems import prefixes_of
from m3cred_tui.config.setup import Origin, value_text
from m3cred_tui.model.authorization import CALLBACK_PORTS
from m3cred_tui.ui.screens.settings_table import LABELS, OAUTH_MODELS
from m3cred_tui.ui.widgets.key_setting import KeySetting
from m3cred_tui.ui.widgets.setting import ChoiceSetting, FixedSetting, LineSetting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from m3cred_tui.config.setup import Setup
    from m3cred_tui.ui.services import SettingUp
    from m3cred_tui.ui.widgets.setting import Setting

_EXAMPLES = {"client_id": "ca_…", "channel": "chnlink_…"}
_OWN_PAGE, _LOOPBACK = "https://…", "http://127.0.0.1:PORT/callback"


def rows(setup: Setup, setting_up: SettingUp) -> Iterator[Setting]:
    """Yield a line for each value that can be set, or that the environment sets."""
    destination = setup.destination
    check = partial(setting_up.check, destination)
    for name, entry in setup.entries():
        label = LABELS[name]
        if entry.origin is Origin.ENVIRONMENT:
            yield FixedSetting(name, label, entry, value_text(setup, name))
        elif name == "secret_key":
            prefixes = " or ".join(f"{one}…" for one in prefixes_of(destination))
            yield KeySetting(entry, check, prefixes=prefixes)
        elif name == "oauth":
            yield ChoiceSetting(name, label, entry, OAUTH_MODELS)
        elif not name.endswith("_base"):  # for tests alone, and in the environment alone
            without = _EXAMPLES.get(name) or _without(setup, name)
            yield LineSetting(name, label, entry, check, without=without)


def _without(setup: Setup, name: str) -> str:
    """Return what holds where a value is not set."""
    if name == "ports":
        return ", ".join(map(str, CALLBACK_PORTS))
    return _OWN_PAGE if setup.destination.livemode else _LOOPBACK
