"""The command line: everything an operator does, one command each."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from timebank.app import take_plugins
from timebank.cli import (
    benefits,
    definitions,
    exchange,
    importing,
    ledger,
    log,
    plugins,
    policies,
    publications,
    reports,
    serving,
    standing,
)
from timebank.cli.command import Command, CommandError
from timebank.postgres import PostgresError
from timebank.services.demo import DemoError
from timebank.services.service_file import ImportFileError
from timebank.settings import SettingsError, make_data_folder, read_settings

_FAMILIES = (
    serving,
    importing,
    reports,
    publications,
    definitions,
    standing,
    exchange,
    policies,
    benefits,
    plugins,
    ledger,
    log,
)
"""Every family of commands, in the order in which they are listed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused or found wrong, 2 misused."""
    options = parser().parse_args(arguments)
    # A default SIGTERM would leave the embedded database running behind us.
    signal.signal(signal.SIGTERM, _raise_exit)
    command: Command = options.command
    try:
        settings = read_settings(os.environ, is_root=os.geteuid() == 0)
        make_data_folder(settings.data)
        if options.takes_plugins:
            take_plugins(settings)
        return command(options, settings)
    except (CommandError, SettingsError, PostgresError, DemoError, ImportFileError) as error:
        print(f"timebank: {error.sentence} [{error.code}]", file=sys.stderr)
        return 1
    except (
        FileExistsError,
        FileNotFoundError,
        IsADirectoryError,
        NotADirectoryError,
        PermissionError,
    ) as error:
        print(f"timebank: {error.filename}: {error.strerror} [file.closed]", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    made = argparse.ArgumentParser(prog="timebank", description="The time bank of a county.")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    for family in _FAMILIES:
        family.add_commands(commands)
    return made


def _raise_exit(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)
