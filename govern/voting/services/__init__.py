"""What happens to elections. The functions that other features call are named here.

Roles are checked inside; nothing commits.
"""

from govern.voting.rules import QuestionKind, QuestionSpec, resolution_question
from govern.voting.services.attendance import (
    entries_that_voted,
    has_voted,
    read_attendance,
)
from govern.voting.services.casting import (
    Receipt,
    append_ballots,
    cast_ballot,
    check_ballot,
)
from govern.voting.services.closing import close_election, extend_election, open_election
from govern.voting.services.elections import (
    cancel_election,
    create_election,
    fix_election,
    name_trustees,
    replace_trustee,
    reschedule_election,
    reset_key,
    start_keys,
)
from govern.voting.services.steps import NotReady, find_election, incidents_of
from govern.voting.services.tally import (
    ElectionResult,
    QuestionResult,
    Turnout,
    publish_result,
    read_result,
    read_turnout,
    tally_election,
)
from govern.voting.services.trustees import register_partial_decryption, register_public_key

__all__ = [
    "ElectionResult",
    "NotReady",
    "QuestionKind",
    "QuestionResult",
    "QuestionSpec",
    "Receipt",
    "Turnout",
    "append_ballots",
    "cancel_election",
    "cast_ballot",
    "check_ballot",
    "close_election",
    "create_election",
    "entries_that_voted",
    "extend_election",
    "find_election",
    "fix_election",
    "has_voted",
    "incidents_of",
    "name_trustees",
    "open_election",
    "publish_result",
    "read_attendance",
    "read_result",
    "read_turnout",
    "register_partial_decryption",
    "register_public_key",
    "replace_trustee",
    "reschedule_election",
    "reset_key",
    "resolution_question",
    "start_keys",
    "tally_election",
]
