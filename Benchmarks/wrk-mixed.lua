-- A mixed load on the data port: 50 % get, 25 % put, 25 % delete over 10,000 keys of one map.
-- Keys follow from a fixed seed and the thread's number, so that two runs send the same requests.
local value = string.rep("v", 100)
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  math.randomseed(20260301 + number)
  map = args[1] or "bench"
end

function request()
  local path = "/api/v1/maps/" .. map .. "/entries/key" .. math.random(10000)
  local dice = math.random(4)
  if dice <= 2 then return wrk.format("GET", path) end
  if dice == 3 then return wrk.format("PUT", path, nil, value) end
  return wrk.format("DELETE", path)
end

-- A get or a delete of an absent key is answered 404: right, and no error.
function response(status, headers, body)
  if status >= 400 and status ~= 404 then unexpected = (unexpected or 0) + 1 end
end

function done(summary, latency, requests)
  io.write(string.format("requests/s %.0f  p50 %.3f ms  p99 %.3f ms  max %.3f ms\n",
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, latency.max / 1000))
  io.write(string.format("socket errors: connect %d read %d write %d timeout %d\n",
    summary.errors.connect, summary.errors.read, summary.errors.write, summary.errors.timeout))
end
