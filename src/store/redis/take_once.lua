-- Takes a one-time value. Its first letter says whether it is fresh ('f') or was taken before ('t').
-- Returns the value as it was before the call (false: none). A fresh one is marked as taken and keeps its expiry.
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, 1) == 'f' then
  redis.call('SETRANGE', KEYS[1], 0, 't')
end
return value
