"""The routes: ``office`` for officers of a cooperative, ``mailbox`` for the demonstration."""
