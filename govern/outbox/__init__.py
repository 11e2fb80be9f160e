"""The pages of the outbox: what left the house, what did not, letters to print, the mailbox."""
