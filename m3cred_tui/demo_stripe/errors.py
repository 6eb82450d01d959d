"""The two shapes in which Stripe says no: OAuth's, and its API's."""

from typing import Literal

OAuthCode = Literal[
    "invalid_client",
    "invalid_grant",
    "invalid_redirect_uri",
    "invalid_request",
    "invalid_scope",
    "unsupported_grant_type",
    "unsupported_response_type",
]


class OAuthError(Exception):
    """An error of an OAuth endpoint (RFC 6749, section 5.2; Stripe's OAuth reference)."""

    def __init__(self, code: OAuthCode, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description

    @property
    def status(self) -> int:
        """401 for what failed to say who it is, 400 for the rest."""
        return 401 if self.code == "invalid_client" else 400


class ApiError(Exception):
    """An error of Stripe's API, whose ``error`` is an object."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(status, message, code, kind)
        self.status = status
        self.message = message
        self.code = code
        self.kind = kind
