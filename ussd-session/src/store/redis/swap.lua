-- Compares and writes, with everything that belongs to the write.
--
-- KEYS: session; owner; what is due, if it is to be noted here; the other program's session, if one is taken over
-- ARGV: 1 the tag expected, empty for none    2 the content, which begins with its tag; empty to forget
--       3 time to live in milliseconds        4 the owner, empty for none    5 the session that may have owned before
--       6 deadline, empty for none            7 the session's name among what is due
--       8 '1' if what is due is among KEYS    9 '1' if the other program's session is
--       10 how many sessions may be open, if this one begins and what is due is among KEYS; else empty
-- Returns 1 if it was written, 0 if something else is there, 2 if as many sessions are open as may be.
local session, owner = KEYS[1], KEYS[2]
if redis.call('GETRANGE', session, 0, 15) ~= ARGV[1] then
    return 0
end
if ARGV[10] ~= '' and redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[10])
    and not redis.call('ZSCORE', KEYS[3], ARGV[7]) then
    return 2
end
if ARGV[9] == '1' and redis.call('DEL', KEYS[#KEYS]) == 0 then
    return 0
end
if ARGV[2] == '' then
    redis.call('DEL', session)
else
    redis.call('SET', session, ARGV[2], 'PX', ARGV[3])
end
if ARGV[4] ~= '' then
    redis.call('SET', owner, ARGV[4], 'PX', ARGV[3])
elseif string.sub(redis.call('GET', owner) or '', 1, 16) == ARGV[5] then
    redis.call('DEL', owner)
end
if ARGV[8] == '1' then
    list(KEYS[3], ARGV[6], ARGV[7], ARGV[3])
end
return 1
