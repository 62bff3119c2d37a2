-- Instances that listen hear of a change with its commit, and need not wait until they read the feed again.

create function tell_of_change() returns trigger language plpgsql as $$
begin
    perform pg_notify('tokenhouse_feed', '');
    return null;
end
$$;

create trigger feed_news after insert on feed for each statement execute function tell_of_change();
