"""Text from outside becomes neither markup nor a terminal escape, on any screen."""

import time
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from rich.text import Text
from textual.app import App
from textual.content import Content
from textual.widgets import Static

from m3cred_tui.authorize.events import Event, Failed, Noticed
from m3cred_tui.model.credential import StripeAccount
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Keep
from tests.ui.scripted import READY, ScriptedAuthorizer, approved
from tests.ui.user import User, opened, straight_to_stage_4, to_stage_4

# The canary is in all of it, so that it is found in whatever is parsed.
CANARY = "Zqx"
MARKUP = [
    f"[/]{CANARY}",
    f"[/red]{CANARY}",
    f"[@click=app.quit()]{CANARY}",
    f"[red]{CANARY}[/red]",
    f"{CANARY} [prod]",
    f"[link='https://evil.example']{CANARY}",
    f"${CANARY} $text-error \\[{CANARY}",
    f"{CANARY} [",
]
ESCAPES = [
    f"\x1b]0;{CANARY}\x07",
    f"\x1b[2J{CANARY}",
    f"\x9b31m{CANARY}",
    f"\x1b]52;c;{CANARY}\x1b\\",
    f"{CANARY}\u202egnp.exe\u2066",
    f"{CANARY}\r\n\x08\x0c\x00",
    f"{CANARY}\u200b\U000e0041\ufeff",
]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect whatever Textual or Rich is given to parse as markup."""
    given: list[str] = []
    for kind in (Content, Text):
        monkeypatch.setattr(kind, "from_markup", _recorded(kind.from_markup, given))
    return given


def _recorded(parse: Callable[..., Any], given: list[str]) -> Callable[..., Any]:
    def recorded(markup: object, *arguments: Any, **named: Any) -> Any:
        given.append(str(markup))
        return parse(markup, *arguments, **named)

    return recorded


def harmful(user: User) -> list[str]:
    """Return the characters on the screen that a terminal would act upon."""
    return [
        f"U+{ord(character):04X}"
        for line in user.lines
        for character in line
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    ]


async def look(user: User, words: str = CANARY) -> None:
    """See that the screen shows the text, and shows it harmlessly."""
    await user.sees(words)
    assert harmful(user) == []
    assert not user.has_left


async def test_the_recorder_would_notice(parsed: list[str]) -> None:
    async with App[None]().run_test() as pilot:
        await pilot.app.mount(Static(f"{CANARY} [b]x[/b]"))
        await pilot.pause()
    assert any(CANARY in text for text in parsed)


@pytest.mark.long
@pytest.mark.parametrize("texts", [MARKUP, ESCAPES], ids=["markup", "escapes"])
async def test_no_name_in_a_record_is_parsed_or_harms_the_terminal_on_any_screen(
    services: Services,
    keep: Keep,
    parsed: list[str],
    texts: list[str],
) -> None:
    for text in texts:  # the store keeps what it is given, and cleans what it reads
        account = StripeAccount(text, livemode=False, name=text, country=text)
        keep(text, account=account, created_by=text)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await look(user)
        await user.press("s", "slash", *CANARY)
        await look(user, f"{len(texts)} of {len(texts)}")
        await user.press("escape")
        await user.focuses("CredentialList")
        for _ in texts:
            await user.press("enter")
            await user.until(lambda: user.page == "DetailsPage")
            await look(user)
            await user.press("question_mark", "escape", "y", "d")
            await user.sees("Delete")
            await look(user)
            await user.press("escape")
            await user.focuses("CredentialList")
            await user.press("down")
        await user.press("ctrl+p")
        await user.sees("Delete the selected credential")
        assert harmful(user) == []
    assert parsed
    assert [text for text in parsed if CANARY in text] == []


class Told(Problem):
    """A problem with a text of the test's."""

    text = "{says}"
    says: str


def scripted(services: Services, *script: Event) -> Services:
    def authorizer(_destination: object) -> Any:
        return ScriptedAuthorizer(script)

    return services._replace(authorizer=authorizer)


@pytest.mark.long
@pytest.mark.parametrize(
    "text", [" ".join(MARKUP[:4]), " ".join(MARKUP[4:6]), MARKUP[6], MARKUP[7]]
)
async def test_neither_input_nor_text_from_stripe_is_parsed_on_the_way_to_a_credential(
    services: Services, parsed: list[str], text: str
) -> None:
    account = StripeAccount(f"acct_{text}", livemode=True, name=text, country=text)
    waiting = scripted(services, READY, Noticed(Told(text)))
    async with opened(waiting) as user:
        await to_stage_4(user, text)
        await look(user)
        await user.press("enter")
        await user.sees("left")
        await look(user)
    for script in ((Failed(Told(text)),), (approved(account, Told(text)),)):
        async with opened(scripted(services, READY, *script)) as user:
            await straight_to_stage_4(user)
            await user.press("enter")
            await look(user)
            if isinstance(script[0], Failed):
                continue
            await user.press("enter")
            await user.until(lambda: user.page == "CredentialsPage")
            await look(user, "✓ authenticated")
    assert parsed
    assert [one for one in parsed if CANARY in one] == []


@pytest.mark.parametrize("text", [*MARKUP, *ESCAPES])
@pytest.mark.quick(3)
async def test_what_is_pasted_as_a_name_or_filter_harms_nothing(
    services: Services, keep: Keep, parsed: list[str], text: str
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("slash")
        await user.focuses("FilterLine")
        await user.paste(text)
        await look(user)
        await user.press("escape", "c")
        await user.until(lambda: user.page == "CreatePage")
        await user.focuses("TextInput")
        await user.paste(text)
        await look(user)
    assert [one for one in parsed if CANARY in one] == []


@pytest.mark.quick(1)
@pytest.mark.parametrize("piece", ["a", "\u0301\u0316", "\x1b[31m", "\U0001f600"])
async def test_a_megabyte_pasted_as_a_name_is_refused_and_keys_work_immediately(
    services: Services, piece: str
) -> None:
    async with opened(services) as user:
        await user.press("c")
        await user.focuses("TextInput")
        before = time.process_time()
        await user.paste(f"a{piece * (1 << 20)}")
        await user.press("b", "backspace")
        await user.sees("more than 1,024 characters")
        assert time.process_time() - before < 2
        assert harmful(user) == []


async def test_stacked_marks_in_the_field_do_not_grow_over_its_frame(
    services: Services,
) -> None:
    async with opened(services) as user:
        await user.press("c")
        await user.focuses("TextInput")
        await user.paste("Zqxe" + "\u0301" * 30)
        await look(user, "Zqx")
        assert "\u0301" * 4 not in user.screen
