"""Bank statements made for the tests: CAMT.053 in two versions. All of it is invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

DATA = Path(__file__).parent / "data"
OURS = "BE68539007547034"
AN = "BE71096123456769"


def euro(cents: int) -> str:
    return f"{abs(cents) // 100}.{abs(cents) % 100:02d}"


def sign(cents: int) -> str:
    return "CRDT" if cents >= 0 else "DBIT"


@dataclass
class Tx:
    """One movement: cents, positive when received."""

    cents: int
    reference: str = ""
    message: str = ""
    name: str = "An Peeters"
    iban: str = AN
    bank_reference: str = ""
    end_to_end: str = "NOTPROVIDED"
    day: str = "2018-05-30"
    is_reversal: bool = False
    return_code: str = ""
    parts: list[Tx] = field(default_factory=list)
    batch: str = ""
    status: str = "BOOK"


def camt(
    *entries: Tx,
    iban: str = OURS,
    opening: int = 100_000,
    closing: int | None = None,
    version: str = "08",
    currency: str = "EUR",
    identification: str = "2018-101",
) -> bytes:
    """One statement; ``closing`` defaults to what adds up."""
    booked = sum(entry.cents for entry in entries if entry.status == "BOOK")
    end = opening + booked if closing is None else closing
    body = "".join(_entry(entry, version, currency) for entry in entries)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        "<BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId><CreDtTm>2018-05-31T06:00:00</CreDtTm></GrpHdr>"
        f"<Stmt><Id>{identification}</Id><CreDtTm>2018-05-31T06:00:00</CreDtTm>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>"
        f"{_balance('OPBD', opening, currency)}{_balance('CLBD', end, currency)}{body}"
        "</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def _balance(code: str, cents: int, currency: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{euro(cents)}</Amt><CdtDbtInd>{sign(cents)}</CdtDbtInd>'
        "<Dt><Dt>2018-05-30</Dt></Dt></Bal>"
    )


def _entry(tx: Tx, version: str, currency: str) -> str:
    status = f"<Cd>{tx.status}</Cd>" if version >= "08" else tx.status
    service = (
        f"<AcctSvcrRef>{tx.bank_reference}</AcctSvcrRef>"
        if tx.bank_reference and not tx.parts
        else ""
    )
    batch = f"<Btch><PmtInfId>{tx.batch}</PmtInfId></Btch>" if tx.batch else ""
    parts: Sequence[Tx] = tx.parts or [tx]
    details = "".join(_details(part, version, bool(tx.parts), currency) for part in parts)
    reversal = "<RvslInd>true</RvslInd>" if tx.is_reversal else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{euro(tx.cents)}</Amt>'
        f"<CdtDbtInd>{sign(tx.cents)}</CdtDbtInd>{reversal}<Sts>{status}</Sts>"
        f"<BookgDt><Dt>{tx.day}</Dt></BookgDt><ValDt><Dt>{tx.day}</Dt></ValDt>{service}"
        "<BkTxCd><Domn><Cd>PMNT</Cd></Domn></BkTxCd>"
        f"<NtryDtls>{batch}{details}</NtryDtls></Ntry>"
    )


def _details(tx: Tx, version: str, is_part: bool, currency: str) -> str:
    role = "Dbtr" if tx.cents > 0 else "Cdtr"
    name = f"<Nm>{escape(tx.name)}</Nm>"
    party = f"<{role}><Pty>{name}</Pty></{role}>" if version >= "08" else f"<{role}>{name}</{role}>"
    account = f"<{role}Acct><Id><IBAN>{tx.iban}</IBAN></Id></{role}Acct>" if tx.iban else ""
    service = (
        f"<AcctSvcrRef>{tx.bank_reference}</AcctSvcrRef>" if tx.bank_reference and is_part else ""
    )
    amount = ""
    if is_part:
        amount = f'<Amt Ccy="{currency}">{euro(tx.cents)}</Amt>'
        if version < "08":
            amount = f"<AmtDtls><TxAmt>{amount}</TxAmt></AmtDtls>"
        else:
            amount += f"<CdtDbtInd>{sign(tx.cents)}</CdtDbtInd>"
    structured = (
        f"<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>"
        f"<Ref>{tx.reference}</Ref></CdtrRefInf></Strd>"
        if tx.reference
        else ""
    )
    free = f"<Ustrd>{escape(tx.message)}</Ustrd>" if tx.message else ""
    told = f"<RmtInf>{free}{structured}</RmtInf>" if free or structured else ""
    returned = f"<RtrInf><Rsn><Cd>{tx.return_code}</Cd></Rsn></RtrInf>" if tx.return_code else ""
    return (
        f"<TxDtls><Refs>{service}<EndToEndId>{tx.end_to_end}</EndToEndId></Refs>{amount}"
        f"<RltdPties>{party}{account}</RltdPties>{told}{returned}</TxDtls>"
    )
