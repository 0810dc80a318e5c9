"""Two sides compared record by record."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from timebank.domain.exchange import EXAMPLES_MAX, DifferenceKind, Held, reconcile

SIDES = st.dictionaries(st.integers(0, 8).map(lambda n: UUID(int=n)), st.integers(0, 2))


@given(SIDES, SIDES)
def test_every_service_is_counted_once(sent: dict[UUID, int], held: dict[UUID, int]) -> None:
    found = reconcile(sent, [Held(*each) for each in held.items()])
    missing, unknown, different = (found.counts[kind] for kind in DifferenceKind)
    assert found.sent == sum(1 for each in sent.values() if each)
    assert found.held == sum(1 for each in held.values() if each)
    assert found.sent == found.equal + different + missing
    assert found.held == found.equal + different + unknown
    assert found.is_equal == (
        {k: v for k, v in sent.items() if v} == {k: v for k, v in held.items() if v}
    )
    assert {each.key for each in found.examples} == {
        key for key in sent.keys() | held.keys() if (sent.get(key) or 0) != (held.get(key) or 0)
    }


def test_many_differences_are_counted_and_some_are_named() -> None:
    found = reconcile({UUID(int=n): 60 for n in range(1, 1001)}, [])
    assert found.counts[DifferenceKind.MISSING] == 1000
    assert len(found.examples) == EXAMPLES_MAX
    assert found.examples[0].key == UUID(int=1)


def test_the_last_word_about_a_service_counts() -> None:
    key = UUID(int=1)
    assert reconcile({key: 60}, [Held(key, 30), Held(key, 60)]).is_equal
