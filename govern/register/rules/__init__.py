"""What the register decides: pure functions over plain values, tested without a database."""
