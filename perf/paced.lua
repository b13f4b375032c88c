-- wrk at a pace: DELAY_MS before each request of a connection. MIX: one request in 10 asks for 64 KiB, one in 10 sends 16 KiB.
local delay_ms = tonumber(os.getenv("DELAY_MS"))
local mix = os.getenv("MIX") == "yes"
local sent = string.rep("0123456789abcdef", 1024)
local turn = 0

function delay()
  return delay_ms
end

function request()
  turn = turn + 1
  if mix and turn % 10 == 3 then
    return wrk.format("GET", "/large")
  elseif mix and turn % 10 == 7 then
    return wrk.format("POST", "/", nil, sent)
  end
  return wrk.format("GET", "/")
end
