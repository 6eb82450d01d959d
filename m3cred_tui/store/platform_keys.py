"""The secret keys of a platform that m3cred stores: ``<destination>.age``, one file each.

They are sealed for the identity, like credentials; ``age -d -i identity.txt`` opens them. The
destination is sealed, too, as age does not say who wrote a file, or what for. Each function
takes the directory of the keys.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from m3cred_tui.model.secret import Secret
from m3cred_tui.store import files, sealing
from m3cred_tui.store.fields import json_object, text
from m3cred_tui.store.files import FlawError, flaws_refused, private_folder, read_private
from m3cred_tui.store.problems import OutcomeUnknown

if TYPE_CHECKING:
    from pathlib import Path

    from m3cred_tui.model.credential import Destination
    from m3cred_tui.store.identity import IdentityFile

_LARGEST = 8192
"""Bytes; a sealed Stripe key has about 500."""


def keep_key(keys: Path, destination: Destination, key: Secret, identity: IdentityFile) -> None:
    """Seal a key, replacing an earlier one; hold the store's lock.

    Raises what ``IdentityFile.to_seal`` does, ``StoreUnusable`` and ``OutcomeUnknown``.
    """
    recipient = identity.to_seal(replacing=_name(destination)).to_public()
    fields = {"destination": destination.code, "secretKey": key.reveal()}
    sealed = sealing.seal(recipient, json.dumps(fields).encode())
    try:
        with private_folder(keys, make=True) as folder:
            files.replace(folder, _name(destination), sealed.encode())
            files.sweep(folder)
    except OutcomeUnknown as unknown:
        found = "Seal the key again."
        raise OutcomeUnknown(keys / _name(destination), unknown.reason, found) from unknown


def kept_key(keys: Path, destination: Destination, identity: IdentityFile) -> Secret:
    """Return a sealed key.

    Raises ``FileNotFoundError`` if there is none, ``StoreUnusable`` if it cannot be opened,
    and what ``IdentityFile.to_open`` does.
    """
    path = keys / _name(destination)
    with flaws_refused(path):
        with private_folder(keys) as folder:
            sealed = read_private(folder, path.name, path, most=_LARGEST)
        plain = sealing.unseal(identity.to_open(), sealed.decode("ascii", "replace"))
        fields = json_object(plain)
        if text(fields, "destination") != destination.code:
            raise FlawError("it was sealed for another destination")
        return Secret(text(fields, "secretKey"))


def is_kept(keys: Path, destination: Destination) -> bool:
    """Return whether there is a sealed key, without opening it."""
    return os.path.lexists(keys / _name(destination))


def forget_key(keys: Path, destination: Destination) -> bool:
    """Remove a sealed key, and return whether there was one; hold the store's lock.

    Raises ``StoreUnusable`` and ``OutcomeUnknown``.
    """
    with suppress(FileNotFoundError), private_folder(keys) as folder:
        return files.remove(folder, _name(destination))
    return False


def _name(destination: Destination) -> str:
    return f"{destination.code}.age"
