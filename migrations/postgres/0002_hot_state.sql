-- The embedded hot state, for those who run no Redis. What is lost here is rebuilt from the ledger and the tokens.

create table hot_sessions (
    session_id text collate "C" primary key,
    record text not null,
    expires_at bigint not null
) with (fillfactor = 70);

create table hot_once (
    key text collate "C" primary key,
    value text not null,
    taken bigint not null,
    expires_at bigint not null
);

create table hot_memory (
    key text collate "C" primary key,
    expires_at bigint not null
);

create table hot_counters (
    key text collate "C" primary key,
    count bigint not null,
    resets_at bigint not null
) with (fillfactor = 70);

create index hot_sessions_expired on hot_sessions (expires_at);
create index hot_once_expired on hot_once (expires_at);
create index hot_memory_expired on hot_memory (expires_at);
create index hot_counters_expired on hot_counters (resets_at);

-- The database's own time, which all instances share.
create view present (now) as select cast(extract(epoch from clock_timestamp()) * 1000 as bigint);
