"""The driver of a car."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import cast

from ridestream import checks
from ridestream.common.v1.common_pb2 import LatLng, Vehicle
from ridestream.connection import Connection
from ridestream.dispatch.v1.dispatch_pb2 import (
    GIVE_UP_CAUSE_CANT_DRIVE,
    STOP_ACTION_ARRIVED,
    STOP_ACTION_DROPPED_OFF,
    STOP_ACTION_PICKED_UP,
    DriveRequest,
    EndShift,
    GiveUp,
    GiveUpCause,
    Hello,
    Offer,
    OfferAnswer,
    OfferEnded,
    Plan,
    Position,
    StopAction,
    StopUpdate,
)
from ridestream.session import Event
from ridestream.stream import Stream


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
        hello = Hello(
            market=market,
            seats=seats,
            name=name,
            vehicle=vehicle,
            accepts_insertions=accepts_insertions,
        )
        self._stream = Stream(connection, hello)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Driver:
        self._task = asyncio.create_task(self._stream.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the stream. The service keeps the session for a resume; `end_shift` ends it."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._stream.finish(None)

    def __aiter__(self) -> Driver:
        return self

    async def __anext__(self) -> Event:
        event = await self._stream.next_event()
        if event is None:
            raise StopAsyncIteration
        return event

    @property
    def is_live(self) -> bool:
        """Whether the stream is open and has received its Welcome."""
        return self._stream.live

    @property
    def plan(self) -> Plan | None:
        """The newest plan. None if there is none or it isn't known yet."""
        return self._stream.session.plan

    @property
    def offer(self) -> Offer | None:
        """The open offer, if there is one."""
        return self._stream.session.offer

    def seconds_left(self, offer: Offer) -> float:
        """Returns the time left to answer the offer, in seconds of this device's clock."""
        return self._stream.seconds_left(offer)

    def move_to(self, lat: float, lng: float, heading_deg: int = 0, speed_m_per_s: float = 0) -> None:
        """Sets the car's position in degrees. It is sent as often as the service requests; call this at any
        rate."""
        checks.check_range(heading_deg, 0, 359, "position.heading_deg")
        checks.check_range(round(speed_m_per_s * 10), 0, 2**32 - 1, "position.speed_dm_per_s")
        place: LatLng = checks.place(lat, lng, "position")
        self._stream.move_to(
            Position(
                lat_e7=place.lat_e7,
                lng_e7=place.lng_e7,
                heading_deg=heading_deg,
                speed_dm_per_s=round(speed_m_per_s * 10),
            )
        )

    async def accept(self, offer: Offer) -> OfferEnded:
        """Accepts the offer. The driver has the trip only if the outcome is OFFER_OUTCOME_ACCEPTED."""
        return await self._answer(offer.offer_id, True)

    async def decline(self, offer: Offer) -> OfferEnded:
        return await self._answer(offer.offer_id, False)

    async def arrived(self, trip_id: str) -> Plan:
        """Reports the arrival at the pick-up. Like the following methods, returns the plan that shows the
        step, or raises CommandRejected."""
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
        """Gives up a trip before its pick-up."""
        checks.check_id(trip_id, "give_up.trip_id")
        checks.check_text(reason, checks.MAX_TEXT, "give_up.reason")
        give_up = GiveUp(trip_id=trip_id, reason=reason, cause=cause)
        return cast(Plan, await self._stream.command(DriveRequest(give_up=give_up)))

    async def end_shift(self) -> None:
        """Ends the session, and then the iteration. Raises CommandRejected while the driver has a plan."""
        await self._stream.command(DriveRequest(end_shift=EndShift()))

    async def _answer(self, offer_id: str, accept: bool) -> OfferEnded:
        checks.check_id(offer_id, "offer_answer.offer_id")
        answer = OfferAnswer(offer_id=offer_id, accept=accept)
        return cast(OfferEnded, await self._stream.command(DriveRequest(offer_answer=answer)))

    async def _step(self, trip_id: str, action: StopAction.ValueType) -> Plan:
        checks.check_id(trip_id, "stop_update.trip_id")
        update = StopUpdate(trip_id=trip_id, action=action)
        return cast(Plan, await self._stream.command(DriveRequest(stop_update=update)))
