"""Stubs take what they opened with them, or a later test is blamed for it."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from contextlib import closing, suppress

import pytest

from tests.stub_server import serving


async def _silence(reader: StreamReader, _writer: StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize("turns", range(12))
def test_a_connection_that_comes_as_a_test_ends_is_closed(turns: int) -> None:
    async def come_at_the_end() -> socket.socket:
        async with serving(_silence) as host:
            name, port = host.split(":")
            peer = socket.create_connection((name, int(port)))
            for _turn in range(turns):
                await asyncio.sleep(0)
        return peer

    with closing(asyncio.run(come_at_the_end())) as peer:
        peer.settimeout(10)
        with suppress(ConnectionResetError):
            assert peer.recv(1) == b""
