"""Tables of values that go wrong elsewhere, at random from a seed."""
import datetime
from dataclasses import dataclass, field
from decimal import Decimal

LONG = 32_767
TEXTS = [
    "", "a", "A", "b", "ab", "Ab", "abc", "ABC", "x y", " x", "x ", "  x  y  ", " ", "   ", "\u00a0", "\u00a0x\u00a0y", "\u2003", "x\u2009y", "\u3000x", "\u200b", "x\u200by", "\ufeffx", "\u2060",
    "\t", "x\ty", "line\nend", "line\r\nend", "\r", "\n x \n", "\x01", "x\x00y", "\x1fx", "\x7f", "x\u0085y", "x\u2028y", "\u00adsoft\u00adhyphen", "\u200fright\u202e", "\u200dx",
    "é", "e\u0301", "E\u0301", "É", "ñ", "n\u0303o", "Å", "\u212b", "A\u030a", "ö", "Ö", "oe", "Œ", "ﬁ", "ﬀ", "fi", "ſ", "ß", "ẞ", "SS", "ss", "straße", "STRASSE", "İ", "i\u0307", "ı", "I", "i", "ǆ", "ǅ", "Ǆ", "ŉ", "ΐ",
    "ΣΑΣ", "σας", "όσος", "Ø", "ł", "Đ", "ħ", "æ", "þ", "Ａ１", "①", "½", "²", "٣", "३", "日本語", "ｶﾞ", "が", "한", "\u1112\u1161\u11ab", "ไทย", "שלום", "नमस्ते",
    "🦀", "👩\u200d🚀", "🇧🇪", "👍🏽", "\U0001d54f", "z\u0335\u0336\u0337", "\u0301x", "0", "00", "007", "00123", "1", "1.0", "1.50", "01", "-0", "+1", "-1", "1e5", "1E5", "0x10", "1,234.5", "1.234,5", "1 234", "12,5",
    "9007199254740993", "1e308", "1e309", "0.1", "NaN", "inf", "-inf", "Infinity", "null", "NULL", "None", "N/A", "#N/A", "true", "TRUE", "false", "yes", "No", "t", "f", "on", "2024-02-29", "2023-02-29", "29/02/2024", "1/2/2024", "31.12.1899",
    "1899-12-31", "1900-02-29", "1850-01-01", "10000-01-01", "2024-01-01 12:00:00", "2024-01-01T12:00", "24:00", "23:59:60", "12:30", "1904-01-01",
    "a,b", "a;b", "a, b", "a,b,c,d", ",", ",,", "-", "a-b-c", "a--b", "AB-123", "ab-12 CD-34", "Smet, Ann", "x|y", "$1", "$0", "\\", "\\1", "a\\b", ".", ".*", "(x", "[x]", "a.b", "%", "_", "a%b", "x'y", "''", '"', 'a "b" c', "`",
    "=1+1", "@x", "+32 470", "don't", "O'NEIL", "JEAN-LUC", "hello. world! what? yes… no", "new YORK city", "item2", "item10", "Item 1", "item02", "ann@example.com", "ANN@Example.com", "_x0041_", "<b>&amp;</b>", "{}", "[]",
]
WORDS = ["ann", "Bob", "CARLA", "de", "Smet", "müller", "Müller", "MÜLLER", "Strasse", "Straße", "12", "x", "  ", "-", ",", ".", "é", "e\u0301", "\u00a0", "🦀", "ﬁ", "İ", "\n"]
INTEGERS = [0, 1, -1, 2, 3, 5, 7, 10, 42, 99, 100, -7, 1000, 2**31 - 1, -(2**31), 2**31, 2**53 - 1, 2**53, -(2**53), -(2**53) + 1, 1899, 1900, 366, 40000, 60]
DECIMALS = [
    0.1, 0.2, 0.1 + 0.2, 0.3, -0.5, 0.5, 1.5, 2.5, -2.5, 1.005, 2.675, 1e-9, 9.999e-10, 5e-324, 2.2250738585072014e-308, 1e308, -1e308, 1.7976931348623157e308, 1e15, 1e16, 123456789.123456789, 1e20, 1e21, 99999999999999990000.0,
    0.30000000000000004, 1 / 3, 2 / 3, 1e-300, -1e-7, 3.14159265358979, 2.0**53 + 2, 2.0**60, -273.15, 1234567.891, 0.07, 1.1, 100.0, 0.0, -0.0, 45000.25, 1e22, 12.34,
]
DAYS = ["1900-01-01", "1900-02-28", "1900-03-01", "1903-12-31", "1904-01-01", "1904-02-29", "1969-12-31", "1970-01-01", "1999-12-31", "2000-02-29", "2024-02-29", "2024-12-30", "2024-12-31", "2025-01-01", "2021-01-03", "2023-01-01", "2038-01-19", "2100-02-28", "9999-12-31"]
CLOCKS = ["00:00:00", "00:00:01", "12:00:00", "23:59:59", "01:02:03", "11:59:59", "06:00:00"]
NAMES = ["Name", 'the "quoted" one', "a[b]", "col,umn", "Größe (cm)", "日本", "select", "x.y", "$1", "it's", "back`tick", "é", "e\u0301", "1st", "NAME", "{x}", "a;b", "%d", "🦀", "null", "order by", "-", "x=y", "ümlaut\\", "long " + "n" * 60]


@dataclass
class Table:
    """Columns by name and rows of Python's values: None, bool, int or float, str, date, datetime, time.

    `written` is what goes into the file. An empty text is read as a blank, and a row of blanks alone is none."""

    names: list
    written: list
    rows: list = field(default_factory=list)
    numbers: list = field(default_factory=list)
    kinds: list = field(default_factory=list)

    def __post_init__(self):
        rows = [[None if value == "" and isinstance(value, str) else value for value in row] for row in self.written]
        filled = [at for at, row in enumerate(rows) if any(value is not None for value in row)]
        self.rows = [rows[at] for at in filled]
        self.numbers = [at + 2 for at in filled]
        self.kinds = [kind_of([row[at] for row in self.rows]) for at in range(len(self.names))]
        for at, kind in enumerate(self.kinds):
            for row in self.rows:
                if kind == "datetime" and row[at] is not None and not isinstance(row[at], datetime.datetime):
                    row[at] = datetime.datetime.combine(row[at], datetime.time())

    def column(self, name):
        at = self.names.index(name)
        return [row[at] for row in self.rows]

    def of_kind(self, *kinds):
        return [name for name, kind in zip(self.names, self.kinds) if kind in kinds]

    def kind(self, name):
        return self.kinds[self.names.index(name)]


def kind_of(values):
    """The kind of a column: that of all its filled cells, or `mixed` (DESIGN: the table model)."""
    kinds = {kind_of_value(value) for value in values if value is not None}
    if not kinds:
        return "blank"
    for narrow, wide in (("integer", "decimal"), ("date", "datetime")):
        if kinds == {narrow, wide}:
            return wide
    return kinds.pop() if len(kinds) == 1 else "mixed"


def kind_of_value(value):
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "integer" if float(value).is_integer() and abs(value) <= 2**53 else "decimal"
    for kind, of in (("text", str), ("datetime", datetime.datetime), ("date", datetime.date), ("time", datetime.time)):
        if isinstance(value, of):
            return kind
    raise TypeError(value)


def text_of(value):
    """A value as it stands in a text: all digits of a number, plainly between 1e-9 and 1e20; ISO 8601; TRUE and FALSE."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        if value == 0:
            return "0"
        number = Decimal(repr(float(value))).normalize()
        if 1e-9 <= abs(value) < 1e20:
            return f"{number:f}"
        sign, digits, exponent = number.as_tuple()
        shown = "".join(map(str, digits))
        power = exponent + len(shown) - 1
        return ("-" if sign else "") + shown[0] + ("." + shown[1:] if shown[1:] else "") + f"E{power:+d}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.time):
        return value.isoformat("seconds")
    return value


def text(dice):
    roll = dice.random()
    if roll < 0.6:
        return dice.choice(TEXTS)
    if roll < 0.995:
        return "".join(dice.choice(dice.choice([WORDS, TEXTS, " ", ",-. "])) for _ in range(dice.randint(1, 6)))
    return dice.choice(["x", "é", "ß", "a b,", "日", "ab \u00a0"]) * dice.choice([1000, 5000, 8000])


def integer(dice):
    return dice.choice(INTEGERS) if dice.random() < 0.6 else dice.randint(-1000, 1000)


def decimal(dice):
    roll = dice.random()
    if roll < 0.6:
        return dice.choice(DECIMALS)
    return round(dice.uniform(-1000, 1000), dice.randint(0, 6)) if roll < 0.9 else dice.uniform(-1e10, 1e10)


def money(dice):
    """Numbers that no product of is infinite."""
    return round(dice.uniform(-10_000, 10_000), dice.randint(0, 4))


def day(dice):
    return datetime.date.fromisoformat(dice.choice(DAYS)) if dice.random() < 0.6 else datetime.date(1995, 1, 1) + datetime.timedelta(dice.randint(0, 20_000))


def moment(dice):
    return datetime.datetime.combine(day(dice), clock(dice))


def clock(dice):
    return datetime.time.fromisoformat(dice.choice(CLOCKS)) if dice.random() < 0.6 else datetime.time(dice.randint(0, 23), dice.randint(0, 59), dice.randint(0, 59))


def truth(dice):
    return dice.random() < 0.5


def key(dice):
    return dice.choice(["a", "A", "b", "ß", "SS", "é", "e\u0301", "x ", "x", "5", "05"])


def few(dice):
    return dice.choice([1, 2, 3, 5])


VALUES = {"integer": integer, "decimal": decimal, "money": money, "text": text, "boolean": truth, "date": day, "datetime": moment, "time": clock, "key": key, "few": few}


def value(dice, profile):
    if profile == "blank":
        return None
    if profile == "mixed":
        profile = dice.choice(["integer", "decimal", "text", "boolean", "date", "datetime", "time", "key", "few"])
    return VALUES[profile](dice)


PROFILES = ["integer", "decimal", "money", "text", "text", "text", "boolean", "date", "datetime", "time", "key", "key", "few", "mixed", "blank"]


def table(dice, wanted=(), rows=None, most=7, ident=None, taken=()):
    """A table with columns of the profiles that are wanted and others at random, in any order."""
    profiles = list(wanted) + dice.choices(PROFILES, k=dice.randint(0 if wanted else 1, max(1, most - len(wanted))))
    dice.shuffle(profiles)
    count = rows if rows is not None else dice.choice([0, 1, 2, 3, 10, 40, 40, 120])
    names = dice.sample([name for name in NAMES if name not in taken], len(profiles))
    columns = []
    for profile in profiles:
        blanks = dice.choice([0, 0, 0.1, 0.5])
        columns.append([None if dice.random() < blanks else value(dice, profile) for _ in range(count)])
    made = [list(row) for row in zip(*columns)] if count else []
    if count > 2 and dice.random() < 0.3:
        # Whole rows again.
        for _ in range(count // 4):
            made[dice.randrange(count)] = list(dice.choice(made))
    if ident or (ident is None and dice.random() < 0.5):
        names = ["id"] + names
        made = [[number] + row for number, row in enumerate(made, 1)]
    return Table(names, made)
