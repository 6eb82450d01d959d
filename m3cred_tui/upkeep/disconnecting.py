"""Disconnecting an account at Stripe."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.problem import Problem
from m3cred_tui.stripe.problems import Call, NoUsableReply, StripeProblem, StripeRefused
from m3cred_tui.upkeep.account import UNAUTHORIZED, Holder

if TYPE_CHECKING:
    from m3cred_tui.store.port import CredentialStore


class Disconnected(NamedTuple):
    """Which of the two steps was done, and what went wrong unless both were."""

    disconnected_at_stripe: bool = False
    """Whether Stripe reported that the account is no longer connected."""
    deleted: bool = False
    """Whether the credential is gone from the store."""
    told: str = ""
    """The outcome in plain sentences."""
    problem: Problem | None = None


_NOW = "The account was disconnected at Stripe"
_BEFORE = "The account was no longer connected at Stripe"
_ALONE = " To delete it anyway, delete it without disconnecting."


class _Answer(NamedTuple):
    """The outcome at Stripe: ``happened`` is set if the account is not connected now."""

    happened: str = ""
    problem: StripeProblem | None = None
    is_connected: bool = False
    """Whether it is certainly still connected."""


async def disconnected(held: Holder) -> Disconnected:
    """Disconnect and delete; that this was begun is stored before Stripe is asked."""
    store, credential_id = held.store, held.credential.id
    try:
        was_begun = store.disconnecting.begin(credential_id)
    except Problem as problem:
        return not_begun(problem)
    answer = await _disconnected_at_stripe(held)
    if answer.problem is None:
        return _deleted(store, credential_id, answer.happened)
    why = answer.problem
    if answer.is_connected or not (was_begun or isinstance(why, NoUsableReply)):
        store.disconnecting.end(credential_id)
    alone = _ALONE if _is_ambiguous(why) and not answer.is_connected else ""
    told = f"{why} The credential was not deleted.{alone}"
    return Disconnected(told=told, problem=why)


def not_begun(problem: Problem) -> Disconnected:
    """Return the outcome if a problem on this machine kept us from asking Stripe."""
    told = f"{problem} Stripe was not asked, and the credential was not deleted."
    return Disconnected(told=told, problem=problem)


async def _disconnected_at_stripe(held: Holder) -> _Answer:
    first = last = await _problem(held)
    was_lost = isinstance(first, NoUsableReply)
    if was_lost:  # asking again changes nothing that was done
        last = await _problem(held)
    if first is None or last is None:
        return _Answer(_NOW)
    if isinstance(last, StripeRefused) and not _is_ambiguous(last):
        return _Answer(problem=last, is_connected=True)
    if not (was_lost or isinstance(last, StripeRefused)):  # nothing was sent
        return _Answer(problem=last)
    is_connected = await _is_connected(held)
    if is_connected is False:
        return _Answer(_NOW if was_lost else _BEFORE)
    return _Answer(problem=first, is_connected=bool(is_connected))


async def _problem(held: Holder) -> StripeProblem | None:
    try:
        await held.gateway.deauthorize(held.tokens.account_id)
    except StripeProblem as problem:
        return problem
    return None


def _is_ambiguous(problem: StripeProblem) -> bool:
    """Return whether it may mean that nothing is connected or that a setting is wrong."""
    return isinstance(problem, StripeRefused) and problem.error == "invalid_client"


async def _is_connected(held: Holder) -> bool | None:
    """Return whether the account still gives access; ``None`` if that cannot be determined.

    A refusal of the platform's key proves nothing, as it may now be another platform's. A
    refusal of the credential's own access token does, unless its hour is over.
    """
    with suppress(Problem):
        await held.freshen()
    if held.is_over:
        return None
    try:
        await held.own_account()
    except StripeRefused as refused:
        return False if _has_ended(refused) else None
    except Problem:
        return None
    return True


def _has_ended(refused: StripeRefused) -> bool:
    """Return whether an access token has become invalid before its hour is over."""
    if refused.call is Call.REFRESH:  # the access token was refused before
        return refused.error == "invalid_grant"
    return refused.status == UNAUTHORIZED


def _deleted(store: CredentialStore, credential_id: str, happened: str) -> Disconnected:
    try:
        store.delete(credential_id)
    except Problem as problem:
        gone = False
        with suppress(Problem):
            gone = store.read(credential_id) is None
        rest = "" if gone else " The credential was not deleted; delete it again."
        told = f"{happened}. {problem}{rest}"
        return Disconnected(
            disconnected_at_stripe=True, deleted=gone, told=told, problem=problem
        )
    store.disconnecting.end(credential_id)
    told = f"{happened}, and the credential was deleted."
    return Disconnected(disconnected_at_stripe=True, deleted=True, told=told)
