-- Returns the value at KEYS[1] (false: none), and the time in milliseconds.
local time = redis.call('TIME')
return {redis.call('GET', KEYS[1]), tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)}
