"""Binds elections to the application: pages, jobs, ticks, navigation."""

from __future__ import annotations

from flask import Flask

from govern.voting import jobs as jobs


def register(app: Flask) -> None:
    """Called once by ``govern.app``."""
