"""The functions of expressions, each as a formula of `compute` over columns a, b and c, against DuckDB's function of that meaning.

Python stands where DuckDB means something else: rounding by the digits that a number shows, capitals by Unicode's full mappings,
`reverse` by characters (DuckDB turns whole clusters), and what is rejected (DuckDB answers infinite numbers or stops).
"""
import datetime
import math
import pathlib
import re
import unicodedata
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext

from cases import Case, ask, give, typed
from nasty import VALUES, Table, text_of, value

REJECTED = object()
SOURCE = pathlib.Path(__file__).parents[2] / "engine/src/recipe/expression"

PROFILES = {
    **VALUES,
    "count": lambda dice: dice.choice([0, 1, 2, 3, 5, 10, 40, 40_000]),
    "any count": lambda dice: dice.choice([-40, -3, -1, 0, 1, 2, 3, 5]),
    "place": lambda dice: dice.choice([1, 2, 3, 5, 10]),
    "places": lambda dice: dice.choice([-4, -1, 0, 1, 2, 3, 8, 20]),
    "part": lambda dice: dice.choice(["a", "b", "x", "-", ",", ", ", " ", "é", "ab", "ß", "🦀", "\u0301", "."]),
    "small": lambda dice: dice.choice([0, 1, -1, 2, 0.5, -0.5, 3, 10, -2, 1.5, 100, 700, 1000]),
    "year": lambda dice: dice.choice([1899, 1900, 1904, 2000, 2023, 2024, 9999, 10_000, 0, 2024.5]),
    "month": lambda dice: dice.choice([0, 1, 2, 6, 12, 13]),
    "day": lambda dice: dice.choice([0, 1, 28, 29, 30, 31, 32]),
    "number text": lambda dice: dice.choice(["1", " 2.5 ", "-3", "+4", "1e3", "1E-3", ".5", "5.", "x", "1,5", "1 000", "NaN", "inf", "Infinity", "1e400", "0x10", "1_000", "--1", "٣", "\u00a05", "-", "e5", "1e", "00012", "9007199254740993"]),
    "day text": lambda dice: dice.choice(["2024-02-29", "2023-02-29", " 2024-01-31 ", "1899-12-31", "1900-01-01", "10000-01-01", "x", "31/01/2024", "2024-13-01", "2024-01-31 12:00:00", "24-01-31", "9999-12-31"]),
}


def shown_digits(number, places, rounding):
    """Cut or rounded at a decimal place, by the shortest digits that tell the number apart, as people see it."""
    with localcontext(prec=1000):
        return float(Decimal(repr(float(number))).quantize(Decimal(1).scaleb(-int(places)), rounding))


def half_up(number, places=0):
    return shown_digits(number, places, ROUND_HALF_UP)


def cut(number, places=0):
    return shown_digits(number, places, ROUND_DOWN)


def finite(work):
    def careful(*numbers):
        try:
            result = work(*numbers)
        except (ValueError, OverflowError, ZeroDivisionError):
            return REJECTED
        return REJECTED if isinstance(result, complex) or not math.isfinite(result) else result

    return careful


def number(text):
    found = re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text.strip())
    value = float(found[0]) if found else math.inf
    return value if math.isfinite(value) else REJECTED


def date_of(text):
    found = re.fullmatch("([0-9]{4})-([0-9]{2})-([0-9]{2})", text.strip())
    return date_of_parts(*map(int, found.groups())) if found else REJECTED


def date_of_parts(year, month, day):
    try:
        return datetime.date(int(year), int(month), int(day)) if float(year).is_integer() and 1900 <= year else REJECTED
    except ValueError:
        return REJECTED


def capitals(text):
    """Each run of letters, digits and the marks on them."""
    made, inside = [], False
    for c in text:
        begins = not inside and c.isalnum()
        inside = begins or inside and (c.isalnum() or unicodedata.category(c)[0] == "M")
        made.append([c] if begins or not made or not inside else made.pop() + [c])
    return "".join(word[0].upper() + "".join(word).lower()[len(word[0].lower()) :] if word[0].isalnum() else "".join(word) for word in made)


def number_of_any(value):
    """In a column of several kinds: a number, or a text that reads as one."""
    if isinstance(value, str):
        return number(value)
    return REJECTED if isinstance(value, (bool, datetime.date, datetime.time)) else value


def year_of_any(value):
    """In a column of several kinds: a date, or a text that is written as one."""
    day = date_of(value) if isinstance(value, str) else value
    return day.year if isinstance(day, datetime.date) else REJECTED


def near(ours, theirs):
    """Of functions that no two libraries round alike."""
    return math.isclose(ours, theirs, rel_tol=1e-14)


# Name: formulas, each with the profiles of a, b and c, and DuckDB's expression or a function of filled values.
FUNCTIONS = {
    "abs": [("abs(a)", ["decimal"], "abs(a)")],
    "ceil": [("ceil(a)", ["decimal"], "ceil(a)"), ("ceil(a)", ["integer"], "ceil(a)")],
    "floor": [("floor(a)", ["decimal"], "floor(a)")],
    "round": [("round(a)", ["decimal"], half_up), ("round(a, b)", ["decimal", "places"], half_up), ("round(a, b)", ["money", "places"], half_up)],
    "trunc": [("trunc(a)", ["decimal"], cut), ("trunc(a, b)", ["decimal", "places"], cut), ("trunc(a, b)", ["money", "places"], cut)],
    "mod": [("mod(a, b)", ["money", "small"], finite(math.fmod)), ("a % b", ["integer", "few"], finite(math.fmod))],
    "power": [("power(a, b)", ["small", "small"], finite(lambda a, b: float(a) ** b), near), ("power(a, 2)", ["decimal"], finite(lambda a: float(a) ** 2), near)],
    "sqrt": [("sqrt(a)", ["decimal"], finite(math.sqrt))],
    "exp": [("exp(a)", ["small"], finite(math.exp), near)],
    "ln": [("ln(a)", ["decimal"], finite(math.log), near)],
    "log10": [("log10(a)", ["decimal"], finite(math.log10), near)],
    "sign": [("sign(a)", ["decimal"], "sign(a)"), ("sign(a)", ["small"], "sign(a)")],
    "greatest": [("greatest(a, b, c)", ["decimal", "integer", "money"], "greatest(a, b, c)"), ("greatest(a, b)", ["date", "date"], "greatest(a, b)")],
    "least": [("least(a, b, c)", ["decimal", "integer", "money"], "least(a, b, c)"), ("least(a, b)", ["date", "date"], "least(a, b)")],
    "number": [("number(a)", ["number text"], number), ("number(a) * 2", ["integer"], "a * 2"), ("number(a)", ["boolean"], "a::INT"), ("number(a) + 1", ["mixed"], lambda a: REJECTED if number_of_any(a) is REJECTED else float(number_of_any(a)) + 1)],
    "upper": [("upper(a)", ["text"], str.upper)],
    "lower": [("lower(a)", ["text"], str.lower)],
    "initcap": [("initcap(a)", ["text"], capitals)],
    "trim": [("trim(a)", ["text"], "trim(a, ' ')")],
    "ltrim": [("ltrim(a)", ["text"], "ltrim(a, ' ')")],
    "rtrim": [("rtrim(a)", ["text"], "rtrim(a, ' ')")],
    "left": [("left(a, b)", ["text", "any count"], '"left"(a, b::BIGINT)')],
    "right": [("right(a, b)", ["text", "any count"], '"right"(a, b::BIGINT)')],
    "substr": [("substr(a, b)", ["text", "place"], "substr(a, b::BIGINT)"), ("substr(a, b, c)", ["text", "place", "count"], "substr(a, b::BIGINT, c::BIGINT)")],
    "split_part": [("split_part(a, b, c)", ["text", "part", "place"], "split_part(a, b, c::BIGINT)")],
    "replace": [("replace(a, b, c)", ["text", "part", "part"], "replace(a, b, c)"), ("replace(a, b, 'x')", ["key", "key"], "replace(a, b, 'x')")],
    "regexp_replace": [("regexp_replace(a, '[0-9]+', '#')", ["text"], "regexp_replace(a, '[0-9]+', '#', 'g')"), ("regexp_replace(a, '([a-z])([A-Z])?', '<$2$1>')", ["text"], "regexp_replace(a, '([a-z])([A-Z])?', '<\\2\\1>', 'g')")],
    "lpad": [("lpad(a, b, c)", ["text", "count", "part"], "lpad(a, CASE WHEN b > 32767 THEN 32767 ELSE b END::INT, c)"), ("lpad(a, b)", ["text", "count"], "lpad(a, CASE WHEN b > 32767 THEN 32767 ELSE b END::INT, ' ')")],
    "rpad": [("rpad(a, b, c)", ["text", "count", "part"], "rpad(a, CASE WHEN b > 32767 THEN 32767 ELSE b END::INT, c)"), ("rpad(a, b)", ["text", "count"], "rpad(a, CASE WHEN b > 32767 THEN 32767 ELSE b END::INT, ' ')")],
    "reverse": [("reverse(a)", ["text"], lambda text: text[::-1])],
    "concat": [("concat(a, b, '-', c)", ["text", "key", "text"], "concat(a, b, '-', c)"), ("a || b", ["text", "key"], "concat(a, b)")],
    "text": [("text(a)", [profile], text_of) for profile in ("integer", "decimal", "date", "datetime", "time", "boolean", "text")],
    "length": [("length(a)", ["text"], "length(a)"), ("length(a)", ["mixed"], lambda a: len(text_of(a)))],
    "strpos": [("strpos(a, b)", ["text", "part"], "strpos(a, b)")],
    "contains": [("contains(a, b)", ["text", "part"], "contains(a, b)")],
    "starts_with": [("starts_with(a, b)", ["text", "part"], "starts_with(a, b)")],
    "ends_with": [("ends_with(a, b)", ["text", "part"], "ends_with(a, b)")],
    "regexp_like": [("regexp_like(a, '^[A-Z]+-[0-9]+$')", ["text"], "regexp_matches(a, '^[A-Z]+-[0-9]+$')"), ("regexp_like(a, '[0-9]{2}|é')", ["text"], "regexp_matches(a, '[0-9]{2}|é')")],
    "date": [("date(a)", ["day text"], date_of), ("date(a, b, c)", ["year", "month", "day"], date_of_parts), ("date(a)", ["datetime"], "a::DATE")],
    "date_trunc": [(f"date_trunc('{unit}', a)", ["date"], f"date_trunc('{unit}', a)::DATE") for unit in ("year", "quarter", "month", "week", "day")] + [("date_trunc('month', a)", ["datetime"], "date_trunc('month', a)::DATE")],
    **{name: [(f"{name}(a)", [of], f"{name}(a)") for of in ("date", "datetime")] for name in ("quarter", "month", "week", "day")},
    "year": [("year(a)", [of], "year(a)") for of in ("date", "datetime")] + [("year(a)", ["mixed"], year_of_any)],
    "weekday": [("weekday(a)", [of], "isodow(a)") for of in ("date", "datetime")],
    **{name: [(f"{name}(a)", [of], f"{name}(a)") for of in ("time", "datetime")] for name in ("hour", "minute", "second")},
    "if": [("if(a > b, c, 'less')", ["few", "small", "key"], "CASE WHEN a > b THEN c ELSE 'less' END"), ("if(a = b, 1)", ["key", "key"], "CASE WHEN a = b THEN 1 END")],
    "coalesce": [("coalesce(a, b, 'none')", ["key", "text"], "coalesce(a, b, 'none')"), ("coalesce(a, b)", ["decimal", "integer"], "coalesce(a, b)")],
    "nullif": [("nullif(a, b)", ["key", "key"], "nullif(a, b)"), ("nullif(a, 2)", ["few"], "nullif(a, 2)")],
}


def any_value(dice, profile):
    return value(dice, profile) if profile == "mixed" else PROFILES[profile](dice)


def names():
    """The functions that expressions may call, as the program lists them."""
    listed = re.search(r"pub const NAMES: &\[&str\] = &\[(.*?)\];", (SOURCE / "functions.rs").read_text(encoding="utf-8"), re.S)
    return re.findall('"([a-z_0-9]+)"', listed[1])


def case(dice, name):
    formula, profiles, theirs, *same = dice.choice(FUNCTIONS[name])
    rows = []
    for _ in range(60):
        row = [None if dice.random() < 0.1 else any_value(dice, profile) for profile in profiles]
        # Some places past the limit of a cell are another matter: see the step pad.
        rows.append([len(rows) + 1] + [cell[:2000] if isinstance(cell, str) else cell for cell in row])
    made = Table(["id"] + ["a", "b", "c"][: len(profiles)], rows)
    cells = [made.column(column) for column in made.names[1:]]
    if isinstance(theirs, str):
        give("x", {column: typed(made, column) for column in made.names[1:]})
        results = [found[0] for found in ask(f"SELECT {theirs} FROM x ORDER BY n")]
    else:
        results = [None if any(cell is None for cell in row) else theirs(*row) for row in zip(*cells)]
    rejected = [at for at, result in enumerate(results) if result is REJECTED]
    rows = [row + [result if result != "" else None] for row, result in zip(made.rows, results) if result is not REJECTED]
    return Case(made, {"column": "out", "as": formula}, made.names + ["out"], rows, rejected, same=same[0] if same else None)
