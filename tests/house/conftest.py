"""Fixtures of the tests of the house."""

from tests.browser import chromium, live_server, open_page

__all__ = ["chromium", "live_server", "open_page"]
