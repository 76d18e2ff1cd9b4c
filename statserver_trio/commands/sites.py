"""What several commands share: loading a configuration, and how they end."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..config.load import load
from ..config.mistakes import ConfigError
from ..config.schema import Config

EX_RUNTIME = 1
EX_PORT_BUSY = 75
EX_CONFIG = 78


def conf_file(name: str) -> Path:
    """A configuration that comes with the program: in the wheel, or beside the sources."""
    package = Path(__file__).parent.parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / name).exists():
            return folder / name
    raise SystemExit(f"{name} did not come with this installation; name one with --config")


def load_or_exit(path: Path) -> Config:
    """The configuration; where it is wrong, every mistake is printed and the program ends."""
    try:
        config = load(path, os.environ)
    except ConfigError as exc:
        for finding in (*exc.mistakes, *exc.warnings):
            click.echo(str(finding), err=True)
        raise SystemExit(EX_CONFIG) from None
    for warning in config.warnings:
        click.echo(str(warning), err=True)
    return config
