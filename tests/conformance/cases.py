"""The cases: what every library has to do with the real services."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

import grpc

from adapter import Failed
from case import Case, Driver, token_id
from gate import Gate
from ridestream.dispatch.v1.dispatch_pb2 import (
    GOODBYE_REASON_MARKET_MOVED,
    STOP_ACTION_ARRIVED,
    STOP_ACTION_DROPPED_OFF,
    STOP_ACTION_PICKED_UP,
    DriveRequest,
    DriveResponse,
    Goodbye,
    StopAction,
)
from services import free_port


async def refusal(awaitable: Any) -> Failed:
    try:
        result = await awaitable
    except Failed as error:
        return error
    raise AssertionError(f"an error was due, but {result} came")


async def refused_with(awaitable: Any, code: str) -> Failed:
    error = await refusal(awaitable)
    assert error.code == code, f"{code} was due, but {error} came"
    return error


async def ended_with(driver: Driver, code: str) -> None:
    error = await driver.wait("ended")
    assert error and error["code"] == code, f"{code} was due, but {error} came"


async def its_examples(case: Case) -> None:
    """Runs the programs of the library's README: a driver who accepts every offer, a rider who goes home."""
    driver, rider, folder = case.examples

    async def start(command: list[str], caller: str, *places: float) -> asyncio.subprocess.Process:
        reach = {
            "RIDESTREAM_ADDRESS": case.gate.address,
            "RIDESTREAM_ROOTS": str(case.services.authority / "authority.pem"),
            "RIDESTREAM_TOKEN_FILE": str(await case.token_file(caller)),
            "GRPC_VERBOSITY": "NONE",
        }
        return await asyncio.create_subprocess_exec(
            *command,
            *map(str, places),
            cwd=folder,
            env={**os.environ, **reach},
            stdout=asyncio.subprocess.PIPE,
        )

    driving = await start(driver, "driver/grace", *case.pickup)
    try:
        going = await start(rider, "rider/ada", *case.pickup, *case.dropoff)
        out, _ = await going.communicate()
        assert going.returncode == 0 and b"COMPLETED Grace" in out, out.decode()
    finally:
        driving.kill()
        await driving.communicate()


async def a_ride(case: Case) -> None:
    driver, rider = await case.driver(), await case.rider()
    await driver.wait("connected", lambda data: not data["resumed"])
    trip_id = await rider.begin()
    offer = await driver.wait("offer")
    assert (await driver.do("accept", offer["offerId"]))["outcome"] == "OFFER_OUTCOME_ACCEPTED"
    assigned = await rider.wait(trip_id, "ASSIGNED")
    assert assigned["trip"]["driver"]["name"] == "Grace", assigned
    await driver.do("arrived", trip_id)
    await driver.do("picked_up", trip_id)
    await rider.wait(trip_id, "ABOARD")
    changed = await rider.call(
        "change", trip_id=trip_id, dropoff=case.pickup, request_id=case.fresh("change")
    )
    assert changed["tripId"] == trip_id
    await driver.wait("plan", lambda plan: plan["cause"] == "PLAN_CAUSE_DESTINATION_CHANGED")
    await refused_with(driver.do("end_shift"), "FAILED_PRECONDITION")
    plan = await driver.do("dropped_off", trip_id)
    assert not plan.get("stops"), plan
    await rider.wait(trip_id, "COMPLETED")
    assert await case.adapter.wait(trip_id, "ended") is None
    await driver.do("end_shift")
    assert await driver.wait("ended") is None


async def a_ride_that_ends_otherwise(case: Case) -> None:
    driver, rider = await case.driver(), await case.rider()
    trip_id = await rider.begin()
    offer = await driver.wait("offer")
    assert (await rider.cancel(trip_id))["state"] == "TRIP_STATE_CANCELLED"
    ended = await driver.wait("offer_ended")
    assert ended["outcome"] == "OFFER_OUTCOME_RIDER_CANCELLED", ended
    # A late answer gets the same outcome, which the app has already received.
    assert await driver.do("accept", offer["offerId"]) == ended
    trip_id = await rider.begin()
    offer = await driver.wait("offer")
    await driver.do("accept", offer["offerId"])
    plan = await driver.do("give_up", trip_id)
    assert not plan.get("stops"), plan
    ends = [end["tripId"] for end in driver.events("offer_ended")]
    assert ends == [trip_id], "the end of an offer was reported twice"
    await rider.wait(trip_id, "REQUESTED")
    await rider.cancel(trip_id)
    assert await case.adapter.wait(trip_id, "ended") is None


def _up(kind: str, action: StopAction.ValueType | None = None) -> Callable[[Any], bool]:
    def is_it(message: Any) -> bool:
        if not isinstance(message, DriveRequest) or message.WhichOneof("message") != kind:
            return False
        return action is None or message.stop_update.action == action

    return is_it


def _down(kind: str) -> Callable[[Any], bool]:
    return lambda message: isinstance(message, DriveResponse) and message.WhichOneof("message") == kind


#: The message at which the connection breaks, and whether that message still passes.
POINTS = {
    "an offer that doesn't arrive": (_down("offer"), False),
    "an offer that just arrived": (_down("offer"), True),
    "an answer that gets lost": (_up("offer_answer"), False),
    "an answer that just passed": (_up("offer_answer"), True),
    "the offer's end, lost": (_down("offer_ended"), False),
    "the offer's end": (_down("offer_ended"), True),
    "a plan, lost": (_down("plan"), False),
    "a plan": (_down("plan"), True),
    "an ack, lost": (_up("ack"), False),
    "arrival, lost": (_up("stop_update", STOP_ACTION_ARRIVED), False),
    "arrival": (_up("stop_update", STOP_ACTION_ARRIVED), True),
    "pick-up, lost": (_up("stop_update", STOP_ACTION_PICKED_UP), False),
    "pick-up": (_up("stop_update", STOP_ACTION_PICKED_UP), True),
    "drop-off, lost": (_up("stop_update", STOP_ACTION_DROPPED_OFF), False),
    "drop-off": (_up("stop_update", STOP_ACTION_DROPPED_OFF), True),
}


class Strike:
    """Cuts the connection once, at a given message."""

    def __init__(self, gate: Gate, is_it: Callable[[Any], bool], passes: bool):
        self.done = False
        self._gate = gate
        self._is_it = is_it
        self._passes = passes
        self._blocks = False

    def __call__(self, message: Any) -> list[Any]:
        if self._blocks:
            return []
        if self.done or not self._is_it(message):
            return [message]
        self.done = self._blocks = True
        # Cuts only after the message has been sent, if it passes.
        asyncio.get_running_loop().call_later(0.01, self._cut)
        return [message] if self._passes else []

    def _cut(self) -> None:
        self._gate.tcp.cut()
        self._blocks = False


async def resume_at_each_point(case: Case) -> None:
    driver, rider = await case.driver(), await case.rider()
    await driver.wait("connected")
    for name, (is_it, passes) in POINTS.items():
        strike = Strike(case.gate, is_it, passes)
        case.gate.up = case.gate.down = strike
        try:
            await case.ride(driver, rider)
            await driver.wait("connected", lambda data: data["resumed"])
        except (AssertionError, Failed, TimeoutError) as error:
            raise AssertionError(f"{name}: {error}") from error
        assert strike.done, f"{name}: never came"
    assert len(case.gate.streams) == len(POINTS) + 1, f"{len(case.gate.streams)} streams"


async def acks_lost_and_repeated(case: Case) -> None:
    driver, rider = await case.driver(), await case.rider()
    # Without acks, pushes that are repeated after a resume are not reported again.
    case.gate.up = lambda message: [] if message.HasField("ack") else [message]
    trip_id = await case.ride(driver, rider)
    case.gate.tcp.cut()
    await driver.wait("connected", lambda data: data["resumed"])
    # Sends everything twice, in both directions.
    case.gate.up = lambda message: [message] if message.HasField("hello") else [message, message]
    case.gate.down = lambda message: [message, message] if message.sequence else [message]
    await case.ride(driver, rider)
    last = case.gate.streams[-1]
    pushed = max(message.sequence for message in last.down)
    await case.gate.wait(
        lambda: max(message.ack.sequence for message in last.up) == pushed, f"ack of {pushed}"
    )
    offers = [offer["tripId"] for offer in driver.events("offer")]
    assert trip_id not in offers, "an offer was told twice"
    ends = [end["offerId"] for end in driver.events("offer_ended")]
    assert len(ends) == len(set(ends)), "the end of an offer was reported twice"


async def a_second_phone(case: Case) -> None:
    person = case.fresh("person")
    rider = await case.rider()
    first = await case.driver(person)
    await first.wait("connected")
    second = await case.driver(person)
    await second.wait("connected")
    error = await first.wait("ended")
    assert error and error["code"] == "ABORTED", error
    assert (await refusal(first.do("end_shift"))).kind in ("status", "stopped")
    await case.ride(second, rider)
    assert case.gate.calls.count("Drive") == 2, "the first phone came back"


async def parallel_repeats(case: Case) -> None:
    driver, rider = await case.driver(), await case.rider()
    quote_id = (await rider.quote())["quoteId"]
    trips = await asyncio.gather(*(rider.request(quote_id, "same") for _ in range(8)))
    assert len({trip["tripId"] for trip in trips}) == 1, trips
    trip_id = trips[0]["tripId"]
    offer = await driver.wait("offer")
    ends = await asyncio.gather(*(driver.do("accept", offer["offerId"]) for _ in range(8)))
    assert {end["outcome"] for end in ends} == {"OFFER_OUTCOME_ACCEPTED"}, ends
    await asyncio.gather(*(driver.do("arrived", trip_id) for _ in range(4)))
    ended = await asyncio.gather(*(rider.cancel(trip_id, "same") for _ in range(4)))
    assert {trip["version"] for trip in ended} == {ended[0]["version"]}, ended
    # The rider's connection breaks during each call.
    quote_id = (await rider.quote())["quoteId"]
    asyncio.get_running_loop().call_later(0.005, case.gate.tcp.cut)
    trips = await asyncio.gather(*(rider.request(quote_id, "again") for _ in range(8)))
    assert len({trip["tripId"] for trip in trips}) == 1, trips
    await rider.cancel(trips[0]["tripId"])


async def errors_of_riders(case: Case) -> None:
    rider, other = await case.rider(), await case.rider()
    quote = await rider.quote()
    trip = await rider.request(quote["quoteId"], "one")
    await refused_with(rider.request(quote["quoteId"], "one", note="another"), "ALREADY_EXISTS")
    await refused_with(rider.request((await rider.quote())["quoteId"]), "FAILED_PRECONDITION")
    await refused_with(rider.request("no-such-quote"), "NOT_FOUND")
    await refused_with(other.cancel(trip["tripId"]), "PERMISSION_DENIED")
    await refused_with(rider.quote(pickup=(80.0, 0.0)), "INVALID_ARGUMENT")
    await rider.call("watch", trip_id="no-such-trip", watch="none")
    assert (await case.adapter.wait("none", "ended"))["code"] == "NOT_FOUND"
    # Calls that the library rejects before sending, with the service's messages.
    calls = len(case.gate.calls)
    for refused, words in (
        (rider.quote(market="a b"), "market: must be 1 to 64 characters of [A-Za-z0-9._:-], has 3 bytes"),
        (rider.quote(party_size=9), "party_size: must be 1 to 8, is 9"),
        (rider.quote(pickup=(91.0, 0.0)), "pickup.lat_e7: must be -900000000 to 900000000, is 910000000"),
        (rider.request("q", "x", note="n" * 257), "note: must have at most 256 characters"),
        (rider.request("q", "x", note="\x07"), "note: must not contain the control character U+0007"),
    ):
        assert (error := await refused_with(refused, "INVALID_ARGUMENT")).message == words, error
    assert len(case.gate.calls) == calls, "a call was made"
    await rider.cancel(trip["tripId"])


async def errors_of_drivers(case: Case) -> None:
    person = case.fresh("person")
    driver = await case.driver(person)
    await refused_with(driver.do("arrived", "no-such-trip"), "NOT_FOUND")
    ended = await driver.do("accept", "no-such-offer")
    assert ended["outcome"] == "OFFER_OUTCOME_WITHDRAWN", ended
    elsewhere = await case.driver(person, market="elsewhere")
    await ended_with(elsewhere, "FAILED_PRECONDITION")
    # A driver whose device has lost the session can still end it and start elsewhere at once.
    again = await case.driver(person)
    await ended_with(driver, "ABORTED")
    await again.do("end_shift")
    assert await again.wait("ended") is None
    elsewhere = await case.driver(person, market="elsewhere")
    await elsewhere.wait("connected")
    await elsewhere.do("end_shift")
    nowhere = await case.driver(market="nowhere")
    await ended_with(nowhere, "FAILED_PRECONDITION")
    rider_token = await case.token_file("rider/no-driver")
    no_driver = await case.driver(token_file=rider_token)
    await ended_with(no_driver, "PERMISSION_DENIED")
    calls = len(case.gate.calls)
    error = await refused_with(case.driver(seats=9), "INVALID_ARGUMENT")
    assert error.message == "hello.seats: must be 1 to 8, is 9", error
    assert len(case.gate.calls) == calls, "a call was made"


async def errors_that_pass(case: Case) -> None:
    """One UNAVAILABLE and one error with a requested pause: the library retries."""
    tries: list[tuple[str, float]] = []
    rider = await case.rider()
    await rider.quote()

    async def answer(method: str, requests: Any, context: Any) -> None:
        tries.append((method, time.monotonic()))
        if len(tries) == 1:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        if len(tries) == 2:
            case.gate.answer = None
            pause = (("retry-after-ms", "700"),)
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many", pause)

    case.gate.answer = answer
    await rider.quote()
    paused = time.monotonic() - tries[1][1]
    assert paused >= 0.7, f"tried again after {paused:.2f} s instead of 0.7 s"

    tries.clear()
    case.gate.answer = answer
    driver = await case.driver()
    assert (await driver.wait("disconnected"))["code"] == "UNAVAILABLE"
    assert (await driver.wait("disconnected"))["code"] == "RESOURCE_EXHAUSTED"
    await driver.wait("connected")
    paused = time.monotonic() - tries[1][1]
    assert paused >= 0.7, f"connected again after {paused:.2f} s instead of 0.7 s"
    await case.ride(driver, rider)

    # Without a pause, the message is too large, so the library must not retry.
    async def too_large(method: str, requests: Any, context: Any) -> None:
        tries.append((method, time.monotonic()))
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too large")

    tries.clear()
    case.gate.answer = too_large
    await refused_with(rider.quote(), "RESOURCE_EXHAUSTED")
    assert len(tries) == 1, tries
    case.gate.answer = None


async def a_token_that_ends(case: Case) -> None:
    person = case.fresh("person")
    tokens = await case.token_file(f"driver/{person}")
    driver, rider = await case.driver(person, token_file=tokens), await case.rider()
    await driver.wait("connected")
    trip_id = await rider.begin()
    offer = await driver.wait("offer")
    await driver.do("accept", offer["offerId"])
    old = token_id(tokens)
    tokens.write_text(await case.services.token(f"driver/{person}"))
    case.services.revoke(old)
    await driver.wait("connected", lambda data: data["resumed"])
    for command in ("arrived", "picked_up", "dropped_off"):
        await driver.do(command, trip_id)
    # The token source returns the same token: the call must end, without an endless loop.
    case.services.revoke(token_id(tokens))
    error = await driver.wait("ended")
    assert error and error["code"] == "UNAUTHENTICATED", error


async def a_slow_reader(case: Case) -> None:
    driver, rider = await case.driver(), await case.rider()
    await driver.wait("connected")
    await driver.read(False)

    async def push_two(number: int) -> None:
        trip = await rider.request((await rider.quote())["quoteId"])
        before = case.gate.streams[0].down

        def is_told() -> bool:
            offers = sum(m.HasField("offer") for m in before)
            return offers > number or len(case.gate.streams) > 1

        await case.gate.wait(is_told, f"offer {number}")
        await rider.cancel(trip["tripId"])

    # Each ride has two pushes, and at most 64 pushes may be unacked.
    for number in range(34):
        if len(case.gate.streams) > 1:
            break
        await push_two(number)
    await case.gate.wait(lambda: len(case.gate.streams) > 1, "new stream")
    await driver.read(True)
    await driver.wait("connected", lambda data: not data["resumed"])
    await case.ride(driver, rider)


async def a_slow_handshake(case: Case) -> None:
    """A handshake that takes longer than a call's deadline of 2 s must still succeed."""
    case.gate.tcp.handshake_delay_s = 1.5
    rider = await case.rider(patience_s=40)
    await rider.quote()
    assert case.gate.tcp.connections == 1, f"{case.gate.tcp.connections} connections"
    driver = await case.driver()
    await driver.wait("connected")
    assert case.gate.tcp.connections == 2, f"{case.gate.tcp.connections} connections"


async def a_market_that_moves(case: Case) -> None:
    """The driver follows redirects, and returns to the first address if the new one doesn't answer."""
    here, there = case.gate, await case.another_gate()
    driver, rider = await case.driver(), await case.rider()
    await driver.wait("connected")

    def send_away(address: str) -> None:
        """Replaces the next message, once, by a Goodbye."""
        goodbye = Goodbye(reason=GOODBYE_REASON_MARKET_MOVED, address=address)
        goodbye.reconnect_after.FromMilliseconds(100)

        def say_goodbye(message: DriveResponse) -> list[DriveResponse]:
            here.down = lambda message: [message]
            return [DriveResponse(goodbye=goodbye)]

        here.down = say_goodbye

    # Redirect by a Goodbye.
    send_away(there.address)
    trip_id = await rider.begin()
    await driver.wait("connected", lambda data: data["resumed"])
    assert there.calls == ["Drive"], there.calls
    offer = await driver.wait("offer")
    await driver.do("accept", offer["offerId"])

    # Immediate redirect by a refusal.
    async def refuse(method: str, requests: Any, context: Any) -> None:
        elsewhere = (("retry-after-ms", "600000"), ("ridestream-address", here.address))
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "another process decides", elsewhere)

    there.answer = refuse
    there.tcp.cut()
    await driver.wait("connected", lambda data: data["resumed"])
    assert there.calls == ["Drive", "Drive"], there.calls
    for command in ("arrived", "picked_up", "dropped_off"):
        await driver.do(command, trip_id)
    await rider.wait(trip_id, "COMPLETED")

    # Return from an address that doesn't answer.
    send_away(f"127.0.0.1:{free_port()}")
    await rider.begin()
    await driver.wait("connected", lambda data: data["resumed"])
    await driver.wait("offer")


async def silence_and_delay(case: Case) -> None:
    driver, rider = await case.driver(), await case.rider(patience_s=30)
    await driver.wait("connected")
    case.gate.tcp.delay_s = 0.15
    await case.ride(driver, rider)
    case.gate.tcp.delay_s = 0
    case.gate.tcp.silence()
    # Twice the heartbeat interval of 2 s, and sooner than the 30 s of gRPC's own keepalive.
    began = time.monotonic()
    assert (await driver.wait("disconnected"))["code"] == "DEADLINE_EXCEEDED"
    took = time.monotonic() - began
    assert took < 20, f"silence was noticed after {took:.1f} s"
    await driver.wait("connected", lambda data: data["resumed"])
    await case.ride(driver, rider)


async def drain_and_kill(case: Case) -> None:
    """Runs alone, because it stops the services."""
    driver, rider = await case.driver(), await case.rider(patience_s=60)
    trip_id = await rider.begin()
    offer = await driver.wait("offer")
    await driver.do("accept", offer["offerId"])
    await driver.do("arrived", trip_id)
    await case.services.drain("dispatch")
    await driver.wait("disconnected")
    step = asyncio.create_task(driver.do("picked_up", trip_id))
    await case.services.start_one("dispatch")
    await driver.wait("connected", lambda data: not data["resumed"])
    await step
    await case.services.kill("dispatch")
    step = asyncio.create_task(driver.do("dropped_off", trip_id))
    await case.services.start_one("dispatch")
    await step
    await rider.wait(trip_id, "COMPLETED")
    assert await case.adapter.wait(trip_id, "ended") is None
    quote_id = (await rider.quote())["quoteId"]
    same = [asyncio.create_task(rider.request(quote_id, "same")) for _ in range(4)]
    await case.gate.wait(lambda: "RequestTrip" in case.gate.calls[-4:], "request")
    await case.services.kill("trip")
    await case.services.start_one("trip")
    trips = await asyncio.gather(*same)
    assert len({trip["tripId"] for trip in trips}) == 1, trips
    goodbyes = [m for s in case.gate.streams for m in s.down if m.HasField("goodbye")]
    assert len(goodbyes) == 1, f"{len(goodbyes)} Goodbyes"
