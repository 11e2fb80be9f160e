"""What is decided about leaving: days, steps, states, and what the board's tests allow. Pure."""
