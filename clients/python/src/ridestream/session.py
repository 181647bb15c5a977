"""The rules of a driver's session: the effect of each message, and which messages are sent again.

Without input and output, so that the rules can be tested separately.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration

from ridestream.dispatch.v1.dispatch_pb2 import (
    DriveResponse,
    Hello,
    Offer,
    OfferEnded,
    Plan,
    Rejected,
    Resume,
    WaitingPlace,
    Welcome,
)
from ridestream.errors import ProtocolError, StatusError


@dataclass(frozen=True)
class Connected:
    """The stream is open. If the session wasn't resumed, all earlier pushes are void."""

    resumed: bool
    session_id: str
    epoch: int


@dataclass(frozen=True)
class Disconnected:
    """The stream broke. The driver reconnects automatically."""

    error: StatusError
    retry_in_s: float


Event = Connected | Disconnected | Offer | OfferEnded | Plan | Rejected | WaitingPlace


def seconds(duration: Duration) -> float:
    return float(duration.seconds + duration.nanos / 1e9)


class Session:
    """A driver's session across its streams."""

    #: Number of ended offers to remember, so that each end is reported once.
    REMEMBERED_OFFERS = 64
    #: Bound of events that the app hasn't taken. The service ends a session with 64 unacked pushes, so a
    #: larger number is a protocol error.
    MAX_UNTAKEN = 256

    def __init__(self) -> None:
        self.welcome: Welcome | None = None
        self.plan: Plan | None = None
        self.offer: Offer | None = None
        self.last_sequence = 0
        #: The largest sequence that may be acked.
        self.ack = 0
        self._untaken: deque[tuple[int, Event | None]] = deque()
        self._ended: deque[str] = deque(maxlen=self.REMEMBERED_OFFERS)

    def resume(self) -> Resume | None:
        if self.welcome is None:
            return None
        return Resume(
            session_id=self.welcome.session_id,
            epoch=self.welcome.epoch,
            last_sequence=self.last_sequence,
            plan_version=self.plan.version if self.plan else 0,
        )

    def hello(self, hello: Hello) -> Hello:
        """Returns the first message of the next stream."""
        first = Hello()
        first.CopyFrom(hello)
        resume = self.resume()
        if resume is not None:
            first.resume.CopyFrom(resume)
        return first

    # Messages of the service.

    def on_welcome(self, message: DriveResponse) -> None:
        """Handles a stream's first message."""
        kind = message.WhichOneof("message")
        if kind != "welcome":
            raise ProtocolError(f"the first message must be welcome, is {kind or 'unknown'}")
        welcome = message.welcome
        self._check(welcome)
        self.welcome = welcome
        if not welcome.resumed:
            self.last_sequence = self.ack = 0
            self._untaken.clear()
            self.plan = self.offer = None
        self.tell(Connected(welcome.resumed, welcome.session_id, welcome.epoch))
        if welcome.snapshot.HasField("plan"):
            self._on_plan(0, welcome.snapshot.plan)
        if welcome.snapshot.HasField("offer"):
            self._on_offer(0, welcome.snapshot.offer)
        else:
            self.offer = None

    def on_push(self, message: DriveResponse, is_answer: bool = False) -> None:
        """Handles any later message except Goodbye. `is_answer`: a pending command receives this rejection,
        so the app needs no event."""
        kind = message.WhichOneof("message")
        if kind in ("welcome", "goodbye"):
            raise ProtocolError(f"{kind}: came where none is allowed")
        sequence = message.sequence
        if sequence == 0:
            if kind in ("offer", "offer_ended", "plan", "rejected", "waiting_place"):
                raise ProtocolError(f"{kind}: has no sequence")
            return
        if sequence > self.last_sequence + 1:
            raise ProtocolError(f"push {sequence} came after {self.last_sequence}")
        if sequence <= self.last_sequence:
            # A repeated push. Acks again what the app has taken.
            self.ack = max(self.ack, min(sequence, self._taken()))
            return
        self.last_sequence = sequence
        if kind == "offer":
            self._on_offer(sequence, message.offer)
        elif kind == "offer_ended":
            self._on_offer_ended(sequence, message.offer_ended)
        elif kind == "plan":
            self._on_plan(sequence, message.plan)
        elif kind == "rejected":
            self._tell(sequence, None if is_answer else message.rejected)
        elif kind == "waiting_place":
            self._tell(sequence, message.waiting_place)
        else:
            self._tell(sequence, None)

    def tell(self, event: Connected | Disconnected) -> None:
        """Adds a connection event, which replaces one that the app hasn't taken."""
        self._replace(Connected, Disconnected)
        self._tell(0, event)

    # Events for the app.

    def take(self) -> Event | None:
        """Returns the next event for the app, or None. A push is acked when the app has taken it."""
        while self._untaken:
            sequence, event = self._untaken.popleft()
            self.ack = max(self.ack, sequence)
            if event is not None:
                self._skip_silent()
                return event
        return None

    # Helpers.

    def _taken(self) -> int:
        first = next((sequence for sequence, _ in self._untaken if sequence), 0)
        return first - 1 if first else self.last_sequence

    def _replace(self, *kinds: type) -> None:
        """Removes events of these kinds that the app hasn't taken; their sequences are still acked."""
        kept = ((n, None if isinstance(event, kinds) else event) for n, event in self._untaken)
        self._untaken = deque((n, event) for n, event in kept if n or event is not None)

    def _skip_silent(self) -> None:
        while self._untaken and self._untaken[0][1] is None:
            self.ack = max(self.ack, self._untaken.popleft()[0])

    def _tell(self, sequence: int, event: Event | None) -> None:
        if len(self._untaken) >= self.MAX_UNTAKEN:
            raise ProtocolError(f"{self.MAX_UNTAKEN} pushes came without an ack")
        self._untaken.append((sequence, event))
        self._skip_silent()

    def _on_offer(self, sequence: int, offer: Offer) -> None:
        self._check_driver("offer", offer.driver_id)
        known = self.offer is not None and self.offer.offer_id == offer.offer_id
        if known or offer.offer_id in self._ended:
            return self._tell(sequence, None)
        if not offer.offer_id or not offer.trip_id:
            raise ProtocolError("offer: has no offer_id or no trip_id")
        self.offer = offer
        self._tell(sequence, offer)

    def _on_offer_ended(self, sequence: int, ended: OfferEnded) -> None:
        if self.offer is not None and self.offer.offer_id == ended.offer_id:
            self.offer = None
        if ended.offer_id in self._ended:
            return self._tell(sequence, None)
        self._ended.append(ended.offer_id)
        self._tell(sequence, ended)

    def _on_plan(self, sequence: int, plan: Plan) -> None:
        self._check_driver("plan", plan.driver_id)
        if self.plan is not None:
            older = plan.version < self.plan.version
            if older or (plan.version == self.plan.version and sequence != 0):
                return self._tell(sequence, None)
            if not plan.HasField("route") and plan.route_id == self.plan.route_id and plan.stops:
                whole = Plan()
                whole.CopyFrom(plan)
                whole.route.CopyFrom(self.plan.route)
                plan = whole
        self.plan = plan
        self._replace(Plan)
        self._tell(sequence, plan)

    def _check_driver(self, what: str, driver_id: str) -> None:
        """Raises ProtocolError if the message is for another driver."""
        mine = self.welcome.driver_id if self.welcome else ""
        if driver_id != mine:
            raise ProtocolError(f"{what}.driver_id: is of driver '{driver_id}', not of '{mine}'")

    def _check(self, welcome: Welcome) -> None:
        before = self.welcome
        if not welcome.session_id:
            raise ProtocolError("welcome.session_id: is empty")
        if not welcome.driver_id:
            raise ProtocolError("welcome.driver_id: is empty")
        if before is not None and welcome.epoch <= before.epoch:
            raise ProtocolError(f"welcome.epoch: {welcome.epoch} came after {before.epoch}")
        if welcome.resumed and (before is None or welcome.session_id != before.session_id):
            raise ProtocolError("welcome.resumed: another session than the one asked for")
        for name, duration in (
            ("report_every", welcome.report_every),
            ("heartbeat", welcome.heartbeat),
        ):
            if not 0.001 <= seconds(duration) <= 86_400:
                raise ProtocolError(f"welcome.{name}: must be 1 ms to 1 day")
        if not (math.isfinite(welcome.clock_rate) and 0.01 <= welcome.clock_rate <= 1_000):
            raise ProtocolError(f"welcome.clock_rate: is {welcome.clock_rate}")
