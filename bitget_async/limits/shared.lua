-- One bucket for all processes of an account. A token is out until a moment of this server's clock; every call takes
-- what is due, tells what came of earlier tokens, and proves that its process lives. Times are integer microseconds.
--
-- KEYS[1]  the bucket
-- ARGV     member, quota, places, pocket, share, hold, lease, known, owns, want, first, base, left, refused, leaving,
--          not_after, peers, then pairs: token id, microseconds until it is back (-1: it was never used)
-- Answers  {now, place, owns, silent, granted, come, free, peers}; `come`: microseconds until there may be a token, or -1
local member, quota, places = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local pocket, share, hold, lease = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local known, owns = ARGV[8] == '1', ARGV[9] == '1'
local want, first, base = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local left, refused, leaving = tonumber(ARGV[13]), ARGV[14] == '1', ARGV[15] == '1'
local not_after, peers = tonumber(ARGV[16]), tonumber(ARGV[17])

local SILENT, FORGOTTEN, GRACE, LOOK, REST = 2000000, 600000000, 250000, 700000, 10000000

local time = redis.call('TIME')
local clock = tonumber(time[1]) * 1000000 + tonumber(time[2])
local about = redis.call('INFO', 'server')
local run = string.match(about, 'run_id:(%w+)') or ''
local raw = redis.call('GET', KEYS[1])
local bucket = raw and cmsgpack.unpack(raw)

if not bucket or bucket.run ~= run then
  -- A server that has just started, or taken over, does not know what is out: all of it may be, one lease long.
  local began = clock - (tonumber(string.match(about, 'uptime_in_seconds:(%d+)') or '0') + 1) * 1000000
  local cold = began + lease + hold
  if bucket then cold = clock + lease + hold end
  bucket = {run = run, ahead = 0, last = clock, cold = cold, rest = 0, tight = 0, peers = 0, missed = 0, tokens = {}, members = {}, line = {}}
end

-- The wall clock of the server may be set back, but time goes on.
local now = clock + bucket.ahead
if now < bucket.last then
  bucket.ahead = bucket.ahead + bucket.last - now
  now = bucket.last
end
bucket.last = now
if not_after > 0 and now > not_after then
  -- It was on its way for so long that its sender has given it up, and acts as if it had never come.
  return {now, -2, 0, 0, 0, -1, 0, 0}
end

local tokens, members, line = bucket.tokens, bucket.members, bucket.line
for id, due in pairs(tokens) do
  if due <= now then
    if bucket.rest > 0 then
      bucket.rest = bucket.rest - 1
      tokens[id] = due + REST
    else
      tokens[id] = nil
    end
  end
end
for at = 18, #ARGV, 2 do
  local delta = tonumber(ARGV[at + 1])
  if delta < 0 then tokens[ARGV[at]] = nil else tokens[ARGV[at]] = now + delta end
end

local function remove(id, till)
  for each = 1, members[id].pocket do tokens['lost:' .. id .. ':' .. each] = till + lease + hold end
  members[id] = nil
end

local function save()
  redis.call('SET', KEYS[1], cmsgpack.pack(bucket), 'PX', 900000)
end

local function drop(id)
  for at = #line, 1, -1 do
    if line[at].id == id then table.remove(line, at) end
  end
end

for id, each in pairs(members) do
  if each.till + FORGOTTEN < now then members[id] = nil end
end
if leaving then
  members[member] = nil
  drop(member)
  save()
  return {now, -1, 0, 0, 0, -1, 0, 0}
end

local me = members[member]
if not me then
  -- Whoever was here a moment ago and is not known any more proves that this state is not the last one.
  if known then
    bucket.cold = math.max(bucket.cold, now + lease + hold)
    bucket.peers, bucket.missed = math.max(bucket.peers, peers), now
  end
  while not me do
    local taken, sum, count, oldest = {}, 0, 0, nil
    for id, each in pairs(members) do
      taken[each.place], sum, count = true, sum + each.share, count + 1
      if each.till < now and (not oldest or each.till < members[oldest].till) then oldest = id end
    end
    if count < places and sum + share <= quota then
      local place = 0
      while taken[place] do place = place + 1 end
      me = {place = place, pocket = pocket, share = share, till = now}
      members[member] = me
    elseif oldest then
      remove(oldest, members[oldest].till)
    else
      break
    end
  end
end
if me then me.till = now + SILENT end

-- What may be out by this state: not the pockets, and not the shares of those who may be on their own by now.
local kept, silent, none, count = 0, 0, 0, 0
for _, each in pairs(members) do
  count = count + 1
  kept = kept + each.pocket
  if each.till < now then
    silent = silent + 1
    kept = kept + each.share - each.pocket
    if each.share == 0 then none = none + 1 end
  end
end
-- Those that were there before this state began, and have not come back.
if bucket.peers <= count or bucket.missed + FORGOTTEN < now then bucket.peers = 0 end
if bucket.peers > count then
  kept = kept + (bucket.peers - count) * share
  if share == 0 then none = none + bucket.peers - count end
end
local turns = math.ceil(places / quota)
local capacity = math.max(0, quota - kept - math.min(none, math.ceil(places / turns)))
local out, returns = 0, {}
for _, due in pairs(tokens) do
  out = out + 1
  returns[out] = due
end

local function rest(down_to)
  for each = 1, capacity - out - down_to do
    out = out + 1
    tokens[member .. '!' .. base .. ':' .. each] = now + hold
    returns[out] = now + hold
  end
end

if left >= 0 then rest(left) end
if refused then
  rest(0)
  if now >= bucket.tight then
    bucket.rest = math.floor(quota / 2)
    bucket.tight = now + REST + hold
  end
end
local mine = me and me.pocket > 0 and (owns or (now >= bucket.cold and out <= capacity))

-- The line: one token each in turn, those with `first` before the others; a place is kept for who is due, not for long.
for at = #line, 1, -1 do
  if line[at].id ~= member and now > line[at].due + GRACE then table.remove(line, at) end
end
local ticket
for _, each in ipairs(line) do
  if each.id == member then ticket = each end
end
if not ticket and want > 0 then
  ticket = {id = member}
  table.insert(line, ticket)
end
if ticket then ticket.want, ticket.first, ticket.due = want, first, now end

local free, granted, ahead = capacity - out, 0, 0
if now < bucket.cold then free = 0 end
local wants, firsts = {}, {}
for _, each in ipairs(line) do wants[each.id], firsts[each.id] = each.want, each.first end
local function round(only_first)
  local moved = false
  for _, each in ipairs(line) do
    local id = each.id
    if free > 0 and wants[id] > 0 and each.due <= now and (not only_first or firsts[id] > 0) then
      free, moved = free - 1, true
      wants[id], firsts[id] = wants[id] - 1, firsts[id] - 1
      if id == member then
        tokens[member .. ':' .. (base + granted)] = now + lease + hold
        granted = granted + 1
        out = out + 1
        returns[out] = now + lease + hold
      end
    end
  end
  return moved
end
while round(true) do end
while round(false) do end

local come = -1
if ticket then
  ticket.want, ticket.first = want - granted, math.max(0, first - granted)
  -- Who got something goes to the end of the line; who did not keeps his place.
  if granted > 0 or ticket.want == 0 then drop(member) end
  if granted > 0 and ticket.want > 0 then table.insert(line, ticket) end
  if ticket.want > 0 then
    for _, each in ipairs(line) do
      if each.id == member then break end
      if each.first > 0 or ticket.first == 0 then ahead = ahead + 1 end
    end
    -- Of a token in use nobody knows when it is back; at best its answer comes now.
    for at, due in ipairs(returns) do returns[at] = math.min(due, now + hold) end
    table.sort(returns)
    local due = returns[math.max(1, out - capacity + ahead + 1)] or now + LOOK
    if now < bucket.cold then due = math.max(due, bucket.cold) end
    come = math.max(1000, due - now)
    ticket.due = now + math.min(come, LOOK)
  end
end
save()
return {now, me and me.place or -1, mine and 1 or 0, silent, granted, come, math.max(0, capacity - out), math.max(count, bucket.peers)}
