#!/usr/bin/env python3
"""Holds what each step and each function makes of generated tables against DuckDB, or Python where that has no such thing.

agree.py SHEETMILL [--cases N] [--seed S] [--only NAME,…]: N cases (STEPS_CASES, 25) for each, made from a seed (STEPS_SEED) that is
printed: a case is the same again with the same seed and number. Then each step once over many rows with 1, 2 and 8 threads and
little memory: the same bytes come of it. What differs must stand in judgements.tsv. A step that `recipe steps` lists, or a
function of the list in the source, without a judge here fails.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import traceback

import columns  # noqa: F401  (these register judges)
import functions
import orders  # noqa: F401
import others  # noqa: F401
import rows  # noqa: F401
import texts  # noqa: F401
import totals  # noqa: F401
import values  # noqa: F401
from cases import JUDGES
from mill import Mill, equal, shown
from nasty import Table

COUNTS = ("rejected", "filtered", "deduplicated", "aggregated", "added", "warned")
SHOWN = 3
MANY_ROWS = 20_000
# Threads and memory, which change nothing of what comes out.
WAYS = ((1, "512MB"), (2, "128MB"), (8, "128MB"))


def steps_of(program):
    """The steps that the program knows: two blanks and a name begin their lines."""
    said = subprocess.run([program, "recipe", "steps"], capture_output=True, text=True, check=True).stdout
    return re.findall("^  ([a-z_]+) ", said, re.M)


def differences(case, got):
    """What is not as it must be, in sentences."""
    if case.refused:
        return [] if got.code == 1 and case.refused in got.said else [f"ended with {got.code}, wanted to hear: {case.refused}"]
    if got.code != 0 or not got.ledger:
        return [f"ended with {got.code}: {got.said.strip()}"]
    wanted = [[shown(value) for value in row] for row in case.rows]
    found = []
    if case.chooses:
        found += filter(None, [case.chooses(got.rows)])
        by_id = {row[0]: row for row in wanted}
        case.rows = wanted = [by_id.get(row[0], []) for row in got.rows]
    if got.names is not None and got.names != case.names:
        found.append(f"columns are {got.names}, wanted {case.names}")
    if len(got.rows) != len(wanted):
        found.append(f"{len(got.rows)} rows, wanted {len(wanted)}")
    for at, (ours, theirs) in enumerate(zip(got.rows, wanted)):
        for name, a, b in zip(case.names, ours, theirs):
            alike = case.same and isinstance(a, float) and isinstance(b, float) and case.same(a, b)
            if not equal(a, b) and not alike:
                found.append(f"row {at}, {name}: {a!r}, wanted {b!r}")
    return found + account(case, got)


def account(case, got):
    """The ledger and the list of rejects: all rows are there, and their numbers are right."""
    found = []
    if case.listed is not None and sorted(got.rejects) != case.listed:
        found.append(f"the list of rejects has {[it for it in got.rejects if it not in case.listed][:5]}, wanted {[it for it in case.listed if it not in got.rejects][:5]}")
    listed = sorted({row for row, _, severity in got.rejects if severity != "warning"})
    numbers = sorted(case.table.numbers[at] for at in case.rejected)
    if listed != numbers:
        found.append(f"rejected rows {listed}, wanted {numbers}")
    for step in got.ledger:
        if step["rows_in"] + step["added"] != step["kept"] + step["rejected"] + step["filtered"] + step["deduplicated"] + step["aggregated"]:
            found.append(f"the account does not balance: {step}")
        if step["hash_in"] != step["hash_out"]:
            found.append(f"rows were exchanged: {step}")
    if case.further:
        return found
    first, last = got.ledger[0], got.ledger[-1]
    for name, count in {"rejected": len(set(case.rejected)), **case.fates}.items():
        if last[name] != count:
            found.append(f"{last[name]} rows {name}, wanted {count}")
    if first["kept"] != len(case.table.rows) or last["kept"] != len(case.rows):
        found.append(f"the account has {first['kept']} rows read and {last['kept']} kept, wanted {len(case.table.rows)} and {len(case.rows)}")
    return found


def judgements():
    """Name, what a difference says, and the reason why it is none."""
    path = pathlib.Path(__file__).with_name("judgements.tsv")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [(name, re.compile(says)) for name, says, _ in (line.split("\t") for line in lines)]


def check(program, name, seed, count):
    """Cases of a step or, with brackets behind its name, of a function: how many differ, and lines to print."""
    step, make = ("compute", lambda dice: functions.case(dice, name[:-2])) if name.endswith("()") else (name, JUDGES[name])
    known, bad, judged, lines = [says for of, says in judgements() if of == name], 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        mill = Mill(program, folder)
        for number in range(count):
            dice, case = random.Random(f"{seed} {name} {number}"), None
            try:
                case = make(dice)
                how = {"since_1904": dice.random() < 0.2, "written": dice.choice(["xlsx", "csv"]), "further": case.further}
                got = mill.run([{step: case.options}], case.table, case.others, **how)
                if got.code == 0 and not got.rows:
                    # JSON lines of no rows have no names.
                    header = mill.run([{step: case.options}], case.table, case.others, format="csv", **how).names or []
                    got.names = [name.removeprefix("'") for name in header]
                found = differences(case, got)
            except Exception:
                found = [traceback.format_exc()[-600:]]
            if found and all(any(says.search(line) for says in known) for line in found):
                judged += 1
            elif found:
                bad += 1
                if bad <= SHOWN:
                    lines.append(f"{name}, case {number}: {json.dumps(getattr(case, 'options', None))[:300]}")
                    lines += [f"  {line[:250]}" for line in found[:4]]
    return bad, [*lines, f"{name}: {count} cases, {bad} differ" + (f", {judged} judged" if judged else "")]


def repeat(program, name, seed):
    """A step over many rows, again and again: how many ways give other bytes, and lines to print."""
    dice = random.Random(f"{seed} {name} many")
    cases = iter(lambda: JUDGES[name](dice), None)
    # Texts as long as cells may be would take another amount of memory, not of time.
    case = next(case for case in cases if not case.refused and len(case.table.written) >= 3 and "32767" not in json.dumps(case.options))
    again = [[cell[:50] if isinstance(cell, str) else cell for cell in row] for row in dice.choices(case.table.written, k=MANY_ROWS)]
    # The rows of the case come first, so that each column is of the same kind.
    table = Table(case.table.names, case.table.written + again)
    with tempfile.TemporaryDirectory() as folder:
        mill = Mill(program, folder)
        made = [mill.run([{name: case.options}], table, case.others, jobs, memory) for jobs, memory in WAYS]
    odd = [way for way, got in zip(WAYS, made) if got.code != 0 or (got.sha256, got.rejects) != (made[0].sha256, made[0].rejects)]
    lines = [f"{name}: {jobs} jobs and {memory} give other bytes: {json.dumps(case.options)[:300]}" for jobs, memory in odd]
    return len(odd), lines + [got.said.strip() for got in made if got.code != 0][:1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, default=int(os.environ.get("STEPS_CASES", "25")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("STEPS_SEED", "0")) or random.randrange(1, 10**6))
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    steps, called = steps_of(given.program), functions.names()
    names = [*steps, *(f"{name}()" for name in called)]
    missing = sorted({*steps} - {*JUDGES}) + sorted({*called} - {*functions.FUNCTIONS})
    wanted = [name for name in names if name.removesuffix("()") not in missing and (not given.only or name in given.only.split(","))]
    print(f"seed {given.seed}, {given.cases} cases each", flush=True)
    wrong = 0
    with concurrent.futures.ProcessPoolExecutor() as pool:
        done = [pool.submit(check, given.program, name, given.seed, given.cases) for name in wanted]
        done += [pool.submit(repeat, given.program, name, given.seed) for name in wanted if name in JUDGES]
        for each in done:
            bad, lines = each.result()
            wrong += bad
            print("\n".join(lines), end="\n" if lines else "", flush=True)
    for name in missing:
        print(f"{name}: there is no judge for it")
    print(f"{len(wanted)} steps and functions, {wrong} differences; the same again with STEPS_SEED={given.seed}")
    sys.exit(1 if wrong or missing else 0)


if __name__ == "__main__":
    main()
