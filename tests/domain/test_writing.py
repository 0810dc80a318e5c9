"""What prints nothing, or changes how others print, does not get in."""

from hypothesis import given
from hypothesis import strategies as st

from timebank.domain.writing import cleaned_line, cleaned_paragraphs


def test_a_line_is_one_line() -> None:
    assert cleaned_line(" 敬老\u3000 服务\r\n队\x00\u202e\ud800 ") == "敬老 服务 队"


def test_paragraphs_keep_their_breaks() -> None:
    assert cleaned_paragraphs("\r\n一\u2028二\r\n\r\n 三 \x07\n\n") == "一\n二\n\n三"


@given(st.text())
def test_cleaning_twice_changes_nothing_and_can_be_stored(text: str) -> None:
    for clean in (cleaned_line, cleaned_paragraphs):
        once = clean(text)
        assert clean(once) == once
        assert "\x00" not in once
        once.encode()
