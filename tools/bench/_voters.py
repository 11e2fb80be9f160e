"""Voters at a web server, in a process of their own: reads a task as JSON, prints what it saw.

``{"port", "uuid", "at_once", "ballots": [[cookie, csrf token, ballot]…]}`` on standard input gives
``{"seconds", "milliseconds": [one per accepted ballot…], "refused": n}``.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any


def vote(task: dict[str, Any]) -> dict[str, Any]:
    """Cast all ballots over ``at_once`` kept connections, each voter waiting for the answer."""
    waiting: Iterator[list[str]] = iter(task["ballots"])
    guard = threading.Lock()
    taken: list[float] = []
    refused = 0

    def next_ballot() -> list[str] | None:
        with guard:
            return next(waiting, None)

    def sit_down() -> None:
        nonlocal refused
        connection = http.client.HTTPConnection("127.0.0.1", task["port"], timeout=120)
        while (ballot := next_ballot()) is not None:
            cookie, token, data = ballot
            body = json.dumps({"ballot": data})
            headers = {
                "Content-Type": "application/json",
                "Cookie": cookie,
                "X-CSRFToken": token,
            }
            begun = time.perf_counter()
            try:
                connection.request("POST", f"/elections/{task['uuid']}/cast", body, headers)
                answer = connection.getresponse()
                answer.read()
                accepted = answer.status == 200
            except (OSError, http.client.HTTPException):
                connection.close()
                accepted = False
            elapsed = (time.perf_counter() - begun) * 1000
            with guard:
                if accepted:
                    taken.append(elapsed)
                else:
                    refused += 1

    voters = [threading.Thread(target=sit_down) for _ in range(task["at_once"])]
    begun = time.perf_counter()
    for voter in voters:
        voter.start()
    for voter in voters:
        voter.join()
    return {
        "seconds": time.perf_counter() - begun,
        "milliseconds": sorted(taken),
        "refused": refused,
    }


if __name__ == "__main__":
    json.dump(vote(json.load(sys.stdin)), sys.stdout)
