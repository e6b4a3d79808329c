"""Steps that make values: DuckDB's expressions and casts where it reads texts as strictly; for numbers as people write them,
serials of dates, and words for true, Python by what the guide says."""
import datetime
import re

from cases import WHITE, Case, ask, fresh, give, give_table, is_blank, judge, quoted, replaced, some
from conditions import condition
from nasty import table, text_of
from orders import DAY_ONE, number_of


@judge("compute")
def compute(dice):
    made = table(dice, wanted=["money", "few", "key", "date"])
    name = dice.choice([fresh(dice, made.names), dice.choice(made.names)])
    numbers, texts, days = made.of_kind("integer", "decimal"), made.of_kind("text"), made.of_kind("date")
    column = lambda names: (lambda name: (quoted(name), f"c{made.names.index(name)}"))(dice.choice(names))
    choices = [condition(dice, made)]
    if numbers:
        (a, x), (b, y) = column(numbers), column(numbers)
        choices += [(f"{a} {sign} {b}", f"{x} {sign} {y}") for sign in "+-*"] + [(f"{a} / {b}", f"{x} / {y}"), (f"{a} % {b}", f"{x} % {y}"), (f"({a} + 1) * 0.1 - -{b}", f"({x} + 1::DOUBLE) * 0.1::DOUBLE - (-{y})")]
    if texts:
        (a, x), (b, y) = column(texts), column(texts)
        choices += [(f"{a} || '-' || {b}", f"concat({x}, '-', {y})"), (f"coalesce({a}, {b}, 'ß')", f"coalesce({x}, {y}, 'ß')"), (f"if({a} = {b}, 'same', {a})", f"CASE WHEN {x} = {y} THEN 'same' ELSE {x} END")]
    if days:
        (a, x), (b, y) = column(days), column(days)
        choices += [(f"{a} - {b}", f"date_diff('day', {y}, {x})"), (f"{a} + 1", f"({x} + INTERVAL 1 DAY)::DATE"), (f"case when {a} > {b} then year({a}) end", f"CASE WHEN {x} > {y} THEN year({x}) END")]
    ours, theirs = dice.choice(choices)
    if dice.random() < 0.1:
        copied = dice.choice(made.names)
        names, rows = replaced(made, name, made.column(copied))
        return Case(made, {"column": name, "as": quoted(copied)}, names, rows)
    give_table(made)
    values = [value for value, in ask(f"SELECT {theirs} FROM t ORDER BY n")]
    rejected = []
    if " / " in ours or " % " in ours:
        rejected = [n for n, in ask(f"SELECT n FROM t WHERE {y} = 0 AND {x} IS NOT NULL ORDER BY n")] if "then" not in ours and ours.startswith(a) else []
    lost = [at for at, value in enumerate(values) if isinstance(value, float) and (value != value or abs(value) == float("inf")) and at not in rejected]
    if "+ INTERVAL" in theirs and ours == f"{a} + 1":
        lost += [n for n, in ask(f"SELECT n FROM t WHERE {x} = DATE '9999-12-31'")]  # the last day of the calendar
    rejected = sorted(rejected + lost)
    names, rows = replaced(made, name, [None if value == "" else value for value in values])
    return Case(made, {"column": name, "as": ours}, names, [row for at, row in enumerate(rows) if at not in rejected], rejected)


def number_of_text(text, decimal):
    """A sign, digits that may be grouped by three, a fraction, an exponent."""
    mark, groups = (".", "[, \u00a0\u202f'’]") if decimal == "." else (",", "[. \u00a0\u202f'’]")
    whole = f"(?:[0-9]+|[0-9]{{1,3}}(?P<g>{groups})[0-9]{{3}}(?:(?P=g)[0-9]{{3}})*)"
    shape = re.fullmatch(f"(?P<sign>[+−-]?)(?P<whole>{whole}?)(?:{re.escape(mark)}(?P<fraction>[0-9]*))?(?P<exponent>[eE][+-]?[0-9]+)?", text.strip(WHITE))
    if not shape or not shape["whole"] and not shape["fraction"]:
        return None
    number = float(f"{re.sub('[^0-9]', '', shape['whole']) or '0'}.{shape['fraction'] or '0'}{shape['exponent'] or ''}")
    return None if number == float("inf") else -number if shape["sign"] in ("-", "−") else number


def day_of(serial):
    """The day that a sheet counts as this number: 1 is the first of January 1900, and 60 a day that never was."""
    whole = int(serial // 1)
    if not 1 <= whole <= 2_958_465 or whole == 60:
        return None
    return (DAY_ONE + datetime.timedelta(whole + (whole < 60))).date()


def moment_of(serial):
    if abs(serial) > 3_000_000:
        return None
    ms = round(serial * 86_400_000)
    day = day_of(ms // 86_400_000)
    return day and datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(milliseconds=ms % 86_400_000)


def time_of(serial):
    if not 0 <= serial < 2_958_466:
        return None
    ms = round(serial % 1 * 86_400_000) % 86_400_000
    return (datetime.datetime(2000, 1, 1) + datetime.timedelta(milliseconds=ms)).time()


FORMATS = {"date": [[], ["%d/%m/%Y"], ["%d.%m.%Y", "%Y-%m-%d"], ["%m/%d/%Y"]], "datetime": [[], ["%Y-%m-%dT%H:%M"], ["%d/%m/%Y"]], "time": [[], ["%H:%M"], ["%H:%M:%S"]]}
SHAPES = {"%d": "(?P<d>[0-9]{1,2})", "%m": "(?P<m>[0-9]{1,2})", "%Y": "(?P<Y>[0-9]{4})", "%H": "(?P<H>[0-9]{1,2})", "%M": "(?P<M>[0-9]{1,2})", "%S": "(?P<S>[0-9]{1,2})"}
USUAL = {"date": ["%Y-%m-%d"], "datetime": ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"], "time": ["%H:%M:%S", "%H:%M"]}


def moment_of_text(text, to, formats):
    for format in formats or USUAL[to]:
        shape = re.escape(format)
        for sign, of in SHAPES.items():
            shape = shape.replace(re.escape(sign), of)
        found = re.fullmatch(shape, text.strip(WHITE))
        if not found:
            continue
        part = {name: int(value) for name, value in found.groupdict().items()}
        try:
            day = datetime.date(part.get("Y", 2000), part.get("m", 1), part.get("d", 1))
            clock = datetime.time(part.get("H", 0), part.get("M", 0), part.get("S", 0))
        except ValueError:
            continue
        if 1900 <= day.year <= 9999:
            return {"date": day, "time": clock, "datetime": datetime.datetime.combine(day, clock)}[to]
    return None


def converted(value, to, formats, decimal):
    """The value, or None where it is not of the type."""
    if to == "text":
        return text_of(value)
    if to in ("integer", "decimal"):
        number = number_of_text(value, decimal) if isinstance(value, str) else number_of(value)
        whole = number is not None and number.is_integer() and abs(number) <= 2**53
        return number if to == "decimal" or whole else None
    if to == "boolean":
        if isinstance(value, str):
            word = value.strip(WHITE).lower()
            return True if word in ("true", "yes", "y", "on", "1", "t") else False if word in ("false", "no", "n", "off", "0", "f") else None
        return bool(value) if isinstance(value, (bool, int, float)) and value in (0, 1) else None
    if isinstance(value, str):
        return moment_of_text(value, to, formats)
    if isinstance(value, bool) or isinstance(value, datetime.time) and to != "time":
        return None
    if to == "time":
        if isinstance(value, datetime.time):
            return value
        return value.time() if isinstance(value, datetime.datetime) else None if isinstance(value, datetime.date) else time_of(value)
    if isinstance(value, datetime.datetime):
        return value if to == "datetime" else value.date()
    if isinstance(value, datetime.date):
        return value if to == "date" else datetime.datetime.combine(value, datetime.time())
    return day_of(value) if to == "date" else moment_of(value)


@judge("convert")
def convert(dice):
    made = table(dice, wanted=["text", "mixed", "integer", "decimal", "datetime"])
    column, to = dice.choice(made.names), dice.choice(["integer", "decimal", "date", "datetime", "time", "boolean", "text"])
    formats = dice.choice(FORMATS.get(to, [[]]))
    decimal, otherwise = dice.choice([".", ","]), dice.choice(["reject", "blank", "keep", "reject", "fail"])
    values = made.column(column)
    new = [None if value is None else converted(value, to, formats, decimal) for value in values]
    failed = [at for at, value in enumerate(values) if value is not None and new[at] is None]
    rejected = failed if otherwise == "reject" else []
    if otherwise == "keep":
        new = [values[at] if at in failed else value for at, value in enumerate(new)]
    names, rows = replaced(made, column, new)
    rows = [row for at, row in enumerate(rows) if at not in rejected]
    return Case(made, {"column": column, "to": to, **({"formats": formats} if formats else {}), "decimal": decimal, "otherwise": otherwise}, names, rows, rejected, refused=" is not " if failed and otherwise == "fail" else None)


VALUES = {
    "text": [("ß", "ß"), (" 5 ", " 5 "), ("x", "x")],
    "integer": [("0", 0), ("-7", -7), ("0.5", 0.5), ("9007199254740993", 9007199254740992), ("1e3", 1000)],
    "decimal": [("0", 0), ("-0.25", -0.25), ("1e300", 1e300)],
    "boolean": [("true", True), ("FALSE", False)],
    "date": [("2024-02-29", datetime.date(2024, 2, 29))],
    "datetime": [("2024-02-29 12:30", datetime.datetime(2024, 2, 29, 12, 30)), ("2024-02-29", datetime.datetime(2024, 2, 29))],
    "time": [("12:30", datetime.time(12, 30)), ("01:02:03", datetime.time(1, 2, 3))],
    "mixed": [("5", 5), ("x", "x"), ("05", 5)],
    "blank": [("5", 5), ("x", "x"), ("2024-02-29", datetime.date(2024, 2, 29))],
}


@judge("fill")
def fill(dice):
    made = table(dice, wanted=["text", "key", "integer", "mixed"])
    if made.rows:
        made = type(made)(made.names, [[value if dice.random() < 0.6 else dice.choice([None, " ", "\u00a0", None]) if isinstance(value, str) else None for value in row] for row in made.written])
    direction = dice.choice(["down", "up", "value", None])
    rows = [list(row) for row in made.rows]
    if direction == "value":
        name = dice.choice(made.names)
        text, value = dice.choice(VALUES[made.kind(name)])
        _, rows = replaced(made, name, [value if is_blank(cell) else cell for cell in made.column(name)])
        return Case(made, {"columns": [name], **dice.choice([{}, {"direction": "value"}]), "value": text}, made.names, rows)
    names = some(dice, made.names)
    frame = "last_value({0} IGNORE NULLS) OVER (ORDER BY n ROWS UNBOUNDED PRECEDING)" if direction != "up" else "first_value({0} IGNORE NULLS) OVER (ORDER BY n ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"
    give("t", {f"c{at}": ("BIGINT", [None if is_blank(value) else place for place, value in enumerate(made.column(name))]) for at, name in enumerate(names)})
    for row, places in zip(rows, ask(f"SELECT {', '.join(frame.format(f'c{at}') for at in range(len(names)))} FROM t ORDER BY n")):
        for name, place in zip(names, places):
            at = made.names.index(name)
            # Where there is nothing to fill it with, a cell of blanks stays.
            row[at] = row[at] if place is None else made.rows[place][at]
    return Case(made, {"columns": names, **({"direction": direction} if direction else {})}, made.names, rows)


@judge("sample")
def sample(dice):
    """There is no other sample to compare with: it has to be of the right size, of these rows, in their order."""
    made = table(dice, rows=dice.choice([0, 1, 5, 40, 400]), ident=True)
    seed = {"seed": dice.randint(0, 100)} if dice.random() < 0.7 else {}
    if dice.random() < 0.5:
        rows = dice.choice([1, 3, 39, 1000])
        size = (min(rows, len(made.rows)),) * 2
        options = {"rows": rows, **seed}
    else:
        share = dice.choice([0.1, 0.5, 0.9])
        # Beyond six standard deviations once in a billion.
        middle, spread = share * len(made.rows), 6 * (len(made.rows) * share * (1 - share)) ** 0.5
        size = (middle - spread, middle + spread)
        options = {"share": dice.choice([str(share), f"{round(share * 100)}%"]), **seed}

    def wrong(rows):
        ids = [int(row[0]) for row in rows]
        if not size[0] <= len(rows) <= size[1]:
            return f"{len(rows)} rows, wanted {size}"
        if ids != sorted(set(ids)):
            return "rows out of order"
        return None

    return Case(made, options, made.names, made.rows, chooses=wrong)
