"""A line of 9600 baud and 300 ms, as a ProxyCommand of ssh.

    python -m tests.e2e.ssh.slow_line HOST PORT FLAG

The line is slow once the file FLAG exists, so that the keys are exchanged before at full speed.
Each way takes a byte in ten bits, and hands it over half of the 300 ms later.
"""

import asyncio
import os
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

BYTES_PER_SECOND = 9600 / 10
ROUND_TRIP = 0.3
_FRAME = 48  # bytes on the line at a time, a twentieth of a second
_FAST = 65_536


async def main(host: str, port: str, flag: Path) -> None:
    from_server, to_server = await asyncio.open_connection(host, int(port))
    from_ssh, to_ssh = await _reader(sys.stdin.buffer), await _writer(sys.stdout.buffer)
    ways = (_carry(from_ssh, to_server, flag.exists), _carry(from_server, to_ssh, flag.exists))
    await asyncio.wait(map(asyncio.ensure_future, ways), return_when=asyncio.FIRST_COMPLETED)
    os._exit(0)  # as a line that is cut: nobody waits for the other way


async def _carry(source: StreamReader, sink: StreamWriter, is_slow: Callable[[], bool]) -> None:
    loop = asyncio.get_running_loop()
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    arriving = asyncio.create_task(_hand_over(on_the_way, sink))
    free_at = 0.0
    while data := await source.read(_FRAME if is_slow() else _FAST):
        now = loop.time()
        if is_slow():
            free_at = max(free_at, now) + len(data) / BYTES_PER_SECOND
            await on_the_way.put((free_at + ROUND_TRIP / 2, data))
            await asyncio.sleep(free_at - now)  # the sender feels it, as a modem's does
        else:
            await on_the_way.put((now, data))
    arriving.cancel()


async def _hand_over(
    on_the_way: asyncio.Queue[tuple[float, bytes]], sink: StreamWriter
) -> None:
    while True:
        due, data = await on_the_way.get()
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        sink.write(data)
        await sink.drain()


async def _reader(file: BinaryIO) -> StreamReader:
    reader = StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), file
    )
    return reader


async def _writer(file: BinaryIO) -> StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.streams.FlowControlMixin(loop=loop), file
    )
    return StreamWriter(transport, protocol, None, loop)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
