"""Steps that choose rows: DuckDB's WHERE, LIMIT and window functions."""
import unicodedata

from cases import BLANKS, Case, ask, columns_or_all, give, give_table, is_blank, judge, key, some, typed
from conditions import condition
from nasty import table, text_of


def only(made, places, filtered="filtered", **more):
    """The rows at these places, and the others gone."""
    return {"names": made.names, "rows": [made.rows[at] for at in places], "fates": {filtered: len(made.rows) - len(places)}, **more}


@judge("filter")
def filter_rows(dice):
    made = table(dice, wanted=["few", "money", "key", "date", "boolean"])
    ours, theirs = condition(dice, made)
    keep = dice.choice(["keep", "drop"])
    give_table(made)
    truth = f"({theirs}) IS TRUE" if keep == "keep" else f"({theirs}) IS NOT TRUE"
    places = [found[0] for found in ask(f"SELECT n FROM t WHERE {truth} ORDER BY n")]
    return Case(made, {keep: ours}, **only(made, places))


@judge("blank_rows")
def blank_rows(dice):
    made = table(dice, wanted=["text", "key"])
    if made.rows and dice.random() < 0.5:
        for row in made.written:
            if dice.random() < 0.4:
                row[:] = [dice.choice([None, "", " ", "\u00a0", "\u200b\t"]) for _ in row]
        made = type(made)(made.names, made.written)
    chosen, names = columns_or_all(dice, made.names)
    give("t", {f"c{at}": ("BOOLEAN", [is_blank(value) for value in made.column(name)]) for at, name in enumerate(names)})
    places = [found[0] for found in ask(f"SELECT n FROM t WHERE NOT ({' AND '.join(f'c{at}' for at in range(len(names)))}) ORDER BY n")]
    return Case(made, chosen, **only(made, places))


@judge("first")
def first(dice):
    made, rows = table(dice), dice.choice([1, 2, 5, 39, 40, 1000])
    give_table(made)
    return Case(made, {"rows": rows}, **only(made, [found[0] for found in ask(f"SELECT n FROM t ORDER BY n LIMIT {rows}")]))


@judge("last")
def last(dice):
    made, rows = table(dice), dice.choice([1, 2, 5, 39, 40, 1000])
    give_table(made)
    return Case(made, {"rows": rows}, **only(made, [found[0] for found in ask(f"FROM (SELECT n FROM t ORDER BY n DESC LIMIT {rows}) ORDER BY n")]))


@judge("deduplicate")
def deduplicate(dice):
    made = table(dice, wanted=["key", "few", dice.choice(["key", "mixed"])])
    if dice.random() < 0.25:
        return similar(dice, made)
    by = dice.choice([None, "all"]) if dice.random() < 0.3 else some(dice, made.names)
    names = made.names if by in (None, "all") else by
    keep = dice.choice(["first", "last", "most_complete"])
    ignore = [word for word in ("case", "blanks", "accents") if dice.random() < 0.25]
    keys = {f"c{at}": ("VARCHAR", [simple(value, ignore) for value in made.column(name)]) for at, name in enumerate(names)}
    filled = [sum(not is_blank(value) for value in row) for row in made.rows]
    give("t", {**keys, "filled": ("BIGINT", filled)})
    order = {"first": "n", "last": "n DESC", "most_complete": "filled DESC, n"}[keep]
    query = f"SELECT n, first_value(n) OVER w, count(*) OVER (PARTITION BY {', '.join(keys)}) FROM t WINDOW w AS (PARTITION BY {', '.join(keys)} ORDER BY {order}) ORDER BY n"
    found = ask(query)
    options = {**({} if by is None else {"by": by}), "keep": keep, **({"ignore": ignore} if ignore else {})}
    if dice.random() < 0.3 and not {"group", "similarity", "keep"} & set(made.names):
        return Case(made, {**options, "groups": "mark"}, *marked(made, [(best, n == best, None if count == 1 else 1.0) for n, best, count in found]))
    return Case(made, options, **only(made, [n for n, best, _ in found if n == best], "deduplicated"))


def marked(made, marks):
    """Rows with the number of their group, in the order of the groups' first rows, how similar they are, and which one stays."""
    numbers, rows = {}, []
    for row, (group, stays, similarity) in zip(made.rows, marks):
        if similarity is not None:
            numbers.setdefault(group, len(numbers) + 1)
        rows.append(row + [numbers[group] if similarity is not None else None, similarity, stays])
    return made.names + ["group", "similarity", "keep"], rows


def simple(value, ignore):
    """A key without the differences that do not count."""
    if not isinstance(value, str):
        return key(value)
    text = value
    if "accents" in ignore:
        text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c)[0] != "M")
    if "blanks" in ignore:
        text = "".join(c for c in text if c not in BLANKS)
    if "case" in ignore:
        text = "".join(c.lower() for c in text)
    return None if text == "" and ignore else f"text {text}"


def alignment(a, b):
    """Optimal string alignment: letters put in, taken out, replaced, or swapped with their neighbours, each place once."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        rows.append([i])
        for j, y in enumerate(b, 1):
            best = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, rows[i - 2][j - 2] + 1)
            rows[i].append(best)
    return rows[-1][-1]


def plain(text, in_order):
    """A text without case, marks on letters, punctuation and blanks."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text or "") if unicodedata.category(c)[0] != "M")
    for old, new in (("ß", "ss"), ("ẞ", "ss"), ("æ", "ae"), ("Æ", "ae"), ("œ", "oe"), ("Œ", "oe"), ("ø", "o"), ("Ø", "o"), ("ł", "l"), ("Ł", "l")):
        letters = letters.replace(old, new)
    letters = "".join("" if c in "'’\u200b\u200c\u200d\u2060\ufeff" else c.lower() if c.isalnum() else " " for c in letters).split()
    return " ".join(letters if in_order else sorted(letters))[:200]


def similar(dice, made):
    """Neither DuckDB nor polars groups what is nearly equal; every row is compared with each head of a group here."""
    people = ["Hans Müller", "Hans Mueller", "Muller, Hans", "Hans  Muller", "HANS MÜLLRE", "Ann Lee", "Anne Lee", "Lee Ann", "Hasn Müller", "O'Brien", "OBrien", "O Brien", "Straße 1", "Strasse 1", "Strasse 2", "x", "xy", None, " ", "🦀", "ﬁne", "fine"]
    made = type(made)(made.names + ["who"], [row + [dice.choice(people)] for row in made.written])
    texts = [name for name in made.of_kind("text", "mixed", "blank") if name != "who"]
    by = ["who"] + (some(dice, texts, 1, 1) if texts and dice.random() < 0.3 else [])
    least, in_order = dice.choice([0.5, 0.6, 0.75, 0.8, 0.85, 0.9, 1]), dice.random() < 0.5
    keep = dice.choice(["first", "last", "most_complete"])
    rows = [[plain(text_of(row[made.names.index(name)]), in_order) for name in by] for row in made.rows]

    def likeness(a, b):
        each = [1.0 if x == y else 0.0 if not x or not y else round(1 - alignment(x, y) / max(len(x), len(y)), 9) for x, y in zip(a, b)]
        return min(each)

    heads, groups = [], []
    for row in rows:
        head = next((head for head in heads if likeness(rows[head], row) >= least), None)
        if head is None:
            heads.append(head := len(groups))
        groups.append(head)
    filled = [sum(not is_blank(value) for value in row) for row in made.rows]
    best = {}
    for at, group in enumerate(groups):
        other = best.get(group)
        if other is None or keep == "last" or keep == "most_complete" and filled[at] > filled[other]:
            best[group] = at
    options = {"by": by, "keep": keep, "similarity": least, **({"words": "in_order"} if in_order else {})}
    if dice.random() < 0.5:
        alone = [groups.count(group) == 1 for group in groups]
        marks = [(group, best[group] == at, None if alone[at] else round(likeness(rows[best[group]], rows[at]), 4)) for at, group in enumerate(groups)]
        return Case(made, {**options, "groups": "mark"}, *marked(made, marks))
    return Case(made, options, **only(made, sorted(best.values()), "deduplicated"))


@judge("validate")
def validate(dice):
    """Each rule as a query for the rows that break it."""
    made = table(dice, wanted=["few", "money", "key", "date", "text"], ident=False)
    broken, warned, rules, listed = set(), set(), [], []
    for _ in range(dice.randint(1, 4)):
        rule, queries = dice.choice([of_column, of_column, unique, where])(dice, made)
        severity = dice.choice([None, "error", "warning"])
        rules.append({**rule, **({"severity": severity} if severity else {}), **({"message": "so"} if dice.random() < 0.3 else {})})
        for word, query in queries.items():
            places = [found[0] for found in ask(query)]
            listed += [(made.numbers[at], word, severity or "error") for at in places]
            (warned if severity == "warning" else broken).update(places)
    places = [at for at in range(len(made.rows)) if at not in broken]
    return Case(made, dice.choice([rules, {"rules": rules}]), made.names, [made.rows[at] for at in places], sorted(broken), {"warned": len(warned - broken)}, listed=sorted(listed))


def of_column(dice, made):
    name = dice.choice(made.names)
    kind = made.kind(name)
    of, values = typed(made, name)
    texts = [text_of(value) for value in made.column(name)]
    give("v", {"x": (of, values), "s": ("VARCHAR", texts), "blank": ("BOOLEAN", [is_blank(value) for value in made.column(name)])})
    tests = [
        ({"required": True}, "blank"),
        ({"length": 1}, "NOT blank AND length(s) <> 1"),
        ({"length": {"min": 2, "max": 4}}, "NOT blank AND length(s) NOT BETWEEN 2 AND 4"),
        ({"length": {"max": 3}}, "NOT blank AND length(s) > 3"),
        ({"pattern": "[a-zA-Z0-9]+"}, "NOT blank AND NOT regexp_full_match(s, '[a-zA-Z0-9]+')"),
        ({"pattern": "a|ab"}, "NOT blank AND NOT regexp_full_match(s, 'a|ab')"),
        ({"one_of": ["a", "5", "ß", "2024-02-29"]}, "NOT blank AND s NOT IN ('a', '5', 'ß', '2024-02-29')"),
    ]
    if kind in ("integer", "decimal"):
        tests += [({"min": 2}, "x < 2"), ({"min": -1.5, "max": 3}, {"min": "x < -1.5", "max": "x > 3"}), ({"type": "integer"}, "x <> trunc(x) OR abs(x) > 9007199254740992"), ({"type": "decimal"}, "false"), ({"type": "date"}, "x IS NOT NULL")]
    if kind in ("date", "datetime"):
        tests += [({"min": "2000-01-01"}, "x < '2000-01-01'"), ({"min": "1904-01-01", "max": "2024-02-29"}, {"min": "x < '1904-01-01'", "max": "x >= '2024-03-01'"}), ({"type": "decimal"}, "x IS NOT NULL")]
    if kind == "time":
        tests += [({"max": "12:00"}, "x > TIME '12:00:00'")]
    test, broken = dice.choice(tests)
    broken = broken if isinstance(broken, dict) else {next(iter(test)): broken}
    return {"column": name, **test}, {word: f"SELECT n FROM v WHERE {breaks}" for word, breaks in broken.items()}


def unique(dice, made):
    names = some(dice, made.names, 1, 2)
    give("v", {f"c{at}": ("VARCHAR", [key(value) for value in made.column(name)]) for at, name in enumerate(names)})
    columns = [f"c{at}" for at in range(len(names))]
    query = f"SELECT n FROM v WHERE coalesce({', '.join(columns)}) IS NOT NULL QUALIFY row_number() OVER (PARTITION BY {', '.join(columns)} ORDER BY n) > 1"
    return ({"column": names[0], "unique": True} if len(names) == 1 else {"unique": names}), {"unique": query}


def where(dice, made):
    ours, theirs = condition(dice, made)
    give_table(made, "v")
    return {"where": ours}, {"where": f"SELECT n FROM v WHERE ({theirs}) IS FALSE"}
