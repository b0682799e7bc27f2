-- What wrk sends: the sign-in of a device of contract A, one after another of a fleet that shares a secret. Arguments: how
-- many devices there are, and the secret.

local threads = 0

function setup(thread)
    thread:set("thread_number", threads)
    threads = threads + 1
end

function init(arguments)
    devices = tonumber(arguments[1])
    secret = arguments[2]
    sent = thread_number * 7919
    headers = { ["content-type"] = "application/json" }
end

function request()
    sent = sent + 1
    local body = string.format('{"device_id":"herd-%05d","password":"%s"}', sent % devices, secret)
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
