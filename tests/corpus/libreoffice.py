#!/usr/bin/env python3
"""Opens workbooks that we wrote in LibreOffice and compares what it finds, cell by cell, with what we wrote.

libreoffice.py SHEETMILL CORPUS [EVERY]: of the corpus every 12th file (or EVERY-th) that we read, and a table of nasty values, are
written as xlsx by `SHEETMILL convert`; LibreOffice opens them, headless, and writes them again as xlsx in its own way; openpyxl,
which is neither, reads both. Values must be equal, and so must the filters, the widths of columns, the bold headers and
the number formats of the nasty table, whose texts must be those of its source too. LibreOffice without a window forgets where a
sheet is frozen; openpyxl says it. A recipe writes that table in every compression. Prints what differs and fails then.
"""
import csv
import datetime
import io
import math
import pathlib
import re
import subprocess
import sys
import tempfile

import openpyxl
from openpyxl.utils.datetime import to_excel

program, corpus = sys.argv[1:3]
every = int(sys.argv[3]) if len(sys.argv) > 3 else 12
NASTY = """id,text,number,day,moment,truth,zeros,formula
1,"a ""quoted"", text",0.1,2024-02-29,2024-02-29 23:59:59,TRUE,00123,=1+1
2,"line
break",1e-300,1900-03-01,1999-12-31 00:00:01,FALSE,0007,@SUM(A1)
3, spaces ,9007199254740992,9999-12-31,2000-01-01 12:00:00,TRUE,000,+32 470
4,"tab\there",-0.30000000000000004,2000-02-28,1970-01-01 00:00:00,FALSE,01,-5
5,🦀 ünï _x0041_,123456789.123456789,1999-01-01,2038-01-19 03:14:08,TRUE,1,＝1
6,<b>&amp;</b>,1e300,2024-12-31,2024-12-31 23:59:59,FALSE,2,'quoted
"""


def written(folder):
    """Workbooks that we wrote, as many as there are sources that we read."""
    source = folder / "nasty.csv"
    source.write_text(NASTY)
    files = sorted(path for path in pathlib.Path(corpus).rglob("*") if path.is_file())
    made = []
    for compression in ("balanced", "small"):
        recipe, out = folder / f"{compression}.yaml", folder / f"{compression}.xlsx"
        recipe.write_text(f"steps: []\noutput: {{xlsx: {{compression: {compression}}}}}\n")
        subprocess.run([program, "run", str(recipe), str(source), "--out", str(out)], check=True, capture_output=True, timeout=120)
        made.append(("nasty.csv", out))
    for number, path in enumerate([source, *files[::every]]):
        out = folder / f"{number:04}.xlsx"
        end = subprocess.run([program, "convert", str(path), "--out", str(out)], capture_output=True, timeout=120)
        if end.returncode == 0 and out.exists():
            made.append((path.name, out))
    return made


def value(cell):
    """A cell's value as both programs may write it: moments and spans in days."""
    it = cell.value
    if isinstance(it, str):
        if it in ("=TRUE()", "=FALSE()"):
            return it == "=TRUE()"  # LibreOffice has truths as formulas
        return it.removeprefix("=") if it.startswith("=#") else it
    if isinstance(it, (datetime.date, datetime.time, datetime.timedelta)):
        return to_excel(it)
    return it


def unescaped(text):
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def cells(path):
    book = openpyxl.load_workbook(path)
    # By position: LibreOffice renames a sheet called `sheet1`.
    return {(at, cell.coordinate): value(cell) for at, sheet in enumerate(book.worksheets, 1) for row in sheet.iter_rows() for cell in row if cell.value is not None}


def looks(path, with_formats):
    """What a sheet looks like: where it is filtered, widths of columns, the weight of the header, number formats."""
    found = {}
    for at, sheet in enumerate(openpyxl.load_workbook(path).worksheets, 1):
        found[at, "filter"] = sheet.auto_filter.ref
        for cell in next(sheet.iter_rows(max_row=1), []):
            # Neighbours of one width are one entry to LibreOffice.
            groups = (it for it in sheet.column_dimensions.values() if it.min <= cell.column <= it.max)
            found[at, "width", cell.column] = next((round(it.width) for it in groups), None)
            found[at, "bold", cell.column] = bool(cell.font.b)
        if with_formats:
            for row in sheet.iter_rows(min_row=2):
                for cell in row:
                    if cell.value is not None:
                        found[at, "format", cell.coordinate] = re.sub(r"[\\\"]", "", cell.number_format).lower()
    return found


def wrong_texts(path):
    """Cells of the nasty table that are texts and not as in its source."""
    found, wrong = cells(path), []
    for number, row in enumerate(csv.reader(io.StringIO(NASTY)), 1):
        for letter, text in zip("ABCDEFGH", row):
            if letter in "BGH" or number == 1:
                read = found.get((1, f"{letter}{number}"))
                if text not in (read, unescaped(str(read))):
                    wrong.append((f"{letter}{number}", text, read))
    return wrong


def same(ours, theirs):
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        # LibreOffice writes 15 significant digits; moments are exact to the millisecond.
        return math.isclose(ours, theirs, rel_tol=1e-13) or ours > 1 and abs(ours - theirs) < 1e-8
    if isinstance(ours, str) and isinstance(theirs, str):
        # LibreOffice reads `_x005F_x0041_` right and writes `_x0041_`, and a carriage return is a line end to it.
        plain = unescaped(ours).replace("\r\n", "\n").replace("\r", "\n")
        return plain in (it.replace("\r\n", "\n").replace("\r", "\n") for it in (theirs, unescaped(theirs)))
    return ours == theirs


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        made = written(folder)
        again = folder / "again"
        command = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(again)]
        # A few at a time: one start of LibreOffice opens only so many.
        for first in range(0, len(made), 50):
            subprocess.run(command + [str(out) for _, out in made[first : first + 50]], check=True, capture_output=True, timeout=300)
        wrong = compared = 0
        for name, out in made:
            theirs = again / out.name
            if not theirs.exists():
                print(f"{name}: LibreOffice did not open it")
                wrong += 1
                continue
            a, b = cells(out), cells(theirs)
            compared += len(a)
            differences = [(at, a.get(at), b.get(at)) for at in sorted(set(a) | set(b)) if not same(a.get(at), b.get(at))]
            a, b = looks(out, name == "nasty.csv"), looks(theirs, name == "nasty.csv")
            differences += [(at, ours, b.get(at)) for at, ours in a.items() if ours != b.get(at)]
            for at, ours, other in differences[:5]:
                print(f"{name}, sheet {at[0]}, {at[1:]}: we wrote {ours!r}, LibreOffice found {other!r}")
            if name == "nasty.csv":
                texts = wrong_texts(out)
                for at, text, read in texts:
                    print(f"{name}, {at}: {text!r} of the source was read as {read!r}")
                wrong += len(texts)
            wrong += len(differences)
            for sheet in openpyxl.load_workbook(out).worksheets:
                if sheet.freeze_panes != "A2":
                    print(f"{name}, {sheet.title}: the header is not frozen")
                    wrong += 1
        print(f"{len(made)} workbooks, {compared} cells, {wrong} differences")
        sys.exit(1 if wrong else 0)


main()
