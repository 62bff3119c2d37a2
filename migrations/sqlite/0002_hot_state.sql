-- The embedded hot state, for those who run no Redis. What is lost here is rebuilt from the ledger and the tokens.

create table hot_sessions (
    session_id text primary key,
    record text not null,
    expires_at integer not null
) strict;

create table hot_once (
    key text primary key,
    value text not null,
    taken integer not null,
    expires_at integer not null
) strict;

create table hot_memory (
    key text primary key,
    expires_at integer not null
) strict;

create table hot_counters (
    key text primary key,
    count integer not null,
    resets_at integer not null
) strict;

create index hot_sessions_expired on hot_sessions (expires_at);
create index hot_once_expired on hot_once (expires_at);
create index hot_memory_expired on hot_memory (expires_at);
create index hot_counters_expired on hot_counters (resets_at);

-- The database's own time. Tokenhouse hands in its own clock here, which a test can move; PostgreSQL's is shared.
create view present (now) as select cast(unixepoch('subsec') * 1000 as integer);
