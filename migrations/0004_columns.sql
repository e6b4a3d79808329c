-- Which columns of people's files are those that their recipes expect, as they chose it: of any sheet by the header, or for the
-- sheets of a layout that do not have the column.
create table column_mappings (
    owner uuid not null references users on delete cascade,
    header text not null,                                     -- in its normalised form; empty: there is none
    layout text not null,                                     -- empty: any
    expected text not null,
    chosen_at timestamptz not null default now(),
    constraint column_mappings_pkey primary key (owner, expected, header, layout),
    constraint column_mappings_one check ((header = '') <> (layout = '')),
    constraint column_mappings_lengths check (length(header) <= 255 and length(layout) <= 64 and length(expected) between 1 and 255)
);

-- What was chosen for a run, as it began: by hand and before.
alter table runs add column choices jsonb not null default '{}';
-- What became of the expected columns of a file, sheet by sheet.
alter table run_files add column columns jsonb;
