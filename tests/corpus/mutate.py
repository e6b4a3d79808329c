#!/usr/bin/env python3
"""Damages workbooks of the corpus at random and has them read: no crash, no endless loop, whatever they hold.

mutate.py SHEETMILL CORPUS [SECONDS [SEED]]: for so many seconds (60), from a seed (the time), `SHEETMILL inspect` on damaged copies: bytes
of the file, and of parts inside zips, changed, cut and repeated. A file is read (0) or refused (3) within five seconds; every other
end is printed with the seed, its file kept, and fails the run.
"""
import io
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter

program, corpus = sys.argv[1:3]
seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 60
seed = int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time())
chance = random.Random(seed)
PACKAGES = ("xlsx", "xlsm", "xlsb", "ods")
HOT = ("sheet", "styles", "workbook", "content.xml", "Strings")
WORDS = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\x01\0\0\0", b"\xff\xff", b"\0\0", b"\xff\x7f")


def damaged(content):
    content = bytearray(content)
    for _ in range(chance.choice((1, 2, 4, 16))):
        if not content:
            break
        at, how = chance.randrange(len(content)), chance.randrange(4)
        if how == 0:
            content[at] = chance.randrange(256)
        elif how == 1:
            word = chance.choice(WORDS)
            content[at : at + len(word)] = word
        elif how == 2:
            del content[at : at + chance.randrange(1, 64)]
        else:
            content[at:at] = content[max(0, at - 32) : at]
    return bytes(content)


def damaged_package(content):
    package, out = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    names = package.namelist()
    hot = [name for name in names if any(word in name for word in HOT)] or names
    chosen = {chance.choice(hot), chance.choice(names)}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as mended:
        for name in names:
            part = package.read(name)
            mended.writestr(name, damaged(part) if name in chosen else part)
    return out.getvalue()


paths = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(corpus, "files")) for name in names]
paths = sorted(path for path in paths if os.path.getsize(path) < 200_000)
ends, bad, began = Counter(), 0, time.monotonic()
kept = tempfile.mkdtemp(prefix="sheetmill-mutate-")
while time.monotonic() - began < seconds:
    path = chance.choice(paths)
    kind = path.rsplit(".", 1)[-1].lower()
    with open(path, "rb") as file:
        content = file.read()
    try:
        content = damaged_package(content) if kind in PACKAGES and chance.random() < 0.8 else damaged(content)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, ValueError):
        content = damaged(content)
    made = os.path.join(kept, f"{sum(ends.values())}.{kind}")
    with open(made, "wb") as file:
        file.write(content)
    started = time.monotonic()
    try:
        end = subprocess.run([program, "inspect", made, "--json"], capture_output=True, timeout=30).returncode
    except subprocess.TimeoutExpired:
        end = "endless"
    ends[end] += 1
    if end in (0, 3) and time.monotonic() - started < 5:
        os.unlink(made)
    else:
        bad += 1
        print(f"{end} after {time.monotonic() - started:.1f} s: {made}, from {os.path.basename(path)}, seed {seed}")
print(f"seed {seed}: {sum(ends.values())} files, {ends[0]} read, {ends[3]} refused, {bad} bad ends")
sys.exit(bad > 0)
