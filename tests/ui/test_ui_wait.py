"""The wait for Stripe at stage 4: what is seen at each size, and what moves nothing."""

from collections.abc import Callable

import pytest

from m3cred_tui.browser.ways import Ways
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Clock
from tests.ui.scripted import READY, SHORT_URL, URL, ScriptedAuthorizer
from tests.ui.user import User, opened, straight_to_stage_4

SSH = {
    "SSH_CONNECTION": "198.51.100.7 51234 203.0.113.9 22",
    "TERM": "xterm-256color",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
}
BLOCKS = "▀▀▀▀▀▀▀"
"""The lower edge of a QR code's eye."""


@pytest.fixture
def over_ssh(services: Services) -> Callable[..., Services]:
    """Return a function for services as they are on a server, perhaps with a demo there."""

    def on_server(*demo_ports: int) -> Services:
        return services._replace(
            ways=Ways(SSH, services.ways.url_file, demo_ports),
            authorizer=lambda _: ScriptedAuthorizer([READY]),  # type: ignore[arg-type,return-value]
        )

    return on_server


async def to_wait(user: User) -> None:
    await straight_to_stage_4(user, "Acme live")
    await user.press("enter")
    await user.sees("2 Approve", " left")


def place(user: User, words: str) -> tuple[int, int]:
    """Return the line and the column at which the words are."""
    return next(
        (line, text.index(words)) for line, text in enumerate(user.lines) if words in text
    )


@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=str)
@pytest.mark.parametrize("demo_ports", [(), (27181,)], ids=["Stripe", "demo"])
@pytest.mark.quick(2)
async def test_a_small_window_shows_every_step_and_both_ways_back_without_scrolling(
    over_ssh: Callable[..., Services], demo_ports: tuple[int, ...], size: tuple[int, int]
) -> None:
    async with opened(over_ssh(*demo_ports), size) as user:
        await to_wait(user)
        for words in (
            "1 Open this URL",
            "2 Approve access for m3ter there",
            "3 Come back: by itself, or paste",
            "ssh -N -L 27182:127.0.0.1:27182",
            SHORT_URL,
            "Paste it only here, within 5 minutes of approving",
            "Paste the address here",
        ):
            assert user.shows(words), user.screen
        assert user.shows_address(URL)


@pytest.mark.parametrize(
    ("key", "answer"),
    [("y", "URL sent"), ("t", "Command sent"), ("f", "until this authorization ends")],
)
@pytest.mark.quick(1)
async def test_the_answer_to_a_key_moves_nothing(
    over_ssh: Callable[..., Services], key: str, answer: str
) -> None:
    async with opened(over_ssh(27181)) as user:
        await to_wait(user)
        before = user.lines
        await user.press(key)
        await user.sees(answer)
        seen = [line[:78] for line in user.lines[:-5]]  # without the scrollbar
        assert seen == [line[:78] for line in before[:-5]]


async def test_a_demo_on_a_server_begins_with_the_tunnel_and_says_why(
    over_ssh: Callable[..., Services],
) -> None:
    async with opened(over_ssh(27181)) as user:
        await to_wait(user)
        await user.sees("1 Open this URL through a tunnel: Stripe is on this server")
        assert place(user, "ssh -N -L") < place(user, "https://connect") < place(user, "2 App")
        await user.focuses("Send the command to the clipboard")
        await user.press("enter")
        await user.sees("Command sent to your terminal's clipboard.")
        assert user.clipboard.startswith("ssh -N -L")
        await user.press("b")
        await user.sees("1 Open this URL in a browser on this computer")
        assert not user.shows("ssh -N -L")


@pytest.mark.parametrize("size", [(112, 35), (120, 40), (200, 50)], ids=str)
@pytest.mark.quick(1)
async def test_a_large_window_shows_the_qr_code_next_to_the_ways_back(
    over_ssh: Callable[..., Services], size: tuple[int, int]
) -> None:
    async with opened(over_ssh(), size) as user:
        await to_wait(user)
        await user.sees(BLOCKS, "● Authenticate")
        assert place(user, "ssh -N")[1] < place(user, BLOCKS)[1]
        assert user.shows_address(URL)
        assert user.shows("Paste the address here")


@pytest.mark.long
async def test_the_qr_code_comes_and_goes_with_the_room_for_it(
    over_ssh: Callable[..., Services],
) -> None:
    async with opened(over_ssh()) as user:
        await to_wait(user)
        assert not user.shows(BLOCKS)
        await user.resize(120, 40)
        await user.sees(BLOCKS)
        await user.resize(80, 24)
        await user.until(lambda: not user.shows(BLOCKS))
        await user.resize(120, 40)
        await user.sees(BLOCKS)
        await user.press("escape")
        await user.sees("Destination Settings")
        assert not user.shows(BLOCKS)


async def test_the_countdown_never_goes_up(
    over_ssh: Callable[..., Services], clock: Clock
) -> None:
    async with opened(over_ssh()) as user:
        await to_wait(user)
        await user.sees("9:40 left")  # in tens of seconds, as the line may be slow
        clock.forward(hours=-1)
        await user.press("b")  # in seconds from here
        clock.forward(seconds=4)
        await user.sees("9:37 left")
        assert not user.shows("9:41 left")


async def test_the_ways_back_are_side_by_side_where_the_window_is_wide(
    over_ssh: Callable[..., Services],
) -> None:
    async with opened(over_ssh(), (140, 30)) as user:
        await to_wait(user)
        await user.until(lambda: place(user, "Run on")[0] == place(user, "Or paste")[0])
        await user.resize(80, 30)
        await user.until(lambda: place(user, "Run on")[0] < place(user, "Or paste")[0])
