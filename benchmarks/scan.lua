-- One check-in per line of a file: "token receipt". Each line is sent once.
local lines, last

function init(args)
  lines = io.lines(args[1])
end

function request()
  -- When the file is used up the last line is sent again: refused, counted, and the run is void.
  last = lines() or last
  local space = last:find(" ", 1, true)
  local body = '{"receipt":"' .. last:sub(space + 1) .. '"}'
  return "POST /api/checkins HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    .. "Sec-Fetch-Site: same-origin\r\nCookie: timebank_sign_in=" .. last:sub(1, space - 1)
    .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"answers": %d, "seconds": %.6f, "refused": %d, "failed": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
