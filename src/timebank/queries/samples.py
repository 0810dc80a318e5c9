"""The entries that a sample is drawn from, in the order in which the seed draws them."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.assurance import Assurance, Evidence, Measured, evidence_of
from timebank.domain.sample import STRATA, SampleItem, Stratum, allocate
from timebank.domain.scope import Scope

_CLASSES = {
    (assurance, measured): evidence_of(assurance, measured)
    for assurance in Assurance
    for measured in Measured
}

_IS_OF = " ".join(
    f"when e.assurance = {assurance:d} and e.measured = {measured:d} then '{evidence.value}'"
    for (assurance, measured), evidence in _CLASSES.items()
    if evidence is not Evidence.CONFIRMED
)

_DRAW = text(
    f"""
    with entry as (
        select t.seq, t.assurance, t.measured,
            coalesce(a.organization_id = any(cast(:flagged as bigint[])), false) as is_flagged
        from transfer t
        left join activity a on a.book_id = t.activity_book and a.id = t.activity
            and t.activity_book = :book
        where t.book_id = :book and t.seq > :after and t.seq <= :until_seq and t.kind = 1
            and t.place between :lowest and :highest
    ), placed as (
        select e.seq, e.is_flagged,
            case {_IS_OF} else '{Evidence.CONFIRMED.value}' end as class,
            row_number() over stratum as place, count(*) over sized as count
        from entry e
        window stratum as (
                partition by case {_IS_OF} else '{Evidence.CONFIRMED.value}' end, e.is_flagged
                order by sha256(convert_to(cast(:seed as text) || '/' || e.seq, 'UTF8'))
            ),
            sized as (
                partition by case {_IS_OF} else '{Evidence.CONFIRMED.value}' end, e.is_flagged
            )
    )
    select seq, class, is_flagged, place, count from placed where place <= :size
    order by class, is_flagged, place
    """  # noqa: S608 the classes are constants
)


async def draw_entries(
    conn: AsyncConnection,
    *,
    scope: Scope,
    book: int,
    after: int,
    until_seq: int,
    flagged: Sequence[int],
    seed: str,
    size: int,
) -> tuple[list[SampleItem], dict[Stratum, int]]:
    """Draw entries of a division among those of a range, as `sample.draw` does; and each count.

    Shape: by stratum, then by entry; strata that hold nothing are left out.

    Cost: one statement over the range; it is sorted once.
    """
    codes = scope.codes
    rows = (
        await conn.execute(
            _DRAW,
            {
                "book": book,
                "after": after,
                "until_seq": until_seq,
                "lowest": codes.start,
                "highest": codes.stop - 1,
                "flagged": list(flagged),
                "seed": seed,
                "size": size,
            },
        )
    ).all()
    counts = {Stratum(Evidence(row[1]), row[2]): row[4] for row in rows}
    given = allocate(size, counts)
    chosen: dict[Stratum, list[int]] = {each: [] for each in STRATA}
    for seq, class_, is_flagged, place, _count in rows:
        stratum = Stratum(Evidence(class_), is_flagged)
        if place <= given[stratum]:
            chosen[stratum].append(seq)
    items = [SampleItem(seq, each) for each, seqs in chosen.items() for seq in sorted(seqs)]
    return items, counts
