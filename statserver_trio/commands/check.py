"""``statserver check CONF...``: every mistake in a configuration, at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from ..config.dump import dump
from ..config.load import load
from ..config.mistakes import ConfigError, Mistake
from .output import EX_CONFIG, json_option


@click.command("check")
@click.argument(
    "files", metavar="CONF...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@json_option("The findings as a JSON array of objects")
@click.option(
    "--print", "effective", is_flag=True, help="Print the effective configuration as TOML."
)
@click.pass_context
def command(
    context: click.Context, files: tuple[Path, ...], as_json: bool, effective: bool
) -> None:
    """Say what is wrong with the files CONF, each for itself.

    One line per finding, `file: [section] key: what is wrong`. Exit status 0
    if they can be used (warnings do not count), 78 if not. What variables of
    the environment give instead (STATSERVER__SECTION__KEY) is said as well.

    \b
    Example:
      statserver check conf/primary.toml conf/backup.toml
    """
    if as_json and effective:
        raise click.UsageError("--json and --print do not go together.")
    findings: list[Mistake] = []
    overrides: dict[str, str] = {}
    failed = False
    for file in files:
        try:
            config = load(file, os.environ)
        except ConfigError as exc:
            failed = True
            findings += [*exc.mistakes, *exc.warnings]
            continue
        findings += config.warnings
        overrides |= config.overrides
        if effective:
            click.echo(f"# {file}\n{dump(config)}")
    findings = list(dict.fromkeys(findings))  # files share what they include
    if as_json:
        click.echo(json.dumps([each._asdict() for each in findings], indent=1))
    else:
        for each in findings:
            click.echo(str(each), err=effective)
        for variable, place in overrides.items():
            click.echo(f"{variable}: gives {place}", err=effective)
        if not failed and not effective:
            click.echo(f"{', '.join(map(str, files))}: no mistakes")
    context.exit(EX_CONFIG if failed else 0)
