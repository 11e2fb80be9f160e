"""The front pages: what is expected of me by when, and what a cooperative shows to whom."""
