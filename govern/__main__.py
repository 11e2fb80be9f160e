"""``python -m govern``: the same as the ``govern`` command."""

from govern.cli import main

if __name__ == "__main__":
    main(prog_name="govern")
