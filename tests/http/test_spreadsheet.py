"""Files for spreadsheet programs hold the report, and nothing in them is run as a formula."""

import csv
import io
from datetime import date

import openpyxl
import pytest

from timebank.domain.as_of import AsOf
from timebank.domain.cell import safe_text
from timebank.domain.metric import ActiveRate, Residents
from timebank.http.spreadsheet import active_rate_csv, active_rate_xlsx, to_csv
from timebank.queries.active_rate import ActiveRateReport
from timebank.store.definitions import RESIDENTS_ANY_HOUR

REPORT = ActiveRateReport(
    definition=RESIDENTS_ANY_HOUR,
    year=2024,
    as_of_books=(AsOf(330424, 7),),
    rows=(
        ActiveRate(
            region=330424000000,
            name="海盐县",
            level="county",
            parent=330400000000,
            residents=Residents(
                456_775, date(2020, 11, 1), "第七次全国人口普查", is_estimate=False
            ),
            registered=140_000,
            active=72_000,
            whole=456_775,
            minutes_scanned=3,
            minutes_confirmed=2,
            minutes_declared=1,
        ),
        ActiveRate(
            region=330424001000,
            name='=HYPERLINK("http://x","武原")',
            level="town",
            parent=330424000000,
            residents=None,
            registered=5,
            active=4,
            whole=None,
            minutes_scanned=0,
            minutes_confirmed=0,
            minutes_declared=9,
        ),
    ),
)


def test_the_csv_is_utf8_for_excel_and_says_what_it_was_made_of() -> None:
    content = active_rate_csv(REPORT)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 3
    header, county, town = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert dict(zip(header, county, strict=True)) == {
        "行政区划代码": "330424000000",
        "名称": "海盐县",
        "级别": "县（市、区）",
        "常住人口": "456775",
        "人口日期": "2020-11-01",
        "人口来源": "第七次全国人口普查",
        "人口是否估算": "否",
        "注册志愿者": "140000",
        "活跃志愿者": "72000",
        "每万常住人口活跃志愿者": "1576",
        "扫码分钟": "3",
        "确认分钟": "2",
        "补录分钟": "1",
        "年度": "2024",
        "口径": "active-rate.residents.any-hour",
        "截至账簿序号": "330424:7",
    }
    assert town[1] == '\'=HYPERLINK("http://x","武原")'
    assert town[3:7] == ["未知"] * 4
    assert town[9] == "未知"


def test_the_workbook_holds_the_same_rows_as_numbers_and_the_definition_on_a_second_sheet() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(active_rate_xlsx(REPORT)))
    assert workbook.sheetnames == ["活跃率", "口径"]
    rows = list(workbook["活跃率"].iter_rows(values_only=True))
    assert rows[1][7:] == (140_000, 72_000, 1_576, 3, 2, 1)
    assert rows[1][0] == "330424000000"
    cell = workbook["活跃率"].cell(3, 2)
    assert (cell.data_type, str(cell.value)[:2]) == ("s", "'=")
    about = dict(workbook["口径"].iter_rows(values_only=True))
    assert about["口径"] == "active-rate.residents.any-hour"
    assert about["截至账簿序号"] == "330424:7"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM", "\t=1", "\r=1", "\n=1"])
def test_what_could_be_a_formula_is_text(text: str) -> None:
    assert safe_text(text) == "'" + text


@pytest.mark.parametrize("text", ["", "武原街道", "a=b", "1", "'=1"])
def test_what_cannot_be_a_formula_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


def test_cells_with_commas_quotes_and_lines_come_back_as_they_were() -> None:
    row = ["a,b", 'say "hi"', "two\r\nlines", 7]
    text = to_csv([row]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[*row[:3], "7"]]
