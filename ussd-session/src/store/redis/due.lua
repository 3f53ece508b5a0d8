-- Notes when a session is due, or that it is not due any more. The list lives as long as its longest-lived entry.
local function list(due, deadline, member, ttl)
    if deadline == '' then
        redis.call('ZREM', due, member)
        return
    end
    redis.call('ZADD', due, deadline, member)
    if redis.call('PTTL', due) < tonumber(ttl) then
        redis.call('PEXPIRE', due, ttl)
    end
end
