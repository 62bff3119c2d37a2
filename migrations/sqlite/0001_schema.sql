-- Columns are integer, text and blob only, so that one SQL text serves both databases. Times are milliseconds since
-- 1970. Lists and structs are JSON.

create table users (
    id text primary key,
    username text not null,
    username_key text not null unique,
    email text,
    email_key text unique,
    email_verified integer not null,
    -- The standard claims of OpenID Connect, as JSON.
    profile text not null,
    state text not null,
    admin integer not null,
    roles text not null,
    groups text not null,
    -- When roles or groups last changed. If the ephemeral store may have lost writes, sessions of recently changed
    -- users are refreshed.
    rights_changed_at integer,
    not_before integer not null,
    created_at integer not null,
    password_hash text,
    password_changed_at integer,
    last_login_at integer
) strict;

create table clients (
    id text primary key,
    -- Client metadata (RFC 7591 section 2), as JSON.
    metadata text not null,
    -- A copy from the metadata, for the queue of back-channel logouts.
    backchannel_logout_uri text,
    state text not null,
    status_index integer not null,
    not_before integer not null,
    created_at integer not null,
    -- The previous access token lifetime and the time of its change. The status lists need both.
    previous_access_lifetime integer,
    access_lifetime_changed_at integer,
    -- Digests of the live secrets, as JSON.
    secrets text not null
) strict;

create table consents (
    user_id text not null,
    client_id text not null,
    scope text not null,
    given_at integer not null,
    primary key (user_id, client_id)
) strict;

create index consents_by_client on consents (client_id);

create table browser_sessions (
    id text primary key,
    -- SHA-256 of the cookie, in base64url.
    cookie text not null unique,
    user_id text not null,
    user_agent text not null,
    created_at integer not null,
    last_used_at integer not null,
    ends_at integer not null,
    auth_time integer not null,
    amr text not null,
    acr text not null,
    ended_at integer,
    ended_reason text
) strict;

create index browser_sessions_by_user on browser_sessions (user_id, id);

-- A session outlives its user's and its client's rows: no foreign keys.
create table sessions (
    id text primary key,
    user_id text not null,
    client_id text not null,
    -- The browser session under which the session began. If the session may outlive it, `offline` is 1.
    browser_session_id text,
    offline integer not null,
    scope text not null,
    audience text not null,
    -- Claims for userinfo that were requested by name (OpenID Connect Core 1.0 section 5.5).
    claims text not null,
    -- The key that the tokens are bound to (RFC 7800), as JSON.
    confirmation text,
    status_index integer not null,
    user_agent text not null,
    created_at integer not null,
    last_used_at integer not null,
    ends_at integer not null,
    auth_time integer not null,
    amr text not null,
    acr text not null,
    ended_at integer,
    ended_reason text,
    -- The first feed number of the transaction that ended it.
    ended_feed integer
) strict;

create index sessions_by_user on sessions (user_id, client_id);
create index sessions_by_client on sessions (client_id, id);
create index sessions_by_browser_session on sessions (browser_session_id) where browser_session_id is not null;
-- A session moves from the first index to the second when it ends, so that ending many reads each once.
create index sessions_live on sessions (ends_at, id) where ended_at is null;
create index sessions_ended on sessions (id, ended_at, ended_reason) where ended_at is not null;
create index sessions_by_ended_feed on sessions (ended_feed) where ended_feed is not null;
-- Until when the status index of a session must be published: two minutes after its absolute end, or a day and two
-- minutes after it was ended.
create index sessions_by_list on sessions (status_index / 131072, coalesce(ended_at + 86520000, ends_at + 120000));

-- The queue of back-channel logouts (OpenID Connect Back-Channel Logout 1.0). A row is written in the transaction that
-- ends the session. It is removed once the logout was delivered or can no longer be delivered.
create table backchannel_logouts (
    session_id text primary key,
    user_id text not null,
    client_id text not null,
    created_at integer not null,
    -- The number of attempts, and the time of the next one. An instance claims an attempt by moving that time.
    tries integer not null,
    next_try_at integer not null
) strict;

create index backchannel_logouts_due on backchannel_logouts (next_try_at);

-- The status lists that are served. A list without an index in use is dropped.
create table status_lists (
    number integer primary key,
    -- When a later list was first seen.
    closed_at integer
) strict;

-- Former status indexes of clients, replaced when the clients' tokens were revoked.
create table revoked_indexes (
    status_index integer primary key,
    client_id text not null,
    revoked_at integer not null
) strict;

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

-- One row: the newest number assigned, and the newest one pruned.
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

-- Facts about the whole deployment. Each has a row of its own, and so a lock of its own.
create table metadata (
    key text primary key,
    number integer,
    bytes blob
) strict;

insert into metadata (key, number) values ('global_not_before', 0), ('next_status_index', 0);

-- The embedded ephemeral store, for deployments without Redis. Lost rows are rebuilt from the database and the tokens.

create table rotation_records (
    session_id text primary key,
    record text not null,
    expires_at integer not null
) strict;

create table one_time_values (
    key text primary key,
    value text not null,
    taken integer not null,
    expires_at integer not null
) strict;

create table remembered_keys (
    key text primary key,
    expires_at integer not null
) strict;

create table counters (
    key text primary key,
    count integer not null,
    resets_at integer not null
) strict;

create index rotation_records_expired on rotation_records (expires_at);
create index one_time_values_expired on one_time_values (expires_at);
create index remembered_keys_expired on remembered_keys (expires_at);
create index counters_expired on counters (resets_at);

-- The database's own time. Tokenhouse passes its own clock instead, which a test can set; PostgreSQL's time is shared.
create view present (now) as select cast(unixepoch('subsec') * 1000 as integer);
