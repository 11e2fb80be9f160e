"""Ballots, keys and decryptions that must be refused, each with the step that refuses it.

Where a change would already fail at the signature, the ballot is signed again with its own
credential: an attacker who holds a credential can do that, and the proof itself must refuse.
"""

from mutations.encodings import invalid_elements, invalid_scalars
from mutations.refused import Refused, signed
from mutations.sealed import refused_ballots
from mutations.trustees import refused_decryptions, refused_trustee_keys

__all__ = [
    "Refused",
    "invalid_elements",
    "invalid_scalars",
    "refused_ballots",
    "refused_decryptions",
    "refused_trustee_keys",
    "signed",
]
