"""A credential is read as it was created."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m3cred_tui.model.credential import (
    DESTINATIONS,
    ENTITY_TYPES,
    MOST_EVENTS,
    Credential,
    Event,
    Happened,
    OAuthModel,
    Status,
    StripeAccount,
    TokenResponse,
    credential_id,
)
from m3cred_tui.model.name import LONGEST_NAME, name_problem, tidy_name
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.store.problems import AlreadyThere, NotThere
from m3cred_tui.stripe.replies import LONGEST_PUBLISHABLE_KEY, LONGEST_TOKEN
from tests.store.port.engines import ENGINES, Engine

names = (
    st.text(
        st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"]),
        min_size=1,
        max_size=LONGEST_NAME,
    )
    .map(tidy_name)
    .filter(lambda name: name_problem(name) is None)
)
texts = st.text(max_size=300)
times = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9997, 12, 30),  # noqa: DTZ001 - as above
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))]),
)
ids = st.uuids().map(str)
events = st.builds(
    Event, what=st.sampled_from(Happened), at=times, by=texts.map(clean), before=names
)


@st.composite
def approvals(draw: st.DrawFn) -> tuple[Credential, TokenResponse]:
    """Draw a credential, and tokens of its account."""
    created_at, destination = draw(times), draw(st.sampled_from(DESTINATIONS))
    account = StripeAccount(
        id=draw(st.from_regex(r"acct_[A-Za-z0-9]{1,24}", fullmatch=True)),
        livemode=destination.livemode,
        name=draw(st.none() | texts),
        country=draw(st.none() | st.sampled_from(["GB", "US"])),
    )
    credential = Credential(
        id=credential_id(created_at, draw(st.binary(min_size=10, max_size=10))),
        name=draw(names),
        entity_type=draw(st.sampled_from(ENTITY_TYPES)),
        destination=destination,
        account=account,
        created_at=created_at,
        created_by=draw(texts),
        status=draw(st.sampled_from(Status)),
        renews=draw(st.none() | ids),
        approval=draw(st.none() | ids),
        history=draw(st.lists(events, max_size=MOST_EVENTS).map(tuple)),
    )
    return credential, draw(token_responses(account))


def token_responses(account: StripeAccount) -> st.SearchStrategy[TokenResponse]:
    mode = "live" if account.livemode else "test"
    secrets = st.none() | st.from_regex(rf"(sk_{mode}_|rt_)[!-~]{{1,300}}", fullmatch=True).map(
        Secret
    )
    return st.builds(
        TokenResponse,
        account_id=st.just(account.id),
        livemode=st.just(account.livemode),
        scope=st.sampled_from(["read_write", "read_only"]),
        access_token=secrets,
        refresh_token=secrets,
        publishable_key=st.none() | st.from_regex(r"pk_[a-z0-9_]{1,99}", fullmatch=True),
        oauth=st.sampled_from(OAuthModel),
        obtained_at=st.none()
        | st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    )


def revealed(tokens: TokenResponse) -> tuple[object, ...]:
    return (
        tokens.account_id,
        tokens.livemode,
        tokens.scope,
        None if tokens.access_token is None else tokens.access_token.reveal(),
        None if tokens.refresh_token is None else tokens.refresh_token.reveal(),
        tokens.publishable_key,
        tokens.oauth,
        tokens.obtained_at,
    )


def shown(credential: Credential) -> Credential:
    """Return the credential with its text as cleaned at the boundary."""
    account = credential.account
    assert account is not None
    name = None if account.name is None else clean(account.name)
    return credential._replace(
        name=clean(credential.name),
        account=account._replace(name=name),
        created_by=clean(credential.created_by),
    )


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
@settings(max_examples=settings().max_examples * 3 // 2)
@given(approval=approvals())
@pytest.mark.quick(1)
def test_any_credential_is_read_as_it_was_created(
    approval: tuple[Credential, TokenResponse],
    make: Callable[[Path], Engine],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    credential, tokens = approval
    store = make(tmp_path_factory.mktemp("store")).open()
    store.create(credential, tokens)
    assert store.ids() == [credential.id]
    expected = shown(credential)._replace(expires_at=tokens.expires_at)
    assert store.read(credential.id) == store.verified(credential.id) == expected
    assert revealed(store.tokens(credential.id)) == revealed(tokens)


def test_the_longest_possible_tokens_of_stripe_are_read_whole(
    store: CredentialStore, acme: Credential, tokens: TokenResponse
) -> None:
    longest = tokens._replace(
        access_token=Secret('"' * LONGEST_TOKEN),  # each takes two characters in JSON
        refresh_token=Secret("\\" * LONGEST_TOKEN),
        publishable_key="p" * LONGEST_PUBLISHABLE_KEY,
    )
    store.create(acme, longest)
    assert revealed(store.tokens(acme.id)) == revealed(longest)


def test_an_id_is_used_once_and_the_first_credential_stays(
    store: CredentialStore, acme: Credential, tokens: TokenResponse
) -> None:
    store.create(acme, tokens)
    with pytest.raises(AlreadyThere) as told:
        store.create(acme._replace(name="Another"), tokens)
    assert told.value.id == acme.id
    assert store.read(acme.id) == acme


def test_a_deleted_credential_is_gone_and_deleting_it_again_is_fine(
    store: CredentialStore, acme: Credential, tokens: TokenResponse
) -> None:
    store.delete(acme.id)  # it never existed
    store.create(acme, tokens)
    store.delete(acme.id)
    store.delete(acme.id)
    assert store.ids() == []
    assert store.read(acme.id) is None
    with pytest.raises(NotThere):
        store.tokens(acme.id)
