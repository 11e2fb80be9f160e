"""The browser's fixtures, and elections in the application."""

from tests.browser import chromium, live_server, open_page
from tests.voting.conftest import holding

__all__ = ["chromium", "holding", "live_server", "open_page"]
