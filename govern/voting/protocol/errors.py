"""What the protocol refuses, and at which step.

Verification raises; it never returns a boolean that a caller could ignore. Every error carries
`step` (a word from the table in `tests/protocol/VECTORS.md`), `where` (a path into the message)
and `detail` (a sentence for a person). None of them ever contains a secret.
"""

from __future__ import annotations


class ProtocolError(Exception):
    """A message, key, ballot or archive that must be refused."""

    def __init__(self, step: str, where: str, detail: str) -> None:
        super().__init__(step, where, detail)
        self.step = step
        self.where = where
        self.detail = detail

    def __str__(self) -> str:
        place = f" at {self.where}" if self.where else ""
        return f"{self.step}{place}: {self.detail}"


class EncodingError(ProtocolError):
    """The bytes are not a well-formed message: JSON, fields, lengths, scalars, elements."""


class VerificationError(ProtocolError):
    """A well-formed message does not prove what it must, or belongs somewhere else."""


class ArchiveError(ProtocolError):
    """The archive's form, chain or order of events is not the canonical one."""


class AuditError(ProtocolError):
    """The strict verifier stopped: `number` and `title` name its step, `__cause__` the reason."""

    def __init__(self, number: int, title: str, cause: ProtocolError) -> None:
        super().__init__(cause.step, cause.where, cause.detail)
        self.args = (number, title, cause)
        self.number = number
        self.title = title

    def __str__(self) -> str:
        return f"step {self.number} ({self.title}) failed: {super().__str__()}"
