"""The command `pretextual`: verbs that load when called, so that help is instant."""

from __future__ import annotations

import importlib

import click

from pretextual.cli.verbs import VERBS
from pretextual.core.errors import nearest


class Verbs(click.Group):
    """Knows the name and one line of every verb, and imports a verb's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in their order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, from its own module."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"pretextual.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest verb where there is none of the name."""
        if args and args[0] not in VERBS:
            close = nearest(args[0], VERBS)
            hint = f"did you mean {close}?" if close else "pretextual --help lists the verbs"
            raise click.UsageError(f"no verb {args[0]}\n  next      {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of verbs, without loading any of them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from pretextual import __version__

        click.echo(f"pretextual {__version__}")
        ctx.exit()


@click.group(
    cls=Verbs,
    name="pretextual",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every verb explains itself: pretextual VERB --help",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show it."
)
def root() -> None:
    """Self-supervised pre-training: from raw text to a model that the whole ecosystem loads."""
