-- Everything that is remembered. States are the words of src/domain/states.rs; constraint names are part of the
-- interface: src/database turns a violated one into a sentence. Times are the database's.

create table users (
    id uuid primary key,
    email text not null,
    name text not null default '',
    password_hash text,
    role text not null,
    created_at timestamptz not null default now(),
    disabled_at timestamptz,
    constraint users_role check (role in ('member', 'admin')),
    constraint users_email check (email = lower(email) and email like '%_@_%' and length(email) <= 254)
);
create unique index users_email_unique on users (email);

-- First start and `user add` print such a link; it is good once.
create table sign_in_links (
    token_hash bytea primary key,
    user_id uuid references users on delete cascade,          -- null: creates the admin account
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);

create table sessions (
    id_hash bytea primary key,
    user_id uuid not null references users on delete cascade,
    created_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index sessions_user on sessions (user_id);

create table sign_in_tries (
    subject text not null,                                    -- 'email:…' or 'address:…'
    at timestamptz not null default now()
);
create index sign_in_tries_subject on sign_in_tries (subject, at);

create table tokens (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    prefix text not null,
    hash bytea not null,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz
);
create unique index tokens_hash_unique on tokens (hash);

create table blobs (
    sha256 bytea primary key,
    bytes bigint not null,
    created_at timestamptz not null default now(),
    constraint blobs_sha256 check (length(sha256) = 32)
);

create table ingests (
    id uuid primary key,
    blob bytea not null references blobs,
    engine text not null,
    options jsonb not null,
    state text not null default 'received',
    code text,                                                -- why it was refused or failed
    sentence text,
    reference uuid,
    rows bigint not null default 0,
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    constraint ingests_once unique (blob, engine, options),
    constraint ingests_state check (state in ('received', 'ingesting', 'ready', 'refused', 'failed')),
    constraint ingests_reason check ((state in ('refused', 'failed')) = (sentence is not null))
);

create table files (
    id uuid primary key,
    owner uuid not null references users on delete cascade,
    blob bytea not null references blobs,
    ingest_id uuid not null references ingests,
    parent uuid references files,
    name text not null,
    format text not null,
    created_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint files_name check (length(name) between 1 and 255)
);
create index files_owner on files (owner, id desc) where deleted_at is null;
create index files_ingest on files (ingest_id);

create table tables (
    id uuid primary key,
    ingest_id uuid not null references ingests on delete cascade,
    position integer not null,
    sheet text not null,
    visibility text not null,
    rows bigint not null,
    columns integer not null,
    constraint tables_position unique (ingest_id, position),
    constraint tables_visibility check (visibility in ('visible', 'hidden', 'very_hidden'))
);

create table recipes (
    id uuid primary key,
    owner uuid not null references users on delete cascade,
    name text not null,
    latest integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz
);
create index recipes_owner on recipes (owner, updated_at desc) where deleted_at is null;

create table revisions (
    id uuid primary key,
    recipe_id uuid not null references recipes on delete cascade,
    number integer not null,
    document jsonb not null,
    note text not null default '',
    created_by uuid references users on delete set null,
    created_at timestamptz not null default now(),
    constraint revisions_number unique (recipe_id, number)
);

create table runs (
    id uuid primary key,
    owner uuid not null references users on delete cascade,
    revision_id uuid references revisions,                    -- null: the document came with the call
    name text not null,
    document jsonb not null,
    state text not null default 'waiting',
    version bigint not null default 1,
    remaining integer not null,
    priority integer not null default 0,
    run_at timestamptz not null default now(),
    ledger jsonb not null default '[]',
    code text,
    sentence text,
    reference uuid,
    request_id uuid not null,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    constraint runs_state check (state in ('waiting', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled')),
    constraint runs_remaining check (remaining >= 0),
    constraint runs_finished check ((state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null))
);
create index runs_owner on runs (owner, id desc);
create index runs_revision on runs (revision_id);

create table tasks (
    id uuid primary key,
    kind text not null,
    queue text not null,
    owner uuid not null references users on delete cascade,
    ingest_id uuid references ingests on delete cascade,
    run_id uuid references runs on delete cascade,
    file_id uuid references files,
    state text not null,
    reason text,                                              -- 'dead' and the like, once it failed
    priority integer not null default 0,
    run_at timestamptz not null default now(),
    attempt integer not null default 0,
    failures integer not null default 0,
    crashes integer not null default 0,
    boot_id uuid,
    lease_until timestamptz,
    cancel_requested_at timestamptz,
    ticketed_at timestamptz not null default now(),
    progress jsonb,
    code text,
    sentence text,
    reference uuid,
    request_id uuid not null,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    constraint tasks_kind check (kind in ('ingest', 'process', 'assemble', 'deliver')),
    constraint tasks_state check (state in ('waiting', 'queued', 'running', 'succeeded', 'failed', 'cancelled')),
    constraint tasks_belongs check ((ingest_id is null) <> (run_id is null)),
    constraint tasks_lease check ((state = 'running') = (lease_until is not null) and (state = 'running') = (boot_id is not null)),
    constraint tasks_finished check ((state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null))
);
create index tasks_due on tasks (queue, owner, priority desc, run_at, id) where state = 'queued';
create index tasks_running on tasks (queue, owner) where state = 'running';
create index tasks_lease_until on tasks (lease_until) where state = 'running';
create index tasks_run on tasks (run_id);
create index tasks_ingest on tasks (ingest_id);
create index tasks_state_id on tasks (state, id desc);

create table attempts (
    task_id uuid not null references tasks on delete cascade,
    number integer not null,
    boot_id uuid not null,
    state text not null default 'running',
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    code text,
    sentence text,
    detail text,                                              -- for admins only
    log text,                                                 -- what the child wrote to stderr, capped
    rows bigint,
    peak_memory bigint,                                       -- bytes
    constraint attempts_pkey primary key (task_id, number),
    constraint attempts_state check (state in ('running', 'succeeded', 'failed', 'crashed', 'timed_out', 'cancelled', 'interrupted', 'fenced')),
    constraint attempts_ended check ((state = 'running') = (ended_at is null))
);

create table run_files (
    run_id uuid not null references runs on delete cascade,
    position integer not null,
    file_id uuid not null references files,
    task_id uuid references tasks,
    state text not null default 'waiting',
    rows_in bigint,
    rows_out bigint,
    code text,
    sentence text,
    reference uuid,
    constraint run_files_pkey primary key (run_id, position),
    constraint run_files_once unique (run_id, file_id),
    constraint run_files_state check (state in ('waiting', 'running', 'succeeded', 'refused', 'failed', 'cancelled'))
);
create index run_files_file on run_files (file_id);

create table artifacts (
    id uuid primary key,
    run_id uuid not null references runs on delete cascade,
    file_id uuid references files,
    kind text not null,
    name text not null,
    storage_key text not null,
    content_type text not null,
    bytes bigint not null,
    sha256 bytea not null,
    rows bigint,
    created_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint artifacts_kind check (kind in ('result', 'rejects', 'annotated', 'report')),
    constraint artifacts_storage_key unique (storage_key)
);
create index artifacts_run on artifacts (run_id);

create table events (
    id bigint generated always as identity primary key,
    kind text not null,
    owner uuid,
    file_id uuid,
    run_id uuid,
    task_id uuid,
    at timestamptz not null default now()
);
create index events_run on events (run_id, id);

create table workers (
    boot_id uuid primary key,
    name text not null,
    host text not null,
    pid integer not null,
    version text not null,
    slots jsonb not null,                                     -- {"ingest": 1, "process": 1}
    started_at timestamptz not null default now(),
    heartbeat_at timestamptz not null default now(),
    stopped_at timestamptz,
    memory bigint not null default 0
);

create table queues (
    name text primary key,
    paused_at timestamptz,
    paused_by uuid references users on delete set null
);
insert into queues (name) values ('ingest'), ('process'), ('deliver');

create table idempotency (
    owner uuid not null references users on delete cascade,
    key text not null,
    body_hash bytea not null,
    run_id uuid references runs on delete cascade,
    created_at timestamptz not null default now(),
    constraint idempotency_pkey primary key (owner, key)
);

create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    actor uuid references users on delete set null,
    action text not null,
    target text not null,
    detail jsonb not null default '{}',
    address text
);
