"""Runs ``m3cred``, for which Stripe is where a description says.

python -m tests.e2e.ssh.m3cred_at DESCRIPTION
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from m3cred_tui.cli import main
from m3cred_tui.cli.commands import app
from m3cred_tui.config.locations import locations
from m3cred_tui.config.settings import Settings
from m3cred_tui.model.credential import STRIPE_TEST
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.gateway import Platform


@contextmanager
def settings_at(description: Path) -> Iterator[Settings]:
    """Yield settings for the Stripe of a description."""
    told = json.loads(description.read_text())
    keys = told["test"]
    platform = Platform(
        keys["client_id"], Secret(keys["secret_key"]), told["connect_base"], told["api_base"]
    )
    yield Settings(locations(demo=False), {STRIPE_TEST: platform})


if __name__ == "__main__":
    with patch.object(app, "normal_settings", lambda: settings_at(Path(sys.argv[1]))):
        sys.exit(main.main([]))
