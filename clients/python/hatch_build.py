"""Generates the stubs before a wheel or a source distribution is packed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))
import generate


class GenerateHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # A source distribution contains the generated code, but no protos.
        if generate.PROTO.is_dir():
            generate.generate()
