"""Ridestream's services as processes, with certificates and tokens of a throwaway authority."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
from asyncio.subprocess import Process
from pathlib import Path

PATIENCE_S = 60.0


def free_port() -> int:
    """A free port below the range of outgoing connections, so that a service can come back on it."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Services:
    """trip, location and dispatch, serving the given markets."""

    def __init__(self, binaries: Path, folder: Path, markets: list[str]):
        self.authority = folder / "authority"
        self._binaries = binaries
        self._folder = folder
        self._ports = {name: free_port() for name in ("trip", "location", "dispatch")}
        cities = ",".join(f"{market}=city:1" for market in markets)
        self._flags = {
            "trip": [f"--data={folder}", f"--markets={cities}"],
            "location": [],
            "dispatch": [
                f"--trip={self.address('trip')}",
                f"--location={self.address('location')}",
                f"--markets={cities}",
                "--suspect_after=4s",
                "--report_every=500ms",
                "--match_every=200ms",
                "--offer_lease=10s",
                # Long enough that the cases don't lose sessions.
                "--drop_after=10m",
            ],
        }
        self._processes: dict[str, Process] = {}
        self._tokens = 0

    def address(self, service: str) -> str:
        return f"127.0.0.1:{self._ports[service]}"

    async def start(self) -> None:
        await self._authority_tool("create")
        for name in self._flags:
            await self.start_one(name)

    async def start_one(self, name: str) -> None:
        announced = self._folder / f"{name}.address"
        announced.unlink(missing_ok=True)
        authority = self.authority
        with (self._folder / f"{name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                self._binaries / name,
                f"--listen={self.address(name)}",
                "--metrics_listen=off",
                f"--address_file={announced}",
                f"--tls_certificate={authority}/{name}.pem",
                f"--tls_key={authority}/{name}.key",
                f"--tls_authorities={authority}/authority.pem",
                f"--token_keys={authority}/jwks.json",
                f"--revocations={authority}/revoked",
                "--token_issuer=ridestream-development",
                *self._flags[name],
                stdout=log,
                stderr=log,
            )
        self._processes[name] = process
        async with asyncio.timeout(PATIENCE_S):
            while not announced.exists():
                if process.returncode is not None:
                    end = (self._folder / f"{name}.log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{name} didn't start:\n{end}")
                await asyncio.sleep(0.02)

    async def drain(self, name: str) -> None:
        """Stops the service by SIGTERM; it must exit with status 0."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            status = await process.wait()
        if status != 0:
            raise RuntimeError(f"{name} exited with status {status}")

    async def kill(self, name: str) -> None:
        process = self._processes.pop(name)
        process.kill()
        await process.wait()

    async def stop(self) -> None:
        for name in reversed(list(self._processes)):
            await self.drain(name)

    async def token(self, caller: str) -> str:
        return (await self._authority_tool("token", caller)).strip()

    def revoke(self, token_id: str) -> None:
        """Revokes the token. Takes effect within two seconds."""
        revoked = self.authority / "revoked"
        fresh = revoked.with_suffix(".new")
        fresh.write_text(f"{revoked.read_text()}jti {token_id}\n")
        fresh.rename(revoked)

    async def _authority_tool(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            self._binaries / "authority",
            *arguments,
            f"--folder={self.authority}",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"authority {arguments[0]}: {err.decode(errors='replace')}")
        return out.decode()
