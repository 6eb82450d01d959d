"""Makes the README's picture: the app itself, at stage 4, on the demo Stripe.

Run it in the checkout: ``python docs/picture.py``; it writes ``docs/m3cred.svg``.
"""

import asyncio
import os
import re
import tempfile
from pathlib import Path
from urllib.parse import urljoin

import httpx

from m3cred_tui.cli.commands.app import demo_settings, services_from
from m3cred_tui.ui.app import M3credApp

PICTURE = Path(__file__).with_name("m3cred.svg")
_FORM = re.compile(r'<form[^>]*action="([^"]*)"')
_FIELD = re.compile(r'name="(session)"[^>]*value="([^"]*)"')
_RETURN = re.compile(r'href="([^"]*)"[^>]*>[^<]*Return to m3ter')


def approve(url: str) -> None:
    """Log in at the demo Stripe, approve access and return to m3ter."""
    with httpx.Client(follow_redirects=True, trust_env=False) as browser:
        page = browser.get(url).text
        for answer in (
            {"email": "owner@example.com", "password": "x"},
            {"approve": "yes"},
        ):
            action = _FORM.search(page)
            session = _FIELD.search(page)
            assert action, page
            assert session, page
            page = browser.post(
                urljoin(url, action[1]), data={session[1]: session[2], **answer}
            ).text
        back = _RETURN.search(page)
        assert back, page
        browser.get(urljoin(url, back[1].replace("&amp;", "&")))


async def take_picture() -> None:
    """Go through the stages with the keyboard and export the screen."""
    urls: asyncio.Queue[str] = asyncio.Queue()
    with demo_settings() as settings:
        services = services_from(settings)._replace(open_browser=urls.put)
        app = M3credApp(services)
        async with app.run_test(size=(84, 24)) as pilot:
            await pilot.press("enter", *"Acme bakery", "enter")
            await pilot.press("enter", "enter", "down", "enter", "enter")
            await pilot.press("enter")
            while not app.screen.query("#open"):
                await pilot.pause()
            await pilot.press("o")
            await asyncio.to_thread(approve, await urls.get())
            while not app.screen.query("#create-credential"):
                await pilot.pause()
            svg = app.export_screenshot(title="m3cred --demo")
    PICTURE.write_text(
        re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), encoding="utf-8"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"XDG_DATA_HOME": home + "/data", "XDG_CONFIG_HOME": home + "/config"}
        os.environ["BROWSER"] = "true"
        asyncio.run(take_picture())
