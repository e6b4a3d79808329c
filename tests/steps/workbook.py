"""Writes a table as a workbook (ECMA-376) or as csv, with each value exactly as it is: a number with all digits that tell it apart,
a text with every character, a day before 1900 as the date that it is."""
import datetime
import re
import zipfile

SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Cell formats by position: plain, a day, a day with a time, a time.
STYLES = (0, 14, 22, 21)
FIRST_DAY = {False: datetime.date(1900, 3, 1), True: datetime.date(1904, 1, 1)}


def letters(column):
    """A, B, … AA, from 0."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def escaped(text):
    """A text in XML: characters that XML has not as `_x0001_`, and what would be read as such escaped too (part 1, 22.4.2.4)."""
    text = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    text = re.sub("[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]", lambda found: f"_x{ord(found[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def serial(value, since_1904):
    """Days since the first day of the workbook's calendar, exact to the second."""
    if isinstance(value, datetime.time):
        return (value.hour * 3600 + value.minute * 60 + value.second) / 86400
    epoch = datetime.datetime(1904, 1, 1) if since_1904 else datetime.datetime(1899, 12, 30)
    moment = value if isinstance(value, datetime.datetime) else datetime.datetime.combine(value, datetime.time())
    gone = moment - epoch
    return gone.days + gone.seconds / 86400 if gone.seconds else gone.days


def cell(at, value, since_1904):
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escaped(value)}</t></is></c>'
    if isinstance(value, (int, float)):
        return f'<c r="{at}"><v>{value!r}</v></c>'
    style = 3 if isinstance(value, datetime.time) else 2 if isinstance(value, datetime.datetime) else 1
    day = value if style == 1 else value.date() if style == 2 else None
    if day is not None and day < FIRST_DAY[since_1904]:
        return f'<c r="{at}" s="{style}" t="d"><v>{value.isoformat()}</v></c>'
    return f'<c r="{at}" s="{style}"><v>{serial(value, since_1904)!r}</v></c>'


def sheet(header, rows, since_1904):
    lines = []
    for number, row in enumerate([header, *rows], 1):
        cells = "".join(cell(f"{letters(column)}{number}", value, since_1904) for column, value in enumerate(row))
        lines.append(f'<row r="{number}">{cells}</row>')
    return f'<worksheet xmlns="{SPREADSHEET}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def write_xlsx(path, header, rows, since_1904=False):
    formats = "".join(f'<xf numFmtId="{number}" applyNumberFormat="1"/>' for number in STYLES)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{OFFICE}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{OFFICE}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{OFFICE}.styles+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{RELATIONSHIPS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{RELATIONSHIPS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{RELATIONSHIPS}/styles" Target="styles.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{RELATIONSHIPS}"><workbookPr date1904="{int(since_1904)}"/><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/styles.xml": f'<styleSheet xmlns="{SPREADSHEET}"><cellXfs count="{len(STYLES)}">{formats}</cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": sheet(header, rows, since_1904),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + text)


def fits_csv(kinds, rows):
    """Whether a csv file tells the same: columns of whole numbers, days, truths and texts that cannot be taken for any of these."""
    for at, kind in enumerate(kinds):
        texts = [row[at] for row in rows if isinstance(row[at], str)]
        plain = not texts or any(re.search("[a-zßé] ?[bx]|[ßé]$", text) for text in texts)
        odd = any(re.search("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufeff]", text) for text in texts)
        # Sixteen digits may be an id: they stay text.
        long = any(isinstance(row[at], (int, float)) and abs(row[at]) >= 1e15 for row in rows)
        if kind not in ("integer", "date", "boolean", "text", "blank") or not plain or odd or long:
            return False
    return True


def write_csv(path, header, rows):
    """Texts in quotes, blanks without."""

    def cell(value):
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, str):
            return '"' + value.replace('"', '""') + '"'
        return "" if value is None else str(int(value)) if isinstance(value, float) else str(value)

    lines = [",".join(map(cell, row)) for row in [header, *rows]]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="")
