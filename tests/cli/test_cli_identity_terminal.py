"""Passphrases on a real terminal: never shown, never kept, and the terminal as it was."""

import asyncio
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from m3cred_tui.cli.commands.app import services_from
from m3cred_tui.cli.output import prompts
from m3cred_tui.config.locations import Locations
from m3cred_tui.config.settings import Settings
from m3cred_tui.model.secret import Secret
from m3cred_tui.store import sealing
from m3cred_tui.store.identity import IdentityFile
from tests.cli.conftest import Start
from tests.cli.kept import keep
from tests.e2e.canaries import process_of
from tests.e2e.terminal import CTRL_C, ENTER, Terminal, terminal
from tests.e2e.wizard import WAITING, to_authenticate
from tests.store.light_age import asking_for, wrapped_lightly

PASSPHRASE = "canary horse"
NOT_THE_SAME = "The two passphrases are not the same; nothing was changed."
KEY = b"AGE-SECRET-KEY-"
CTRL_D = "\x04"


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    path = tmp_path / "config" / "m3cred" / "identity.txt"
    path.parent.mkdir(mode=0o700, parents=True)
    path.touch(mode=0o600)
    path.write_bytes(sealing.new_identity())
    return path


@pytest.fixture
def locked(identity: Path) -> Path:
    identity.write_bytes(wrapped_lightly(identity.read_bytes(), PASSPHRASE))
    return identity


@pytest.fixture
def locked_demo(locked: Path) -> Path:
    locked.parent.joinpath("demo").mkdir(mode=0o700)
    return locked.rename(locked.parent / "demo" / locked.name)


@pytest.fixture
def laborious(identity: Path) -> Path:
    """Return an identity that takes seconds to open, and does not open then."""
    file = wrapped_lightly(identity.read_bytes(), PASSPHRASE, armour=False)
    identity.write_bytes(asking_for(20, file))
    return identity


def times(words: str, count: int) -> Callable[[str], bool]:
    return lambda text: text.count(words) == count


def is_as_it_was(shown: Terminal) -> bool:
    return shown.line_discipline() == shown.modes


def content(path: Path) -> bytes:
    return path.read_bytes()


def files_with(canary: bytes, root: Path) -> list[Path]:
    return [file for file in root.rglob("*") if file.is_file() and canary in file.read_bytes()]


def asked(count: int) -> Callable[[str], bool]:
    questions = "New passphrase:", "Passphrase for the copy:", "The same again:"
    return lambda text: sum(map(text.count, questions)) == count


@pytest.mark.long
async def test_a_new_passphrase_is_typed_twice_also_after_slips_and_seen_nowhere(
    start: Start, identity: Path, tmp_path: Path
) -> None:
    key = str(IdentityFile(identity, tmp_path).to_open().to_public())
    async with start("identity", "protect") as shown:
        for count, line in enumerate(["short", PASSPHRASE, "mistyped", PASSPHRASE], 1):
            await shown.shows(asked(count))
            assert not shown.echoes()
            shown.press(line, ENTER)
        await shown.shows(asked(5))
        assert shown.text.rstrip().endswith("The same again:")
        assert not shown.echoes()
        assert b"canary" not in process_of(shown.pid)
        shown.press(PASSPHRASE, ENTER)
        await shown.shows("Putting the identity under the passphrase …")
        assert await shown.ends(patience=45) == 0
        assert "it has fewer than 8 characters" in shown.text
        assert NOT_THE_SAME in shown.text
        assert is_as_it_was(shown)
        assert f"{identity} is under the passphrase now." in shown.text
        assert b"canary" not in shown.raw
        assert KEY not in shown.raw
    assert files_with(b"canary", tmp_path) == files_with(KEY, tmp_path) == []
    assert list(identity.parent.iterdir()) == [identity]
    file = IdentityFile(identity, tmp_path)
    file.unlock(Secret(PASSPHRASE))
    assert str(file.to_open().to_public()) == key


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["canary one", "another", *["canary two", ""] * 2], NOT_THE_SAME),
        (["too few"] * 3, "cannot be used: it has fewer than 8 characters; take a few words."),
        ([""], "The passphrase from the terminal cannot be used: it is empty."),
        (["x" * 1025], "cannot be used: it has more than 1,024 bytes."),
    ],
    ids=["different", "short", "empty", "long"],
)
@pytest.mark.parametrize("verb", ["protect", "export"])
@pytest.mark.quick(3)
async def test_a_new_passphrase_that_will_not_do_is_one_sentence(
    verb: str, typed: list[str], told: str, start: Start, identity: Path, tmp_path: Path
) -> None:
    before = content(identity)
    file = [str(tmp_path / "copy")] if verb == "export" else []
    async with start("identity", verb, *file) as shown:
        for count, line in enumerate(typed, start=1):
            await shown.shows(asked(count))
            shown.press(line, ENTER)
        await shown.shows(told)
        assert await shown.ends() == 1
        assert is_as_it_was(shown)
    assert content(identity) == before
    assert not (tmp_path / "copy").exists()


async def test_no_question_has_a_control_byte_in_the_encoding_of_the_terminal(
    start: Start, locked: Path, tmp_path: Path
) -> None:
    """Û in UTF-8 holds 0x9B, and › is that byte in cp1252: it begins a control sequence."""
    copy = await asyncio.to_thread(locked.rename, tmp_path / "Û›")
    async with start("identity", "import", str(copy), PYTHONIOENCODING="cp1252") as shown:
        await shown.shows("Passphrase of")
        shown.press(CTRL_C)
        assert await shown.ends() == 130
        assert not {*range(0x80, 0xA0)}.intersection(shown.raw)


async def test_nor_has_the_app(start: Start, tmp_path: Path) -> None:
    keep(tmp_path, ["„Acme›"])
    async with start(PYTHONIOENCODING="cp1252") as shown:
        await shown.shows("Acme")
        shown.press("q")
        assert await shown.ends() == 0
        assert not {*range(0x80, 0xA0)}.intersection(shown.raw)


async def test_a_new_passphrase_wants_the_old_one_first(start: Start, locked: Path) -> None:
    before = content(locked)
    async with start("identity", "protect") as shown:
        await shown.shows("Passphrase of the identity:")
        shown.press("wrong", ENTER)
        await shown.shows("the passphrase is wrong, or the file is damaged")
        await shown.shows(times("Passphrase of the identity:", 2))
        shown.press(PASSPHRASE, ENTER)
        await shown.shows("New passphrase:")
        shown.press(CTRL_D)
        assert await shown.ends() == 1
    assert content(locked) == before


@pytest.mark.parametrize("arguments", [("identity", "protect"), ()], ids=["protect", "start"])
async def test_ctrl_c_at_the_question_ends_it_with_130_and_the_echo_back(
    arguments: tuple[str, ...], start: Start, locked: Path
) -> None:
    async with start(*arguments) as shown:
        await shown.shows("Passphrase of the identity")
        shown.press("half of it", CTRL_C)
        assert await shown.ends() == 130
        assert is_as_it_was(shown)
        assert "Traceback" not in shown.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT], ids=str)
@pytest.mark.quick(1)
async def test_a_signal_at_the_question_leaves_the_echo_on(
    number: signal.Signals, start: Start, locked: Path
) -> None:
    async with start() as shown:
        await shown.shows("Passphrase of the identity")
        assert not shown.echoes()
        shown.signal(number)
        assert await shown.ends() == 128 + number
        assert is_as_it_was(shown)
        assert "Traceback" not in shown.text


def test_a_signal_that_no_read_is_woken_by_is_noticed() -> None:
    """As one is that comes between the question and the wait for its answer."""

    def end(*_: object) -> None:
        raise InterruptedError

    ours, theirs = os.pipe()
    before = signal.signal(signal.SIGUSR1, end)
    # It goes to its own thread, and leaves the system call of this one as it is.
    other = threading.Timer(0.1, signal.raise_signal, [signal.SIGUSR1])
    other.start()
    try:
        with pytest.raises(InterruptedError):
            prompts._wait_for_line(ours)
    finally:
        other.join()
        signal.signal(signal.SIGUSR1, before)
        os.close(ours)
        os.close(theirs)


async def test_after_ctrl_z_it_is_asked_again_and_stays_hidden(
    start: Start, locked: Path
) -> None:
    async with start() as shown:
        await shown.shows("Passphrase of the identity")
        shown.signal(signal.SIGSTOP)
        await asyncio.to_thread(os.waitpid, shown.pid, os.WUNTRACED)
        modes = termios.tcgetattr(shown._master)
        modes[3] |= termios.ECHO  # as a shell does
        termios.tcsetattr(shown._master, termios.TCSANOW, modes)
        assert shown.echoes()
        shown.signal(signal.SIGCONT)
        await shown.shows(times("Passphrase of the identity", 2))
        assert not shown.echoes()
        shown.press(CTRL_C)
        assert await shown.ends() == 130


@pytest.mark.parametrize("arguments", [("identity", "protect"), ()], ids=["protect", "start"])
async def test_ctrl_c_during_scrypt_ends_it_immediately(
    arguments: tuple[str, ...], start: Start, laborious: Path
) -> None:
    before = content(laborious)
    async with start(*arguments) as shown:
        await shown.shows("Passphrase of the identity")
        shown.press(PASSPHRASE, ENTER)
        await shown.shows("Opening the identity …")
        shown.press(CTRL_C)
        assert await shown.ends() == -signal.SIGINT  # 130 to a shell
        assert is_as_it_was(shown)
    assert content(laborious) == before


@pytest.mark.parametrize("typed", [PASSPHRASE, ""], ids=["passphrase", "Enter alone"])
async def test_the_app_asks_once_and_opens_also_without_an_answer(
    typed: str, start: Start, locked: Path
) -> None:
    async with start() as shown:
        await shown.shows("Passphrase of the identity (Enter alone: only look at the list):")
        shown.press(typed, ENTER)
        await shown.shows("Create Integration Credential")
        assert (b"Opening the identity" in shown.raw) == bool(typed)
        shown.press("q")
        assert await shown.ends() == 0
        assert b"canary" not in shown.raw


async def test_three_wrong_passphrases_end_the_start(start: Start, locked: Path) -> None:
    async with start() as shown:
        for count in (1, 2, 3):
            await shown.shows(times("Passphrase of the", count))
            shown.press("canary guess", ENTER)
        assert await shown.ends() == 1
        assert shown.text.count("the passphrase is wrong") == 3
        assert b"canary" not in shown.raw
        assert b"\x1b" not in shown.raw


async def test_an_identity_in_clear_is_not_asked_for(start: Start, identity: Path) -> None:
    async with start() as shown:
        await shown.shows("Create Integration Credential")
        assert b"assphrase" not in shown.raw


async def test_a_descriptor_that_is_a_terminal_is_refused(start: Start, locked: Path) -> None:
    async with start("--passphrase-fd", "0", "identity", "show") as shown:
        await shown.shows("cannot be used: a terminal would show it.")
        assert await shown.ends() == 1


@pytest.mark.parametrize(("line", "status"), [(PASSPHRASE, 0), ("canary guess", 1), ("", 1)])
@pytest.mark.quick(1)
async def test_a_script_opens_the_app_by_a_descriptor(
    line: str, status: int, environment: dict[str, str], locked: Path, tmp_path: Path
) -> None:
    (tmp_path / "line").write_text(f"{line}\n")
    script = f'exec "{sys.executable}" -m m3cred_tui --passphrase-fd 3 3<"{tmp_path}/line"'
    async with terminal(["/bin/sh", "-c", script], environment) as shown:
        if status == 0:
            await shown.shows("Create Integration Credential")
            shown.press("q")
        assert await shown.ends() == status
        assert b"Passphrase of the identity" not in shown.raw
        assert b"canary" not in shown.raw


def test_the_app_has_the_identity_that_was_unlocked(locked: Path, tmp_path: Path) -> None:
    file = IdentityFile(locked, tmp_path / "data")
    file.unlock(Secret(PASSPHRASE))
    settings = Settings(
        Locations(data=tmp_path / "data", identity=locked, log=tmp_path / "log"), {}
    )
    services_from(settings, file).store.prepare()


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("typed", "comes"), [(PASSPHRASE, WAITING), ("", "is under a passphrase")], ids=ascii
)
@pytest.mark.long
async def test_only_with_the_passphrase_does_the_way_lead_to_stripe(
    typed: str, comes: str, start: Start, locked_demo: Path
) -> None:
    async with start("--demo") as shown:
        await shown.shows("Passphrase of the identity")
        shown.press(typed, ENTER)
        await shown.shows("There are no credentials yet")
        await to_authenticate(shown)
        shown.press(ENTER)
        await shown.shows(comes)
