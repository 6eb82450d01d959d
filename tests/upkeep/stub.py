"""A Stripe on real sockets that answers as a test wants, and counts simultaneous requests."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.gateway import Platform
from tests.stub_server import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"


class Asked(NamedTuple):
    """The part of a request that a stub uses."""

    line: str
    headers: dict[str, str]
    form: str

    @property
    def account(self) -> str:
        return self.headers.get("stripe-account", "")


class Answer(NamedTuple):
    status: int
    body: object = None


HANG_UP = Answer(0)


@dataclass
class Stub:
    base: str = ""
    asked: list[Asked] = field(default_factory=list)
    now: int = 0
    most: int = 0

    @property
    def platform(self) -> Platform:
        return Platform("ca_platform", Secret(KEY), self.base, self.base)

    def times(self) -> Counter[str]:
        return Counter(one.account for one in self.asked)


@asynccontextmanager
async def stub_stripe(answer: Callable[[Asked], Awaitable[Answer]]) -> AsyncIterator[Stub]:
    stub = Stub()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stub.now += 1
        stub.most = max(stub.most, stub.now)
        try:
            asked = await _request(reader)
            stub.asked.append(asked)
            answered = await _unless_gone(answer(asked), reader)
            if answered.status:
                writer.write(_reply(answered))
                await writer.drain()
        finally:
            stub.now -= 1

    async with serving(converse) as host:
        stub.base = f"http://{host}"
        yield stub


async def _unless_gone(answer: Awaitable[Answer], reader: asyncio.StreamReader) -> Answer:
    """Return the answer, or nothing for a client that no longer waits."""
    answering, gone = asyncio.ensure_future(answer), asyncio.create_task(reader.read())
    try:
        await asyncio.wait([answering, gone], return_when=asyncio.FIRST_COMPLETED)
        return answering.result() if answering.done() else HANG_UP
    finally:
        answering.cancel()
        gone.cancel()
        await asyncio.gather(answering, gone, return_exceptions=True)


def refused(status: int, code: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": f"No: {code}"}})


def account(account_id: str) -> Answer:
    return Answer(200, {"id": account_id, "country": "GB"})


def _reply(answer: Answer) -> bytes:
    data = json.dumps(answer.body).encode()
    head = f"HTTP/1.1 {answer.status} X\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


async def _request(reader: asyncio.StreamReader) -> Asked:
    line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(one.lower().split(": ", 1) for one in lines if one)
    # Stripe-Account is an id, and an id is in mixed case.
    for one in lines:
        if one.lower().startswith("stripe-account: "):
            headers["stripe-account"] = one.partition(": ")[2]
    form = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(line, headers, form.decode())
