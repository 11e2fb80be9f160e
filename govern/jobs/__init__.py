"""Work that happens later, in another process, and survives the death of both.

``enqueue(session, name, *ids)`` asks for it, ``@job(name)`` says how it is done, ``every_tick``
looks at the clock every few seconds, ``report_progress`` and ``read_progress`` show how far it is.
"""

from govern.jobs.models import BackgroundJob, JobState
from govern.jobs.queue import (
    Progress,
    enqueue,
    job,
    read_progress,
    register_resume,
    report_progress,
    run_due_jobs,
    run_job,
)
from govern.jobs.ticks import every_tick, resume, tick

__all__ = [
    "BackgroundJob",
    "JobState",
    "Progress",
    "enqueue",
    "every_tick",
    "job",
    "read_progress",
    "register_resume",
    "report_progress",
    "resume",
    "run_due_jobs",
    "run_job",
    "tick",
]
