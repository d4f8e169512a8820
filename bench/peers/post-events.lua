-- Single events for wrk: every request is another event with an id of its own. All have one length, so that a
-- request is its head and some text, joined once.

local k = 0
local head, run

function init(args)
  local path, host = args[1], args[3]
  run = args[2]
  local authorization = os.getenv("RECORD_AUTHORIZATION")
  local lines = {
    "POST " .. path .. " HTTP/1.1",
    "Host: " .. host,
    "Content-Type: application/json",
    "Content-Length: " .. #event(),
  }
  if authorization ~= nil and authorization ~= "" then
    lines[#lines + 1] = "Authorization: " .. authorization
  end
  head = table.concat(lines, "\r\n") .. "\r\n\r\n"
end

function event()
  local n = k % 5000
  return string.format(
    '{"id":"%08x-0000-4000-8000-%s","code":20101,"component":"Portal","actor":"account-%04d","session":"%016x%016x","sourceAddress":"10.20.30.%03d","details":{"department":"%04d","client":"browser"}}',
    k, run, n, k, n, 100 + k % 100, n
  )
end

function request()
  k = k + 1
  return head .. event()
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  print(string.format(
    "figures %d %d %d %d %d",
    summary.requests, summary.duration, latency:percentile(99), errors.status, broken
  ))
end
