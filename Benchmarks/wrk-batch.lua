-- Batches on the data port: 500 lines a request, 50 % get, 25 % put, 25 % delete over 10,000 keys of one map.
-- Keys follow from a fixed seed and the thread's number; each thread sends its 20 batches round and round.
local value = string.rep("v", 100)
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  math.randomseed(20260301 + number)
  local path = "/api/v1/maps/" .. (args[1] or "bench") .. "/batch"
  batches = {}
  for batch = 1, 20 do
    local lines = {}
    for line = 1, 500 do
      local key = "key" .. math.random(10000)
      local dice = math.random(4)
      if dice <= 2 then lines[line] = '{"op":"get","key":"' .. key .. '"}'
      elseif dice == 3 then lines[line] = '{"op":"put","key":"' .. key .. '","value":"' .. value .. '"}'
      else lines[line] = '{"op":"delete","key":"' .. key .. '"}' end
    end
    batches[batch] = wrk.format("POST", path, nil, table.concat(lines, "\n") .. "\n")
  end
end

function request()
  turn = ((turn or 0) % #batches) + 1
  return batches[turn]
end

function done(summary, latency, requests)
  io.write(string.format("requests/s %.0f\n", summary.requests / (summary.duration / 1e6)))
  io.write(string.format("socket errors: connect %d read %d write %d timeout %d status %d\n",
    summary.errors.connect, summary.errors.read, summary.errors.write, summary.errors.timeout,
    summary.errors.status))
end
