"""Comparison with Alembic: compares pairs of databases with it, and its differences with those of the engine.

Reads the pairs from a JSON file: `[{name, before, after, ours: [[kind, table], …]}, …]`. Prints a table. Fails if Alembic
finds a difference that the engine did not find, or misses one of a kind that it supports.
"""

import collections
import json
import sys

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, create_engine

# Kinds of difference that Alembic supports. Changes of primary keys and CHECKs are not among them.
SUPPORTED = [
    "add_table", "remove_table", "add_column", "remove_column", "modify_type", "modify_nullable", "modify_default",
    "add_index", "remove_index", "add_constraint", "remove_constraint", "add_fk", "remove_fk",
]


def url(text):
    if text.startswith("sqlite://"):
        return text.replace("sqlite://", "sqlite:///", 1)
    return text.replace("postgres://", "postgresql+psycopg://", 1)


def alembic(before, after):
    """Counts Alembic's operations by kind and table."""
    left, right = create_engine(url(before)), create_engine(url(after))
    target = MetaData()
    target.reflect(right)
    with left.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), target)
    left.dispose()
    right.dispose()
    kinds = collections.Counter()
    for change in found:
        # Alembic returns the changes of one column as a list.
        for operation in change if isinstance(change, list) else [change]:
            kinds[(operation[0], table_of(operation))] += 1
    return kinds


def table_of(operation):
    kind, subject = operation[0], operation[1]
    if kind.endswith("_table"):
        return subject.name
    if kind.endswith("_column") or kind.startswith("modify"):
        return operation[2]
    return subject.table.name


def within_whole_tables(kinds):
    """Removes indexes and keys of added and removed tables. Unique constraints count as indexes, as on SQLite."""
    whole = {table for kind, table in kinds if kind in ("add_table", "remove_table")}
    rest = {}
    for (kind, table), count in kinds.items():
        if kind.endswith("_table") or table not in whole:
            kind = kind.replace("_constraint", "_index")
            rest[(kind, table)] = rest.get((kind, table), 0) + count
    return rest


def main():
    pairs = json.load(open(sys.argv[1]))
    rows = collections.defaultdict(lambda: [0, 0, 0])
    mistakes = []
    for pair in pairs:
        backend = "SQLite" if pair["before"].startswith("sqlite") else "PostgreSQL"
        ours = within_whole_tables(collections.Counter(tuple(kind) for kind in pair["ours"]))
        theirs = within_whole_tables(alembic(pair["before"], pair["after"]))
        for key in sorted(set(ours) | set(theirs)):
            row = rows[(backend, key[0])]
            row[0] += ours.get(key, 0)
            row[1] += theirs.get(key, 0)
            row[2] += min(ours.get(key, 0), theirs.get(key, 0))
            if theirs.get(key, 0) > ours.get(key, 0):
                mistakes.append(f"{backend} {pair['name']}: only Alembic finds {key}")
            elif (
                ours.get(key, 0) > theirs.get(key, 0)
                and key[0] in SUPPORTED
                and not is_excused(backend, pair["name"], key[0])
            ):
                mistakes.append(f"{backend} {pair['name']}: Alembic does not find {key}")
    print(f"{'database':12}{'kind of difference':24}{'engine':>8}{'Alembic':>9}{'both':>6}")
    for (backend, kind), (engine, alembic_count, both) in sorted(rows.items()):
        print(f"{backend:12}{kind:24}{engine:>8}{alembic_count:>9}{both:>6}")
    print(f"{len(pairs)} pairs of schemas")
    for line in mistakes:
        print(line, file=sys.stderr)
    sys.exit(1 if mistakes else 0)


# Differences that Alembic does not find: it compares types by their SQLite affinity, which is the same here.
EXCUSED = {("SQLite", "timestamp_from_date"): ("modify_type",), ("SQLite", "longer_decimal"): ("modify_type",)}


def is_excused(backend, name, kind):
    return kind in EXCUSED.get((backend, name.removesuffix("_back")), ())


main()
