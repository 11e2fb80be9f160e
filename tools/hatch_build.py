"""Hatch's hook: a wheel carries the built frontend and the compiled translations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent.parent


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds what is left out of git before the files are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by Hatch; an editable install uses the checkout, where ``make`` builds them."""
        del build_data
        if version == "editable":
            return
        for what in ("frontend", "translations"):
            subprocess.run(
                [sys.executable, str(ROOT / "tools" / "setup.py"), what], cwd=ROOT, check=True
            )
