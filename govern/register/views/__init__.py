"""The HTTP edge of the register: parse, one service call, render."""
