import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from m3cred_tui.model.authorization import AuthorizationRequest
from m3cred_tui.model.credential import TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.adapters import ConnectGateway
from m3cred_tui.stripe.gateway import Platform
from m3cred_tui.upkeep.account import Access

CANARY = "sk_live_canary"
SHOWN = "Secret(***)"
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def secret() -> Secret:
    return Secret(CANARY)


def test_only_reveal_returns_it(secret: Secret) -> None:
    assert secret.reveal() == CANARY


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        ascii,
        pprint.pformat,
        pretty_repr,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!r:>40}",
        lambda secret: f"{secret:>40}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031  the way that is tried
        "{}".format,
        lambda secret: str([secret, {"a": secret}, (secret,)]),
        lambda secret: repr(TokenResponse("acct_1", False, "read_write", secret, secret)),
        lambda secret: str(Exception(secret)),
        lambda secret: repr(dir(secret)),
    ],
)
def test_no_kind_of_printing_shows_it(show: Callable[[Secret], str], secret: Secret) -> None:
    assert CANARY not in show(secret)


def test_a_print_shows_that_something_is_hidden(secret: Secret) -> None:
    assert str(secret) == repr(secret) == f"{secret:>40}" == SHOWN


@pytest.mark.parametrize(
    "take",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        hash,
        vars,
        len,
        iter,
        dataclasses.asdict,
        lambda secret: copy.deepcopy(TokenResponse("acct_1", False, "x", secret)),
        lambda secret: pickle.dumps(TokenResponse("acct_1", False, "x", secret)),
        lambda secret: secret == CANARY,
        lambda secret: secret != CANARY,
        lambda secret: CANARY == secret,  # noqa: SIM300  the way that is tried
        lambda secret: secret == secret,  # noqa: PLR0124  the way that is tried
        lambda secret: secret in (CANARY, ""),
        lambda secret: secret + "",
        lambda secret: "" + secret,
    ],
)
def test_it_cannot_be_compared_pickled_or_copied(
    take: Callable[[Secret], object], secret: Secret
) -> None:
    with pytest.raises(TypeError) as refusal:
        take(secret)
    assert CANARY not in str(refusal.value)


@pytest.mark.parametrize(
    "holding",
    [
        lambda secret: TokenResponse("acct_1", False, "read_write", secret),
        lambda secret: AuthorizationRequest(secret, "http://127.0.0.1:1/", WHEN),
        lambda secret: Platform("ca_1", secret),
        lambda secret: Access(secret, "acct_1"),
        lambda secret: ConnectGateway(Platform("ca_1", secret)),
    ],
)
def test_holders_of_the_same_secret_are_equal_and_others_are_not_compared(
    holding: Callable[[Secret], object], secret: Secret
) -> None:
    assert holding(secret) == holding(secret)
    with pytest.raises(TypeError):
        assert holding(secret) == holding(Secret(CANARY))


def test_a_json_dump_with_a_fallback_to_text_does_not_show_it(secret: Secret) -> None:
    assert json.dumps({"token": secret}, default=str) == f'{{"token": "{SHOWN}"}}'


def _crash(*arguments: object) -> None:
    raise RuntimeError(*arguments)


def test_a_crash_report_that_prints_locals_does_not_show_it(secret: Secret) -> None:
    tokens = TokenResponse("acct_1", livemode=True, scope="x", access_token=secret)
    report = io.StringIO()
    try:
        _crash(tokens, secret)
    except RuntimeError as error:
        captured = traceback.TracebackException.from_exception(error, capture_locals=True)
        report.write("".join(captured.format()))
        console = Console(file=report, width=200)
        console.print(Traceback(show_locals=True))
    assert SHOWN in report.getvalue()
    assert CANARY not in report.getvalue()


def test_a_log_line_does_not_show_it(secret: Secret, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger(__name__).warning("got %s, %r", secret, secret)
        try:
            _crash(secret)
        except RuntimeError:
            logging.getLogger(__name__).exception("failed with %s", [secret])
    assert SHOWN in caplog.text
    assert CANARY not in caplog.text


def test_it_can_be_tested_for_emptiness() -> None:
    assert Secret("x")
    assert not Secret("")


def test_neither_a_new_attribute_nor_a_subclass_opens_it(secret: Secret) -> None:
    with pytest.raises(AttributeError):
        secret.text = "x"  # type: ignore[attr-defined]  # that is the point
    with pytest.raises(AttributeError):
        _ = secret.__text
