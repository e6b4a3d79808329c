-- Runs that follow others: they begin when those have ended well, and work on their results.
create table run_follows (
    run_id uuid not null references runs on delete cascade,
    after_run_id uuid not null references runs on delete cascade,
    position integer not null,
    constraint run_follows_pkey primary key (run_id, after_run_id),
    constraint run_follows_other check (run_id <> after_run_id)
);
create index run_follows_after on run_follows (after_run_id);
