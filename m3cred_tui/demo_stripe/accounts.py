"""GET /v1/account: whose account a key reaches."""

from starlette.requests import Request
from starlette.responses import Response

from m3cred_tui.demo_stripe.grants import M3TER, Account
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.replies import ApiError, json_reply, key_in_header
from m3cred_tui.model.text import clean


async def account(platform: Platform, request: Request) -> Response:
    """Return the account of an access token, or of ``Stripe-Account`` for the platform's key.

    Raises :class:`ApiError`, 401 for a bad key and 403 for an account without access.
    """
    key = key_in_header(request)
    if key is None:
        raise ApiError(401, "You did not provide an API key in the Authorization header.")
    account_id = request.headers.get("stripe-account")
    livemode = platform.mode_of_key(key)
    if livemode is None:
        return json_reply(_account_of_token(platform, key, account_id).facts())
    if account_id is None or account_id == M3TER.id:
        return json_reply(M3TER.facts())
    connected = platform.connected_account(account_id, livemode=livemode)
    if connected is None:
        raise _no_access(account_id)
    return json_reply(connected.facts())


def _account_of_token(platform: Platform, token: str, account_id: str | None) -> Account:
    access = platform.access_token(token)
    if access is None:
        raise ApiError(401, "Invalid API key provided.")
    if not access.counts(token, platform.now()):
        raise ApiError(401, "Expired API key provided.", "api_key_expired")
    account = access.grant.account
    if account_id not in {None, account.id}:
        raise _no_access(account_id or "")
    return account


def _no_access(account_id: str) -> ApiError:
    return ApiError(
        403,
        f"The provided key does not have access to account '{clean(account_id)}' (or that "
        "account does not exist). Application access may have been revoked.",
        "account_invalid",
    )
