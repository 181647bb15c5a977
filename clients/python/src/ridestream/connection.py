"""Connections and credentials of drivers and riders."""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc
import grpc.aio

from ridestream.errors import ProtocolError

#: Returns a valid token. It is called before every call, so it should cache the token.
TokenSource = Callable[[], str | Awaitable[str]]

Metadata = tuple[tuple[str, str], ...]

_OPTIONS = (
    # Detects a half-open connection within 30 s, even if nothing is sent.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # By default, PINGs cease or become rare while nothing is sent.
    ("grpc.http2.max_pings_without_data", 0),
    # PINGs that estimate the bandwidth would restart the keepalive timer.
    ("grpc.http2.bdp_probe", 0),
    # Kept short, because this package has its own backoff, to which the channel's is added.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # Time limit for connecting: as long as a driver waits for Welcome.
    ("grpc.min_reconnect_backoff_ms", 10_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.enable_retries", 0),
    # Channels don't share connections.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True)
class Connection:
    """The address of the service, and the caller's credentials."""

    #: HOST:PORT.
    address: str
    #: Source of tokens; see TokenSource.
    token: TokenSource | None = None
    #: Root certificates in PEM for verifying the service. None: the system's.
    root_certificates: bytes | None = None
    #: For services that run with --insecure: `driver/ID` or `rider/ID`, sent in plaintext instead of a
    #: token.
    insecure_caller: str | None = None

    def open_channel(self, address: str | None = None) -> grpc.aio.Channel:
        """Opens a channel to `address`, by default the connection's address."""
        address = address or self.address
        if self.insecure_caller is not None:
            return grpc.aio.insecure_channel(address, options=_OPTIONS)
        credentials = grpc.ssl_channel_credentials(self.root_certificates)
        return grpc.aio.secure_channel(address, credentials, options=_OPTIONS)

    async def metadata(self, market: str | None = None) -> Metadata:
        """Returns the metadata of a call: the caller's credentials with a fresh token, and the market, by
        which a proxy routes the call."""
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
    """The address of a driver's next stream: the configured one, or the last one that the service has
    named. Raises ProtocolError if that isn't a valid address."""

    _ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):[0-9]{1,5}")

    def __init__(self, address: str):
        self.address = self._configured = self._named = address
        self._welcomed = False
        self._redirected = False

    def on_welcome(self) -> None:
        self._welcomed = True
        self._redirected = False

    def on_end(self, named: str) -> bool:
        """Sets the next address from the one that the end of a stream named, or "". Without one, the next
        stream uses the same address if it has sent a Welcome, else the other one. Returns whether this
        is the first redirect since a Welcome, because two processes may name each other."""
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
    """Random pauses before retries: up to 0.5 s at first; the limit doubles each time, up to 8 s."""

    def __init__(self, rng: Callable[[], float] = random.random):
        self._rng = rng
        self.reset()

    def reset(self) -> None:
        self._limit_s = 0.5

    def pause(self, asked_s: float | None = None) -> float:
        """Returns a pause in seconds. With `asked_s`, a pause requested by the service, it is `asked_s` plus
        up to a quarter."""
        if asked_s is not None:
            return asked_s * (1 + self._rng() / 4)
        pause = self._rng() * self._limit_s
        self._limit_s = min(8.0, 2 * self._limit_s)
        return pause
