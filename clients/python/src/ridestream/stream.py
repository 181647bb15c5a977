"""Keeps a driver's stream open: connects, resumes after breaks, and sends messages when they are due."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque

import grpc
import grpc.aio

from ridestream.commands import Commands
from ridestream.connection import Backoff, Connection, Metadata, Route
from ridestream.dispatch.v1.dispatch_pb2 import (
    GOODBYE_REASON_PROOF_ENDED,
    Ack,
    DriveRequest,
    DriveResponse,
    Goodbye,
    Heartbeat,
    Hello,
    Offer,
    OfferEnded,
    Plan,
    Position,
)
from ridestream.dispatch.v1.dispatch_pb2_grpc import DispatchServiceStub
from ridestream.errors import DriverStopped, ProtocolError, StatusError, status_of
from ridestream.session import Disconnected, Event, Session, seconds

Code = grpc.StatusCode

#: Final statuses: the same Hello would get the same answer again.
_FINAL = {
    Code.INVALID_ARGUMENT,
    Code.PERMISSION_DENIED,
    Code.NOT_FOUND,
    Code.ABORTED,
}
#: Final if no pause is requested: the message is too large, the market isn't served here, or the driver is in
#: another market. If a pause is requested, another process serves the market.
_FINAL_WITHOUT_PAUSE = {Code.RESOURCE_EXHAUSTED, Code.FAILED_PRECONDITION}
#: Faults of the service or of a proxy.
_FAULTS = {Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS, Code.UNIMPLEMENTED}
_MAX_FAULTS = 5
_HEALTHY_AFTER_S = 30.0
_WELCOME_WITHIN_S = 10.0
_MAX_PAUSE_S = 600.0

_Call = grpc.aio.StreamStreamCall[DriveRequest, DriveResponse]


class Stream:
    """A driver's stream, which may span many calls. `run` does the work in a separate task."""

    def __init__(self, connection: Connection, hello: Hello):
        self.session = Session()
        self.live = False
        self._connection = connection
        self._hello = hello
        self._route = Route(connection.address)
        self._commands = Commands()
        self._events = asyncio.Event()
        self._wake = asyncio.Event()
        self._outgoing: deque[DriveRequest] = deque()
        self._acked = 0
        self._position: Position | None = None
        self._position_sequence = 0
        self._server_time_s = self._welcomed_at = 0.0
        self._error: Exception | None = None
        self._ended = False

    async def next_event(self) -> Event | None:
        """Returns the next event for the app, or None after the last. Raises the stream's final error."""
        while True:
            event = self.session.take()
            self._wake.set()  # For its ack.
            if event is not None:
                return event
            if self._ended:
                if self._error is not None:
                    raise self._error
                return None
            self._events.clear()
            await self._events.wait()

    def seconds_left(self, offer: Offer) -> float:
        end = offer.expires_at.seconds + offer.expires_at.nanos / 1e9
        return self._wall(end - self._server_time_s) - (time.monotonic() - self._welcomed_at)

    def move_to(self, position: Position) -> None:
        first = self._position is None
        self._position = position
        if first and self.live:
            self._report()

    async def command(self, request: DriveRequest) -> OfferEnded | Plan | None:
        """Sends the command, and returns when it has taken effect."""
        if self._ended:
            raise self._error or DriverStopped("the driver was closed")
        known = len(self._commands.requests())
        future = self._commands.add(request)
        if self.live and len(self._commands.requests()) > known:
            self._send(request)
        # Several tasks may wait for one command; cancelling one must not affect the others.
        return await asyncio.shield(future)

    def _send(self, request: DriveRequest) -> None:
        if request.HasField("stop_update"):
            self._report()  # Where the car is comes before what it does there.
        self._outgoing.append(request)
        self._wake.set()

    def _report(self) -> None:
        if self._position is None:
            return
        self._position_sequence += 1
        position = Position()
        position.CopyFrom(self._position)
        position.sequence = self._position_sequence
        position.device_time_ms = time.time_ns() // 1_000_000
        self._outgoing.append(DriveRequest(position=position))
        self._wake.set()

    async def run(self) -> None:
        backoff = Backoff()
        faults = 0
        refused: object = None
        while True:
            pause_s: float | None = None
            metadata = None
            began = time.monotonic()
            try:
                metadata = await self._connection.metadata(self._hello.market)
                goodbye = await self._stream(metadata, backoff)
                if goodbye is None and self._commands.has("end_shift"):
                    self._commands.shift_ended()
                    return self.finish(None)
                error = StatusError(Code.UNAVAILABLE, "the service ended the stream")
                if goodbye is not None:
                    pause_s = self._wall(seconds(goodbye.reconnect_after))
                    if goodbye.reason == GOODBYE_REASON_PROOF_ENDED:
                        refused = metadata
                        error = StatusError(Code.UNAUTHENTICATED, "the token has ended")
                    error.address = goodbye.address
            except StatusError as status:
                error = status
                pause_s = status.retry_after_s
                if _is_final(status):
                    return self.finish(status)
                if status.code == Code.UNAUTHENTICATED:
                    if metadata == refused:
                        return self.finish(status)
                    refused = metadata
            except Exception as failure:  # A ProtocolError, or what the app's token source raised.
                return self.finish(failure)
            faults = faults + 1 if error.code in _FAULTS else 0
            if time.monotonic() - began >= _HEALTHY_AFTER_S:
                faults = min(faults, 1)
            if faults >= _MAX_FAULTS:
                return self.finish(error)
            if pause_s is not None and not 0 <= pause_s <= _MAX_PAUSE_S:
                return self.finish(ProtocolError(f"a pause of {pause_s:g} s was asked for"))
            try:
                is_redirect = self._route.on_end(error.address)
            except ProtocolError as failure:
                return self.finish(failure)
            # A refusal's pause applies to its own address only; a Goodbye's pause spreads reconnects.
            at_once = is_redirect and error.code == Code.FAILED_PRECONDITION
            pause_s = 0.0 if at_once else backoff.pause(pause_s)
            self.session.tell(Disconnected(error, pause_s))
            self._events.set()
            await asyncio.sleep(pause_s)

    async def _stream(self, metadata: Metadata, backoff: Backoff) -> Goodbye | None:
        """Runs one call until it ends. Returns the Goodbye, or None after the status OK."""
        # A new channel, because an existing one might reuse a half-open connection.
        channel = self._connection.open_channel(self._route.address)
        writer: asyncio.Task[None] | None = None
        try:
            call = DispatchServiceStub(channel).Drive(metadata=metadata)
            await call.write(DriveRequest(hello=self.session.hello(self._hello)))
            first = await self._read(call, _WELCOME_WITHIN_S)
            if first is None:
                return None
            self._on_welcome(first)
            self._route.on_welcome()
            backoff.reset()
            writer = asyncio.create_task(self._write(call))
            while (message := await self._read(call, self._silence_s())) is not None:
                if message.HasField("goodbye"):
                    return message.goodbye
                self._on_push(message)
            return None
        except grpc.aio.AioRpcError as error:
            raise status_of(error) from None
        except grpc.aio.UsageError as error:
            raise StatusError(Code.UNAVAILABLE, str(error)) from None
        finally:
            self.live = False
            if writer is not None:
                writer.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await writer
            await channel.close()

    async def _read(self, call: _Call, within_s: float) -> DriveResponse | None:
        try:
            async with asyncio.timeout(within_s):
                message = await call.read()
        except TimeoutError:
            why = f"the service said nothing for {within_s:.1f} s"
            raise StatusError(Code.DEADLINE_EXCEEDED, why) from None
        if message is grpc.aio.EOF:  # Another status than OK was raised.
            return None
        if not isinstance(message, DriveResponse):
            raise ProtocolError("a message came that is no DriveResponse")
        return message

    def _on_welcome(self, message: DriveResponse) -> None:
        self.session.on_welcome(message)
        welcome = message.welcome
        self._server_time_s = welcome.server_time.seconds + welcome.server_time.nanos / 1e9
        self._welcomed_at = time.monotonic()
        if not welcome.resumed:
            self._position_sequence = 0
        self._acked = 0
        self._outgoing.clear()
        self.live = True
        if welcome.snapshot.HasField("plan"):
            self._commands.on_snapshot(welcome.snapshot.plan)
        self._report()
        for request in self._commands.requests():
            self._send(request)
        self._events.set()

    def _on_push(self, message: DriveResponse) -> None:
        if 0 < message.sequence <= self.session.last_sequence:
            self._acked = min(self._acked, message.sequence - 1)  # A repeat is acked again.
        self.session.on_push(message, self._commands.is_answer(message))
        self._commands.on_push(message, self.session.plan)
        self._wake.set()
        self._events.set()

    async def _write(self, call: _Call) -> None:
        """Sends pending messages, and a position or a heartbeat when it is due."""
        welcome = self.session.welcome
        assert welcome is not None
        report_every_s = max(0.1, self._wall(seconds(welcome.report_every)))
        # Earlier than the service requires, so that a slow network doesn't look like silence.
        heartbeat_s = max(0.1, self._wall(seconds(welcome.heartbeat)) * 0.9)
        sent_at = reported_at = time.monotonic()
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
            while True:
                now = time.monotonic()
                if self.session.ack > self._acked:
                    self._acked = self.session.ack
                    request = DriveRequest(ack=Ack(sequence=self._acked))
                elif self._outgoing:
                    request = self._outgoing.popleft()
                    if request.HasField("position"):
                        reported_at = now
                elif self._position is not None and now >= reported_at + report_every_s:
                    self._report()
                    continue
                elif now >= sent_at + heartbeat_s:
                    request = DriveRequest(heartbeat=Heartbeat())
                else:
                    due = sent_at + heartbeat_s
                    if self._position is not None:
                        due = min(due, reported_at + report_every_s)
                    await self._sleep(due - now)
                    continue
                await call.write(request)
                sent_at = time.monotonic()

    async def _sleep(self, at_most_s: float) -> None:
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._wake.wait()

    def _wall(self, service_s: float) -> float:
        """Converts seconds of the service's clock to seconds of this device."""
        welcome = self.session.welcome
        return service_s / (welcome.clock_rate if welcome else 1.0)

    def _silence_s(self) -> float:
        """Returns the silence after which the stream is considered dead, in seconds. The service sends
        heartbeats at the interval that it requires from drivers."""
        welcome = self.session.welcome
        assert welcome is not None
        return max(1.0, 2 * self._wall(seconds(welcome.heartbeat)))

    def finish(self, error: Exception | None) -> None:
        if self._ended:
            return
        self._ended = True
        self.live = False
        self._error = error
        self._commands.fail_all(error or DriverStopped("the driver was closed"))
        self._events.set()


def _is_final(status: StatusError) -> bool:
    return status.code in _FINAL or (status.code in _FINAL_WITHOUT_PAUSE and status.retry_after_s is None)
