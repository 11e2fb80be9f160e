"""What joining stores: statutes, applications, decisions of the board, orders of more shares."""

from govern.joining.models.applications import Application, BoardDecision, ShareOrder
from govern.joining.models.statutes import Statutes, StatutesText

__all__ = ["Application", "BoardDecision", "ShareOrder", "Statutes", "StatutesText"]
