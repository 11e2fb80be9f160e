"""The errors that services raise and the edge turns into a page, a JSON body or a line of text.

Every error says what is wrong (``message``), names the input it is about where there is one
(``field``) and says what to do (``remedy``). Messages are meant for people: they go through
gettext where they are raised.
"""

from __future__ import annotations


class GovernError(Exception):
    """Anything that a person can be told about. ``status`` is the HTTP status of its page."""

    status = 400

    def __init__(self, message: str, *, remedy: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.message = str(message)
        self.remedy = str(remedy)
        self.field = field

    def as_dict(self) -> dict[str, str]:
        """The body that a JSON endpoint answers with: title, detail, remedy (and field)."""
        body = {"title": type(self).__name__, "detail": self.message, "remedy": self.remedy}
        if self.field:
            body["field"] = self.field
        return body


class InvalidInput(GovernError):
    """What was sent cannot be accepted as it is."""

    status = 422


class NotFound(GovernError):
    """There is no such thing, or the asker may not know that there is."""

    status = 404


class Forbidden(GovernError):
    """The actor lacks the permission."""

    status = 403


class SignInRequired(GovernError):
    """Nobody is signed in; the edge sends a browser to the sign-in page."""

    status = 401


class Conflict(GovernError):
    """The thing changed meanwhile, or the same thing was already done differently."""

    status = 409


class ForbiddenTransition(Conflict):
    """A state machine was asked for a step that its present state does not allow."""


class RuleViolation(GovernError):
    """A statute, a law or a rule of the house says no."""

    status = 422


class TooManyRequests(GovernError):
    """A rate limit was reached."""

    status = 429


class Unavailable(GovernError):
    """A part that this needs (database, Redis, mail) does not answer now."""

    status = 503


class ConfigurationError(GovernError):
    """The environment does not allow a safe start."""

    status = 500
