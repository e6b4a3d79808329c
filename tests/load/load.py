#!/usr/bin/env python3
"""Measures the server under load: `load.py SHEETMILL [FILES] [TRIVIAL]`, by default 1000 small workbooks and 10000 trivial files.

A server with a Postgres and a folder of its own is started, used through its API, and stopped. What is measured, with the
figures to reach on 2 cores (the web half, Postgres and the workers share them, and this script as well):

  files/s   FILES workbooks of 1,000 rows and 10 columns, from the first byte of the upload to the last result
  again     the same run with one file changed, as a share of the first
  G1        trivial tasks a second, sustained
  G2        pickup when idle: from the task's making to its attempt's start
  G3        TRIVIAL files in one run: the call, and the drain
  G7        a worker killed while it works: how long until another works on that
  G9        the admin's list with a million tasks in the table
  flat      memory of the server's own process before, during and after

Nothing is asserted: read the table. Bounded: each step gives up after ten minutes.
"""
import contextlib
import http.client
import http.cookiejar
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import uuid
import zipfile

PATIENCE = 600
ROWS = 1_000
BATCH = 200
HEADERS = ["order_id", "order_date", "customer", "region", "product", "quantity", "unit_price", "discount", "status", "note"]


def letters(number):
    return chr(ord("A") + number)


def workbook(path, seed):
    """A small workbook by nobody's library: inline strings, numbers, no styles."""
    lines = []
    for row in range(ROWS + 1):
        if row == 0:
            cells = HEADERS
        else:
            n = seed * ROWS + row
            cells = [n, f"2024-{n % 12 + 1:02}-{n % 28 + 1:02}", f"  Customer {n % 997} ", "North South East West".split()[n % 4],
                     f"Product {n % 89}", n % 40, (n % 10_000) / 100, (n % 5) / 100, "shipped", "" if n % 40 else "call first"]
        line = []
        for column, value in enumerate(cells):
            at = f"{letters(column)}{row + 1}"
            if isinstance(value, str):
                line.append(f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>' if value else "")
            else:
                line.append(f'<c r="{at}"><v>{value}</v></c>')
        lines.append(f'<row r="{row + 1}">{"".join(line)}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    parts = {
        "[Content_Types].xml": f'{head}<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'{head}<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{head}<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="Orders" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{head}<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'{head}<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)


class Postgres:
    """A cluster of its own below a folder; Postgres does not run as root, so that `postgres` runs it there."""

    def __init__(self, folder):
        self.folder, self.data, self.socket = folder, folder / "pg", folder / "socket"
        self.socket.mkdir()
        self.bin = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self.prefix:
            subprocess.run(["chown", "-R", "postgres", folder], check=True)
        for it in (folder, folder.parent):
            it.chmod(0o755)
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        subprocess.run([*self.prefix, self.bin / "initdb", "-D", self.data, "-U", "mill", "--auth=trust", "-E", "UTF8", "--locale=C"], **quiet)
        options = f"-k {self.socket} -c listen_addresses='' -c max_connections=100"
        subprocess.run([*self.prefix, self.bin / "pg_ctl", "-D", self.data, "-w", "-o", options, "-l", self.data / "log", "start"], **quiet)
        self.url = f"postgres://mill@localhost/mill?host={urllib.parse.quote(str(self.socket), safe='')}"
        self.sql("create database mill", "postgres")

    def sql(self, query, database="mill"):
        command = [self.bin / "psql", "-h", self.socket, "-U", "mill", "-d", database, "-At", "-F", "\t", "-c", query]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def stop(self):
        subprocess.run([*self.prefix, self.bin / "pg_ctl", "-D", self.data, "-m", "immediate", "stop"], cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


class Mill:
    """A started command of the product, its environment ours alone."""

    def __init__(self, program, arguments, environment):
        self.process = subprocess.Popen([program, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        self.address = found.group(0) if found else None

    def resident(self):
        pages = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(40)
        if self.process.poll() is None:
            self.process.kill()


class Api:
    def __init__(self, address, token):
        self.host, self.token = urllib.parse.urlsplit(address).netloc, token
        self.connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)

    def call(self, method, path, body=None, content="application/json"):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content}
        self.connection.request(method, f"/api/v1{path}", body=body, headers=headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:400]!r}")
        return json.loads(text) if text else None

    def upload(self, paths):
        boundary, chunks = uuid.uuid4().hex, []
        for path in paths:
            chunks.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n'
                          "Content-Type: application/octet-stream\r\n\r\n".encode())
            chunks += [path.read_bytes(), b"\r\n"]
        chunks.append(f"--{boundary}--\r\n".encode())
        return [it["id"] for it in self.call("POST", "/files", b"".join(chunks), f"multipart/form-data; boundary={boundary}")]

    def run(self, recipe, files, **more):
        return self.call("POST", "/runs", json.dumps({"recipe": recipe, "files": files, **more}))["id"]


def until(question, what):
    """Asks until the answer is yes; the pause grows with the wait, so that asking costs little."""
    began = time.monotonic()
    while not question():
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"{what}: not within {PATIENCE} s")
        time.sleep(min(0.25, 0.005 + (time.monotonic() - began) / 50))
    return time.monotonic() - began


def show(figure, value, wanted=""):
    print(f"| {figure:<58} | {value:>22} | {wanted:<22} |", flush=True)


def seconds(query, postgres):
    return [float(it) for it in postgres.sql(query).split()]


class Watch:
    """The greatest memory of a process, sampled until told to stop."""

    def __init__(self, mill):
        self.mill, self.most, self.ended = mill, 0.0, threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while not self.ended.is_set():
            self.most = max(self.most, self.mill.resident())
            self.ended.wait(0.1)

    def stop(self):
        self.ended.set()
        self.thread.join()
        return self.most


def ended(postgres, run):
    return postgres.sql(f"select state in ('succeeded', 'failed', 'cancelled') from runs where id = '{run}'") == "t"


def small_files(api, postgres, folder, count):
    recipe = {"name": "Clean", "steps": [{"trim": {}}, {"filter": {"keep": "quantity > 0"}}]}
    paths = [folder / f"orders-{number:05}.xlsx" for number in range(count)]
    for number, path in enumerate(paths):
        workbook(path, number)
    began, files = time.monotonic(), []
    for start in range(0, count, BATCH):
        files += api.upload(paths[start:start + BATCH])
    uploaded = time.monotonic() - began
    run = api.run(recipe, files)
    until(lambda: ended(postgres, run), "the small workbooks")
    took = time.monotonic() - began
    good = postgres.sql(f"select count(*) from run_files where run_id = '{run}' and state = 'succeeded'")
    show(f"{count:,} workbooks of {ROWS:,} rows: upload", f"{uploaded:.1f} s")
    show("… from the first byte to the last result", f"{took:.1f} s, {count / took:.1f} files/s", ">= 40 files/s")
    show("… results", f"{good} of {count}")
    changed = folder / paths[0].name
    workbook(changed, count + 1)
    files[0] = api.upload([changed])[0]
    until(lambda: postgres.sql("select count(*) from ingests where state in ('received', 'ingesting')") == "0", "the changed file")
    began = time.monotonic()
    run = api.run(recipe, files)
    until(lambda: ended(postgres, run), "the run with one file changed")
    again = time.monotonic() - began
    made = postgres.sql(f"select count(*) from run_files where run_id = '{run}' and reused_from is null")
    show("the same again, one file changed", f"{again:.1f} s, {100 * again / took:.1f} %", f"made anew: {made}")


def trivial(api, postgres, folder, count):
    paths = []
    for number in range(count):
        path = folder / f"t{number:05}.csv"
        path.write_text(f"a\n{number}\n")
        paths.append(path)
    files = []
    for start in range(0, count, 1000):
        files += api.upload(paths[start:start + 1000])
    until(lambda: postgres.sql("select count(*) from ingests where state in ('received', 'ingesting')") == "0", "reading the trivial files")
    recipe = {"name": "Copy", "steps": [], "output": {"format": "csv"}}
    warm = api.run(recipe, files)
    until(lambda: ended(postgres, warm), "the trivial files, made")
    spent = seconds(f"select extract(epoch from finished_at - created_at) from runs where id = '{warm}'", postgres)[0]
    show(f"{count:,} files of one row, each with a child", f"{spent:.1f} s, {count / spent:.0f}/s")
    began = time.monotonic()
    run = api.run(recipe, files)
    asked = time.monotonic() - began
    until(lambda: ended(postgres, run), "the trivial files, taken over")
    drained = time.monotonic() - began
    show(f"G3: {count:,} tasks in one call", f"{asked:.1f} s", "<= 10 s")
    show("G3: their drain (each takes over a result)", f"{drained:.1f} s", "<= 60 s")
    show("G1: trivial tasks a second", f"{count / drained:.0f}/s", ">= 300/s")
    twice = postgres.sql("select count(*) from (select task_id from attempts where state = 'succeeded' group by 1 having count(*) > 1) t")
    show("… tasks done twice", twice, "0")


def pickup(api, postgres, folder):
    for number in range(60):
        path = folder / f"idle-{number}.csv"
        path.write_text(f"a\n{number}\n")
        file = api.upload([path])[0]
        until(lambda: postgres.sql(f"select state from ingests i join files f on f.ingest_id = i.id where f.id = '{file}'") == "ready", "an idle server")
    waits = sorted(seconds("select extract(epoch from a.started_at - t.created_at) from tasks t join attempts a on a.task_id = t.id and a.number = 1 "
                           "where t.kind = 'ingest' order by t.id desc limit 60", postgres))
    show("G2: pickup when idle, p50 / p95 / worst", " / ".join(f"{1000 * it:.0f}" for it in (statistics.median(waits), waits[56], waits[-1])) + " ms", "50 / 500 ms / poll + 1 s")


def killed(program, environment, api, postgres, folder, mill):
    """A worker of its own is stopped for good in the middle of a file; the server's own half goes on with it."""
    big = folder / "big.csv"
    big.write_text("a,b,c\n" + "".join(f"{it},{it * 7},x{it}\n" for it in range(3_000_000)))
    postgres.sql("update queues set paused_at = now() where name = 'ingest'")
    file = api.upload([big])[0]
    worker = Mill(program, ["work"], {**environment, "SHEETMILL_WORKER_NAME": "victim"})
    # The server's own half is kept busy elsewhere until the victim has the file.
    os.kill(mill.process.pid, signal.SIGSTOP)
    try:
        postgres.sql("update queues set paused_at = null")
        query = (f"select count(*) from tasks t join files f on f.ingest_id = t.ingest_id join workers w on w.boot_id = t.boot_id "
                 f"where f.id = '{file}' and t.state = 'running' and w.name like 'victim%'")
        until(lambda: postgres.sql(query) == "1", "the victim")
        worker.process.kill()
        worker.process.wait()
        began = time.monotonic()
    finally:
        os.kill(mill.process.pid, signal.SIGCONT)
    until(lambda: postgres.sql(f"select count(*) from attempts a join tasks t on t.id = a.task_id join files f on f.ingest_id = t.ingest_id "
                               f"where f.id = '{file}' and a.number = 2") == "1", "another attempt")
    show("G7: kill -9 of a worker to the next attempt", f"{time.monotonic() - began:.1f} s", "<= 40 s")
    until(lambda: postgres.sql(f"select state from ingests i join files f on f.ingest_id = i.id where f.id = '{file}'") == "ready", "the second attempt")


def million(postgres, address, link):
    postgres.sql("insert into tasks (id, kind, queue, owner, run_id, file_id, state, reason, finished_at, request_id, created_at) "
                 "select gen_random_uuid(), 'process', 'process', r.owner, r.id, f.file_id, case when n % 10 = 0 then 'failed' else 'succeeded' end, "
                 "case when n % 10 = 0 then 'dead' end, now(), gen_random_uuid(), now() "
                 "from (select * from runs limit 1) r join lateral (select file_id from run_files where run_id = r.id limit 1) f on true, "
                 "generate_series(1, 1000000) n")
    postgres.sql("analyze tasks")
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    door = browser.open(link).read().decode()
    csrf = re.search(r'name="csrf" value="([^"]+)"', door).group(1)
    secret = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["link"][0]
    form = {"csrf": csrf, "link": secret, "name": "Ada", "email": "ada@example.org", "password": "four words in a row"}
    request = urllib.request.Request(f"{address}/welcome", urllib.parse.urlencode(form).encode(), {"Origin": address})
    browser.open(request).read()
    for query in ("", "?state=failed", "?state=queued", "?state=succeeded"):
        times = []
        for _ in range(40):
            began = time.monotonic()
            browser.open(f"{address}/admin{query}").read()
            times.append(1000 * (time.monotonic() - began))
        show(f"G9: list of a million tasks {query or 'without a filter'}, p95", f"{sorted(times)[37]:.0f} ms", "<= 200 ms")


def main():
    program = sys.argv[1]
    count, many = (int(it) for it in (sys.argv[2:4] + ["1000", "10000"][len(sys.argv[2:4]):]))
    with tempfile.TemporaryDirectory(prefix="sheetmill-load-") as name:
        folder = pathlib.Path(name)
        (folder / "postgres").mkdir()
        postgres = Postgres(folder / "postgres")
        environment = {"PATH": os.environ["PATH"], "DATABASE_URL": postgres.url, "SHEETMILL_DATA": str(folder / "data"),
                       "SHEETMILL_LISTEN": "127.0.0.1:0", "SHEETMILL_LOG": "warn", "SHEETMILL_PROCESSORS": "2", "SHEETMILL_READERS": "2"}
        mill = None
        try:
            mill = Mill(program, ["up"], environment)
            link = re.search(r"http://\S+", mill.process.stdout.readline()).group(0)
            chore = lambda *arguments: subprocess.run([program, *arguments], env=environment, check=True, capture_output=True, text=True).stdout.strip()
            chore("user", "add", "kim@example.org")
            api = Api(mill.address, chore("user", "token", "kim@example.org"))
            print(f"| {'figure':<58} | {'measured':>22} | {'wanted':<22} |\n|---|---:|---|")
            pickup(api, postgres, folder)
            before, watch = mill.resident(), Watch(mill)
            try:
                small_files(api, postgres, folder, count)
                middle = mill.resident()
                trivial(api, postgres, folder, many)
            finally:
                most = watch.stop()
            show("memory of the server: before, after the small, most, end", " / ".join(f"{it:.0f}" for it in (before, middle, most, mill.resident())) + " MB")
            killed(program, environment, api, postgres, folder, mill)
            million(postgres, mill.address, link)
        finally:
            if mill:
                mill.stop()
            postgres.stop()


if __name__ == "__main__":
    main()
