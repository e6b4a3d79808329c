#!/usr/bin/env python3
"""Holds our cells against those of independent readers, and what differs against the judgements beside this file.

judge.py COMMAND CORPUS: runs CORPUS/agree.py with COMMAND (`sheetmill cells`) over CORPUS/files. Every file with a difference, and
every file that only we refuse, has a line in judgements.tsv: file, what differs in JSON, and the reason's letter; the reasons
are in README.md. Prints a line a format, and fails where a difference is not on the list or fewer than 99.5 % of the cells of a
format agree once what is judged is left out.
"""
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter

here = os.path.dirname(os.path.abspath(__file__))
command, corpus = sys.argv[1:3]
files = os.path.join(corpus, "files")
judged = {}
with open(os.path.join(here, "judgements.tsv"), encoding="utf-8") as lines:
    for line in lines:
        name, differs, reason = line.rstrip("\n").split("\t")
        judged[name] = (json.loads(differs), reason)

with tempfile.TemporaryDirectory() as folder:
    report = os.path.join(folder, "report.tsv")
    subprocess.run([sys.executable, os.path.join(corpus, "agree.py"), "--ours", command, "--report", report, files], check=True)
    with open(report, encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]

cells, unknown = {}, []
for row in rows:
    name, outcome = os.path.relpath(row[0], files), row[1]
    kind = name.rsplit(".", 1)[-1].lower()
    count = cells.setdefault(kind, Counter())
    known, _ = judged.get(name, ({}, ""))
    if outcome == "compared":
        found = json.loads(row[3])
        count["same"] += found.pop("same", 0)
        for what, number in found.items():
            count["judged" if known.get(what, 0) >= number else "open"] += number
        if any(known.get(what, 0) < number for what, number in found.items()):
            unknown.append((name, found, row[4]))
    elif outcome in ("ours-refuses", "ours-crashes") and outcome not in known:
        unknown.append((name, outcome, row[2]))

failed = bool(unknown)
for kind, count in sorted(cells.items()):
    share = 100 * count["same"] / ((count["same"] + count["open"]) or 1)
    failed |= share < 99.5
    print(f"{kind}: {count['same']} cells agree, {count['judged']} are judged, {count['open']} are open: {share:.3f} %")
for name, what, example in unknown:
    print(f"not judged: {name} {what} {example}")
sys.exit(failed)
