"""The Log page shows the end of the log, and what is added to it."""

from pathlib import Path

from m3cred_tui.ui.services import Services
from tests.ui.conftest import Keep
from tests.ui.user import opened


async def test_it_shows_the_end_of_the_log_and_what_is_added_even_by_a_rotation(
    services: Services, keep: Keep, tmp_path: Path
) -> None:
    keep("Acme")
    folder = tmp_path / "logs"
    folder.mkdir(mode=0o700)
    log = folder / "m3cred.log"
    log.touch(mode=0o600)

    def add(text: str) -> None:
        log.touch(mode=0o600)
        with log.open("a") as file:
            file.write(text)

    add("".join(f"line {number}\n" for number in range(20_000)) + "the \x1b[31m[b]last\n")
    async with opened(services._replace(log=log)) as user:
        await user.focuses("CredentialList")
        await user.press("l")
        await user.sees("Integrations › Log", "line 19999", "[b]last")
        log.replace(log.with_name("m3cred.log.1"))
        add("after the rotation\n")
        await user.sees("after the rotation")
        await user.press("escape")
        await user.focuses("CredentialList")
