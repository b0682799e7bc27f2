-- What wrk sends: a gym machine's reading, another one in every request. Arguments: the token, and the run's number.

local threads = 0

function setup(thread)
    thread:set("thread_number", threads)
    threads = threads + 1
end

function init(arguments)
    token = arguments[1]
    run = tonumber(arguments[2])
    sent = 0
    since = os.time()
    math.randomseed(run * 1000 + thread_number)
    headers = { ["token"] = token, ["content-type"] = "application/json" }
end

-- Instants rise by a millisecond from one request to the next, as a fleet's do, and begin now: readings of earlier may be
-- sealed, which is looked up. series_time holds the run, the thread and a counter, so that no two readings are the same.
-- Repetitions follow the instant, as on a machine: random ones would be cut into a series each.
function request()
    sent = sent + 1
    local body = string.format(
        '{"machine_id":%d,"timestamp":"%s.%03d000","acceleration_x":%.3f,"acceleration_y":%.3f,'
            .. '"acceleration_z":%.3f,"repetitions":%d,"series_time":%d%d%09d.5,"rest_time":3.0}',
        math.random(1, 4), os.date("!%Y-%m-%dT%H:%M:%S", since + math.floor(sent / 1000)), sent % 1000,
        math.random() - 0.5, math.random() - 0.5, 9.3 + math.random(), math.floor(sent / 1000) % 30, run + 1,
        thread_number + 1, sent
    )
    return wrk.format("POST", nil, headers, body)
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        'measured {"seconds":%f,"answered":%d,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d}\n',
        summary.duration / 1e6, summary.requests, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99)
    ))
end
