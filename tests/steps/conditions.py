"""Conditions at random: as a recipe writes them, and as DuckDB does over columns c0, c1 and so on.

They differ in one thing: `<>` and `not in` of a recipe take a blank for a value."""
from cases import quoted

NUMBERS = ["0", "1", "2", "-1", "3.5", "100", "1e3", "0.1"]
TEXTS = ["a", "A", "b", "ß", "é", "x ", "x", "5", "05", "it''s", "%", ""]
DAYS = ["1904-01-01", "2000-02-29", "2024-02-29", "1999-12-31"]


def condition(dice, made, depth=2):
    if depth and dice.random() < 0.6:
        (a, x), (b, y) = condition(dice, made, depth - 1), condition(dice, made, depth - 1)
        word = dice.choice(["and", "or"])
        both = f"({a}) {word} ({b})", f"({x}) {word} ({y})"
        return both if dice.random() < 0.8 else tuple(f"not ({side})" for side in both)
    kinds = {"integer": number, "decimal": number, "text": text, "date": date, "boolean": truth}
    name = dice.choice([name for name, kind in zip(made.names, made.kinds) if kind in kinds] or made.names)
    kind, at = made.kind(name), made.names.index(name)
    if kind not in kinds or dice.random() < 0.1:
        word = dice.choice(["is null", "is not null"])
        return f"{quoted(name)} {word}", f"c{at} {word}"
    ours, theirs = kinds[kind](dice, made)
    return ours.replace("@", quoted(name)), theirs.replace("@", f"c{at}")


def compared(dice, values):
    """`@` and something of these: the column is put in its place."""
    one, two, three = (dice.choice(values) for _ in range(3))
    return dice.choice(
        [
            *[(f"@ {sign} {one}",) * 2 for sign in ("=", "<", "<=", ">", ">=")],
            (f"@ <> {one}", f"@ IS DISTINCT FROM {one}"),
            (f"@ between {one} and {two}",) * 2,
            (f"@ not between {one} and {two}",) * 2,
            (f"@ in ({one}, {two}, {three})",) * 2,
            (f"@ not in ({one}, {two})", f"(@ NOT IN ({one}, {two}) OR @ IS NULL)"),
        ]
    )


def number(dice, made):
    if dice.random() < 0.3:
        return dice.choice([("@ * 2 - 1 > @ / 4", "@ * 2 - 1 > @ / 4"), ("abs(@) >= 2.5",) * 2, ("@ + @ = 2 * @",) * 2, ("-@ < 1",) * 2])
    return compared(dice, NUMBERS)


def text(dice, made):
    if dice.random() < 0.3:
        pattern = dice.choice(["a%", "%x%", "_", "__", "%\u00e9", "A%b"])
        return dice.choice([(f"@ like '{pattern}'",) * 2, (f"@ not like '{pattern}'",) * 2, ("length(@) > 1",) * 2, ("@ || 'x' = 'ax'", "coalesce(@, '') || 'x' = 'ax'"), ("contains(@, 'a')",) * 2, ("starts_with(@, 'x')",) * 2])
    # An empty text as a literal is one, a blank cell is none.
    return compared(dice, [f"'{value}'" for value in TEXTS])


def date(dice, made):
    if dice.random() < 0.3:
        return dice.choice([("year(@) > 2000",) * 2, ("@ + 1 > date '2024-02-29'", "@ + INTERVAL 1 DAY > DATE '2024-02-29'"), ("@ - date '2000-01-01' > 100", "date_diff('day', DATE '2000-01-01', @) > 100"), ("month(@) = 2",) * 2])
    return compared(dice, [f"date '{value}'" for value in DAYS])


def truth(dice, made):
    return dice.choice([("@", "@"), ("not @",) * 2, ("@ = true",) * 2, ("@ <> true", "@ IS DISTINCT FROM true"), ("@ is true",) * 2, ("@ is not false",) * 2])
