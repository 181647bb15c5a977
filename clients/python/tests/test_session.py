import asyncio

import grpc
import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration

from ridestream import Connected, ProtocolError
from ridestream.commands import Commands
from ridestream.connection import Backoff, Route
from ridestream.dispatch.v1.dispatch_pb2 import (
    OFFER_OUTCOME_ACCEPTED,
    STOP_ACTION_ARRIVED,
    AnsweredCommand,
    DriveRequest,
    DriveResponse,
    GiveUp,
    Hello,
    Offer,
    OfferEnded,
    Plan,
    Snapshot,
    StopUpdate,
    Welcome,
)
from ridestream.errors import status_of
from ridestream.session import Session


def welcome(epoch: int, *, resumed: bool = False, snapshot: Snapshot | None = None) -> DriveResponse:
    return DriveResponse(
        welcome=Welcome(
            session_id="s",
            driver_id="d",
            epoch=epoch,
            resumed=resumed,
            report_every=Duration(seconds=4),
            heartbeat=Duration(seconds=7),
            clock_rate=1,
            snapshot=snapshot,
        )
    )


def offer(sequence: int, offer_id: str = "o") -> DriveResponse:
    return DriveResponse(sequence=sequence, offer=Offer(offer_id=offer_id, trip_id="t", driver_id="d"))


def plan(sequence: int, version: int) -> DriveResponse:
    return DriveResponse(sequence=sequence, plan=Plan(driver_id="d", version=version))


def connected_session() -> Session:
    session = Session()
    session.on_welcome(welcome(1))
    assert isinstance(session.take(), Connected)
    return session


def test_push_is_acked_when_the_app_has_taken_it() -> None:
    session = connected_session()
    session.on_push(offer(1))
    assert session.ack == 0
    assert session.take() == offer(1).offer
    assert session.ack == 1


def test_push_of_an_unknown_kind_is_acked_after_the_pushes_before_it() -> None:
    session = connected_session()
    session.on_push(DriveResponse(sequence=1))
    assert session.ack == 1
    session.on_push(offer(2))
    session.on_push(DriveResponse(sequence=3))
    assert session.ack == 1
    session.take()
    assert session.ack == 3


def test_resume_lists_received_pushes_that_the_app_has_not_taken() -> None:
    session = connected_session()
    session.on_push(offer(1))
    session.on_push(plan(2, version=7))
    resume = session.hello(Hello(market="m")).resume
    assert (resume.session_id, resume.epoch, resume.last_sequence, resume.plan_version) == ("s", 1, 2, 7)


def test_nothing_is_reported_twice_after_a_resume() -> None:
    session = connected_session()
    session.on_push(offer(1))
    session.take()
    snapshot = Snapshot(plan=Plan(driver_id="d", version=9), offer=offer(0).offer)
    session.on_welcome(welcome(2, resumed=True, snapshot=snapshot))
    session.on_push(offer(1))
    session.on_push(plan(2, version=8))
    assert isinstance(session.take(), Connected)
    assert session.take() == Plan(driver_id="d", version=9)
    assert session.take() is None
    assert session.ack == 2


def test_new_session_drops_pushes_that_the_app_has_not_taken() -> None:
    session = connected_session()
    session.on_push(offer(1))
    session.on_welcome(welcome(2))
    assert isinstance(session.take(), Connected)
    assert session.take() is None
    assert session.offer is None
    session.on_push(plan(1, version=1))
    assert session.take() == Plan(driver_id="d", version=1)


def test_end_of_an_offer_is_reported_once() -> None:
    session = connected_session()
    session.on_push(offer(1))
    ended = OfferEnded(offer_id="o", trip_id="t", outcome=OFFER_OUTCOME_ACCEPTED)
    session.on_push(DriveResponse(sequence=2, offer_ended=ended))
    session.on_push(DriveResponse(sequence=3, offer_ended=ended))
    assert session.take() == offer(1).offer
    assert session.take() == ended
    assert session.take() is None


def test_only_the_newest_plan_is_reported() -> None:
    session = connected_session()
    for number in range(1, 60):
        session.on_push(plan(number, version=number))
    assert session.take() == Plan(driver_id="d", version=59)
    assert session.take() is None
    assert session.ack == 59


def test_too_many_unacked_pushes_are_a_protocol_error() -> None:
    session = connected_session()
    with pytest.raises(ProtocolError):
        for number in range(1, 1_000):
            session.on_push(offer(number, f"o-{number}"))


def test_pauses_double_up_to_eight_seconds() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.pause() for _ in range(6)] == [0.5, 1, 2, 4, 8, 8]
    assert backoff.pause(2.0) == 2.5
    backoff.reset()
    assert backoff.pause() == 0.5


def test_plan_of_another_driver_is_a_protocol_error() -> None:
    session = connected_session()
    with pytest.raises(ProtocolError, match="driver_id"):
        session.on_push(DriveResponse(sequence=1, plan=Plan(driver_id="d-2", version=1)))


def test_known_offer_for_another_driver_is_a_protocol_error() -> None:
    session = connected_session()
    session.on_push(offer(1))
    again = offer(2)
    again.offer.driver_id = "d-2"
    with pytest.raises(ProtocolError, match="driver_id"):
        session.on_push(again)


def test_plan_settles_the_commands_that_it_names() -> None:
    async def run() -> None:
        commands = Commands()
        arrived = StopUpdate(trip_id="t", action=STOP_ACTION_ARRIVED)
        step = commands.add(DriveRequest(stop_update=arrived))
        give_up = commands.add(DriveRequest(give_up=GiveUp(trip_id="t", reason="flat tyre")))
        newest = Plan(version=3)
        commands.on_push(DriveResponse(plan=Plan()), newest)  # The rider caused this plan.
        assert not step.done()
        assert not give_up.done()
        commands.on_push(DriveResponse(plan=Plan(answers=[AnsweredCommand(stop_update=arrived)])), newest)
        assert step.result() == newest
        assert not give_up.done()
        commands.on_push(DriveResponse(plan=Plan(answers=[AnsweredCommand(given_up_trip_id="t")])), newest)
        assert give_up.result() == newest

    asyncio.run(run())


def test_errors_contain_the_market_and_address_to_use_instead() -> None:
    trailers = grpc.aio.Metadata(
        ("retry-after-ms", "500"), ("ridestream-market", "porto"), ("ridestream-address", "10.0.0.7:7003")
    )
    refused = grpc.StatusCode.FAILED_PRECONDITION
    error = status_of(grpc.aio.AioRpcError(refused, grpc.aio.Metadata(), trailers, "elsewhere"))
    assert (error.market, error.address, error.retry_after_s) == ("porto", "10.0.0.7:7003", 0.5)
    error = status_of(grpc.aio.AioRpcError(refused, grpc.aio.Metadata(), grpc.aio.Metadata(), "not here"))
    assert (error.market, error.address, error.retry_after_s) == ("", "", None)


def test_route_alternates_between_two_addresses_until_a_welcome() -> None:
    route = Route("home:1")
    route.on_end("")
    assert route.address == "home:1"
    assert route.on_end("other:2")
    assert not route.on_end("third:3"), "a second redirect without a Welcome"
    assert route.address == "third:3"
    route.on_end("")
    assert route.address == "home:1"
    route.on_end("")
    assert route.address == "third:3"
    route.on_welcome()
    route.on_end("")
    assert route.address == "third:3", "left an address that had sent a Welcome"
    route.on_welcome()
    assert route.on_end("[::1]:4"), "a first redirect after a Welcome"


@pytest.mark.parametrize("named", ["nowhere", "unix:///tmp/x", "a b:1", ":1", "host:1\n"])
def test_route_refuses_an_invalid_address(named: str) -> None:
    with pytest.raises(ProtocolError, match="isn't host:port"):
        Route("home:1").on_end(named)
