"""`python -m pretextual` is the command `pretextual`."""

from pretextual.cli.main import main

if __name__ == "__main__":
    main()
