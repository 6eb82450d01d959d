"""What a demo Stripe still knows after a restart."""

import os
import stat
from pathlib import Path

import pytest

from m3cred_tui.demo_stripe.description import register
from m3cred_tui.demo_stripe.grants import CODE_LIFETIME, Memory, account_of
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.replies import OAuthError
from m3cred_tui.model.credential import OAuthModel

ADA = account_of("ada@acme.example")


def started(directory: Path | None) -> Platform:
    description = register("http://127.0.0.1:1", ["http://127.0.0.1:2/callback"])
    return Platform(description, memory=Memory(directory))


def connect(platform: Platform, oauth: OAuthModel = OAuthModel.CONNECT) -> str:
    code = platform.approve(ADA, "read_write", livemode=False, oauth=oauth)
    platform.exchange(code, livemode=False, oauth=oauth)
    return code


def test_a_connection_outlives_the_demo_that_made_it(tmp_path: Path) -> None:
    connect(started(tmp_path / "connections"))
    again = started(tmp_path / "connections")
    assert again.connected_account(ADA.id, livemode=False) == ADA
    assert again.connected_account(ADA.id, livemode=True) is None
    assert started(None).connected_account(ADA.id, livemode=False) is None


def test_a_disconnected_account_stays_disconnected_after_a_restart(tmp_path: Path) -> None:
    connect(started(tmp_path))
    again = started(tmp_path)
    assert again.disconnect(ADA.id, livemode=False, oauth=OAuthModel.CONNECT)
    assert not again.disconnect(ADA.id, livemode=False, oauth=OAuthModel.CONNECT)
    assert started(tmp_path).connected_account(ADA.id, livemode=False) is None


def test_a_code_used_twice_ends_the_connection_after_a_restart_too(
    tmp_path: Path,
) -> None:
    platform = started(tmp_path)
    code = connect(platform)
    with pytest.raises(OAuthError):
        platform.exchange(code, livemode=False, oauth=OAuthModel.CONNECT)
    assert started(tmp_path).connected_account(ADA.id, livemode=False) is None


@pytest.mark.parametrize("oauth", OAuthModel)
def test_a_code_is_good_for_its_five_minutes_after_a_restart_and_once(
    tmp_path: Path, oauth: OAuthModel
) -> None:
    code = started(tmp_path).approve(ADA, "read_write", livemode=True, oauth=oauth)
    (kept,) = tmp_path.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert code not in f"{kept} {kept.read_text()}"
    with pytest.raises(OAuthError, match="mode"):
        started(tmp_path).exchange(code, livemode=False, oauth=oauth)
    reply = started(tmp_path).exchange(code, livemode=True, oauth=oauth)
    assert (reply.grant.account, reply.scope) == (ADA, "read_write")
    with pytest.raises(OAuthError, match="does not exist"):
        started(tmp_path).exchange(code, livemode=True, oauth=oauth)


def test_a_code_expires_although_the_demo_was_started_again(tmp_path: Path) -> None:
    clock = iter([1000.0, 1000.0 + CODE_LIFETIME])
    description = register("http://127.0.0.1:1", ["http://127.0.0.1:2/callback"])
    memory = Memory(tmp_path, lambda: next(clock))
    code = Platform(description, memory=memory).approve(
        ADA, "read_write", livemode=False, oauth=OAuthModel.CONNECT
    )
    with pytest.raises(OAuthError, match="expired"):
        Platform(description, memory=memory).exchange(
            code, livemode=False, oauth=OAuthModel.CONNECT
        )


def test_codes_that_nobody_used_are_cleared_away(tmp_path: Path) -> None:
    for _ in range(2):
        started(tmp_path).approve(ADA, "read_write", livemode=False, oauth=OAuthModel.CONNECT)
        for kept in tmp_path.iterdir():
            os.utime(kept, (0, 0))
    assert len([*tmp_path.iterdir()]) == 1


def test_no_code_leads_outside_the_directory_or_is_known_without_one(tmp_path: Path) -> None:
    code = started(None).approve(ADA, "read_write", livemode=False, oauth=OAuthModel.CONNECT)
    for strange in (code, "../x", "", "x\0", "\ud800"):
        with pytest.raises(OAuthError, match="does not exist"):
            started(tmp_path).exchange(strange, livemode=False, oauth=OAuthModel.CONNECT)


def test_the_tokens_of_an_app_end_with_the_demo(tmp_path: Path) -> None:
    connect(started(tmp_path), OAuthModel.APPS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("account_id", ["acct_1Demo../../../x", "../x", "", "acct_1Demo0\n"])
def test_no_account_id_leads_outside_the_directory(tmp_path: Path, account_id: str) -> None:
    platform = started(tmp_path / "connections")
    connect(platform)
    before = sorted(tmp_path.rglob("*"))
    assert platform.connected_account(account_id, livemode=False) is None
    assert not platform.disconnect(account_id, livemode=False, oauth=OAuthModel.CONNECT)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_is_not_a_connection_is_ignored(tmp_path: Path) -> None:
    (tmp_path / f"test-{ADA.id}").write_bytes(b"\xff\xfe")
    assert started(tmp_path).connected_account(ADA.id, livemode=False) is None
    (tmp_path / f"test-{ADA.id}").write_text("eve@acme.example")
    assert started(tmp_path).connected_account(ADA.id, livemode=False) is None


def test_a_page_of_the_previous_demo_names_the_same_client_as_the_next(tmp_path: Path) -> None:
    first, second = started(None).description, started(None).description
    assert first.test.client_id == second.test.client_id != first.live.client_id
    assert first.test.secret_key.reveal() != second.test.secret_key.reveal()
