"""``python -m horizon``: the command line, where no ``horizon`` is on the path."""

from horizon.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
