"""What is decided about assemblies: pure functions over frozen values.

``outcomes`` resolutions under a majority and a quorum · ``people`` seats in an election of people
· ``weighting`` votes per college · ``notice`` legal days and deadlines · ``states`` what may follow
what. Nothing here knows Flask, the database or the clock.
"""

from govern.assemblies.rules.notice import (
    DayCount,
    NoticeCheck,
    check_notice,
    end_of_day,
    latest_notice_day,
    local_day,
    notice_days_given,
)
from govern.assemblies.rules.outcomes import (
    Numbers,
    Outcome,
    Presence,
    QuorumCheck,
    QuorumState,
    Reason,
    RollMember,
    Tally,
    UnusableRule,
    Verdict,
    check_majority_rule,
    check_quorum,
    count_presence,
    decide,
    decimals_to_tell_apart,
    percentages,
    votes_needed,
)
from govern.assemblies.rules.people import PeopleOutcome, elect
from govern.assemblies.rules.states import (
    ASSEMBLY_TRANSITIONS,
    AgendaKind,
    AssemblyKind,
    AssemblyMode,
    AssemblyState,
    ResolutionKind,
    allows,
)
from govern.assemblies.rules.weighting import (
    College,
    CollegeTally,
    WeightedOutcome,
    check_colleges,
    decide_per_college,
)

__all__ = [
    "ASSEMBLY_TRANSITIONS",
    "AgendaKind",
    "AssemblyKind",
    "AssemblyMode",
    "AssemblyState",
    "College",
    "CollegeTally",
    "DayCount",
    "NoticeCheck",
    "Numbers",
    "Outcome",
    "PeopleOutcome",
    "Presence",
    "QuorumCheck",
    "QuorumState",
    "Reason",
    "ResolutionKind",
    "RollMember",
    "Tally",
    "UnusableRule",
    "Verdict",
    "WeightedOutcome",
    "allows",
    "check_colleges",
    "check_majority_rule",
    "check_notice",
    "check_quorum",
    "count_presence",
    "decide",
    "decide_per_college",
    "decimals_to_tell_apart",
    "elect",
    "end_of_day",
    "latest_notice_day",
    "local_day",
    "notice_days_given",
    "percentages",
    "votes_needed",
]
