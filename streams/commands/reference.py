"""docs/cli.md, made from the commands' own help: python -m streams.commands.reference > docs/cli.md"""

from __future__ import annotations

from collections.abc import Iterator

import click

WIDTH = 100


def reference(root: click.Group) -> str:
    """The help of every command as one Markdown document."""
    parts = ["# Command line", "", "Made from `churnwatch COMMAND --help`; a test fails when it is stale.", ""]
    for path, command, ctx in _commands(root):
        parts += [f"{'#' * min(4, len(path) + 1)} {' '.join(path)}", "", "```text", _help(command, ctx), "```", ""]
    return "\n".join(parts)


def _commands(root: click.Group) -> Iterator[tuple[list[str], click.Command, click.Context]]:
    """Every command under its full name, in the order of the help."""
    waiting: list[tuple[list[str], click.Command, click.Context | None]] = [(["churnwatch"], root, None)]
    while waiting:
        path, command, parent = waiting.pop(0)
        settings = {"terminal_width": WIDTH, "max_content_width": WIDTH, "help_option_names": ["-h", "--help"]}
        ctx = click.Context(command, parent=parent, info_name=path[-1], **settings)  # type: ignore[arg-type]
        yield path, command, ctx
        if isinstance(command, click.Group):
            below = [(name, command.get_command(ctx, name)) for name in command.list_commands(ctx)]
            waiting[:0] = [([*path, name], found, ctx) for name, found in below if found is not None]


def _help(command: click.Command, ctx: click.Context) -> str:
    return "\n".join(line.rstrip() for line in command.get_help(ctx).splitlines())


if __name__ == "__main__":
    from streams.cli import main

    click.echo(reference(main), nl=False)
