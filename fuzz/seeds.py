"""Makes seeds of the corpus: seeds.py CORPUS FOLDER. Small files of each kind, and the XML parts of workbooks."""
import pathlib
import sys
import zipfile

corpus, folder = map(pathlib.Path, sys.argv[1:3])
MOST = 32_768


def put(target, name, content):
    (folder / target).mkdir(parents=True, exist_ok=True)
    (folder / target / name).write_bytes(content)


put("sniff", "empty", b"")
put("text", "plain", b"id;name\n1;\"a;b\"\n2;c\n")
put("text", "dates", b"day,n\n31/01/2024,1.5\n02/02/2024,x\n")
for number, path in enumerate(sorted(corpus.rglob("*")) if corpus.is_dir() else []):
    if not path.is_file():
        continue
    content = path.read_bytes()
    put("sniff", f"{number}", content[:8192])
    if len(content) <= MOST:
        put("file", f"{number}", content)
        if path.suffix.lower() in (".csv", ".tsv", ".txt"):
            put("text", f"{number}", content)
    try:
        with zipfile.ZipFile(path) as book:
            names = book.namelist()
            sheets = [name for name in names if name.startswith("xl/worksheets/") and name.endswith(".xml")]
            more = [book.read(name) if name in names else b"" for name in ("xl/sharedStrings.xml", "xl/styles.xml")]
            seed = b"\0".join([book.read(sheets[0]), *more]) if sheets else b""
            if 0 < len(seed) <= MOST:
                put("sheet", f"{number}", seed)
    except Exception:
        continue
