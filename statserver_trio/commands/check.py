"""``statserver check CONF...``: every mistake in a configuration, at once."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import click

from ..config.dump import dump
from ..config.load import load
from ..config.mistakes import ConfigError, Mistake
from ..config.schema import Config
from .output import EX_CONFIG, json_option, say, written


@click.command("check")
@click.argument(
    "files", metavar="CONF...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@json_option(
    "The findings as a JSON array of objects, or with --print each configuration, a line each"
)
@click.option(
    "--print",
    "effective",
    is_flag=True,
    help="Print the effective configuration as TOML, and the findings on standard error.",
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
            _print(file, config, as_json)
    findings = list(dict.fromkeys(findings))  # files share what they include
    if effective:
        _say_beside(findings, overrides)
    elif as_json:
        click.echo(json.dumps([each._asdict() for each in findings], indent=1))
    else:
        for each in findings:
            click.echo(str(each))
        for variable, place in overrides.items():
            click.echo(f"{variable}: gives {place}")
        if not failed:
            click.echo(f"{', '.join(map(str, files))}: no mistakes")
    context.exit(EX_CONFIG if failed else 0)


def _print(file: Path, config: Config, as_json: bool) -> None:
    """What a file comes to."""
    text = dump(config)
    if as_json:
        click.echo(written({"file": str(file), "configuration": tomllib.loads(text)}))
    else:
        click.echo(f"# {file}\n{text}")


def _say_beside(findings: list[Mistake], overrides: dict[str, str]) -> None:
    """On standard error, where configurations are on output."""
    for each in findings:
        told = each._asdict()
        kind = "warning" if told.pop("warning") else "mistake"
        say(str(each), **{kind: told})
    for variable, place in overrides.items():
        say(f"{variable}: gives {place}", variable=variable, gives=place)
