"""Makes the bad inputs of RELIABILITY.md section 3 that make_hostile.py does not make, each called after its number there.

Usage: make_bad_inputs.py FOLDER      (after make_hostile.py FOLDER, whose ok.xlsx it starts from)
"""
import io
import os
import struct
import sys
import zipfile
import zlib

os.chdir(sys.argv[1])
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
ONE = '<row r="1"><c r="A1"><v>1</v></c></row>'
OK = open("ok.xlsx", "rb").read()


def write(name, content):
    with open(name, "wb") as out:
        out.write(content if isinstance(content, bytes) else content.encode())


def text_cell(at, text):
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def sheet(rows, more=""):
    return f"{HEAD}<worksheet {NS} {R}><sheetData>{rows}</sheetData>{more}</worksheet>"


def book(name, sheets, states=None, types=None, strings=None, styles=None, parts=None, targets=None, pack=zipfile.ZIP_DEFLATED):
    """sheets: name and xml; types: 'worksheet', 'chartsheet', 'dialogsheet'."""
    states, types, parts, targets = states or {}, types or {}, parts or {}, targets or {}
    lists, relations = "", ""
    content = {}
    for number, (title, xml) in enumerate(sheets, 1):
        kind = types.get(title, "worksheet")
        state = f' state="{states[title]}"' if title in states else ""
        lists += f'<sheet name="{title}" sheetId="{number}"{state} r:id="rId{number}"/>'
        target = targets.get(title, f"{kind}s/sheet{number}.xml")
        relations += f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        content[f"xl/{kind}s/sheet{number}.xml"] = xml
    if strings is not None:
        relations += f'<Relationship Id="rIdS" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        content["xl/sharedStrings.xml"] = strings
    if styles is not None:
        relations += f'<Relationship Id="rIdT" Type="{OFFICE}/styles" Target="styles.xml"/>'
        content["xl/styles.xml"] = styles
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    files = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{rels}"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f"{HEAD}<workbook {NS} {R}><sheets>{lists}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{rels}">{relations}</Relationships>',
        **content,
        **parts,
    }
    with zipfile.ZipFile(name, "w", pack) as out:
        for path, data in files.items():
            out.writestr(path, data)


def archive(name, files):
    with zipfile.ZipFile(name, "w") as out:
        for path, data in files.items():
            out.writestr(path, data)


# 3, 6, 7: other things under a spreadsheet's name
write("3-picture.xlsx", b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
write("3-document.xlsx", b"%PDF-1.7\n%\xe2\xe3\n")
write("6-text.xlsx", "id,name\n1,Zoe\n2,Rene\n")
write("6-workbook.csv", OK)
archive("7-word.xlsx", {"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"})
archive("7-text.xlsx", {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"})
archive("7-program.xlsx", {"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n", "A.class": b"\xca\xfe\xba\xbe"})
# 10: one bit of a packed sheet
flipped = bytearray(OK)
at = OK.index(b"xl/worksheets/sheet1.xml") + 60
flipped[at] ^= 0x10
write("10-flipped.xlsx", bytes(flipped))


# 17, 18: directories that lie
def directory(entries, bodies):
    out, offsets = io.BytesIO(), []
    for name, data, raw in bodies:
        offsets.append(out.tell())
        out.write(struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 0, zlib.crc32(raw), len(data), len(raw), len(name), 0) + name + data)
    start = out.tell()
    for name, body, size in entries:
        _, data, raw = bodies[body]
        out.write(struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8, 0, 0, zlib.crc32(raw), len(data), len(raw) if size is None else size, len(name), 0, 0, 0, 0, 0, offsets[body]) + name)
    end = out.tell()
    out.write(struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, len(entries), len(entries), end - start, start, 0))
    return out.getvalue()


def bodies():
    with zipfile.ZipFile(io.BytesIO(OK)) as source:
        for name in source.namelist():
            raw = source.read(name)
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            yield name.encode(), packer.compress(raw) + packer.flush(), raw


parts = list(bodies())
sheet_at = [name for name, _, _ in parts].index(b"xl/worksheets/sheet1.xml")
entries = [(name, index, None) for index, (name, _, _) in enumerate(parts)]
write("17-overlap.xlsx", directory(entries + [(b"xl/media/a%d.bin" % n, sheet_at, None) for n in range(50)], parts))
large = f"{HEAD}<worksheet {NS}><sheetData>{'<row/>' * 20_000_000}</sheetData></worksheet>".encode()
packer = zlib.compressobj(9, zlib.DEFLATED, -15)
lying = list(parts)
lying[sheet_at] = (lying[sheet_at][0], packer.compress(large) + packer.flush(), large)
write("18-declared.xlsx", directory([(name, index, 10 if index == sheet_at else None) for name, index, _ in entries], lying))
# 23: a column that Excel does not have
book("23-column.xlsx", [("S", sheet('<row r="1"><c r="XFE1"><v>1</v></c></row>'))])
# 28: an address that must never be asked (a test listens nowhere: it is refused before)
book("28-fetch.xlsx", [("S", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/">]><worksheet ' + NS + '><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&e;</t></is></c></row></sheetData></worksheet>')])
book("29-doctype.xlsx", [("S", f'<?xml version="1.0"?><!DOCTYPE worksheet><worksheet {NS}><sheetData>{ONE}</sheetData></worksheet>')])
# 36, 37: sheets that do not show or hold no cells
book("36-hidden.xlsx", [("A", sheet(ONE)), ("B", sheet(ONE))], states={"A": "hidden", "B": "veryHidden"})
book("36-none.xlsx", [])
book("37-chart.xlsx", [("Data", sheet(ONE)), ("Chart", f"{HEAD}<chartsheet {NS}/>"), ("Ask", f"{HEAD}<dialogsheet {NS}/>")], types={"Chart": "chartsheet", "Ask": "dialogsheet"})
# 39: UTF-16
book("39-utf16.xlsx", [("S", f'<?xml version="1.0" encoding="UTF-16"?><worksheet {NS}><sheetData>{ONE}</sheetData></worksheet>'.encode("utf-16"))])
# 40 to 43: names in the zip
with zipfile.ZipFile(io.BytesIO(OK)) as source, zipfile.ZipFile("40-backslash.xlsx", "w") as out:
    for name in source.namelist():
        info = zipfile.ZipInfo("x")
        info.filename = name.replace("/", "\\")
        out.writestr(info, source.read(name))
with zipfile.ZipFile(io.BytesIO(OK)) as source, zipfile.ZipFile("40-upper.xlsx", "w") as out:
    for name in source.namelist():
        out.writestr(name.upper() if name.startswith("xl/") else name, source.read(name))
import warnings

warnings.simplefilter("ignore")
write("42-duplicate.xlsx", OK)
with zipfile.ZipFile("42-duplicate.xlsx", "a") as out:
    out.writestr("xl/worksheets/sheet1.xml", sheet('<row r="1"><c r="A1"><v>2</v></c></row>'))
write("43-link.xlsx", OK)
with zipfile.ZipFile("43-link.xlsx", "a") as out:
    link = zipfile.ZipInfo("xl/link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    out.writestr(link, "/etc/passwd")
# 44 to 46: texts
for name, length in (("32767", 32_767), ("1m", 1_000_000), ("2m", 2_000_000)):
    book(f"44-text-{name}.xlsx", [("S", sheet(f'<row r="1">{text_cell("A1", "x" * length)}</row>'))])
used = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 12_001))
book("45-shared.xlsx", [("S", sheet(used))], strings=f'{HEAD}<sst {NS} count="12000" uniqueCount="1"><si><t>{"x" * 1_000_000}</t></si></sst>')
odd = ["_x0000_", "_x0041_B", "_x005F_x0041_", "a&#xFFFD;", "&#x202E;abc", "a&#9;b", "_xD800_", "&#x200B;"]
book("46-characters.xlsx", [("S", sheet("".join(f'<row r="{n}">{text_cell(f"A{n}", text)}</row>' for n, text in enumerate(odd, 1))))])
# 48, 49: names of sheets and columns
names = ["=cmd", "..&#x2F;..&#x2F;x", "&lt;script&gt;", "long" * 12, "🦀"]
book("48-sheets.xlsx", [(name, sheet(ONE)) for name in names])
book("48-twice.xlsx", [("A", sheet(ONE)), ("A", sheet(ONE))])


def letters(column):
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


odd = ["a", "a", "", "__proto__", "'; drop table users; --", "a"]
wide = "".join(text_cell(f"{letters(n)}1", odd[(n - 1) % 6] if n < 13 else f"c{n}") for n in range(1, 10_001))
book("49-headers.xlsx", [("S", sheet(f'<row r="1">{wide}</row><row r="2"><c r="A2"><v>1</v></c></row>'))])
# 52 to 57: text
write("52-bom.csv", "\ufeffid,name\n1,Zoë\n")
write("52-utf16.csv", b"\xff\xfe" + "id,name\n1,Zoë\n".encode("utf-16-le"))
write("52-latin.csv", "id;name\n1;Zoë\n2;René\n".encode("latin-1"))
write("52-shift-jis.csv", "番号,名前\n1,東京都千代田区\n2,大阪府大阪市\n".encode("shift-jis"))
write("52-mixed.csv", "id,name\n1,Zoë\n".encode() + "2,René\n".encode("latin-1"))
write("52-nul.csv", b"id,name\n1,a\0b\n2,c\n")
write("53-semicolon.csv", "a;b\n1;2,5\n3;4\n")
write("53-tab.csv", "a\tb\n1\t2\n3\t4")
write("53-bar.csv", "a|b\n1|2\n3|4\n")
write("53-sep.csv", "sep=;\na;b\n1;2\n")
write("53-cr.csv", "a,b\r1,2\r3,4")
write("54-quote.csv", b'a,b\n1,"2\n' + b"3,4\n" * 12_000_000)
write("55-line.csv", b"a" * 64_000_000)
write("56-ragged.csv", "a,b,c\n1,2\n1,2,3,4\n1,2,3\n")
write("56-newlines.csv", "\n" * 100)
write("57-values.csv", "id,big,date,long,nan,truth,comma\n00123,1e308,1/2/3,9007199254740993,NaN,TRUE,\"1,5\"\n00124,1,2/2/3,1,1,FALSE,\"2,5\"\n")
# 58: dates at the edges
styles = f'{HEAD}<styleSheet {NS}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
days = ["60", "0", "-1", "2958465", "2958466", "1e10", "0.5"]
book("58-dates.xlsx", [("S", sheet("".join(f'<row r="{n}"><c r="A{n}" s="1"><v>{day}</v></c></row>' for n, day in enumerate(days, 1))))], styles=styles)
# 59: Excel 2
write("59-biff2.xls", bytes([9, 0, 4, 0, 2, 0, 0x10, 0]) + b"\0" * 600)
# 61 to 63: what is not followed, run or read
external = f'{HEAD}<externalLink {NS} {R}><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'
book("61-external.xlsx", [("S", sheet(ONE))], parts={"xl/externalLinks/externalLink1.xml": external, "xl/connections.xml": f'{HEAD}<connections {NS}><connection id="1" type="4" refreshOnLoad="1"><webPr url="http://127.0.0.1:9/"/></connection></connections>'})
book("62-macros.xlsm", [("S", sheet(ONE))], parts={"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600})
book("63-embedded.xlsx", [("S", sheet(ONE))], parts={"xl/embeddings/oleObject1.bin": os.urandom(300_000), "xl/media/image1.png": os.urandom(300_000)})
# 65: a thousand sheets
book("65-sheets.xlsx", [(f"S{n}", sheet("".join(f'<row r="{r}"><c r="A{r}"><v>{r}</v></c></row>' for r in range(1, 11)))) for n in range(1000)])
