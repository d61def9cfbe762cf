-- Counts each answered request in Tollway: events are collected, and a task posts them in batches without holding any
-- request up. Where Tollway can not take a batch it is sent again, which is safe, since an event's id is HAProxy's own.
-- What is collected lives in memory: a HAProxy that is killed loses the last moment. See haproxy.cfg for how it is used.

local url = os.getenv("TOLLWAY_URL") or "http://127.0.0.1:4000"
local key = os.getenv("TOLLWAY_API_KEY") or ""
local source = os.getenv("TOLLWAY_SOURCE") or "haproxy"

local batch_max = 500
local waiting_max = 100000
local pause_ms = 200
local pause_after_failure_ms = 1000

local waiting = {}
local dropped = 0

-- Bytes that JSON can not hold as they are, and all beyond ASCII: a path may be anything.
local function text(value)
  return '"' .. tostring(value or ""):gsub('[%c"\\\127-\255]', function(byte) return string.format("\\u%04x", byte:byte()) end) .. '"'
end

local function instant()
  local now = core.now()
  return os.date("!%Y-%m-%dT%H:%M:%S", now.sec) .. string.format(".%06dZ", now.usec)
end

core.register_action("tollway_request", { "http-req" }, function(txn)
  txn:set_priv({ method = txn.sf:method(), path = txn.sf:path() })
end)

core.register_action("tollway_count", { "http-res" }, function(txn)
  local request = txn:get_priv() or {}
  local event = '{"id":' .. text(txn.sf:unique_id()) .. ',"source":' .. text(source) .. ',"type":"http.request","subject":' .. text(txn.sf:var("txn.customer")) ..
    ',"time":' .. text(instant()) .. ',"data":{"method":' .. text(request.method) .. ',"path":' .. text(request.path) .. ',"status":' .. txn.f:status() .. '}}'
  if #waiting < waiting_max then
    waiting[#waiting + 1] = event
  else
    dropped = dropped + 1
  end
end)

-- True once nothing of the batch has to be sent again: it was accepted, or refused for what stands in it.
local function is_settled(status)
  return status == 202 or status == 422 or status == 400 or status == 413
end

local function post(batch)
  local answer = core.httpclient():post({
    url = url .. "/v1/events",
    headers = { ["authorization"] = { "Bearer " .. key }, ["content-type"] = { "application/json" } },
    body = "[" .. table.concat(batch, ",") .. "]",
  })
  local status = answer and answer.status or 0
  if status ~= 202 then core.Alert("Tollway answered " .. status .. " to " .. #batch .. " events.") end
  return is_settled(status)
end

core.register_task(function()
  while true do
    core.msleep(pause_ms)
    while #waiting > 0 do
      local batch = table.move(waiting, 1, math.min(#waiting, batch_max), 1, {})
      if post(batch) then
        waiting = table.move(waiting, #batch + 1, #waiting, 1, {})
      else
        core.msleep(pause_after_failure_ms)
      end
    end
    if dropped > 0 then
      core.Alert("Tollway was away for too long: " .. dropped .. " events are lost.")
      dropped = 0
    end
  end
end)
