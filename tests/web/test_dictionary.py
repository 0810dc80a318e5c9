"""The dictionary explains every column that is sent, in both languages."""

from timebank.domain.metric import METRICS
from timebank.ledger.export_formats import COLUMNS
from timebank.web.catalog import LANGUAGES
from timebank.web.dictionary import _page


def test_every_column_that_is_sent_is_explained() -> None:
    for language in LANGUAGES:
        numbers, entries = _page(language).tables
        assert tuple(each.name for each in entries.columns) == COLUMNS
        measures = [each.name for each in numbers.columns if each.role == "measure"]
        assert measures == list(METRICS)
        for column in (*numbers.columns, *entries.columns):
            said = (
                column.kind,
                column.unit,
                column.meaning,
                column.adding,
                column.over_time,
                column.undefined,
            )
            # A code without a sentence would be shown as itself.
            assert not [each for each in said if each.startswith(("column.", "metric."))]
