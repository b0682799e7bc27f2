"""Lets `python -m releve` be the `releve` command."""

from releve.cli import main

if __name__ == "__main__":
    main()
