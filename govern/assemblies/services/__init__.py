"""What happens to assemblies. Each service checks permission and rules, flushes, never commits.

The names that other parts use are collected here.
"""

from govern.assemblies.services.agenda import (
    ItemInput,
    add_item,
    agenda_list,
    agenda_tree,
    edit_item,
    find_item,
    move_item,
    remove_item,
)
from govern.assemblies.services.documents import add_document, read_document, remove_document
from govern.assemblies.services.editing import (
    AssemblyInput,
    create_assembly,
    edit_assembly,
    find_assembly,
    rules_of,
)
from govern.assemblies.services.elections import (
    VoteInput,
    binding_election,
    election_obstacles,
    prepare_election,
)
from govern.assemblies.services.explanations import OutcomeText, explain
from govern.assemblies.services.notices import (
    extend_notice,
    find_notice,
    plan_notice,
    send_cancellation,
    send_notice,
)
from govern.assemblies.services.outcomes import outcomes_of_election, record_outcomes
from govern.assemblies.services.resolutions import (
    CandidateInput,
    ResolutionInput,
    add_resolution,
    edit_resolution,
    find_resolution,
    put_candidate,
    remove_candidate,
    remove_resolution,
    resolutions_of,
)
from govern.assemblies.services.rolls import (
    drop_assembly_roll,
    freeze_assembly_roll,
    standings_for,
    take_assembly_roll,
)
from govern.assemblies.services.states import (
    cancel_assembly,
    close_assembly,
    hold_assembly,
    publish_assembly,
)

__all__ = [
    "AssemblyInput",
    "CandidateInput",
    "ItemInput",
    "OutcomeText",
    "ResolutionInput",
    "VoteInput",
    "add_document",
    "add_item",
    "add_resolution",
    "agenda_list",
    "agenda_tree",
    "binding_election",
    "cancel_assembly",
    "close_assembly",
    "create_assembly",
    "drop_assembly_roll",
    "edit_assembly",
    "edit_item",
    "edit_resolution",
    "election_obstacles",
    "explain",
    "extend_notice",
    "find_assembly",
    "find_item",
    "find_notice",
    "find_resolution",
    "freeze_assembly_roll",
    "hold_assembly",
    "move_item",
    "outcomes_of_election",
    "plan_notice",
    "prepare_election",
    "publish_assembly",
    "put_candidate",
    "read_document",
    "record_outcomes",
    "remove_candidate",
    "remove_document",
    "remove_item",
    "remove_resolution",
    "resolutions_of",
    "rules_of",
    "send_cancellation",
    "send_notice",
    "standings_for",
    "take_assembly_roll",
]
