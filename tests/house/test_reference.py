"""docs/reference.md says what the code says: after a change run scripts/reference."""

import re

import pytest
from tests.house import reference
from tests.house.source import PACKAGE, modules, parse

from timebank.domain.attendance import ScanRefusal
from timebank.http.errors import SCAN_STATUS
from timebank.ledger import audit

PAGE = reference.PAGE.read_text(encoding="utf-8")


def test_the_made_parts_are_those_of_the_code() -> None:
    assert reference.rendered(PAGE) == PAGE, "run scripts/reference"


def test_a_stale_page_is_found() -> None:
    stale = PAGE.replace("`scan.too_late`", "`scan.late`")
    assert stale != PAGE
    assert reference.rendered(stale) == PAGE
    with pytest.raises(ValueError, match="tables"):
        reference.rendered(PAGE.replace("<!-- made: tables -->", ""))


def test_every_setting_is_headed_once() -> None:
    read = {
        name
        for path in modules("settings", "app", "cli", "postgres")
        for name in re.findall(r"\"(TIMEBANK_[A-Z_]+)\"", path.read_text(encoding="utf-8"))
    }
    assert sorted(re.findall(r"^### `(TIMEBANK_\w+)`$", PAGE, re.MULTILINE)) == sorted(read)


def test_every_audit_rule_is_explained_in_the_order_of_checking() -> None:
    section = PAGE.partition("## What the audit proves")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(audit\.\w+)` \| \w", section, re.MULTILINE) == list(audit.RULES)


def test_every_refused_scan_has_a_status() -> None:
    assert set(SCAN_STATUS) == set(ScanRefusal)
    assert all(400 <= status < 500 for status in SCAN_STATUS.values())


def test_refusals_are_closed_lists_with_stable_codes() -> None:
    codes = [each.value for enum in reference.refusal_enums() for each in enum]
    assert len(codes) == len(set(codes)) > 20
    assert [code for code in codes if not re.fullmatch(r"[a-z_]+\.[a-z_]+", code)] == []
    for enum in reference.refusal_enums():
        assert [each for each in enum if each.value.partition(".")[2] != each.name.lower()] == []
        assert len({each.value.partition(".")[0] for each in enum}) == 1


def test_no_refusal_hides_outside_the_domain() -> None:
    listed = {enum.__name__ for enum in reference.refusal_enums()}
    declared = {
        node.name
        for path in modules("")
        for node in parse(path).body
        if hasattr(node, "name") and node.name.endswith("Refusal")
    }
    assert declared == listed, PACKAGE
