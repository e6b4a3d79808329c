"""Steps that change texts. Python's own text methods and `unicodedata` are the other side where DuckDB has no such function or
means something else by it: white space beyond ASCII, full case mappings, normal forms other than NFC, parts with a limit."""
import re
import unicodedata

from cases import BLANKS, WHITE, Case, ask, ask_texts, change_texts, columns_or_all, fresh, give, judge, options, replaced, some
from nasty import LONG, TEXTS, table, text_of

LINE_ENDS = "\n\r\x0b\x0c\x85\u2028\u2029"
DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Patterns that mean the same to RE2, to Python and to the Rust crate regex: classes are spelt out.
PATTERNS = ["[0-9]+", "[A-Z]+-[0-9]+", "^[ \t]+", "a|b", "x?y", "[^a-z]", "(?:ab)+c?", "[aeiou]{2,}", "-$", "é", "[0-9]{2,3}", "s+", "[\u4e00-\u9fff]+", "b*"]
GROUPS = ["([A-Z]+)-([0-9]+)", "([a-z]+)([0-9]*)", "^([^,]*),([^,]*)", "([0-9]+)|([a-z])", "(a)(b)?"]


def with_texts(dice, **more):
    return table(dice, wanted=["text", "text", dice.choice(["mixed", "key", "text"])], **more)


def units(text):
    return len(text.encode("utf-16-le")) // 2


def unless_too_long(before, rows):
    """What must come of texts that may grow: the rows whose texts hold too many characters are rejected."""
    long = [at for at, (old, new) in enumerate(zip(before, rows)) if any(isinstance(b, str) and units(b) > max(LONG, units(a) if isinstance(a, str) else 0) for a, b in zip(old, new))]
    return [row for at, row in enumerate(rows) if at not in long], long


@judge("trim")
def trim(dice):
    made = with_texts(dice)
    chosen, names = columns_or_all(dice, made.names)
    flags = options(dice, inner=(0.5, True), lookalikes=(0.5, True), controls=(0.5, True))

    def change(text):
        if "controls" in flags:
            text = "".join(c for c in text if not (unicodedata.category(c) == "Cc" and c not in WHITE) and c not in DIRECTION + "\u00ad")
        if "lookalikes" in flags:
            text = re.sub("[\u200b\u2060\ufeff]", "", text)
            text = "".join(" " if c in WHITE and c not in LINE_ENDS + "\t" else c for c in text)
        if "inner" in flags:
            text = re.sub(f"[{WHITE}]{{2,}}", lambda run: "\n" if set(run[0]) & set(LINE_ENDS) else " ", text)
        return text.strip(BLANKS)

    return Case(made, {**chosen, **flags}, made.names, change_texts(made, names, change))


def in_word(c):
    return c.isalnum() or unicodedata.category(c)[0] == "M" or c in "'’ʼ\u00ad\u200c\u200d\u2060"


def words(text):
    """Words and what stands between them, in turn, beginning with what stands before the first."""
    parts, at = [], 0
    while True:
        start = next((i for i in range(at, len(text)) if text[i].isalnum()), len(text))
        parts.append(text[at:start])
        if start == len(text):
            return parts
        at = next((i for i in range(start + 1, len(text)) if not in_word(text[i])), len(text))
        parts.append(text[start:at])


@judge("case")
def case(dice):
    made = with_texts(dice)
    chosen, names = columns_or_all(dice, made.names)
    to = dice.choice(["upper", "lower", "title", "sentence"])

    def change(text):
        if to in ("upper", "lower"):
            return text.upper() if to == "upper" else text.lower()
        parts, begins = words(text), True
        for at in range(len(parts)):
            if at % 2 == 0:
                begins = to == "title" or at == 0 or re.search(f"[.!?…][\"'’”»)\\]]*[{WHITE}]", parts[at]) is not None
            elif begins:
                # Python's title() takes the mark of a sigma at the end from the rest alone.
                small = parts[at].lower()
                parts[at] = parts[at][0].title() + small[len(parts[at][0].lower()) :]
            else:
                parts[at] = parts[at].lower()
        return "".join(parts)

    rows, long = unless_too_long(made.rows, change_texts(made, names, change))
    return Case(made, {**chosen, "to": to}, made.names, rows, long)


@judge("replace")
def replace(dice):
    made = with_texts(dice)
    chosen, names = columns_or_all(dice, made.names)
    match = dice.choice(["text", "cell", "regex"])
    flags = options(dice, ignore_case=(0.4, True))
    if match == "regex":
        find, put = (dice.choice(GROUPS), dice.choice(["$2/$1", "<$1>", "$0$0", "$$"])) if dice.random() < 0.5 else (dice.choice(PATTERNS), dice.choice(["", "#", "zz"]))
        rewrite = put.replace("$$", "\0").replace("$", "\\").replace("\0", "$")
    else:
        find = dice.choice([text for text in TEXTS if text])
        put = rewrite = dice.choice(["", "x", "ß", "a b", "$1", "\\1"])
    flag = "i" if flags else "c"
    texts = sorted({value for name in names for value in made.column(name) if isinstance(value, str)})
    if match == "regex":
        new = ask_texts(f"regexp_replace(x, ?, ?, 'g{flag}')", texts, find, rewrite)
    elif match == "text" and not flags:
        new = ask_texts("replace(x, ?, ?)", texts, find, put)
    else:
        new = ask_texts(f"regexp_replace(x, ?, ?, 'g{flag}')", texts, escape(find, match), put.replace("\\", "\\\\"))
    found = dict(zip(texts, new))
    rows, long = unless_too_long(made.rows, change_texts(made, names, found.get))
    return Case(made, {**chosen, "find": find, "with": put, "match": match, **flags}, made.names, rows, long)


def escape(find, match):
    """A pattern of RE2 for exactly this text."""
    pattern = "".join(f"\\x{{{ord(c):x}}}" if not c.isalnum() else c for c in find)
    return f"^(?:{pattern})$" if match == "cell" else pattern


@judge("map")
def exchange(dice):
    made = with_texts(dice)
    column = dice.choice(made.names)
    texts = [text_of(value) for value in made.column(column)]
    # A key of YAML has 1,024 characters at most.
    known = sorted({text for text in texts if text is not None and len(text) <= 1000})
    values = {old: dice.choice(["new", "", "5", "é", "a b"]) for old in some(dice, known + ["none of them", ""], 1, 4)}
    otherwise = dice.choice(["keep", "blank", "reject"])
    give("m", {"old": ("VARCHAR", list(values)), "new": ("VARCHAR", list(values.values()))})
    give("x", {"x": ("VARCHAR", texts)})
    new, rejected = [], []
    for at, (mapped, there) in enumerate(ask("SELECT m.new, m.old IS NOT NULL FROM x LEFT JOIN m ON coalesce(x.x, '') = m.old ORDER BY x.n")):
        new.append((mapped or None) if there else None if otherwise == "blank" else made.column(column)[at] if otherwise == "keep" else texts[at])
        if not there and otherwise == "reject" and texts[at] is not None:
            rejected.append(at)
    names, rows = replaced(made, column, new)
    rows = [row for at, row in enumerate(rows) if at not in rejected]
    return Case(made, {"column": column, "values": values, "otherwise": otherwise}, names, rows, rejected)


@judge("normalise")
def normalise(dice):
    made = with_texts(dice)
    chosen, names = columns_or_all(dice, made.names)
    form = dice.choice(["NFC", "NFD", "NFKC", "NFKD"])
    flags = options(dice, strip_accents=(0.5, True))
    strokes = str.maketrans("ØøĐđĦħŁłŦŧ", "OoDdHhLlTt")

    def change(text):
        if flags:
            apart = unicodedata.normalize("NFKD" if "K" in form else "NFD", text)
            text = re.sub("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]", "", apart).translate(strokes)
        return unicodedata.normalize(form, text)

    rows, long = unless_too_long(made.rows, change_texts(made, names, change))
    return Case(made, {**chosen, "form": form, **flags}, made.names, rows, long)


@judge("pad")
def pad(dice):
    made = table(dice, wanted=["text", "integer", "decimal"])
    names = some(dice, made.names)
    length = dice.choice([1, 2, 5, 10, 40, 32_767])
    side, put = dice.choice(["left", "right"]), dice.choice(["0", " ", "é", "🦀", "x", "\u0301"])
    rows, function = [list(row) for row in made.rows], "lpad" if side == "left" else "rpad"
    for name in names:
        texts = [text_of(value) for value in made.column(name)]
        padded = ask_texts(f"CASE WHEN length(x) >= {length} THEN x ELSE {function}(x, {length}, ?) END", texts, put)
        for row, value in zip(rows, padded):
            row[made.names.index(name)] = value
    before = [[text_of(value) if name in names else value for name, value in zip(made.names, row)] for row in made.rows]
    rows, long = unless_too_long(before, rows)
    return Case(made, {"columns": names, "length": length, "with": put, "side": side}, made.names, rows, long)


@judge("mask")
def mask(dice):
    made = table(dice, wanted=["text", "integer", "date"])
    names = some(dice, made.names)
    way = dice.choice(["hash", "redact", "last"])
    salt, length, put, keep = dice.choice(["", "s", "sält "]), dice.choice([8, 13, 64]), dice.choice(["[redacted]", "x", "é🦀"]), dice.choice([0, 1, 4, 10])
    given = {"hash": {"salt": salt, "length": length}, "redact": {"text": put}, "last": {"keep": keep}}[way]
    expression = {
        "hash": ("left(sha256(? || x), ?::BIGINT)", [salt, length]),
        "redact": ("CASE WHEN x IS NOT NULL THEN ? END", [put]),
        "last": (f"CASE WHEN length(x) <= {keep} THEN repeat('•', length(x)) ELSE repeat('•', length(x) - {keep}) || CASE WHEN {keep} = 0 THEN '' ELSE right(x, {max(keep, 1)}) END END", []),
    }[way]
    rows = [list(row) for row in made.rows]
    for name in names:
        hidden = ask_texts(expression[0], [text_of(value) for value in made.column(name)], *expression[1])
        for row, value in zip(rows, hidden):
            row[made.names.index(name)] = value
    return Case(made, {"columns": names, "with": way, **given}, made.names, rows)


def beside(table, column, into, parts, keep):
    """New columns behind a column or in its place."""
    at = table.names.index(column)
    names = table.names[: at + keep] + into + table.names[at + 1 :]
    return names, [row[: at + keep] + [part or None for part in new] + row[at + 1 :] for row, new in zip(table.rows, parts)]


@judge("split")
def split(dice):
    made = with_texts(dice)
    column, count = dice.choice(made.names), dice.randint(1, 4)
    into = [f"p{at}" for at in range(count)]
    by, extra, keep = dice.choice(["delimiter", "regex", "widths"]), dice.choice(["last", "reject"]), dice.random() < 0.5
    given, parts, rejected = {}, [], []
    if by == "widths":
        widths = [dice.choice([1, 2, 3, 10]) for _ in range(max(1, count - dice.randint(0, 1)))]
        given["widths"] = widths
    else:
        given["separator"] = dice.choice([",", ", ", "-", " ", "a", "é", "|", "\n"]) if by == "delimiter" else dice.choice([p for p in PATTERNS if p != "b*"])
    for at, value in enumerate(made.column(column)):
        text = text_of(value) or ""
        if by == "widths":
            cuts = [sum(widths[:i]) for i in range(count)] + [None]
            found = [text[a:b] for a, b in zip(cuts, cuts[1:])]
            more = len(widths) == count and len(text) > sum(widths)
        else:
            pattern = re.escape(given["separator"]) if by == "delimiter" else given["separator"].replace("$", r"\Z")
            found = re.split(pattern, text, maxsplit=count - 1) if count > 1 else [text]
            more = re.search(pattern, found[-1]) is not None if pattern[0] != "^" else len(re.split(pattern, text)) > count
        parts.append(found + [""] * (count - len(found)))
        if more and extra == "reject":
            rejected.append(at)
    names, rows = beside(made, column, into, parts, keep)
    rows = [row for at, row in enumerate(rows) if at not in rejected]
    return Case(made, {"column": column, "by": by, **given, "into": into, "extra": extra, "keep": keep}, names, rows, rejected)


@judge("extract")
def extract(dice):
    made = with_texts(dice)
    column, otherwise = dice.choice(made.names), dice.choice(["blank", "reject", "keep"])
    pattern = dice.choice(GROUPS + [p for p in PATTERNS if p != "b*"])
    groups = re.compile(pattern).groups
    into = [f"p{at}" for at in range(max(1, groups))]
    give("x", {"x": ("VARCHAR", [text_of(value) for value in made.column(column)])})
    taken = ", ".join(f"regexp_extract(x, $1, {at})" for at in (range(1, groups + 1) if groups else [0]))
    parts, rejected = [], []
    for at, (text, matches, *found) in enumerate(ask(f"SELECT x, regexp_matches(x, $1), {taken} FROM x ORDER BY n", pattern)):
        if text is not None and not matches:
            found = [text if otherwise == "keep" else ""] + [""] * (len(into) - 1)
            rejected += [at] if otherwise == "reject" else []
        parts.append(found)
    names, rows = beside(made, column, into, parts, True)
    rows = [row for at, row in enumerate(rows) if at not in rejected]
    return Case(made, {"column": column, "pattern": pattern, "into": into, "otherwise": otherwise}, names, rows, rejected)


@judge("combine")
def combine(dice):
    made = table(dice, wanted=["text", "integer", "date"])
    names, into = some(dice, made.names, 1, 4), dice.choice([dice.choice(made.names), fresh(dice, made.names)])
    separator, skip = dice.choice([" ", "", ", ", "é", "\n"]), dice.random() < 0.6
    give("x", {f"c{at}": ("VARCHAR", [text_of(value) for value in made.column(name)]) for at, name in enumerate(names)})
    columns = ", ".join(f"c{at}" if skip else f"coalesce(c{at}, '')" for at in range(len(names)))
    filled = " OR ".join(f"c{at} IS NOT NULL" for at in range(len(names)))
    new = [found[0] or None for found in ask(f"SELECT CASE WHEN {filled} THEN concat_ws(?, {columns}) END FROM x ORDER BY n", separator)]
    after, rows = replaced(made, into, new)
    long = [at for at, value in enumerate(new) if value and units(value) > LONG]
    rows = [row for at, row in enumerate(rows) if at not in long]
    return Case(made, {"columns": names, "into": into, "separator": separator, "skip_blanks": skip}, after, rows, long)
