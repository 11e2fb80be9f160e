"""Texts that are no element of the group, and no scalar."""

from __future__ import annotations

from govern.voting.protocol.groups import Group

ED25519_SMALL_ORDER = {
    "order 2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order 4": "0000000000000000000000000000000000000000000000000000000000000000",
    "order 4, other sign": "0000000000000000000000000000000000000000000000000000000000000080",
    "order 8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8, second": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "order 8, third": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "order 8, fourth": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
}
"""Points of small order, in the RFC 8032 encoding."""


def _reverse(rfc8032: str) -> str:
    return bytes.fromhex(rfc8032)[::-1].hex()


def invalid_elements(group: Group) -> list[tuple[str, str, str]]:
    """(text, reason, note) of texts that are no element."""
    g = group.generator.text
    identity = group.identity.text
    common = [
        ("", "digits", "empty"),
        (f" {g}", "digits", "space in front"),
        (f"{g}\n", "digits", "line feed behind"),
        (f"+{g}", "digits", "sign"),
        (f"0{g}", "digits", "leading zero"),
        (identity, "identity", "the identity"),
    ]
    if group.name == "Ed25519":
        from nacl import bindings as sodium

        p = 2**255 - 19
        sample = group.power(group.generator, 7)
        mixed = [
            (
                sodium.crypto_core_ed25519_add(sample.raw, bytes.fromhex(torsion))[::-1].hex(),
                "torsion",
                f"a good point plus one of {note}",
            )
            for note, torsion in ED25519_SMALL_ORDER.items()
        ]
        return [
            *common,
            (g[:-2], "length", "one byte short"),
            (f"{g}00", "length", "one byte long"),
            (sample.text.upper(), "digits", "upper case"),
            (f"{g[:-1]}g", "digits", "not hexadecimal"),
            (_reverse(sample.text), "curve", "the bytes not reversed"),
            (f"{p:064x}", "canonical", "y = p, which is 0"),
            (f"{p + 1:064x}", "canonical", "y = p + 1, which is 1"),
            (f"{2**255 - 1:064x}", "canonical", "y = 2^255 - 1"),
            (f"{2**255 + 1:064x}", "canonical", "the identity with the sign bit of x = 0"),
            (f"{2**255 + p - 1:064x}", "canonical", "order 2 with the sign bit of x = 0"),
            (f"{2:064x}", "curve", "y = 2 is not on the curve"),
            *((_reverse(text), "torsion", note) for note, text in ED25519_SMALL_ORDER.items()),
            *mixed,
        ]
    from govern.voting.protocol import groups

    p = int(groups._P)
    x = int(groups._G)
    return [
        *common,
        ("0", "range", "zero"),
        (str(p), "range", "the modulus"),
        (str(p + x), "range", "an element plus the modulus"),
        (str(p * 10**300), "range", "far too long"),
        (f"-{x}", "digits", "negative"),
        (hex(x), "digits", "hexadecimal"),
        (str(p - 1), "subgroup", "order 2"),
        (str(p - x), "subgroup", "an element times the one of order 2"),
        ("2", "subgroup", "not in the subgroup"),
        (f"{x}.0", "digits", "a fraction"),
    ]


def invalid_scalars(group: Group) -> list[tuple[str, str]]:
    """(text, reason) of texts that are no scalar."""
    q = group.order
    return [
        (str(q), "range"),
        (str(q + 1), "range"),
        (str(2**256), "range"),
        ("1" + "0" * 90, "range"),
        ("1" + "0" * 5000, "digits"),
        ("", "digits"),
        ("00", "digits"),
        ("01", "digits"),
        ("+1", "digits"),
        ("-1", "digits"),
        ("-0", "digits"),
        (" 1", "digits"),
        ("1 ", "digits"),
        ("1\n", "digits"),
        ("0x1", "digits"),
        ("1e3", "digits"),
        ("1_0", "digits"),
        ("1.0", "digits"),
        ("\u0661", "digits"),
    ]
