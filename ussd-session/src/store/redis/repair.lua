-- Notes sessions as due at once of which nothing is noted. KEYS: what is due. ARGV: time to live; the sessions' names.
local new = 0
for at = 2, #ARGV do
    new = new + list(KEYS[1], 0, ARGV[at], ARGV[1], true)
end
return new
