"""``m3cred rename``: give a credential another name."""

import sys
from argparse import Namespace

from m3cred_tui.cli.ending import DONE
from m3cred_tui.cli.log import logging_to
from m3cred_tui.cli.output.json import credential_fields, put_json
from m3cred_tui.cli.output.streams import put
from m3cred_tui.cli.selecting import intact, opened, selected
from m3cred_tui.cli.wiring import created_by, now
from m3cred_tui.store.names import rename


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    here = opened(demo=chosen.demo)
    before = intact(selected(here.store, chosen.name))
    here.unlock(chosen.passphrase_fd)
    with logging_to(here.places.log):
        after = rename(here.store, before, chosen.new_name, at=now(), by=created_by())
    if chosen.json:
        put_json({"credential": credential_fields(after)})
    else:
        put(f"“{before.name}” is now “{after.name}”: {after.id}", sys.stdout)
    return DONE
