"""What the register stores: people, memberships, the share ledger, rolls and imports."""

from govern.register.models.imports import (
    ImportBatch,
    ImportChange,
    ImportFile,
    ImportProblem,
    ImportState,
    Severity,
)
from govern.register.models.ledger import (
    EntryKind,
    EntryRemark,
    HolderOpening,
    RegisterHead,
    ShareEntry,
)
from govern.register.models.people import (
    EndReason,
    MemberKind,
    Membership,
    MembershipCategory,
    Organisation,
    Person,
    Representative,
)
from govern.register.models.rolls import (
    CorrectionAction,
    Roll,
    RollCorrection,
    RollEntry,
    RollState,
)

__all__ = [
    "CorrectionAction",
    "EndReason",
    "EntryKind",
    "EntryRemark",
    "HolderOpening",
    "ImportBatch",
    "ImportChange",
    "ImportFile",
    "ImportProblem",
    "ImportState",
    "MemberKind",
    "Membership",
    "MembershipCategory",
    "Organisation",
    "Person",
    "RegisterHead",
    "Representative",
    "Roll",
    "RollCorrection",
    "RollEntry",
    "RollState",
    "Severity",
    "ShareEntry",
]
