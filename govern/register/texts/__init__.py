"""The register's own words for people."""

from govern.register.texts.names import (
    CAUSE_NAMES,
    CORRECTION_NAMES,
    END_REASON_NAMES,
    ENTRY_KIND_NAMES,
    FIELD_NAMES,
    IMPORT_STATE_NAMES,
    KIND_NAMES,
    ROLL_STATE_NAMES,
    SEVERITY_NAMES,
    TRANSFER_STATE_NAMES,
    obstacle_text,
    share_class_name,
)
from govern.register.texts.problems import PROBLEM_CODES, Words, file_text, problem_text

__all__ = [
    "CAUSE_NAMES",
    "CORRECTION_NAMES",
    "END_REASON_NAMES",
    "ENTRY_KIND_NAMES",
    "FIELD_NAMES",
    "IMPORT_STATE_NAMES",
    "KIND_NAMES",
    "PROBLEM_CODES",
    "ROLL_STATE_NAMES",
    "SEVERITY_NAMES",
    "TRANSFER_STATE_NAMES",
    "Words",
    "file_text",
    "obstacle_text",
    "problem_text",
    "share_class_name",
]
