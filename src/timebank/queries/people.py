"""The volunteers of a book and their homes as columns, kept between requests.

Two counters of the book say what is new: the newest volunteer's number, and how often somebody
moved, left or came back. Both are written in the commit of the deed they count, so that a snapshot
that shows the same counters shows the same people.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from timebank.db import kept_of
from timebank.domain.period import Period

_FOREVER = 2**62
_SETTLED_MAX = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_VOLUNTEERS = text(
    """
    select coalesce(string_agg(int8send(id), ''), '') as id,
        coalesce(string_agg(int8send(enrolled), ''), '') as enrolled,
        coalesce(string_agg(int8send(ended), ''), '') as ended,
        coalesce(string_agg(int8send(opened), ''), '') as opened
    from (
        select v.id, (extract(epoch from v.enrolled_at) * 1000000)::bigint as enrolled,
            coalesce((extract(epoch from v.ended_at) * 1000000)::bigint, 1::bigint << 62) as ended,
            (extract(epoch from a.opened_at) * 1000000)::bigint as opened
        from volunteer v join account a on a.book_id = v.book_id and a.id = v.minutes_account
        where v.book_id = :book and v.id > :after
        order by v.id
    ) each
    """
)

_HOMES = text(
    """
    select coalesce(string_agg(int8send(volunteer_id), ''), '') as volunteer,
        coalesce(string_agg(int4send(from_on - date '1970-01-01'), ''), '') as from_day,
        coalesce(string_agg(int8send(region), ''), '') as region,
        coalesce(string_agg(int8send(recorded), ''), '') as recorded,
        coalesce(string_agg(int8send(replaced), ''), '') as replaced,
        (
            select coalesce(string_agg(
                int8send(volunteer_id) || int8send((extract(epoch from ended_at) * 1000000)::bigint)
                    || int8send((extract(epoch from returned_at) * 1000000)::bigint), ''
            ), '')
            from absence where book_id = :book and volunteer_id > :after
        ) as absences
    from (
        select volunteer_id, from_on, region,
            coalesce((extract(epoch from recorded_at) * 1000000)::bigint, -(1::bigint << 62))
                as recorded,
            coalesce((extract(epoch from replaced_at) * 1000000)::bigint, 1::bigint << 62)
                as replaced
        from (
            select volunteer_id, from_on, region, recorded_at, null::timestamptz as replaced_at
            from residence where book_id = :book and volunteer_id > :after
            union all
            select volunteer_id, from_on, region, recorded_at, replaced_at
            from residence_former where book_id = :book and volunteer_id > :after
        ) told
        order by volunteer_id, from_on
    ) each
    """
)

_PROFILES = text(
    """
    select coalesce(string_agg(int8send(volunteer_id), ''), '') as volunteer,
        coalesce(string_agg(int4send(from_on - date '1970-01-01'), ''), '') as from_day,
        coalesce(string_agg(int8send(coalesce(birth_year, 0)), ''), '') as birth_year,
        coalesce(string_agg(int8send(roles), ''), '') as roles,
        coalesce(string_agg(int8send(recorded), ''), '') as recorded
    from (
        select volunteer_id, from_on, birth_year,
            (is_party_member::int + 2 * is_social_worker::int)::bigint as roles,
            (extract(epoch from recorded_at) * 1000000)::bigint as recorded
        from profile where book_id = :book
        order by volunteer_id, from_on
    ) each
    """
)

Numbers = NDArray[np.int64]

UNKNOWN = -1
"""Of a volunteer of whom nobody said it."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What volunteers are besides, on a day.

    Shape: both have a place for each volunteer by number; `UNKNOWN` where nobody said it.

    Attributes:
        age: In the year of the day.
        roles: Bit 1 party member, bit 2 social worker.
    """

    age: Numbers
    roles: Numbers


@dataclass(frozen=True, slots=True)
class Settled:
    """Who was registered on a day, and where they lived.

    Attributes:
        homes: Division codes, in order.
        home: Of each volunteer by number: place in `homes`, -1 for who was not registered.
        registered: How many in each of `homes`.
    """

    homes: Numbers
    home: NDArray[np.int32]
    registered: Numbers

    @property
    def size(self) -> int:
        """Volunteers 0 to `size - 1` have a place."""
        return len(self.home)

    def count(self, chosen: NDArray[np.bool_]) -> Numbers:
        """Return how many of some volunteers live in each of `homes`."""
        home = self.home[chosen]
        return np.bincount(home[home >= 0], minlength=len(self.homes))

    def sum(self, values: Numbers) -> Numbers:
        """Return the sum of a number of each volunteer for each of `homes`."""
        counted = np.flatnonzero((values != 0) & (self.home >= 0))
        # Whole numbers add up exactly in a double below 2**53.
        summed = np.bincount(self.home[counted], weights=values[counted], minlength=len(self.homes))
        return summed.astype(np.int64)


@dataclass(frozen=True, slots=True)
class Register:
    """Who was counted of a book, and where: what a publication keeps of the people.

    Homes, enrolments and years of birth are told late, corrected and forgotten; entries are not.
    Whoever counts the same entries over the same register gets the same numbers for ever.

    Attributes:
        is_counted: Of each volunteer by number: whether they may count as active.
    """

    settled: Settled
    is_counted: NDArray[np.bool_]

    def packed(self) -> bytes:
        """Return its bytes; the same register has the same."""
        homes, home = self.settled.homes, self.settled.home
        head = np.array([_REGISTER, len(homes), len(home)], "<i8").tobytes()
        parts = (homes.astype("<i8"), home.astype("<i4"), np.packbits(self.is_counted))
        return head + b"".join(part.tobytes() for part in parts)


def read_register(content: bytes) -> Register:
    """Return the register whose bytes these are.

    Raises:
        ValueError: They are no register's.
    """
    form, count, size = np.frombuffer(content, "<i8", 3).tolist()
    if form != _REGISTER or len(content) != 24 + 8 * count + 4 * size + (size + 7) // 8:
        raise ValueError("not a register")
    homes = np.frombuffer(content, "<i8", count, 24).astype(np.int64)
    home = np.frombuffer(content, "<i4", size, 24 + 8 * count).astype(np.int32)
    bits = np.frombuffer(content, np.uint8, offset=24 + 8 * count + 4 * size)
    registered = np.bincount(home[home >= 0], minlength=count)
    is_counted = np.unpackbits(bits, count=size).astype(np.bool_)
    return Register(Settled(homes, home, registered), is_counted)


_REGISTER = 1
"""The arrangement of a register's bytes."""


class BookPeople:
    """What a process knows of a book's people.

    Attributes:
        counters: The newest number, and how many changes, as of what is known.
    """

    def __init__(self) -> None:
        self.counters = (0, 0)
        self._volunteers = np.empty((4, 0), np.int64)
        self._homes = np.empty((5, 0), np.int64)
        self._absences = np.empty((3, 0), np.int64)
        self._profiles: Numbers | None = None
        self._settled: OrderedDict[object, Settled] = OrderedDict()

    @property
    def newest(self) -> int:
        """The newest number that is known."""
        return int(self._volunteers[0, -1]) if self._volunteers.size else 0

    def grown(
        self, counters: tuple[int, int], volunteers: Numbers, homes: Numbers, absences: Numbers
    ) -> "BookPeople":
        """Return another one that knows those too who came after the newest."""
        found = BookPeople()
        found.counters = counters
        found._volunteers = np.hstack((self._volunteers, volunteers))
        found._homes = np.hstack((self._homes, homes))
        found._absences = np.hstack((self._absences, absences))
        return found

    def settled(self, period: Period, *, last_day: int, until: datetime | None) -> Settled:
        """Return who was registered when a period ended, and where they lived on its last day.

        `until` leaves out what was recorded later. It waits for nothing.
        """
        key = (period.end, until)
        found = self._settled.get(key)
        if found is None:
            found = self._settled[key] = self._settle(
                _microseconds(period.end),
                last_day,
                _FOREVER if until is None else _microseconds(until),
            )
            while len(self._settled) > _SETTLED_MAX:
                self._settled.popitem(last=False)
        self._settled.move_to_end(key)
        return found

    def traits(
        self, profiles: Numbers, *, year: int, last_day: int, until: datetime | None
    ) -> Traits:
        """Return what everybody is besides on a day, of profiles as `People.profiles` has them."""
        size = self.newest + 1
        volunteer, from_day, birth_year, roles, recorded = profiles
        limit = _FOREVER if until is None else _microseconds(until)
        rows = np.flatnonzero((from_day <= last_day) & (recorded < limit) & (volunteer < size))
        age, role = np.full(size, UNKNOWN, np.int64), np.full(size, UNKNOWN, np.int64)
        # In order of the day: the last row of each volunteer is written last and stays.
        age[volunteer[rows]] = np.where(birth_year[rows] > 0, year - birth_year[rows], UNKNOWN)
        role[volunteer[rows]] = roles[rows]
        return Traits(age, role)

    def _settle(self, end: int, last_day: int, until: int) -> Settled:
        ids, enrolled, ended, opened = self._volunteers
        size = self.newest + 1
        is_registered = np.zeros(size, np.bool_)
        is_left = (ended < end) & (ended < until)
        is_registered[ids[(enrolled < end) & ~is_left & (opened < until)]] = True
        # Who came back later was away then.
        volunteer, ended, returned = self._absences
        is_registered[volunteer[(ended < end) & (ended < until) & (returned >= until)]] = False
        volunteer, from_day, region, recorded, replaced = self._homes
        rows = np.flatnonzero((from_day <= last_day) & (recorded < until) & (replaced >= until))
        volunteer, region = volunteer[rows], region[rows]
        # In order of the day: the last row of each volunteer is their home.
        is_last = np.append(volunteer[1:] != volunteer[:-1], True)[: len(volunteer)]
        homes, place = np.unique(region[is_last], return_inverse=True)
        home = np.full(size, -1, np.int32)
        home[volunteer[is_last]] = place
        home[~is_registered] = -1
        registered = np.bincount(home[home >= 0], minlength=len(homes))
        return Settled(homes, home, registered)


class People:
    """What a process knows of the people of the books, and how it learns the rest."""

    def __init__(self) -> None:
        self.books: dict[int, BookPeople] = {}

    async def catch_up(
        self, conn: AsyncConnection, counters: Mapping[int, tuple[int, int]]
    ) -> dict[int, BookPeople]:
        """Learn the people of some books, given with their counters.

        Cost: nothing where no counter moved; else two statements for each book whose did, and the
        work grows with who is new; after a move, with everybody.
        """
        found = {}
        for book, counted in counters.items():
            known = self.books.get(book, BookPeople())
            if known.counters != counted or book not in self.books:
                if known.counters[1] != counted[1] or known.counters[0] > counted[0]:
                    known = BookPeople()
                asked = {"book": book, "after": known.newest}
                volunteers = (await conn.execute(_VOLUNTEERS, asked)).mappings().one()
                homes = (await conn.execute(_HOMES, asked)).mappings().one()
                known = known.grown(
                    counted,
                    _columns(volunteers, ("id", "enrolled", "ended", "opened")),
                    _columns(homes, ("volunteer", "from_day", "region", "recorded", "replaced")),
                    np.frombuffer(homes["absences"], ">i8").astype(np.int64).reshape(-1, 3).T,
                )
                self.books[book] = known
            found[book] = known
        return found

    async def profiles(self, conn: AsyncConnection, *, book: int, people: BookPeople) -> Numbers:
        """Return the profiles of a book, in order of volunteers and days. One statement at most."""
        if people._profiles is None:
            row = (await conn.execute(_PROFILES, {"book": book})).mappings().one()
            names = ("volunteer", "from_day", "birth_year", "roles", "recorded")
            people._profiles = _columns(row, names)
        return people._profiles


def people_of(conn: AsyncConnection) -> People:
    """Return what this process knows of the people of the database that is read."""
    found = kept_of(conn).setdefault("people", People())
    if not isinstance(found, People):
        raise TypeError("something else is kept there")
    return found


def _columns(row: RowMapping, names: Iterable[str]) -> Numbers:
    columns: Sequence[Numbers] = [
        np.frombuffer(row[name], ">i4" if name == "from_day" else ">i8").astype(np.int64)
        for name in names
    ]
    return np.stack(columns)


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
