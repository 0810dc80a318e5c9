"""Reports as files for a spreadsheet program, in which no cell is a formula.

Source: RFC 4180 (CSV).
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook

from timebank.domain.cell import safe_text
from timebank.domain.definition import Denominator
from timebank.domain.metric import ActiveRate
from timebank.domain.publication import PublishedRow
from timebank.queries.active_rate import ActiveRateReport

_BOM = b"\xef\xbb\xbf"

_RATE = "每万常住人口活跃志愿者"
_RATES = {
    Denominator.RESIDENTS: _RATE,
    Denominator.REGISTERED: "每万注册志愿者活跃志愿者",
    Denominator.RESIDENTS_AGED: "每万同龄常住人口活跃志愿者",
}

_HEADERS = (
    "行政区划代码",
    "名称",
    "级别",
    "常住人口",
    "人口日期",
    "人口来源",
    "人口是否估算",
    "注册志愿者",
    "活跃志愿者",
    _RATE,
    "扫码分钟",
    "确认分钟",
    "补录分钟",
)
_LEVELS = {
    "province": "省",
    "city": "市",
    "county": "县（市、区）",
    "town": "乡镇（街道）",
    "village": "村（社区）",
}
_UNKNOWN = "未知"

Cell = str | int


def to_csv(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return rows as CSV: UTF-8 with the mark that Excel needs, lines ending in CR LF."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in rows:
        writer.writerow([safe_text(cell) if isinstance(cell, str) else cell for cell in row])
    return _BOM + buffer.getvalue().encode()


def to_xlsx(sheets: dict[str, Iterable[Sequence[Cell]]], *, at: datetime | None = None) -> bytes:
    """Return sheets by name as an Excel file.

    With `at` the file says that it was made then, and the same sheets are the same bytes.
    """
    workbook = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append([safe_text(cell) if isinstance(cell, str) else cell for cell in row])
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue() if at is None else _dated(buffer, at)


def _dated(made: io.BytesIO, at: datetime) -> bytes:
    """Return the same file without a trace of when it was really packed."""
    day = at.astimezone(UTC)
    stamp = f"{day:%Y-%m-%dT%H:%M:%SZ}".encode()
    buffer = io.BytesIO()
    with ZipFile(made) as packed, ZipFile(buffer, "w", ZIP_DEFLATED) as again:
        for name in packed.namelist():
            content = packed.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, content)
            entry = ZipInfo(name, (day.year, day.month, day.day, day.hour, day.minute, day.second))
            entry.compress_type = ZIP_DEFLATED
            again.writestr(entry, content)
    return buffer.getvalue()


def active_rate_csv(report: ActiveRateReport) -> bytes:
    """Return the report as one table; definition and state of the book are columns of each row."""
    made_of = (report.year, report.definition.id, _as_of(report))
    rows = division_rows(report.rows, denominator=report.definition.denominator)
    header = (*rows[0], "年度", "口径", "截至账簿序号")
    return to_csv([header, *((*row, *made_of) for row in rows[1:])])


def active_rate_xlsx(report: ActiveRateReport) -> bytes:
    """Return the report as an Excel file; definition and state of the book on a second sheet."""
    definition = report.definition
    about: list[tuple[Cell, Cell]] = [
        ("年度", report.year),
        ("口径", definition.id),
        ("口径生效日期", definition.valid_from.isoformat()),
        ("口径来源", definition.source),
        ("活跃门槛：分钟数超过", definition.minutes_above),
        ("最低证据等级", definition.assurance_min.name),
        ("分母", definition.denominator),
        ("每", definition.per),
        ("截至账簿序号", _as_of(report)),
    ]
    return to_xlsx(
        {
            "活跃率": division_rows(report.rows, denominator=definition.denominator),
            "口径": about,
        }
    )


def division_rows(
    found: Iterable[ActiveRate | PublishedRow], *, denominator: str
) -> list[tuple[Cell, ...]]:
    """Return divisions as a table, its heading first, which says whom the rate is taken of."""
    heads = {_RATE: _RATES[Denominator(denominator)]}
    rows: list[tuple[Cell, ...]] = [tuple(heads.get(each, each) for each in _HEADERS)]
    for row in found:
        residents = row.residents
        rate = row.rate
        rows.append(
            (
                str(row.region),
                row.name,
                _LEVELS[row.level],
                _UNKNOWN if residents is None else residents.count,
                _UNKNOWN if residents is None else residents.as_of.isoformat(),
                _UNKNOWN if residents is None else residents.source,
                _UNKNOWN if residents is None else "是" if residents.is_estimate else "否",
                row.registered,
                row.active,
                _UNKNOWN if rate is None else rate,
                row.minutes_scanned,
                row.minutes_confirmed,
                row.minutes_declared,
            )
        )
    return rows


def _as_of(report: ActiveRateReport) -> str:
    return "; ".join(f"{each.book}:{each.seq}" for each in report.as_of_books)
