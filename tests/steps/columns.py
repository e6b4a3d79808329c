"""Steps that choose, name and order columns: DuckDB's `SELECT` with `EXCLUDE` and `RENAME` over a table of the same names."""
from cases import CONNECTION, Case, judge, quoted, some
from nasty import table


def columns_after(names, query):
    """What DuckDB makes of columns that are numbered by where they stand: names and places. Its names are not case-sensitive, so
    they are given as c0, c1 and so on."""
    selected = ", ".join(f"{at} AS c{at}" for at in range(len(names)))
    found = CONNECTION.execute(f"{query} (SELECT {selected})")
    return [column[0] for column in found.description], list(found.fetchone())


def taken(made, places):
    return [made.names[at] for at in places], [[row[at] for at in places] for row in made.rows]


def c(made, name):
    return f"c{made.names.index(name)}"


@judge("rename")
def rename(dice):
    made = table(dice)
    old = some(dice, made.names)
    new = old[1:] + old[:1] if len(old) > 1 and dice.random() < 0.4 else [f"new {at} “x” [y]" for at in range(len(old))]
    renames = ", ".join(f"{c(made, a)} AS {quoted(b)}" for a, b in zip(old, new))
    names, places = columns_after(made.names, f"SELECT * RENAME ({renames}) FROM ")
    names = [made.names[int(name[1:])] if name == f"c{at}" else name for at, name in enumerate(names)]
    options = dict(zip(old, new))
    return Case(made, options, names, taken(made, places)[1])


@judge("select")
def select(dice):
    made = table(dice)
    chosen = some(dice, made.names, 1, len(made.names))
    _, places = columns_after(made.names, f"SELECT {', '.join(c(made, name) for name in chosen)} FROM ")
    names, rows = taken(made, places)
    return Case(made, dice.choice([chosen, {"columns": chosen}]), names, rows)


@judge("drop")
def drop(dice):
    made = table(dice, wanted=["text", "integer"])
    chosen = some(dice, made.names, 1, len(made.names) - 1)
    _, places = columns_after(made.names, f"SELECT * EXCLUDE ({', '.join(c(made, name) for name in chosen)}) FROM ")
    names, rows = taken(made, places)
    return Case(made, dice.choice([chosen, {"columns": chosen}]), names, rows)


@judge("move")
def move(dice):
    made = table(dice, wanted=["text", "integer", "date"])
    chosen = some(dice, made.names, 1, len(made.names) - 1)
    moved = ", ".join(c(made, name) for name in chosen)
    others = [name for name in made.names if name not in chosen]
    to = dice.choice(["first", "last", "before", "after"])
    options = {"columns": chosen, "to": to}
    if to in ("before", "after"):
        options["column"] = dice.choice(others)
        cut = others.index(options["column"]) + (to == "after")
    else:
        cut = 0 if to == "first" else len(others)
    front, behind = (", ".join(c(made, name) for name in part) for part in (others[:cut], others[cut:]))
    _, places = columns_after(made.names, f"SELECT {', '.join(part for part in (front, moved, behind) if part)} FROM ")
    names, rows = taken(made, places)
    return Case(made, options, names, rows)


@judge("blank_columns")
def blank_columns(dice):
    made = table(dice, wanted=["blank", "text", dice.choice(["blank", "decimal"])])
    chosen = some(dice, made.names) if dice.random() < 0.5 else None
    blank = [at for at, name in enumerate(made.names) if all(row[at] is None for row in made.rows) and (chosen is None or name in chosen)]
    places = [at for at in range(len(made.names)) if at not in blank]
    names, rows = taken(made, places)
    return Case(made, {} if chosen is None else {"columns": chosen}, names, rows, refused=None if places else "All columns are blank; at least one must stay.")
