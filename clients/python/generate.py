#!/usr/bin/env python3
"""Generates the messages and stubs, with their types, from the protos of the repository into
src/ridestream. The compiler and the plugins are those of the lock file."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROTO = HERE.parent.parent / "proto"
#: The protos that apps need; the others are for calls between services.
PACKAGES = ("auth", "common", "dispatch", "market", "trip")


def generate() -> None:
    out = HERE / "src"
    protos = [str(path) for name in PACKAGES for path in sorted(PROTO.glob(f"ridestream/{name}/v1/*.proto"))]
    kinds = ("python", "mypy", "grpc_python", "mypy_grpc")
    outputs = [f"--{kind}_out={'quiet:' if 'mypy' in kind else ''}{out}" for kind in kinds]
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={PROTO}", *outputs, *protos]
    subprocess.run(command, check=True, env={**os.environ, "PATH": path})


if __name__ == "__main__":
    generate()
