"""The table of those who are being moved: a chunk of due enrolments, worked on in place, written back at the end."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, SmallInteger, Table, Text

from aimwell.store.ledger.columns import Instant

moving = Table(
    "moving",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("journey", Text, nullable=False),
    Column("version_id", Integer, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("zone", Text, comment="of the customer's clocks, where a node of the version looks at them"),
    Column("entered_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("ended_at", Instant),
    Column("goal_at", Instant),
    Column("node", Text, nullable=False),
    Column("visit", Integer, nullable=False, comment="0: has come to the node, and the node has not yet acted"),
    Column("step", SmallInteger, nullable=False),
    Column("moves", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("timer_at", Instant),
    Column("seen_at", Instant, comment="what the node looked for came true then"),
    Column("exit_at", Instant, comment="the earliest instant at which an exit rule held"),
    Column("exit_rule", Text),
    Column("port", Text, comment="the port by which the node will be left; ~ for its next step"),
    Column("leave_at", Instant),
    Column("settled", Boolean, nullable=False, comment="nothing more to do in this tick"),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",  # rows that were deleted one by one would be passed over by every later scan
)

AGAIN = "~"
"""In place of a port: the node goes on to its next step."""
