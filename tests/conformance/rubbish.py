"""Cases of a server that sends invalid data: expect a clear error, no crash and no endless loop."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from case import Case
from cases import refusal
from ridestream.dispatch.v1.dispatch_pb2 import (
    DriveRequest,
    DriveResponse,
    Goodbye,
    Heartbeat,
    Offer,
    OfferEnded,
    Plan,
    Welcome,
)
from ridestream.trip.v1.trip_pb2 import QuoteTripResponse, Trip, WatchTripResponse

NOT_PROTOBUF = b"\xff\xff\xff\xff"
_epochs = itertools.count(1)


def welcome(**other: Any) -> DriveResponse:
    fields: dict[str, Any] = {
        "session_id": "s-1",
        "driver_id": "d-1",
        "epoch": next(_epochs),
        "report_every": Duration(seconds=1),
        "heartbeat": Duration(seconds=2),
        "clock_rate": 1.0,
        "server_time": Timestamp(seconds=1_800_000_000),
    }
    return DriveResponse(welcome=Welcome(**{**fields, **other}))


def offer(sequence: int) -> DriveResponse:
    return DriveResponse(
        sequence=sequence, offer=Offer(offer_id=f"o-{sequence}", trip_id="t-1", driver_id="d-1")
    )


def rubbish() -> dict[str, list[DriveResponse | bytes]]:
    return {
        "bytes that are no message": [NOT_PROTOBUF],
        "bytes after a Welcome": [welcome(), NOT_PROTOBUF],
        "an offer before the Welcome": [offer(1)],
        "a message without a kind": [DriveResponse()],
        "a session without an id": [welcome(session_id="")],
        "a session of nobody": [welcome(driver_id="")],
        "another driver's plan": [
            welcome(),
            DriveResponse(sequence=1, plan=Plan(version=1, driver_id="d-2")),
        ],
        "another driver's offer": [
            welcome(),
            DriveResponse(sequence=1, offer=Offer(offer_id="o-1", trip_id="t-1", driver_id="d-2")),
        ],
        "a session that was never asked for": [welcome(resumed=True)],
        "positions without a pause": [welcome(report_every=Duration())],
        "a negative heartbeat": [welcome(heartbeat=Duration(seconds=-1))],
        "a clock that stands": [welcome(clock_rate=0.0)],
        "a clock that is no number": [welcome(clock_rate=float("nan"))],
        "two Welcomes": [welcome(), welcome()],
        "a gap in the sequence": [welcome(), offer(1), offer(3)],
        "an offer without a sequence": [welcome(), offer(0)],
        "an offer of nothing": [welcome(), DriveResponse(sequence=1, offer=Offer(driver_id="d-1"))],
        "a pause of a year": [
            welcome(),
            DriveResponse(goodbye=Goodbye(reconnect_after=Duration(seconds=31_536_000))),
        ],
        "another place that is none": [
            welcome(),
            DriveResponse(goodbye=Goodbye(address="unix:///tmp/another")),
        ],
        "a pause below zero": [
            welcome(),
            DriveResponse(goodbye=Goodbye(reconnect_after=Duration(seconds=-5))),
        ],
    }


async def rubbish_to_drivers(case: Case) -> None:
    for name in rubbish():
        case.gate.calls.clear()

        async def answer(method: str, requests: Any, context: Any, name: str = name) -> None:
            await anext(requests)
            for message in rubbish()[name]:  # Each stream has a larger epoch.
                await context.write(message if isinstance(message, bytes) else message.SerializeToString())
            await asyncio.sleep(60)

        case.gate.answer = answer
        driver = await case.driver()
        try:
            error = await driver.wait("ended")
        except AssertionError as late:
            raise AssertionError(f"{name}: {late}") from late
        assert error and error["message"] and error["kind"] != "bug", f"{name}: {error}"
        assert len(case.gate.calls) <= 5, f"{name}: {len(case.gate.calls)} streams"
        await driver.close()


async def faults_of_the_service(case: Case) -> None:
    """Repeated INTERNAL errors are retried a bounded number of times, then end the driver."""

    async def answer(method: str, requests: Any, context: Any) -> None:
        await context.abort(grpc.StatusCode.INTERNAL, "a fault")

    case.gate.answer = answer
    driver = await case.driver()
    error = await driver.wait("ended")
    assert error and error["code"] == "INTERNAL", error
    assert case.gate.calls.count("Drive") == 5, case.gate.calls


async def news_of_a_newer_service(case: Case) -> None:
    """Messages and values that the library doesn't know are acked and ignored."""
    acked = asyncio.Event()

    async def answer(method: str, requests: Any, context: Any) -> None:
        await anext(requests)
        ended = OfferEnded(offer_id="o-2", trip_id="t-1")
        ended.outcome = 77  # type: ignore[assignment]
        # Field 100 of the oneof: an empty message under the sequence 1.
        unknown = DriveResponse(sequence=1).SerializeToString() + b"\xa2\x06\x00"
        for message in (
            welcome(),
            unknown,
            offer(2),
            DriveResponse(sequence=3, offer_ended=ended),
            DriveResponse(sequence=4, plan=Plan(version=1, cause=99, driver_id="d-1")),  # type: ignore[arg-type]
            DriveResponse(heartbeat=Heartbeat()),
        ):
            await context.write(message if isinstance(message, bytes) else message.SerializeToString())
        async for data in requests:
            if DriveRequest.FromString(data).ack.sequence == 4:
                acked.set()

    case.gate.answer = answer
    driver = await case.driver()
    await driver.wait("offer")
    await driver.wait("offer_ended")
    async with asyncio.timeout(20):
        await acked.wait()
    assert not driver.events("ended")


async def an_end_in_mid_message(case: Case) -> None:
    """If the server isn't a gRPC server or disconnects within a message, retries back off."""
    came: list[float] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(asyncio.get_running_loop().time())
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 1000\r\n\r\nno")
        writer.transport.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    driver = await case.driver(address=address)
    for _ in range(3):
        assert (await driver.wait("disconnected"))["code"] in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    assert len(came) <= 12, f"{len(came)} connections for 3 tries"
    rider = await case.rider(address=address, patience_s=2)
    error = await refusal(rider.quote())
    assert error.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED"), error
    server.close()


async def rubbish_to_riders(case: Case) -> None:
    answers: list[bytes] = []

    async def answer(method: str, requests: Any, context: Any) -> None:
        await anext(requests)
        for data in answers:
            await context.write(data)

    case.gate.answer = answer
    rider = await case.rider(patience_s=3)
    for name, data in (
        ("bytes that are no message", [NOT_PROTOBUF]),
        ("a quote without an id", [QuoteTripResponse().SerializeToString()]),
        ("no answer", []),
    ):
        answers[:] = data
        error = await refusal(rider.quote())
        assert error.message and error.kind != "bug", f"{name}: {error}"
    for name, data in (
        ("another's trip", [WatchTripResponse(trip=Trip(trip_id="t-2")).SerializeToString()]),
        ("bytes in a watch", [NOT_PROTOBUF]),
    ):
        answers[:] = data
        watch = case.fresh("watch")
        await rider.call("watch", trip_id="t-1", watch=watch)
        error = await case.adapter.wait(watch, "ended")
        assert error and error["message"] and error["kind"] != "bug", f"{name}: {error}"
