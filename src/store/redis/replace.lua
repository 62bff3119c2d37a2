-- Puts ARGV[2] in the position of exactly ARGV[1], until ARGV[3] (milliseconds since 1970). Answers 1 when it was there.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
return 1
