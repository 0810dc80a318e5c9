"""Counts over the ledger and its shifts that a reviewer may want to look at.

Each statement reads the entries that were recorded in a period, found by their numbers, once; none
looks at one subject at a time. What was counted becomes a signal, or not, in `domain/signal.py`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, and_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.domain.actor import VolunteerId
from timebank.domain.assurance import Assurance, Evidence, Measured, evidence_of
from timebank.domain.period import Period, day_start, local_day
from timebank.domain.scope import Scope
from timebank.domain.signal import Measure, SignalKind
from timebank.domain.threshold import Threshold, month_day
from timebank.domain.transfer import TransferKind
from timebank.ledger import balances
from timebank.ledger import tables as ledger
from timebank.store import tables as store

_INSTANTS = frozenset({"since", "until", "burst_since", "burst_until", "usual_since"})


def _typed(statement: str) -> TextClause:
    """Return a statement whose values have the types that they would have to be guessed at."""

    def cast(match: re.Match[str]) -> str:
        kind = "timestamptz" if match[1] in _INSTANTS else _KINDS.get(match[1], "bigint")
        return f"cast(:{match[1]} as {kind})"

    return text(re.sub(r"(?<![:\w]):([a-z]\w*)", cast, statement))


_KINDS = {"zone": "text", "book": "integer"}

_SEQS_SHOWN = 40
"""How many entries are kept as evidence of one signal: enough to see, and to ask about."""

_SHOWN = rf"[1\:{_SEQS_SHOWN}]"

_USUAL_TIMES = 6
"""A burst is compared with the mean of so many spans of the same length right before it."""

_ENTRIES = """
    entry as materialized (
        select t.seq, t.volunteer, t.activity, t.shift, t.place, t.effective_at, t.recorded_at,
            t.amount, t.measured, a.organization_id
        from transfer t
        join activity a on a.book_id = t.activity_book and a.id = t.activity
        where t.book_id = :book and t.seq > :after and t.seq <= :until_seq and t.kind = 1
            and t.activity_book = :book
            and t.place between :lowest and :highest
            and not exists (
                select from transfer r where r.book_id = t.book_id and r.reverses = t.seq
            )
    )
"""

_NO_DEPARTURES = _typed(
    """
    with attended as (
    select h.id as shift, a.organization_id, count(*) as people, h.starts_at as since,
        h.ends_at as until,
        not bool_or(coalesce(t.departure_measured, false)) as is_odd,
        coalesce(sum(extract(epoch from least(t.left_at, h.ends_at)
            - greatest(t.arrived_at, h.starts_at))) filter (where t.left_at is not null), 0)::bigint
            / 60 as minutes
    from shift h
    join activity a on a.book_id = h.book_id and a.id = h.activity_id
    join attendance t on t.shift_book = h.book_id and t.shift_id = h.id
    where h.book_id = :book and h.starts_at >= :since - interval '60 days' and h.starts_at < :until
        and h.closed_at >= :since and h.closed_at < :until
        and a.region between :lowest and :highest
    group by h.id, a.organization_id, h.starts_at, h.ends_at
    ), compared as (
        select *, (100 * count(*) filter (where is_odd) over mine / count(*) over mine) as percent
        from attended window mine as (partition by organization_id)
    )
    select shift, organization_id, people, since, until, minutes, percent
    from compared
    where is_odd and (people >= :crowd_people
        or people >= :no_departures_people and percent >= :no_departures_percent)
    """
)

_FULL_TIME = _typed(
    f"""
    with {_ENTRIES}, credited as (
    select e.activity, e.shift, e.organization_id, count(*) as people, sum(e.amount) as minutes,
        min(e.amount) as value, min(e.effective_at) as since,
        min(e.effective_at) + min(e.amount) * interval '1 minute' as until,
        (array_agg(e.seq order by e.seq)){_SHOWN} as seqs,
        not bool_or(e.measured = 3)
            and min(e.amount) = max(e.amount) and min(e.effective_at) = max(e.effective_at)
            and (h.starts_at is null
                or min(e.amount) = extract(epoch from h.ends_at - h.starts_at)::bigint / 60)
            as is_odd
    from entry e
    left join shift h on h.book_id = :book and h.id = e.shift
    group by e.activity, e.shift, case when e.shift is null then e.effective_at end,
        e.organization_id, h.starts_at, h.ends_at
    ), compared as (
        select *, (100 * count(*) filter (where is_odd) over mine / count(*) over mine) as percent
        from credited window mine as (partition by organization_id)
    )
    select activity, shift, organization_id, people, minutes, value, since, until, seqs, percent
    from compared
    where is_odd and (people >= :crowd_people
        or people >= :full_time_people and percent >= :full_time_percent)
    """  # noqa: S608 the pieces are constants
)

_AFTERWARDS = _typed(
    """
    with rushed as (
        select h.id as shift, a.organization_id, h.starts_at as since, h.ends_at as until
        from shift h
        join activity a on a.book_id = h.book_id and a.id = h.activity_id
        join signup s
            on s.shift_book = h.book_id and s.shift_id = h.id and s.withdrawn_at is null
        where h.book_id = :book and h.starts_at >= :since and h.starts_at < :until
            and a.region between :lowest and :highest and a.is_listed
        group by h.id, a.organization_id, h.starts_at, h.ends_at
        having count(*) >= :afterwards_people and min(s.signed_up_at) >= h.starts_at
    ), came as (
        select r.*, t.arrived_at, min(t.arrived_at) over (partition by r.shift) as first_at
        from rushed r
        join attendance t on t.shift_book = :book and t.shift_id = r.shift
    )
    select shift, organization_id, since, until, count(*) as people,
        extract(epoch from max(arrived_at) - min(arrived_at))::bigint / 60 as value,
        count(*) * (extract(epoch from until - since)::bigint / 60) as minutes
    from came
    where arrived_at < first_at + :afterwards_minutes * interval '1 minute'
    group by shift, organization_id, since, until
    having count(*) >= :afterwards_people
    """
)

_ENTERED_LATE = _typed(
    f"""
    with {_ENTRIES}
    select e.organization_id, count(distinct e.volunteer) as people, count(*) as times,
        sum(e.amount) as minutes, min(e.effective_at) as since, max(e.effective_at) as until,
        max(extract(epoch from e.recorded_at - e.effective_at)::bigint / 86400) as value,
        (array_agg(e.seq order by e.seq)){_SHOWN} as seqs
    from entry e
    where e.shift is not null and e.measured <> 3
        and e.recorded_at - e.effective_at >= :late_days * interval '1 day'
    group by e.organization_id
    having count(distinct e.volunteer) >= :late_people
    """  # noqa: S608 the pieces are constants
)

_BURST = _typed(
    f"""
    with {_ENTRIES}, summed as (
        select e.organization_id,
            sum(e.amount) filter (where e.effective_at >= :burst_since) as minutes,
            coalesce(sum(e.amount) filter (where e.effective_at < :burst_since), 0)
                / {_USUAL_TIMES} as usual,
            count(distinct e.volunteer) filter (where e.effective_at >= :burst_since) as people,
            count(*) filter (where e.effective_at >= :burst_since) as times,
            min(e.effective_at) filter (where e.effective_at >= :burst_since) as since,
            max(e.effective_at) as until,
            (array_agg(e.seq order by e.seq) filter (where e.effective_at >= :burst_since))
                {_SHOWN} as seqs
        from entry e
        where e.measured <> 3 and e.shift is not null
            and e.effective_at >= :usual_since and e.effective_at < :burst_until
        group by e.organization_id
    )
    select organization_id, people, times, minutes, since, until, seqs,
        (minutes * 100 / greatest(usual, 60))::bigint as value
    from summed
    where minutes * 100 / greatest(usual, 60) >= :burst_percent and people >= :late_people
    """  # noqa: S608 the pieces are constants
)

_SAME_SET = _typed(
    f"""
    with {_ENTRIES}, session as (
        select e.organization_id, e.activity, array_agg(distinct e.volunteer order by e.volunteer)
                as who,
            sum(e.amount) as minutes, min(e.seq) as seq, min(e.effective_at) as at
        from entry e
        group by e.organization_id, e.activity, e.shift,
            (e.effective_at at time zone :zone)::date
    ), compared as (
        select *, count(*) over (partition by organization_id, activity) as held from session
    ), repeated as (
        select organization_id, activity, who, held, count(*) as times, sum(minutes) as minutes,
            min(at) as since, max(at) as until, array_agg(seq) as seqs
        from compared
        where cardinality(who) >= :same_set_people
        group by organization_id, activity, who, held
    ), gathered as (
        select organization_id, who, sum(times)::bigint as times, sum(minutes)::bigint as minutes,
            min(since) as since, max(until) as until,
            (100 * sum(times) / sum(held))::bigint as percent
        from repeated
        group by organization_id, who
        having sum(times) >= :same_set_times and 100 * sum(times) >= :same_set_percent * sum(held)
    )
    select organization_id, md5(who::text) as set, cardinality(who) as people, times, minutes,
        since, until, percent,
        (select (array_agg(seq order by seq)){_SHOWN}
            from repeated r, unnest(r.seqs) seq
            where r.organization_id = g.organization_id and r.who = g.who) as seqs
    from gathered g
    """  # noqa: S608 the pieces are constants
)

_OWN_HOURS = _typed(
    f"""
    with {_ENTRIES}, own as (
        select e.organization_id, e.volunteer, e.seq, e.amount, e.effective_at,
            e.measured <> 3 as is_odd
        from appointment p
        join volunteer v on v.book_id = :book and v.person_id = p.person_id
        join entry e on e.volunteer = v.id and e.organization_id = p.organization_id
        where p.role = 'role.organizer' and p.book_id = :book and e.shift is not null
            and p.from_at <= e.recorded_at and (p.until_at is null or p.until_at > e.effective_at)
    )
    select organization_id, volunteer, count(*) filter (where is_odd) as times,
        sum(amount) filter (where is_odd) as minutes, 1 as people,
        100 * count(*) filter (where is_odd) / count(*) as percent,
        min(effective_at) filter (where is_odd) as since,
        max(effective_at) filter (where is_odd) as until,
        (array_agg(seq order by seq) filter (where is_odd)){_SHOWN} as seqs
    from own
    group by organization_id, volunteer
    having count(*) filter (where is_odd) >= :own_hours_times
        and 100 * count(*) filter (where is_odd) >= :own_hours_percent * count(*)
    """  # noqa: S608 the pieces are constants
)

_SAME_PAIR = _typed(
    """
    select w.organization_id,
        md5(least(w.submitted_by, w.decided_by) || '/' || greatest(w.submitted_by, w.decided_by))
            as pair,
        count(*) as times, sum(w.people)::bigint as people,
        sum(w.minutes)::bigint as minutes, min(w.submitted_at) as since,
        max(w.decided_at) as until
    from held_entry w
    join organization o on o.book_id = w.book_id and o.id = w.organization_id
    where w.book_id = :book and w.is_approved and w.decided_at >= :since and w.decided_at < :until
        and o.region between :lowest and :highest
    group by w.organization_id, least(w.submitted_by, w.decided_by),
        greatest(w.submitted_by, w.decided_by)
    having count(*) >= :same_pair_times and count(distinct w.submitted_by) = 2
    """
)

_SHARED_DEVICE = _typed(
    """
    select h.id as shift, a.organization_id, count(distinct (f.book_id, f.volunteer_id)) as people,
        h.starts_at as since, h.ends_at as until,
        count(distinct (f.book_id, f.volunteer_id))
            * (extract(epoch from h.ends_at - h.starts_at)::bigint / 60) as minutes
    from scan_flag f
    join shift h on h.book_id = f.shift_book and h.id = f.shift_id
    join activity a on a.book_id = h.book_id and a.id = h.activity_id
    where f.shift_book = :book and f.flag = 'flag.shared_device'
        and f.at >= :since and f.at < :until and a.region between :lowest and :highest
    group by h.id, a.organization_id, h.starts_at, h.ends_at
    having count(distinct (f.book_id, f.volunteer_id)) >= :shared_device_people
    """
)

_PEOPLE = _typed(
    f"""
    with {_ENTRIES}, timed as (
        select e.seq, e.volunteer, e.place, e.amount, e.effective_at as begins,
            e.effective_at + e.amount * interval '1 minute' as ends, e.measured = 3 as is_read,
            max(e.effective_at + e.amount * interval '1 minute') over earlier as before,
            max(e.effective_at + e.amount * interval '1 minute') filter (where e.measured = 3)
                over earlier as read_before,
            lag(e.seq) over mine as last_seq, lag(e.place) over mine as last_place,
            lag(e.effective_at + e.amount * interval '1 minute') over mine as last_ends,
            sum(e.amount) over (
                partition by e.volunteer, (e.effective_at at time zone :zone)::date
            ) as day
        from entry e
        window mine as (partition by e.volunteer order by e.effective_at, e.seq),
            earlier as (partition by e.volunteer order by e.effective_at, e.seq
                rows between unbounded preceding and 1 preceding)
    )
    select 'two_places' as kind, volunteer, count(*) as times, sum(amount) as minutes,
        max(extract(epoch from least(before, ends) - begins)::bigint / 60) as value,
        min(begins) as since, max(ends) as until,
        (array_agg(last_seq order by seq) || array_agg(seq order by seq)){_SHOWN} as seqs
    from timed
    where before - begins >= :two_places_minutes * interval '1 minute' and not coalesce(
        is_read and read_before - begins >= :two_codes_minutes * interval '1 minute', false)
    group by volunteer
    union all
    select 'two_codes', volunteer, count(*), sum(amount),
        max(extract(epoch from least(read_before, ends) - begins)::bigint / 60),
        min(begins), max(ends),
        (array_agg(last_seq order by seq) || array_agg(seq order by seq)){_SHOWN}
    from timed
    where is_read and read_before - begins >= :two_codes_minutes * interval '1 minute'
    group by volunteer
    union all
    select 'long_day', volunteer, count(*), sum(amount), max(day)::bigint, min(begins), max(ends),
        (array_agg(seq order by seq)){_SHOWN}
    from timed where day > :day_minutes
    group by volunteer
    union all
    select 'fast_travel', volunteer, count(*), sum(amount),
        min(extract(epoch from begins - last_ends)::bigint / 60), min(begins), max(ends),
        (array_agg(last_seq order by seq) || array_agg(seq order by seq)){_SHOWN}
    from timed
    where begins >= last_ends and begins - last_ends < :travel_minutes * interval '1 minute'
        and place / 1000 <> last_place / 1000
    group by volunteer having count(*) >= :travel_times
    """  # noqa: S608 the pieces are constants
)


async def list_measures(
    conn: AsyncConnection,
    *,
    scope: Scope,
    book: int,
    period: Period,
    thresholds: Mapping[Threshold, int],
    zone: ZoneInfo,
) -> list[Measure]:
    """Return whatever reaches the county's numbers among what was recorded in a period.

    Shape: by kind, in no order within it.

    Cost: twelve statements; seven of them read the period's entries, once each.
    """
    codes = scope.codes
    bounds = {
        "book": book,
        "after": await balances.seq_at(conn, book=book, instant=period.start),
        "until_seq": await balances.seq_at(conn, book=book, instant=period.end),
        "since": period.start,
        "until": period.end,
        "lowest": codes.start,
        "highest": codes.stop - 1,
        "zone": zone.key,
        **{name.value.partition(".")[2]: value for name, value in thresholds.items()},
    }

    async def rows(statement: TextClause, **more: object) -> list[Any]:
        named = statement.compile().params
        wanted = {name: value for name, value in (bounds | more).items() if name in named}
        return list(await conn.execute(statement, wanted))

    def shift(row: Any) -> str:
        return f"shift/{book}/{row.shift}"

    def organization(row: Any) -> str:
        return f"organization/{book}/{row.organization_id}"

    found = [
        _measure(SignalKind.NO_DEPARTURES, book, shift(row), row)
        for row in await rows(_NO_DEPARTURES)
    ]
    found += [
        _measure(
            SignalKind.FULL_TIME,
            book,
            shift(row) if row.shift else f"activity/{book}/{row.activity}/{row.since:%Y%m%d%H%M}",
            row,
        )
        for row in await rows(_FULL_TIME)
    ]
    found += [
        _measure(SignalKind.AFTERWARDS, book, shift(row), row) for row in await rows(_AFTERWARDS)
    ]
    found += [
        _measure(SignalKind.ENTERED_LATE, book, organization(row), row)
        for row in await rows(_ENTERED_LATE)
    ]
    for target in _targets(period, thresholds, zone):
        days = timedelta(days=thresholds[Threshold.BURST_DAYS])
        usual_since = target - (1 + _USUAL_TIMES) * days
        found += [
            _measure(SignalKind.BURST, book, f"{organization(row)}/{target:%Y-%m-%d}", row)
            for row in await rows(
                _BURST,
                burst_since=target - days,
                burst_until=target,
                usual_since=usual_since,
                after=await balances.seq_at(conn, book=book, instant=usual_since),
            )
        ]
    found += [
        _measure(SignalKind.SAME_SET, book, f"{organization(row)}/{row.set[:12]}", row)
        for row in await rows(_SAME_SET)
    ]
    found += [
        _measure(SignalKind.OWN_HOURS, book, f"{organization(row)}/volunteer/{row.volunteer}", row)
        for row in await rows(_OWN_HOURS)
    ]
    found += [
        _measure(SignalKind.SAME_PAIR, book, f"{organization(row)}/{row.pair[:12]}", row)
        for row in await rows(_SAME_PAIR)
    ]
    found += [
        _measure(SignalKind.SHARED_DEVICE, book, shift(row), row)
        for row in await rows(_SHARED_DEVICE)
    ]
    found += [
        _measure(SignalKind(f"signal.{row.kind}"), book, f"volunteer/{book}/{row.volunteer}", row)
        for row in await rows(_PEOPLE)
    ]
    return found


def _targets(period: Period, thresholds: Mapping[Threshold, int], zone: ZoneInfo) -> list[datetime]:
    """Return the ends of the target days that fall into a period."""
    first, last = local_day(period.start, zone=zone), local_day(period.end, zone=zone)
    days = (
        month_day(thresholds[Threshold.BURST_TARGET], year=year)
        for year in range(first.year, last.year + 1)
    )
    ends = (day_start(day + timedelta(days=1), zone=zone) for day in days if day is not None)
    return [end for end in ends if period.start < end <= period.end]


def _measure(kind: SignalKind, book: int, subject: str, row: Any) -> Measure:
    counted = row._asdict()
    return Measure(
        kind=kind,
        book=book,
        subject=subject,
        organization=counted.get("organization_id"),
        people=int(counted.get("people") or 1),
        times=int(counted.get("times") or 1),
        minutes=int(counted["minutes"] or 0),
        value=int(counted.get("value") or 0),
        percent=int(counted.get("percent") or 0),
        since=counted["since"],
        until=counted["until"],
        seqs=tuple(sorted(set(counted.get("seqs") or ()))),
    )


@dataclass(frozen=True, slots=True)
class EvidenceEntry:
    """An entry that a signal or a sample points at.

    Attributes:
        title: Of the activity; None where it is in another county's book.
        is_reversed: It was taken back since.
    """

    seq: int
    volunteer: VolunteerId
    title: str | None
    organization: str | None
    effective_at: datetime
    recorded_at: datetime
    minutes: int
    evidence: Evidence
    is_reversed: bool


@dataclass(frozen=True, slots=True)
class EvidenceStay:
    """Somebody's stay in a shift that a signal points at."""

    volunteer: VolunteerId
    signed_up_at: datetime
    arrived_at: datetime | None
    arrival_measured: bool | None
    left_at: datetime | None
    departure_measured: bool | None


async def list_entries(
    conn: AsyncConnection, *, scope: Scope, book: int, seqs: Sequence[int]
) -> list[EvidenceEntry]:
    """Return entries of a book whose service was done in a division, by number."""
    t, a, o = ledger.transfer, store.activity, store.organization
    codes = scope.codes
    taken_back = t.alias("taken_back")
    rows = await conn.execute(
        select(
            t.c.seq,
            t.c.volunteer,
            a.c.title,
            o.c.name,
            t.c.effective_at,
            t.c.recorded_at,
            t.c.amount,
            t.c.assurance,
            t.c.measured,
            taken_back.c.seq.is_not(None),
        )
        .select_from(t)
        .outerjoin(a, and_(a.c.book_id == t.c.activity_book, a.c.id == t.c.activity))
        .outerjoin(o, and_(o.c.book_id == a.c.book_id, o.c.id == a.c.organization_id))
        .outerjoin(
            taken_back, and_(taken_back.c.book_id == t.c.book_id, taken_back.c.reverses == t.c.seq)
        )
        .where(
            t.c.book_id == book,
            t.c.seq.in_(seqs),
            t.c.kind == TransferKind.SERVICE,
            t.c.place.between(codes.start, codes.stop - 1),
        )
        .order_by(t.c.seq)
    )
    return [
        EvidenceEntry(
            row[0],
            VolunteerId(book, row[1]),
            row[2],
            row[3],
            row[4],
            row[5],
            row[6],
            evidence_of(Assurance(row[7]), Measured(row[8])),
            row[9],
        )
        for row in rows
    ]


async def list_stays(
    conn: AsyncConnection, *, scope: Scope, book: int, shift: int
) -> list[EvidenceStay]:
    """Return who took part in a shift of a division, in the order of signing up."""
    s, t, h, a = store.signup, store.attendance, store.shift, store.activity
    codes = scope.codes
    rows = await conn.execute(
        select(
            s.c.book_id,
            s.c.volunteer_id,
            s.c.signed_up_at,
            t.c.arrived_at,
            t.c.arrival_measured,
            t.c.left_at,
            t.c.departure_measured,
        )
        .join_from(h, a, and_(a.c.book_id == h.c.book_id, a.c.id == h.c.activity_id))
        .join(s, and_(s.c.shift_book == h.c.book_id, s.c.shift_id == h.c.id))
        .outerjoin(
            t,
            and_(
                t.c.book_id == s.c.book_id,
                t.c.volunteer_id == s.c.volunteer_id,
                t.c.shift_book == s.c.shift_book,
                t.c.shift_id == s.c.shift_id,
            ),
        )
        .where(
            h.c.book_id == book, h.c.id == shift, a.c.region.between(codes.start, codes.stop - 1)
        )
        .order_by(s.c.signed_up_at, s.c.book_id, s.c.volunteer_id)
    )
    return [EvidenceStay(VolunteerId(row[0], row[1]), *row[2:]) for row in rows]


async def list_names(
    conn: AsyncConnection, *, scope: Scope, measures: Sequence[Measure]
) -> dict[str, str]:
    """Return what to call the subjects of measures: a shift's activity, an organization's name.

    Shape: by `shift/…`, `activity/…` and `organization/…`; a volunteer has no name here.
    """
    o, a, h = store.organization, store.activity, store.shift
    codes = scope.codes
    organizations = {(each.book, each.organization) for each in measures}
    named = {
        f"organization/{book}/{number}": name
        for book, number, name in await conn.execute(
            select(o.c.book_id, o.c.id, o.c.name).where(
                tuple_(o.c.book_id, o.c.id).in_(organizations)
            )
        )
    }
    parts = [each.subject.split("/") for each in measures]
    shifts = {(int(part[1]), int(part[2])) for part in parts if part[0] == "shift"}
    works = {(int(part[1]), int(part[2])) for part in parts if part[0] == "activity"}
    inside = a.c.region.between(codes.start, codes.stop - 1)
    named |= {
        f"shift/{book}/{number}": title
        for book, number, title in await conn.execute(
            select(h.c.book_id, h.c.id, a.c.title)
            .join_from(h, a, and_(a.c.book_id == h.c.book_id, a.c.id == h.c.activity_id))
            .where(tuple_(h.c.book_id, h.c.id).in_(shifts), inside)
        )
    }
    named |= {
        f"activity/{book}/{number}": title
        for book, number, title in await conn.execute(
            select(a.c.book_id, a.c.id, a.c.title).where(
                tuple_(a.c.book_id, a.c.id).in_(works), inside
            )
        )
    }
    return named
