"""Homomorphic questions: choose between `minimum` and `maximum` of the answers, or blank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import encoding
from .errors import EncodingError, VerificationError

MAXIMUM_ANSWERS = 500
MAXIMUM_QUESTIONS = 200


@dataclass(frozen=True)
class Question:
    """One question (specification 4.9.1). Texts hold all languages, joined by ` / `."""

    text: str
    answers: tuple[str, ...]
    minimum: int
    maximum: int
    blank: bool = False

    @property
    def ciphertext_count(self) -> int:
        """Ciphertexts per ballot: one per answer, and one in front for blank."""
        return len(self.answers) + self.blank

    @property
    def branch_count(self) -> int:
        """Proofs in the overall proof."""
        return self.maximum - self.minimum + 1 + self.blank

    def message(self) -> dict[str, Any]:
        """The question as it stands in the election."""
        message: dict[str, Any] = {"answers": list(self.answers)}
        if self.blank:
            message["blank"] = True
        message |= {"min": self.minimum, "max": self.maximum, "question": self.text}
        return message

    def check_plaintext(self, plaintext: Sequence[int], where: str) -> None:
        """Check a choice: zeros and ones, blank first where allowed, within the bounds."""
        if len(plaintext) != self.ciphertext_count or any(m not in (0, 1) for m in plaintext):
            raise VerificationError(
                "plaintext", where, f"{self.ciphertext_count} values, each 0 or 1, are expected"
            )
        chosen = sum(plaintext[self.blank :])
        if self.blank and plaintext[0]:
            if chosen:
                raise VerificationError("plaintext", where, "a blank vote chooses no answer")
        elif not self.minimum <= chosen <= self.maximum:
            raise VerificationError(
                "plaintext",
                where,
                f"between {self.minimum} and {self.maximum} answers are to be chosen, not {chosen}",
            )


def read_question(value: Any, where: str) -> Question:
    """Read a question strictly. Non-homomorphic ones and unknown fields are refused."""
    if isinstance(value, dict) and "type" in value:
        raise EncodingError("fields", where, "only homomorphic questions are supported")
    message = encoding.fields(
        value, ("answers", "blank", "min", "max", "question"), where, optional=("blank",)
    )
    answers = encoding.array(message["answers"], f"{where}.answers")
    if not 1 <= len(answers) <= MAXIMUM_ANSWERS:
        raise EncodingError("lengths", f"{where}.answers", "too few or too many answers")
    blank = message.get("blank", False)
    if type(blank) is not bool:
        raise EncodingError("fields", f"{where}.blank", "true or false is expected")
    minimum = encoding.integer(message["min"], f"{where}.min", 0, len(answers))
    maximum = encoding.integer(message["max"], f"{where}.max", minimum, len(answers))
    return Question(
        text=encoding.string(message["question"], f"{where}.question"),
        answers=tuple(
            encoding.string(answer, f"{where}.answers[{index}]")
            for index, answer in enumerate(answers)
        ),
        minimum=minimum,
        maximum=maximum,
        blank=blank,
    )
