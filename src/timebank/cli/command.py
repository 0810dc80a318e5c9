"""What every command is made of."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from timebank.settings import Settings

Command = Callable[[argparse.Namespace, Settings], int]

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What a family adds its commands to."""


class CommandError(Exception):
    """The command cannot be carried out.

    Attributes:
        code: Stable name of the failure.
        sentence: What is wrong and what to do.
    """

    def __init__(self, *, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def add_command(
    commands: Subparsers, name: str, command: Command, about: str
) -> argparse.ArgumentParser:
    """Add one command; returns the parser that takes its arguments."""
    found = commands.add_parser(name, help=about, description=about)
    found.set_defaults(command=command, takes_plugins=True)
    return found


def now() -> datetime:
    """Read the clock, for a command that was not given a time."""
    return datetime.now(UTC)  # noqa: TID251 a command has a clock of its own
