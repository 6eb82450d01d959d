"""A secret key typed on a real terminal: never shown, never kept in clear."""

from pathlib import Path

from tests.cli.conftest import Start
from tests.e2e.terminal import CTRL_C, ENTER

PROMPT = "Secret key of Stripe (Test Mode) (sk_test_… or rk_test_…), not shown:"


def files_with(canary: bytes, root: Path) -> list[Path]:
    return [file for file in root.rglob("*") if file.is_file() and canary in file.read_bytes()]


def content(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def is_there(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_a_key_is_asked_for_without_showing_it_and_sealed(
    start: Start, tmp_path: Path
) -> None:
    async with start("config", "set", "stripe_test.secret_key") as shown:
        await shown.shows(PROMPT)
        assert not shown.echoes()
        shown.press("  sk_test_canary ", ENTER)
        assert await shown.ends() == 0
        assert "The secret key of Stripe (Test Mode) is sealed" in shown.text
        assert b"canary" not in shown.raw
        assert shown.line_discipline() == shown.modes
    assert files_with(b"canary", tmp_path) == []
    assert (tmp_path / "data" / "m3cred" / "keys" / "STRIPE_TEST.age").exists()


async def test_a_key_of_the_wrong_mode_is_reported_and_not_kept(
    start: Start, tmp_path: Path
) -> None:
    async with start("config", "set", "stripe_test.secret_key") as shown:
        await shown.shows(PROMPT)
        shown.press("sk_live_canary", ENTER)
        assert await shown.ends() == 1
        assert "This is a live key (sk_live_…)" in shown.text
        assert b"canary" not in shown.raw
    assert not (tmp_path / "data").exists()


async def test_ctrl_c_at_the_question_leaves_the_terminal_as_it_was(
    start: Start, tmp_path: Path
) -> None:
    async with start("config", "set", "stripe_test.secret_key") as shown:
        await shown.shows(PROMPT)
        shown.press(CTRL_C)
        assert await shown.ends() == 130
        assert shown.line_discipline() == shown.modes
    assert not (tmp_path / "data").exists()


async def test_ctrl_c_stops_a_command_that_hangs(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "config" / "m3cred" / "config.toml"
    file.parent.mkdir(mode=0o700, parents=True)
    file.touch(mode=0o600)
    ready = tmp_path / "ready"
    file.write_text(
        "[stripe_test]\nclient_id = 'ca_a'\n"
        f"secret_key_command = 'echo $$ >{ready}; sleep 600'\n"
    )
    async with start("config", "check") as shown:
        while not content(ready).endswith("\n"):
            await shown.writes_within(0.05)
        shown.press(CTRL_C)
        assert await shown.ends() == 130
    assert not is_there(content(ready).strip())
