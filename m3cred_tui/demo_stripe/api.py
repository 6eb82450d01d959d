"""The endpoints for the platform's server: tokens, disconnecting, accounts."""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from m3cred_tui.demo_stripe.grants import M3TER, Account, TokenReply
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.replies import (
    ApiError,
    Idempotency,
    OAuthError,
    form_parameters,
    json_reply,
    key_in_header,
    required,
)
from m3cred_tui.model.credential import OAuthModel
from m3cred_tui.model.text import clean


class PlatformApi:
    """The endpoints of one platform; a wrong request raises an error that becomes a reply."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._idempotency = Idempotency(platform.now)

    async def token(self, oauth: OAuthModel, request: Request) -> Response:
        """Exchange a code or a refresh token (RFC 6749, 4.1.3 and 6).

        With Stripe Apps, an idempotency key also keeps the refusal of either.
        """
        form = await form_parameters(request)
        livemode = self._livemode(oauth, request, form)
        grant = self._grant(form, oauth, livemode=livemode)
        if oauth is OAuthModel.CONNECT:
            return json_reply(grant().facts())
        return self._idempotency.once(
            request, form, lambda: json_reply(grant().facts()), livemode=livemode
        )

    async def deauthorize(self, oauth: OAuthModel, request: Request) -> Response:
        """Disconnect an account from the platform or its app."""
        form = await form_parameters(request)
        livemode = self._livemode(oauth, request, form)
        disconnect = partial(self._disconnect, form, oauth, livemode=livemode)
        if oauth is OAuthModel.CONNECT:
            return disconnect()
        return self._idempotency.once(request, form, disconnect, livemode=livemode)

    async def account(self, request: Request) -> Response:
        """Return the account of an access token, or the ``Stripe-Account`` of the platform.

        A bad key is answered with 401, an account without access with 403.
        """
        key = _required_key(request)
        account_id = request.headers.get("stripe-account")
        livemode = self._platform.mode_of_key(key)
        if livemode is None:
            of_token = self._account_of_token(key)
            account: Account | None = of_token
            account_id = of_token.id if account_id is None else account_id
        elif account_id is None or account_id == M3TER.id:
            account, account_id = M3TER, M3TER.id
        else:
            account = self._platform.connected_account(account_id, livemode=livemode)
        if account is None or account.id != account_id:
            raise ApiError(
                403,
                f"The provided key does not have access to account '{clean(account_id)}' (or "
                "that account does not exist). Application access may have been revoked.",
                "account_invalid",
            )
        return json_reply(account.facts())

    def _account_of_token(self, token: str) -> Account:
        access = self._platform.access_token(token)
        if access is None:
            raise ApiError(401, "Invalid API key provided.")
        if not access.is_valid(token, self._platform.now()):
            raise ApiError(401, "Expired API key provided.", "api_key_expired")
        return access.grant.account

    def _grant(
        self, form: dict[str, str], oauth: OAuthModel, *, livemode: bool
    ) -> Callable[[], TokenReply]:
        """Check the form's parameters; return the function that grants the tokens."""
        platform = self._platform
        match form.get("grant_type"):
            case None:
                raise OAuthError("invalid_request", "No grant type specified.")
            case "authorization_code":
                code = required(form, "code", "No authorization code provided.")
                return lambda: platform.exchange(code, livemode=livemode, oauth=oauth)
            case "refresh_token":
                token = required(form, "refresh_token", "No refresh token provided.")
                if oauth is OAuthModel.APPS:
                    return lambda: platform.roll(token, livemode=livemode)
                return lambda: platform.refresh(token, form.get("scope"), livemode=livemode)
            case other:
                raise OAuthError(
                    "unsupported_grant_type", f"Unsupported grant type: {clean(other)}"
                )

    def _disconnect(
        self, form: dict[str, str], oauth: OAuthModel, *, livemode: bool
    ) -> Response:
        client_id = required(form, "client_id", "No client_id provided.")
        account_id = required(form, "stripe_user_id", "No stripe_user_id provided.")
        if self._platform.mode_of_client(client_id) is not livemode:
            raise OAuthError(
                "invalid_client",
                "The client_id does not belong to you, or is of the other mode.",
            )
        if not self._platform.disconnect(account_id, livemode=livemode, oauth=oauth):
            raise OAuthError(
                "invalid_client",
                "This application is not connected to stripe account "
                f"{clean(account_id)}, or that account does not exist.",
            )
        return json_reply({"stripe_user_id": account_id})

    def _livemode(self, oauth: OAuthModel, request: Request, form: dict[str, str]) -> bool:
        """Return the livemode of the request's key."""
        if oauth is OAuthModel.APPS:
            return self._apps_livemode(request)
        key = form.get("client_secret") or key_in_header(request)
        if key is None:
            raise OAuthError(
                "invalid_client",
                "No authentication was provided. Send your secret API key in the Authorization "
                "header, or as the client_secret parameter.",
            )
        livemode = self._platform.mode_of_key(key)
        if livemode is None:
            raise OAuthError("invalid_client", "Invalid API key provided.")
        return livemode

    def _apps_livemode(self, request: Request) -> bool:
        key = _required_key(request)
        livemode = self._platform.mode_of_key(key)
        if livemode is not None:
            return livemode
        if self._platform.access_token(key):
            raise ApiError(
                403,
                "The provided key does not have the required permissions for this endpoint.",
                "more_permissions_required",
            )
        raise ApiError(401, "Invalid API key provided.")


def _required_key(request: Request) -> str:
    key = key_in_header(request)
    if key is None:
        raise ApiError(401, "You did not provide an API key in the Authorization header.")
    return key
