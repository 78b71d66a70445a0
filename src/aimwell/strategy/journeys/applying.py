"""Makes a definition an immutable version: its nodes, edges and signals as rows, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from types import MappingProxyType

from sqlalchemy import Connection, func, insert, select

from aimwell.core.keys import number_of
from aimwell.store.ledger.clocks import keep_clocks
from aimwell.store.ledger.schema.journeys import journey, journey_edge, journey_node, journey_version, listening
from aimwell.store.ledger.writes import insert_new, put
from aimwell.strategy.journeys.definition import Journey
from aimwell.strategy.journeys.version import Version, compile_version, listened_by, load_version


def written(definition: Journey, contents: Mapping[str, object] = MappingProxyType({})) -> str:
    """A definition with the contents that it sends, as canonical JSON: equal ones give equal texts.

    contents: by name, as plain values. Those that the journey does not send are left out.
    """
    sent = {name for node in definition.nodes.values() for name in node.implementation.contents(node.settings)}
    whole = {
        "journey": definition.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "contents": {name: content for name, content in contents.items() if name in sent},
    }
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(content: str) -> str:
    """A short digest by which two versions are told apart."""
    return blake2b(content.encode(), digest_size=16).hexdigest()


def apply_version(
    connection: Connection,
    definition: Journey,
    now: datetime,
    by: str,
    *,
    contents: Mapping[str, object] = MappingProxyType({}),
) -> Version:
    """Make this definition the version that new enrolments get; the same definition again changes nothing.

    Enrolments stay on the version with which they began, words included. A journey that is new starts running.
    contents: what it sends, by name, as plain values.
    """
    content = written(definition, contents)
    digest = digest_of(content)
    current = connection.execute(
        select(journey_version.c.id, journey_version.c.digest)
        .join(journey, journey.c.version_id == journey_version.c.id)
        .where(journey.c.name == definition.name)
    ).one_or_none()
    if current is not None and current.digest == digest:
        return load_version(connection, current.id)
    number = 1 + (
        connection.scalar(
            select(func.max(journey_version.c.number)).where(journey_version.c.journey == definition.name)
        )
        or 0
    )
    version = compile_version(definition, number_of("version", definition.name, str(number)) % 2**31, number)
    _write(connection, version, content, digest, now, by)
    return version


def _write(connection: Connection, version: Version, content: str, digest: str, now: datetime, by: str) -> None:
    definition = version.definition
    connection.execute(
        insert(journey_version).values(
            id=version.id,
            journey=version.journey,
            number=version.number,
            content=content,
            digest=digest,
            applied_at=now,
            applied_by=by,
        )
    )
    nodes = [
        {"version_id": version.id, "node": name, "kind": node.kind, "looped": version.places[name].looped}
        for name, node in definition.nodes.items()
    ]
    edges = [
        {"version_id": version.id, "node": name, "port": port, "target": target}
        for name, node in definition.nodes.items()
        for port, target in node.to.items()
    ]
    heard = [
        {"signal": signal, "version_id": version.id, "node": node}
        for node, signals in listened_by(version).items()
        for signal in sorted(signals)
    ]
    for table, rows in ((journey_node, nodes), (journey_edge, edges), (listening, heard)):
        insert_new(connection, table, rows)
    budget = None if definition.budget is None else round(definition.budget * 100)
    known = connection.scalar(select(journey.c.state).where(journey.c.name == version.journey))
    spent = connection.scalar(select(journey.c.spent).where(journey.c.name == version.journey)) or 0
    row = {
        "name": version.journey,
        "version_id": version.id,
        "state": known or "running",
        "changed_at": now,
        "spent": spent,
        "budget": budget,
    }
    put(connection, journey, [row])
    keep_clocks(connection, version.minutes, now)
    for node in definition.nodes.values():
        node.implementation.prepare(node.settings, connection)
