"""What is stored about assemblies."""

from govern.assemblies.models.agenda import AgendaItem, Candidate, Resolution
from govern.assemblies.models.assemblies import Assembly
from govern.assemblies.models.calendars import CalendarFeed
from govern.assemblies.models.documents import Document, DocumentContent
from govern.assemblies.models.notices import (
    DeliveryChannel,
    HandOver,
    Notice,
    NoticeDelivery,
    NoticeKind,
)
from govern.assemblies.models.outcomes import AssemblyElection, RecordedOutcome

__all__ = [
    "AgendaItem",
    "Assembly",
    "AssemblyElection",
    "CalendarFeed",
    "Candidate",
    "DeliveryChannel",
    "Document",
    "DocumentContent",
    "HandOver",
    "Notice",
    "NoticeDelivery",
    "NoticeKind",
    "RecordedOutcome",
    "Resolution",
]
