"""The commands that need the application: each feature's own, by name."""

from __future__ import annotations

import click

from govern import cli_house, cli_serve
from govern.accounts.cli import accounts
from govern.app import create_app
from govern.cli_tools import use_app_factory
from govern.cooperatives.cli import cooperatives
from govern.demo.cli import demo
from govern.register.cli import register
from govern.voting.cli import election

use_app_factory(create_app)

COMMANDS: dict[str, click.Command] = {
    str(command.name): command
    for command in (
        *cli_house.COMMANDS,
        *cli_serve.COMMANDS,
        cooperatives,
        demo,
        accounts,
        register,
        election,
    )
}
