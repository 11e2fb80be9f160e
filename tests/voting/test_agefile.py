"""Our age files are opened by an age that we did not write."""

from __future__ import annotations

import pyrage
import pytest

from govern.voting import agefile


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 131072, 200_000])
@pytest.mark.usefixtures("light_passphrases")
def test_pyrage_opens_files_of_every_length(size):
    content = bytes(index % 251 for index in range(size))
    assert pyrage.passphrase.decrypt(agefile.encrypt(content, "a passphrase"), "a passphrase") == (
        content
    )


@pytest.mark.usefixtures("light_passphrases")
def test_a_wrong_passphrase_or_a_changed_byte_opens_nothing():
    data = agefile.encrypt(b"content", "a passphrase")
    with pytest.raises(agefile.WrongPassphrase):
        agefile.decrypt(data, "another passphrase")
    for position in (30, len(data) - 1):
        broken = bytearray(data)
        broken[position] ^= 1
        with pytest.raises(agefile.WrongPassphrase):
            agefile.decrypt(bytes(broken), "a passphrase")


def test_the_work_factor_is_that_of_age():
    assert b" 18\n" in agefile.encrypt(b"content", "a passphrase").split(b"---")[0]
