"""The exchange of the code for the account, which the end of the app does not cut off."""

import asyncio
import logging
import threading
from dataclasses import replace

from m3cred_tui.authorize.events import Approved, Failed
from m3cred_tui.authorize.journal import Journal
from m3cred_tui.authorize.keeping import in_memory_only
from m3cred_tui.authorize.problems import WrongMode
from m3cred_tui.model.credential import Destination, StripeAccount, TokenResponse
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.gateway import StripeGateway
from m3cred_tui.stripe.problems import StripeProblem, StripeRefused

EXCHANGE = "m3cred-exchange"
"""The name of the threads that the end of the app does not cut off."""


def unfinished() -> list[threading.Thread]:
    """Return the threads to be joined before the process may end."""
    return [thread for thread in threading.enumerate() if thread.name == EXCHANGE]


def is_approval_at_risk() -> bool:
    """Return whether the end of the process would lose an approval now."""
    return bool(unfinished() or in_memory_only())  # in this order: one becomes the other


_log = logging.getLogger(__name__)

_PAUSES = (0.3, 1.0)  # seconds before reading the account again; only the exchange is once


async def claim(
    gateway: StripeGateway, code: Secret, destination: Destination, journal: Journal
) -> Approved | Failed:
    """Exchange the code, once, keep what it gave, and read the account that it stands for."""
    try:
        tokens = await gateway.exchange(code)
    except Problem as problem:
        return Failed(problem)
    _log.info("Stripe connected %s", tokens.account_id)
    if tokens.livemode != destination.livemode:
        return Failed(WrongMode(tokens.account_id, destination))
    unnamed = StripeAccount(tokens.account_id, tokens.livemode)
    unkept = _why_unkept(journal, tokens, unnamed)
    approved = await _read(gateway, tokens)
    if unkept or approved.account != unnamed:
        again = _why_unkept(journal, tokens, approved.account)
        unkept = unkept and again
    return replace(approved, unkept=unkept)


def _why_unkept(
    journal: Journal, tokens: TokenResponse, account: StripeAccount
) -> Problem | None:
    try:
        journal.approved(tokens, account)
    except Problem as problem:
        return problem
    return None


async def _read(gateway: StripeGateway, tokens: TokenResponse) -> Approved:
    """Read the account; an approval holds even where that does not succeed."""
    account_id, livemode = tokens.account_id, tokens.livemode
    for pause in (*_PAUSES, None):
        try:
            account = await gateway.account(
                account_id, livemode=livemode, access_token=tokens.access_token
            )
        except StripeProblem as problem:
            unread = problem
            if pause is None or isinstance(problem, StripeRefused):
                break
            await asyncio.sleep(pause)
        else:
            return Approved(tokens, account)
    return Approved(tokens, StripeAccount(account_id, livemode), unread)
