-- Which results a later run may take over. A key stands for all that decides the bytes: owner, engine, recipe, choices, the file's
-- name and reading, and the other tables. Every result has bytes of its own, so that either run can be removed.
create table reusable (
    key bytea primary key,
    run_id uuid not null,
    file_id uuid not null,
    report jsonb not null,
    used_at timestamptz not null default now(),
    constraint reusable_file foreign key (run_id, file_id) references run_files (run_id, file_id) on delete cascade,
    constraint reusable_key check (length(key) = 32)
);
create index reusable_used on reusable (used_at);
create index reusable_run on reusable (run_id, file_id);

-- The run whose result a file of a run took over.
alter table run_files add column reused_from uuid references runs on delete set null;
create index run_files_reused_from on run_files (reused_from) where reused_from is not null;

-- Whether a run makes everything itself.
alter table runs add column from_scratch boolean not null default false;
