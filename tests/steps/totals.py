"""Steps that make other rows of the rows: DuckDB's GROUP BY and UNION ALL. Sums are exact here, see `orders.exact`."""
import math

from cases import Case, ask, give, is_blank, judge, key, quoted, some
from nasty import kind_of, table, text_of
from orders import exact, finite


def middle(numbers):
    ordered = sorted(numbers)
    half = len(ordered) // 2
    return None if not ordered else ordered[half] if len(ordered) % 2 else mean(ordered[half - 1 : half + 1])


def mean(numbers):
    total = exact(numbers)
    if math.isfinite(total):
        return total / len(numbers) if numbers else None
    return exact([number / 2**64 for number in numbers]) / len(numbers) * 2.0**64


def grouped(made, by):
    """The places of the rows of each group, groups in the order of their first rows."""
    columns = {f"k{at}": ("VARCHAR", [key(value) for value in made.column(name)]) for at, name in enumerate(by)}
    give("t", {**columns, "one": ("BIGINT", [1] * len(made.rows))})
    group = f"GROUP BY {', '.join(columns)}" if by else ""
    return [places or [] for places, in ask(f"SELECT list(n ORDER BY n) FROM t {group} ORDER BY min(n)")]


def extreme(values, sign):
    """The least or greatest of the values of a column: texts character by character; DuckDB's min of BLOBs is that of bytes."""
    if not values:
        return None
    if isinstance(values[0], str):
        give("x", {"x": ("VARCHAR", values)})
        return ask(f"SELECT {sign}(x) FROM x")[0][0]
    return (min if sign == "min" else max)(values)


def total_of(dice, made):
    """A total as a recipe writes it, and a function of the places of a group's rows."""
    word = dice.choice(["count(*)", "count", "distinct", "sum", "share", "avg", "median", "min", "max", "first", "last"])
    if word == "count(*)":
        return word, len
    numbers = made.of_kind("integer", "decimal")
    name = dice.choice(numbers) if word in ("sum", "share", "avg", "median") and numbers else dice.choice(made.names)
    if word in ("sum", "share", "avg", "median") and not numbers:
        return "count(*)", len
    values = made.column(name)
    if word in ("min", "max") and made.kind(name) == "mixed":
        word = "last"  # what the least of several kinds is, is open
    filled = lambda places: [values[at] for at in places if values[at] is not None]
    column = quoted(name)
    return {
        "count": (f"count({column})", lambda places: len(filled(places))),
        "distinct": (f"count(distinct {column})", lambda places: len({key(value) for value in filled(places)})),
        "sum": (f"sum({column})", lambda places: finite(exact(filled(places))) if filled(places) else None),
        # A formula over totals that gives no number would reject its group: these are small.
        "share": (f"sum({column} * 0 + 1) / count(*)", lambda places: len(filled(places)) / len(places) if filled(places) else None),
        "avg": (f"avg({column})", lambda places: finite(mean(filled(places))) if filled(places) else None),
        "median": (f"median({column})", lambda places: middle(filled(places))),
        "min": (f"min({column})", lambda places: extreme(filled(places), "min")),
        "max": (f"max({column})", lambda places: extreme(filled(places), "max")),
        "first": (f"first({column})", lambda places: next(iter(filled(places)), None)),
        "last": (f"last({column})", lambda places: next(iter(reversed(filled(places))), None)),
    }[word]


@judge("group")
def group(dice):
    made = table(dice, wanted=["key", "few", "money", dice.choice(["decimal", "mixed"])])
    by = some(dice, made.names, 1, 2) if dice.random() < 0.8 else []
    totals = {f"total {at}": total_of(dice, made) for at in range(dice.randint(0 if by else 1, 3))}
    rows = []
    for places in grouped(made, by):
        own = [made.column(name)[places[0]] for name in by]
        rows.append(own + [of(places) for _, of in totals.values()])
    options = {**({"by": by} if by else {}), **({"totals": {name: text for name, (text, _) in totals.items()}} if totals else {})}
    return Case(made, options, by + list(totals), rows, fates={"aggregated": len(made.rows), "added": len(rows)})


@judge("pivot")
def pivot(dice):
    made = table(dice, wanted=["key", "few", "money"])
    names = dice.choice(made.names)
    values = dice.choice(made.of_kind("integer", "decimal") * 3 + made.names)
    adds = made.kind(values) in ("integer", "decimal", "blank")
    total = dice.choice(["sum", "count", "avg", "min", "max", "first", "last"] if adds else ["count", "min", "max", "first", "last"])
    by = some(dice, [name for name in made.names if name != names], 0, 2)
    # Names of a length that columns may have, and one at least.
    spare = {"integer": "1", "decimal": "1", "boolean": "TRUE"}.get(made.kind(names), "a")
    known = sorted({text for text in map(text_of, made.column(names)) if text is not None and text.strip() == text and len(text) < 200})
    chosen = [name for name in some(dice, known, 1, 4) if name not in by] or [spare]
    shown = [text_of(value) for value in made.column(names)]
    rejected = [at for at, name in enumerate(shown) if name not in chosen]
    cells = made.column(values)
    if total in ("min", "max", "first", "last") and made.kind(values) == "mixed":
        cells = [text_of(value) for value in cells]
    work = {
        "sum": lambda it: finite(exact(it)) if it else None,
        "count": len,
        "avg": lambda it: finite(mean(it)),
        "min": lambda it: extreme(it, "min"),
        "max": lambda it: extreme(it, "max"),
        "first": lambda it: it[0] if it else None,
        "last": lambda it: it[-1] if it else None,
    }[total]
    left = type(made)(made.names, [row for at, row in enumerate(made.rows) if at not in rejected])
    places_left = [at for at in range(len(made.rows)) if at not in rejected]
    rows = []
    for group in grouped(left, by):
        places = [places_left[at] for at in group]
        own = [made.column(name)[places[0]] for name in by]
        rows.append(own + [work([cells[at] for at in places if shown[at] == name and cells[at] is not None]) for name in chosen])
    options = {"rows": by, "names": names, "columns": chosen, "values": values, **({} if total == "sum" and dice.random() < 0.5 else {"total": total})}
    return Case(made, options, by + chosen, rows, rejected, {"aggregated": len(left.rows), "added": len(rows)})


@judge("unpivot")
def unpivot(dice):
    made = table(dice, wanted=["text", "integer", "decimal"])
    turned = some(dice, made.names, 1, len(made.names))
    keep = [name for name in made.names if name not in turned]
    by_columns = dice.random() < 0.6
    if not by_columns:
        keep = dice.sample(keep, len(keep))
        turned = [name for name in made.names if name not in keep]
    names, values = dice.choice([("column", "value"), ("Ü", 'v"w')])
    blanks = dice.choice([None, "keep", "leave_out"])
    # A row for each column, told apart by its place: DuckDB puts them in order, Python has the cells.
    give("t", {f"c{at}": ("BOOLEAN", [value is not None and not (blanks == "leave_out" and is_blank(value)) for value in made.column(name)]) for at, name in enumerate(turned)})
    each = " UNION ALL ".join(f"SELECT n, {at} AS place, c{at} AS filled FROM t" for at in range(len(turned)))
    wanted = "WHERE filled" if blanks == "leave_out" else ""
    found = ask(f"SELECT n, place FROM ({each}) {wanted} ORDER BY n, place")
    kind = kind_of_columns(made, turned)
    rows = []
    for n, at in found:
        cell = made.rows[n][made.names.index(turned[at])]
        rows.append([made.rows[n][made.names.index(name)] for name in keep] + [turned[at], widened(cell, kind)])
    options = {("columns" if by_columns else "keep"): turned if by_columns else keep, **({"names": names, "values": values} if names != "column" else {}), **({"blanks": blanks} if blanks else {})}
    return Case(made, options, keep + [names, values], rows)


def kind_of_columns(made, names):
    return kind_of([value for name in names for value in made.column(name)])


def widened(value, kind):
    """A day in a column of moments is its midnight."""
    import datetime

    if kind == "datetime" and value is not None and not isinstance(value, datetime.datetime):
        return datetime.datetime.combine(value, datetime.time())
    return value
