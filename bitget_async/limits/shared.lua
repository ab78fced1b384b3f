-- The tokens of one quota, each of which belongs to one process at every moment: what it takes to hand them round.
--
-- A process uses its tokens by itself and gives one up only when it is free. So all that is known here is how many each
-- process has at most. Whoever is silent for TERM has lost all but its share by its own clock; what it had is free
-- another `lease` later. Times are integer microseconds of this server's clock.
--
-- KEYS[1]  the bucket
-- ARGV     member, number of the message, server's time as last heard, quota, places, pocket, share, lease, hold,
--          held, want, peers as last heard (0: never), refused, leaving
-- Answers  {now, place, granted, limit, come, free, peers, silent}; place -1: none, -2: the message came too late
local member, seq, echo = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local quota, places, pocket, share = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local lease, hold = tonumber(ARGV[8]), tonumber(ARGV[9])
local held, want, peers = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local refused, leaving = ARGV[13] == '1', ARGV[14] == '1'

-- TERM and AGE stand in ledger.py too.
local TERM, AGE, FORGOTTEN, POLL, REST = 2000000, 2000000, 600000000, 100000, 10000000

local time = redis.call('TIME')
local clock = tonumber(time[1]) * 1000000 + tonumber(time[2])
local about = redis.call('INFO', 'server')
local run = string.match(about, 'run_id:(%w+)') or ''
local raw = redis.call('GET', KEYS[1])
local bucket = raw and cmsgpack.unpack(raw)
if not bucket or bucket.run ~= run then
  -- A server that has just started, or taken over, does not know who has what: nothing is given until all have told.
  local since = clock
  if not bucket then since = clock - (tonumber(string.match(about, 'uptime_in_seconds:(%d+)') or '0') - 1) * 1000000 end
  bucket = {run = run, ahead = 0, last = clock, cold = since + TERM + lease, tight = 0, peers = 0, back = 0, lost = 0, members = {}}
end

-- The wall clock of the server may be set back, but time goes on.
local now = clock + bucket.ahead
if now < bucket.last then
  bucket.ahead, now = bucket.ahead + bucket.last - now, bucket.last
end
bucket.last = now
local members = bucket.members
local me = members[member]
if echo > now or now - echo > AGE or (me and seq <= me.seq) then
  -- It was on its way for so long that its sender no longer counts on it; or the sender has to learn the time first.
  return {now, -2, 0, 0, -1, 0, 0, 0}
end
if not me then
  if peers > 0 then
    -- Whoever was here and is not known any more proves that this state is not the last one.
    bucket.cold = math.max(bucket.cold, now + TERM + lease)
    bucket.peers, bucket.back, bucket.lost = math.max(bucket.peers, peers), bucket.back + 1, now
  end
  me = {place = -1, pocket = pocket, share = share, served = 0}
  members[member] = me
end
me.seq, me.heard, me.held, me.want, me.gone, me.floor = seq, now, held, want, nil, 0
if leaving then
  -- What is still out comes back within a lease.
  me.place, me.heard, me.gone = -1, now - TERM - 1, true
end

-- Who has a place, and what is set aside for those who are silent: what they had, then their share.
local function silent(each) return now - each.heard > TERM end
local taken, sum, count, oldest = {}, 0, 0, nil
for id, each in pairs(members) do
  local quiet = now - each.heard
  if quiet > TERM + lease then each.held = 0 end
  if quiet > FORGOTTEN or (each.gone and each.held == 0) then
    members[id] = nil
  elseif each.place >= 0 then
    taken[each.place], sum, count = true, sum + each.share, count + 1
    if silent(each) and (not oldest or each.heard < oldest.heard) then oldest = each end
  end
end
if bucket.lost + FORGOTTEN < now then bucket.peers = 0 end
-- Those that were there before this state began and have not come back may be on their own. They have places too.
local missing = math.max(0, bucket.peers - bucket.back)
if me.place < 0 and not leaving then
  if peers == 0 then count, sum = count + missing, sum + missing * share end
  if count >= places or sum + share > quota then
    -- Somebody who has long been silent makes room.
    if oldest then
      taken[oldest.place], sum, count = nil, sum - oldest.share, count - 1
      oldest.place, oldest.gone = -1, true
    elseif missing > 0 and now >= bucket.cold then
      bucket.back, missing, sum, count = bucket.back + 1, missing - 1, sum - share, count - 1
    end
  end
  if count < places and sum + share <= quota then
    me.place, me.pocket, me.share = 0, pocket, share
    while taken[me.place] do me.place = me.place + 1 end
  end
end
local aside, away, quiet, present, here = missing * share, share == 0 and missing or 0, 0, 0, {}
for id, each in pairs(members) do
  local placed = each.place >= 0
  if placed then present = present + 1 end
  if not silent(each) then
    each.id, each.floor = id, placed and each.pocket or 0
    table.insert(here, each)
  else
    aside = aside + math.max(each.held, placed and each.share or 0)
    if placed then
      quiet = quiet + 1
      if each.share == 0 then away = away + 1 end
    end
  end
end
-- Those whose share is less than a token take turns: so many of them at once.
aside = aside + math.min(away, math.ceil(places / math.ceil(places / quota)))

if refused and now >= bucket.tight then bucket.tight = now + hold + REST end
local capacity = math.max(0, quota - aside)
if now < bucket.tight then capacity = math.max(0, capacity - math.floor(quota / 2)) end

-- To each the same, but to nobody more than it can use. What does not divide goes round: one token each, for one use.
local had = 0
for _, each in ipairs(here) do had = had + math.max(each.held, each.floor) end
local short = had > capacity
local function need(each) return short and each.held or math.min(quota, each.held + each.want) end
local level, used = quota + 1, quota + capacity
local function fair(each) return math.max(each.floor, math.min(need(each), level)) end
while level > 0 and used > capacity do
  level, used = level - 1, 0
  for _, each in ipairs(here) do used = used + fair(each) end
end
local line = {}
for _, each in ipairs(here) do
  if need(each) > fair(each) then table.insert(line, each) end
end
table.sort(line, function(a, b)
  local more, less = a.held > fair(a), b.held > fair(b)
  if more ~= less then return less end
  if a.served ~= b.served then return a.served < b.served end
  return a.id < b.id
end)
-- Of what is free, some is still to come to those who have less than their part. `turn`: where I stand in the line.
local limit, granted, come, free, owed, turn = quota, 0, -1, math.max(0, capacity - had), 0, 0
for _, each in ipairs(here) do
  if each ~= me then owed = owed + math.max(0, fair(each) - math.max(each.held, each.floor)) end
end
for at, each in ipairs(line) do
  if each == me then turn = at end
end
if #line > 0 then limit = fair(me) end
if turn > 0 and not short and turn <= capacity - used then limit = limit + 1 end
if not leaving then
  local calm = now >= bucket.cold and (bucket.tight == 0 or now >= bucket.tight - REST)
  if calm then
    local mine = capacity - had + math.max(held, me.floor) - held
    local most = (turn == 0 or turn <= free - owed) and limit or fair(me)
    granted = math.max(0, math.min(mine, most - held, math.max(want, me.floor - held)))
  end
  if granted > 0 then
    free = math.max(0, free - math.max(0, held + granted - math.max(held, me.floor)))
    me.held, me.want, me.served = held + granted, math.max(0, want - granted), now
  elseif want > 0 and held <= limit then
    -- The next one to come back may be for this process: when each of those who have one more was given it.
    local since = {}
    for _, each in ipairs(here) do
      if each ~= me and each.held > fair(each) then table.insert(since, each.served) end
    end
    table.sort(since)
    if since[turn] then come = math.max(POLL, since[turn] + hold + POLL / 2 - now) end
    if now < bucket.cold then come = bucket.cold - now end
  end
end
for _, each in ipairs(here) do each.id, each.floor = nil, nil end
me.floor = nil
redis.call('SET', KEYS[1], cmsgpack.pack(bucket), 'PX', 900000)
return {now, me.place, granted, limit, come, free, present + missing, quiet}
