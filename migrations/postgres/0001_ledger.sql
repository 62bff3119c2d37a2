-- The ledger. Columns are bigint, text and bytea only, so that one SQL text serves both databases; times are
-- milliseconds since 1970, lists and policies are JSON. Keys compare byte by byte ("C"), as they do in SQLite.

create table users (
    id text collate "C" primary key,
    username text not null,
    username_key text collate "C" not null unique,
    email text,
    email_key text collate "C" unique,
    email_verified bigint not null,
    state text not null,
    admin bigint not null,
    roles text not null,
    groups text not null,
    not_before bigint not null,
    created_at bigint not null,
    password_hash text,
    password_changed_at bigint,
    last_login_at bigint
);

create table clients (
    id text collate "C" primary key,
    name text not null,
    kind text not null,
    auth_method text not null,
    state text not null,
    trusted bigint not null,
    grants text not null,
    scope text not null,
    audience text not null,
    redirect_uris text not null,
    post_logout_redirect_uris text not null,
    backchannel_logout_uri text,
    access_token_algorithm text,
    access_lifetime bigint,
    former_access_lifetime bigint,
    access_lifetime_changed_at bigint,
    refresh_lifetime bigint,
    refresh text not null,
    status_index bigint not null,
    not_before bigint not null,
    created_at bigint not null,
    secrets text not null
);

-- A session outlives its user's and its client's rows: no foreign keys.
create table sessions (
    id text collate "C" primary key,
    user_id text collate "C" not null,
    client_id text collate "C" not null,
    scope text not null,
    audience text not null,
    status_index bigint not null,
    device text not null,
    created_at bigint not null,
    last_used_at bigint not null,
    ends_at bigint not null,
    auth_time bigint not null,
    amr text not null,
    ended_at bigint,
    ended_reason text,
    -- The first feed number of the transaction that ended it.
    ended_feed bigint
) with (fillfactor = 90);

create index sessions_by_user on sessions (user_id, client_id);
create index sessions_by_client on sessions (client_id, id);
-- Ended sessions leave the one and enter the other, so that what ends many reads each once.
create index sessions_live on sessions (ends_at, id) where ended_at is null;
create index sessions_ended on sessions (id, ended_at, ended_reason) where ended_at is not null;
create index sessions_by_ended_feed on sessions (ended_feed) where ended_feed is not null;

create table signing_keys (
    kid text collate "C" primary key,
    algorithm text not null,
    state text not null,
    sealed bytea not null,
    public_jwk text not null,
    published_at bigint not null,
    activated_at bigint,
    retired_at bigint,
    removed_at bigint
);

create unique index signing_keys_one_active on signing_keys (algorithm) where state = 'active';

create table audit (
    id text collate "C" primary key,
    at bigint not null,
    actor text not null,
    event text not null
);

-- One row: the newest number given out, and the newest one that was pruned.
create table feed_head (
    seq bigint not null,
    pruned bigint not null
);

insert into feed_head (seq, pruned) values (0, 0);

create table feed (
    seq bigint primary key,
    kind text not null,
    subject text not null,
    ended_at bigint,
    ended_reason text,
    at bigint not null
);

-- Facts about the whole house, one row each, so that each has a lock of its own.
create table house (
    fact text collate "C" primary key,
    number bigint,
    bytes bytea
);

insert into house (fact, number) values ('global_watermark', 0), ('next_status_index', 0);
