"""``m3cred identity`` as a script uses it: passphrases from descriptors, no terminal."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from m3cred_tui.model.credential import (
    BILL,
    STRIPE,
    Credential,
    Status,
    StripeAccount,
    TokenResponse,
    credential_id,
)
from m3cred_tui.store import sealing
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from tests.store.light_age import wrapped_lightly

Run = Callable[..., CompletedProcess[str]]

PASSPHRASE = "correct horse"
FD = "FD"
PROTECT_MEANWHILE = """
import sys
from m3cred_tui.cli.main import main
from m3cred_tui.config.locations import locations
from m3cred_tui.store import sealing
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.directory.store import DirectoryStore
from tests.store.light_age import wrapped_lightly

def wrap(plain, passphrase):
    data, identity, _ = locations(demo=False)
    DirectoryStore(data, IdentityFile(identity, data)).prepare()  # another m3cred
    return wrapped_lightly(plain, passphrase.reveal())

sealing.wrap = wrap
sys.exit(main(["identity", "protect", "--new-passphrase-fd", "0"]))
"""
VERBS = ("show", "protect", "unprotect", "export", "import")


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    return tmp_path / "config" / "m3cred" / "identity.txt"


@pytest.fixture
def plain() -> bytes:
    return sealing.new_identity()


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)


def public_key(plain: bytes) -> str:
    return str(sealing.identity_in(plain).to_public())


@pytest.fixture
def given(environment: dict[str, str]) -> Run:
    """Run ``m3cred`` with ``lines`` in the descriptor FD, and no terminal anywhere."""

    def run(lines: bytes, *arguments: str, stdin: bytes = b"") -> CompletedProcess[str]:
        with ExitStack() as open_files:
            to_read, to_write = os.pipe()
            open_files.callback(os.close, to_read)
            os.write(to_write, lines)
            os.close(to_write)
            words = [str(to_read) if word == FD else word for word in arguments]
            ended = subprocess.run(
                [sys.executable, "-m", "m3cred_tui", *words],
                env=environment,
                input=stdin,
                capture_output=True,
                pass_fds=[to_read],
                start_new_session=True,
                timeout=50,
                check=False,
            )
        out, error = ended.stdout.decode(), ended.stderr.decode()
        return CompletedProcess(arguments, ended.returncode, out, error)

    return run


def create_a_credential(data: Path, identity: IdentityFile) -> None:
    now = datetime(2026, 3, 4, tzinfo=UTC)
    account = StripeAccount("acct_1Acme", livemode=True)
    acme = Credential(
        credential_id(now, bytes(10)), "Acme", BILL, STRIPE, account, now, "ann",
        Status.AUTHENTICATED,
    )  # fmt: skip
    DirectoryStore(data, identity).create(acme, TokenResponse("acct_1Acme", True, "read_write"))


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_says_what_each_command_does(m3cred: Run, verb: str) -> None:
    ended = m3cred("identity", *([verb] if verb else []), "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"usage: m3cred identity {verb}".rstrip())
    if not verb:
        assert [each for each in VERBS if each not in ended.stdout] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("identity", "wrong"),
        ("identity", "export"),
        ("identity", "import"),
        ("identity", "show", "--new-passphrase-fd", "3"),
        ("identity", "protect", "--new-passphrase-fd", "x"),
        ("identity", "protect", "secret"),
        ("--passphrase-fd", "-1", "identity"),
        ("--passphrase-fd", "\x1b[2J", "identity"),
        ("--passphrase-fd",),
        ("--passphrase=secret",),
    ],
    ids=ascii,
)
def test_wrong_usage_is_status_2(m3cred: Run, arguments: tuple[str, ...]) -> None:
    ended = m3cred(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("usage: m3cred")
    assert "\x1b" not in ended.stderr


def test_before_the_first_use_there_is_none_and_none_is_made(
    m3cred: Run, identity: Path
) -> None:
    for verb in ([], ["show"], ["unprotect"], ["export", "copy"]):
        ended = m3cred("identity", *verb)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith(
            f"m3cred: There is no identity yet: {identity} is created "
        )
    assert not identity.exists()


def test_a_lost_identity_is_reported_as_lost(
    m3cred: Run, identity: Path, plain: bytes, tmp_path: Path
) -> None:
    put(identity, plain)
    data = tmp_path / "data" / "m3cred"
    create_a_credential(data, IdentityFile(identity, data))
    identity.unlink()
    for verb in ("show", "protect", "unprotect"):
        ended = m3cred("identity", verb)
        assert ended.returncode == 1
        assert "that the credentials are sealed for is missing" in ended.stderr
    assert not identity.exists()


def test_it_is_shown_with_its_public_key(m3cred: Run, identity: Path, plain: bytes) -> None:
    put(identity, plain)
    shown = f"Identity:    {identity}\nPublic key:  {public_key(plain)}\nPassphrase:  none\n"
    for verb in ([], ["show"]):
        ended = m3cred("identity", *verb)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, shown, "")


def test_the_demo_has_an_identity_of_its_own(m3cred: Run, identity: Path, plain: bytes) -> None:
    put(identity.parent / "demo" / "identity.txt", plain)
    assert m3cred("identity").returncode == 1
    assert public_key(plain) in m3cred("--demo", "identity").stdout


def test_under_a_passphrase_its_public_key_is_shown_only_with_it(
    given: Run, identity: Path, plain: bytes
) -> None:
    put(identity, wrapped_lightly(plain, PASSPHRASE))
    ended = given(b"", "identity")
    assert ended.returncode == 0
    assert "Passphrase:  yes\n" in ended.stdout
    assert public_key(plain) not in ended.stdout
    ended = given(PASSPHRASE.encode(), "--passphrase-fd", FD, "identity")
    assert f"Public key:  {public_key(plain)}\nPassphrase:  yes\n" in ended.stdout


@pytest.mark.parametrize("rest", [b"\n", b"\r\nmore\n", b"", b"\nmore"], ids=ascii)
@pytest.mark.parametrize("passphrase", ["correct horse", " café ☃ ", "x" * 1022], ids=len)
@pytest.mark.quick(4)
def test_the_passphrase_is_the_first_line_whatever_follows(
    rest: bytes, passphrase: str, given: Run, identity: Path, plain: bytes
) -> None:
    put(identity, wrapped_lightly(plain, passphrase))
    ended = given(passphrase.encode() + rest, "--passphrase-fd", FD, "identity")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert public_key(plain) in ended.stdout


@pytest.mark.parametrize(
    ("number", "lines", "reason"),
    [
        ("8", b"", "it is not open for reading"),
        ("99999", b"", "it is not open for reading"),
        (FD, b"", "it is empty"),
        (FD, b"\n", "it is empty"),
        (FD, b"\r\nmore\n", "it is empty"),
        (FD, b"caf\xe9\n", "it is not UTF-8"),
        (FD, b"x" * 1025, "it has more than 1,024 bytes"),
        (FD, b"x" * 50_000, "it has more than 1,024 bytes"),
    ],
    ids=lambda value: ascii(value)[:20],
)
@pytest.mark.quick(3)
def test_an_unusable_passphrase_is_one_sentence_and_status_1(
    number: str, lines: bytes, reason: str, given: Run, identity: Path, plain: bytes
) -> None:
    put(identity, wrapped_lightly(plain, PASSPHRASE))
    for ask in (("identity", "unprotect"), ("identity", "protect")):
        ended = given(lines, "--passphrase-fd", number, *ask)
        sentence = r"m3cred: The passphrase from descriptor \d+ cannot be used: (.*)\.\n"
        told = re.fullmatch(sentence, ended.stderr)
        assert (ended.returncode, ended.stdout, told and told[1]) == (1, "", reason)


@pytest.mark.parametrize("new", ["1234567", "éèêëàâä"])
@pytest.mark.parametrize("verb", [("protect",), ("export", "copy")], ids=lambda verb: verb[0])
@pytest.mark.quick(2)
def test_a_new_passphrase_that_is_far_too_short_is_refused_although_it_would_open(
    given: Run, identity: Path, plain: bytes, verb: tuple[str, ...], new: str
) -> None:
    put(identity, before := wrapped_lightly(plain, new))
    lines = f"{new}\n{new}\n".encode()
    ended = given(lines, "--passphrase-fd", FD, "identity", *verb, "--new-passphrase-fd", FD)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.endswith("it has fewer than 8 characters; take a few words.\n")
    assert identity.read_bytes() == before
    ended = given(lines, "--passphrase-fd", FD, "identity")
    assert (ended.returncode, "age1" in ended.stdout) == (0, True)


def test_a_wrong_passphrase_is_one_sentence_and_status_1(
    given: Run, identity: Path, plain: bytes
) -> None:
    put(identity, wrapped_lightly(plain, PASSPHRASE))
    ended = given(b"canary\n" * 5, "--passphrase-fd", FD, "identity", "unprotect")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert "the passphrase is wrong" in ended.stderr
    assert "canary" not in ended.stderr


@pytest.mark.parametrize("verb", [("protect",), ("export", "copy")], ids=lambda verb: verb[0])
@pytest.mark.parametrize("exists", [True, False])
def test_the_old_passphrase_of_an_identity_in_clear_does_not_become_the_new_one(
    given: Run, identity: Path, plain: bytes, verb: tuple[str, ...], *, exists: bool
) -> None:
    if exists:
        put(identity, plain)
    old = "--passphrase-fd", FD
    # The new one may still be on its way; and without the option, two lines are one too many.
    for lines, before in (b"OLD passphrase\n", old), (b"OLD passphrase\nNEW passphrase\n", ()):
        ended = given(lines, *before, "identity", *verb, "--new-passphrase-fd", FD)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.count("\n") == 1
        assert "OLD" not in ended.stderr
    assert (identity.read_bytes() if exists else identity.exists()) == (plain if exists else 0)


def test_nor_is_a_line_left_over_under_a_passphrase(
    given: Run, identity: Path, plain: bytes
) -> None:
    put(identity, before := wrapped_lightly(plain, PASSPHRASE))
    lines = f"{PASSPHRASE}\nNEW passphrase\nNEW passphrase\n".encode()
    ended = given(
        lines, "--passphrase-fd", FD, "identity", "protect", "--new-passphrase-fd", FD
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.endswith("cannot be used: another line follows it.\n")
    assert identity.read_bytes() == before


def test_a_new_passphrase_is_taken_from_a_pipe_that_stays_open(
    environment: dict[str, str],
) -> None:
    """The end of what somebody may still write to is not waited for."""
    to_read, to_write = os.pipe()
    os.write(to_write, b"NEW passphrase\n")
    protect = subprocess.run(
        [sys.executable, "-c", PROTECT_MEANWHILE],
        env=environment,
        stdin=to_read,
        capture_output=True,
        timeout=30,
        check=False,
    )
    os.close(to_write)
    os.close(to_read)
    assert (protect.returncode, protect.stderr) == (0, b"")


def test_without_a_terminal_it_says_how_to_give_the_passphrase(
    given: Run, identity: Path, plain: bytes
) -> None:
    put(identity, wrapped_lightly(plain, PASSPHRASE))
    ended = given(b"", "identity", "unprotect")
    assert ended.returncode == 1
    assert ended.stderr.startswith("m3cred: There is no terminal to ask for a passphrase on; ")


def test_it_goes_back_in_clear_and_says_what_that_means(
    given: Run, identity: Path, plain: bytes
) -> None:
    put(identity, wrapped_lightly(plain, PASSPHRASE))
    ended = given(PASSPHRASE.encode(), "--passphrase-fd", FD, "identity", "unprotect")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "in clear now" in ended.stdout
    assert identity.read_bytes() == plain
    ended = given(b"", "identity", "unprotect")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "is not under a passphrase; nothing was changed" in ended.stdout


def test_protect_also_covers_an_identity_made_by_another_process_meanwhile(
    environment: dict[str, str], m3cred: Run, identity: Path
) -> None:
    protect = subprocess.run(
        [sys.executable, "-c", PROTECT_MEANWHILE],
        env=environment,
        input=PASSPHRASE,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (protect.returncode, protect.stderr) == (0, "")
    assert f"{identity} is under the passphrase now." in protect.stdout
    assert "Passphrase:  yes\n" in m3cred("identity").stdout


@pytest.mark.long
def test_a_copy_moves_to_another_machine_under_a_passphrase_of_its_own(
    given: Run, identity: Path, plain: bytes, tmp_path: Path
) -> None:
    """Both passphrases come from one descriptor, in the order in which they are needed."""
    put(identity, wrapped_lightly(plain, PASSPHRASE))
    copy = tmp_path / "copy"
    lines = f"{PASSPHRASE}\nfor the way\n".encode()
    export = ("--passphrase-fd", FD, "identity", "export", "--new-passphrase-fd", FD)
    ended = given(lines, *export, str(copy))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert stat.filemode(copy.stat().st_mode) == "-rw-------"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "copy"]
    there = "--demo", "--passphrase-fd", FD, "identity"
    ended = given(b"for the way", *there, "import", "-", stdin=copy.read_bytes())
    assert (ended.returncode, ended.stderr) == (0, "")
    moved = identity.parent / "demo" / "identity.txt"
    assert moved.read_bytes() == copy.read_bytes()
    assert stat.filemode(moved.stat().st_mode) == "-rw-------"
    ended = given(b"", *export, str(copy))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"m3cred: {copy} cannot be used: it is there already.\n"


def test_an_identity_that_credentials_are_sealed_for_is_not_replaced(
    given: Run, identity: Path, plain: bytes, tmp_path: Path
) -> None:
    put(identity, plain)
    other = sealing.new_identity()
    put(tmp_path / "copy", other)
    data = tmp_path / "data" / "m3cred"
    create_a_credential(data, IdentityFile(identity, data))
    ended = given(b"", "identity", "import", str(tmp_path / "copy"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"m3cred: There is another identity, {identity}, and ")
    assert identity.read_bytes() == plain
    # Moved away, as the sentence says, it gives way; what does not open is told.
    identity.unlink()
    ended = given(b"", "identity", "import", str(tmp_path / "copy"))
    assert ended.returncode == 0
    assert "The newest credential here does not open with it: " in ended.stdout
    assert identity.read_bytes() == other


def test_an_unused_identity_is_replaced_by_an_import(
    given: Run, identity: Path, plain: bytes, tmp_path: Path
) -> None:
    put(identity, sealing.new_identity())
    put(tmp_path / "copy", plain)
    ended = given(b"", "identity", "import", str(tmp_path / "copy"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"The identity is in place: {identity}\n"
    assert identity.read_bytes() == plain


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it does not hold one age identity (X25519)"),
        (b"\x1b[2J", "it does not hold one age identity (X25519)"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", "it is not an age file under a passphrase"),
        (bytes(8193), "it has more than 8,192 bytes"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_file_that_is_not_an_identity_is_not_imported(
    content: bytes, reason: str, given: Run, identity: Path
) -> None:
    ended = given(b"p", "--passphrase-fd", FD, "identity", "import", "-", stdin=content)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"m3cred: standard input cannot be used: {reason}.\n"
    assert not identity.exists()


@pytest.mark.parametrize(
    ("verb", "name", "reason"),
    [
        ("import", "missing", "it is not there"),
        ("import", ".", "it is a directory"),
        ("export", "missing/copy", "it is not there"),
        ("export", "", "it is there already"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(
    verb: str, name: str, reason: str, given: Run, identity: Path, plain: bytes
) -> None:
    put(identity, plain)
    option = ["--new-passphrase-fd", FD] if verb == "export" else []
    ended = given(b"for the way", "identity", verb, *option, name)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"m3cred: {name or '.'} cannot be used: {reason}.\n"


def test_a_start_with_an_identity_in_clear_imports_nothing_for_it(
    python: Run, identity: Path, plain: bytes
) -> None:
    put(identity, plain)
    program = (
        "import sys; from pathlib import Path; from m3cred_tui.store.identity import *;"
        "path = Path(sys.argv[1]);"
        "print(IdentityFile(path, path.parent).is_locked(), 'pyrage' in sys.modules)"
    )
    assert python("-c", program, str(identity)).stdout == "False False\n"
    put(identity, wrapped_lightly(plain, PASSPHRASE))
    assert python("-c", program, str(identity)).stdout == "True False\n"
