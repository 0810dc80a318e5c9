"""Rows of a district's registers: what their cells may say, and why a row is refused.

A register is small and is taken whole or not at all: services with what they reached, stations
with what is counted of them, profiles of volunteers, training, and populations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from timebank.domain.definition import AgeBand
from timebank.domain.service_field import ServiceField, field_of
from timebank.domain.service_row import FIELD_NAMES, Places
from timebank.domain.station import Figure, Tier
from timebank.domain.writing import cleaned_line

COUNT_MAX = 2_000_000_000
"""The largest count of a cell: more people than any country has."""

TIMES_MAX = 1_000
"""How often one activity is done on one day at most: beyond it, it is a sum of many days."""

MINUTES_MAX = 1_440
"""The longest training of one day."""

TEXT_LENGTH_MAX = 100
"""The longest name, title or source."""

BIRTH_YEAR_MIN = 1900
"""The earliest year of birth: nobody older serves."""


class Register(StrEnum):
    """What a file is about, as the command line calls it."""

    SESSIONS = "sessions"
    """How often an activity was done on a day, and how many people and households it reached."""
    STATIONS = "stations"
    FIGURES = "station-figures"
    PROFILES = "profiles"
    TRAININGS = "trainings"
    RESIDENTS = "residents"
    ATTESTATIONS = "attestations"
    """What other offices say about volunteers, for policies: certificates, employment, lists."""


class RegisterRefusal(StrEnum):
    """Why a row, and with it the file, was not taken, in order of precedence."""

    ROW_MALFORMED = "register.row_malformed"
    CELL_MISSING = "register.cell_missing"
    TEXT_TOO_LONG = "register.text_too_long"
    NUMBER_MALFORMED = "register.number_malformed"
    NUMBER_OUT_OF_RANGE = "register.number_out_of_range"
    DAY_MALFORMED = "register.day_malformed"
    DAY_IN_FUTURE = "register.day_in_future"
    DAYS_DISORDERED = "register.days_disordered"
    YES_NO_MALFORMED = "register.yes_no_malformed"
    WORD_UNKNOWN = "register.word_unknown"
    AGES_MALFORMED = "register.ages_malformed"
    PLACE_UNKNOWN = "register.place_unknown"
    PLACE_AMBIGUOUS = "register.place_ambiguous"
    VOLUNTEER_UNKNOWN = "register.volunteer_unknown"
    STATION_UNKNOWN = "register.station_unknown"
    REPEATED = "register.repeated"


@dataclass(frozen=True, slots=True)
class RowRefused:
    """A cell because of which a file is not taken.

    Attributes:
        column: English name of the column; empty where the row as a whole is meant.
        text: What the cell says.
    """

    line: int
    column: str
    reason: RegisterRefusal
    text: str


class _RefusedError(Exception):
    def __init__(self, reason: RegisterRefusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Setting:
    """What rows are read against.

    Attributes:
        today: Nothing lies after it.
    """

    places: Places
    today: date


Reader = Callable[[str, Setting], object]


@dataclass(frozen=True, slots=True)
class RegisterColumn:
    """A column of a register.

    Attributes:
        name: Its English header.
        chinese: Its Chinese headers.
        read: Understands a cell that is not empty.
        missing: What an empty cell means; a required one has none.
    """

    name: str
    chinese: tuple[str, ...]
    read: Reader
    is_required: bool = True
    missing: object = None


def _text(cell: str, _: Setting) -> str:
    text = cleaned_line(cell)
    if len(text) > TEXT_LENGTH_MAX:
        raise _RefusedError(RegisterRefusal.TEXT_TOO_LONG)
    return text


def _number(low: int, high: int) -> Reader:
    def read(cell: str, _: Setting) -> int:
        text = cell.removesuffix(".0").replace(",", "")
        if not text.isascii() or not text.isdigit() or len(text) > 12:
            raise _RefusedError(RegisterRefusal.NUMBER_MALFORMED)
        if not low <= int(text) <= high:
            raise _RefusedError(RegisterRefusal.NUMBER_OUT_OF_RANGE)
        return int(text)

    return read


def _day(cell: str, _: Setting) -> date:
    parts = cell.partition(" ")[0].partition("T")[0].replace("/", "-").replace(".", "-").split("-")
    try:
        return date.fromisoformat("-".join(part.zfill(2) for part in parts))
    except ValueError:
        raise _RefusedError(RegisterRefusal.DAY_MALFORMED) from None


def _past_day(cell: str, setting: Setting) -> date:
    day = _day(cell, setting)
    if day > setting.today:
        raise _RefusedError(RegisterRefusal.DAY_IN_FUTURE)
    return day


def _yes_no(cell: str, _: Setting) -> bool:
    found = {"是": True, "yes": True, "1": True, "否": False, "no": False, "0": False}.get(
        cell.lower()
    )
    if found is None:
        raise _RefusedError(RegisterRefusal.YES_NO_MALFORMED)
    return found


def _word(words: Mapping[str, StrEnum]) -> Reader:
    def read(cell: str, _: Setting) -> StrEnum:
        found = words.get(cell.lower())
        if found is None:
            raise _RefusedError(RegisterRefusal.WORD_UNKNOWN)
        return found

    return read


def _field(cell: str, _: Setting) -> ServiceField:
    found = FIELD_NAMES.get(cell) or field_of(cell.lower())
    if found is None:
        raise _RefusedError(RegisterRefusal.WORD_UNKNOWN)
    return found


def _place(cell: str, setting: Setting) -> int:
    if cell.isascii() and cell.isdigit():
        if len(cell) in (2, 4, 6, 9, 12) and (code := int(cell.ljust(12, "0"))) in (
            setting.places.codes
        ):
            return code
        raise _RefusedError(RegisterRefusal.PLACE_UNKNOWN)
    found = setting.places.by_name.get(cell, frozenset())
    if len(found) == 1:
        return next(iter(found))
    raise _RefusedError(RegisterRefusal.PLACE_AMBIGUOUS if found else RegisterRefusal.PLACE_UNKNOWN)


def _ages(cell: str, _: Setting) -> AgeBand:
    ends = cell.replace("–", "-").split("-")
    try:
        first, last = map(int, ends)
        return AgeBand(first, last)
    except ValueError:
        raise _RefusedError(RegisterRefusal.AGES_MALFORMED) from None


_TIERS = {each.value: each for each in Tier} | {
    "中心": Tier.CENTER,
    "站": Tier.STATION,
    "室": Tier.ROOM,
}
_FIGURES = {each.value: each for each in Figure} | {
    "专职人员": Figure.WORKERS,
    "持证人员": Figure.CERTIFIED,
    "需要帮助的人": Figure.PEOPLE_IN_NEED,
    "服务对象": Figure.PEOPLE_SERVED,
    "志愿者": Figure.VOLUNTEERS,
    "爱心企业": Figure.ENTERPRISES,
}
_SOURCE = RegisterColumn("source", ("来源",), _text)
_COUNT = RegisterColumn("count", ("人数", "数量"), _number(0, COUNT_MAX))
_AS_OF = RegisterColumn("as_of", ("统计日期", "截至"), _past_day)
_VOLUNTEER = RegisterColumn("volunteer", ("志愿者编号", "志愿者"), _text)
_PLACE = RegisterColumn("place", ("区划", "地点"), _place)

COLUMNS: Mapping[Register, tuple[RegisterColumn, ...]] = {
    Register.SESSIONS: (
        RegisterColumn("organization", ("组织名称", "组织"), _text),
        RegisterColumn("activity", ("活动名称", "活动"), _text),
        RegisterColumn("field", ("服务领域", "服务类别"), _field),
        RegisterColumn("place", ("服务地点", "地点"), _place),
        RegisterColumn("day", ("日期",), _past_day),
        RegisterColumn("times", ("次数",), _number(1, TIMES_MAX), is_required=False, missing=1),
        RegisterColumn("people", ("服务人次",), _number(0, COUNT_MAX), is_required=False),
        RegisterColumn("households", ("服务户次",), _number(0, COUNT_MAX), is_required=False),
    ),
    Register.STATIONS: (
        RegisterColumn("name", ("名称",), _text),
        RegisterColumn("tier", ("层级",), _word(_TIERS)),
        _PLACE,
        RegisterColumn("opened_on", ("成立日期",), _past_day),
        RegisterColumn("closed_on", ("撤销日期",), _day, is_required=False),
    ),
    Register.FIGURES: (
        RegisterColumn("station", ("站点", "名称"), _text),
        RegisterColumn("figure", ("指标",), _word(_FIGURES)),
        _AS_OF,
        _COUNT,
        _SOURCE,
    ),
    Register.PROFILES: (
        _VOLUNTEER,
        RegisterColumn("since", ("起始日期",), _past_day),
        RegisterColumn(
            "birth_year", ("出生年份",), _number(BIRTH_YEAR_MIN, 2100), is_required=False
        ),
        RegisterColumn("party_member", ("党员",), _yes_no),
        RegisterColumn("social_worker", ("社工", "社会工作者"), _yes_no),
    ),
    Register.TRAININGS: (
        _VOLUNTEER,
        RegisterColumn("day", ("日期",), _past_day),
        RegisterColumn("title", ("培训名称", "培训"), _text),
        RegisterColumn("provider", ("培训单位",), _text),
        RegisterColumn("minutes", ("培训分钟", "分钟"), _number(1, MINUTES_MAX)),
    ),
    Register.ATTESTATIONS: (
        _VOLUNTEER,
        RegisterColumn("fact", ("事实",), _text),
        RegisterColumn("detail", ("说明", "区划或名册"), _text, is_required=False, missing=""),
        RegisterColumn("value", ("结果",), _text),
        RegisterColumn("since", ("起始日期",), _day),
        RegisterColumn("until", ("截止日期",), _day, is_required=False),
        _SOURCE,
    ),
    Register.RESIDENTS: (
        _PLACE,
        _AS_OF,
        _COUNT,
        _SOURCE,
        RegisterColumn("ages", ("年龄段",), _ages, is_required=False),
        RegisterColumn("estimate", ("估算",), _yes_no, is_required=False, missing=False),
    ),
}
"""The columns of each register; others are left aside."""

KEYS: Mapping[Register, tuple[str, ...]] = {
    Register.SESSIONS: ("organization", "activity", "field", "place", "day"),
    Register.STATIONS: ("name",),
    Register.FIGURES: ("station", "figure", "as_of"),
    Register.PROFILES: ("volunteer", "since"),
    Register.TRAININGS: ("volunteer", "day", "title"),
    Register.RESIDENTS: ("place", "as_of", "source", "ages"),
    Register.ATTESTATIONS: ("volunteer", "fact", "detail", "since"),
}
"""What two rows of one file may not both say."""

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says.

    Attributes:
        rows: By line and then by column.
        refused: Every cell that stands in the way; the rows are taken only where there is none.
    """

    rows: Mapping[int, Row]
    refused: tuple[RowRefused, ...]


def find_columns(register: Register, header: Sequence[object]) -> dict[str, int]:
    """Return where each column stands that a header names, from 0.

    Raises:
        KeyError: Columns that every row must have are not named, or one is named twice.
    """
    names = ["".join(str(cell or "").split()).lower() for cell in header]
    found: dict[str, int] = {}
    for column in COLUMNS[register]:
        places = [at for at, name in enumerate(names) if name in (column.name, *column.chinese)]
        if len(places) > 1 or (not places and column.is_required):
            raise KeyError(column.name)
        if places:
            found[column.name] = places[0]
    return found


def read_rows(
    register: Register,
    lines: Sequence[tuple[int, Sequence[object]]],
    *,
    columns: Mapping[str, int],
    cells: int,
    setting: Setting,
) -> Read:
    """Return what rows say, each given with its line, or every cell that stands in the way."""
    rows: dict[int, Row] = {}
    refused: list[RowRefused] = []
    said: set[tuple[object, ...]] = set()
    for line, each in lines:
        if len(each) > cells and any(each[cells:]):
            refused.append(RowRefused(line, "", RegisterRefusal.ROW_MALFORMED, str(len(each))))
            continue
        row: dict[str, object] = {}
        before = len(refused)
        for column in COLUMNS[register]:
            at = columns.get(column.name)
            cell = "" if at is None or at >= len(each) else _cell(each[at])
            if not cell:
                if column.is_required:
                    refused.append(RowRefused(line, column.name, RegisterRefusal.CELL_MISSING, ""))
                row[column.name] = column.missing
                continue
            try:
                row[column.name] = column.read(cell, setting)
            except _RefusedError as error:
                refused.append(RowRefused(line, column.name, error.reason, cell[:100]))
        if len(refused) > before:
            continue
        if (reason := _disordered(row)) is not None:
            refused.append(RowRefused(line, "", reason, ""))
            continue
        key = tuple(row[name] for name in KEYS[register])
        if key in said:
            refused.append(RowRefused(line, "", RegisterRefusal.REPEATED, str(key[0])[:100]))
            continue
        said.add(key)
        rows[line] = row
    return Read(rows, tuple(refused))


def _disordered(row: Row) -> RegisterRefusal | None:
    opened, closed = row.get("opened_on"), row.get("closed_on")
    if isinstance(opened, date) and isinstance(closed, date) and closed <= opened:
        return RegisterRefusal.DAYS_DISORDERED
    return None


def _cell(cell: object) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.date().isoformat()
        case float() if cell.is_integer():
            return str(int(cell))
        case _:
            return str(cell).strip()
