-- Archives: an ingest of a zip has members instead of tables; each file with that ingest gets a file for each of them.
create table members (
    ingest_id uuid not null references ingests on delete cascade,
    position integer not null,
    name text not null,
    bytes bigint not null,
    blob bytea references blobs,                              -- null: not taken
    format text,
    code text,                                                -- why it was not taken
    sentence text,
    constraint members_pkey primary key (ingest_id, position),
    constraint members_taken check ((blob is null) = (sentence is not null) and (blob is null) = (format is null)),
    constraint members_name check (length(name) between 1 and 255)
);
create index files_parent on files (parent) where deleted_at is null;

-- A run reads its files as its recipe says: that may be another reading than the one the file's page shows.
alter table run_files add column ingest_id uuid references ingests;
update run_files set ingest_id = files.ingest_id from files where files.id = run_files.file_id;
alter table run_files alter column ingest_id set not null;
create index run_files_ingest on run_files (ingest_id);
