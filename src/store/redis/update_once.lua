-- Puts ARGV[2] in the position of exactly ARGV[1], a one-time value that was not taken; it keeps its expiry.
-- Answers 1 when it was there.
if redis.call('GET', KEYS[1]) ~= 'f' .. ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], 'f' .. ARGV[2], 'KEEPTTL')
return 1
