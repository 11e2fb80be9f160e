"""Making an election and preparing it until the first ballot may come."""

from govern.voting.services.elections.cancelling import cancel_election
from govern.voting.services.elections.creating import (
    DEFAULT_GROUP,
    SERVER_AUTHORITY,
    create_election,
    describe_again,
    reschedule_election,
)
from govern.voting.services.elections.fixing import fix_election
from govern.voting.services.elections.keys import (
    MAXIMUM_TRUSTEES,
    find_trustee,
    name_trustees,
    replace_trustee,
    reset_key,
    start_keys,
)

__all__ = [
    "DEFAULT_GROUP",
    "MAXIMUM_TRUSTEES",
    "SERVER_AUTHORITY",
    "cancel_election",
    "create_election",
    "describe_again",
    "find_trustee",
    "fix_election",
    "name_trustees",
    "replace_trustee",
    "reschedule_election",
    "reset_key",
    "start_keys",
]
