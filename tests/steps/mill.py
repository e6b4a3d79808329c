"""Runs recipes at the terminal and reads what comes out of them."""
import csv
import datetime
import json
import pathlib
import subprocess
import sys
from dataclasses import dataclass

from workbook import fits_csv, write_csv, write_xlsx

csv.field_size_limit(sys.maxsize)


# What a file is shows in its first bytes, whatever it is called.
OURS = "ours.table"


@dataclass
class Outcome:
    """What a run gave: the columns (None where there are no rows to tell), the rows, the account of each step, and the list of
    rejects as row, rule and severity."""

    code: int
    said: str
    names: list
    rows: list
    ledger: list
    rejects: list
    sha256: str


def shown(value):
    """A value as it stands in JSON lines."""
    if isinstance(value, (datetime.datetime, datetime.time)):
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def equal(ours, theirs):
    """Numbers by value, whatever their type; a truth is no number."""
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        return ours == theirs
    return type(ours) is type(theirs) and ours == theirs


class Mill:
    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)

    def run(self, steps, table, others=None, jobs=None, memory=None, since_1904=False, written="xlsx", format="jsonl", further=None):
        """Runs steps over a table, written as xlsx or, where that tells the same, as csv."""
        as_csv = written == "csv" and fits_csv(table.kinds, table.written)
        source, recipe, out = (self.folder / name for name in (OURS, "recipe.json", f"out.{format}"))
        report, rejects = self.folder / "report.json", self.folder / "rejects.csv"
        for path in (out, report, rejects):
            path.unlink(missing_ok=True)
        if as_csv:
            write_csv(source, table.names, table.written)
        else:
            write_xlsx(source, table.names, table.written, since_1904)
        given = {"header": 1, **({"delimiter": ","} if as_csv else {})}
        recipe.write_text(json.dumps({"input": given, "steps": steps, "output": {"format": format}}), encoding="utf-8")
        files = [source]
        if further:
            files.append(self.folder / "other.table")
            write_xlsx(files[-1], further.names, further.written, since_1904)
        command = [self.program, "run", recipe, *files, "--out", out, "--report", report, "--rejects", rejects]
        for name, other in (others or {}).items():
            write_xlsx(self.folder / f"{name}.xlsx", other.names, other.written, since_1904)
            command += ["--with", f"{name}={self.folder / name}.xlsx"]
        command += ["--jobs", str(jobs)] if jobs else []
        command += ["--memory", memory] if memory else []
        end = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)
        return self.read(end, out, report, rejects)

    def read(self, end, out, report, rejects):
        said = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {"ledger": [], "outputs": []}
        names, rows = None, []
        if out.exists() and out.suffix == ".jsonl":
            # Not splitlines: texts hold line ends of Unicode.
            objects = [json.loads(line, parse_int=float) for line in out.read_text(encoding="utf-8").split("\n") if line]
            names = list(objects[0]) if objects else None
            rows = [list(line.values()) for line in objects]
        if out.exists() and out.suffix == ".csv":
            with open(out, encoding="utf-8-sig", newline="") as lines:
                names, *rows = csv.reader(lines)
        listed = []
        if rejects.exists():
            with open(rejects, encoding="utf-8-sig", newline="") as lines:
                listed = [(int(line["row"]), line["rule"], line.get("severity")) for line in csv.DictReader(lines)]
        sha256 = next((it["sha256"] for it in said["outputs"] if it["role"] == "result"), None)
        return Outcome(end.returncode, end.stderr, names, rows, said["ledger"], listed, sha256)
