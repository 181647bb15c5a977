"""A proxy between a library and the services that relays, cuts, delays, drops and repeats.

A TCP proxy in front controls connections. Behind it, a gRPC proxy terminates TLS and HTTP/2, as HAProxy
does in production, so that a case can act on a particular message.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from ridestream.dispatch.v1.dispatch_pb2 import DriveRequest, DriveResponse

DRIVE = "/ridestream.dispatch.v1.DispatchService/Drive"
_CHANNEL = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200))

#: Maps a message to the messages that are forwarded in its place.
Up = Callable[[DriveRequest], list[DriveRequest]]
Down = Callable[[DriveResponse], list[DriveResponse]]
Call = AsyncIterator[bytes]
Context = Any  # grpc.aio.ServicerContext
#: Answers a call in the services' place.
Answer = Callable[[str, Call, Context], Awaitable[None]]


@dataclass
class Stream:
    """One Drive call: the messages that the library sent and received, in order."""

    market: str
    up: list[DriveRequest] = field(default_factory=list)
    down: list[DriveResponse] = field(default_factory=list)


class TcpGate:
    """A TCP proxy that can cut, silence and delay."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        #: Additional delay of the first data of each connection, in each direction.
        self.handshake_delay_s = 0.0
        self.connections = 0
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._silent: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, target_port: int) -> str:
        self._target_port = target_port
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Resets every connection."""
        for client, server in self._pairs:
            client.transport.abort()
            server.transport.abort()
        self._pairs.clear()

    def silence(self) -> None:
        """Makes every open connection half-open permanently. New connections are not affected."""
        for client, server in self._pairs:
            self._silent |= {client, server}
        self._pairs.clear()

    async def close(self) -> None:
        self._server.close()
        self.cut()
        for writer in self._silent:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._pairs.append((writer, back))
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        delay_s = self.handshake_delay_s
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                delay_s += self.delay_s
                if delay_s:
                    await asyncio.sleep(delay_s)
                delay_s = 0.0
                if sink not in self._silent:
                    sink.write(data)
                    await sink.drain()
        if sink not in self._silent:
            sink.transport.abort()


class Gate(grpc.GenericRpcHandler):
    """The proxy in front of trip and dispatch. Each case has one."""

    def __init__(self, authority: Path, trip: str, dispatch: str):
        self.tcp = TcpGate()
        self.streams: list[Stream] = []
        #: Method names of all received calls.
        self.calls: list[str] = []
        self.up: Up = lambda message: [message]
        self.down: Down = lambda message: [message]
        self.answer: Answer | None = None
        self._authority = authority
        self._targets = {"trip": trip, "dispatch": dispatch}
        self._changed = asyncio.Condition()

    async def open(self) -> None:
        key = (self._authority / "door.key").read_bytes()
        certificate = (self._authority / "door.pem").read_bytes()
        roots = (self._authority / "authority.pem").read_bytes()
        credentials = grpc.ssl_channel_credentials(roots, key, certificate)
        self._channels = {
            name: grpc.aio.secure_channel(address, credentials, options=_CHANNEL)
            for name, address in self._targets.items()
        }
        self._server = grpc.aio.server()
        self._server.add_generic_rpc_handlers((self,))
        mine = grpc.ssl_server_credentials([(key, certificate)])
        port = self._server.add_secure_port("127.0.0.1:0", mine)
        await self._server.start()
        self.address = await self.tcp.open(port)

    async def close(self) -> None:
        await self.tcp.close()
        await self._server.stop(0)
        for channel in self._channels.values():
            await channel.close()

    async def wait(self, condition: Callable[[], bool], what: str, within_s: float = 20) -> None:
        """Waits until the condition is true; checks it whenever a message passes."""
        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            raise AssertionError(f"the gate saw no {what} within {within_s} s") from None

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        async def handle(requests: Call, context: Context) -> None:
            await self._handle(details.method, requests, context)

        return grpc.stream_stream_rpc_method_handler(handle)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _handle(self, method: str, requests: Call, context: Context) -> None:
        self.calls.append(method.rpartition("/")[2])
        await self._notify()
        if self.answer is not None:
            return await self.answer(method, requests, context)
        service = "dispatch" if ".dispatch." in method else "trip"
        call: Any = self._channels[service].stream_stream(method)
        came = dict(context.invocation_metadata() or ())
        metadata = [(key, came[key]) for key in ("authorization", "ridestream-market") if key in came]
        upstream = call(metadata=metadata)
        stream = Stream(came.get("ridestream-market", ""))
        if method == DRIVE:
            self.streams.append(stream)
        up = asyncio.create_task(self._relay_up(method, requests, upstream, stream))
        try:
            while (data := await upstream.read()) is not grpc.aio.EOF:
                if method != DRIVE:
                    await context.write(data)
                    continue
                for message in self.down(DriveResponse.FromString(data)):
                    stream.down.append(message)
                    await context.write(message.SerializeToString())
                await self._notify()
            context.set_code(grpc.StatusCode.OK)
        except grpc.aio.AioRpcError as error:
            trailing = [(k, v) for k, v in error.trailing_metadata() or () if k == "retry-after-ms"]
            await context.abort(error.code(), error.details() or "", tuple(trailing))
        finally:
            up.cancel()
            upstream.cancel()

    async def _relay_up(self, method: str, requests: Call, upstream: Any, stream: Stream) -> None:
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
            async for data in requests:
                if method != DRIVE:
                    await upstream.write(data)
                    continue
                request = DriveRequest.FromString(data)
                stream.up.append(request)
                for message in self.up(request):
                    await upstream.write(message.SerializeToString())
                await self._notify()
            await upstream.done_writing()


def lint(streams: list[Stream]) -> None:
    """Checks the rules that every library must keep in every case."""
    pushed: dict[tuple[str, int], int] = {}  # By session and epoch.
    for stream in streams:
        if not stream.up:  # Ended before its first message.
            continue
        kinds = [message.WhichOneof("message") for message in stream.up]
        assert kinds[:1] == ["hello"] and kinds.count("hello") == 1, f"a stream of {kinds[:3]}"
        hello = stream.up[0].hello
        assert stream.market == hello.market, f"metadata '{stream.market}', Hello '{hello.market}'"
        resume = hello.resume
        last = 0
        if resume.session_id:
            assert (resume.session_id, resume.epoch) in pushed, "Hello resumes a session that never existed"
            last = resume.last_sequence
            held = pushed[resume.session_id, resume.epoch]
            assert last <= held, f"Hello claims push {last}, but only {held} were sent"
        key = resume.session_id, resume.epoch
        for response in stream.down:
            last = max(last, response.sequence)
            if response.HasField("welcome"):
                key = response.welcome.session_id, response.welcome.epoch
                last = last if response.welcome.resumed else 0
        pushed[key] = last
        sequences = [message.position.sequence for message in stream.up if message.HasField("position")]
        assert sequences == sorted(set(sequences)), "the sequences of positions don't increase"
        acks = [message.ack.sequence for message in stream.up if message.HasField("ack")]
        assert max(acks, default=0) <= last, f"ack of push {max(acks)}, but only {last} were sent"
