"""Columns that every table writes the same way."""

from sqlalchemy import Column, DateTime


def instant(name: str, *, is_required: bool = True, comment: str | None = None) -> "Column[object]":
    """An instant in UTC, with its zone."""
    return Column(name, DateTime(timezone=True), nullable=not is_required, comment=comment)
