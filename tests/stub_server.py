"""A server for the stubs, which leaves no connection open however early a test ends.

asyncio's own loses what it has accepted and not yet handed on, and a later test is blamed.
"""

import asyncio
import socket
import ssl
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Converse = Callable[[StreamReader, StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(converse: Converse, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve at a free port; give ``host:port``. What goes on at the end is cut off.

    A peer that has gone ends its conversation, and is nobody's concern.
    """
    loop = asyncio.get_running_loop()
    open_now: set[asyncio.Task[None]] = set()

    def accept() -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            connection, _ = listener.accept()
            connection.setblocking(False)
            task = loop.create_task(_hold(converse, connection, tls))
            open_now.add(task)
            # Also when the task is cancelled before its first step.
            task.add_done_callback(lambda _task: connection.close())
            task.add_done_callback(open_now.discard)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        loop.add_reader(listener, accept)
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            loop.remove_reader(listener)
            for task in open_now:
                task.cancel()
            await asyncio.gather(*open_now, return_exceptions=True)


async def _hold(
    converse: Converse, connection: socket.socket, tls: ssl.SSLContext | None
) -> None:
    loop = asyncio.get_running_loop()
    reader = StreamReader()
    with suppress(OSError, asyncio.IncompleteReadError):
        transport, protocol = await loop.connect_accepted_socket(
            lambda: StreamReaderProtocol(reader), connection, ssl=tls
        )
        writer = StreamWriter(transport, protocol, reader, loop)
        try:
            await converse(reader, writer)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        finally:
            transport.abort()
