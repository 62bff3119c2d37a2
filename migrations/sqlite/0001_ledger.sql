-- The ledger. Columns are integer, text and blob only, so that one SQL text serves both databases; times are
-- milliseconds since 1970, lists and policies are JSON.

create table users (
    id text primary key,
    username text not null,
    username_key text not null unique,
    email text,
    email_key text unique,
    email_verified integer not null,
    state text not null,
    admin integer not null,
    roles text not null,
    groups text not null,
    not_before integer not null,
    created_at integer not null,
    password_hash text,
    password_changed_at integer,
    last_login_at integer
) strict;

create table clients (
    id text primary key,
    name text not null,
    kind text not null,
    auth_method text not null,
    state text not null,
    trusted integer not null,
    grants text not null,
    scope text not null,
    audience text not null,
    redirect_uris text not null,
    post_logout_redirect_uris text not null,
    backchannel_logout_uri text,
    access_token_algorithm text,
    access_lifetime integer,
    former_access_lifetime integer,
    access_lifetime_changed_at integer,
    refresh_lifetime integer,
    refresh text not null,
    status_index integer not null,
    not_before integer not null,
    created_at integer not null,
    secrets text not null
) strict;

-- A session outlives its user's and its client's rows: no foreign keys.
create table sessions (
    id text primary key,
    user_id text not null,
    client_id text not null,
    scope text not null,
    audience text not null,
    status_index integer not null,
    device text not null,
    created_at integer not null,
    last_used_at integer not null,
    ends_at integer not null,
    auth_time integer not null,
    amr text not null,
    ended_at integer,
    ended_reason text,
    -- The first feed number of the transaction that ended it.
    ended_feed integer
) strict;

create index sessions_by_user on sessions (user_id, client_id);
create index sessions_by_client on sessions (client_id, id);
-- Ended sessions leave the one and enter the other, so that what ends many reads each once.
create index sessions_live on sessions (ends_at, id) where ended_at is null;
create index sessions_ended on sessions (id, ended_at, ended_reason) where ended_at is not null;
create index sessions_by_ended_feed on sessions (ended_feed) where ended_feed is not null;

create table signing_keys (
    kid text primary key,
    algorithm text not null,
    state text not null,
    sealed blob not null,
    public_jwk text not null,
    published_at integer not null,
    activated_at integer,
    retired_at integer,
    removed_at integer
) strict;

create unique index signing_keys_one_active on signing_keys (algorithm) where state = 'active';

create table audit (
    id text primary key,
    at integer not null,
    actor text not null,
    event text not null
) strict;

-- One row: the newest number given out, and the newest one that was pruned.
create table feed_head (
    seq integer not null,
    pruned integer not null
) strict;

insert into feed_head (seq, pruned) values (0, 0);

create table feed (
    seq integer primary key,
    kind text not null,
    subject text not null,
    ended_at integer,
    ended_reason text,
    at integer not null
) strict;

-- Facts about the whole house, one row each, so that each has a lock of its own.
create table house (
    fact text primary key,
    number integer,
    bytes blob
) strict;

insert into house (fact, number) values ('global_watermark', 0), ('next_status_index', 0);
