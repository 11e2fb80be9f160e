"""What happens when members leave, and to what is owed to them."""

from govern.leaving.services.board import coverages, list_tests, record_test
from govern.leaving.services.common import (
    Upload,
    departure_by_public_id,
    departures_of,
    open_departures,
    own_membership,
    refund_by_public_id,
    refunds_of,
)
from govern.leaving.services.effect import close_overtaken, find_due, take_effect, try_again
from govern.leaving.services.excluding import (
    Procedure,
    add_observations,
    ask_for_hearing,
    decide_exclusion,
    discontinue_exclusion,
    propose_exclusion,
    record_hearing,
    send_decision,
    send_proposal,
)
from govern.leaving.services.foreseeing import foresee_request, foresee_resignation
from govern.leaving.services.founders import set_founder
from govern.leaving.services.payees import put_payee
from govern.leaving.services.recording import (
    owe_former_member,
    pass_on_shares,
    record_death,
    record_loss_of_status,
    settle_estate,
)
from govern.leaving.services.refunds import (
    chosen_refunds,
    find_refunds,
    postpone_refund,
    refund_totals,
    release_refunds,
    resume_refund,
    split_refund,
)
from govern.leaving.services.resigning import (
    check_signing_link,
    lapse_unsigned,
    may_withdraw,
    record_paper_request,
    request_resignation,
    send_signing_link,
    sign_with_link,
    sign_with_password,
    withdraw_resignation,
)
from govern.leaving.services.taken_back import cancel_taken_back

__all__ = [
    "Procedure",
    "Upload",
    "add_observations",
    "ask_for_hearing",
    "cancel_taken_back",
    "check_signing_link",
    "chosen_refunds",
    "close_overtaken",
    "coverages",
    "decide_exclusion",
    "departure_by_public_id",
    "departures_of",
    "discontinue_exclusion",
    "find_due",
    "find_refunds",
    "foresee_request",
    "foresee_resignation",
    "lapse_unsigned",
    "list_tests",
    "may_withdraw",
    "open_departures",
    "owe_former_member",
    "own_membership",
    "pass_on_shares",
    "postpone_refund",
    "propose_exclusion",
    "put_payee",
    "record_death",
    "record_hearing",
    "record_loss_of_status",
    "record_paper_request",
    "record_test",
    "refund_by_public_id",
    "refund_totals",
    "refunds_of",
    "release_refunds",
    "request_resignation",
    "resume_refund",
    "send_decision",
    "send_proposal",
    "send_signing_link",
    "set_founder",
    "settle_estate",
    "sign_with_link",
    "sign_with_password",
    "split_refund",
    "take_effect",
    "try_again",
    "withdraw_resignation",
]
