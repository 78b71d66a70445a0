"""Who is where in which journey, how they got there, and what happened that journeys listen for."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, SmallInteger, Table, Text, text

from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.schema.base import STATE
from aimwell.store.ledger.schema.inbox import SEQUENCE

_DUE = text("due_at IS NOT NULL")

cursor = Table(
    "cursor",
    STATE,
    Column("consumer", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)

lease = Table(
    "lease",
    STATE,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Instant, nullable=False),
)

happening = Table(
    "happening",
    STATE,
    Column("customer_id", Text, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("ref", Text, primary_key=True, comment="what it was, so that a repetition is not counted: a message id, …"),
    sqlite_with_rowid=False,
)

enrolment = Table(
    "enrolment",
    STATE,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("journey", Text, nullable=False),
    Column("version_id", Integer, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("cause", Text, nullable=False, comment="what let the customer in: event:ID, segment:NAME:SINCE, …"),
    Column("number", Integer, nullable=False, comment="1 for the customer's first enrolment in this journey, 2, …"),
    Column("entered_at", Instant, nullable=False),
    Column("state", Text, nullable=False, comment="active, finished, exited"),
    Column("reason", Text, comment="of an exit: goal, held_out, merged, stopped, an exit rule's name, …"),
    Column("ended_at", Instant),
    Column("goal_at", Instant, comment="when the goal was reached"),
    Column("held_out", Boolean, nullable=False, default=False),
    Column("node", Text, comment="where the customer is, or was last"),
    Column("visit", Integer, nullable=False, default=1, comment="how often at this node, counting this time"),
    Column("step", SmallInteger, nullable=False, default=1, comment="within a node that does several things"),
    Column("moves", Integer, nullable=False, default=0, comment="nodes left so far"),
    Column("at", Instant, nullable=False, comment="when the customer came to this node"),
    Column("timer_at", Instant, comment="when the node's own time is up; empty: it waits for an event alone"),
    Column("due_at", Instant, comment="when to look at this enrolment next; empty: when something happens"),
    Index(
        "ix_enrolment_due",
        "due_at",
        sqlite_where=_DUE,
        postgresql_where=_DUE,
    ),
    Index("ix_enrolment_customer", "customer_id", "journey"),
)

passage = Table(
    "passage",
    STATE,
    Column("enrolment_id", BigInteger, primary_key=True),
    Column("move", Integer, primary_key=True, comment="1 for the first node left, 2, …"),
    Column("node", Text, nullable=False),
    Column("visit", Integer, nullable=False),
    Column("arrived_at", Instant, nullable=False),
    Column("left_at", Instant, nullable=False),
    Column("port", Text, nullable=False),
    sqlite_with_rowid=False,
)

knock = Table(
    "knock",
    STATE,
    Column("id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("journey", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("cause", Text, nullable=False, comment="as in enrolment"),
    Column("at", Instant, nullable=False),
    Index("ix_knock_order", "at", "cause", "id"),
    sqlite_autoincrement=True,
)

refusal = Table(
    "refusal",
    STATE,
    Column("journey", Text, primary_key=True),
    Column("customer_id", Text, primary_key=True),
    Column("cause", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False, comment="already_in, entered_before, too_soon, paused, stopped"),
    Index("ix_refusal_customer", "customer_id"),
    sqlite_with_rowid=False,
)

task = Table(
    "task",
    STATE,
    Column("key", Text, primary_key=True, comment="as an intent's key"),
    Column("kind", Text, nullable=False, comment="lead or task"),
    Column("enrolment_id", BigInteger, nullable=False),
    Column("node", Text, nullable=False),
    Column("customer_id", Text, nullable=False, index=True),
    Column("journey", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("title", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("stage", Text, nullable=False, comment="open, taken, done, rejected"),
    Column("changed_at", Instant, nullable=False),
    Column("note", Text, nullable=False, default=""),
    Index("ix_task_enrolment", "enrolment_id", "node"),
)

task_stage = Table(
    "task_stage",
    STATE,
    Column("key", Text, primary_key=True, comment="the lead or task"),
    Column("number", SmallInteger, primary_key=True, comment="1 for the first change of its stage, 2, …"),
    Column("stage", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False, comment="the member or system that moved it on"),
    Column("note", Text, nullable=False, default=""),
    sqlite_with_rowid=False,
)

addition = Table(
    "addition",
    STATE,
    Column("key", Text, primary_key=True, comment="enrolment:node:visit:step of a score node: it adds once"),
    Column("customer_id", Text, nullable=False, index=True),
    Column("name", Text, nullable=False, comment="the value that it was added to"),
    Column("amount", Float, nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
