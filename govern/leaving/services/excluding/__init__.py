"""Exclusion: a procedure whose steps cannot be skipped, each with its day, text and paper."""

from govern.leaving.services.common import Upload
from govern.leaving.services.excluding.answering import (
    add_observations,
    ask_for_hearing,
    record_hearing,
)
from govern.leaving.services.excluding.deciding import (
    decide_exclusion,
    discontinue_exclusion,
    propose_exclusion,
)
from govern.leaving.services.excluding.sending import send_decision, send_proposal
from govern.leaving.services.excluding.steps import Procedure, steps_done

__all__ = [
    "Procedure",
    "Upload",
    "add_observations",
    "ask_for_hearing",
    "decide_exclusion",
    "discontinue_exclusion",
    "propose_exclusion",
    "record_hearing",
    "send_decision",
    "send_proposal",
    "steps_done",
]
