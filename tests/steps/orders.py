"""Steps that depend on the order of rows: DuckDB's ORDER BY, its ICU collations, and window functions."""
import datetime
import math
import re
from fractions import Fraction

from cases import Case, ask, fresh, give, is_blank, judge, key, replaced, some, typed
from nasty import table

DAY_ONE = datetime.datetime(1899, 12, 30)
# `ja`, `zh` and `ko` are left out: their orders of ideographs changed between versions of CLDR.
LOCALES = ["de", "sv", "da", "es", "en", "fr", "cs", "tr", "et", "lt", "pl", "hu", "hr", "is"]


def class_of(value):
    """Numbers and dates, then texts, then truths."""
    if value is None:
        return None
    return 3 if isinstance(value, bool) else 2 if isinstance(value, str) else 1


def number_of(value):
    """A number or date as a sheet counts it."""
    if isinstance(value, datetime.time):
        return (value.hour * 3600 + value.minute * 60 + value.second) / 86400
    if isinstance(value, datetime.date):
        moment = value if isinstance(value, datetime.datetime) else datetime.datetime.combine(value, datetime.time())
        gone = moment - DAY_ONE
        # 1900 has no 29 February, but in sheets.
        return gone.days - (moment < datetime.datetime(1900, 3, 1)) + gone.seconds / 86400
    return None if value is None or isinstance(value, str) else float(value) + 0.0


def natural(text):
    """Small letters, with digits that stand together as a number in place of its first digit."""
    parts = []
    for run in re.findall("[0-9]+|[^0-9]", text):
        parts += [(ord("0"), int(run))] if run[0] in "0123456789" else [(ord(c), 0) for c in run.lower()]
    return parts


def small(text):
    return "".join(c.lower() for c in text)


def sort_key(dice, made, at, name, locale):
    """A key of `sort`, what DuckDB sorts by in its place, and columns for that."""
    order, blanks, compare = dice.choice(["ascending", "descending"]), dice.choice(["first", "last"]), dice.choice(["exact", "ignore_case", "natural"])
    if locale:
        compare = "exact"
    given = {"column": name, **({"order": order} if dice.random() < 0.7 else {}), **({"blanks": blanks} if dice.random() < 0.5 else {}), **({"compare": compare} if compare != "exact" else {})}
    nulls = f"NULLS {given.get('blanks', 'last').upper()}"
    way = "DESC" if given.get("order") == "descending" else "ASC"
    values = made.column(name)
    texts = [value if isinstance(value, str) else None for value in values]
    of_text = ("VARCHAR", texts)
    if compare == "ignore_case":
        of_text = ("VARCHAR", [None if text is None else small(text) for text in texts])
    if compare == "natural":
        ranks = {text: rank for rank, text in enumerate(sorted({tuple(natural(text)) for text in texts if text is not None}))}
        of_text = ("BIGINT", [None if text is None else ranks[tuple(natural(text))] for text in texts])
    collated = f' COLLATE "{locale}"' if locale else ""
    columns = {f"c{at}": ("BIGINT", [class_of(value) for value in values]), f"n{at}": ("DOUBLE", [None if isinstance(value, str) else number_of(value) for value in values]), f"t{at}": of_text}
    return given, f"c{at} ASC {nulls}, n{at} {way} {nulls}, t{at}{collated} {way} {nulls}", columns


@judge("sort")
def sort(dice):
    made = table(dice, wanted=["text", "key", "decimal", "mixed"])
    # NUL ends a text for DuckDB's collations.
    locale = dice.choice(LOCALES) if dice.random() < 0.3 else None
    if locale:
        made = type(made)(made.names, [[value.replace("\0", "") if isinstance(value, str) else value for value in row] for row in made.written])
    keys, orders, columns = [], [], {}
    for at, name in enumerate(some(dice, made.names)):
        given, order, more = sort_key(dice, made, at, name, locale)
        keys.append(given if len(given) > 1 or dice.random() < 0.5 else name)
        orders.append(order)
        columns.update(more)
    give("t", columns)
    rows = [made.rows[found[0]] for found in ask(f"SELECT n FROM t ORDER BY {', '.join(orders)}, n")]
    return Case(made, {"by": keys, **({"locale": locale} if locale else {})}, made.names, rows)


def groups(dice, made):
    """The option `by`, DuckDB's columns for it, and the text of its PARTITION BY."""
    by = some(dice, made.names, 1, 2) if dice.random() < 0.6 else []
    columns = {f"k{at}": ("VARCHAR", [key(value) for value in made.column(name)]) for at, name in enumerate(by)}
    partition = f"PARTITION BY {', '.join(columns)}" if by else ""
    return ({"by": by} if by or dice.random() < 0.3 else {}), columns, partition


def target(dice, made):
    return dice.choice([fresh(dice, made.names), dice.choice(made.names)])


@judge("number_rows")
def number_rows(dice):
    made = table(dice, wanted=["key", "mixed"])
    by, columns, partition = groups(dice, made)
    start, name = dice.choice([None, 0, 1, 100, 10**12]), target(dice, made)
    give("t", {**columns, "one": ("BIGINT", [1] * len(made.rows))})
    found = ask(f"SELECT row_number() OVER ({partition} ORDER BY n) + {1 if start is None else start} - 1 FROM t ORDER BY n")
    names, rows = replaced(made, name, [value for value, in found])
    return Case(made, {"column": name, **by, **({} if start is None else {"start": start})}, names, rows)


def exact(numbers):
    """The sum of numbers rounded once (DuckDB's depends on the order of its threads, math.fsum gives up on the way)."""
    total = sum(map(Fraction, numbers), Fraction(0))
    try:
        return float(total)
    except OverflowError:
        return math.inf if total > 0 else -math.inf


@judge("running_total")
def running_total(dice):
    made = table(dice, wanted=["decimal", "money", "integer", "key"])
    by, columns, partition = groups(dice, made)
    of, name = dice.choice(made.of_kind("integer", "decimal", "blank")), target(dice, made)
    give("t", {**columns, "x": ("DOUBLE", made.column(of))})
    found = ask(f"SELECT list(x) OVER ({partition} ORDER BY n ROWS UNBOUNDED PRECEDING) FROM t ORDER BY n")
    totals = [exact([x for x in values or [] if x is not None]) for values, in found]
    names, rows = replaced(made, name, [finite(total) for total in totals])
    return Case(made, {"column": name, "of": of, **by}, names, rows)


def finite(number):
    """A number beyond the greatest one is an error in its cell, as a sheet has it."""
    return "#NUM!" if number is not None and not math.isfinite(number) else number


@judge("difference")
def difference(dice):
    made = table(dice, wanted=["decimal", "date", "datetime", "key"])
    by, columns, partition = groups(dice, made)
    of, name = dice.choice(made.of_kind("integer", "decimal", "date", "datetime", "blank")), target(dice, made)
    kind, values = typed(made, of)
    kind = "DOUBLE" if kind == "VARCHAR" else kind
    give("t", {**columns, "x": (kind, values)})
    above = f"lag(x) OVER ({partition} ORDER BY n)"
    gone = {"DOUBLE": f"x - {above}", "DATE": f"date_diff('day', {above}, x)", "TIMESTAMP": f"date_diff('millisecond', {above}, x) / 86400000.0::DOUBLE"}[kind]
    names, rows = replaced(made, name, [finite(value) for value, in ask(f"SELECT {gone} FROM t ORDER BY n")])
    return Case(made, {"column": name, "of": of, **by}, names, rows)


@judge("rank")
def rank(dice):
    made = table(dice, wanted=["decimal", "text", "key", "few"])
    by, columns, partition = groups(dice, made)
    of, name = dice.choice(made.names), target(dice, made)
    order, ties = dice.choice(["ascending", "descending", None]), dice.choice(["competition", "dense", None])
    # What shows nothing has no rank.
    values = [None if is_blank(value) else value for value in made.column(of)]
    give("t", {**columns, "c": ("BIGINT", [class_of(value) for value in values]), "x": ("DOUBLE", [None if isinstance(value, str) else number_of(value) for value in values]), "s": ("VARCHAR", [value if isinstance(value, str) else None for value in values])})
    function, way = "dense_rank" if ties == "dense" else "rank", "ASC" if order == "ascending" else "DESC"
    inside = f"{partition}, c IS NULL" if partition else "PARTITION BY c IS NULL"
    found = ask(f"SELECT CASE WHEN c IS NOT NULL THEN {function}() OVER ({inside} ORDER BY c, x {way}, s {way}) END FROM t ORDER BY n")
    names, rows = replaced(made, name, [value for value, in found])
    return Case(made, {"column": name, "of": of, **by, **({"order": order} if order else {}), **({"ties": ties} if ties else {})}, names, rows)
