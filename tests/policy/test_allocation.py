"""Who is given what: in one order, never more than a pool holds, never twice."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy import samples
from tests.policy.samples import constant

from timebank.domain.region import Level as Division
from timebank.policy.allocation import (
    WINS,
    Allocation,
    Award,
    Claim,
    Decided,
    Past,
    allocate,
)
from timebank.policy.bilingual import Bilingual
from timebank.policy.fact import FactUse, Value
from timebank.policy.grant import Every, GrantKind, Limit, LimitOf, LimitPer
from timebank.policy.parameter import Citation, Source
from timebank.policy.pool import (
    Carry,
    Exhausted,
    Holds,
    OverdrawnError,
    Pool,
    PoolAccount,
    PoolEntry,
    PoolEntryKind,
    account_of,
)
from timebank.policy.revocation import Claw, Clawback, claw_back
from timebank.policy.rule import Pack, Rule
from timebank.policy.selection import Criterion, Order, Selection, SelectMode, Ties
from timebank.policy.stacking import Group, StackMode

ON = date(2024, 6, 15)
CITE = Citation("d3", "art. 1", Source.TEXT)
WORDS = Bilingual("样", "sample")
MOST_STARS = (Criterion(FactUse("star"), Order.MOST),)
BASE = samples.read()


def pool(exhausted: Exhausted = Exhausted.REFUSE, **more: object) -> Pool:
    plain = Pool(
        id="fund", title=WORDS, owner=WORDS, cite=CITE, holds=Holds.FEN, amount=constant(100),
        every=Every.CALENDAR_YEAR, exhausted=exhausted,
        rank=MOST_STARS if exhausted is Exhausted.RANK else (),
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def group(mode: StackMode, **more: object) -> Group:
    plain = Group(id="menu", title=WORDS, cite=CITE, mode=mode, every=Every.CALENDAR_YEAR)
    return replace(plain, **more)  # type: ignore[arg-type]


def rule(name: str, *, pooled: bool = False, **more: object) -> Rule:
    (film,) = BASE.rules
    grant = replace(film.grant, kind=GrantKind.MONEY, item=name, pool="fund" if pooled else "")
    return replace(film, id=name, grant=grant, **more)  # type: ignore[arg-type]


def pack(*rules: Rule, pools: Sequence[Pool] = (), groups: Sequence[Group] = ()) -> Pack:
    return replace(BASE, rules=rules, pools=tuple(pools), groups=tuple(groups))


def claim(
    of: Pack, name: str, person: int, count: int = 10, *, days: int = 0, rank: Value | None = 0,
    home: int | None = 330424001001,
) -> Claim:  # fmt: skip
    found = of.rule(name)
    offer = replace(of.offer(found, found.steps[0], on=ON), count=count)
    return Claim(
        person=person, offer=offer, eligible_since=ON - timedelta(days=days), home=home,
        ranks=(rank,) * len(found.select.by), pool_ranks=(rank,) * len(of.ranks(found)),
    )  # fmt: skip


def run(
    of: Pack, claims: Sequence[Claim], *, available: int = 10**9, past: Sequence[Past] = (),
    decided: Decided | None = None, seed: bytes = b"root",
) -> Allocation:  # fmt: skip
    return allocate(
        claims, packs=[of], on=ON, seed=seed, available={"sample/fund": available}, past=past,
        decided=decided or Decided(),
    )  # fmt: skip


def told(found: Allocation) -> dict[int | tuple[int, str], str]:
    """Each person's standing and count, by person; by person and rule where there are several."""
    several = len({award.claim.person for award in found.awards}) < len(found.awards)
    return {
        (award.claim.person, award.offer.rule_id) if several else award.claim.person: (
            f"{award.standing.value} {award.count}".removesuffix(" 0")
        )
        for award in found.awards
    }


def past_of(award: Award) -> Past:
    pack_id, rule_id, level, period = award.offer.key_parts
    return Past(
        person=award.claim.person, pack_id=pack_id, rule_id=rule_id, level=int(level),
        period_key=period, on=award.offer.on, count=award.count, home=award.claim.home,
    )  # fmt: skip


# Pools.

POOLS = [
    # exhausted,        available | person 1 (10), 2 (20), 3 (10), eligible since in that order
    (Exhausted.REFUSE,   40,       "granted 10", "granted 20", "granted 10"),
    (Exhausted.REFUSE,   39,       "granted 10", "granted 20", "exhausted"),
    (Exhausted.REFUSE,   29,       "granted 10", "exhausted",  "exhausted"),
    (Exhausted.REFUSE,   0,        "exhausted",  "exhausted",  "exhausted"),
    (Exhausted.QUEUE,    29,       "granted 10", "queued",     "queued"),
    (Exhausted.PRO_RATA, 40,       "granted 10", "granted 20", "granted 10"),
    # 9.75, 19.5, 9.75: the two largest remainders take the two fen that are left.
    (Exhausted.PRO_RATA, 39,       "granted 10", "part 19",    "granted 10"),
    (Exhausted.PRO_RATA, 21,       "part 5",     "part 11",    "part 5"),
    (Exhausted.PRO_RATA, 1,        "exhausted",  "part 1",     "exhausted"),
    (Exhausted.RANK,     30,       "exhausted",  "granted 20", "granted 10"),
]  # fmt: skip


@pytest.mark.parametrize(("exhausted", "available", "first", "second", "third"), POOLS)
def test_a_pool_runs_out(
    exhausted: Exhausted, available: int, first: str, second: str, third: str
) -> None:
    of = pack(rule("aid", pooled=True), pools=[pool(exhausted)])
    claims = [
        claim(of, "aid", person, count, days=9 - person, rank=person)
        for person, count in ((1, 10), (2, 20), (3, 10))
    ]
    found = told(run(of, claims, available=available))

    assert found == {1: first, 2: second, 3: third}


def test_who_lives_elsewhere_or_nobody_knows_where_is_outside() -> None:
    of = pack(rule("aid", pooled=True), pools=[pool(regions=(330424001000,))])
    homes = (330424001001, 330424002001, None)
    found = run(of, [claim(of, "aid", person, home=home) for person, home in enumerate(homes)])

    assert told(found) == {0: "granted 10", 1: "outside", 2: "outside"}
    assert found.taken == {"sample/fund": 10}


def test_places_in_line_and_the_last_one_served_are_told() -> None:
    of = pack(rule("aid", pooled=True), pools=[pool(Exhausted.QUEUE)])
    found = run(
        of, [claim(of, "aid", person, days=9 - person) for person in range(5)], available=30
    )

    assert [(each.position, each.cutoff) for each in found.awards] == [
        (place, 3) for place in range(1, 6)
    ]


# Groups.

GROUPS = [
    # mode,               already given | big (20), small (10)
    (StackMode.SUM,         0,  "granted 20", "granted 10"),
    (StackMode.HIGHEST,     0,  "granted 20", "stacked"),
    (StackMode.HIGHEST,     5,  "stacked",    "stacked"),
    (StackMode.CHOOSE_ONE,  0,  "to choose",  "to choose"),
    (StackMode.CHOOSE_ONE,  5,  "stacked",    "stacked"),
    (StackMode.TOP_UP,      0,  "granted 20", "stacked"),
    (StackMode.TOP_UP,      5,  "granted 15", "stacked"),
    (StackMode.TOP_UP,      20, "already",    "stacked"),
    (StackMode.CAP,         0,  "granted 20", "part 5"),
    (StackMode.CAP,         5,  "granted 20", "stacked"),
    (StackMode.CAP,         6,  "part 19",    "stacked"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "given_before", "big", "small"), GROUPS)
def test_grants_of_one_group(mode: StackMode, given_before: int, big: str, small: str) -> None:
    of = pack(
        rule("big", group="menu"), rule("small", group="menu"), rule("other", group="menu"),
        groups=[group(mode, cap=constant(25))],
    )  # fmt: skip
    before = Past(
        person=1, pack_id="sample", rule_id="other", level=0, period_key="2024",
        on=date(2024, 1, 1), count=given_before,
    )  # fmt: skip
    found = run(
        of, [claim(of, "small", 1, 10), claim(of, "big", 1, 20)],
        past=[before] if given_before else [replace(before, on=date(2023, 12, 31), count=99)],
    )  # fmt: skip

    assert told(found) == {(1, "big"): big, (1, "small"): small}


def test_a_top_up_has_a_key_of_its_own_for_every_rise() -> None:
    of = pack(rule("big", group="menu"), groups=[group(StackMode.TOP_UP)])
    first = run(of, [claim(of, "big", 1, 20)]).won[0]
    risen = run(of, [claim(of, "big", 1, 50)], past=[past_of(first)]).won[0]
    again = run(of, [claim(of, "big", 1, 50)], past=[past_of(first), past_of(risen)])

    assert (first.offer.period_key, first.count) == ("2024+0", 20)
    assert (risen.offer.period_key, risen.count) == ("2024+20", 30)
    assert told(again) == {1: "already"}


@pytest.mark.parametrize(
    ("chosen", "default", "film", "book"),
    [("book", "", "stacked", "granted 10"), ("", "film", "granted 10", "stacked"),
     ("book", "film", "stacked", "granted 10"), ("bus", "", "to choose", "to choose")],
)  # fmt: skip
def test_one_of_a_menu_is_chosen(chosen: str, default: str, film: str, book: str) -> None:
    of = pack(
        rule("film", group="menu"), rule("book", group="menu"),
        groups=[group(StackMode.CHOOSE_ONE, default=default)],
    )  # fmt: skip
    choices = {(1, "sample/menu", "2024"): chosen} if chosen else {}
    found = run(of, [claim(of, "film", 1), claim(of, "book", 1)], decided=Decided(choices=choices))

    assert told(found) == {(1, "film"): film, (1, "book"): book}


def test_groups_that_exclude_each_other_give_one_even_where_one_is_lost() -> None:
    first = Selection(mode=SelectMode.TOP_N, by=MOST_STARS, winners=constant(1))
    of = pack(
        rule("pioneer", group="a", select=first), rule("star", group="b", select=first),
        groups=[
            group(StackMode.SUM, id="a", excludes=frozenset({"b"})),
            group(StackMode.SUM, id="b", excludes=frozenset({"a"})),
        ],
    )  # fmt: skip
    claims = [
        claim(of, name, person, rank=9 - person)
        for name in ("pioneer", "star")
        for person in (1, 2)
    ]
    found = run(of, claims)

    assert told(found) == {
        (1, "pioneer"): "granted 10", (2, "pioneer"): "not selected",
        (1, "star"): "excluded", (2, "star"): "granted 10",
    }  # fmt: skip
    won_before = [replace(past_of(found.won[0]), rule_id="star")]
    assert told(run(of, claims[:1], past=won_before)) == {1: "excluded"}


# Selections.

TIES = [
    # ties,       stars of persons 1 to 5 | winners of 3
    (Ties.ORDER, (5, 4, 3, 3, 2), {1, 2, 3}),
    (Ties.ALL,   (5, 4, 3, 3, 2), {1, 2, 3, 4}),
    (Ties.NONE,  (5, 4, 3, 3, 2), {1, 2}),
    (Ties.NONE,  (5, 4, 3, 2, 2), {1, 2, 3}),
    (Ties.NONE,  (3, 3, 3, 3, 3), set()),
    (Ties.ALL,   (3, 3, 3, 3, 3), {1, 2, 3, 4, 5}),
    (Ties.ORDER, (None, 1, 2, 3, None), {2, 3, 4}),
]  # fmt: skip


@pytest.mark.parametrize(("ties", "stars", "winners"), TIES)
def test_the_first_n_win_and_ties_are_settled_as_the_rule_says(
    ties: Ties, stars: tuple[int | None, ...], winners: set[int]
) -> None:
    select = Selection(mode=SelectMode.TOP_N, by=MOST_STARS, winners=constant(3), ties=ties)
    of = pack(rule("prize", select=select))
    claims = [
        claim(of, "prize", person, rank=rank, days=9 - person)
        for person, rank in enumerate(stars, start=1)
    ]
    found = run(of, claims)

    assert {award.claim.person for award in found.won} == winners
    again = run(of, claims, past=[past_of(award) for award in found.won])
    assert ties is Ties.NONE or not again.won


def test_so_many_win_in_every_town() -> None:
    select = Selection(mode=SelectMode.TOP_N, by=MOST_STARS, winners=constant(1), per=Division.TOWN)
    of = pack(rule("prize", select=select))
    homes = {1: 330424001001, 2: 330424001002, 3: 330424002001, 4: None}
    claims = [claim(of, "prize", who, rank=9 - who, home=home) for who, home in homes.items()]

    assert told(run(of, claims)) == {
        1: "granted 10", 2: "not selected", 3: "granted 10", 4: "outside",
    }  # fmt: skip


def test_lots_are_drawn_by_the_published_seed_only() -> None:
    of = pack(rule("flat", select=Selection(mode=SelectMode.LOTTERY, winners=constant(2))))
    claims = [claim(of, "flat", person) for person in range(9)]

    def drawn(text: str, root: bytes) -> set[int]:
        decided = Decided(draws={("sample/flat", "2024"): text})
        return {award.claim.person for award in run(of, claims, decided=decided, seed=root).won}

    assert set(told(run(of, claims)).values()) == {"to draw"}
    assert len(drawn("07 12 19", b"root")) == 2
    assert drawn("07 12 19", b"root") == drawn("07 12 19", b"other")
    assert len({frozenset(drawn(str(number), b"root")) for number in range(40)}) > 15


def test_a_panel_chooses_from_the_shortlist_and_nobody_else() -> None:
    select = Selection(
        mode=SelectMode.PANEL, by=MOST_STARS, shortlist=constant(3), winners=constant(2)
    )
    of = pack(rule("prize", select=select))
    claims = [claim(of, "prize", person, rank=9 - person) for person in range(1, 6)]

    assert Counter(told(run(of, claims)).values()) == {"shortlisted": 3, "not selected": 2}
    decided = Decided(panels={("sample/prize", "2024"): frozenset({2, 3, 5})})
    assert {award.claim.person for award in run(of, claims, decided=decided).won} == {2, 3}


# Limits.

LIMITS = [
    # per,             of,             most | given before, then two claims of 10 by persons 1 and 2
    (LimitPer.PERSON, LimitOf.TIMES,   1,   "limited",    "granted 10"),
    (LimitPer.PERSON, LimitOf.TIMES,   2,   "granted 10", "granted 10"),
    (LimitPer.PERSON, LimitOf.UNITS,   10,  "part 3",     "granted 10"),
    (LimitPer.ALL,    LimitOf.TIMES,   2,   "granted 10", "limited"),
    (LimitPer.ALL,    LimitOf.UNITS,   20,  "granted 10", "part 3"),
    (LimitPer.ALL,    LimitOf.UNITS,   7,   "limited",    "limited"),
]  # fmt: skip


@pytest.mark.parametrize(("per", "of_what", "most", "first", "second"), LIMITS)
def test_limits(per: LimitPer, of_what: LimitOf, most: int, first: str, second: str) -> None:
    limit = Limit(per, of_what, Every.CALENDAR_YEAR, constant(most))
    of = pack(rule("aid", limits=(limit,), every=Every.CALENDAR_MONTH))
    before = Past(
        person=1, pack_id="sample", rule_id="aid", level=0, period_key="2024-05",
        on=date(2024, 5, 31), count=7,
    )  # fmt: skip
    claims = [claim(of, "aid", 1, days=1), claim(of, "aid", 2)]

    assert told(run(of, claims, past=[before])) == {1: first, 2: second}
    last_year = replace(before, on=date(2023, 12, 31))
    assert told(run(of, claims[:1], past=[last_year]))[1] in ("granted 10", "part 7")


# The whole.


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Pack, list[Claim], list[Past], int]:
    mode = draw(st.sampled_from(StackMode))
    exhausted = draw(st.sampled_from(Exhausted))
    selections = st.sampled_from(
        [
            Selection(),
            Selection(mode=SelectMode.TOP_N, by=MOST_STARS, winners=constant(3)),
            Selection(
                mode=SelectMode.TOP_N, by=MOST_STARS, winners=constant(2), per=Division.TOWN,
                ties=Ties.ALL,
            ),
        ]
    )  # fmt: skip
    limits = st.sampled_from(
        [
            (),
            (Limit(LimitPer.ALL, LimitOf.UNITS, Every.CALENDAR_YEAR, constant(60)),),
            (Limit(LimitPer.PERSON, LimitOf.UNITS, Every.LIFETIME, constant(25)),),
        ]
    )
    of = pack(
        *(
            rule(
                name, pooled=draw(st.booleans()), group=draw(st.sampled_from(["", "menu"])),
                select=draw(selections), limits=draw(limits), priority=draw(st.integers(0, 1)),
            )
            for name in ("a", "b", "c")
        ),
        pools=[pool(exhausted)],
        groups=[group(mode, cap=constant(25), default="b")],
    )  # fmt: skip
    homes = st.sampled_from([330424001001, 330424002001, None])
    pairs = draw(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 8)), max_size=16, unique=True)
    )
    claims = [
        claim(
            of, name, person, draw(st.integers(1, 30)), days=draw(st.integers(0, 2)),
            rank=draw(st.none() | st.integers(0, 3)), home=draw(homes),
        )
        for name, person in pairs
    ]  # fmt: skip
    past = [
        Past(
            person=person, pack_id="sample", rule_id=name, level=0, period_key="2023",
            on=date(2023, 5, 1), count=draw(st.integers(1, 30)), home=None,
        )
        for name, person in draw(
            st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 8)), max_size=4, unique=True)
        )
    ]  # fmt: skip
    return of, claims, past, draw(st.integers(0, 120))


@settings(max_examples=400, deadline=None)
@given(worlds(), st.integers(0, 2**32))
def test_no_pool_is_exceeded_and_neither_shuffling_nor_repeating_changes_anything(
    world: tuple[Pack, list[Claim], list[Past], int], shuffle: int
) -> None:
    of, claims, past, available = world
    found = run(of, claims, available=available, past=past)

    pooled = [award for award in found.awards if award.pool]
    assert sum(award.count for award in pooled) == found.taken.get("sample/fund", 0) <= available
    assert len(found.awards) == len(claims)
    assert all(0 <= award.count <= award.claim.offer.count for award in found.awards)
    assert all((award.count > 0) == (award.standing in WINS) for award in found.awards)

    shuffled, other_past = list(claims), list(past)
    random.Random(shuffle).shuffle(shuffled)  # Not for secrets.
    random.Random(shuffle).shuffle(other_past)
    assert run(of, shuffled, available=available, past=other_past).to_bytes() == found.to_bytes()

    # The same day again: what was given stands, and nothing of it is given twice.
    again = run(
        of, claims, available=available - found.taken.get("sample/fund", 0),
        past=[*past, *map(past_of, found.won)],
    )  # fmt: skip
    keys = {(award.claim.person, award.offer.key_parts) for award in found.won}
    assert not keys & {(award.claim.person, award.offer.key_parts) for award in again.won}
    assert sum(award.count for award in again.awards if award.pool) <= available - found.taken.get(
        "sample/fund", 0
    )


def test_the_same_claim_twice_and_a_claim_of_nothing_are_defects() -> None:
    of = pack(rule("aid"))

    with pytest.raises(ValueError, match="same grant"):
        run(of, [claim(of, "aid", 1), claim(of, "aid", 1)])
    with pytest.raises(ValueError, match="nothing"):
        run(of, [claim(of, "aid", 1, 0)])
    with pytest.raises(ValueError, match="unknown rule"):
        run(pack(rule("other")), [claim(of, "aid", 1)])


# A pool's account.

STEPS = st.lists(
    st.tuples(st.sampled_from(PoolEntryKind), st.integers(1, 60)).map(
        lambda pair: PoolEntry(pair[0], "g", pair[1])
    ),
    max_size=30,
)


@given(st.integers(0, 100), STEPS)
def test_a_pool_s_account_balances_at_every_entry_and_never_goes_below_zero(
    opened: int, entries: list[PoolEntry]
) -> None:
    account = PoolAccount(opened)
    done: list[PoolEntry] = []
    for entry in entries:
        try:
            account = account.after(entry)
        except OverdrawnError:
            continue
        done.append(entry)
        sums = {
            kind: sum(each.amount for each in done if each.kind is kind) for kind in PoolEntryKind
        }
        assert min(account.available, account.committed, account.paid) >= 0
        assert account.available + account.committed + account.paid == opened
        assert account.paid == sums[PoolEntryKind.PAID]
        assert (
            sums[PoolEntryKind.COMMITTED]
            == account.committed + account.paid + sums[PoolEntryKind.RELEASED]
        )
    assert account_of(opened, done) == account


@pytest.mark.parametrize(
    ("carry", "most", "opening"), [(Carry.NONE, None, 100), (Carry.ALL, None, 130), (Carry.UP_TO, 20, 120)]
)  # fmt: skip
def test_what_is_left_is_carried_over_as_the_pool_says(
    carry: Carry, most: int | None, opening: int
) -> None:
    fund = pool(carry=carry, carry_most=None if most is None else constant(most))

    assert fund.opening(on=ON, left=30) == opening
    assert fund.opening(on=ON) == 100


CLAWS = [
    # claw,         used, on           | taken, receivable; of 100 from 1 to 10 June
    (Claw.NONE,      30, "2024-06-05",   0,  0),
    (Claw.UNUSED,    30, "2024-06-05",   70, 0),
    (Claw.FULL,      30, "2024-06-05",   70, 30),
    (Claw.PRO_RATA,  0,  "2024-06-05",   60, 0),
    (Claw.PRO_RATA,  70, "2024-06-05",   30, 30),
    (Claw.PRO_RATA,  30, "2024-07-01",   0,  0),
    (Claw.PRO_RATA,  30, "2024-05-01",   70, 30),
]  # fmt: skip


@pytest.mark.parametrize(("claw", "used", "on", "taken", "receivable"), CLAWS)
def test_taking_back(claw: Claw, used: int, on: str, taken: int, receivable: int) -> None:
    found = claw_back(
        claw, count=100, used=used, granted_on=date(2024, 6, 1), expires_on=date(2024, 6, 10),
        on=date.fromisoformat(on),
    )  # fmt: skip

    assert found == Clawback(taken, receivable)


def test_pro_rata_of_a_grant_for_life_is_what_was_not_used() -> None:
    found = claw_back(
        Claw.PRO_RATA, count=100, used=30, granted_on=date(2024, 6, 1), expires_on=None, on=ON
    )

    assert found == Clawback(70, 0)
