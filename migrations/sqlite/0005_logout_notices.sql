-- Applications that are yet to be told that a session of theirs is over (OpenID Connect Back-Channel Logout 1.0). A row is
-- written with the end that it tells of, and goes once the application has answered or nobody can be told any more.

create table logout_notices (
    session_id text primary key,
    user_id text not null,
    client_id text not null,
    created_at integer not null,
    -- How often it was tried, and when it is tried again: whoever moves that on is the one who tries.
    tries integer not null,
    next_try_at integer not null
) strict;

create index logout_notices_due on logout_notices (next_try_at);
