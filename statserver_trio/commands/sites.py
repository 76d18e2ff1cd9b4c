"""What several commands share: finding a configuration, and loading it."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import IO, Any

import click

from ..config.dump import dump
from ..config.load import load
from ..config.mistakes import ConfigError, Mistake
from ..config.schema import Config
from .output import EX_CONFIG, Failure, say, wants_json, written


def conf_file(name: str) -> Path:
    """A configuration that comes with the program: in the wheel, or beside the sources."""
    package = Path(__file__).parent.parent
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / name).exists():
            return folder / name
    raise Failure(f"{name} did not come with this installation; name one with --config")


class BadConfiguration(Failure):
    """A configuration that cannot be used: a line for each finding."""

    exit_code = EX_CONFIG

    def __init__(self, error: ConfigError) -> None:
        findings = (*error.mistakes, *error.warnings)
        super().__init__("\n".join(map(str, findings)))
        self.mistakes = [each._asdict() for each in findings]

    def show(self, file: IO[Any] | None = None) -> None:
        """The lines as they are."""
        click.echo(self.message, file=file, err=file is None)


def load_or_exit(path: Path) -> Config:
    """The configuration; its warnings are said.

    Raises:
        BadConfiguration: It is wrong; ends the program with every mistake.
    """
    try:
        config = load(path, os.environ)
    except ConfigError as exc:
        raise BadConfiguration(exc) from None
    for warning in config.warnings:
        warn(warning)
    return config


def warn(warning: Mistake) -> None:
    """Say something about a configuration that can be used all the same."""
    told = warning._asdict()
    del told["warning"]
    say(str(warning), warning=told)


def show_config(path: Path, config: Config, effective: bool) -> None:
    """Print a configuration that can be used: that it can, or what it comes to."""
    if not effective:
        usable = written({"file": str(path), "usable": True})
        click.echo(usable if wants_json() else f"{path}: no mistakes")
        return
    text = dump(config)
    click.echo(written(tomllib.loads(text)) if wants_json() else text)
