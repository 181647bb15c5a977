"""A driver's app: one stream that is kept alive, and resumed when it breaks."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from types import TracebackType
from typing import cast

import grpc
import grpc.aio

from ridestream import checks
from ridestream.commands import Commands
from ridestream.common.v1.common_pb2 import LatLng, Vehicle
from ridestream.connection import Backoff, Connection
from ridestream.dispatch.v1.dispatch_pb2 import (
    GIVE_UP_CAUSE_CANT_DRIVE,
    GOODBYE_REASON_PROOF_ENDED,
    STOP_ACTION_ARRIVED,
    STOP_ACTION_DROPPED_OFF,
    STOP_ACTION_PICKED_UP,
    Ack,
    DriveRequest,
    DriveResponse,
    EndShift,
    GiveUp,
    GiveUpCause,
    Goodbye,
    Heartbeat,
    Hello,
    Offer,
    OfferAnswer,
    OfferEnded,
    Plan,
    Position,
    StopAction,
    StopUpdate,
)
from ridestream.dispatch.v1.dispatch_pb2_grpc import DispatchServiceStub
from ridestream.errors import (
    DriverStopped,
    ProtocolError,
    StatusError,
    status_of,
)
from ridestream.session import Disconnected, Event, Session, seconds

Code = grpc.StatusCode

#: The same Hello would get the same answer again.
_FINAL = {
    Code.INVALID_ARGUMENT,
    Code.PERMISSION_DENIED,
    Code.NOT_FOUND,
    Code.FAILED_PRECONDITION,
    Code.ABORTED,
}
#: Faults of the service, or of what speaks in its place.
_FAULTS = {Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS, Code.UNIMPLEMENTED}
_MAX_FAULTS = 5
_HEALTHY_AFTER_S = 30.0
_WELCOME_WITHIN_S = 10.0
_MAX_PAUSE_S = 600.0

_Call = grpc.aio.StreamStreamCall[DriveRequest, DriveResponse]


class Driver:
    """Connects when it is entered, and iterates over what happens until the shift ends.

        async with Driver(connection, market="city", seats=4) as driver:
            driver.move_to(lat, lng)
            async for event in driver: ...

    Commands (`accept`, `arrived`, …) wait for their effect, over as many streams as it takes, and may
    be given many times. Iteration raises the StatusError or ProtocolError that ended the stream for
    good. To be used from one event loop.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        market: str,
        seats: int,
        name: str = "",
        vehicle: Vehicle | None = None,
        accepts_insertions: bool = False,
    ):
        checks.check_range(seats, 1, checks.MAX_SEATS, "hello.seats")
        checks.check_id(market, "hello.market")
        checks.check_text(name, checks.MAX_NAME, "hello.name")
        vehicle = vehicle or Vehicle()
        checks.check_text(vehicle.model, checks.MAX_NAME, "hello.vehicle.model")
        checks.check_text(vehicle.plate, checks.MAX_PLATE, "hello.vehicle.plate")
        self._connection = connection
        self._hello = Hello(
            market=market,
            seats=seats,
            name=name,
            vehicle=vehicle,
            accepts_insertions=accepts_insertions,
        )
        self._session = Session()
        self._commands = Commands()
        self._events = asyncio.Event()
        self._wake = asyncio.Event()
        self._outgoing: deque[DriveRequest] = deque()
        self._acked = 0
        self._position: Position | None = None
        self._position_sequence = 0
        self._server_time_s = self._welcomed_at = 0.0
        self._live = False
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None
        self._ended = False

    # -- For the app -------------------------------------------------------------------------------

    async def __aenter__(self) -> Driver:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Leaves the stream. The session waits for a resume; `end_shift` ends it."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._finish(None)

    def __aiter__(self) -> Driver:
        return self

    async def __anext__(self) -> Event:
        while True:
            event = self._session.take()
            self._wake.set()  # For its ack.
            if event is not None:
                return event
            if self._ended:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._events.clear()
            await self._events.wait()

    @property
    def is_live(self) -> bool:
        """Whether the stream is open and welcomed."""
        return self._live

    @property
    def plan(self) -> Plan | None:
        """The newest plan. None: nothing to do, or not known yet."""
        return self._session.plan

    @property
    def offer(self) -> Offer | None:
        """The open offer."""
        return self._session.offer

    def seconds_left(self, offer: Offer) -> float:
        """How long an answer to the offer is in time, in seconds of this device."""
        welcome = self._session.welcome
        rate = welcome.clock_rate if welcome else 1.0
        end = offer.expires_at.seconds + offer.expires_at.nanos / 1e9
        return (end - self._server_time_s) / rate - (time.monotonic() - self._welcomed_at)

    def move_to(self, lat: float, lng: float, heading_deg: int = 0, speed_m_per_s: float = 0) -> None:
        """Where the car is, in degrees. Sent as often as the service asks for; call it at any rate."""
        checks.check_range(heading_deg, 0, 359, "position.heading_deg")
        checks.check_range(round(speed_m_per_s * 10), 0, 2**32 - 1, "position.speed_dm_per_s")
        place: LatLng = checks.place(lat, lng, "position")
        first = self._position is None
        self._position = Position(
            lat_e7=place.lat_e7,
            lng_e7=place.lng_e7,
            heading_deg=heading_deg,
            speed_dm_per_s=round(speed_m_per_s * 10),
        )
        if first and self._live:
            self._report()

    async def accept(self, offer: Offer) -> OfferEnded:
        """Takes the trip. It is the driver's only if the outcome is OFFER_OUTCOME_ACCEPTED."""
        return await self._answer(offer.offer_id, True)

    async def decline(self, offer: Offer) -> OfferEnded:
        return await self._answer(offer.offer_id, False)

    async def arrived(self, trip_id: str) -> Plan:
        """Returns the plan in which it is done, as do the next ones; or raises CommandRejected."""
        return await self._step(trip_id, STOP_ACTION_ARRIVED)

    async def picked_up(self, trip_id: str) -> Plan:
        return await self._step(trip_id, STOP_ACTION_PICKED_UP)

    async def dropped_off(self, trip_id: str) -> Plan:
        return await self._step(trip_id, STOP_ACTION_DROPPED_OFF)

    async def give_up(
        self,
        trip_id: str,
        reason: str = "",
        cause: GiveUpCause.ValueType = GIVE_UP_CAUSE_CANT_DRIVE,
    ) -> Plan:
        """Gives a trip back before its pick-up."""
        checks.check_id(trip_id, "give_up.trip_id")
        checks.check_text(reason, checks.MAX_TEXT, "give_up.reason")
        give_up = GiveUp(trip_id=trip_id, reason=reason, cause=cause)
        return cast(Plan, await self._command(DriveRequest(give_up=give_up)))

    async def end_shift(self) -> None:
        """Ends the session; iteration then ends, too. CommandRejected while there is a plan."""
        await self._command(DriveRequest(end_shift=EndShift()))

    # -- Commands ----------------------------------------------------------------------------------

    async def _answer(self, offer_id: str, accept: bool) -> OfferEnded:
        checks.check_id(offer_id, "offer_answer.offer_id")
        answer = OfferAnswer(offer_id=offer_id, accept=accept)
        return cast(OfferEnded, await self._command(DriveRequest(offer_answer=answer)))

    async def _step(self, trip_id: str, action: StopAction.ValueType) -> Plan:
        checks.check_id(trip_id, "stop_update.trip_id")
        update = StopUpdate(trip_id=trip_id, action=action)
        return cast(Plan, await self._command(DriveRequest(stop_update=update)))

    async def _command(self, request: DriveRequest) -> OfferEnded | Plan | None:
        if self._ended or self._task is None:
            raise self._error or DriverStopped("the driver isn't running")
        known = len(self._commands.requests())
        future = self._commands.add(request, self._session.plan)
        if self._live and len(self._commands.requests()) > known:
            self._send(request)
        # Several may wait for one command: who stops waiting doesn't take it from the others.
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

    # -- The stream --------------------------------------------------------------------------------

    async def _run(self) -> None:
        backoff = Backoff()
        faults = 0
        refused: object = None
        while True:
            pause_s: float | None = None
            metadata = None
            began = time.monotonic()
            try:
                metadata = await self._connection.metadata()
                goodbye = await self._stream(metadata, backoff)
                if goodbye is None and self._commands.has("end_shift"):
                    self._commands.shift_ended()
                    return self._finish(None)
                error = StatusError(Code.UNAVAILABLE, "the service ended the stream")
                if goodbye is not None:
                    pause_s = self._wall(seconds(goodbye.reconnect_after))
                    if goodbye.reason == GOODBYE_REASON_PROOF_ENDED:
                        refused = metadata
                        error = StatusError(Code.UNAUTHENTICATED, "the token has ended")
            except StatusError as status:
                error = status
                pause_s = status.retry_after_s
                if status.code in _FINAL or _is_too_large(status):
                    return self._finish(status)
                if status.code == Code.UNAUTHENTICATED:
                    if metadata == refused or not metadata:
                        return self._finish(status)
                    refused = metadata
            except Exception as failure:  # A ProtocolError, or what the app's token source raised.
                return self._finish(failure)
            faults = faults + 1 if error.code in _FAULTS else 0
            if time.monotonic() - began >= _HEALTHY_AFTER_S:
                faults = min(faults, 1)
            if faults >= _MAX_FAULTS:
                return self._finish(error)
            if pause_s is not None and not 0 <= pause_s <= _MAX_PAUSE_S:
                return self._finish(ProtocolError(f"a pause of {pause_s:g} s was asked for"))
            pause_s = backoff.pause(pause_s)
            self._session.tell(Disconnected(error, pause_s))
            self._events.set()
            await asyncio.sleep(pause_s)

    async def _stream(self, metadata: tuple[tuple[str, str], ...], backoff: Backoff) -> Goodbye | None:
        """One stream, to its end. Returns the Goodbye, or None after the status OK."""
        # A channel of its own: one whose connection is half-open would be used again.
        channel = self._connection.open_channel()
        writer: asyncio.Task[None] | None = None
        try:
            call = DispatchServiceStub(channel).Drive(metadata=metadata)
            await call.write(DriveRequest(hello=self._session.hello(self._hello)))
            first = await self._read(call, _WELCOME_WITHIN_S)
            if first is None:
                return None
            self._on_welcome(first)
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
            self._live = False
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
        self._session.on_welcome(message)
        welcome = message.welcome
        self._server_time_s = welcome.server_time.seconds + welcome.server_time.nanos / 1e9
        self._welcomed_at = time.monotonic()
        if not welcome.resumed:
            self._position_sequence = 0
        self._acked = 0
        self._outgoing.clear()
        self._live = True
        if self._session.plan is not None:
            self._commands.on_plan(self._session.plan)
        self._report()
        for request in self._commands.requests():
            self._send(request)
        self._events.set()

    def _on_push(self, message: DriveResponse) -> None:
        if 0 < message.sequence <= self._session.last_sequence:
            self._acked = min(self._acked, message.sequence - 1)  # A repeat is acked again.
        self._session.on_push(message, self._commands.is_answer(message))
        self._commands.on_push(message)
        if message.HasField("plan") and self._session.plan is not None:
            self._commands.on_plan(self._session.plan)
        self._wake.set()
        self._events.set()

    async def _write(self, call: _Call) -> None:
        """Sends what there is, and a position or a heartbeat when it is due."""
        welcome = self._session.welcome
        assert welcome is not None
        report_every_s = max(0.1, self._wall(seconds(welcome.report_every)))
        # Some way ahead of what the service asks for, so that a slow network isn't silence.
        heartbeat_s = max(0.1, self._wall(seconds(welcome.heartbeat)) * 0.9)
        sent_at = reported_at = time.monotonic()
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
            while True:
                now = time.monotonic()
                if self._session.ack > self._acked:
                    self._acked = self._session.ack
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
        """Seconds of this device for those of the service's clock."""
        welcome = self._session.welcome
        return service_s / (welcome.clock_rate if welcome else 1.0)

    def _silence_s(self) -> float:
        """The service sends a heartbeat at least as often as it asks for one."""
        welcome = self._session.welcome
        assert welcome is not None
        return max(1.0, 2 * self._wall(seconds(welcome.heartbeat)))

    def _finish(self, error: Exception | None) -> None:
        if self._ended:
            return
        self._ended = True
        self._live = False
        self._error = error
        self._commands.fail_all(error or DriverStopped("the driver was closed"))
        self._events.set()


def _is_too_large(status: StatusError) -> bool:
    return status.code == Code.RESOURCE_EXHAUSTED and status.retry_after_s is None
