import pytest
from playwright.async_api import Page

from tests.e2e.ssh.machines import BASTION_PORT, Machine, Server
from tests.e2e.ssh.sessions import LogIn, at_stripe, paste, to_stripe

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_look(server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page) -> None:
    session = await log_in(at_stripe(server), port=BASTION_PORT)
    url = await to_stripe(session)
    print(session.text)
    print(url)
