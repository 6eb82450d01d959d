"""A new authorization request, or one that was left before, and the listener for its answer."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from m3cred_tui.callback.server import CallbackServer, NoFreePort
from m3cred_tui.model.authorization import PORT_END, AuthorizationRequest, redirect_uri
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret

_STATE_BYTES = 32


class Requested(NamedTuple):
    """A request, and its listener or why there is none: its answer can be pasted, too."""

    request: AuthorizationRequest
    server: CallbackServer | None
    trouble: Problem | None


def requested(
    ports: Sequence[int], own_redirect_uri: str | None, expires_at: datetime
) -> Requested:
    """Make a request that nobody can guess, and listen on the first port that is free."""
    token = secrets.token_urlsafe(_STATE_BYTES)
    if own_redirect_uri is not None:
        return _by_own_page(token, ports, own_redirect_uri, expires_at)
    state = Secret(token)
    server, trouble = _listen(state, ports)
    leads_to = server.redirect_uri if server else redirect_uri(ports[0])
    return Requested(AuthorizationRequest(state, leads_to, expires_at), server, trouble)


def listen_for(request: AuthorizationRequest) -> Requested:
    """Listen for the answer to a request that was left, at its own port if that is free."""
    return Requested(request, *_listen(request.state, [request.port]))


def _by_own_page(
    token: str, ports: Sequence[int], own_redirect_uri: str, expires_at: datetime
) -> Requested:
    """Begin the state with the port, as Stripe gives the page nothing else of ours."""
    for port in ports:
        state = Secret(f"{port}{PORT_END}{token}")
        server, trouble = _listen(state, [port])
        if server is not None:
            break
    if isinstance(trouble, NoFreePort):
        trouble = NoFreePort(ports)
    request = AuthorizationRequest(state, own_redirect_uri, expires_at)
    return Requested(request, server, trouble)


def _listen(
    state: Secret, ports: Sequence[int]
) -> tuple[CallbackServer | None, Problem | None]:
    server = CallbackServer(state, ports=ports)
    try:
        server.start()
    except Problem as problem:
        return None, problem
    return server, None
