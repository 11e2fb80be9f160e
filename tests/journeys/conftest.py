"""A browser, and a server with an empty database and one administrator."""

from tests.browser import chromium

__all__ = ["chromium"]
