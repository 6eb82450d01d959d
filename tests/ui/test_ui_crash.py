from dataclasses import replace

import pytest
from textual.worker import WorkerFailed

from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.model.destination import Destination
from m3cred_tui.ui.services import Services
from tests.ui.user import opened, to_stage_4

CANARY = "sk_live_canary"


class UnforeseenError(Exception):
    """What nobody thought of."""


async def test_a_crash_is_told_without_the_values_of_variables(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    def authorizer(_destination: Destination) -> Authorizer:
        revealed = CANARY
        raise UnforeseenError(len(revealed))

    with pytest.raises(WorkerFailed, match="UnforeseenError"):
        await go_to_stripe(replace(services, authorizer=authorizer))
    report = capsys.readouterr().err
    assert "revealed = CANARY" in report  # the line itself
    assert CANARY not in report


async def go_to_stripe(services: Services) -> None:
    async with opened(services) as user:
        await to_stage_4(user)
        await user.press("enter")
        await user.until(lambda: user.app._exception)
