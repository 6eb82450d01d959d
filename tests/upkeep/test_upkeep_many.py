"""500 credentials, and a Stripe that is slow, fails, refuses, hangs up and limits requests."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.model.check import Outcome
from m3cred_tui.model.credential import (
    BILL,
    STRIPE_TEST,
    Credential,
    Status,
    StripeAccount,
    TokenResponse,
    credential_id,
)
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.upkeep.service import Upkeep
from tests.upkeep.conftest import START
from tests.upkeep.stub import HANG_UP, Answer, Asked, Stub, account, refused, stub_stripe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
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
        account_id = f"acct_{kind(number)}{number}"
        one = Credential(
            credential_id(START, number.to_bytes(10)),
            f"Account {number}",
            BILL,
            STRIPE_TEST,
            StripeAccount(account_id, livemode=False, country="GB"),
            START,
            "ann",
            Status.AUTHENTICATED,
        )
        store.create(one, TokenResponse(account_id, False, "read_write"))
        kinds[one.id] = kind(number)
    return store, kinds


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
