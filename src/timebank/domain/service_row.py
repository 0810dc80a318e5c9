"""One row of a district's service history: what its cells may say, and why a row is refused."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from timebank.domain.activity import TITLE_LENGTH_MAX
from timebank.domain.assurance import Assurance, Measured
from timebank.domain.organization import NAME_LENGTH_MAX
from timebank.domain.service_field import ServiceField, field_of
from timebank.domain.transfer import service_key
from timebank.domain.writing import cleaned_line

MINUTES_MAX = 960
"""The longest service of one row: sixteen hours, as the longest shift; beyond it, it is a typing
error or several days in one row."""

YEAR_MIN = 1980
"""The first year of a service: no volunteer service is recorded from before, and 1900 is how
spreadsheets show an empty date."""

TEXT_LENGTH_MAX = 64
"""The longest number of a volunteer or record in another system."""

Cell = object
"""What a file has in a cell: text, a number, a date, or None."""


class Column(StrEnum):
    """The columns of a file, by the English name of their header."""

    VOLUNTEER = "volunteer"
    RECORD = "record"
    ACTIVITY = "activity"
    ORGANIZATION = "organization"
    FIELD = "field"
    PLACE = "place"
    START = "start"
    MINUTES = "minutes"
    HOURS = "hours"
    EVIDENCE = "evidence"


HEADERS: dict[str, Column] = {each.value: each for each in Column} | {
    "志愿者编号": Column.VOLUNTEER,
    "志愿者": Column.VOLUNTEER,
    "记录编号": Column.RECORD,
    "活动名称": Column.ACTIVITY,
    "活动": Column.ACTIVITY,
    "组织名称": Column.ORGANIZATION,
    "组织": Column.ORGANIZATION,
    "服务领域": Column.FIELD,
    "服务类别": Column.FIELD,
    "服务地点": Column.PLACE,
    "地点": Column.PLACE,
    "开始时间": Column.START,
    "服务时长(分钟)": Column.MINUTES,
    "服务分钟": Column.MINUTES,
    "分钟": Column.MINUTES,
    "服务时长(小时)": Column.HOURS,
    "服务小时": Column.HOURS,
    "小时": Column.HOURS,
    "证据": Column.EVIDENCE,
    "证据等级": Column.EVIDENCE,
}
"""Every header that is understood, brackets in half width, letters in lower case, no spaces."""

REQUIRED = (
    Column.VOLUNTEER,
    Column.ACTIVITY,
    Column.ORGANIZATION,
    Column.FIELD,
    Column.PLACE,
    Column.START,
)
"""Columns without which no row can be read; and one of minutes and hours."""


class ImportRefusal(StrEnum):
    """Why a row was left out, in order of precedence."""

    ROW_MALFORMED = "import.row_malformed"
    VOLUNTEER_MISSING = "import.volunteer_missing"
    RECORD_TOO_LONG = "import.record_too_long"
    ORGANIZATION_LENGTH = "import.organization_length"
    ACTIVITY_LENGTH = "import.activity_length"
    FIELD_UNKNOWN = "import.field_unknown"
    PLACE_UNKNOWN = "import.place_unknown"
    PLACE_AMBIGUOUS = "import.place_ambiguous"
    START_MALFORMED = "import.start_malformed"
    START_TOO_EARLY = "import.start_too_early"
    START_IN_FUTURE = "import.start_in_future"
    MINUTES_MALFORMED = "import.minutes_malformed"
    MINUTES_OUT_OF_RANGE = "import.minutes_out_of_range"
    EVIDENCE_UNKNOWN = "import.evidence_unknown"
    VOLUNTEER_UNKNOWN = "import.volunteer_unknown"
    VOLUNTEER_LEFT = "import.volunteer_left"
    RECORD_REUSED = "import.record_reused"


SENTENCES: dict[ImportRefusal, tuple[str, str]] = {
    ImportRefusal.ROW_MALFORMED: (
        "单元格数与表头不一致",
        "The row has not as many cells as the header.",
    ),
    ImportRefusal.VOLUNTEER_MISSING: ("缺志愿者编号", "The volunteer's number is missing."),
    ImportRefusal.RECORD_TOO_LONG: (
        f"记录编号超过 {TEXT_LENGTH_MAX} 字",
        f"The record's number is longer than {TEXT_LENGTH_MAX} characters.",
    ),
    ImportRefusal.ORGANIZATION_LENGTH: (
        f"组织名称应为 1 至 {NAME_LENGTH_MAX} 字",
        f"An organization's name has 1 to {NAME_LENGTH_MAX} characters.",
    ),
    ImportRefusal.ACTIVITY_LENGTH: (
        f"活动名称应为 1 至 {TITLE_LENGTH_MAX} 字",
        f"An activity's title has 1 to {TITLE_LENGTH_MAX} characters.",
    ),
    ImportRefusal.FIELD_UNKNOWN: ("没有这个服务领域", "There is no such field of service."),
    ImportRefusal.PLACE_UNKNOWN: (
        "没有这个区划代码，本县也没有这个村社区",
        "No division has this code, and no village of the county this name.",
    ),
    ImportRefusal.PLACE_AMBIGUOUS: (
        "本县有多个同名村社区，请填区划代码",
        "Several divisions of the county have this name: give the code.",
    ),
    ImportRefusal.START_MALFORMED: (
        "开始时间应如 2024-03-02 09:00",
        "A start is written like 2024-03-02 09:00.",
    ),
    ImportRefusal.START_TOO_EARLY: (
        f"开始时间早于 {YEAR_MIN} 年",
        f"The start lies before {YEAR_MIN}.",
    ),
    ImportRefusal.START_IN_FUTURE: ("开始时间在将来", "The start lies in the future."),
    ImportRefusal.MINUTES_MALFORMED: (
        "时长应为数字，分钟须为整数",
        "A duration is a number, and minutes are whole.",
    ),
    ImportRefusal.MINUTES_OUT_OF_RANGE: (
        f"一次服务应为 1 至 {MINUTES_MAX} 分钟",
        f"One service lasts 1 to {MINUTES_MAX} minutes.",
    ),
    ImportRefusal.EVIDENCE_UNKNOWN: (
        "证据应为 scanned、confirmed 或 declared",
        "Evidence is scanned, confirmed or declared.",
    ),
    ImportRefusal.VOLUNTEER_UNKNOWN: (
        "本县账簿没有这个志愿者",
        "The county's book knows no such volunteer.",
    ),
    ImportRefusal.VOLUNTEER_LEFT: (
        "服务时志愿者已迁出本县",
        "The volunteer had left the county by then.",
    ),
    ImportRefusal.RECORD_REUSED: (
        "此记录曾以其他内容导入",
        "This record was imported before with other content.",
    ),
}
"""What the file of errors says of each refusal, in Chinese and English."""

FIELD_NAMES: dict[str, ServiceField] = {
    "敬老助老": ServiceField.ELDER_CARE,
    "关爱儿童": ServiceField.CHILD_CARE,
    "扶残助残": ServiceField.DISABILITY,
    "社区服务": ServiceField.COMMUNITY,
    "生态环保": ServiceField.ENVIRONMENT,
    "文化艺术": ServiceField.CULTURE,
    "全民健身": ServiceField.SPORTS,
    "支教助学": ServiceField.EDUCATION,
    "医疗卫生": ServiceField.HEALTH,
    "应急救援": ServiceField.EMERGENCY,
    "交通引导": ServiceField.TRAFFIC,
    "法律服务": ServiceField.LEGAL_AID,
    "科普宣传": ServiceField.SCIENCE,
    "大型赛会": ServiceField.LARGE_EVENT,
    "文明倡导": ServiceField.CIVILITY,
    "乡村振兴": ServiceField.RURAL,
    "平安巡防": ServiceField.PUBLIC_SAFETY,
    "邻里互助": ServiceField.MUTUAL_AID,
    "心理关怀": ServiceField.COUNSELLING,
    "其他": ServiceField.OTHER,
}
"""The names of the fields in files, the same as on the product's pages."""

_DECLARED = (Assurance.A0.value, Measured.NEITHER.value)

_EVIDENCE: dict[str, tuple[int, int]] = {
    "": _DECLARED,
    "declared": _DECLARED,
    "补录": _DECLARED,
    "scanned": (Assurance.A1.value, Measured.BOTH.value),
    "扫码": (Assurance.A1.value, Measured.BOTH.value),
    "confirmed": (Assurance.A1.value, Measured.NEITHER.value),
    "确认": (Assurance.A1.value, Measured.NEITHER.value),
}


class Work(NamedTuple):
    """What was done: rows with the same work belong to one activity.

    Attributes:
        place: Division code.
    """

    organization: str
    title: str
    field: int
    place: int


class ServiceRow(NamedTuple):
    """One service as the file tells it; a named tuple, for an import makes millions.

    Attributes:
        line: Where it stands in the file.
        volunteer: Public number, or number in the system that the file comes from.
        record: Number of the record there; empty where the file has none.
        start_at: In UTC.
    """

    line: int
    volunteer: str
    record: str
    work: Work
    start_at: datetime
    minutes: int
    assurance: int
    measured: int


class CellRefused(NamedTuple):
    """A cell because of which a row is left out.

    Attributes:
        column: None where the row as a whole is meant.
        text: What the cell says.
    """

    line: int
    column: Column | None
    reason: ImportRefusal
    text: str


class _RefusedError(Exception):
    def __init__(self, reason: ImportRefusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Places:
    """The divisions that a file may name.

    Attributes:
        codes: Every division that is known.
        by_name: Divisions of the county by each of their names; several where names repeat.
    """

    codes: frozenset[int]
    by_name: Mapping[str, frozenset[int]]


def place_names(name: str) -> set[str]:
    """Return the names by which a division is called: as listed, and without its committee."""
    names = {name}
    for suffix, short in (
        ("社区居民委员会", "社区"),
        ("社区居委会", "社区"),
        ("居民委员会", "社区"),
        ("居委会", "社区"),
        ("村民委员会", "村"),
        ("村委会", "村"),
    ):
        if name.endswith(suffix):
            names.add(name.removesuffix(suffix) + short)
            break
    return names


def column_of(header: str) -> Column | None:
    """Return the column that a header names, or None."""
    name = "".join(header.split()).lower().replace("（", "(").replace("）", ")")
    return HEADERS.get(name)


class RowReader:
    """Reads rows of one file.

    Args:
        columns: Where each column stands, from 0.
        cells: How many cells a row has.
        now: Services do not start after it.
        is_evidence_trusted: The evidence column counts; else every row is declared.
    """

    def __init__(
        self,
        *,
        columns: Mapping[Column, int],
        cells: int,
        places: Places,
        zone: ZoneInfo,
        now: datetime,
        is_evidence_trusted: bool,
    ) -> None:
        self.columns = columns
        self.cells = cells
        self.is_evidence_read = is_evidence_trusted and Column.EVIDENCE in columns
        self._places = places
        self._zone = zone
        self._now = now
        self._is_in_minutes = Column.MINUTES in columns
        self._duration = Column.MINUTES if self._is_in_minutes else Column.HOURS

    def read(self, line: int, cells: Sequence[Cell]) -> ServiceRow | list[CellRefused]:
        """Return the service of a row, or every cell that stands in its way."""
        if len(cells) > self.cells and not any(cells[self.cells :]):
            cells = cells[: self.cells]
        if len(cells) != self.cells:
            return [CellRefused(line, None, ImportRefusal.ROW_MALFORMED, str(len(cells)))]
        try:
            return self._read(line, cells)
        except _RefusedError:
            return list(self._refusals(line, cells))

    def _read(self, line: int, cells: Sequence[Cell]) -> ServiceRow:
        at = self.columns
        record = at.get(Column.RECORD)
        assurance, measured = (
            read_evidence(cells[at[Column.EVIDENCE]]) if self.is_evidence_read else _DECLARED
        )
        return ServiceRow(
            line,
            _read_volunteer(cells[at[Column.VOLUNTEER]]),
            "" if record is None else _read_record(cells[record]),
            Work(
                _read_organization(cells[at[Column.ORGANIZATION]]),
                _read_title(cells[at[Column.ACTIVITY]]),
                read_field(cells[at[Column.FIELD]]),
                read_place(cells[at[Column.PLACE]], self._places),
            ),
            self._read_start(cells[at[Column.START]]),
            self._read_minutes(cells[at[self._duration]]),
            assurance,
            measured,
        )

    def _read_start(self, cell: Cell) -> datetime:
        return read_start(cell, zone=self._zone, now=self._now)

    def _read_minutes(self, cell: Cell) -> int:
        return read_minutes(cell, is_in_minutes=self._is_in_minutes)

    def _refusals(self, line: int, cells: Sequence[Cell]) -> list[CellRefused]:
        checks: list[tuple[Column, Callable[[Cell], object]]] = [
            (Column.VOLUNTEER, _read_volunteer),
            (Column.RECORD, _read_record),
            (Column.ORGANIZATION, _read_organization),
            (Column.ACTIVITY, _read_title),
            (Column.FIELD, read_field),
            (Column.PLACE, lambda cell: read_place(cell, self._places)),
            (Column.START, self._read_start),
            (self._duration, self._read_minutes),
        ]
        if self.is_evidence_read:
            checks.append((Column.EVIDENCE, read_evidence))
        found = []
        for column, check in checks:
            if column not in self.columns:
                continue
            cell = cells[self.columns[column]]
            try:
                check(cell)
            except _RefusedError as refused:
                found.append(CellRefused(line, column, refused.reason, _text(cell)[:100]))
        return found


def read_field(cell: Cell) -> int:
    """Return the number of the field of service that a cell names by code or Chinese name."""
    text = _text(cell)
    field = FIELD_NAMES.get(text) or field_of(text.lower())
    if field is None:
        raise _RefusedError(ImportRefusal.FIELD_UNKNOWN)
    return field.value


def read_place(cell: Cell, places: Places) -> int:
    """Return the code of the division that a cell names by code, or by name in the county."""
    text = _text(cell)
    if text.isascii() and text.isdigit():
        if len(text) in (6, 9, 12) and (code := int(text.ljust(12, "0"))) in places.codes:
            return code
        raise _RefusedError(ImportRefusal.PLACE_UNKNOWN)
    found = places.by_name.get(text, frozenset())
    if len(found) == 1:
        return next(iter(found))
    raise _RefusedError(ImportRefusal.PLACE_AMBIGUOUS if found else ImportRefusal.PLACE_UNKNOWN)


def read_start(cell: Cell, *, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the instant of a local time, which is an ISO text or a spreadsheet's date."""
    match cell:
        case datetime():
            local = cell
        case date():
            local = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 the zone follows
        case _:
            try:
                local = datetime.fromisoformat(_padded(_text(cell)))
            except ValueError:
                raise _RefusedError(ImportRefusal.START_MALFORMED) from None
    if local.year < YEAR_MIN:
        raise _RefusedError(ImportRefusal.START_TOO_EARLY)
    try:
        at = (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise _RefusedError(ImportRefusal.START_MALFORMED) from None
    if at > now:
        raise _RefusedError(ImportRefusal.START_IN_FUTURE)
    return at.replace(microsecond=0)


def read_minutes(cell: Cell, *, is_in_minutes: bool) -> int:
    """Return the minutes of a duration; hours are rounded half up to whole minutes."""
    text = _text(cell)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _RefusedError(ImportRefusal.MINUTES_MALFORMED) from None
    if not number.is_finite() or len(text) > TEXT_LENGTH_MAX:
        raise _RefusedError(ImportRefusal.MINUTES_MALFORMED)
    if abs(number) > MINUTES_MAX:
        raise _RefusedError(ImportRefusal.MINUTES_OUT_OF_RANGE)
    if not is_in_minutes:
        number = (number * 60).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    if number != int(number):
        raise _RefusedError(ImportRefusal.MINUTES_MALFORMED)
    if not 1 <= number <= MINUTES_MAX:
        raise _RefusedError(ImportRefusal.MINUTES_OUT_OF_RANGE)
    return int(number)


def read_evidence(cell: Cell) -> tuple[int, int]:
    """Return grade and measured ends of an evidence class; nothing said is declared."""
    found = _EVIDENCE.get(cell.strip() if isinstance(cell, str) else _text(cell))
    if found is None:
        raise _RefusedError(ImportRefusal.EVIDENCE_UNKNOWN)
    return found


def record_key(book: int, record: str) -> UUID:
    """Return the key of a record that has a number: the same number is the same deed."""
    return UUID(bytes=record_keys(book, [record])[0])


def record_keys(book: int, records: Iterable[str]) -> list[bytes]:
    """Return the keys of records that have a number, 16 bytes each.

    Six bytes of the number itself where it is one, so that the keys of consecutive records are
    neighbours in the index; then ten bytes of a SHA-256. Version and variant bits follow RFC 9562.
    """
    prefix = f"import\x1f{book}\x1f".encode()
    keys = []
    for record in records:
        digest = sha256(prefix + record.encode()).digest()
        if record.isascii() and record.isdigit():
            first = (int(record) & 0xFFFF_FFFF_FFFF).to_bytes(6, "big")
        else:
            first = digest[10:16]
        keys.append(
            first + _VERSION_8[digest[0]] + digest[1:2] + _VARIANT[digest[2]] + digest[3:10]
        )
    return keys


_VERSION_8 = [bytes([0x80 | each & 0x0F]) for each in range(256)]
_VARIANT = [bytes([0x80 | each & 0x3F]) for each in range(256)]


def content_key(book: int, volunteer: int, row: ServiceRow, *, occurrence: int) -> UUID:
    """Return the key of a record without a number: the same content is the same deed.

    `occurrence` counts equal rows of one file from 1: they are as many deeds. The evidence is left
    out, so that a file imported again with another word on it does not count twice.
    """
    return service_key(row.start_at, "import", book, volunteer, *row.work, row.minutes, occurrence)


def _read_volunteer(cell: Cell) -> str:
    text = cell.strip() if isinstance(cell, str) else _text(cell)
    if not 0 < len(text) <= TEXT_LENGTH_MAX or not text.isprintable():
        raise _RefusedError(ImportRefusal.VOLUNTEER_MISSING)
    return text


def _read_record(cell: Cell) -> str:
    text = cell.strip() if isinstance(cell, str) else _text(cell)
    if len(text) > TEXT_LENGTH_MAX:
        raise _RefusedError(ImportRefusal.RECORD_TOO_LONG)
    return text


def _read_organization(cell: Cell) -> str:
    return _read_line(cell, NAME_LENGTH_MAX, ImportRefusal.ORGANIZATION_LENGTH)


def _read_title(cell: Cell) -> str:
    return _read_line(cell, TITLE_LENGTH_MAX, ImportRefusal.ACTIVITY_LENGTH)


def _read_line(cell: Cell, length_max: int, reason: ImportRefusal) -> str:
    text = cleaned_line(_text(cell))
    if not 1 <= len(text) <= length_max:
        raise _RefusedError(reason)
    return text


def _text(cell: Cell) -> str:
    """Return what a cell says as text: whole numbers without a point."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _padded(text: str) -> str:
    """Return a date like 2024/3/2 9:00 with two digits everywhere, as ISO 8601 wants it."""
    if len(text) > 40:
        return ""
    day, _, hour = text.partition(" ")
    if "T" not in day:
        parts = day.replace("/", "-").replace(".", "-").split("-")
        day = "-".join(part.zfill(2) for part in parts)
    if hour[1:2] == ":":
        hour = "0" + hour
    return f"{day} {hour}".strip()
