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
    math.randomseed(run * 1000 + thread_number)
    headers = { ["token"] = token, ["content-type"] = "application/json" }
end

-- series_time is unique: the run, the thread and a counter. The rest varies as a machine's would.
function request()
    sent = sent + 1
    local body = string.format(
        '{"machine_id":%d,"timestamp":"2026-01-%02dT%02d:%02d:%02d.%06d","acceleration_x":%.3f,"acceleration_y":%.3f,'
            .. '"acceleration_z":%.3f,"repetitions":%d,"series_time":%d%d%08d.5,"rest_time":3.0}',
        math.random(1, 4), math.random(1, 28), math.random(0, 23), math.random(0, 59), math.random(0, 59),
        math.random(0, 999999), math.random() - 0.5, math.random() - 0.5, 9.3 + math.random(), math.random(0, 30),
        run, thread_number, sent
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
