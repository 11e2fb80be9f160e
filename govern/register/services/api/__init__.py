"""What programs may read of the register: their tokens, and the pages of data they are given."""

from govern.register.services.api.clients import (
    API_PREFIX,
    IssuedClient,
    client_by_public_id,
    client_of_token,
    clients_of,
    create_client,
    note_use,
    revoke_client,
    uses_of,
)
from govern.register.services.api.reading import (
    MAX_LIMIT,
    ApiPage,
    read_holdings_page,
    read_member,
    read_members_page,
)

__all__ = [
    "API_PREFIX",
    "MAX_LIMIT",
    "ApiPage",
    "IssuedClient",
    "client_by_public_id",
    "client_of_token",
    "clients_of",
    "create_client",
    "note_use",
    "read_holdings_page",
    "read_member",
    "read_members_page",
    "revoke_client",
    "uses_of",
]
