#!/usr/bin/env python3
"""Squawk: compares what it finds in the SQL of generated migrations with their comments.

Usage: compare.py FOLDER. The folder has NAME.sql and NAME.comments, written by the test `round_trips` with GENERATED_SQL.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys

# What a comment says, by a phrase of it.
PHRASES = {
    "create it CONCURRENTLY": "index",
    "create a unique index CONCURRENTLY first": "unique",
    "add the key NOT VALID": "foreign key",
    "add the CHECK NOT VALID": "check",
    "while its rows are read": "not null",
    "rewritten with the new column": "new column",
    "rewritten with the new type": "type",
    "without a rewrite of the table": "type",
}

# What a finding is about. Squawk does not know the type of a column before: a longer text is a finding, too.
RULES = {
    "require-concurrent-index-creation": "index",
    "disallowed-unique-constraint": "unique",
    "adding-serial-primary-key-field": "unique",
    "adding-foreign-key-constraint": "foreign key",
    "adding-not-nullable-field": "not null",
    "adding-field-with-default": "new column",
    "changing-column-type": "type",
}


def findings(path):
    """The findings by what they are about, one for each statement."""
    command = ["node_modules/.bin/squawk", "--reporter", "Json", "--assume-in-transaction", str(path)]
    result = subprocess.run(command, cwd=pathlib.Path(__file__).parent, capture_output=True, text=True, check=False)
    found = set()
    lines = path.read_text().splitlines()
    for finding in json.loads(result.stdout):
        rule, line = finding["rule_name"], finding["line"]
        if rule == "adding-field-with-default" and re.search(r"DEFAULT [-+][0-9]", lines[line]):
            # A number with a sign is a constant, which PostgreSQL stores once.
            continue
        if rule in RULES:
            found.add((line, RULES[rule]))
        elif rule == "constraint-missing-not-valid" and re.search(r"\bCHECK\b", lines[line]):
            found.add((line, "check"))
        elif rule == "syntax-error":
            sys.exit(f"{path.name}: {finding}")
    return collections.Counter(kind for _, kind in found)


def main():
    folder = pathlib.Path(sys.argv[1])
    files = sorted(folder.glob("*.sql"))
    wrong, total = [], collections.Counter()
    for path in files:
        comments = path.with_suffix(".comments").read_text()
        said = collections.Counter({kind: 0 for kind in PHRASES.values()})
        for phrase, kind in PHRASES.items():
            said[kind] += comments.count(phrase)
        said, found = +said, findings(path)
        total += found
        if said != found:
            wrong.append(f"{path.name}: comments {dict(said)}, squawk {dict(found)}\n{path.read_text()}")
    print("\n".join(wrong))
    print(f"{len(files)} migrations, findings: {dict(total)}")
    if wrong or not total:
        sys.exit(1)


main()
