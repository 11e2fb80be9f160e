"""``govern …``: collects the commands of the features."""

from __future__ import annotations

import click


@click.group()
def main() -> None:
    """A cooperative governs itself."""
