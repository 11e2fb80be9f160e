"""What happens to accounts: the public functions of this feature."""

from govern.accounts.services.accounts import (
    accounts_by_email,
    change_language,
    contact_address,
    create_account,
    disable_account,
    read_account,
    set_password,
)
from govern.accounts.services.addresses import (
    change_email,
    is_kept_by_register,
    read_email_link,
    request_email,
)
from govern.accounts.services.appointments import (
    invite_person,
    people_to_appoint,
    tell_about_role,
)
from govern.accounts.services.links import answer_request, read_link, request_link, use_link
from govern.accounts.services.roles import (
    actor_for,
    end_role,
    grant_role,
    is_last_administrator,
    open_grants,
    past_grants,
    read_grant,
)
from govern.accounts.services.sessions import (
    end_all_sessions,
    end_session,
    end_session_by_token,
    find_session,
    forget_sign_in_order,
    running_sessions,
    start_session,
)
from govern.accounts.services.sign_in import (
    Attempt,
    begin_attempt,
    candidates_for,
    complete_sign_in,
    forgive_attempts,
    open_account,
    refresh_hash,
    tidy_attempts,
)

__all__ = [
    "Attempt",
    "accounts_by_email",
    "actor_for",
    "answer_request",
    "begin_attempt",
    "candidates_for",
    "change_email",
    "change_language",
    "complete_sign_in",
    "contact_address",
    "create_account",
    "disable_account",
    "end_all_sessions",
    "end_role",
    "end_session",
    "end_session_by_token",
    "find_session",
    "forget_sign_in_order",
    "forgive_attempts",
    "grant_role",
    "invite_person",
    "is_kept_by_register",
    "is_last_administrator",
    "open_account",
    "open_grants",
    "past_grants",
    "people_to_appoint",
    "read_account",
    "read_email_link",
    "read_grant",
    "read_link",
    "refresh_hash",
    "request_email",
    "request_link",
    "running_sessions",
    "set_password",
    "start_session",
    "tell_about_role",
    "tidy_attempts",
    "use_link",
]
