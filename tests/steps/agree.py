#!/usr/bin/env python3
"""Holds what each step makes of generated tables against DuckDB, or Python where that has no such thing.

agree.py SHEETMILL [--cases N] [--seed S] [--only STEP]: N (40) cases for each step and each function, made from a seed that is
printed. A step that `recipe steps` lists and that has no judge here fails, as does every difference that is not in judgements.tsv.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import traceback

import columns  # noqa: F401  (these register judges)
import orders  # noqa: F401
import others  # noqa: F401
import rows  # noqa: F401
import texts  # noqa: F401
import totals  # noqa: F401
import values  # noqa: F401
from cases import JUDGES
from mill import Mill, equal, shown

COUNTS = ("rejected", "filtered", "deduplicated", "aggregated", "added")


def steps_of(program):
    """The steps that the program knows: two blanks and a name begin their lines."""
    said = subprocess.run([program, "recipe", "steps"], capture_output=True, text=True, check=True).stdout
    return re.findall("^  ([a-z_]+) ", said, re.M)


def differences(case, got):
    """What is not as it must be, in sentences."""
    if case.refused:
        return [] if got.code == 1 and case.refused in got.said else [f"ended with {got.code}, wanted to hear: {case.refused}"]
    if got.code not in (0, 3) or not got.ledger:
        return [f"ended with {got.code}: {got.said.strip()}"]
    rows = [[shown(value) for value in row] for row in case.rows]
    found = []
    if case.chooses:
        found += filter(None, [case.chooses(got.rows)])
        by_id = {row[0]: row for row in rows}
        case.rows = rows = [by_id.get(row[0], []) for row in got.rows]
    if got.names is not None and got.names != case.names:
        found.append(f"columns are {got.names}, wanted {case.names}")
    if len(got.rows) != len(rows):
        found.append(f"{len(got.rows)} rows, wanted {len(rows)}")
    for at, (ours, theirs) in enumerate(zip(got.rows, rows)):
        for name, a, b in zip(case.names, ours, theirs):
            if not equal(a, b):
                found.append(f"row {at}, {name}: {a!r}, wanted {b!r}")
    rejected = sorted({row for row, _, severity in got.rejects if severity != "warning"})
    if rejected != sorted(case.table.numbers[at] for at in case.rejected):
        found.append(f"rejected {rejected}, wanted {[case.table.numbers[at] for at in case.rejected]}")
    return found + account(case, got)


def account(case, got):
    """The ledger: each step's rows are all there, and their number is right."""
    found = []
    for step in got.ledger:
        if step["rows_in"] + step["added"] != step["kept"] + step["rejected"] + step["filtered"] + step["deduplicated"] + step["aggregated"]:
            found.append(f"the account does not balance: {step}")
        if step["hash_in"] != step["hash_out"]:
            found.append(f"rows were exchanged: {step}")
    first, last = got.ledger[0], got.ledger[-1]
    wanted = {"rejected": len(set(case.rejected)), **case.fates}
    for name in COUNTS:
        if name in wanted and last[name] != wanted[name]:
            found.append(f"{last[name]} rows {name}, wanted {wanted[name]}")
    if first["kept"] != len(case.table.rows) or last["kept"] != len(case.rows):
        found.append(f"the account has {first['kept']} rows read and {last['kept']} kept, wanted {len(case.table.rows)} and {len(case.rows)}")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, default=int(os.environ.get("STEPS_CASES", "40")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("STEPS_SEED", "0")) or random.randrange(1, 10**6))
    parser.add_argument("--only")
    given = parser.parse_args()
    names = steps_of(given.program)
    missing = sorted(set(names) - set(JUDGES))
    print(f"seed {given.seed}, {given.cases} cases a step")
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        mill = Mill(given.program, folder)
        for name in names:
            if name in JUDGES and (given.only is None or name in given.only.split(",")):
                wrong += check(mill, name, given)
    for name in missing:
        print(f"{name}: no judge")
    sys.exit(1 if wrong or missing else 0)


def check(mill, name, given):
    bad = 0
    for number in range(given.cases):
        dice, case = random.Random(f"{given.seed} {name} {number}"), None
        try:
            case = JUDGES[name](dice)
            got = mill.run([{name: case.options}], case.table, case.others, since_1904=dice.random() < 0.2, policy=case.policy)
            found = differences(case, got)
        except Exception:
            found = [traceback.format_exc()[-500:]]
        if found:
            bad += 1
            if bad <= 3:
                print(f"{name}, case {number}: {json.dumps(getattr(case, 'options', None), ensure_ascii=True)[:300]}")
                for line in found[:4]:
                    print(f"  {line[:600]}")
    print(f"{name}: {given.cases} cases, {bad} with differences", flush=True)
    return bad


main()
