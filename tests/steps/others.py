"""Steps that look at other tables: DuckDB's joins and unions, and its answer to the same query."""
import datetime

from cases import CONNECTION, TYPES, Case, ask, give, judge, key, quoted, some
from nasty import Table, table, text_of
from totals import widened

NUMBERS, DAYS = {"integer", "decimal"}, {"date", "datetime"}


def alike(ours, our, theirs, their):
    """Two columns in the form in which they are compared: numbers by value, moments by value, otherwise as they stand in a text."""
    kinds = {ours.kind(our), theirs.kind(their)}
    columns = ours.column(our), theirs.column(their)
    if kinds <= NUMBERS or len(kinds) == 1 and kinds != {"mixed"}:
        return tuple([key(value) for value in column] for column in columns)
    if kinds <= DAYS:
        return tuple([key(widened(value, "datetime")) for value in column] for column in columns)
    return tuple([text_of(value) for value in column] for column in columns)


def joined_kind(*kinds):
    """The kind that holds the cells of columns of these kinds."""
    kinds = {kind for kind in kinds if kind != "blank"}
    return "decimal" if kinds == NUMBERS else "datetime" if kinds == DAYS else kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "blank"


def free(names, wanted, other):
    """The name of a column that is added: with the other table's name behind it where it is taken."""
    name, number = wanted, 1
    while name in names:
        name = f"{wanted} ({other})" if number == 1 else f"{wanted} ({other} {number})"
        number += 1
    return name


def two(dice, wanted):
    """A table and another one, some of whose columns have the same names."""
    ours = table(dice, wanted=wanted)
    other = table(dice, wanted=wanted, ident=False)
    names = list(other.names)
    for at, name in enumerate(names):
        take = dice.choice(ours.names)
        if dice.random() < 0.5 and take not in names:
            names[at] = take
    return ours, Table(names, other.written)


def pairs(dice, ours, other):
    """The option of keys, and DuckDB's tables `a` and `b` with the keys k0, k1 and so on."""
    # Columns of few values, so that rows meet.
    mine = some(dice, [name for name in ours.names if len(set(map(str, ours.column(name)))) < 14] or ours.names, 1, 2)
    theirs = [dice.choice([name for name in other.names if other.kind(name) == ours.kind(name_of_ours)] or other.names) for name_of_ours in mine]
    if dice.random() < 0.2:
        theirs = [dice.choice(other.names) for _ in mine]
    columns = [alike(ours, our, other, their) for our, their in zip(mine, theirs)]
    give("a", {f"k{at}": ("VARCHAR", a) for at, (a, _) in enumerate(columns)})
    give("b", {f"k{at}": ("VARCHAR", b) for at, (_, b) in enumerate(columns)})
    on = " AND ".join(f"a.k{at} = b.k{at}" for at in range(len(mine)))
    given = mine if mine == theirs else dict(zip(mine, theirs))
    return given, list(zip(mine, theirs)), on


@judge("join")
def join(dice):
    ours, other = two(dice, ["key", "few", dice.choice(["date", "mixed", "integer"])])
    given, keys, on = pairs(dice, ours, other)
    kind = dice.choice(["left", "inner", "right", "full", "semi", "anti"])
    several = dice.choice(["all", "first", "reject"])
    chosen = some(dice, other.names) if dice.random() < 0.4 and kind not in ("semi", "anti") else None
    added = [] if kind in ("semi", "anti") else chosen or [name for name in other.names if name not in [their for _, their in keys]]
    found = ask(f"SELECT a.n, (SELECT coalesce(list(b.n ORDER BY b.n), []) FROM b WHERE {on}) FROM a ORDER BY a.n")
    names = list(ours.names)
    kinds = {our: joined_kind(ours.kind(our), other.kind(their)) for our, their in keys} if kind in ("right", "full") else {}
    for name in added:
        names.append(free(names, name, "other"))

    def row(n, m):
        theirs = [None if m is None else other.rows[m][other.names.index(name)] for name in added]
        if n is not None:
            return [widened(value, kinds.get(name)) for name, value in zip(ours.names, ours.rows[n])] + theirs
        # The first column of theirs that a key of ours takes in.
        own = {our: their for our, their in reversed(keys)}
        return [widened(other.rows[m][other.names.index(own[name])], kinds[name]) if name in own else None for name in ours.names] + theirs

    rows, rejected = [], []
    for n, places in found:
        if kind in ("semi", "anti"):
            rows += [list(ours.rows[n])] if bool(places) == (kind == "semi") else []
        elif len(places) > 1 and several == "reject":
            rejected.append(n)
        elif places:
            rows += [row(n, m) for m in (places if several == "all" else places[:1])]
        elif kind in ("left", "full"):
            rows.append(row(n, None))
    if kind in ("right", "full"):
        rows += [row(None, m) for m, in ask(f"SELECT b.n FROM b ANTI JOIN a ON {on} ORDER BY b.n")]
    options = {"with": "other", "on": given, "kind": kind, **({"columns": chosen} if chosen else {}), **({"several": several} if several != "all" or dice.random() < 0.5 else {})}
    return Case(ours, options, names, rows, rejected, others={"other": other})


@judge("append")
def append(dice):
    ours, other = two(dice, ["key", "decimal"])
    renamed = {}
    for name in some(dice, other.names, 0, 2):
        our = dice.choice(ours.names)
        if our not in renamed.values():
            renamed[name] = our
    taken = dict(renamed)
    for same in (lambda a, b: a == b, lambda a, b: a.strip().lower() == b.strip().lower()):
        for name in other.names:
            our = next((our for our in ours.names if our not in taken.values() and same(name, our)), None)
            if name not in taken and our is not None:
                taken[name] = our
    keep = dice.random() < 0.6
    names = list(ours.names)
    for name in other.names if keep else []:
        if name not in taken:
            taken[name] = free(names, name, "other")
            names.append(taken[name])
    source = "from" if dice.random() < 0.4 else None
    files = not renamed and dice.random() < 0.4
    # DuckDB puts columns together by name: places of cells in the two tables, by c0, c1 and so on.
    places = {name: f"c{at}" for at, name in enumerate(names)}
    select = lambda made, called: ", ".join(f"n * 1000 + {at} AS {places[called(name)]}" for at, name in enumerate(made.names) if called(name) in places)
    give("a", {"one": ("BIGINT", [1] * len(ours.rows))})
    give("b", {"one": ("BIGINT", [1] * len(other.rows))})
    every = ", ".join(f"NULL AS {place}" for place in places.values())
    cells = CONNECTION.execute(f"(SELECT {every}, NULL AS t, NULL AS n LIMIT 0) UNION ALL BY NAME SELECT {select(ours, str)}, 0 AS t, n FROM a UNION ALL BY NAME SELECT {select(other, taken.get) or '0 AS t'}, 1 AS t, n FROM b ORDER BY t, n").fetchall()
    kinds = {}
    for name in names:
        kinds[name] = joined_kind(*[made.kind(of) for made, called in ((ours, str), (other, taken.get)) for of in made.names if called(of) == name])
    rows = []
    for *found, t, _ in cells:
        made = (ours, other)[t]
        row = [None if place is None else made.rows[place // 1000][place % 1000] for place in found]
        rows.append([widened(value, kinds[name]) for name, value in zip(names, row)] + ([("ours.table", "other.table" if files else "other")[t]] if source else []))
    options = {**({} if files else {"with": "other"}), **({"columns": renamed} if renamed else {}), **({} if keep else {"others": "drop"}), **({"source": source} if source else {})}
    return Case(ours, options, names + ([source] if source else []), rows, others={} if files else {"other": other}, fates={} if files else {"added": len(other.rows)}, further=other if files else None)


@judge("compare")
def compare(dice):
    ours, other = two(dice, ["key", "few", "few"])
    if dice.random() < 0.5:
        # An older edition of the same table.
        written = [[value if dice.random() < 0.9 else dice.choice([None, "changed", 5]) for value in row] for row in ours.written if dice.random() < 0.8]
        other = Table(ours.names, written)
    given, keys, on = pairs(dice, ours, other)
    both = [name for name in ours.names if name in other.names and name not in [our for our, _ in keys] and name not in [their for _, their in keys]]
    chosen = some(dice, [name for name in ours.names if name in other.names and name not in [our for our, _ in keys]] or ["-"], 1, 2) if dice.random() < 0.3 else None
    chosen = None if chosen == ["-"] else chosen
    compared = chosen or both
    keep = [word for word in ("added", "removed", "changed", "same") if dice.random() < 0.6]
    wanted = keep or ["added", "removed", "changed"]
    found = ask(f"SELECT a.n, (SELECT coalesce(list(b.n ORDER BY b.n), []) FROM b WHERE {on}) FROM a ORDER BY a.n")
    filled = " AND ".join(f"k{at} IS NOT NULL" for at in range(len(keys)))
    again = {n for n, in ask(f"SELECT n FROM a WHERE {filled} QUALIFY row_number() OVER (PARTITION BY {', '.join(f'k{at}' for at in range(len(keys)))} ORDER BY n) > 1")}
    kinds = {our: joined_kind(ours.kind(our), other.kind(their)) for our, their in keys}
    sides = {name: alike(ours, name, other, name) for name in compared}
    names = []
    taken = list(ours.names)
    for name in ("change", "changed columns"):
        names.append(free(taken, name, "other"))
        taken.append(names[-1])
    for name in ours.names:
        names.append(name)
        if name in compared:
            names.append(free(taken, f"{name} (old)", "other"))
            taken.append(names[-1])

    def row(change, changed, n, m):
        cells = [change, ", ".join(changed) or None]
        own = {our: their for our, their in reversed(keys)}
        for at, name in enumerate(ours.names):
            if n is not None:
                cells.append(widened(ours.rows[n][at], kinds.get(name)))
            else:
                cells.append(widened(other.rows[m][other.names.index(own[name])], kinds[name]) if name in own else None)
            if name in compared:
                cells.append(None if m is None else other.rows[m][other.names.index(name)])
        return cells

    rows, rejected = [], []
    for n, places in found:
        m = places[0] if places else None
        if n in again or len(places) > 1:
            rejected.append(n)
            continue
        changed = [name for name in compared if m is not None and sides[name][0][n] != sides[name][1][m]]
        change = "added" if m is None else "changed" if changed else "same"
        if change in wanted:
            rows.append(row(change, changed, n, m))
    if "removed" in wanted:
        rows += [row("removed", [], None, m) for m, in ask(f"SELECT b.n FROM b ANTI JOIN a ON {on} ORDER BY b.n")]
    options = {"with": "other", "by": given, **({"columns": chosen} if chosen else {}), **({"keep": keep} if keep else {})}
    return Case(ours, options, names, rows, rejected, others={"other": other})


QUERIES = [
    "SELECT * FROM data",
    "SELECT {text}, {number} * 2 AS twice FROM data WHERE {number} > 2 OR {text} IS NULL",
    "SELECT {text} AS t, count(*) AS c, sum({quarter}) AS s, min({number}) AS a, max({date}) AS b, avg({quarter}) AS m FROM data GROUP BY {text}",
    "SELECT DISTINCT {text}, {few} FROM data",
    "SELECT {number}, {text}, {quarter} FROM data ORDER BY {number} DESC NULLS LAST, {text} NULLS FIRST, {quarter} LIMIT 7",
    "SELECT d.{few}, o.{text} AS other FROM data d JOIN other o ON d.{few} = o.{few}",
    "SELECT d.{few}, o.{text} AS other FROM data d LEFT JOIN other o ON d.{text} = o.{text} AND o.{few} > 1",
    "SELECT {few}, {text} FROM data UNION ALL SELECT {few}, {text} FROM other",
    "SELECT {few} FROM data INTERSECT SELECT {few} FROM other",
    "SELECT {text} FROM data EXCEPT SELECT {text} FROM other",
    "WITH big AS (SELECT {few} AS f, sum({quarter}) AS s FROM data GROUP BY {few}) SELECT f, s FROM big WHERE s > 0",
    "SELECT {text}, {few} FROM data WHERE {few} IN (SELECT {few} FROM other WHERE {text} IS NOT NULL)",
    "SELECT {few}, CASE WHEN {number} > 2 THEN 'more' WHEN {number} IS NULL THEN 'none' ELSE 'less' END AS size FROM data",
    "SELECT {few}, count(DISTINCT {text}) AS c FROM data GROUP BY {few} HAVING count(*) > 1",
    "SELECT coalesce({text}, 'none') || '-' || upper('x') AS t, abs({quarter}) AS a, length({text}) AS l FROM data",
    "SELECT {date}, {date} >= DATE '2000-01-01' AS late FROM data WHERE {date} BETWEEN DATE '1900-01-01' AND DATE '2024-12-31'",
    "SELECT {truth}, count(*) FILTER (WHERE {few} > 1) AS c FROM data GROUP BY {truth}",
    "SELECT {few}, {quarter} / nullif({few}, 2) AS d FROM data",
    "SELECT substr({text}, 2, 2) AS s, replace({text}, 'a', 'b') AS r, trim({text}) AS t FROM data",
    "SELECT {text} FROM data WHERE {text} LIKE '%a%' OR {text} IN ('x', 'ß')",
]


@judge("sql")
def sql(dice):
    """The same query by DuckDB. Sums are of quarters, which no order of adding changes."""

    def with_columns(rows):
        data = table(dice, wanted=["text", "integer", "few", "date", "boolean"], most=5, rows=rows, ident=False)
        columns = {"text": ["a", "A", "ß", "x", "é", "ab", " x ", None], "number": None, "few": [1, 2, 3, None], "date": None, "truth": [True, False, None]}
        made = []
        for row in data.written:
            made.append([dice.choice(columns["text"]), dice.choice([None, dice.randint(-5, 5), 2**31, -(2**40)]), dice.choice(columns["few"]), dice.choice([None, dice.randint(-400, 400) / 4]), dice.choice([None, datetime.date(1900, 3, 1), datetime.date(2000, 2, 29), datetime.date(2024, 12, 31)]), dice.choice(columns["truth"])])
        return Table(["Téxt x", "number", "few", "quarter", "date", "truth"], made)

    ours, other = with_columns(dice.choice([1, 3, 20, 60])), with_columns(dice.choice([1, 5, 20]))
    words = dict(zip(["text", "number", "few", "quarter", "date", "truth"], map(quoted, ours.names)))
    query = dice.choice(QUERIES).format(**words)
    for name, made in (("data", ours), ("other", other)):
        # Names are case-sensitive there and types as they were read.
        types = {column: {**TYPES, "integer": "BIGINT", "blank": "VARCHAR", "text": "VARCHAR"}[made.kind(column)] for column in made.names}
        give(name + "_n", {column: (types[column], made.column(column)) for column in made.names})
        ask(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * EXCLUDE (n) FROM (FROM {name}_n ORDER BY n)")
    blank = {ours.kind(name) for name in ours.names} | {other.kind(name) for name in other.names}
    if "blank" in blank:
        return sql(dice)  # a column of nothing has another type there
    plain = not any(word in query for word in ("JOIN", "GROUP", "DISTINCT", "UNION", "INTERSECT", "EXCEPT", "ORDER", " IN (SELECT"))
    found = CONNECTION.execute(query if plain or "ORDER" in query else f"FROM ({query}) ORDER BY ALL NULLS LAST")
    names = [column[0] for column in found.description]
    return Case(ours, query, names, [[None if value == "" else value for value in row] for row in found.fetchall()], others={"other": other} if "other" in query.replace("AS other", "") else {})
