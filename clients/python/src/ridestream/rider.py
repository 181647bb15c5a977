"""A rider's app: quote, request, watch, change, cancel."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TypeVar

import grpc
import grpc.aio

from ridestream import checks
from ridestream.common.v1.common_pb2 import LatLng
from ridestream.connection import Backoff, Connection, Metadata
from ridestream.errors import InvalidArgument, ProtocolError, status_of
from ridestream.market.v1.market_pb2 import ListMarketsRequest, ListMarketsResponse, Market
from ridestream.market.v1.market_pb2_grpc import MarketServiceStub
from ridestream.trip.v1.trip_pb2 import (
    CANCEL_REASON_CHANGED_MIND,
    CANCEL_REASON_NO_SHOW,
    TRIP_STATE_CANCELLED,
    TRIP_STATE_COMPLETED,
    TRIP_STATE_UNSERVED,
    CancelReason,
    CancelTripRequest,
    CancelTripResponse,
    ChangeDestinationRequest,
    ChangeDestinationResponse,
    GetTripRequest,
    GetTripResponse,
    QuoteTripRequest,
    QuoteTripResponse,
    RequestTripRequest,
    RequestTripResponse,
    Trip,
    WatchTripRequest,
    WatchTripResponse,
)
from ridestream.trip.v1.trip_pb2_grpc import TripServiceStub

Code = grpc.StatusCode
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")

#: Statuses that are retried. All calls are idempotent, so this is safe if a response was lost. CANCELLED: a
#: proxy lost its connection to the service.
_AGAIN = {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED}
_FAULTS = {Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS}
_MAX_FAULTS = 5
_ENDED = {TRIP_STATE_COMPLETED, TRIP_STATE_CANCELLED, TRIP_STATE_UNSERVED}


class Rider:
    """A rider. Use it in a single event loop; any number of tasks may call it.

    Calls that may succeed later are retried for `patience_s`; then, and for every other status, they
    raise StatusError. Arguments that the service would refuse raise InvalidArgument before a call is sent.
    """

    def __init__(self, connection: Connection, *, patience_s: float = 30):
        self._connection = connection
        self._patience_s = patience_s
        self._channel: grpc.aio.Channel | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Rider:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close()
        await asyncio.gather(*self._closing)

    async def markets(self) -> list[Market]:
        """Returns the served markets and their bounds."""
        request = ListMarketsRequest()
        answer = await self._call(
            lambda channel: MarketServiceStub(channel).ListMarkets, request, ListMarketsResponse, 1
        )
        return list(answer.markets)

    async def quote(
        self, market: str, pickup: LatLng, dropoff: LatLng, *, party_size: int = 1, shared: bool = False
    ) -> QuoteTripResponse:
        """Returns the price of a ride. It is valid until `expires_at`."""
        checks.check_id(market, "market")
        checks.check_place(pickup, "pickup")
        checks.check_place(dropoff, "dropoff")
        checks.check_range(party_size, 1, checks.MAX_SEATS, "party_size")
        request = QuoteTripRequest(
            market=market, pickup=pickup, dropoff=dropoff, party_size=party_size, shared=shared
        )
        quote = await self._call(
            lambda channel: TripServiceStub(channel).QuoteTrip, request, QuoteTripResponse, 2, market
        )
        if not quote.quote_id:
            raise ProtocolError("quote_id: is empty")
        return quote

    async def request(
        self, quote_id: str, *, name: str = "", note: str = "", request_id: str | None = None
    ) -> Trip:
        """Requests the ride. An app that may be terminated meanwhile should choose and store a `request_id`:
        a repeated request with the same id returns the same trip."""
        request = RequestTripRequest(
            request_id=_id_or_new(request_id), quote_id=quote_id, rider_name=name, note=note
        )
        checks.check_id(request.request_id, "request_id")
        checks.check_id(quote_id, "quote_id")
        checks.check_text(name, checks.MAX_NAME, "rider_name")
        checks.check_text(note, checks.MAX_TEXT, "note")
        answer = await self._call(
            lambda channel: TripServiceStub(channel).RequestTrip, request, RequestTripResponse, 5
        )
        return _checked(answer.trip)

    async def cancel(
        self,
        trip_id: str,
        *,
        reason: CancelReason.ValueType = CANCEL_REASON_CHANGED_MIND,
        comment: str = "",
        request_id: str | None = None,
    ) -> Trip:
        request = CancelTripRequest(
            request_id=_id_or_new(request_id), trip_id=trip_id, reason=reason, comment=comment
        )
        checks.check_id(request.request_id, "request_id")
        checks.check_id(trip_id, "trip_id")
        if reason == 0 or reason not in CancelReason.values():
            known = "one of its named values other than UNSPECIFIED"
            raise InvalidArgument(f"reason: must be {known}, is {reason}")
        checks.check_text(comment, checks.MAX_TEXT, "comment")
        if reason == CANCEL_REASON_NO_SHOW:
            raise InvalidArgument("reason: NO_SHOW is set only where a driver releases a trip")
        answer = await self._call(
            lambda channel: TripServiceStub(channel).CancelTrip, request, CancelTripResponse, 5
        )
        return _checked(answer.trip, trip_id)

    async def change_destination(
        self, trip_id: str, dropoff: LatLng, *, request_id: str | None = None
    ) -> Trip:
        """Changes the destination, also during the ride. The returned trip has the new fare."""
        request = ChangeDestinationRequest(
            request_id=_id_or_new(request_id), trip_id=trip_id, dropoff=dropoff
        )
        checks.check_id(request.request_id, "request_id")
        checks.check_id(trip_id, "trip_id")
        checks.check_place(dropoff, "dropoff")
        answer = await self._call(
            lambda channel: TripServiceStub(channel).ChangeDestination,
            request,
            ChangeDestinationResponse,
            5,
        )
        return _checked(answer.trip, trip_id)

    async def get(self, trip_id: str) -> Trip:
        checks.check_id(trip_id, "trip_id")
        request = GetTripRequest(trip_id=trip_id)
        answer = await self._call(
            lambda channel: TripServiceStub(channel).GetTrip, request, GetTripResponse, 1
        )
        return _checked(answer.trip, trip_id)

    async def watch(self, trip_id: str) -> AsyncIterator[WatchTripResponse]:
        """Yields the trip now and at each change, until it has ended. Reconnects when the stream breaks, and
        skips states older than the last one."""
        checks.check_id(trip_id, "trip_id")
        backoff = Backoff()
        faults = 0
        version = 0
        refused: Metadata | None = None
        while True:
            metadata = await self._connection.metadata()
            # A new channel, because an existing one might reuse a half-open connection.
            channel = self._connection.open_channel()
            try:
                stub = TripServiceStub(channel)
                async for update in stub.WatchTrip(WatchTripRequest(trip_id=trip_id), metadata=metadata):
                    if not isinstance(update, WatchTripResponse):
                        raise ProtocolError("a message came that is no WatchTripResponse")
                    _checked(update.trip, trip_id)
                    backoff.reset()
                    faults = 0
                    if update.trip.version < version:
                        continue
                    version = update.trip.version
                    yield update
                    if update.trip.state in _ENDED:
                        return
                pause_s = None
            except grpc.aio.AioRpcError as rpc_error:
                error = status_of(rpc_error)
                faults = faults + 1 if error.code in _FAULTS else 0
                pause_s = error.retry_after_s
                fresh = error.code == Code.UNAUTHENTICATED and metadata != refused
                refused = metadata if fresh else refused
                may_help = fresh or error.code in _AGAIN or pause_s is not None
                if not (may_help or 0 < faults < _MAX_FAULTS):
                    raise error from None
            finally:
                await channel.close()
            await asyncio.sleep(backoff.pause(pause_s))

    async def _call(
        self,
        method: Callable[[grpc.aio.Channel], grpc.aio.UnaryUnaryMultiCallable[_Request, _Response]],
        request: _Request,
        kind: type[_Response],
        deadline_s: float,
        market: str | None = None,
    ) -> _Response:
        """Retries until the call succeeds, fails permanently, or patience ends. Each try has the method's
        deadline."""
        backoff = Backoff()
        end = time.monotonic() + self._patience_s
        refused: Metadata | None = None
        while True:
            left_s = end - time.monotonic()
            metadata = await self._connection.metadata(market)
            channel = self._open()
            try:
                timeout_s = max(0.001, min(deadline_s, left_s))
                response = await method(channel)(request, metadata=metadata, timeout=timeout_s)
            except grpc.aio.AioRpcError as rpc_error:
                error = status_of(rpc_error)
            else:
                if isinstance(response, kind):
                    return response
                raise ProtocolError(f"a message came that is no {kind.__name__}")
            pause_s = backoff.pause(error.retry_after_s)
            fresh = error.code == Code.UNAUTHENTICATED and metadata != refused
            refused = metadata if fresh else refused
            may_help = fresh or error.code in _AGAIN or error.retry_after_s is not None
            if not may_help or time.monotonic() + pause_s >= end:
                raise error
            is_open = channel.get_state() == grpc.ChannelConnectivity.READY
            if error.code == Code.DEADLINE_EXCEEDED and is_open:
                self._drop(channel)  # Its connection may be half-open.
            await asyncio.sleep(pause_s)

    def _open(self) -> grpc.aio.Channel:
        if self._channel is None:
            self._channel = self._connection.open_channel()
        return self._channel

    def _drop(self, channel: grpc.aio.Channel) -> None:
        if self._channel is not channel:
            return
        # Calls of other tasks on this channel may finish.
        task = asyncio.create_task(channel.close(grace=5))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._channel = None


def _id_or_new(request_id: str | None) -> str:
    return uuid.uuid4().hex if request_id is None else request_id


def _checked(trip: Trip, trip_id: str | None = None) -> Trip:
    if not trip.trip_id or (trip_id is not None and trip.trip_id != trip_id):
        raise ProtocolError(f"trip.trip_id: '{trip.trip_id}' came for '{trip_id or 'a new trip'}'")
    return trip
