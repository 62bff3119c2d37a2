-- Exchanges the current token of a session: RotationRecord::advanced, on the head line of the record.
-- KEYS[1] the session; ARGV[1], ARGV[2] generation and branch of the token that was presented.
-- Answers what stands there now (false: nothing), the time in milliseconds, and whether it was exchanged (1 or 0).
local record = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
local seconds = tonumber(time[1])
local now = seconds * 1000 + math.floor(tonumber(time[2]) / 1000)
if not record then
  return {false, now, 0}
end

-- A tombstone or a foreign text does not match: it is returned as it stands.
local number, branch, issued_at, ends_at, lifetime, streak, repeated, ancestors, grant = string.match(record,
  '^(%d+) (%d+) (%-?%d+) %-?%d+ (%-?%d+) (%d+) (%d+) ([01]) ([%d:,%-]*)\n(.*)$')
if number ~= ARGV[1] or branch ~= ARGV[2] or seconds >= tonumber(ends_at) then
  return {record, now, 0}
end

local expires_at = math.min(seconds + tonumber(lifetime), tonumber(ends_at))
if repeated == '0' then
  streak = '0'
end

-- The token that was current becomes the first ancestor, rotated now; the one that was first lies that much further back.
local parent = branch == '0' and '0' or '0:' .. branch
if ancestors == '' then
  ancestors = parent
else
  local back, rest = string.match(ancestors, '^(%-?%d+)(.*)$')
  if not back then
    return {record, now, 0}
  end
  ancestors = parent .. string.format(',%.0f', now - tonumber(issued_at) + tonumber(back)) .. rest
  ancestors = string.match(ancestors, '^[^,]*,[^,]*,[^,]*,[^,]*') or ancestors
end

local head = string.format('%.0f 0 %.0f %.0f %s %s %s 0 %s', tonumber(number) + 1, now, expires_at - seconds, ends_at,
  lifetime, streak, ancestors)
record = head .. '\n' .. grant
redis.call('SET', KEYS[1], record, 'PXAT', string.format('%.0f', (expires_at + tonumber(ARGV[3])) * 1000))
return {record, now, 1}
