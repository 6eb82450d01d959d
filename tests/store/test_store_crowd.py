"""Several processes at once."""

import subprocess
import sys
from pathlib import Path

from m3cred_tui.store.store import CredentialStore

CHILD = """
import os, sys
from datetime import datetime, UTC
from pathlib import Path
from m3cred_tui.model.credential import *
from m3cred_tui.model.credential_id import credential_id
from m3cred_tui.model.destination import STRIPE
from m3cred_tui.model.entity_type import BILL
from m3cred_tui.store import sealing
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.store import CredentialStore

root = Path(sys.argv[1])
store = CredentialStore(root / "data", IdentityFile(root / "config" / "identity.txt"))
account = StripeAccount("acct_1Acme", True)
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
for _ in range(10):
    now = datetime.now(UTC)
    acme = Credential(credential_id(now, os.urandom(10)), "Acme", BILL, STRIPE, account, now,
                      "ann", Status.AUTHENTICATED)
    store.create(acme, TokenResponse("acct_1Acme", True, "read_write"))
"""


def test_processes_that_begin_at_once_share_one_identity_and_lose_nothing(
    store: CredentialStore, tmp_path: Path
) -> None:
    command = [sys.executable, "-I", "-c", CHILD, str(tmp_path)]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate()
    assert [child.returncode for child in children] == [0] * 4
    ids = store.ids()
    assert len(ids) == 40
    assert {store.tokens(one).scope for one in ids} == {"read_write"}
