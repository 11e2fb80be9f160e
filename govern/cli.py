"""``govern …``: collects the commands of the features.

The commands that run away from any server (``OFFLINE``) are found without importing the
application: whoever verifies an archive or holds a key needs no Flask and no database.
A feature adds its other commands in ``govern.cli_online``.
"""

from __future__ import annotations

import gc
import importlib

import click

OFFLINE = {
    "audit": "govern.voting.cli_audit:audit",
    "credentials": "govern.voting.cli_credentials:credentials",
    "trustee": "govern.voting.cli_trustee:trustee",
}
"""Command → where it is. None of these modules may import Flask (tested)."""


class Commands(click.Group):
    """Imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*OFFLINE, *self._online()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in OFFLINE:
            module, _, name = OFFLINE[cmd_name].partition(":")
            found: click.Command = getattr(importlib.import_module(module), name)
            return found
        return self._online().get(cmd_name)

    def _online(self) -> dict[str, click.Command]:
        # What is imported stays: to look through it for garbage takes a sixth of the start.
        gc.disable()
        try:
            online: dict[str, click.Command] = importlib.import_module("govern.cli_online").COMMANDS
        finally:
            gc.enable()
        return online


@click.group(cls=Commands)
@click.version_option(package_name="govern")
def main() -> None:
    """A cooperative governs itself."""
