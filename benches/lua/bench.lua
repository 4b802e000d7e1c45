-- The measurements of benches/lua/run.sh, which run in the workers.

local ffi = require "ffi"

ffi.cdef [[
typedef struct { long sec; long nsec; } bench_time_t;
int clock_gettime(int clock, bench_time_t *time);
]]

local ffi_cast, ffi_string = ffi.cast, ffi.string
local double_of = ffi.typeof("double[1]")
local double_pointer = ffi.typeof("const double *")
local time = ffi.new("bench_time_t")
local shared = ngx.shared.results
local N, ROUNDS = 50000, 300
local RATE = ("x"):rep(64)
local _M = {}

-- Whether delays() runs in this worker, which does not measure its own events.
local is_sender = false

-- Microseconds of CLOCK_MONOTONIC, which all processes share.
local function now()
    ffi.C.clock_gettime(1, time)

    return tonumber(time.sec) * 1e6 + tonumber(time.nsec) / 1e3
end

-- The same as the data of an event, and back. It is not written as text, because that takes
-- longer than some of what is measured.
local function now_as_data()
    return ffi_string(double_of(now()), 8)
end

local function time_of(data)
    return ffi_cast(double_pointer, data)[0]
end

-- Returns a function for events. It counts those for the rate, and stores the delays.
function _M.handler()
    local n, delays = 0, {}
    local id = ngx.worker.id()

    shared:incr("started", 1, 0)

    return function (data)
        if data == RATE then
            n = n + 1

            if n == N then
                n = 0
                shared:incr("done", 1, 0)
                shared:set("end " .. id, now())
            end

            return
        end

        if not is_sender then
            delays[#delays + 1] = now() - time_of(data)

            if #delays == ROUNDS then
                shared:set("delays " .. id, table.concat(delays, " "))
                shared:incr("done", 1, 0)
                delays = {}
            end
        end
    end
end

-- Waits until a number that the workers count is n, for at most a minute.
local function wait_for(n, name)
    for _ = 1, 30000 do
        if (shared:get(name) or 0) >= n then
            return
        end

        ngx.sleep(0.002)
    end

    error("not " .. n .. " workers are " .. name)
end

-- Waits until all workers have a handler.
function _M.wait_for_start()
    wait_for(ngx.worker.count(), "started")
end

-- Events of 64 bytes in a second that reach all workers.
function _M.rate(publish)
    shared:flush_all()

    local start = now()

    for i = 1, N do
        while true do
            local sent, missed = publish("bench", RATE)

            if sent and (type(missed) ~= "table" or #missed == 0) then
                break
            end

            error("not sent: " .. tostring(missed and missed[1] or missed))
        end
    end

    wait_for(ngx.worker.count(), "done")

    local last = 0

    for id = 0, ngx.worker.count() - 1 do
        last = math.max(last, shared:get("end " .. id))
    end

    return N / (last - start) * 1e6
end

-- The delays to workers that sleep, in microseconds: p50 and p99.
function _M.delays(publish)
    shared:flush_all()
    is_sender = true

    for _ = 1, ROUNDS do
        publish("bench", now_as_data())
        ngx.sleep(0.02)
    end

    wait_for(ngx.worker.count() - 1, "done")

    local all = {}

    for id = 0, ngx.worker.count() - 1 do
        for delay in (shared:get("delays " .. id) or ""):gmatch("%S+") do
            all[#all + 1] = tonumber(delay)
        end
    end

    table.sort(all)

    return all[math.ceil(#all * 0.5)], all[math.ceil(#all * 0.99)]
end

return _M
