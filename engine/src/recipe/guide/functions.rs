//! The functions of expressions as the guide shows them: how they are written, what they do, and what they give.

/// Functions that stand together.
#[derive(Clone, Copy, Debug)]
pub struct FunctionGroup {
    /// What they work on.
    pub title: &'static str,
    /// The functions.
    pub functions: &'static [FunctionPage],
}

/// A function.
#[derive(Clone, Copy, Debug)]
pub struct FunctionPage {
    /// Its name.
    pub name: &'static str,
    /// How it is written; what may be left out stands in square brackets.
    pub signature: &'static str,
    /// What it gives, in a sentence.
    pub about: &'static str,
    /// Other names that it is found by.
    pub also: &'static [&'static str],
    /// What it gives for some values.
    pub shown: &'static [Shown],
}

/// An expression and its result as it shows in a cell; nothing: a blank.
pub type Shown = (&'static str, &'static str);

/// A function's page.
macro_rules! function {
    ($name:literal, $signature:literal, $about:literal, $shown:expr) => {
        function!($name, $signature, $about, $shown, &[])
    };
    ($name:literal, $signature:literal, $about:literal, $shown:expr, $also:expr) => {
        FunctionPage {
            name: $name,
            signature: $signature,
            about: $about,
            also: $also,
            shown: $shown,
        }
    };
}

/// The functions of a row, in groups.
pub const FUNCTIONS: &[FunctionGroup] = &[
    FunctionGroup {
        title: "Numbers",
        functions: NUMBERS,
    },
    FunctionGroup {
        title: "Texts",
        functions: TEXTS,
    },
    FunctionGroup {
        title: "Looking into texts",
        functions: TESTS,
    },
    FunctionGroup {
        title: "Dates and times",
        functions: DATES,
    },
    FunctionGroup {
        title: "Choosing and blanks",
        functions: CHOICES,
    },
];

const NUMBERS: &[FunctionPage] = &[
    function!(
        "abs",
        "abs(number)",
        "The number without its sign.",
        &[("abs(-3.5)", "3.5")]
    ),
    function!(
        "ceil",
        "ceil(number)",
        "The next whole number upwards.",
        &[("ceil(2.1)", "3"), ("ceil(-2.1)", "-2")],
        &["ceiling"]
    ),
    function!(
        "floor",
        "floor(number)",
        "The next whole number downwards.",
        &[("floor(2.9)", "2"), ("floor(-2.1)", "-3")]
    ),
    function!(
        "round",
        "round(number [, places])",
        "The number rounded to so many places; negative places round to tens, hundreds and so on.",
        &[
            ("round(2.345, 1)", "2.3"),
            ("round(2.5)", "3"),
            ("round(1234, -2)", "1200")
        ]
    ),
    function!(
        "trunc",
        "trunc(number [, places])",
        "The number cut off after so many places.",
        &[("trunc(2.99)", "2"), ("trunc(-2.99, 1)", "-2.9")],
        &["truncate"]
    ),
    function!(
        "mod",
        "mod(number, divisor)",
        "What is left of a division; a divisor of zero rejects the row.",
        &[("mod(7, 3)", "1")]
    ),
    function!(
        "power",
        "power(base, exponent)",
        "The base to the power of the exponent.",
        &[("power(2, 10)", "1024")],
        &["pow"]
    ),
    function!(
        "sqrt",
        "sqrt(number)",
        "The square root; that of a negative number rejects the row.",
        &[("sqrt(81)", "9")]
    ),
    function!(
        "exp",
        "exp(number)",
        "e to the power of the number.",
        &[("exp(0)", "1")]
    ),
    function!(
        "ln",
        "ln(number)",
        "The natural logarithm; zero and less reject the row.",
        &[("ln(1)", "0")]
    ),
    function!(
        "log10",
        "log10(number)",
        "The logarithm to the base of ten.",
        &[("log10(1000)", "3")],
        &["log"]
    ),
    function!(
        "sign",
        "sign(number)",
        "1 for a positive number, -1 for a negative one, and 0.",
        &[("sign(-8)", "-1"), ("sign(0)", "0")]
    ),
    function!(
        "greatest",
        "greatest(value, …)",
        "The greatest of several numbers or dates in the same row.",
        &[("greatest(3, 8, 5)", "8")]
    ),
    function!(
        "least",
        "least(value, …)",
        "The smallest of several numbers or dates in the same row.",
        &[("least(3, 8, 5)", "3")]
    ),
    function!(
        "number",
        "number(value)",
        "A text as a number, true as 1 and false as 0; a text that is no number rejects the row.",
        &[("number('12.5') * 2", "25")],
        &["to_number", "value"]
    ),
];

const TEXTS: &[FunctionPage] = &[
    function!(
        "upper",
        "upper(text)",
        "The text in capitals.",
        &[("upper('Gent')", "GENT")]
    ),
    function!(
        "lower",
        "lower(text)",
        "The text in small letters.",
        &[("lower('Gent')", "gent")]
    ),
    function!(
        "initcap",
        "initcap(text)",
        "Each word with a capital.",
        &[("initcap('new YORK')", "New York")],
        &["proper"]
    ),
    function!(
        "trim",
        "trim(text)",
        "The text without spaces in front and behind.",
        &[("trim('  a b ') || '.'", "a b.")],
        &["btrim"]
    ),
    function!(
        "ltrim",
        "ltrim(text)",
        "The text without spaces in front.",
        &[("ltrim('  a')", "a")]
    ),
    function!(
        "rtrim",
        "rtrim(text)",
        "The text without spaces behind.",
        &[("rtrim('a  ') || '.'", "a.")]
    ),
    function!(
        "left",
        "left(text, count)",
        "The first characters.",
        &[("left('BE-123', 2)", "BE")]
    ),
    function!(
        "right",
        "right(text, count)",
        "The last characters.",
        &[("right('BE-123', 3)", "123")]
    ),
    function!(
        "substr",
        "substr(text, from [, count])",
        "Characters from a place on, counted from 1; without a count, all that follow.",
        &[("substr('BE-123', 4)", "123"), ("substr('BE-123', 1, 2)", "BE")],
        &["substring", "mid"]
    ),
    function!(
        "split_part",
        "split_part(text, separator, number)",
        "The part of this number between separators, counted from 1.",
        &[("split_part('a/b/c', '/', 2)", "b")]
    ),
    function!(
        "replace",
        "replace(text, find, with)",
        "The text with another one in place of each that is found.",
        &[("replace('1 000', ' ', '')", "1000")]
    ),
    function!(
        "regexp_replace",
        "regexp_replace(text, 'pattern', with)",
        "The same with a regular expression; `$1` is what its first group found.",
        &[("regexp_replace('ab12', '[0-9]+', '#')", "ab#")]
    ),
    function!(
        "lpad",
        "lpad(text, length [, with])",
        "The text filled up in front to a length; a longer one is cut.",
        &[("lpad('42', 5, '0')", "00042")]
    ),
    function!(
        "rpad",
        "rpad(text, length [, with])",
        "The text filled up behind to a length; a longer one is cut.",
        &[("rpad('42', 5, '.')", "42...")]
    ),
    function!(
        "reverse",
        "reverse(text)",
        "The characters from the last to the first.",
        &[("reverse('abc')", "cba")]
    ),
    function!(
        "concat",
        "concat(value, …)",
        "The values one after the other as a text; a blank adds nothing. `||` does the same.",
        &[("concat('A', 1, '-', 2)", "A1-2")]
    ),
    function!(
        "text",
        "text(value)",
        "A number, date or truth as a text.",
        &[("text(5) || '%'", "5%")]
    ),
];

const TESTS: &[FunctionPage] = &[
    function!(
        "length",
        "length(text)",
        "How many characters the text has.",
        &[("length('Łódź')", "4")],
        &["len", "char_length", "character_length"]
    ),
    function!(
        "strpos",
        "strpos(text, part)",
        "At which character the part begins, counted from 1; 0 where it is not there.",
        &[("strpos('a-b', '-')", "2"), ("strpos('a-b', 'x')", "0")],
        &["position", "instr"]
    ),
    function!(
        "contains",
        "contains(text, part)",
        "Whether the part is somewhere in the text.",
        &[("contains('invoice', 'voice')", "TRUE")]
    ),
    function!(
        "starts_with",
        "starts_with(text, part)",
        "Whether the text begins so.",
        &[("starts_with('BE-1', 'BE')", "TRUE")]
    ),
    function!(
        "ends_with",
        "ends_with(text, part)",
        "Whether the text ends so.",
        &[("ends_with('a.xlsx', '.csv')", "FALSE")]
    ),
    function!(
        "regexp_like",
        "regexp_like(text, 'pattern')",
        "Whether a regular expression finds something in the text.",
        &[("regexp_like('AB-12', '^[A-Z]+-[0-9]+$')", "TRUE")]
    ),
];

const DATES: &[FunctionPage] = &[
    function!(
        "date",
        "date(text)  or  date(year, month, day)",
        "A date of a text such as 2024-01-31, of a date with a time, or of three numbers; what is none rejects the row.",
        &[
            ("date('2024-01-31') + 1", "2024-02-01"),
            ("date(2024, 2, 29)", "2024-02-29")
        ],
        &["to_date"]
    ),
    function!(
        "date_trunc",
        "date_trunc('unit', date)",
        "The first day of the date's year, quarter, month or week, or the day itself.",
        &[("date_trunc('month', date('2024-05-17'))", "2024-05-01")]
    ),
    function!(
        "year",
        "year(date)",
        "The year.",
        &[("year(date('2024-05-17'))", "2024")]
    ),
    function!(
        "quarter",
        "quarter(date)",
        "The quarter, from 1 to 4.",
        &[("quarter(date('2024-05-17'))", "2")]
    ),
    function!(
        "month",
        "month(date)",
        "The month, from 1 to 12.",
        &[("month(date('2024-05-17'))", "5")]
    ),
    function!(
        "week",
        "week(date)",
        "The week of the year as ISO 8601 counts it.",
        &[("week(date('2024-01-08'))", "2")]
    ),
    function!(
        "day",
        "day(date)",
        "The day of the month.",
        &[("day(date('2024-05-17'))", "17")]
    ),
    function!(
        "weekday",
        "weekday(date)",
        "The day of the week: 1 is Monday, 7 is Sunday.",
        &[("weekday(date('2024-05-17'))", "5")]
    ),
    function!(
        "hour",
        "hour(time)",
        "The hour of a time or of a date with a time.",
        &[("hour(time '13:45:10')", "13")]
    ),
    function!(
        "minute",
        "minute(time)",
        "The minute.",
        &[("minute(time '13:45:10')", "45")]
    ),
    function!(
        "second",
        "second(time)",
        "The second.",
        &[("second(time '13:45:10')", "10")]
    ),
];

const CHOICES: &[FunctionPage] = &[
    function!(
        "if",
        "if(condition, then [, otherwise])",
        "One of two values; without the last one, a blank. `case when … then … else … end` has more branches.",
        &[("if(2 > 1, 'yes', 'no')", "yes"), ("if(2 < 1, 'yes')", "")],
        &["iif"]
    ),
    function!(
        "coalesce",
        "coalesce(value, …)",
        "The first of the values that is not blank.",
        &[("coalesce(null, 'none', 'other')", "none")]
    ),
    function!(
        "nullif",
        "nullif(value, other)",
        "A blank where the two are equal, otherwise the value.",
        &[("nullif('n/a', 'n/a')", ""), ("nullif('a', 'n/a')", "a")]
    ),
];

/// The rows that the examples of totals are over: a column `x` of these cells.
pub const TOTALS_OF: [&str; 4] = ["4", "1", "", "4"];

/// The totals of a group of rows: for `group`, and nowhere else.
pub const TOTALS: &[FunctionPage] = &[
    function!(
        "count",
        "count(*)  or  count([distinct] value)",
        "How many rows there are, in how many the value is filled, or how many different ones it has.",
        &[("count(*)", "4"), ("count(x)", "3"), ("count(distinct x)", "2")]
    ),
    function!(
        "sum",
        "sum(number)",
        "The total; blanks add nothing.",
        &[("sum(x)", "9"), ("sum(x * 10)", "90")]
    ),
    function!(
        "avg",
        "avg(number)",
        "The average of what is filled.",
        &[("avg(x)", "3")],
        &["mean", "average"]
    ),
    function!("min", "min(value)", "The smallest number or date.", &[("min(x)", "1")]),
    function!("max", "max(value)", "The greatest number or date.", &[("max(x)", "4")]),
    function!(
        "median",
        "median(number)",
        "The number in the middle of all, or between the two in the middle.",
        &[("median(x)", "4")]
    ),
    function!(
        "first",
        "first(value)",
        "The first value that is filled, in the order of the rows.",
        &[("first(x)", "4")]
    ),
    function!(
        "last",
        "last(value)",
        "The last value that is filled.",
        &[("last(x)", "4")]
    ),
];
