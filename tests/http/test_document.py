"""A document is the same bytes for the same data, and data is printed, never run."""

from datetime import UTC, datetime

import pytest
from tests.paper import text_of

from timebank.http.document import SANS, SERIF, render_pdf

MADE = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
LAYOUT = f"""
#let data = json(bytes(sys.inputs.data))
#set page(paper: "a4")
#set text(font: "{SANS}", lang: "zh")
#data.name
#text(font: "{SERIF}")[𠮷是生僻字]
"""


async def test_the_same_data_is_the_same_bytes() -> None:
    name = {"name": "王小芳"}
    first = await render_pdf(LAYOUT, data=name, at=MADE)
    assert await render_pdf(LAYOUT, data=name, at=MADE) == first
    assert await render_pdf(LAYOUT, data={"name": "王小方"}, at=MADE) != first


@pytest.mark.needs_poppler
async def test_a_name_is_printed_and_not_run() -> None:
    name = '#panic("x") *王* $1$ \\ #image("/etc/passwd")'
    pdf = await render_pdf(LAYOUT, data={"name": name}, at=MADE)
    assert name in text_of(pdf).replace("\n", " ")


async def test_a_layout_that_does_not_fit_its_data_fails() -> None:
    with pytest.raises(RuntimeError):
        await render_pdf(LAYOUT, data={}, at=MADE)
