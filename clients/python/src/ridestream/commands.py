"""A driver's commands, and how their effects are recognized."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ridestream.dispatch.v1.dispatch_pb2 import (
    STOP_ACTION_ARRIVED,
    STOP_ACTION_PICKED_UP,
    STOP_KIND_DROP_OFF,
    STOP_KIND_PICK_UP,
    AnsweredCommand,
    DriveRequest,
    DriveResponse,
    OfferEnded,
    Plan,
    Rejected,
)
from ridestream.errors import CommandRejected, InvalidArgument, code_of

Key = tuple[str, ...]


def _key_of_answer(answer: AnsweredCommand) -> Key:
    if answer.HasField("given_up_trip_id"):
        return "give_up", answer.given_up_trip_id
    return "stop_update", answer.stop_update.trip_id, str(answer.stop_update.action)


def _key(message: DriveRequest | Rejected, kind: str | None) -> Key:
    if kind == "offer_answer":
        return kind, message.offer_answer.offer_id
    if kind == "stop_update":
        return kind, message.stop_update.trip_id, str(message.stop_update.action)
    if kind == "give_up":
        return kind, message.give_up.trip_id
    return (kind or "",)


def _shows(plan: Plan, request: DriveRequest) -> bool:
    """Returns whether the plan shows the effect of the command."""
    update = request.stop_update
    trip_id = update.trip_id or request.give_up.trip_id
    stops = [stop for stop in plan.stops if stop.trip_id == trip_id]
    if update.action == STOP_ACTION_ARRIVED:
        return not any(stop.kind == STOP_KIND_PICK_UP and not stop.arrived for stop in stops)
    if update.action == STOP_ACTION_PICKED_UP:
        return not any(stop.kind == STOP_KIND_PICK_UP for stop in stops)
    return not any(stop.kind == STOP_KIND_DROP_OFF for stop in stops)


@dataclass
class _Pending:
    request: DriveRequest
    future: asyncio.Future[OfferEnded | Plan | None]


class Commands:
    """Commands whose effect hasn't been seen yet. They are sent again after each Welcome."""

    def __init__(self) -> None:
        self._pending: dict[Key, _Pending] = {}

    def add(self, request: DriveRequest) -> asyncio.Future[OfferEnded | Plan | None]:
        """Adds the command, unless the same one is already pending."""
        key = _key(request, request.WhichOneof("message"))
        pending = self._pending.get(key)
        if pending is None:
            future = asyncio.get_running_loop().create_future()
            pending = _Pending(request, future)
            self._pending[key] = pending
        elif pending.request != request:
            raise InvalidArgument(f"{key[0]}: another answer to the same is under way")
        return pending.future

    def requests(self) -> list[DriveRequest]:
        return [pending.request for pending in self._pending.values()]

    def has(self, kind: str) -> bool:
        return (kind,) in self._pending

    def is_answer(self, message: DriveResponse) -> bool:
        """Returns whether the message rejects a pending command."""
        rejected = message.rejected
        key = _key(rejected, rejected.WhichOneof("command"))
        return message.HasField("rejected") and key in self._pending

    def on_push(self, message: DriveResponse, newest: Plan | None) -> None:
        """Resolves the commands that the message answers; `newest` is the current plan."""
        kind = message.WhichOneof("message")
        if kind == "rejected":
            rejected = message.rejected
            self._fail(
                _key(rejected, rejected.WhichOneof("command")),
                CommandRejected(code_of(rejected.code), rejected.message),
            )
        elif kind == "offer_ended":
            ended = message.offer_ended
            self._resolve(("offer_answer", ended.offer_id), ended)
        elif kind == "plan":
            for answer in message.plan.answers:
                self._resolve(_key_of_answer(answer), newest)

    def on_snapshot(self, plan: Plan) -> None:
        """Resolves commands whose effect the snapshot's plan shows; their answers may have been lost."""
        for key, pending in list(self._pending.items()):
            if key[0] in ("stop_update", "give_up") and _shows(plan, pending.request):
                self._resolve(key, plan)

    def shift_ended(self) -> None:
        self._resolve(("end_shift",), None)

    def fail_all(self, error: Exception) -> None:
        for key in list(self._pending):
            self._fail(key, error)

    def _resolve(self, key: Key, result: OfferEnded | Plan | None) -> None:
        pending = self._pending.pop(key, None)
        if pending is not None and not pending.future.done():
            pending.future.set_result(result)

    def _fail(self, key: Key, error: Exception) -> None:
        pending = self._pending.pop(key, None)
        if pending is not None and not pending.future.done():
            pending.future.set_exception(error)
            pending.future.exception()  # Nobody may be waiting any more.
