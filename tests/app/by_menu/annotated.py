"""Prints the cells of a workbook that have a colour or a note, as openpyxl reads them: one JSON object a cell."""
import json
import sys

import openpyxl

for sheet in openpyxl.load_workbook(sys.argv[1]):
    for row in sheet.iter_rows():
        for cell in row:
            colour = cell.fill.fgColor.rgb if cell.fill.fill_type else None
            if cell.comment or colour:
                note = cell.comment.text if cell.comment else None
                print(json.dumps({"cell": cell.coordinate, "value": cell.value, "colour": colour, "note": note}))
