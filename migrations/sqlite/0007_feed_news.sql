-- Nobody can listen to a file: other processes read the feed every second.
select 1;
