"""Reading what the modules OCA/cooperative of Odoo export: partners, register, share lines.

Pure: files and what the register already holds in, members and ledger entries and problems out.
"""
