"""Write the first revision of the ledger's tables anew from `aimwell.store.ledger.schema`.

Usage: .venv/bin/python tools/migrations.py

Until the first release there is one revision per set of tables, made anew whenever a table changes. From then on the
first revision stays as it is and each change is a revision of its own (docs/ledger.md says how).
"""

from __future__ import annotations

import re
import subprocess
import sys
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import CreateTableOp, MigrateOperation, ModifyTableOps, UpgradeOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Table, create_engine

from aimwell.store.ledger import schema
from aimwell.store.ledger.columns import Instant
from aimwell.store.ledger.migrations.chain import EVENTS_CHAIN, STATE_CHAIN, Chain

COMMAND = ".venv/bin/python tools/migrations.py"

_REVISION = '''"""The first tables of the ledger's {name}. Made by tools/migrations.py."""

from __future__ import annotations

from aimwell.store.ledger.migrations.{name}.first import {parts}

revision = "{revision}"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, with its indexes."""
    for part in ({parts},):
        part.create()


def downgrade() -> None:
    """Remove every table."""
    for part in ({parts},):
        part.drop()
'''

_PART = '''"""Tables of the first revision that `schema.{part}` describes. Made by tools/migrations.py."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aimwell.store.ledger.columns import Instant


def create() -> None:
    """Make these tables, with their indexes."""
{calls}


def drop() -> None:
    """Remove these tables."""
    for table in {tables}:
        op.drop_table(table)


{functions}'''


def main() -> int:
    """Write the files of both chains, remove what is left of older ones, and name them."""
    for chain in (STATE_CHAIN, EVENTS_CHAIN):
        folder = chain.folders[0]
        written = first_revision(chain)
        (folder / "first").mkdir(exist_ok=True)
        for old in (folder / "first").glob("*.py"):
            if str(old.relative_to(folder)) not in written:
                old.unlink()
        for name, text in written.items():
            (folder / name).write_text(text, encoding="utf-8")
            print(folder / name)
    return 0


def first_revision(chain: Chain) -> dict[str, str]:
    """The files of the revision that makes all tables of a chain: their names in its folder, and their text."""
    made = _operations(chain)
    parts = {part: [name for name in names if name in made] for part, names in _described().items()}
    parts = {part: names for part, names in parts.items() if names}
    files = {
        f"first/{part}.py": _PART.format(
            part=part,
            calls="\n".join(f"    _make_{name}()" for name in names),
            tables=(*names,),
            functions="\n\n".join(f"def _make_{name}() -> None:\n{_rendered(made[name])}\n" for name in names),
        )
        for part, names in parts.items()
    }
    digest = blake2b("".join(files.values()).encode(), digest_size=4).hexdigest()
    files["first/__init__.py"] = (
        f'"""The tables of the first revision of the {chain.name}, by their place in the schema."""\n'
    )
    files["v0001_first.py"] = _REVISION.format(name=chain.name, revision=f"0001_{digest}", parts=", ".join(parts))
    return {name: _formatted(text) for name, text in files.items()}


def _described() -> dict[str, list[str]]:
    """The tables that each module of the schema describes."""
    modules = {name: import_module(f"{schema.__name__}.{name}") for _, name, _ in iter_modules(schema.__path__)}
    return {
        name: sorted(each.name for each in vars(module).values() if isinstance(each, Table))
        for name, module in modules.items()
    }


def _formatted(text: str) -> str:
    ruff = str(Path(sys.executable).with_name("ruff"))
    for words in (["check", "--fix", "--quiet", "--select", "F401,I"], ["format"]):
        command = [ruff, *words, "--stdin-filename", "tools/made.py", "-"]
        text = subprocess.run(command, input=text, text=True, capture_output=True, check=True).stdout
    return text


def _operations(chain: Chain) -> dict[str, list[MigrateOperation]]:
    """What Alembic would do to an empty database, by table."""
    made: dict[str, list[MigrateOperation]] = {}
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": chain.tables})
        found = produce_migrations(context, chain.tables).upgrade_ops
    for operation in found.ops if found else ():
        if isinstance(operation, CreateTableOp):
            made[operation.table_name] = [operation]
        elif isinstance(operation, ModifyTableOps):
            made[operation.table_name].extend(operation.ops)
    return made


def _rendered(operations: list[MigrateOperation]) -> str:
    code = render_python_code(UpgradeOps(ops=operations), render_item=_render)
    lines = [line for line in code.splitlines() if not line.strip().startswith("###") and "# ###" not in line]
    told = re.sub(r", comment=(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", "", "\n".join(lines))
    return "\n".join(f"    {line.strip()}" for line in told.splitlines())


def _render(kind: str, found: object, _context: AutogenContext) -> str | Literal[False]:
    """Our own types by their short name; everything else as Alembic has it."""
    return "Instant()" if kind == "type" and isinstance(found, Instant) else False


if __name__ == "__main__":
    sys.exit(main())
