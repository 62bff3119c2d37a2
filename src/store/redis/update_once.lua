-- Replaces exactly ARGV[1], a one-time value that was not taken, by ARGV[2]. The expiry stays.
-- Returns 1 if it was replaced.
if redis.call('GET', KEYS[1]) ~= 'f' .. ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], 'f' .. ARGV[2], 'KEEPTTL')
return 1
