-- The status lists that are served; one in which nothing lives any more is dropped.

create table status_lists (
    number bigint primary key,
    -- When it was first seen that a later one has been begun.
    closed_at bigint
);

insert into status_lists (number)
with recursive begun (number) as (
    select (number - 1) / 131072 from house where fact = 'next_status_index' and number > 0
    union all
    select number - 1 from begun where number > 0
)
select number from begun;

-- Until when the place of a session may have to be told of: two minutes after its end of its own, a day and two minutes
-- after it was ended.
create index sessions_by_list on sessions ((status_index / 131072), (coalesce(ended_at + 86520000, ends_at + 120000)));
