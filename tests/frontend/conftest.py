"""The browser's fixtures, and elections in the application."""

from tests.voting.conftest import holding

__all__ = ["holding"]
