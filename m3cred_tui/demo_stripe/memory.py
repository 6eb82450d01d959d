"""What a demo Stripe knows of connections that were made at an earlier start.

A connection is a file with the owner's e-mail, which has one account, always the same. It
holds no secret; what cannot be read or written is as if it were not there.
"""

import re
from contextlib import suppress
from pathlib import Path

from m3cred_tui.demo_stripe.business import Account, account_of
from m3cred_tui.demo_stripe.grants import mode

_ACCOUNT_ID = re.compile(r"acct_1Demo[0-9a-f]{12}")
_LONGEST = 1000


class Memory:
    """Remembers connections of Connect, whose tokens do not end; shared by several demos."""

    def __init__(self, directory: Path | None = None) -> None:
        """Take the directory for it; without one, nothing is remembered."""
        self._directory = directory

    def keep(self, account: Account, *, livemode: bool) -> None:
        """Remember a connection."""
        path = self._path(account.id, livemode=livemode)
        if path is not None:
            with suppress(OSError):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.write_text(account.email, "utf-8")

    def forget(self, account_id: str, *, livemode: bool) -> None:
        """Forget a connection, if there is one."""
        path = self._path(account_id, livemode=livemode)
        if path is not None:
            with suppress(OSError):
                path.unlink()

    def recall(self, account_id: str, *, livemode: bool) -> Account | None:
        """Return the account, if it is connected in this mode."""
        path = self._path(account_id, livemode=livemode)
        if path is None:
            return None
        try:
            with path.open(encoding="utf-8") as file:
                account = account_of(file.read(_LONGEST))
        except (OSError, ValueError):
            return None
        return account if account.id == account_id else None

    def _path(self, account_id: str, *, livemode: bool) -> Path | None:
        if self._directory is None or not _ACCOUNT_ID.fullmatch(account_id):
            return None
        return self._directory / f"{mode(livemode=livemode)}-{account_id}"
