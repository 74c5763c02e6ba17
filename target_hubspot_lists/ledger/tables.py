"""The ledger's tables as statements see them; `migrations.py` makes them, and a test holds the two equal."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

metadata = MetaData()

# Every moment is in seconds since 1970, every day in days since 1970: small in SQLite, alike in Postgres.

contacts = Table(
    "ledger_contacts",
    metadata,
    Column("portal_id", BigInteger, primary_key=True),
    # By which HubSpot was asked: `email`, `hs_object_id`, or a unique property of the portal's own.
    Column("property", Text, primary_key=True),
    Column("value", Text, primary_key=True),  # trimmed; addresses in lower case
    # No index: contacts reported missing are rare enough for a scan (a third of a second for a million rows),
    # and an index would hold every value a second time.
    Column("record_id", BigInteger, nullable=False),
    Column("looked_up", BigInteger, nullable=False),
)

lists = Table(
    "ledger_lists",
    metadata,
    Column("list_key", BigInteger, primary_key=True),  # stands for portal and list in a million memberships
    Column("portal_id", BigInteger, nullable=False),
    Column("list_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("stream", Text, nullable=False),  # which filled it last
    Column("created_by_us", Boolean, nullable=False),
    Column("was_read", Boolean, nullable=False),
    # How many members it had before runs whose removals were held back; null: none are.
    Column("members_before_held_back", BigInteger, nullable=True),
)

# The streams besides `lists.stream` that fill a list; a hand-over to one stream deletes them.
list_streams = Table(
    "ledger_list_streams",
    metadata,
    Column("list_key", BigInteger, primary_key=True),
    Column("stream", Text, primary_key=True),
)

lists_to_be_made = Table(  # a run was about to create a list of that name, and noted no result yet
    "ledger_lists_to_be_made",
    metadata,
    Column("portal_id", BigInteger, primary_key=True),
    Column("list_name", Text, primary_key=True),  # casefolded: HubSpot ignores case
    Column("since", BigInteger, nullable=False),
)

cohorts = Table(  # several cohorts can go to one list
    "ledger_cohorts",
    metadata,
    Column("portal_id", BigInteger, primary_key=True),
    Column("cohort_key", Text, primary_key=True),
    Column("list_key", BigInteger, nullable=False),
    Column("name", Text, nullable=True),  # of the cohort when its list was last named after it
)

memberships = Table(
    "ledger_memberships",
    metadata,
    Column("list_key", BigInteger, primary_key=True),
    Column("record_id", BigInteger, primary_key=True),
    Column("state", SmallInteger, nullable=False),  # the bits of `members.py`
    Column("day", Integer, nullable=False),  # of the last change; those who left are forgotten by it
)

property_hashes = Table(
    "ledger_property_hashes",
    metadata,
    Column("portal_id", BigInteger, primary_key=True),
    Column("record_id", BigInteger, primary_key=True),
    Column("hashes", LargeBinary, nullable=False),  # as `property_memory.py` packs them
    Column("day", Integer, nullable=False),
)

mailability = Table(  # whether HubSpot mails a contact, as it said when the contact was looked up
    "ledger_mailability",
    metadata,
    Column("portal_id", BigInteger, primary_key=True),
    Column("record_id", BigInteger, primary_key=True),
    Column("mailability", Text, nullable=False),
    Column("looked_up", BigInteger, nullable=False),
)

kept_adds = Table(  # adds that did not apply, and are tried again
    "ledger_kept_adds",
    metadata,
    Column("portal_id", BigInteger, primary_key=True),
    Column("list_id", Text, primary_key=True),
    Column("matched_by", Text, primary_key=True),  # the match settings: what `member` is
    Column("member", Text, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("cohort_key", Text, nullable=False),
    Column("cohort_name", Text, nullable=False),
    Column("word", BigInteger, nullable=False),  # sequence number: larger than that of every word before it
    Column("kept", BigInteger, nullable=False),
    Column("tried", BigInteger, nullable=False),  # when last; 0: not yet
)

removals = (
    Table(  # from lists of which adds are kept, since then: one of another identifier may replace an add
        "ledger_removals",
        metadata,
        Column("portal_id", BigInteger, primary_key=True),
        Column("list_id", Text, primary_key=True),
        Column("matched_by", Text, primary_key=True),
        Column("member", Text, primary_key=True),
        Column("record_id", BigInteger, nullable=True),  # null: HubSpot knew no contact
        Column("word", BigInteger, nullable=False),
    )
)

runs = Table(
    "ledger_runs",
    metadata,
    Column("portal_id", BigInteger, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("list_id", Text, primary_key=True),
    Column("stream", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("outcomes", Text, nullable=False),  # JSON: how many by outcome
    Column("is_complete", Boolean, nullable=False),  # else the run broke off
)

locks = Table(
    "ledger_locks",
    metadata,
    Column("portal_id", BigInteger, primary_key=True),
    Column(
        "list_name", Text, primary_key=True
    ),  # casefolded, since HubSpot ignores case; or an id: see `locks.py`
    Column("run_id", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("process_id", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
)

schema = Table("ledger_schema", metadata, Column("version", Integer, primary_key=True))
