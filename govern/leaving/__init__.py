"""Leaving: resignation, death, loss of status, exclusion, and paying back the shares."""
