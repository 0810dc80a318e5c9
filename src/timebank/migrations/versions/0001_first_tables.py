"""First tables, and what the application may do with them.

Lock: none; the tables are new.
Way back: drop the database.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

APPEND_ONLY = (
    "account",
    "account_state",
    "audit_event",
    "batch",
    "carried_grant",
    "checkpoint",
    "decision",
    "erasure",
    "opening_month",
    "pack",
    "reversal_reason",
    "tile",
    "transfer",
    "unit",
)
"""The application may select and insert here, nothing more: append-only is a privilege."""

HEADS = ("book", "carriage", "volunteer_month", "volunteer_year")
"""Changed with the entries, in the same commit."""

ERASABLE = ("account_secret",)
"""Inserted and deleted for good, never changed."""

CHANGING = (
    "activity",
    "appointment",
    "attendance",
    "numbering",
    "one_time_code",
    "organization",
    "outbox",
    "person",
    "region",
    "residence",
    "residents",
    "shift",
    "sign_in",
    "signup",
    "volunteer",
)


def _privileges() -> None:
    # The role may exist: it belongs to the server, not to this database.
    op.execute(
        """
        do $$ begin
            if not exists (select from pg_roles where rolname = 'timebank_app') then
                create role timebank_app nologin;
            end if;
            if not pg_has_role(current_user, 'timebank_app', 'member') then
                execute format('grant timebank_app to %I', current_user);
            end if;
        end $$
        """
    )
    op.execute("grant usage on schema public to timebank_app")
    op.execute("grant select on alembic_version to timebank_app")
    for table in APPEND_ONLY:
        op.execute(f"grant select, insert on {table} to timebank_app")
    for table in HEADS:
        op.execute(f"grant select, insert, update on {table} to timebank_app")
    for table in ERASABLE:
        op.execute(f"grant select, insert, delete on {table} to timebank_app")
    for table in CHANGING:
        op.execute(f"grant select, insert, update, delete on {table} to timebank_app")


def upgrade() -> None:
    op.create_table(
        "account_secret",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column(
            "secret",
            sa.LargeBinary(),
            nullable=False,
            comment="32 random bytes from which the salts of its entries are made",
        ),
        sa.CheckConstraint("octet_length(secret) = 32", name=op.f("ck_account_secret_secret")),
        sa.PrimaryKeyConstraint("book_id", "account", name=op.f("pk_account_secret")),
        comment="Made with the first entry of an account. Without it nobody can open its commitments.",
    )
    op.create_table(
        "account_state",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column(
            "debits",
            sa.BigInteger(),
            nullable=False,
            comment="all that was ever taken from it, as of the batch",
        ),
        sa.Column(
            "credits",
            sa.BigInteger(),
            nullable=False,
            comment="all that was ever given to it, as of the batch",
        ),
        sa.Column(
            "places",
            postgresql.ARRAY(sa.Integer()),
            nullable=True,
            comment="its entries are at first_seq + place; null on issuing accounts",
        ),
        sa.CheckConstraint("debits >= 0 and credits >= 0", name=op.f("ck_account_state_sums")),
        sa.PrimaryKeyConstraint("book_id", "account", "batch", name=op.f("pk_account_state")),
        comment="One row per account that a batch touched; the newest is the balance. Append-only.",
    )
    op.create_table(
        "appointment",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column(
            "book_id", sa.Integer(), nullable=True, comment="organizer: book of the organization"
        ),
        sa.Column(
            "organization_id", sa.BigInteger(), nullable=True, comment="organizer: the organization"
        ),
        sa.Column(
            "region",
            sa.BigInteger(),
            nullable=True,
            comment="officer and auditor: the division they see",
        ),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        comment="Which roles a person holds, where and since when.",
    )
    op.create_index("ix_appointment_person_id", "appointment", ["person_id"], unique=False)
    op.create_table(
        "attendance",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the volunteer's book"),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column("shift_book", sa.Integer(), nullable=False),
        sa.Column("shift_id", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "arrival_measured",
            sa.Boolean(),
            nullable=False,
            comment="by a code; else set by the organizer",
        ),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "departure_measured", sa.Boolean(), nullable=True, comment="null before the departure"
        ),
        sa.CheckConstraint(
            "(left_at is null) = (departure_measured is null)", name=op.f("ck_attendance_departure")
        ),
        sa.PrimaryKeyConstraint(
            "book_id", "volunteer_id", "shift_book", "shift_id", name=op.f("pk_attendance")
        ),
        comment="The fact: arrival and departure.",
    )
    op.create_index(
        "ix_attendance_shift_book_shift_id", "attendance", ["shift_book", "shift_id"], unique=False
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "person_id", sa.Uuid(), nullable=True, comment="null for the operator's command line"
        ),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="what it was done to, by number"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        comment="Every privileged act. Insert and select only.",
    )
    op.create_index("ix_audit_event_at", "audit_event", ["at"], unique=False)
    op.create_table(
        "batch",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column(
            "batch",
            sa.BigInteger(),
            nullable=False,
            comment="numbered from 1 within the book, without gaps",
        ),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="never before the batch that precedes it",
        ),
        sa.Column(
            "commitments",
            sa.LargeBinary(),
            nullable=False,
            comment="what the tree holds of each entry: 32 bytes an entry, in order of seq",
        ),
        sa.CheckConstraint("first_seq <= last_seq", name=op.f("ck_batch_not_empty")),
        sa.CheckConstraint(
            "octet_length(commitments) = 32 * (last_seq - first_seq + 1)",
            name=op.f("ck_batch_commitments"),
        ),
        sa.PrimaryKeyConstraint("book_id", "batch", name=op.f("pk_batch")),
        comment="Entries that were written by one commit.",
    )
    op.create_table(
        "book",
        sa.Column(
            "id",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="six-digit code of the county",
        ),
        sa.Column(
            "zone",
            sa.Text(),
            nullable=False,
            comment="IANA name of the zone whose days and months people live by",
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "seq",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="newest entry; entries 1 to seq are the book",
        ),
        sa.Column(
            "batch", sa.BigInteger(), server_default="0", nullable=False, comment="newest batch"
        ),
        sa.Column(
            "accounts",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="newest account",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the newest batch was recorded",
        ),
        sa.Column(
            "edge",
            sa.LargeBinary(),
            server_default="",
            nullable=False,
            comment="right edge of the tree over entries 1 to seq: 32 bytes a subtree, largest first",
        ),
        sa.CheckConstraint("octet_length(edge) % 32 = 0", name=op.f("ck_book_edge")),
        sa.CheckConstraint(
            "seq >= 0 and batch >= 0 and accounts >= 0", name=op.f("ck_book_counts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book")),
        comment="The head of a county's ledger. Its row lock orders the batches.",
    )
    op.create_table(
        "carriage",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the book that is left"),
        sa.Column("volunteer", sa.BigInteger(), nullable=False),
        sa.Column(
            "number", sa.Integer(), nullable=False, comment="numbered from 1 for each volunteer"
        ),
        sa.Column("to_book", sa.Integer(), nullable=False),
        sa.Column(
            "to_volunteer",
            sa.BigInteger(),
            nullable=True,
            comment="their number there; null before they arrived",
        ),
        sa.Column(
            "village",
            sa.BigInteger(),
            nullable=True,
            comment="the new home; null for what came to light after the move",
        ),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column(
            "last_seq",
            sa.BigInteger(),
            nullable=False,
            comment="below first_seq where nothing was carried",
        ),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "arrived_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null until the other book has it all",
        ),
        sa.PrimaryKeyConstraint("book_id", "volunteer", "number", name=op.f("pk_carriage")),
        comment="What is on its way between two books: written with the one, ended by the other.",
    )
    op.create_index(
        "ix_carriage_under_way",
        "carriage",
        ["left_at"],
        unique=False,
        postgresql_where=sa.text("arrived_at is null"),
    )
    op.create_table(
        "carried_grant",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer", sa.BigInteger(), nullable=False),
        sa.Column(
            "granted_book", sa.Integer(), nullable=False, comment="book in which it was granted"
        ),
        sa.Column("granted_seq", sa.BigInteger(), nullable=False, comment="the grant in that book"),
        sa.Column("pack", sa.Text(), nullable=False, comment="id of the pack"),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False, comment="0 for rules without tiers"),
        sa.Column(
            "period", sa.Text(), nullable=False, comment="the period key, such as lifetime or 2024"
        ),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False, comment="how much was granted"),
        sa.Column(
            "reasons",
            sa.Text(),
            nullable=False,
            comment="one reason per leaf, JSON, as decided there",
        ),
        sa.Column(
            "is_standing",
            sa.Boolean(),
            nullable=False,
            comment="not taken back when it was carried",
        ),
        sa.PrimaryKeyConstraint(
            "book_id", "volunteer", "granted_book", "granted_seq", name=op.f("pk_carried_grant")
        ),
        comment="Grants of other books that a volunteer brought, so that none is made twice.",
    )
    op.create_table(
        "checkpoint",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column(
            "size", sa.BigInteger(), nullable=False, comment="entries 1 to size are under the root"
        ),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False, comment="the signed note, as it was signed"),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "size", name=op.f("pk_checkpoint")),
        comment="Every head that was ever signed; each is consistent with those before it.",
    )
    op.create_table(
        "decision",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the grant"),
        sa.Column("volunteer", sa.BigInteger(), nullable=False),
        sa.Column("pack", sa.Text(), nullable=False, comment="id of the pack"),
        sa.Column(
            "pack_hash",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the pack's canonical form, hexadecimal",
        ),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False, comment="0 for rules without tiers"),
        sa.Column(
            "period", sa.Text(), nullable=False, comment="the period key, such as lifetime or 2024"
        ),
        sa.Column(
            "as_of", sa.BigInteger(), nullable=False, comment="entries 1 to as_of were known"
        ),
        sa.Column("reasons", sa.Text(), nullable=False, comment="one reason per leaf, JSON"),
        sa.PrimaryKeyConstraint("book_id", "seq", name=op.f("pk_decision")),
        comment="Why each grant was made. Insert and select only.",
    )
    op.create_index(
        "ix_decision_book_id_volunteer", "decision", ["book_id", "volunteer"], unique=False
    )
    op.create_table(
        "erasure",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column(
            "last_seq",
            sa.BigInteger(),
            nullable=False,
            comment="of entries up to this one the account's secret is gone",
        ),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "account", "last_seq", name=op.f("pk_erasure")),
        comment="Which secrets were erased, so that a missing one is not taken for a loss.",
    )
    op.create_table(
        "numbering",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("noun", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "noun", name=op.f("pk_numbering")),
        comment="The newest number given to each kind of thing in a book.",
    )
    op.create_table(
        "one_time_code",
        sa.Column("phone_mac", sa.LargeBinary(), nullable=False),
        sa.Column(
            "code_mac", sa.LargeBinary(), nullable=False, comment="keyed hash of the six digits"
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tries",
            sa.SmallInteger(),
            nullable=False,
            comment="wrong answers to codes not yet expired",
        ),
        sa.Column(
            "counted_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="first of the codes counted in `codes`",
        ),
        sa.Column(
            "codes", sa.SmallInteger(), nullable=False, comment="codes sent since counted_from"
        ),
        sa.PrimaryKeyConstraint("phone_mac", name=op.f("pk_one_time_code")),
        comment="The newest sign-in code of a phone number.",
    )
    op.create_table(
        "opening_month",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the entry that carried them"),
        sa.Column(
            "served_book", sa.Integer(), nullable=False, comment="book in which they were served"
        ),
        sa.Column(
            "month", sa.Integer(), nullable=False, comment="as in volunteer_month of that book"
        ),
        sa.Column("assurance", sa.SmallInteger(), nullable=False),
        sa.Column("measured", sa.SmallInteger(), nullable=False),
        sa.Column(
            "minutes", sa.BigInteger(), nullable=False, comment="below zero where carried away"
        ),
        sa.Column(
            "services", sa.Integer(), nullable=False, comment="below zero where carried away"
        ),
        sa.PrimaryKeyConstraint(
            "book_id",
            "volunteer",
            "seq",
            "served_book",
            "month",
            "assurance",
            "measured",
            name=op.f("pk_opening_month"),
        ),
        comment="Months of service that a volunteer brought from, or took to, another book.",
    )
    op.create_table(
        "organization",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="team, station, social_organization, community, enterprise",
        ),
        sa.Column("region", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_organization")),
        sa.UniqueConstraint("book_id", "name", name=op.f("uq_organization_book_id_name")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        comment="Messages to people, encrypted, until a gateway has sent them.",
    )
    op.create_index("ix_outbox_queued_at", "outbox", ["queued_at"], unique=False)
    op.create_table(
        "pack",
        sa.Column(
            "hash", sa.Text(), nullable=False, comment="SHA-256 of the canonical form, hexadecimal"
        ),
        sa.Column("pack_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="the canonical form itself"),
        sa.Column("enacted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enacted_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_pack")),
        comment="Every pack that ever granted: a decision can be made again. Append-only.",
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "phone_mac",
            sa.LargeBinary(),
            nullable=True,
            comment="keyed hash of the phone number; null after erasure or where none is known",
        ),
        sa.Column(
            "phone_sealed", sa.LargeBinary(), nullable=True, comment="phone number, encrypted"
        ),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True, comment="name, encrypted"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("phone_mac", name=op.f("uq_person_phone_mac")),
        comment="The erasable store of who people are. The ledger never refers to it.",
    )
    op.create_table(
        "region",
        sa.Column(
            "code", sa.BigInteger(), autoincrement=False, nullable=False, comment="12 digits"
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "level", sa.Text(), nullable=False, comment="province, city, county, town, village"
        ),
        sa.Column("parent", sa.BigInteger(), nullable=True, comment="null for a province"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_region")),
        comment="Administrative divisions. Shared by all books.",
    )
    op.create_index("ix_region_parent", "region", ["parent"], unique=False)
    op.create_table(
        "residence",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False, comment="first local day"),
        sa.Column(
            "region",
            sa.BigInteger(),
            nullable=False,
            comment="village, or the lowest division known",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null: with the enrolment",
        ),
        sa.PrimaryKeyConstraint("book_id", "volunteer_id", "from_on", name=op.f("pk_residence")),
        comment="Where a volunteer lives, from which day.",
    )
    op.create_table(
        "residents",
        sa.Column("region", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False, comment="people who live there"),
        sa.Column(
            "is_estimate",
            sa.Boolean(),
            nullable=False,
            comment="derived from the source, not counted by it",
        ),
        sa.CheckConstraint("count >= 0", name=op.f("ck_residents_count")),
        sa.PrimaryKeyConstraint("region", "as_of", "source", name=op.f("pk_residents")),
        comment="Dated populations with their source. Shared by all books.",
    )
    op.create_table(
        "reversal_reason",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the reversal"),
        sa.Column(
            "person",
            sa.Uuid(),
            nullable=True,
            comment="who did it; null for the operator's command line",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "evidence",
            sa.Text(),
            nullable=True,
            comment="what proves it, such as the number of a sign-in sheet",
        ),
        sa.Column(
            "replacement",
            sa.BigInteger(),
            nullable=True,
            comment="seq of the entry that stands in its place, if any",
        ),
        sa.PrimaryKeyConstraint("book_id", "seq", name=op.f("pk_reversal_reason")),
        comment="Who took an entry back, why, and what stands instead. Insert and select only.",
    )
    op.create_index(
        "uq_reversal_reason_book_id_replacement",
        "reversal_reason",
        ["book_id", "replacement"],
        unique=True,
        postgresql_where=sa.text("replacement is not null"),
    )
    op.create_table(
        "sign_in",
        sa.Column(
            "token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the cookie's token"
        ),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in")),
    )
    op.create_index("ix_sign_in_person_id", "sign_in", ["person_id"], unique=False)
    op.create_table(
        "signup",
        sa.Column("book_id", sa.Integer(), nullable=False, comment="the volunteer's book"),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "shift_book", sa.Integer(), nullable=False, comment="the organizing county's book"
        ),
        sa.Column("shift_id", sa.BigInteger(), nullable=False),
        sa.Column("signed_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            "book_id", "volunteer_id", "shift_book", "shift_id", name=op.f("pk_signup")
        ),
        comment="The intention: a volunteer's place in a shift.",
    )
    op.create_index(
        "ix_signup_shift_book_shift_id", "signup", ["shift_book", "shift_id"], unique=False
    )
    op.create_table(
        "tile",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column(
            "level",
            sa.SmallInteger(),
            nullable=False,
            comment="0: 256 entries; n: 256 tiles of n - 1",
        ),
        sa.Column(
            "number", sa.BigInteger(), nullable=False, comment="numbered from 0 within the level"
        ),
        sa.Column("root", sa.LargeBinary(), nullable=False, comment="root over its 256 hashes"),
        sa.Column(
            "batch",
            sa.BigInteger(),
            nullable=True,
            comment="level 0: the batch that its first entry is in",
        ),
        sa.CheckConstraint("(level = 0) = (batch is not null)", name=op.f("ck_tile_batch")),
        sa.CheckConstraint("octet_length(root) = 32", name=op.f("ck_tile_root")),
        sa.PrimaryKeyConstraint("book_id", "level", "number", name=op.f("pk_tile")),
        comment="Full tiles of the tree, up to the newest checkpoint.",
    )
    op.create_table(
        "transfer",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column(
            "seq",
            sa.BigInteger(),
            nullable=False,
            comment="numbered from 1 within the book, without gaps",
        ),
        sa.Column(
            "key", sa.Uuid(), nullable=False, comment="names the deed; made once, never reused"
        ),
        sa.Column(
            "kind",
            sa.SmallInteger(),
            nullable=False,
            comment="1 service, 2 reversal, 3 grant, 4 adjustment, 5 carried",
        ),
        sa.Column("unit", sa.SmallInteger(), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False, comment="account it is taken from"),
        sa.Column("credit", sa.BigInteger(), nullable=False, comment="account it is given to"),
        sa.Column(
            "amount", sa.BigInteger(), nullable=False, comment="whole units; minutes for service"
        ),
        sa.Column(
            "effective_at", sa.DateTime(timezone=True), nullable=False, comment="when it happened"
        ),
        sa.Column(
            "recorded_at", sa.DateTime(timezone=True), nullable=False, comment="when it was written"
        ),
        sa.Column(
            "volunteer", sa.BigInteger(), nullable=True, comment="whose record it belongs to"
        ),
        sa.Column("assurance", sa.SmallInteger(), nullable=True, comment="service: grade 0 to 3"),
        sa.Column(
            "measured",
            sa.SmallInteger(),
            nullable=True,
            comment="service: bit 1 arrival, bit 2 departure was measured by a code",
        ),
        sa.Column(
            "activity_book",
            sa.Integer(),
            nullable=True,
            comment="service: book of the county that organized",
        ),
        sa.Column(
            "activity", sa.BigInteger(), nullable=True, comment="service: the activity in that book"
        ),
        sa.Column(
            "shift",
            sa.BigInteger(),
            nullable=True,
            comment="service: the shift in that book; null for imported history",
        ),
        sa.Column(
            "field",
            sa.SmallInteger(),
            nullable=True,
            comment="service: number of the service field",
        ),
        sa.Column(
            "place",
            sa.BigInteger(),
            nullable=True,
            comment="service: division code of where it was done",
        ),
        sa.Column(
            "reverses",
            sa.BigInteger(),
            nullable=True,
            comment="reversal: seq of the entry taken back",
        ),
        sa.CheckConstraint(
            "(assurance is null) = (measured is null) and (assurance is null) = (field is null) and (assurance is null) = (place is null)",
            name=op.f("ck_transfer_service"),
        ),
        sa.CheckConstraint(
            "(kind = 2) = (reverses is not null)", name=op.f("ck_transfer_reversal")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_transfer_amount")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_transfer_accounts")),
        sa.CheckConstraint("kind between 1 and 5", name=op.f("ck_transfer_kind")),
        sa.CheckConstraint("reverses < seq", name=op.f("ck_transfer_reverses_earlier")),
        sa.PrimaryKeyConstraint("book_id", "seq", name=op.f("pk_transfer")),
        comment="The journal: insert and select only.",
    )
    op.create_index("uq_transfer_book_id_key", "transfer", ["book_id", "key"], unique=True)
    op.create_index(
        "uq_transfer_book_id_reverses",
        "transfer",
        ["book_id", "reverses"],
        unique=True,
        postgresql_where=sa.text("reverses is not null"),
    )
    op.create_table(
        "unit",
        sa.Column(
            "id",
            sa.SmallInteger(),
            autoincrement=False,
            nullable=False,
            comment="1 minutes, 2 credits, 3 points, 4 fen; registered ones from 100",
        ),
        sa.Column(
            "code",
            sa.Text(),
            nullable=False,
            comment="stable name, such as minutes or honour:cn.stars:3",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("code", name=op.f("uq_unit_code")),
        comment="What an account can hold. Shared by all books.",
    )
    op.create_table(
        "volunteer",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False, comment="numbered from 1 within the book"),
        sa.Column("person_id", sa.Uuid(), nullable=True, comment="null after erasure"),
        sa.Column(
            "reference",
            sa.Text(),
            nullable=True,
            comment="number in the system that the record was imported from",
        ),
        sa.Column("minutes_account", sa.BigInteger(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the volunteer left this book",
        ),
        sa.Column(
            "registered_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when they first enrolled in another book; null: enrolled_at",
        ),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_volunteer")),
        sa.UniqueConstraint("book_id", "person_id", name=op.f("uq_volunteer_book_id_person_id")),
        sa.UniqueConstraint("book_id", "reference", name=op.f("uq_volunteer_book_id_reference")),
        comment="A registered person in the book of the county where they live.",
    )
    op.create_index("ix_volunteer_person_id", "volunteer", ["person_id"], unique=False)
    op.create_table(
        "volunteer_month",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column(
            "month",
            sa.Integer(),
            nullable=False,
            comment="year * 100 + month of effective_at in the book's zone",
        ),
        sa.Column("volunteer", sa.BigInteger(), nullable=False),
        sa.Column("assurance", sa.SmallInteger(), nullable=False),
        sa.Column("measured", sa.SmallInteger(), nullable=False),
        sa.Column(
            "minutes", sa.BigInteger(), nullable=False, comment="served, less what was reversed"
        ),
        sa.Column("services", sa.Integer(), nullable=False, comment="entries, less reversals"),
        sa.PrimaryKeyConstraint(
            "book_id",
            "month",
            "volunteer",
            "assurance",
            "measured",
            name=op.f("pk_volunteer_month"),
        ),
        comment="Roll-up of service entries by month, kept in the same commit; updated.",
    )
    op.create_table(
        "volunteer_year",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column(
            "year", sa.SmallInteger(), nullable=False, comment="of effective_at in the book's zone"
        ),
        sa.Column("volunteer", sa.BigInteger(), nullable=False),
        sa.Column("assurance", sa.SmallInteger(), nullable=False),
        sa.Column("measured", sa.SmallInteger(), nullable=False),
        sa.Column(
            "minutes", sa.BigInteger(), nullable=False, comment="served, less what was reversed"
        ),
        sa.Column("services", sa.Integer(), nullable=False, comment="entries, less reversals"),
        sa.PrimaryKeyConstraint(
            "book_id", "year", "volunteer", "assurance", "measured", name=op.f("pk_volunteer_year")
        ),
        comment="The months of volunteer_month summed, for reports by year; updated with them.",
    )
    op.create_table(
        "account",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False, comment="numbered from 1 within the book"),
        sa.Column("unit", sa.SmallInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.SmallInteger(),
            nullable=False,
            comment="1 issuing, 2 volunteer, 3 pool, 4 clearing, 5 receivable",
        ),
        sa.Column(
            "owner",
            sa.BigInteger(),
            nullable=False,
            comment="volunteer, pool, or the book cleared with; 0 for the book itself",
        ),
        sa.Column(
            "is_debit_bounded",
            sa.Boolean(),
            nullable=False,
            comment="debits must not exceed credits",
        ),
        sa.Column(
            "is_credit_bounded",
            sa.Boolean(),
            nullable=False,
            comment="credits must not exceed debits",
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind between 1 and 5", name=op.f("ck_account_kind")),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"], name=op.f("fk_account_book_id")),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name=op.f("fk_account_unit")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_account")),
        sa.UniqueConstraint(
            "book_id", "kind", "owner", "unit", name=op.f("uq_account_book_id_kind_owner_unit")
        ),
        comment="Holds one unit. Its balance is the newest account_state.",
    )
    op.create_table(
        "activity",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("field", sa.SmallInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, comment="what volunteers do"),
        sa.Column("address", sa.Text(), nullable=False, comment="where, in words"),
        sa.Column("region", sa.BigInteger(), nullable=False, comment="division where it is done"),
        sa.Column(
            "in_charge",
            sa.Text(),
            nullable=False,
            comment="person in charge, as the public may read it",
        ),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "is_listed",
            sa.Boolean(),
            nullable=False,
            comment="false for imported history: nobody can sign up",
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "organization_id"],
            ["organization.book_id", "organization.id"],
            name=op.f("fk_activity_book_id_organization_id"),
        ),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_activity")),
    )
    op.create_index(
        "ix_activity_book_id_organization_id",
        "activity",
        ["book_id", "organization_id"],
        unique=False,
    )
    op.create_table(
        "shift",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("activity_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "places", sa.Integer(), nullable=False, comment="how many volunteers can sign up"
        ),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "closed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the organizer closed it; no scan after that",
        ),
        sa.CheckConstraint("places > 0", name=op.f("ck_shift_places")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_shift_span")),
        sa.ForeignKeyConstraint(
            ["book_id", "activity_id"],
            ["activity.book_id", "activity.id"],
            name=op.f("fk_shift_book_id_activity_id"),
        ),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_shift")),
    )
    op.create_index(
        "ix_shift_book_id_activity_id", "shift", ["book_id", "activity_id"], unique=False
    )
    op.create_index("ix_shift_book_id_starts_at", "shift", ["book_id", "starts_at"], unique=False)
    _privileges()
