"""The one place that builds worlds. Every default is valid; a test names only what matters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import insert, update

from timebank.db import Database
from timebank.domain.actor import OrganizationId, VolunteerId
from timebank.domain.service_field import ServiceField
from timebank.domain.transfer import AccountKind, Unit
from timebank.ledger import accounts, journal
from timebank.store import numbering, tables

BOOK = 330424
ZONE = "Asia/Shanghai"
TOWN = 330424101000
VILLAGE = 330424101001
NINE = datetime(2024, 3, 2, 1, 0, tzinfo=UTC)
"""Nine in the morning of a Saturday in Haiyan."""
OPENED = datetime(2024, 1, 1, tzinfo=UTC)
KEY = b"k" * 32


@dataclass(frozen=True, slots=True)
class ShiftId:
    book: int
    id: int


@dataclass(slots=True)
class World:
    """A county, built row by row."""

    db: Database

    async def open_book(self, book: int = BOOK) -> None:
        async with self.db.write() as conn:
            await accounts.open_book(conn, book=book, zone=ZONE, now=OPENED)

    async def volunteers(
        self,
        count: int = 1,
        *,
        book: int = BOOK,
        village: int = VILLAGE,
        since: date = date(2024, 1, 1),
    ) -> list[VolunteerId]:
        await self.open_book(book)
        async with self.db.write() as conn:
            head = await journal.find_locked_head(conn, book=book)
            assert head is not None
            numbers = await numbering.take_numbers(conn, book=book, noun="volunteer", count=count)
            opened = await accounts.open_accounts(
                conn,
                head=head,
                unit=Unit.MINUTES,
                kind=AccountKind.VOLUNTEER,
                owners=numbers,
                now=OPENED,
            )
            await conn.execute(
                insert(tables.volunteer),
                [
                    {
                        "book_id": book,
                        "id": number,
                        "minutes_account": account,
                        "enrolled_at": OPENED,
                    }
                    for number, account in zip(numbers, opened, strict=True)
                ],
            )
            await conn.execute(
                insert(tables.residence),
                [
                    {"book_id": book, "volunteer_id": number, "from_on": since, "region": village}
                    for number in numbers
                ],
            )
        return [VolunteerId(book, number) for number in numbers]

    async def person_of(self, volunteer: VolunteerId) -> UUID:
        """Give a volunteer a person and return it."""
        person = uuid4()
        v = tables.volunteer.c
        async with self.db.write() as conn:
            await conn.execute(insert(tables.person).values(id=person, created_at=OPENED))
            await conn.execute(
                update(tables.volunteer)
                .where(v.book_id == volunteer.book, v.id == volunteer.id)
                .values(person_id=person)
            )
        return person

    async def organization(
        self, *, book: int = BOOK, name: str = "示例志愿服务队"
    ) -> OrganizationId:
        async with self.db.write() as conn:
            (number,) = await numbering.take_numbers(conn, book=book, noun="organization")
            await conn.execute(
                insert(tables.organization).values(
                    book_id=book,
                    id=number,
                    name=f"{name} {number}",
                    kind="team",
                    region=TOWN,
                    opened_at=OPENED,
                )
            )
        return OrganizationId(book, number)

    async def shift(
        self,
        *,
        book: int = BOOK,
        organization: OrganizationId | None = None,
        starts_at: datetime = NINE,
        hours: float = 3,
        places: int = 20,
        field: ServiceField = ServiceField.ELDER_CARE,
        cancelled_at: datetime | None = None,
        closed_at: datetime | None = None,
        signed_up: Sequence[VolunteerId] = (),
        forgotten: str = "zero",
        risks: int = 0,
    ) -> ShiftId:
        await self.open_book(book)
        organization = organization or await self.organization(book=book)
        async with self.db.write() as conn:
            (activity,) = await numbering.take_numbers(conn, book=book, noun="activity")
            await conn.execute(
                insert(tables.activity).values(
                    book_id=book,
                    id=activity,
                    organization_id=organization.id,
                    title="敬老服务",
                    field=field,
                    content="陪老人聊天",
                    address="镇社工站",
                    region=VILLAGE,
                    in_charge="值班社工",
                    created_at=OPENED,
                    is_listed=True,
                    forgotten=forgotten,
                    risks=risks,
                )
            )
            (number,) = await numbering.take_numbers(conn, book=book, noun="shift")
            await conn.execute(
                insert(tables.shift).values(
                    book_id=book,
                    id=number,
                    activity_id=activity,
                    starts_at=starts_at,
                    ends_at=starts_at + timedelta(hours=hours),
                    places=places,
                    cancelled_at=cancelled_at,
                    closed_at=closed_at,
                )
            )
            if signed_up:
                await conn.execute(
                    insert(tables.signup),
                    [
                        {
                            "book_id": each.book,
                            "volunteer_id": each.id,
                            "shift_book": book,
                            "shift_id": number,
                            "signed_up_at": OPENED,
                        }
                        for each in signed_up
                    ],
                )
        return ShiftId(book, number)
