"""Reading a register from a file: pure functions from bytes to rows, problems and a plan.

``reading`` turns a file into cells, ``headers`` names its columns, ``rows`` reads and checks each
row by itself, ``comparing`` sets the rows against each other and against the register. Nothing in
here knows the web or the database.
"""
