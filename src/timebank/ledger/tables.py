"""The tables of the ledger. Every key begins with the book, which is also the shard key."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from timebank.db import metadata
from timebank.ledger.entitlement_tables import (
    entitlement,
    entitlement_state,
    entitlement_step,
    grant_run,
)
from timebank.ledger.notice_tables import notice, notice_checkpoint

unit = Table(
    "unit",
    metadata,
    Column(
        "id",
        SmallInteger,
        primary_key=True,
        autoincrement=False,
        comment="1 minutes, 2 credits, 3 points, 4 fen; registered ones from 100",
    ),
    Column(
        "code",
        Text,
        nullable=False,
        unique=True,
        comment="stable name, such as minutes or honour:cn.stars:3",
    ),
    comment="What an account can hold. Shared by all books.",
)

book = Table(
    "book",
    metadata,
    Column(
        "id", Integer, primary_key=True, autoincrement=False, comment="six-digit code of the county"
    ),
    Column(
        "zone",
        Text,
        nullable=False,
        comment="IANA name of the zone whose days and months people live by",
    ),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column(
        "seq",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="newest entry; entries 1 to seq are the book",
    ),
    Column("batch", BigInteger, nullable=False, server_default="0", comment="newest batch"),
    Column("accounts", BigInteger, nullable=False, server_default="0", comment="newest account"),
    Column("recorded_at", DateTime(timezone=True), comment="when the newest batch was recorded"),
    Column(
        "edge",
        LargeBinary,
        nullable=False,
        server_default="",
        comment="right edge of the tree over entries 1 to seq: 32 bytes a subtree, largest first",
    ),
    Column(
        "erasures",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="how often secrets of its accounts were erased",
    ),
    CheckConstraint("seq >= 0 and batch >= 0 and accounts >= 0", name="counts"),
    CheckConstraint("octet_length(edge) % 32 = 0", name="edge"),
    comment="The head of a county's ledger. Its row lock orders the batches.",
)

account = Table(
    "account",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("id", BigInteger, nullable=False, comment="numbered from 1 within the book"),
    Column("unit", SmallInteger, nullable=False),
    Column(
        "kind",
        SmallInteger,
        nullable=False,
        comment="1 issuing, 2 volunteer, 3 pool, 4 clearing, 5 receivable, 6 committed, 7 paid,"
        " 8 partner",
    ),
    Column(
        "owner",
        BigInteger,
        nullable=False,
        comment="volunteer, pool, partner, or the book cleared with; 0 for the book itself",
    ),
    Column("is_debit_bounded", Boolean, nullable=False, comment="debits must not exceed credits"),
    Column("is_credit_bounded", Boolean, nullable=False, comment="credits must not exceed debits"),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("book_id", "id"),
    UniqueConstraint("book_id", "kind", "owner", "unit"),
    ForeignKeyConstraint(["book_id"], ["book.id"]),
    ForeignKeyConstraint(["unit"], ["unit.id"]),
    CheckConstraint("kind between 1 and 8", name="kind"),
    comment="Holds one unit. Its balance is the newest account_state.",
)

batch = Table(
    "batch",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column(
        "batch", BigInteger, nullable=False, comment="numbered from 1 within the book, without gaps"
    ),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column(
        "recorded_at",
        DateTime(timezone=True),
        nullable=False,
        comment="never before the batch that precedes it",
    ),
    Column(
        "commitments",
        LargeBinary,
        nullable=False,
        comment="what the tree holds of each entry: 32 bytes an entry, in order of seq",
    ),
    PrimaryKeyConstraint("book_id", "batch"),
    CheckConstraint("first_seq <= last_seq", name="not_empty"),
    CheckConstraint(
        "octet_length(commitments) = 32 * (last_seq - first_seq + 1)", name="commitments"
    ),
    comment="Entries that were written by one commit.",
)

transfer = Table(
    "transfer",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column(
        "seq", BigInteger, nullable=False, comment="numbered from 1 within the book, without gaps"
    ),
    Column("key", Uuid, nullable=False, comment="names the deed; made once, never reused"),
    Column(
        "kind",
        SmallInteger,
        nullable=False,
        comment="1 service, 2 reversal, 3 grant, 4 adjustment, 5 carried, 6 budget, 7 commitment,"
        " 8 release, 9 payment, 10 use, 11 return, 12 expiry, 13 claw, 14 gift, 15 exchange",
    ),
    Column("unit", SmallInteger, nullable=False),
    Column("debit", BigInteger, nullable=False, comment="account it is taken from"),
    Column("credit", BigInteger, nullable=False, comment="account it is given to"),
    Column("amount", BigInteger, nullable=False, comment="whole units; minutes for service"),
    Column("effective_at", DateTime(timezone=True), nullable=False, comment="when it happened"),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="when it was written"),
    Column("volunteer", BigInteger, comment="whose record it belongs to"),
    Column("assurance", SmallInteger, comment="service: grade 0 to 3"),
    Column(
        "measured",
        SmallInteger,
        comment="service: bit 1 arrival, bit 2 departure was measured by a code",
    ),
    Column("activity_book", Integer, comment="service: book of the county that organized"),
    Column("activity", BigInteger, comment="service: the activity in that book"),
    Column(
        "shift", BigInteger, comment="service: the shift in that book; null for imported history"
    ),
    Column("field", SmallInteger, comment="service: number of the service field"),
    Column("place", BigInteger, comment="service: division code of where it was done"),
    Column("reverses", BigInteger, comment="reversal: seq of the entry taken back"),
    PrimaryKeyConstraint("book_id", "seq"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("debit <> credit", name="accounts"),
    CheckConstraint("kind between 1 and 15", name="kind"),
    CheckConstraint("(kind = 2) = (reverses is not null)", name="reversal"),
    CheckConstraint("reverses < seq", name="reverses_earlier"),
    CheckConstraint(
        "(assurance is null) = (measured is null) and (assurance is null) = (field is null)"
        " and (assurance is null) = (place is null)",
        name="service",
    ),
    comment="The journal: insert and select only.",
)
Index("uq_transfer_book_id_key", transfer.c.book_id, transfer.c.key, unique=True)
Index(
    "uq_transfer_book_id_reverses",
    transfer.c.book_id,
    transfer.c.reverses,
    unique=True,
    postgresql_where=text("reverses is not null"),
)

account_state = Table(
    "account_state",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("account", BigInteger, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column(
        "debits",
        BigInteger,
        nullable=False,
        comment="all that was ever taken from it, as of the batch",
    ),
    Column(
        "credits",
        BigInteger,
        nullable=False,
        comment="all that was ever given to it, as of the batch",
    ),
    Column(
        "places",
        ARRAY(Integer),
        comment="its entries are at first_seq + place; null on issuing accounts",
    ),
    PrimaryKeyConstraint("book_id", "account", "batch"),
    CheckConstraint("debits >= 0 and credits >= 0", name="sums"),
    comment="One row per account that a batch touched; the newest is the balance. Append-only.",
)

volunteer_month = Table(
    "volunteer_month",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column(
        "month",
        Integer,
        nullable=False,
        comment="year * 100 + month of effective_at in the book's zone",
    ),
    Column("volunteer", BigInteger, nullable=False),
    Column("assurance", SmallInteger, nullable=False),
    Column("measured", SmallInteger, nullable=False),
    Column("minutes", BigInteger, nullable=False, comment="served, less what was reversed"),
    Column("services", Integer, nullable=False, comment="entries, less reversals"),
    PrimaryKeyConstraint("book_id", "month", "volunteer", "assurance", "measured"),
    comment="Roll-up of service entries by month, kept in the same commit; updated.",
)

entry_segment = Table(
    "entry_segment",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column(
        "number",
        BigInteger,
        nullable=False,
        comment="from 0; holds entries 65536 * number + 1 to 65536 * (number + 1)",
    ),
    Column("first_day", Integer, comment="of a service, from 1970-01-01; null where it has none"),
    Column("last_day", Integer, comment="of a service, from 1970-01-01; null where it has none"),
    Column("seq", LargeBinary, nullable=False, comment="of each service: 8 bytes"),
    Column("volunteer", LargeBinary, nullable=False, comment="whose: 4 bytes"),
    Column("day", LargeBinary, nullable=False, comment="in the book's zone: 4 bytes"),
    Column("minutes", LargeBinary, nullable=False, comment="below zero if reversed: 4 bytes"),
    Column("grade", LargeBinary, nullable=False, comment="4 * assurance + measured: 2 bytes"),
    Column("work", LargeBinary, nullable=False, comment="place in works, from 0: 4 bytes"),
    Column("shift", LargeBinary, nullable=False, comment="0 where none is known: 4 bytes"),
    Column(
        "works",
        LargeBinary,
        nullable=False,
        comment="book 4, activity 8, field 2, place 8 bytes, each big-endian as all columns are",
    ),
    PrimaryKeyConstraint("book_id", "number"),
    comment="Services of 65,536 entries as columns, made of the journal for reports. Append-only.",
)

report_state = Table(
    "report_state",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("noun", Text, nullable=False, comment="what is summed, such as `year`"),
    Column("first_day", Integer, nullable=False, comment="of the services, from 1970-01-01"),
    Column("last_day", Integer, nullable=False, comment="of the services, from 1970-01-01"),
    Column("seq", BigInteger, nullable=False, comment="it is made of entries 1 to seq"),
    Column("content", LargeBinary, nullable=False, comment="the sums as columns"),
    PrimaryKeyConstraint("book_id", "noun", "first_day", "last_day"),
    comment="Sums for reports, stored so that a new process need not read a year of entries; "
    "made of the journal, and made again by the audit.",
)

reversal_reason = Table(
    "reversal_reason",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False, comment="the reversal"),
    Column("person", Uuid, comment="who did it; null for the operator's command line"),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, comment="what proves it, such as the number of a sign-in sheet"),
    Column("replacement", BigInteger, comment="seq of the entry that stands in its place, if any"),
    PrimaryKeyConstraint("book_id", "seq"),
    Index(
        "uq_reversal_reason_book_id_replacement",
        "book_id",
        "replacement",
        unique=True,
        postgresql_where=text("replacement is not null"),
    ),
    comment="Who took an entry back, why, and what stands instead. Insert and select only.",
)

decision = Table(
    "decision",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False, comment="the grant"),
    Column("volunteer", BigInteger, nullable=False),
    Column("pack", Text, nullable=False, comment="id of the pack"),
    Column(
        "pack_hash",
        Text,
        nullable=False,
        comment="SHA-256 of the pack's canonical form, hexadecimal",
    ),
    Column("rule", Text, nullable=False),
    Column("tier", Integer, nullable=False, comment="0 for rules without tiers"),
    Column("period", Text, nullable=False, comment="the period key, such as lifetime or 2024"),
    Column("as_of", BigInteger, nullable=False, comment="entries 1 to as_of were known"),
    Column("reasons", Text, nullable=False, comment="one reason per leaf, JSON"),
    PrimaryKeyConstraint("book_id", "seq"),
    Index("ix_decision_book_id_volunteer", "book_id", "volunteer"),
    comment="Why each grant was made. Insert and select only.",
)

account_secret = Table(
    "account_secret",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("account", BigInteger, nullable=False),
    Column(
        "secret",
        LargeBinary,
        nullable=False,
        comment="32 random bytes from which the salts of its entries are made",
    ),
    PrimaryKeyConstraint("book_id", "account"),
    CheckConstraint("octet_length(secret) = 32", name="secret"),
    comment="Made with the first entry of an account. Without it nobody can open its commitments.",
)

erasure = Table(
    "erasure",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("account", BigInteger, nullable=False),
    Column(
        "last_seq",
        BigInteger,
        nullable=False,
        comment="of entries up to this one the account's secret is gone",
    ),
    Column("erased_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("book_id", "account", "last_seq"),
    comment="Which secrets were erased, so that a missing one is not taken for a loss.",
)

tile = Table(
    "tile",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("level", SmallInteger, nullable=False, comment="0: 256 entries; n: 256 tiles of n - 1"),
    Column("number", BigInteger, nullable=False, comment="numbered from 0 within the level"),
    Column("root", LargeBinary, nullable=False, comment="root over its 256 hashes"),
    Column("batch", BigInteger, comment="level 0: the batch that its first entry is in"),
    PrimaryKeyConstraint("book_id", "level", "number"),
    CheckConstraint("octet_length(root) = 32", name="root"),
    CheckConstraint("(level = 0) = (batch is not null)", name="batch"),
    comment="Full tiles of the tree, up to the newest checkpoint.",
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("size", BigInteger, nullable=False, comment="entries 1 to size are under the root"),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False, comment="the signed note, as it was signed"),
    Column("signed_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("book_id", "size"),
    comment="Every head that was ever signed; each is consistent with those before it.",
)

opening_month = Table(
    "opening_month",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False, comment="the entry that carried them"),
    Column("served_book", Integer, nullable=False, comment="book in which they were served"),
    Column("month", Integer, nullable=False, comment="as in volunteer_month of that book"),
    Column("assurance", SmallInteger, nullable=False),
    Column("measured", SmallInteger, nullable=False),
    Column("minutes", BigInteger, nullable=False, comment="below zero where carried away"),
    Column("services", Integer, nullable=False, comment="below zero where carried away"),
    PrimaryKeyConstraint(
        "book_id", "volunteer", "seq", "served_book", "month", "assurance", "measured"
    ),
    comment="Months of service that a volunteer brought from, or took to, another book.",
)

carried_grant = Table(
    "carried_grant",
    metadata,
    Column("book_id", Integer, nullable=False),
    Column("volunteer", BigInteger, nullable=False),
    Column("granted_book", Integer, nullable=False, comment="book in which it was granted"),
    Column("granted_seq", BigInteger, nullable=False, comment="the grant in that book"),
    Column("pack", Text, nullable=False, comment="id of the pack"),
    Column("rule", Text, nullable=False),
    Column("tier", Integer, nullable=False, comment="0 for rules without tiers"),
    Column("period", Text, nullable=False, comment="the period key, such as lifetime or 2024"),
    Column("effective_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("count", BigInteger, nullable=False, comment="how much was granted"),
    Column("reasons", Text, nullable=False, comment="one reason per leaf, JSON, as decided there"),
    Column("is_standing", Boolean, nullable=False, comment="not taken back when it was carried"),
    PrimaryKeyConstraint("book_id", "volunteer", "granted_book", "granted_seq"),
    comment="Grants of other books that a volunteer brought, so that none is made twice.",
)

carriage = Table(
    "carriage",
    metadata,
    Column("book_id", Integer, nullable=False, comment="the book that is left"),
    Column("volunteer", BigInteger, nullable=False),
    Column("number", Integer, nullable=False, comment="numbered from 1 for each volunteer"),
    Column("to_book", Integer, nullable=False),
    Column("to_volunteer", BigInteger, comment="their number there; null before they arrived"),
    Column(
        "village", BigInteger, comment="the new home; null for what came to light after the move"
    ),
    Column("first_seq", BigInteger, nullable=False),
    Column(
        "last_seq", BigInteger, nullable=False, comment="below first_seq where nothing was carried"
    ),
    Column("left_at", DateTime(timezone=True), nullable=False),
    Column("arrived_at", DateTime(timezone=True), comment="null until the other book has it all"),
    PrimaryKeyConstraint("book_id", "volunteer", "number"),
    comment="What is on its way between two books: written with the one, ended by the other.",
)
Index(
    "ix_carriage_under_way",
    carriage.c.left_at,
    postgresql_where=text("arrived_at is null"),
)

APPEND_ONLY = (
    unit,
    account,
    batch,
    transfer,
    account_state,
    entry_segment,
    reversal_reason,
    decision,
    opening_month,
    carried_grant,
    grant_run,
    entitlement,
    entitlement_step,
    erasure,
    tile,
    checkpoint,
    notice,
    notice_checkpoint,
)
"""On these the application may insert and select, nothing more."""

CHANGING = (entitlement_state,)
"""Made of append-only rows and changed in their commit, with them."""

ERASABLE = (account_secret,)
"""What makes a person's entries recognizable in the tree: inserted, and deleted for good."""
