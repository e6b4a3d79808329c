#!/usr/bin/env python3
"""Shows that the dangers which the fault tests guard against are real: `alone.py APALIS-ALONE`, some two minutes.

The same scenarios on apalis-postgres alone (`examples/apalis-alone.rs`), each with what the product promises beside it; the
tests of the same number (tests/app/faults) show that the product keeps it:

  R2  a worker is killed and started again at once under its own name
  R3  a worker stands still for longer than its heartbeats may, another takes over, the first goes on
  R5  a job takes its worker down, whoever runs it
  R8  jobs that take longer than heartbeats may be missed, fetched ten at a time

A Postgres of its own is started and stopped. Exit code 0: every danger was seen; 1: one was not, and what we do about it may
no longer be needed.
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "load"))
from load import Postgres  # noqa: E402

HEARTBEAT_MS, MISSED = 250, 4
WINDOW = HEARTBEAT_MS * MISSED / 1000
PATIENCE = 30


class Scene:
    """A database of its own, and the workers on it."""

    def __init__(self, program, postgres, name):
        self.program, self.postgres, self.name, self.workers = program, postgres, name, []
        postgres.sql(f"create database {name}", "postgres")
        self.address = postgres.url.replace("/mill?", f"/{name}?")
        self.chore("prepare")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()

    def chore(self, *arguments):
        subprocess.run([self.program, self.address, *map(str, arguments)], check=True)

    def push(self, count, seconds, how="work", tries=3):
        self.chore("push", count, seconds, how, tries)

    def work(self, name, batch=1):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        worker = subprocess.Popen([self.program, self.address, "work", name, str(HEARTBEAT_MS), str(MISSED), str(batch)], **quiet)
        self.workers.append(worker)
        return worker

    def ask(self, query):
        return int(self.postgres.sql(query, self.name))

    def sees(self, query, least):
        """Waits until a count is reached, without which there is nothing to show."""
        if not self.until(query, least):
            raise SystemExit(f"{self.name}: {query}: not {least} within {PATIENCE} s")

    def until(self, query, least, patience=PATIENCE):
        """Waits until a count is reached; False when it is not in time."""
        began = time.monotonic()
        while self.ask(query) < least:
            if time.monotonic() - began > patience:
                return False
            time.sleep(0.05)
        return True


BEGUN = "select count(*) from begun"
ENDED = "select count(*) from begun where ended_at is not null"
TWICE = "select count(*) from (select job from begun where ended_at is not null group by job having count(*) > 1) t"


def r2(scene):
    """Killed in the middle of a job and started again within its heartbeats' time: the new start works, but nobody ever does that job."""
    scene.push(1, 2)
    first = scene.work("mill-1")
    scene.sees(BEGUN, 1)
    first.kill()
    first.wait()
    scene.work("mill-1")
    # What is pushed later is done: the new start is alive, and the job is not waiting for anybody else.
    scene.push(2, 0)
    scene.sees(ENDED, 2)
    done = scene.until(ENDED, 3, WINDOW * 12)
    stuck = scene.ask("select count(*) from apalis.jobs where status in ('Running', 'Queued')")
    return not done and stuck == 1, f"{stuck} job with the dead start after {WINDOW * 12:.0f} s; 2 later ones are done", "taken up again, once"


def r3(scene):
    """Both workers end the job: nobody tells the first that it is not its own any more."""
    scene.push(1, 2)
    first = scene.work("mill-1")
    scene.sees(BEGUN, 1)
    os.kill(first.pid, signal.SIGSTOP)
    scene.work("mill-2")
    scene.sees(ENDED, 1)
    os.kill(first.pid, signal.SIGCONT)
    scene.until(ENDED, 2)
    twice = scene.ask(TWICE)
    return twice == 1, f"{twice} job done twice", "the first one's end is refused"


def r5(scene):
    """Rescued again and again: the number of tries that the job may have is not looked at."""
    scene.push(1, 0, "abort", 3)
    aborted = 0
    for start in range(8):
        worker = scene.work(f"mill-{start}")
        if not scene.until(BEGUN, start + 1, WINDOW * 8):
            break
        aborted += worker.wait() == -signal.SIGABRT
    return aborted > 3, f"{aborted} of 8 workers taken down by a job with 3 tries", "three crashes of a child, no worker"


def r8(scene):
    """A worker with a full buffer sends no heartbeat; another takes what it is working on."""
    scene.push(10, WINDOW * 3)
    workers = [scene.work("mill-1", batch=10)]
    scene.sees(BEGUN, 1)
    workers.append(scene.work("mill-2", batch=10))
    scene.until(TWICE, 1, PATIENCE * 2)
    twice, alive = scene.ask(TWICE), sum(worker.poll() is None for worker in workers)
    return twice > 0 and alive == 2, f"{twice} of 10 jobs done twice, {alive} of 2 workers alive", "one attempt each"


def main():
    program = sys.argv[1]
    seen = []
    with tempfile.TemporaryDirectory(prefix="sheetmill-alone-") as name:
        folder = pathlib.Path(name)
        (folder / "postgres").mkdir()
        postgres = Postgres(folder / "postgres")
        try:
            print(f"| {'':<3} | {'apalis-postgres alone':<64} | {'the product':<36} |")
            for scenario in (r2, r3, r5, r8):
                with Scene(program, postgres, scenario.__name__) as scene:
                    wrong, what, promise = scenario(scene)
                seen.append(wrong)
                print(f"| {scenario.__name__.upper():<3} | {what:<64} | {promise:<36} |", flush=True)
        finally:
            postgres.stop()
    sys.exit(0 if all(seen) else 1)


if __name__ == "__main__":
    main()
