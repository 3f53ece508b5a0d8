-- Notes when a session is due, or that it is not due any more; only if nothing is noted of it yet, if that is asked
-- for. The list lives as long as its longest-lived entry. How many sessions are new on it.
local function list(due, deadline, member, ttl, only_new)
    if deadline == '' then
        redis.call('ZREM', due, member)
        return 0
    end
    local new
    if only_new then
        new = redis.call('ZADD', due, 'NX', deadline, member)
    else
        new = redis.call('ZADD', due, deadline, member)
    end
    if redis.call('PTTL', due) < tonumber(ttl) then
        redis.call('PEXPIRE', due, ttl)
    end
    return new
end
