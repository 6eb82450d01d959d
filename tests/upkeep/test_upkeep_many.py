"""500 credentials, and a Stripe that is slow, fails, refuses, hangs up and limits requests."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from m3cred_tui.model.check import LONGEST_TOLD, CheckResult, Outcome
from m3cred_tui.model.credential import (
    BILL,
    STRIPE,
    STRIPE_TEST,
    Credential,
    Destination,
    Status,
    StripeAccount,
    TokenResponse,
    credential_id,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.stripe.problems import Call, StripeUnreachable
from m3cred_tui.upkeep.checking import Pace, _Results, result_of
from m3cred_tui.upkeep.problems import ResultsNotKept
from m3cred_tui.upkeep.service import Upkeep
from tests.upkeep.conftest import START
from tests.upkeep.stub import HANG_UP, Answer, Asked, Stub, account, refused, stub_stripe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

MANY = 500
KINDS = ("good", "slow", "error", "badkey", "revoked", "rights", "busy", "hangup", "once")
OUTCOMES = {
    "good": Outcome.OK,
    "slow": Outcome.OK,
    "busy": Outcome.OK,
    "once": Outcome.OK,
    "error": Outcome.FAILED,
    "badkey": Outcome.WRONG_KEY,
    "revoked": Outcome.REVOKED,
    "rights": Outcome.NO_PERMISSION,
    "hangup": Outcome.UNREACHABLE,
    "silent": Outcome.UNREACHABLE,
}
Filled = tuple[DirectoryStore, dict[str, str]]


def kind_of(number: int) -> str:
    return "silent" if number % 250 == 7 else KINDS[number % len(KINDS)]


@pytest.fixture
def many(tmp_path: Path) -> Filled:
    """Return a store of Connect credentials, and what Stripe will do with each."""
    return filled(tmp_path, MANY, kind_of)


def filled(root: Path, count: int, kind: Callable[[int], str]) -> Filled:
    store = DirectoryStore(
        root / "data", IdentityFile(root / "config" / "identity.txt", root / "data")
    )
    kinds = {}
    for number in range(count):
        created = keep(store, number, f"acct_{kind(number)}{number}")
        kinds[created] = kind(number)
    return store, kinds


def keep(
    store: DirectoryStore, number: int, account_id: str, destination: Destination = STRIPE_TEST
) -> str:
    one = Credential(
        credential_id(START, number.to_bytes(10)),
        f"Account {number}",
        BILL,
        destination,
        StripeAccount(account_id, livemode=destination.livemode, country="GB"),
        START,
        "ann",
        Status.AUTHENTICATED,
    )
    store.create(one, TokenResponse(account_id, destination.livemode, "read_write"))
    return one.id


ANSWERS = {
    "error": Answer(500, {}),
    "badkey": refused(401, "invalid_key"),
    "revoked": refused(403, "account_invalid"),
    "rights": refused(403, "more_permissions_required_for_application"),
    "hangup": HANG_UP,
}
AT_FIRST = {"busy": refused(429, "rate_limit"), "once": HANG_UP}


def mood_of(account_id: str) -> str:
    return account_id.removeprefix("acct_").rstrip("0123456789")


def moody() -> Callable[[Asked], Awaitable[Answer]]:
    """Return a Stripe that answers according to the account's ID."""
    seen: Counter[str] = Counter()

    async def answer(asked: Asked) -> Answer:
        assert asked.line == "GET /v1/account HTTP/1.1"
        mood = mood_of(asked.account)
        seen[asked.account] += 1
        if mood == "silent":
            await asyncio.Event().wait()
        if mood == "slow":
            await asyncio.sleep(0.05)
        if mood in AT_FIRST and seen[asked.account] == 1:
            return AT_FIRST[mood]
        return ANSWERS.get(mood, account(asked.account))

    return answer


def upkeep_of(store: DirectoryStore, stub: Stub, waits: list[float]) -> Upkeep:
    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    return Upkeep(store, lambda _: stub.platform, lambda: START, time_limit=4.0, sleep=sleep)


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_each_of_500_gets_its_own_outcome_while_stripe_is_slow_and_failing(
    many: Filled, record_property: Callable[[str, object], None]
) -> None:
    store, kinds = many
    waits: list[float] = []
    begun = time.monotonic()
    async with stub_stripe(moody()) as stub:
        upkeep = upkeep_of(store, stub, waits)
        results = [one async for one in upkeep.check(store.ids(), at_once=8)]
    record_property("seconds for 500", round(time.monotonic() - begun, 1))
    outcomes = {one: result.outcome for one, result in results}
    assert len(results) == MANY
    assert outcomes == {one: OUTCOMES[kind] for one, kind in kinds.items()}
    assert store.checks.read() == dict(results)
    assert 4 < stub.most <= 8, "as many at once as asked for"
    times: defaultdict[str, set[int]] = defaultdict(set)
    for account_id, count in stub.times().items():
        times[mood_of(account_id)].add(count)
    twice = {"busy", "once", "hangup", "silent"}
    assert times == {kind: {2 if kind in twice else 1} for kind in OUTCOMES}
    assert waits, "Stripe had too many requests, so all of them waited"


async def test_a_permanently_overloaded_stripe_is_not_asked_forever(
    tmp_path: Path,
) -> None:
    store, _ = filled(tmp_path, 1, lambda _: "busy")
    waits: list[float] = []

    async def busy(_asked: Asked) -> Answer:
        return refused(429, "rate_limit")

    async with stub_stripe(busy) as stub:
        [(_, result)] = [one async for one in upkeep_of(store, stub, waits).check(store.ids())]
    assert result.outcome is Outcome.FAILED
    assert "429" in result.told
    assert len(stub.asked) == 6
    assert len(waits) == 5, "the first of them is of a second"
    assert 20 < sum(waits) <= 60


async def test_when_stripe_is_gone_every_credential_is_reported_soon(tmp_path: Path) -> None:
    store, _ = filled(tmp_path, 100, lambda _: "good")
    asked = 0

    async def dead(_asked: Asked) -> Answer:
        nonlocal asked
        asked += 1
        return HANG_UP

    async with stub_stripe(dead) as stub:
        upkeep = upkeep_of(store, stub, [])
        results = dict([one async for one in upkeep.check(store.ids())])
    assert {one.outcome for one in results.values()} == {Outcome.UNREACHABLE}
    assert len(results) == 100
    assert asked < 40
    gone = stub.platform._replace(api_base="http://127.0.0.1:1")
    upkeep = replace(upkeep, platform=lambda _: gone)
    results = dict([one async for one in upkeep.check(store.ids())])
    assert {one.outcome for one in results.values()} == {Outcome.UNREACHABLE}


async def test_a_call_without_an_answer_is_repeated_once_and_then_reported() -> None:
    pace, asked = Pace(asyncio.sleep), 0

    async def ask() -> None:
        nonlocal asked
        asked += 1
        raise unanswered(asked)

    with pytest.raises(StripeUnreachable, match="try 2"):
        await pace.ask(ask)
    assert asked == 2


async def test_after_sixteen_without_an_answer_the_last_reason_stands_for_the_rest() -> None:
    pace, asked = Pace(asyncio.sleep), 0

    async def ask() -> None:
        nonlocal asked
        asked += 1
        raise unanswered(asked)

    for _ in range(8):
        with pytest.raises(StripeUnreachable):
            await pace.ask(ask)
    with pytest.raises(StripeUnreachable) as caught:
        await pace.ask(ask)
    assert asked == 16
    assert (str(caught.value), caught.value.call) == (str(unanswered(16)), Call.ACCOUNT)


def unanswered(number: int) -> StripeUnreachable:
    return StripeUnreachable(Call.ACCOUNT, "stripe.example", f"try {number} failed")


async def test_a_silent_test_mode_keeps_live_from_no_answer(tmp_path: Path) -> None:
    store, kinds = filled(tmp_path, 20, lambda _: "hangup")
    live = keep(store, 20, "acct_good", STRIPE)
    async with stub_stripe(moody()) as stub:
        of_live = stub.platform._replace(secret_key=Secret("sk_live_x"))
        upkeep = replace(
            upkeep_of(store, stub, []),
            platform=lambda one: of_live if one.livemode else stub.platform,
        )
        results = dict([one async for one in upkeep.check([*kinds, live], at_once=1)])
    assert results.pop(live).outcome is Outcome.OK
    assert {one.outcome for one in results.values()} == {Outcome.UNREACHABLE}


@pytest.mark.parametrize("options", [{"at_once": 1}, {"at_once": 3}, {}], ids=str)
async def test_no_more_are_asked_about_at_once_than_is_wanted(
    tmp_path: Path, options: dict[str, int]
) -> None:
    store, _ = filled(tmp_path, 12, lambda _: "good")
    under_way = set()

    async def good(asked: Asked) -> Answer:
        under_way.add(sum(_is_a_check(task) for task in asyncio.all_tasks()))
        return account(asked.account)

    async with stub_stripe(good) as stub:
        upkeep = upkeep_of(store, stub, [])
        assert len([one async for one in upkeep.check(store.ids(), **options)]) == 12
    assert max(under_way) == options.get("at_once", 8)


async def test_an_answer_is_shown_before_a_slower_one_and_leaving_waits_for_none(
    tmp_path: Path,
) -> None:
    store, kinds = filled(tmp_path, 2, lambda number: "silent" if number == 0 else "good")
    async with stub_stripe(moody()) as stub, asyncio.timeout(20):
        upkeep = replace(upkeep_of(store, stub, []), time_limit=300)
        async with aclosing(upkeep.check(list(kinds))) as results:
            one, result = await anext(results)
        assert (kinds[one], result.outcome) == ("good", Outcome.OK)
        assert not any(map(_is_a_check, asyncio.all_tasks())), "no check goes on"


def _is_a_check(task: asyncio.Task[Any]) -> bool:
    coroutine = task.get_coro()
    return getattr(coroutine, "__qualname__", "") == "Checking._one" and not task.done()


async def test_results_that_cannot_be_kept_are_shown_first_and_then_the_reason(
    tmp_path: Path,
) -> None:
    store, _ = filled(tmp_path, 3, lambda _: "good")
    (store.data / "checks.json").mkdir()
    shown = []

    async def check(upkeep: Upkeep) -> None:
        async for _, result in upkeep.check(store.ids(), at_once=1):
            shown.append(result.outcome)

    async with stub_stripe(moody()) as stub:
        with pytest.raises(ResultsNotKept, match=r"it is a directory\.$"):
            await check(upkeep_of(store, stub, []))
    assert shown == [Outcome.OK] * 3


async def test_results_are_kept_on_the_way_for_a_twentieth_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    kept: list[str] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)

    def keep_slowly(results: Mapping[str, CheckResult]) -> None:
        nonlocal now
        now += 0.5
        kept.extend(results)

    results = _Results(keep_slowly)
    for after, name in ((0.0, "first"), (9.9, "too early"), (0.2, "now")):
        now += after
        results.add((name, CheckResult(Outcome.OK, START)))
        await results.keep_now_and_then()
    assert kept == ["first", "too early", "now"]
    assert now == pytest.approx(1000 + 0.5 + 10.1 + 0.5)


async def test_whoever_checks_says_how_long_a_silent_stripe_is_waited_for(
    tmp_path: Path,
) -> None:
    store, _ = filled(tmp_path, 1, lambda _: "silent")
    async with stub_stripe(moody()) as stub, asyncio.timeout(10):
        upkeep = replace(upkeep_of(store, stub, []), time_limit=1.2)
        [(_, result)] = [one async for one in upkeep.check(store.ids())]
    assert "longer than 1.2 seconds" in result.told


def test_a_result_holds_only_as_much_of_a_reason_as_is_stored() -> None:
    problem = StripeUnreachable(Call.ACCOUNT, "stripe.example", "so " * 1000)
    assert len(result_of(problem, START).told) == LONGEST_TOLD


async def test_many_results_take_few_writes_to_the_disk(tmp_path: Path) -> None:
    store, _ = filled(tmp_path, 100, lambda _: "good")
    stamps = set()

    async def good(asked: Asked) -> Answer:
        stamps.add(store.checks.stamp())
        return account(asked.account)

    async with stub_stripe(good) as stub:
        seen = [one async for one in upkeep_of(store, stub, []).check(store.ids())]
    assert len(seen) == len(store.checks.read()) == 100
    assert len(stamps) < 20


async def test_one_account_is_never_mistaken_for_another(tmp_path: Path) -> None:
    store, kinds = filled(tmp_path, 3, lambda _: "good")

    async def another(_asked: Asked) -> Answer:
        return account("acct_other")

    async with stub_stripe(another) as stub:
        results = dict([one async for one in upkeep_of(store, stub, []).check(list(kinds))])
    assert {one.outcome for one in results.values()} == {Outcome.FAILED}
    assert all("another account" in one.told for one in results.values())
