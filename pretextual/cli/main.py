"""The entry point: turns every ending of a verb into a message and an exit code.

0 done · 2 the user's error, one clear message · 3 a gate that the user set failed · 75 interrupted and
saved · 130 interrupted with nothing to save · 1 our bug.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from pretextual.cli.group import root
from pretextual.core.errors import ConfigError, PretextualError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: words after `pretextual`; by default the process's own.
    """
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        code = root.main(
            args=None if arguments is None else list(arguments),
            prog_name="pretextual",
            standalone_mode=False,
        )
    except PretextualError as error:
        _log(str(error))
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.UsageError as error:
        return _usage(error)
    except click.ClickException as error:
        _log(error.format_message())
        return 2
    except (KeyboardInterrupt, click.Abort):
        _log("interrupted")
        return 130
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep Python from complaining while it closes stdout.
        sys.stdout = None
        return 0
    except Exception as error:  # the last line of defence: our bug, or the user's own code
        return _bug(error)
    return code if isinstance(code, int) else 0


def _log(text: str) -> None:
    click.echo(text, err=True)


def _usage(error: click.UsageError) -> int:
    command = error.ctx.command_path if error.ctx is not None else "pretextual"
    said, _, hint = error.format_message().partition("\n  next      ")
    _log(
        str(ConfigError.one("C013", where=command, got=said, hint=hint or f"see {command} --help"))
    )
    return 2


def _bug(error: Exception) -> int:
    from pretextual.recipes.code import code_failure

    theirs = code_failure(error)
    if theirs is not None:
        _log(str(theirs))
        return theirs.exit_code
    with tempfile.NamedTemporaryFile(
        "w", prefix="pretextual-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"pretextual {' '.join(sys.argv[1:])}\n\n")
        file.write("".join(traceback.format_exception(error)))
    _log(
        f"This is a bug in pretextual, not your mistake: {type(error).__name__}: {error}\n"
        f"  details   {Path(file.name)}\n"
        "  next      please report it with that file"
    )
    return 1
