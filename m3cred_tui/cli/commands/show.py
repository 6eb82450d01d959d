"""``m3cred show``: one credential, and how it goes into an Integration Configuration."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.cli.output.json import (
    account_text,
    error_fields,
    iso,
    json_text,
    local,
    row_json,
    status_text,
)
from m3cred_tui.model.credential import Credential, integration_fields
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.problems import CredentialDamaged, NotThere

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.model.credential import TokenResponse
    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.directory.store import CredentialStore

    Json = dict[str, object]


_NOT_TOLD = "not told by Stripe"


class Shown(NamedTuple):
    """What there is to show of a credential."""

    credential: Credential
    check: CheckResult | None
    unopened: Problem | None
    """Why the sealed part was not opened; ``None`` if it was."""
    tokens: TokenResponse | None


def look(credential: Credential, store: CredentialStore, *, with_tokens: bool) -> Shown:
    """Look at everything there is of a credential.

    Raises what ``CredentialStore.tokens`` does if the tokens are wanted.
    """
    tokens = store.tokens(credential.id) if with_tokens else None
    unopened: Problem | None = None
    try:
        row = store.verified(credential.id)
    except Problem as problem:
        unopened = problem
    else:
        if row is None:
            raise NotThere(credential.id)
        if not isinstance(row, Credential):
            raise CredentialDamaged(row.id, row.reason)
    return Shown(credential, store.checks.read().get(credential.id), unopened, tokens)


def shown_text(shown: Shown) -> str:
    """Return what people read."""
    facts = [*_facts(shown), *_token_facts(shown.tokens)]
    wide = max(len(name) for name, _ in facts) + 1
    lines = [f"{name + ':':{wide}}  {text}" for name, text in facts]
    if shown.credential.account is not None:
        fields = json_text(integration_fields(shown.credential))
        lines += ["", "In a m3ter Integration Configuration:", fields]
    return "\n".join([*lines, ""])


def shown_json(shown: Shown) -> Json:
    """Return what machines read."""
    unopened, credential = shown.unopened, shown.credential
    is_created = credential.account is not None
    return {
        "credential": row_json(credential, shown.check),
        "sealedPart": {
            "opened": unopened is None,
            "error": None if unopened is None else error_fields(unopened),
        },
        "integrationConfiguration": integration_fields(credential) if is_created else None,
        **({} if shown.tokens is None else {"tokens": _tokens_json(shown.tokens)}),
    }


def _facts(shown: Shown) -> Iterator[tuple[str, str]]:
    credential, check = shown.credential, shown.check
    account = credential.account
    yield "Name", credential.name
    yield "Credential ID", credential.id
    yield "Entity type", credential.entity_type.label
    yield "Destination", credential.destination.label
    yield "Stripe account", account_text(credential)
    if account is not None:
        yield "Account ID", account.id
        yield "Country", account.country or _NOT_TOLD
        yield "Mode", account.mode
    yield "Status", status_text(credential, datetime.now(UTC))
    if check is not None:
        yield "Last check", f"{check.label}, {local(check.at)} {check.told}".rstrip()
    yield "Created", local(credential.created_at)
    yield "Created by", credential.created_by
    opened = "opened, agrees with the fields above"
    yield "Sealed part", opened if shown.unopened is None else f"not opened: {shown.unopened}"


def _token_facts(tokens: TokenResponse | None) -> Iterator[tuple[str, str]]:
    if tokens is not None:
        none = "none; Stripe does not give one any more"
        yield "Access token", _revealed(tokens.access_token) or none
        yield "Refresh token", _revealed(tokens.refresh_token) or none
        yield "Publishable key", tokens.publishable_key or none
        yield "Scope", tokens.scope
        yield "OAuth model", tokens.oauth.value


def _tokens_json(tokens: TokenResponse) -> Json:
    return {
        "accountId": tokens.account_id,
        "livemode": tokens.livemode,
        "scope": tokens.scope,
        "accessToken": _revealed(tokens.access_token),
        "refreshToken": _revealed(tokens.refresh_token),
        "publishableKey": tokens.publishable_key,
        "oauth": tokens.oauth.value,
        "obtainedAt": None if tokens.obtained_at is None else iso(tokens.obtained_at),
    }


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


class SecretsToNoTerminal(Problem, code="SecretsToNoTerminal"):
    """``--reveal`` was given, and standard output is not a terminal."""

    text = """Standard output is no terminal, and --reveal shows secrets; --reveal-to-pipe says
        that they are meant to go there."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add which credential, and how much of it."""
    from m3cred_tui.cli.ending import add_json

    parser.description = (
        "Show a credential without its secrets, whether its sealed part opens and agrees, and "
        "the fields that it fills in a m3ter Integration Configuration."
    )
    parser.add_argument("name", metavar="NAME", help="its name, ID, or the beginning of its ID")
    parser.add_argument(
        "--integration",
        action="store_true",
        help="only what goes into an Integration Configuration, as JSON in the API's names",
    )
    parser.add_argument(
        "--reveal", action="store_true", help="the tokens, too, if this is a terminal"
    )
    parser.add_argument(
        "--reveal-to-pipe",
        action="store_true",
        help="the tokens, too, wherever standard output goes",
    )
    add_json(parser)


def run(chosen: Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    from m3cred_tui.cli.ending import telling
    from m3cred_tui.system.process import close_to_others

    close_to_others()
    return telling(_show)(chosen)


def _show(chosen: Namespace) -> int:
    from m3cred_tui.cli.ending import DONE
    from m3cred_tui.cli.opening import opened
    from m3cred_tui.cli.output.json import json_text, put_json
    from m3cred_tui.cli.selecting import selected
    from m3cred_tui.model.credential import Credential, integration_fields
    from m3cred_tui.store.problems import CredentialDamaged
    from m3cred_tui.upkeep.problems import StillPending

    is_revealed = chosen.reveal or chosen.reveal_to_pipe
    if is_revealed and not (chosen.reveal_to_pipe or sys.stdout.isatty()):
        raise SecretsToNoTerminal  # before anybody is asked for a passphrase
    here = opened(demo=chosen.demo)
    row = selected(here.store, chosen.name)
    if not isinstance(row, Credential):
        raise CredentialDamaged(row.id, row.reason)
    if row.account is None and (is_revealed or chosen.integration):
        raise StillPending(row.id)
    if chosen.integration:
        sys.stdout.write(json_text(integration_fields(row)) + "\n")
        return DONE
    if is_revealed or chosen.passphrase_fd is not None:
        here.unlock(chosen)
    shown = look(row, here.store, with_tokens=is_revealed)
    if chosen.json:
        put_json(shown_json(shown))
    else:
        sys.stdout.write(shown_text(shown))
    return DONE
