-- Browsers that are signed in, what people have agreed to, and what applications add for it.

create table logins (
    id text primary key,
    -- SHA-256 of the cookie, in base64url.
    cookie text not null unique,
    user_id text not null,
    device text not null,
    created_at integer not null,
    last_used_at integer not null,
    ends_at integer not null,
    auth_time integer not null,
    amr text not null,
    ended_at integer,
    ended_reason text
) strict;

create index logins_by_user on logins (user_id, id);

create table consents (
    user_id text not null,
    client_id text not null,
    scope text not null,
    given_at integer not null,
    primary key (user_id, client_id)
) strict;

create index consents_by_client on consents (client_id);

alter table clients add column sign_on text not null default '{}';

-- The login under which the session began; where the session outlives it, `offline` is 1.
alter table sessions add column login_id text;
alter table sessions add column offline integer not null default 0;
-- Claims for userinfo that were asked for by name (OpenID Connect Core 1.0 section 5.5).
alter table sessions add column claims text not null default '[]';

create index sessions_by_login on sessions (login_id) where login_id is not null;
