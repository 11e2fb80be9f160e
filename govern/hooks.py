"""Lists of functions that a lower feature calls and higher features fill, without being imported.

A feature registers its functions once, in its own ``register(app)``. The list belongs to the
process, and the same function registered twice (two applications in one test run) counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

Hooked = TypeVar("Hooked", bound=Callable[..., Any])


class Hook(Generic[Hooked]):
    """An ordered list of functions, in the order in which they were first registered."""

    def __init__(self, purpose: str) -> None:
        self.purpose = purpose
        self._functions: dict[str, Hooked] = {}

    def register(self, function: Hooked) -> Hooked:
        """Add ``function``; returns it, so that it also works as a decorator."""
        self._functions[f"{function.__module__}.{function.__qualname__}"] = function
        return function

    def __iter__(self) -> Iterator[Hooked]:
        return iter(tuple(self._functions.values()))

    def __len__(self) -> int:
        return len(self._functions)

    def __repr__(self) -> str:
        return f"<Hook {self.purpose}: {', '.join(self._functions) or 'empty'}>"
