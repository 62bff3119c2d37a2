-- Places in the status lists that were their client's until its tokens were revoked; it has another one since.

create table retired_places (
    place integer primary key,
    client_id text not null,
    retired_at integer not null
) strict;
