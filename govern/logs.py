"""Logs: one JSON object per line, and nothing in it that is about a person.

A request is logged by its route's pattern (``/elections/<uuid>/cast``), never by its path or query
string, without address, account or cookie. An unexpected error is logged by its kind and the
places in the code; its message is left out in production, because databases quote the values that
they refuse. So whoever reads the logs learns what the machine did, not who voted when.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request

from govern.config import Config

request_log = logging.getLogger("govern.request")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time, level, logger, message, and the given extras."""

    def __init__(self, *, with_error_messages: bool) -> None:
        super().__init__()
        self._with_error_messages = with_error_messages

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info and record.exc_info[1] is not None:
            entry["error"] = self._describe(record.exc_info[1])
        return json.dumps(entry, ensure_ascii=False, default=str)

    def _describe(self, error: BaseException) -> dict[str, Any]:
        frames = traceback.extract_tb(error.__traceback__)
        described: dict[str, Any] = {
            "kind": f"{type(error).__module__}.{type(error).__qualname__}",
            "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
        }
        if self._with_error_messages:
            described["message"] = str(error)
        cause = error.__cause__
        if cause is not None:
            described["cause"] = self._describe(cause)
        return described


def configure_logging(settings: Config) -> None:
    """Send everything to standard error, as JSON lines, from ``settings.log_level`` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(with_error_messages=not settings.is_production))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("govern").setLevel(settings.log_level)
    # RQ brings handlers of its own, with the arguments of jobs in its lines.
    for name in ("rq.worker", "rq.scheduler", "rq.queue", "rq.job", "rq.registry"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.WARNING)


def register_request_log(app: Flask) -> None:
    """Log one line per request, after it was answered."""

    @app.before_request
    def _note_start() -> None:
        g.request_started = time.perf_counter()

    @app.after_request
    def _log_request(response: Response) -> Response:
        # A ballot that was accepted leaves no line: its moment would stand here to the millisecond.
        if request.endpoint != "static" and not g.get("leaves_no_line"):
            # A monitor asks every few seconds.
            level = logging.DEBUG if request.blueprint == "health" else logging.INFO
            request_log.log(level, "request", extra=describe_request(response.status_code))
        return response


def describe_request(status: int) -> dict[str, Any]:
    """What may be said about the present request: method, route pattern, status, duration."""
    started = g.get("request_started", time.perf_counter())
    return {
        "request_id": g.get("request_id", ""),
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else "(none)",
        "status": status,
        "ms": round((time.perf_counter() - started) * 1000, 1),
    }
