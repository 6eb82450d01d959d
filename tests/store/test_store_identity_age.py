"""age and m3cred open each other's wrapped identities, with scrypt's full work."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from m3cred_tui.model.secret import Secret
from m3cred_tui.store import sealing
from m3cred_tui.store.identity import IdentityFile
from tests.e2e.terminal import ENTER, terminal

# Composed and decomposed, right to left, beyond the first plane, and spaces at the ends.
PASSPHRASE = " Zoë’s cafe\u0301 שלום 🐎 "
AGE = shutil.which("age") or "age"
PATIENCE = 60.0
"""Seconds; on a busy machine, scrypt takes many of them."""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        AGE == "age" and os.environ.get("CI") != "true", reason="age is not installed"
    ),
    pytest.mark.xdist_group("scrypt"),
    pytest.mark.timeout(120),
]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}


async def test_age_opens_a_sealed_part_with_an_identity_that_was_protected(
    identity: Path, environ: dict[str, str], data: Path, tmp_path: Path
) -> None:
    file = IdentityFile(identity, data)
    recipient = file.to_seal().to_public()
    sealed = sealing.seal(recipient, b"the sealed part")
    (tmp_path / "sealed").write_text(sealed)
    file.protect(Secret(PASSPHRASE))
    command = [AGE, "-d", "-o", "plain", "-i", str(identity), "sealed"]
    command = ["/bin/sh", "-c", 'cd && exec "$@"', "sh", *command]
    async with terminal(command, environ) as shown:
        await shown.shows("Enter passphrase")
        shown.press(PASSPHRASE, ENTER)
        assert await shown.ends(PATIENCE) == 0
    assert (tmp_path / "plain").read_bytes() == b"the sealed part"


@pytest.fixture
def generated(tmp_path: Path) -> tuple[str, str]:
    """Return a file from age-keygen, and the public key that age-keygen shows."""
    command = ["age-keygen", "-o", str(tmp_path / "key")]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return command[-1], told.removeprefix("Public key: ").strip()


@pytest.fixture
def empty(identity: Path) -> Path:
    """Return a private file that age writes into."""
    identity.parent.mkdir(mode=0o700)
    identity.touch(mode=0o600)
    return identity


async def test_an_identity_that_age_wrapped_is_accepted(
    generated: tuple[str, str], empty: Path, environ: dict[str, str], data: Path
) -> None:
    plain, public_key = generated
    command = [AGE, "-p", "-o", str(empty), plain]
    async with terminal(command, environ) as shown:
        await shown.shows("Enter passphrase")
        shown.press(PASSPHRASE, ENTER)
        await shown.shows("Confirm passphrase")
        shown.press(PASSPHRASE, ENTER)
        assert await shown.ends(PATIENCE) == 0
    file = IdentityFile(empty, data)
    assert file.is_locked()
    file.unlock(Secret(PASSPHRASE))
    assert str(file.to_seal().to_public()) == public_key
