-- The database. Columns are bigint, text and bytea only, so that one SQL text serves both databases; times are
-- milliseconds since 1970, lists and policies are JSON. Keys compare byte by byte ("C"), as they do in SQLite.

create table users (
    id text collate "C" primary key,
    username text not null,
    username_key text collate "C" not null unique,
    email text,
    email_key text collate "C" unique,
    email_verified bigint not null,
    -- What the standard claims of OpenID Connect say of a user, as JSON.
    profile text not null,
    state text not null,
    admin bigint not null,
    roles text not null,
    groups text not null,
    -- When roles or groups last changed: an ephemeral store that lost writes may have lost that.
    rights_changed_at bigint,
    not_before bigint not null,
    created_at bigint not null,
    password_hash text,
    password_changed_at bigint,
    last_login_at bigint
);

create table clients (
    id text collate "C" primary key,
    -- Its client metadata (RFC 7591 section 2), as JSON.
    metadata text not null,
    -- The same as in the metadata: the queue of back-channel logouts asks for it.
    backchannel_logout_uri text,
    state text not null,
    status_index bigint not null,
    not_before bigint not null,
    created_at bigint not null,
    -- How long its access tokens were valid before that changed, and when it did: status lists need it.
    previous_access_lifetime bigint,
    access_lifetime_changed_at bigint,
    -- Digests of its live secrets, as JSON.
    secrets text not null
);

-- What a user lets an application have.
create table consents (
    user_id text collate "C" not null,
    client_id text collate "C" not null,
    scope text not null,
    given_at bigint not null,
    primary key (user_id, client_id)
);

create index consents_by_client on consents (client_id);

-- Browsers in which a user is signed in.
create table browser_sessions (
    id text collate "C" primary key,
    -- SHA-256 of the cookie, in base64url.
    cookie text collate "C" not null unique,
    user_id text collate "C" not null,
    user_agent text not null,
    created_at bigint not null,
    last_used_at bigint not null,
    ends_at bigint not null,
    auth_time bigint not null,
    amr text not null,
    acr text not null,
    ended_at bigint,
    ended_reason text
);

create index browser_sessions_by_user on browser_sessions (user_id, id);

-- A session outlives its user's and its client's rows: no foreign keys.
create table sessions (
    id text collate "C" primary key,
    user_id text collate "C" not null,
    client_id text collate "C" not null,
    -- The browser session under which the session began; where the session outlives it, `offline` is 1.
    browser_session_id text collate "C",
    offline bigint not null,
    scope text not null,
    audience text not null,
    -- Claims for userinfo that were asked for by name (OpenID Connect Core 1.0 section 5.5).
    claims text not null,
    -- The key that its tokens are bound to (RFC 7800), as JSON.
    confirmation text,
    status_index bigint not null,
    user_agent text not null,
    created_at bigint not null,
    last_used_at bigint not null,
    ends_at bigint not null,
    auth_time bigint not null,
    amr text not null,
    acr text not null,
    ended_at bigint,
    ended_reason text,
    -- The first feed number of the transaction that ended it.
    ended_feed bigint
) with (fillfactor = 90);

create index sessions_by_user on sessions (user_id, client_id);
create index sessions_by_client on sessions (client_id, id);
create index sessions_by_browser_session on sessions (browser_session_id) where browser_session_id is not null;
-- Ended sessions leave the one and enter the other, so that what ends many reads each once.
create index sessions_live on sessions (ends_at, id) where ended_at is null;
create index sessions_ended on sessions (id, ended_at, ended_reason) where ended_at is not null;
create index sessions_by_ended_feed on sessions (ended_feed) where ended_feed is not null;
-- Until when the status index of a session may have to be told of: two minutes after its end of its own, a day and two minutes
-- after it was ended.
create index sessions_by_list on sessions ((status_index / 131072), (coalesce(ended_at + 86520000, ends_at + 120000)));

-- Applications that are yet to be told that a session of theirs is over (OpenID Connect Back-Channel Logout 1.0). A row is
-- written with the end that it tells of, and goes once the application has answered or nobody can be told any more.
create table backchannel_logouts (
    session_id text collate "C" primary key,
    user_id text collate "C" not null,
    client_id text collate "C" not null,
    created_at bigint not null,
    -- How often it was tried, and when it is tried again: whoever moves that on is the one who tries.
    tries bigint not null,
    next_try_at bigint not null
);

create index backchannel_logouts_due on backchannel_logouts (next_try_at);

-- The status lists that are served; one in which nothing lives any more is dropped.
create table status_lists (
    number bigint primary key,
    -- When it was first seen that a later one has been begun.
    closed_at bigint
);

-- StatusIndexes in the status lists that were their client's until its tokens were revoked; it has another one since.
create table revoked_indexes (
    status_index bigint primary key,
    client_id text collate "C" not null,
    revoked_at bigint not null
);

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

-- Instances that listen hear of a change with its commit, and need not wait until they read the feed again.
create function notify_change() returns trigger language plpgsql as $$
begin
    perform pg_notify('tokenhouse_feed', '');
    return null;
end
$$;

create trigger feed_notification after insert on feed for each statement execute function notify_change();

-- Facts about the whole deployment, one row each, so that each has a lock of its own.
create table metadata (
    key text collate "C" primary key,
    number bigint,
    bytes bytea
);

insert into metadata (key, number) values ('global_not_before', 0), ('next_status_index', 0);

-- The embedded ephemeral store, for those who run no Redis. What is lost here is rebuilt from the database and the tokens.

create table rotation_records (
    session_id text collate "C" primary key,
    record text not null,
    expires_at bigint not null
) with (fillfactor = 70);

create table one_time_values (
    key text collate "C" primary key,
    value text not null,
    taken bigint not null,
    expires_at bigint not null
);

create table remembered_keys (
    key text collate "C" primary key,
    expires_at bigint not null
);

create table counters (
    key text collate "C" primary key,
    count bigint not null,
    resets_at bigint not null
) with (fillfactor = 70);

create index rotation_records_expired on rotation_records (expires_at);
create index one_time_values_expired on one_time_values (expires_at);
create index remembered_keys_expired on remembered_keys (expires_at);
create index counters_expired on counters (resets_at);

-- The database's own time, which all instances share.
create view present (now) as select cast(extract(epoch from clock_timestamp()) * 1000 as bigint);
