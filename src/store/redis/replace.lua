-- Replaces exactly ARGV[1] by ARGV[2], which expires at ARGV[3] (milliseconds since 1970). Returns 1 if replaced.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
return 1
