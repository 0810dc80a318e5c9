"""What services reach, stations with their counts, what volunteers are besides, and their training.

Lock: none; the tables are new.
Way back: drop the new tables; the release before this one never reads them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

APPEND_ONLY = ("reach", "station_figure")
CHANGING = ("profile", "residents_aged", "station", "training")


def upgrade() -> None:

    op.create_table(
        "profile",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False, comment="first local day"),
        sa.Column(
            "birth_year", sa.SmallInteger(), nullable=True, comment="null where nobody said it"
        ),
        sa.Column("is_party_member", sa.Boolean(), nullable=False),
        sa.Column("is_social_worker", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("birth_year between 1900 and 2100", name=op.f("ck_profile_birth_year")),
        sa.PrimaryKeyConstraint("book_id", "volunteer_id", "from_on", name=op.f("pk_profile")),
        comment="For counting by age and role, and for nothing else; deleted with the person.",
    )
    op.create_table(
        "reach",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.BigInteger(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False, comment="local day"),
        sa.Column("shift_id", sa.BigInteger(), nullable=False, comment="0: of the whole day"),
        sa.Column("number", sa.Integer(), nullable=False, comment="from 1; the newest one counts"),
        sa.Column("times", sa.Integer(), nullable=False, comment="how often it was done"),
        sa.Column(
            "people",
            sa.Integer(),
            nullable=True,
            comment="person-times served; null: nobody counted",
        ),
        sa.Column(
            "households",
            sa.Integer(),
            nullable=True,
            comment="household visits; null: nobody counted",
        ),
        sa.Column(
            "source", sa.Text(), nullable=False, comment="who counted, or the file it comes from"
        ),
        sa.Column(
            "recorded_by", sa.Uuid(), nullable=True, comment="null for the operator's command line"
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "times > 0 and people >= 0 and households >= 0", name=op.f("ck_reach_counts")
        ),
        sa.ForeignKeyConstraint(
            ["book_id", "activity_id"],
            ["activity.book_id", "activity.id"],
            name=op.f("fk_reach_book_id_activity_id"),
        ),
        sa.PrimaryKeyConstraint(
            "book_id", "activity_id", "held_on", "shift_id", "number", name=op.f("pk_reach")
        ),
        comment="What an activity reached on a day or in a shift. Counts only, and nobody's name.",
    )
    op.create_table(
        "residents_aged",
        sa.Column("region", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_age", sa.SmallInteger(), nullable=False),
        sa.Column("last_age", sa.SmallInteger(), nullable=False, comment="counts too"),
        sa.Column(
            "count", sa.BigInteger(), nullable=False, comment="people of these ages who live there"
        ),
        sa.Column(
            "is_estimate",
            sa.Boolean(),
            nullable=False,
            comment="derived from the source, not counted by it",
        ),
        sa.CheckConstraint(
            "0 <= first_age and first_age <= last_age", name=op.f("ck_residents_aged_ages")
        ),
        sa.CheckConstraint("count >= 0", name=op.f("ck_residents_aged_count")),
        sa.PrimaryKeyConstraint(
            "region", "as_of", "source", "first_age", "last_age", name=op.f("pk_residents_aged")
        ),
        comment="Dated populations of an age band with their source. Shared by all books.",
    )
    op.create_table(
        "station",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False, comment="numbered from 1 within the book"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False, comment="center, station, room"),
        sa.Column("region", sa.BigInteger(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False, comment="first local day"),
        sa.Column(
            "closed_on",
            sa.Date(),
            nullable=True,
            comment="first local day without it; null while it is open",
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("opened_on < closed_on", name=op.f("ck_station_days")),
        sa.PrimaryKeyConstraint("book_id", "id", name=op.f("pk_station")),
        sa.UniqueConstraint("book_id", "name", name=op.f("uq_station_book_id_name")),
        comment="Service centers of a county, stations of a town, rooms of a community.",
    )
    op.create_table(
        "station_figure",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("station_id", sa.BigInteger(), nullable=False, comment="number of a station"),
        sa.Column(
            "figure",
            sa.Text(),
            nullable=False,
            comment="workers, certified, people_in_need, people_served, volunteers, enterprises",
        ),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="from 1; the newest one counts"),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("count >= 0", name=op.f("ck_station_figure_count")),
        sa.ForeignKeyConstraint(
            ["book_id", "station_id"],
            ["station.book_id", "station.id"],
            name=op.f("fk_station_figure_book_id_station_id"),
        ),
        sa.PrimaryKeyConstraint(
            "book_id", "station_id", "figure", "as_of", "number", name=op.f("pk_station_figure")
        ),
        comment="Dated head counts of a station with their source. Nobody's name.",
    )
    op.create_table(
        "training",
        sa.Column("book_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.BigInteger(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False, comment="local day"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False, comment="who trained"),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("minutes between 1 and 1440", name=op.f("ck_training_minutes")),
        sa.PrimaryKeyConstraint(
            "book_id", "volunteer_id", "held_on", "title", name=op.f("pk_training")
        ),
        comment="Training that a volunteer had: recorded apart from service, and never added to it.",
    )

    for table in APPEND_ONLY:
        op.execute(f"grant select, insert on {table} to timebank_app")
    for table in CHANGING:
        op.execute(f"grant select, insert, update, delete on {table} to timebank_app")
