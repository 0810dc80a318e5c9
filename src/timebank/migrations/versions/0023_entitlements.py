"""What becomes of grants, pools that pay for them, and partners that redeem them.

Lock: `account`, `transfer`, `appointment`, `profile` for a moment: the new checks hold for every old
row because they allow more, so they are not validated again; the column is empty.
Way back: drop the new tables, the column and what the application wrote of the new kinds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def _at(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _widen()
    _entitlements()
    _pools()
    _partners()
    op.execute("grant select, insert on grant_run, entitlement, entitlement_step to timebank_app")
    op.execute("grant select, insert, update on entitlement_state to timebank_app")
    op.execute(
        "grant select, insert, update on pool, catalog_item, partner, partner_try to timebank_app"
    )
    op.execute("grant select, insert on partner_item to timebank_app")


def _widen() -> None:
    # A looser check needs no look at the rows that met the tighter one.
    for table, last in (("account", 8), ("transfer", 15)):
        op.execute(f"alter table {table} drop constraint ck_{table}_kind")
        op.execute(
            f"alter table {table} add constraint ck_{table}_kind"
            f" check (kind between 1 and {last}) not valid"
        )
        op.execute(f"alter table {table} validate constraint ck_{table}_kind")
    for table, column, comment in (
        (
            "account",
            "kind",
            "1 issuing, 2 volunteer, 3 pool, 4 clearing, 5 receivable, 6 committed, 7 paid, 8 partner",
        ),
        (
            "account",
            "owner",
            "volunteer, pool, partner, or the book cleared with; 0 for the book itself",
        ),
        (
            "transfer",
            "kind",
            "1 service, 2 reversal, 3 grant, 4 adjustment, 5 carried, 6 budget, 7 commitment, 8 release, 9 payment, 10 use, 11 return, 12 expiry, 13 claw, 14 gift, 15 exchange",
        ),
        ("appointment", "book_id", "organizer, partner: book of the organization or shop"),
    ):
        op.execute(f"comment on column {table}.{column} is '{comment}'")
    op.execute(
        "comment on table profile is"
        " 'For counting by age and role, and for who may receive; deleted with the person.'"
    )
    op.add_column(
        "appointment",
        sa.Column(
            "partner_id", sa.BigInteger(), nullable=True, comment="partner: the shop, in the book"
        ),
    )


def _entitlements() -> None:
    op.create_table(
        "grant_run",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False, comment="numbered from 1 within the book"),
        sa.Column(
            "decided_on",
            sa.Date(),
            nullable=False,
            comment="local day whose rules and facts counted",
        ),
        sa.Column(
            "as_of", sa.BigInteger(), nullable=False, comment="entries 1 to as_of were known"
        ),
        sa.Column(
            "packs",
            sa.Text(),
            nullable=False,
            comment="hashes of all packs that were evaluated together, in order, one space between",
        ),
        sa.Column("people", sa.Integer(), nullable=False, comment="how many were evaluated"),
        _at("ran_at"),
        sa.Column(
            "person",
            sa.Uuid(),
            nullable=True,
            comment="who ran it; null for the operator's command line",
        ),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_grant_run")),
        comment="Each run of policies that found something due. Insert and select only.",
    )
    op.create_table(
        "entitlement",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False, comment="numbered from 1 within the book"),
        sa.Column("volunteer", sa.BigInteger(), nullable=False),
        sa.Column("pack", sa.Text(), nullable=False, comment="id of the pack"),
        sa.Column(
            "pack_hash",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of the pack's canonical form",
        ),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False, comment="0 for rules without tiers"),
        sa.Column(
            "period",
            sa.Text(),
            nullable=False,
            comment="the period key, such as lifetime or 2024",
        ),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="what else it is for, such as a certificate or a gift; empty for most",
        ),
        sa.Column("unit", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="in that unit; fen for money"),
        sa.Column("decided_on", sa.Date(), nullable=False, comment="local day of the decision"),
        sa.Column(
            "expires_on",
            sa.Date(),
            nullable=True,
            comment="last local day of use; null for life",
        ),
        sa.Column(
            "office",
            sa.Text(),
            nullable=False,
            comment="level that agrees: village, town, county, city, province",
        ),
        sa.Column("publicise_days", sa.SmallInteger(), nullable=False),
        sa.Column(
            "pool",
            sa.BigInteger(),
            nullable=True,
            comment="the pool that pays; null where nothing limits it",
        ),
        sa.Column("claw", sa.Text(), nullable=False, comment="none, unused, pro_rata, full"),
        sa.Column("grace_days", sa.SmallInteger(), nullable=False),
        sa.Column(
            "menu", sa.Text(), nullable=False, comment="its choose-one group; empty elsewhere"
        ),
        sa.Column(
            "run",
            sa.BigInteger(),
            nullable=True,
            comment="the run that found it due; null where none did",
        ),
        sa.Column("reasons", sa.Text(), nullable=False, comment="one reason per leaf, JSON"),
        _at("proposed_at"),
        sa.Column(
            "proposed_by",
            sa.Uuid(),
            nullable=True,
            comment="null for the operator's command line",
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_entitlement_amount")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_entitlement")),
        sa.UniqueConstraint(
            "book_id",
            "volunteer",
            "pack",
            "rule",
            "tier",
            "period",
            "source",
            name="uq_entitlement",
        ),
        comment="What a rule gave one person for one period, whatever its version. Insert and select.",
    )
    op.create_index("ix_entitlement_book_id_pack_rule", "entitlement", ["book_id", "pack", "rule"])
    op.create_table(
        "entitlement_step",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("entitlement", sa.BigInteger(), nullable=False),
        sa.Column(
            "number",
            sa.Integer(),
            nullable=False,
            comment="numbered from 1 within the entitlement",
        ),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="proposed, approved, issued, used, and so on",
        ),
        _at("at"),
        sa.Column("person", sa.Uuid(), nullable=True, comment="who did it; null for a program"),
        sa.Column(
            "seq",
            sa.BigInteger(),
            nullable=True,
            comment="the entry that moved the value; null where none did",
        ),
        sa.Column(
            "amount",
            sa.BigInteger(),
            nullable=True,
            comment="how much of it; null where none moved",
        ),
        sa.Column("use", sa.Integer(), nullable=True, comment="used: which use it was, from 1"),
        sa.Column(
            "partner",
            sa.BigInteger(),
            nullable=True,
            comment="used: by which partner it was redeemed",
        ),
        sa.Column(
            "until_on",
            sa.Date(),
            nullable=True,
            comment="publicised, questioned: the last day of it",
        ),
        sa.Column(
            "note", sa.Text(), nullable=False, comment="why, in somebody's words; may be empty"
        ),
        sa.PrimaryKeyConstraint(
            "book_id", "entitlement", "number", name=op.f("pk_entitlement_step")
        ),
        comment="Everything that happened to an entitlement, in order. Insert and select only.",
    )
    op.create_index("ix_entitlement_step_book_id_seq", "entitlement_step", ["book_id", "seq"])
    op.create_index(
        "uq_entitlement_step_use",
        "entitlement_step",
        ["book_id", "entitlement", "use"],
        unique=True,
        postgresql_where=sa.text("kind = 'used'"),
    )
    op.create_index(
        "ix_entitlement_step_book_id_partner_at",
        "entitlement_step",
        ["book_id", "partner", "at"],
        postgresql_where=sa.text("partner is not null"),
    )
    op.create_table(
        "entitlement_state",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("entitlement", sa.BigInteger(), nullable=False),
        sa.Column("volunteer", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="what its newest step made of it"),
        sa.Column("left", sa.BigInteger(), nullable=False, comment="what may still be used"),
        sa.Column("uses", sa.Integer(), nullable=False, comment="how often it was used"),
        sa.Column("steps", sa.Integer(), nullable=False, comment="number of its newest step"),
        sa.Column(
            "due_on",
            sa.Date(),
            nullable=True,
            comment="publicised, questioned: the last day of it",
        ),
        sa.Column(
            "expires_on",
            sa.Date(),
            nullable=True,
            comment="last local day of use; null for life",
        ),
        sa.CheckConstraint('"left" >= 0', name=op.f("ck_entitlement_state_left")),
        sa.PrimaryKeyConstraint("book_id", "entitlement", name=op.f("pk_entitlement_state")),
        comment="Where each entitlement stands; made of its steps, changed in the same commit.",
    )
    op.create_index(
        "ix_entitlement_state_book_id_volunteer", "entitlement_state", ["book_id", "volunteer"]
    )
    op.create_index(
        "ix_entitlement_state_book_id_state",
        "entitlement_state",
        ["book_id", "state", "expires_on"],
    )


def _pools() -> None:
    op.create_table(
        "pool",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column(
            "code",
            sa.Text(),
            nullable=False,
            comment="by which rules name it, such as star-fund-2026",
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="in Chinese"),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False, comment="whose budget it is"),
        sa.Column(
            "unit", sa.SmallInteger(), nullable=False, comment="what it holds: fen, or an item"
        ),
        sa.Column("when_out", sa.Text(), nullable=False, comment="refuse, queue, pro_rata, rank"),
        sa.Column("from_on", sa.Date(), nullable=False, comment="first local day"),
        sa.Column(
            "until_on", sa.Date(), nullable=True, comment="last local day; null without an end"
        ),
        _at("opened_at"),
        sa.Column(
            "opened_by",
            sa.Uuid(),
            nullable=True,
            comment="null for the operator's command line, and for a pack",
        ),
        sa.CheckConstraint("until_on >= from_on", name=op.f("ck_pool_days")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_pool")),
        sa.UniqueConstraint("book_id", "code", name=op.f("uq_pool_book_id_code")),
        comment="A budget or a stock; what it holds are bounded accounts of the ledger.",
    )
    op.create_table(
        "catalog_item",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column(
            "item",
            sa.Text(),
            nullable=False,
            comment="code of the unit, such as pass:haircut",
        ),
        sa.Column("title", sa.Text(), nullable=False, comment="in Chinese"),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column(
            "detail", sa.Text(), nullable=False, comment="in Chinese; where and how to use it"
        ),
        sa.Column("detail_en", sa.Text(), nullable=False),
        sa.Column("price_unit", sa.SmallInteger(), nullable=False, comment="2 credits, 3 points"),
        sa.Column("price", sa.BigInteger(), nullable=False, comment="for one, in that unit"),
        sa.Column(
            "valid_days",
            sa.SmallInteger(),
            nullable=False,
            comment="days of use after the exchange",
        ),
        sa.Column(
            "pool_id",
            sa.BigInteger(),
            nullable=True,
            comment="its stock; null: as many as are wanted",
        ),
        sa.Column("from_on", sa.Date(), nullable=False, comment="first local day"),
        sa.Column(
            "until_on", sa.Date(), nullable=True, comment="last local day; null without an end"
        ),
        _at("opened_at"),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("price > 0 and valid_days > 0", name=op.f("ck_catalog_item_price")),
        sa.CheckConstraint("price_unit in (2, 3)", name=op.f("ck_catalog_item_price_unit")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_catalog_item")),
        comment="What volunteers can have for their points or credits.",
    )


def _partners() -> None:
    op.create_table(
        "partner",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        _at("opened_at"),
        _at("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_partner")),
        sa.UniqueConstraint("book_id", "name", name=op.f("uq_partner_book_id_name")),
        comment="A shop or house that redeems vouchers.",
    )
    op.create_table(
        "partner_item",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False, comment="code of the unit, such as pass:film"),
        sa.Column("from_on", sa.Date(), nullable=False, comment="first local day"),
        sa.Column(
            "fen_each",
            sa.BigInteger(),
            nullable=True,
            comment="what the office pays for one; null: not taken",
        ),
        _at("recorded_at"),
        sa.CheckConstraint("fen_each >= 0", name=op.f("ck_partner_item_fen_each")),
        sa.PrimaryKeyConstraint(
            "book_id", "partner_id", "item", "from_on", name=op.f("pk_partner_item")
        ),
        comment="What a partner takes, and the price of each from which day. Insert and select only.",
    )
    op.create_table(
        "partner_try",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=False),
        _at("counted_from"),
        sa.Column(
            "tries",
            sa.SmallInteger(),
            nullable=False,
            comment="wrong digits since counted_from",
        ),
        sa.PrimaryKeyConstraint("book_id", "partner_id", name=op.f("pk_partner_try")),
    )
