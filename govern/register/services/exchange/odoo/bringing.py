"""The export of Odoo's cooperative modules brought in at once, as the command does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from govern import audit
from govern.access import Actor, Permission
from govern.cooperatives.models import Cooperative
from govern.register.importing.odoo.plan import OdooPlan
from govern.register.importing.odoo.planning import plan_import
from govern.register.services.chain import lock_register
from govern.register.services.exchange.odoo.reading import (
    OdooFiles,
    Said,
    known_register,
    read_export,
    rules_for,
)
from govern.register.services.exchange.odoo.writing import write_plan
from govern.register.services.ledger import refuse_on_hold


@dataclass(frozen=True)
class OdooImport:
    """What came in (or, for a dry run, would have): the plan, and whether it was written."""

    plan: OdooPlan
    was_written: bool


def import_odoo(
    session: Session,
    actor: Actor,
    cooperative: Cooperative,
    files: OdooFiles,
    *,
    categories: Mapping[str, str] | None = None,
    classes: Mapping[str, str] | None = None,
    dry_run: bool = False,
    good_rows: bool = False,
    other_names: bool = False,
) -> OdooImport:
    """Read the files, work out what is new and write it, all of it or nothing.

    ``categories``, ``classes`` and ``other_names`` as in ``Said``. With errors nothing is written
    unless ``good_rows``: then the members whom an error touches stay out, with everybody they
    exchanged shares with. The caller commits.
    Raises InvalidInput when a file cannot be read, RuleViolation without a rule set.
    """
    actor.require(Permission.REGISTER_IMPORT, cooperative.id)
    refuse_on_hold(cooperative)
    said = Said(categories or {}, classes or {}, other_names)
    rules = rules_for(session, cooperative, said)
    export = read_export(files, cooperative)
    lock_register(session, cooperative.id)
    plan = plan_import(export, known_register(session, cooperative), rules)
    may_write = not dry_run and (good_rows or not plan.has_errors)
    if may_write and not plan.is_empty:
        write_plan(session, actor, cooperative, plan)
        audit.record(
            session,
            actor,
            "register:odoo:imported",
            cooperative_id=cooperative.id,
            data={"members": len(plan.members), "entries": len(plan.entries), "out": plan.left_out},
        )
    return OdooImport(plan, may_write)
