"""``govern …``: collects the commands of the features."""

from __future__ import annotations

import click

from govern import cli_house, cli_serve
from govern.accounts.cli import accounts
from govern.app import create_app
from govern.cli_tools import use_app_factory
from govern.cooperatives.cli import cooperatives

use_app_factory(create_app)


@click.group()
@click.version_option(package_name="govern")
def main() -> None:
    """A cooperative governs itself."""


for command in (*cli_house.COMMANDS, *cli_serve.COMMANDS):
    main.add_command(command)
main.add_command(cooperatives)
main.add_command(accounts)
