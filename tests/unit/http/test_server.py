"""The listening socket."""

import asyncio
import socket

from onprem.http.server import bind


async def test_answers_are_sent_without_delay() -> None:
    delays = asyncio.get_running_loop().create_future()

    async def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        delays.set_result(not connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = bind("127.0.0.1", 0)
    async with await asyncio.start_server(accepted, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert not await asyncio.wait_for(delays, 10)
        writer.close()
        await writer.wait_closed()
