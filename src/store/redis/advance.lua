-- Exchanges the current token of a session: RotationRecord::advanced, on the head line of the record.
-- KEYS[1] the session; ARGV[1], ARGV[2] generation and branch of the token that was presented; ARGV[3] how many seconds
-- the record is kept after its token has expired.
-- Answers what stands there now (false: nothing), the time in milliseconds, and whether it was exchanged (1 or 0).
-- Numbers are exact up to 2^53. Arithmetic reads digits as a number; a comparison does not, hence tonumber there.
local record = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
local seconds = tonumber(time[1])
local now = seconds * 1000 + math.floor(time[2] / 1000)
if not record then
  return {false, now, 0}
end

-- A tombstone or a foreign text does not match: it is returned as it stands.
local number, branch, issued_at, ends_at, lifetime, repeats, first, others, grant = string.match(record,
  '^(%d+) (%d+) (%-?%d+) %-?%d+ (%-?%d+) (%d+) (%d+ %d+) (%-?%d*)([%d:,%-]*)(\n.*)$')
if number ~= ARGV[1] or branch ~= ARGV[2] or seconds >= tonumber(ends_at) then
  return {record, now, 0}
end

-- The token that was current becomes the first ancestor, rotated now; the one that was first lies that much additional back.
local ancestors = branch == '0' and '0' or '0:' .. branch
local back = tonumber(first)
if back then
  ancestors = string.format('%s,%d%s', ancestors, now - issued_at + back, others)
  ancestors = string.match(ancestors, '^[^,]*,[^,]*,[^,]*,[^,]*') or ancestors
elseif first ~= '' or others ~= '' then
  return {record, now, 0}
end

local expires_at = math.min(seconds + lifetime, tonumber(ends_at))
record = string.format('%d 0 %d %d %s %s %s ', number + 1, now, expires_at - seconds, ends_at, lifetime, repeats)
  .. ancestors .. grant
redis.call('SET', KEYS[1], record, 'PXAT', string.format('%d', (expires_at + ARGV[3]) * 1000))
return {record, now, 1}
