-- What is due by itself. A tick is one time of a schedule, and has one task: whoever makes the row makes the task, in one
-- transaction, so that any number of processes may look for due schedules.
create table schedules (
    id uuid primary key,
    kind text not null,
    name text not null,
    rule text not null,                                       -- the five fields of cron
    time_zone text not null,                                  -- as IANA names it: the rule's hours are of there
    missed text not null,                                     -- what becomes of ticks when nobody was there to make them
    next_at timestamptz,                                      -- null: nobody has worked it out since the rule changed
    paused_at timestamptz,
    paused_by uuid references users on delete set null,
    pause_reason text,
    created_at timestamptz not null default now(),
    constraint schedules_kind check (kind in ('clean_up', 'activity_report')),
    constraint schedules_missed check (missed in ('skip', 'once', 'all')),
    constraint schedules_paused check ((paused_at is null) = (pause_reason is null)),
    constraint schedules_lengths check (length(name) between 1 and 100 and length(rule) <= 100 and length(pause_reason) <= 500)
);
insert into schedules (id, kind, name, rule, time_zone, missed) values
    (gen_random_uuid(), 'clean_up', 'Clean-up', '0 * * * *', 'UTC', 'once'),
    (gen_random_uuid(), 'activity_report', 'Activity report', '0 6 * * *', 'UTC', 'all');

create table ticks (
    id uuid primary key,
    schedule_id uuid not null references schedules on delete cascade,
    at timestamptz not null,
    made_at timestamptz not null default now(),
    asked_by uuid references users on delete set null,        -- who said "run now"; null: the rule
    said text,                                                -- what came of it, in words
    constraint ticks_once unique (schedule_id, at)
);

-- Tasks of ticks are the installation's own: they have no owner, and no owner's removal takes them along.
alter table tasks alter column owner drop not null;
alter table tasks add column tick_id uuid references ticks on delete cascade;
alter table tasks add constraint tasks_tick unique (tick_id);
alter table tasks drop constraint tasks_kind;
alter table tasks add constraint tasks_kind
    check (kind in ('ingest', 'process', 'assemble', 'deliver', 'clean_up', 'activity_report'));
alter table tasks drop constraint tasks_belongs;
alter table tasks add constraint tasks_belongs check (num_nonnulls(ingest_id, run_id, tick_id) = 1);
alter table tasks add constraint tasks_owned check ((owner is null) = (tick_id is not null));
create index tasks_upkeep on tasks (run_at, id) where queue = 'upkeep' and state = 'queued';
insert into queues (name) values ('upkeep');

-- Reports that ticks made, for admins.
create table reports (
    tick_id uuid primary key references ticks on delete cascade,
    name text not null,
    storage_key text not null,
    bytes bigint not null,
    sha256 bytea not null,
    created_at timestamptz not null default now(),
    constraint reports_storage_key unique (storage_key)
);

-- Whoever wants bytes says so here before it looks for them in storage, so that clean-up, which holds the row while it
-- removes them, leaves them for a while. What is gone comes back with the next one who wants it.
alter table blobs add column wanted_at timestamptz not null default now();
alter table blobs add column gone_at timestamptz;
create index files_blob on files (blob);
create index files_created on files (created_at) where deleted_at is null;
create index members_blob on members (blob);
create index run_references_file on run_references (file_id);
create index runs_finished on runs (finished_at) where finished_at is not null;
alter table runs add column results_removed_at timestamptz;
