-- Exchanges the current token of a session: RotationRecord::advanced, on the head line of the record.
-- KEYS[1]: the session. ARGV[1], ARGV[2]: generation and branch of the presented token. ARGV[3]: for how many seconds
-- the record is kept after its token has expired.
-- Returns the value that is stored now (false: none), the time in milliseconds, and whether the token was exchanged (1
-- or 0).
-- Numbers are exact up to 2^53. Arithmetic converts digits to a number; a comparison does not, hence tonumber there.
local record = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
local seconds = tonumber(time[1])
local now = seconds * 1000 + math.floor(time[2] / 1000)
if not record then
  return {false, now, 0}
end

-- A tombstone or an unknown format does not match: it is returned unchanged.
local number, branch, issued_at, ends_at, lifetime, repeats, first, others, grant = string.match(record,
  '^(%d+) (%d+) (%-?%d+) %-?%d+ (%-?%d+) (%d+) (%d+ %d+) (%-?%d*)([%d:,%-]*)(\n.*)$')
if number ~= ARGV[1] or branch ~= ARGV[2] or seconds >= tonumber(ends_at) then
  return {record, now, 0}
end

-- The current token becomes the first ancestor, rotated now. The previous first ancestor counted back from issued_at;
-- it now counts back from this rotation, so the time in between is added.
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
