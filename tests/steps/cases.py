"""What a case is, and what the judges of steps share: choosing options at random, and asking DuckDB."""
from dataclasses import dataclass, field

import duckdb
import duckdb_extensions

from nasty import Table, kind_of_value

# Unicode's White_Space (PropList.txt), and what looks like nothing.
WHITE = "\t\n\x0b\x0c\r \x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
BLANKS = WHITE + "\u200b\u200c\u200d\u2060\ufeff"

JUDGES = {}


@dataclass
class Case:
    """A table, a step's options, and what must come of it. `rejected` are places of rows in the table, `fates` counts of the ledger.
    `chooses` says of rows that a step chose at random what is wrong with the choice; `refused` is said where the step cannot be done;
    `same` compares numbers that no two libraries round alike;
    `listed` is the list of rejects as row, rule and severity; `further` is a second file of the command."""

    table: Table
    options: object
    names: list
    rows: list
    rejected: list = field(default_factory=list)
    fates: dict = field(default_factory=dict)
    others: dict = field(default_factory=dict)
    chooses: object = None
    refused: str = None
    same: object = None
    listed: list = None
    further: Table = None


def judge(name):
    """Registers a function that makes a case for a step from dice."""

    def register(make):
        JUDGES[name] = make
        return make

    return register


def is_blank(value):
    """There is nothing in it, or blanks only."""
    return value is None or isinstance(value, str) and value.strip(BLANKS) == ""


def some(dice, items, least=1, most=3):
    """Some of the items, in any order."""
    return dice.sample(items, min(len(items), dice.randint(least, most)))


def fresh(dice, names):
    """The name of a column that is not there."""
    return dice.choice([name for name in ("new", "Neu!", 'n"w', "a b", "ñ", "z[1]") if name not in names])


def options(dice, **chances):
    """Those of the options that fall: name=(chance, value)."""
    return {name: value for name, (chance, value) in chances.items() if dice.random() < chance}


def columns_or_all(dice, names):
    """The value of an option `columns` with the word `all`, and the columns that it stands for."""
    if dice.random() < 0.5:
        return dice.choice([{}, {"columns": "all"}]), list(names)
    chosen = some(dice, names)
    return {"columns": chosen}, chosen


def replaced(table, name, values):
    """The rows with other values in a column; one that is not there is added."""
    if name in table.names:
        at = table.names.index(name)
        return table.names, [row[:at] + [value] + row[at + 1 :] for row, value in zip(table.rows, values)]
    return table.names + [name], [row + [value] for row, value in zip(table.rows, values)]


def change_texts(table, names, change):
    """The rows with the texts of columns changed; a text of which nothing is left is a blank."""
    ats = [table.names.index(name) for name in names]
    rows = [list(row) for row in table.rows]
    for row in rows:
        for at in ats:
            if isinstance(row[at], str):
                row[at] = change(row[at]) or None
    return rows


def key(value):
    """A text that is equal for values that are alike: of one kind and equal."""
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"number {float(value) + 0.0!r}"
    return f"{kind_of_value(value)} {value}"


TYPES = {"integer": "DOUBLE", "decimal": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "datetime": "TIMESTAMP", "time": "TIME"}
CONNECTION = duckdb.connect()
duckdb_extensions.import_extension("icu")
CONNECTION.execute("LOAD icu; SET TimeZone = 'UTC'")


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def give(name, columns):
    """Makes a table in DuckDB of columns: name to (type, values); the place of each row is in `n`."""
    count = len(next(iter(columns.values()))[1]) if columns else 0
    selected = ", ".join(f"unnest(?::{of}[]) AS {quoted(column)}" for column, (of, _) in columns.items())
    values = [values for _, values in columns.values()]
    CONNECTION.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT unnest(range({count})) AS n, {selected}", values)


def typed(table, name):
    """A column for DuckDB: by its kind; cells of several kinds as texts that tell the kinds apart."""
    kind, values = table.kind(name), table.column(name)
    if kind in TYPES:
        return TYPES[kind], [float(value) + 0.0 if TYPES[kind] == "DOUBLE" and value is not None else value for value in values]
    return "VARCHAR", [key(value) for value in values] if kind == "mixed" else values


def give_table(table, name="t", names=None):
    """Columns c0, c1 and so on for the columns of a table."""
    give(name, {f"c{at}": typed(table, column) for at, column in enumerate(names or table.names)})


def ask(query, *parameters):
    return CONNECTION.execute(query, list(parameters)).fetchall()


def ask_texts(expression, values, *parameters):
    """An expression over `x`, for each text; an empty text is a blank."""
    give("x", {"x": ("VARCHAR", values)})
    return [found[0] or None for found in ask(f"SELECT {expression} FROM x ORDER BY n", *parameters)]
