"""What an activity is, how old people are as far as it matters, and what they showed before serving.

Lock: `activity`, `person`, `training` for a moment; defaults are kept beside the rows, none rewritten.
Way back: drop the three tables and the five columns; nothing in the ledger refers to them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def _instant(
    name: str, *, nullable: bool = False, comment: str | None = None
) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, comment=comment)


def upgrade() -> None:
    op.add_column(
        "activity",
        sa.Column(
            "risks",
            sa.SmallInteger(),
            server_default="0",
            nullable=False,
            comment="1 dangerous, 2 foreign, 4 over a month, 8 large event, 16 outside the province, 32 rescue",
        ),
    )
    op.add_column(
        "person",
        sa.Column(
            "of_age_from",
            sa.Date(),
            nullable=True,
            comment="month after the eighteenth birthday; long ago for who said they are of age; null: not said",
        ),
    )
    op.create_table(
        "guardian_consent",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        _instant("recorded_at"),
        sa.Column(
            "guardian_sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="the guardian's name, encrypted",
        ),
        sa.Column(
            "phone_sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="and phone number, encrypted",
        ),
        sa.Column(
            "given_how", sa.Text(), nullable=False, comment="signed_form, in_person, by_phone"
        ),
        sa.Column("recorded_by", sa.Uuid(), nullable=False, comment="who saw or heard it"),
        _instant("ended_at", nullable=True, comment="when it was withdrawn"),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint(
            "book_id", "volunteer_id", "recorded_at", name=op.f("pk_guardian_consent")
        ),
        comment="That the guardian of a minor agrees to their service.",
    )
    op.create_table(
        "agreement",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column("activity_book", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.BigInteger(), nullable=False),
        _instant("agreed_at"),
        sa.Column("agreed_by", sa.Uuid(), nullable=False, comment="the volunteer, signed in"),
        sa.PrimaryKeyConstraint(
            "book_id", "volunteer_id", "activity_book", "activity_id", name=op.f("pk_agreement")
        ),
        comment="The written agreement that some activities need before service.",
    )
    op.create_table(
        "insurance",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False, comment="first day covered"),
        sa.Column("until_on", sa.Date(), nullable=False, comment="last day covered"),
        sa.Column(
            "number_sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="the policy's number, encrypted",
        ),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        _instant("recorded_at"),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_insurance")),
        comment="Accident insurance of a volunteer, as an organizer saw it.",
    )
    op.add_column(
        "training",
        sa.Column(
            "organization_book",
            sa.Integer(),
            nullable=True,
            comment="the organization that trained; null: a register's",
        ),
    )
    op.add_column("training", sa.Column("organization_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "training",
        sa.Column(
            "recorded_by", sa.Uuid(), nullable=True, comment="the organizer; null: a register's"
        ),
    )
    op.create_index(
        "ix_insurance_book_id_volunteer_id", "insurance", ["book_id", "volunteer_id"], unique=False
    )
    for noun in ("agreement", "guardian_consent", "insurance"):
        op.execute(f"grant select, insert, update, delete on {noun} to timebank_app")
