"""What the pages look like; the pictures are looked at by a person before they are kept."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from m3cred_tui.authorize.events import Event, Failed, Noticed, RedirectReceived, Visited
from m3cred_tui.authorize.problems import Refused
from m3cred_tui.browser.opening import BrowserDidNotOpen
from m3cred_tui.browser.ways import Ways
from m3cred_tui.callback.pasted import pasted_redirect
from m3cred_tui.model.credential import Credential, Status, StripeAccount
from m3cred_tui.store.problems import StoreUnusable
from m3cred_tui.stripe.problems import Call, StripeUnreachable
from m3cred_tui.ui.app import M3credApp
from m3cred_tui.ui.services import Services
from m3cred_tui.ui.terminal.abilities import Abilities, Colours
from tests.ui.conftest import Keep
from tests.ui.pictures import Snap, Walk, looks_as_before
from tests.ui.scripted import NOW, READY, REQUEST, URL, ScriptedAuthorizer, approved
from tests.ui.user import User, straight_to_stage_4

SIZES = [(80, 24), (60, 20)]
LARGE = [(120, 40), (200, 50)]
ACCOUNT = StripeAccount(
    "acct_1Q2w3E4r5T6y7U8i", livemode=True, name="Blue Bottle", country="DE"
)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be where the pictures were made: in UTC."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def kept(keep: Keep, credentials: Path) -> list[Credential]:
    """Keep a live, a test and a damaged credential."""
    rows = [
        keep("Acme production", livemode=True),
        keep("Trial run"),
        keep("Damaged"),
        keep("A customer with a rather long name, and more of it", livemode=True),
        keep("K\u00f6ln \u6771\u4eac"),
    ]
    (credentials / f"{rows[2].id}.json").write_text("{")
    return rows


@pytest.fixture
def snap(snap_compare: Snap, services: Services) -> Callable[..., bool]:
    """Compare what is seen after a walk; the theme is chosen before it."""

    def compare(
        walk: Walk,
        size: tuple[int, int],
        *script: Event,
        theme: str = "",
        colours: Colours = "truecolor",
    ) -> bool:
        shown = services
        if script:
            shown = services._replace(authorizer=lambda _: ScriptedAuthorizer(script))  # type: ignore[arg-type,return-value]
        app = M3credApp(shown, Abilities(colours))
        return looks_as_before(snap_compare, app, walk, size, theme)

    return compare


async def to_the_list(user: User) -> None:
    await user.focuses("CredentialList")


async def to_details(user: User) -> None:
    await to_the_list(user)
    await user.press("enter")
    opened = "agrees with the fields above", "Damaged"
    await user.until(lambda: any(user.shows(words) for words in opened))


async def to_waiting(user: User) -> None:
    await straight_to_stage_4(user)
    await user.press("enter")
    await user.sees("9:4")  # in tens of seconds over SSH
    await user.sees(" left")


async def to_account(user: User) -> None:
    await straight_to_stage_4(user)
    await user.press("enter")
    await user.focuses("Create Credential")


pytestmark = pytest.mark.long


def _named(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@pytest.fixture(params=SIZES, ids=_named)
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param  # type: ignore[no-any-return]  # pytest's type


@pytest.fixture(params=[*SIZES, *LARGE], ids=_named)
def any_size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param  # type: ignore[no-any-return]  # as above


def test_picture_of_the_empty_page(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await user.focuses("Create Integration Credential")

    assert snap(walk, size)


@pytest.mark.usefixtures("kept")
def test_picture_of_the_list(snap: Snap, any_size: tuple[int, int]) -> None:
    assert snap(to_the_list, any_size)


@pytest.mark.usefixtures("kept")
def test_picture_of_the_list_in_light_colours(snap: Snap, any_size: tuple[int, int]) -> None:
    assert snap(to_the_list, any_size, theme="textual-light")


@pytest.mark.usefixtures("kept")
def test_picture_of_the_list_in_sixteen_colours(snap: Snap, size: tuple[int, int]) -> None:
    assert snap(to_the_list, size, colours="standard")


@pytest.mark.usefixtures("kept")
def test_picture_of_the_list_without_colours(
    snap: Snap, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap(to_the_list, size, colours="none")


@pytest.mark.usefixtures("kept")
def test_picture_of_the_filter(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_the_list(user)
        await user.press("slash", *"test")
        await user.sees("2 of 5")

    assert snap(walk, size)


@pytest.mark.usefixtures("kept")
def test_picture_of_the_details(snap: Snap, any_size: tuple[int, int]) -> None:
    assert snap(to_details, any_size)


@pytest.mark.usefixtures("kept")
def test_picture_of_a_damaged_record(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_the_list(user)
        await user.press("down", "down")
        await to_details(user)

    assert snap(walk, size)


@pytest.mark.usefixtures("kept")
def test_picture_of_the_question_before_deleting(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_the_list(user)
        await user.press("d")
        await user.focuses("No, keep it")

    assert snap(walk, size)


@pytest.mark.usefixtures("kept")
def test_picture_of_the_help(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await to_the_list(user)
        await user.press("question_mark")
        await user.until(lambda: user.page == "Help")

    assert snap(walk, size)


def test_picture_of_stage_1_with_a_refused_name(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await user.press("c")
        await user.focuses("TextInput")
        await user.paste("A name that is longer than any line of a list could ever show whole")
        await user.sees("64 is the most")

    assert snap(walk, size)


def test_picture_of_stage_1(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await user.press("c")
        await user.focuses("TextInput")
        await user.paste("Acme")

    assert snap(walk, size)


def test_picture_of_stage_2(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await straight_to_stage_4(user)
        await user.press("escape", "escape")
        await user.sees("Entity Type Settings")
        await user.focuses("Next")

    assert snap(walk, size)


def test_picture_of_stage_3_with_its_drop_down_open(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await user.press("c")
        await user.focuses("TextInput")
        await user.paste("Acme")
        for focus in ("Next", "DropDown", "SelectOverlay"):
            await user.press("enter")
            await user.focuses(focus)

    assert snap(walk, size)


def test_picture_of_stage_4_before_stripe(snap: Snap, size: tuple[int, int]) -> None:
    assert snap(straight_to_stage_4, size)


def test_picture_of_the_wait(snap: Snap, any_size: tuple[int, int]) -> None:
    assert snap(to_waiting, any_size, READY)


def test_picture_of_the_wait_in_light_colours(snap: Snap, any_size: tuple[int, int]) -> None:
    assert snap(to_waiting, any_size, READY, theme="textual-light")


def test_picture_of_the_wait_without_a_browser(snap: Snap, size: tuple[int, int]) -> None:
    no_browser = Noticed(BrowserDidNotOpen("there is no display here to show one"))
    assert snap(to_waiting, size, READY, no_browser)


def test_picture_of_the_wait_for_the_account(snap: Snap, size: tuple[int, int]) -> None:
    assert snap(to_waiting, size, READY, RedirectReceived())


@pytest.fixture
def ssh() -> dict[str, str]:
    return {
        "SSH_CONNECTION": "198.51.100.7 51234 203.0.113.9 22",
        "TERM": "xterm-256color",
        "PATH": os.environ["PATH"],
    }


@pytest.fixture
def in_tmux(ssh: dict[str, str], tmp_path: Path) -> None:
    """Be in a tmux that has gone, so that it does not matter which one this machine has."""
    ssh.update(TMUX=f"{tmp_path}/socket,1,0", TERM="tmux-256color")


@pytest.fixture
def over_ssh(
    services: Services, ssh: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Services:
    """Return services as they are for ann on a server that she reached by SSH."""
    monkeypatch.setattr("m3cred_tui.browser.surroundings.login_name", lambda _environ: "ann")
    return services._replace(ways=Ways(ssh, services.ways.url_file))


@pytest.fixture
def snap_over_ssh(snap_compare: Snap, over_ssh: Services) -> Callable[..., bool]:
    """Compare what is seen on that server."""

    def compare(walk: Walk, size: tuple[int, int], *script: Event) -> bool:
        shown = over_ssh._replace(authorizer=lambda _: ScriptedAuthorizer(script))  # type: ignore[arg-type,return-value]
        app = M3credApp(shown)

        async def before(pilot: Any) -> None:
            await walk(User(app, pilot))

        return snap_compare(app, terminal_size=size, run_before=before)

    return compare


def test_picture_of_the_wait_over_ssh(snap_over_ssh: Snap, size: tuple[int, int]) -> None:
    assert snap_over_ssh(to_waiting, size, READY)


def test_picture_of_the_wait_over_ssh_in_tmux(
    snap_over_ssh: Snap, size: tuple[int, int], in_tmux: None
) -> None:
    async def walk(user: User) -> None:
        await to_waiting(user)
        await user.press("y")
        await user.sees("tmux")

    assert snap_over_ssh(walk, size, READY)


def test_picture_of_the_account_over_ssh(snap_over_ssh: Snap, size: tuple[int, int]) -> None:
    assert snap_over_ssh(to_account, size, READY, approved(ACCOUNT))


def test_picture_of_the_wait_once_the_tunnel_works(
    snap_over_ssh: Snap, size: tuple[int, int]
) -> None:
    async def walk(user: User) -> None:
        await to_waiting(user)
        await user.press("pagedown")
        await user.sees("tunnel works")

    assert snap_over_ssh(walk, size, READY, Visited())


def test_picture_of_the_wait_with_your_own_page(
    snap_over_ssh: Snap, size: tuple[int, int]
) -> None:
    own = replace(READY, redirect_uri="https://login.example.com/m3cred/")
    assert snap_over_ssh(to_waiting, size, own)


def test_picture_of_a_paste_of_stripes_own_page(
    snap_over_ssh: Snap, size: tuple[int, int]
) -> None:
    def paste(text: str, *, final: bool) -> None:
        stripe = "https://connect.stripe.com"
        pasted_redirect(
            text, REQUEST.state, redirect_uri=REQUEST.redirect_uri, stripe=stripe, final=final
        )

    async def walk(user: User) -> None:
        await to_waiting(user)
        await user.paste(URL)
        await user.sees("This is Stripe's own page")

    assert snap_over_ssh(walk, size, replace(READY, paste=paste))


def test_picture_of_a_wait_that_is_nearly_over(
    snap_over_ssh: Snap, size: tuple[int, int]
) -> None:
    async def walk(user: User) -> None:
        await straight_to_stage_4(user)
        await user.press("enter")
        await user.sees("0:59 left")

    soon = replace(READY, expires_at=NOW + timedelta(seconds=59))
    assert snap_over_ssh(walk, size, soon)


def test_picture_of_the_account(snap: Snap, size: tuple[int, int]) -> None:
    assert snap(to_account, size, READY, approved(ACCOUNT))


def test_picture_of_the_account_without_colours(
    snap: Snap, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap(to_account, size, READY, approved(ACCOUNT), colours="none")


def test_picture_of_an_account_that_could_not_be_read(
    snap: Snap, size: tuple[int, int]
) -> None:
    nameless = StripeAccount(ACCOUNT.id, livemode=True)
    unread = StripeUnreachable(Call.ACCOUNT, "api.stripe.com", "the connection was refused")
    assert snap(to_account, size, READY, approved(nameless, unread))


def test_picture_of_an_authorization_that_was_refused(
    snap: Snap, size: tuple[int, int]
) -> None:
    async def walk(user: User) -> None:
        await straight_to_stage_4(user)
        await user.press("enter")
        await user.sees("Access was refused")
        await user.focuses("Go to Stripe")

    assert snap(walk, size, READY, Failed(Refused("access_denied", "")))


def test_picture_of_the_question_before_an_approval_is_left(
    snap: Snap, size: tuple[int, int]
) -> None:
    async def walk(user: User) -> None:
        await to_account(user)
        await user.press("escape")
        await user.focuses("Stay")

    full = StoreUnusable(Path("/data/pending"), "the disk is full")
    assert snap(walk, size, READY, approved(ACCOUNT, unkept=full))


def test_picture_of_an_approval_that_was_left_before(
    snap: Snap, size: tuple[int, int], keep: Keep
) -> None:
    keep("Acme", status=Status.PENDING)

    async def walk(user: User) -> None:
        await user.sees("Stripe has approved “Acme”")
        await user.press("enter")
        await user.focuses("Create Credential")

    assert snap(walk, size)


def test_picture_of_a_list_with_a_pending_approval(
    snap: Snap, size: tuple[int, int], keep: Keep
) -> None:
    keep("Globex")
    keep("Acme", status=Status.PENDING)

    async def walk(user: User) -> None:
        await user.sees("Stripe has approved “Acme”")

    assert snap(walk, size)


def test_picture_of_a_window_that_is_too_small(snap: Snap, size: tuple[int, int]) -> None:
    async def walk(user: User) -> None:
        await user.until(lambda: user.page == "TooSmall")

    assert snap(walk, (size[0] // 2, size[1] // 2))
