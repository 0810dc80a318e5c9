"""Every shipped pack has a page in the docs that says what the pack says, and nothing else."""

from tests.house import pack_pages


def test_every_shipped_pack_has_the_page_that_is_made_from_it() -> None:
    written = {path.name: path.read_text() for path in pack_pages.PAGES.glob("*.md")}

    assert written == pack_pages.rendered()
