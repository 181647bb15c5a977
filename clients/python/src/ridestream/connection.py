"""How a driver or a rider reaches the service and proves who they are."""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc
import grpc.aio

from ridestream.errors import ProtocolError

#: Returns a token that is valid now. Called for every call, so it should cache.
TokenSource = Callable[[], str | Awaitable[str]]

Metadata = tuple[tuple[str, str], ...]

_OPTIONS = (
    # A half-open connection ends after 30 s also where nothing is sent.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # The pauses of this package decide; the channel's own come on top of them.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # How long a connection may take to be made, as long as a driver waits for Welcome.
    ("grpc.min_reconnect_backoff_ms", 10_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.enable_retries", 0),
    # Each channel has connections of its own.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True)
class Connection:
    """Where the service is, and who calls."""

    #: HOST:PORT.
    address: str
    #: Gives tokens; see TokenSource.
    token: TokenSource | None = None
    #: The certificates that the service's must lead to, as PEM. None: those of the system.
    root_certificates: bytes | None = None
    #: For services that run with --insecure: plaintext, and `driver/ID` or `rider/ID` instead of a
    #: token.
    insecure_caller: str | None = None

    def open_channel(self, address: str | None = None) -> grpc.aio.Channel:
        """A channel to that address, or to the connection's own."""
        address = address or self.address
        if self.insecure_caller is not None:
            return grpc.aio.insecure_channel(address, options=_OPTIONS)
        credentials = grpc.ssl_channel_credentials(self.root_certificates)
        return grpc.aio.secure_channel(address, credentials, options=_OPTIONS)

    async def metadata(self, market: str | None = None) -> Metadata:
        """The metadata of a call: the proof of who calls, with a token that is asked for now, and the
        market that it concerns, by which a proxy finds its process."""
        named = () if market is None else (("ridestream-market", market),)
        return await self._proof() + named

    async def _proof(self) -> Metadata:
        if self.insecure_caller is not None:
            return (("ridestream-caller", self.insecure_caller),)
        if self.token is None:
            return ()
        token = self.token()
        if inspect.isawaitable(token):
            token = await token
        return (("authorization", f"Bearer {token}"),)


class Route:
    """Where a driver's next stream goes: the configured address, or the last one that the service has
    named. Raises ProtocolError for a name that is no address."""

    _ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):[0-9]{1,5}")

    def __init__(self, address: str):
        self.address = self._configured = self._named = address
        self._welcomed = False
        self._redirected = False

    def on_welcome(self) -> None:
        self._welcomed = True
        self._redirected = False

    def on_end(self, named: str) -> bool:
        """Takes the address that a stream's end named, or "". Without a name the next stream goes to
        the same address if a Welcome came from there, else to the other one. Returns whether this is
        the first redirect since a Welcome: two processes may name each other."""
        welcomed, self._welcomed = self._welcomed, False
        if not named:
            if not welcomed:
                at_home = self.address == self._configured
                self.address = self._named if at_home else self._configured
            return False
        if not self._ADDRESS.fullmatch(named):
            raise ProtocolError(f"the service named '{named}', which isn't host:port")
        self.address = self._named = named
        first, self._redirected = not self._redirected, True
        return first


class Backoff:
    """Pauses before a next try: random up to 0.5 s, then twice as long each time up to 8 s."""

    def __init__(self, rng: Callable[[], float] = random.random):
        self._rng = rng
        self.reset()

    def reset(self) -> None:
        self._limit_s = 0.5

    def pause(self, asked_s: float | None = None) -> float:
        """In seconds. `asked_s` is what the service asked for: waited in full, and up to a quarter
        more."""
        if asked_s is not None:
            return asked_s * (1 + self._rng() / 4)
        pause = self._rng() * self._limit_s
        self._limit_s = min(8.0, 2 * self._limit_s)
        return pause
