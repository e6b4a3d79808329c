-- The other tables of a run, by the names that its recipe calls them.
create table run_references (
    run_id uuid not null references runs on delete cascade,
    name text not null,
    file_id uuid not null references files,
    ingest_id uuid not null references ingests,
    position integer not null,
    constraint run_references_pkey primary key (run_id, name),
    constraint run_references_name check (length(name) between 1 and 200)
);
create index run_references_ingest on run_references (ingest_id);
