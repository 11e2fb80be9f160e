"""People and organisations, memberships, the share ledger, imports, and rolls frozen from them."""
