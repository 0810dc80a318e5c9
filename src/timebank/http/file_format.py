"""In which forms a program can ask for rows."""

from enum import StrEnum

from litestar.exceptions import ValidationException


class Format(StrEnum):
    """A form of rows, and what follows the dot in its file's name."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """What the answer says that it is."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
}


def parse_format(text: str, *, among: tuple[Format, ...] = tuple(Format)) -> Format:
    """Return the form that a text names.

    Raises:
        ValidationException: It names none of those.
    """
    if text not in among:
        raise ValidationException(f"format is one of {', '.join(among)}")
    return Format(text)
