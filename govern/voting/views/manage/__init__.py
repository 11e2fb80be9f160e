"""The returning officer's pages: how an election stands, what is missing, what comes next."""

from govern.voting.views.manage import ending, overview, preparing
from govern.voting.views.manage.step import Step, take, tell_of_withdrawn

__all__ = ["Step", "ending", "overview", "preparing", "take", "tell_of_withdrawn"]
