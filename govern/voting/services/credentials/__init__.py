"""Voting codes: made by the server (and labelled so), or made elsewhere and uploaded.

Server-made: the work is cut into batches, each one transaction that holds the codes' mails and
letters (encrypted in the outbox), the part of the list for the returning officer (encrypted), the
public keys, and which members are done. A batch that dies leaves nothing, so no code is lost and
nobody gets two. The passphrase is needed only to open the list: its key pair is made when the run
is started, and only the encrypted private half is kept.
"""

from govern.voting.services.credentials.lost import (
    NEEDS_CODES,
    find_code,
    find_entry,
    send_code_again,
)
from govern.voting.services.credentials.making import (
    ListKey,
    make_batch,
    make_list_key,
    start_server_run,
)
from govern.voting.services.credentials.runs import (
    count_done,
    discard_run,
    finish_run,
    forget_issues,
)
from govern.voting.services.credentials.uploading import (
    check_uploaded_batch,
    upload_public_credentials,
    write_roll_file,
)

__all__ = [
    "NEEDS_CODES",
    "ListKey",
    "check_uploaded_batch",
    "count_done",
    "discard_run",
    "find_code",
    "find_entry",
    "finish_run",
    "forget_issues",
    "make_batch",
    "make_list_key",
    "send_code_again",
    "start_server_run",
    "upload_public_credentials",
    "write_roll_file",
]
