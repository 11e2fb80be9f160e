"""Payments: what is asked for, what the bank statements say came in, and what is paid out."""
