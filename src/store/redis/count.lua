-- Counts one more, in a window of ARGV[1] milliseconds that begins with the first.
-- Answers the count and the milliseconds that are left of the window.
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}
